"""The picture of the page in README: ``python tests/hostsim/web/picture.py FILE``, with Chromium and its driver."""

import re
import shutil
import subprocess
import sys

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--window-size=1280,1080",
)


def chromium() -> webdriver.Chrome:
    """Debian's Chromium with its own driver: nothing is looked for elsewhere."""
    options = webdriver.ChromeOptions()
    for flag in FLAGS:
        options.add_argument(flag)
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))


def main(path: str) -> None:
    """Serve MS-09 at 600 times real time, make a hole in the station, and wait for the alarm."""
    command = [sys.executable, "-m", "cabinwatch", "serve", "ms09", "--no-browser", "--speed", "600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found
        browser = chromium()
        browser.get(found[0])

        def shows(mark: str, words: tuple[str, ...]) -> None:
            element = (By.CSS_SELECTOR, f"[data-mark='{mark}']")
            WebDriverWait(browser, 120).until(lambda b: b.find_element(*element).text in words)

        shows("lamp", ("NOMINAL",))
        browser.find_element(By.CSS_SELECTOR, "[data-mark='Hole']").click()
        shows("lamp", ("CAUTION", "WARNING", "EMERGENCY"))
        browser.find_element(By.CSS_SELECTOR, "[data-mark='pause']").click()
        shows("pause", ("Play",))
        browser.save_screenshot(path)
        browser.quit()
        server.terminate()


if __name__ == "__main__":
    main(sys.argv[1])
