"""How smooth the page is with 100,000 reports: ``python tests/hostsim/web/measure.py``, with Chromium and its driver.

Plays 100,000 s with a report each second, turns the mouse's wheel over the strip charts, and prints the time between
two frames of the browser, what the server weighs, and what the page said of the speed.
"""

import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from picture import chromium
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

SCENARIO = """
title = "100,000 reports"
duration = 100000
[parameters]
hk_period = 1000
[cabin.compartments.cabin]
volume = "50 m3"
[cabin.wander]
"""
TURNS = 160
WATCH = """
window.frames_ms = []; let last = performance.now();
const look = now => { window.frames_ms.push(now - last); last = now; requestAnimationFrame(look); };
requestAnimationFrame(look);
"""


def main() -> None:
    """Measure, and print."""
    path = Path(tempfile.mkdtemp()) / "many.toml"
    path.write_text(SCENARIO)
    command = [sys.executable, "-m", "cabinwatch", "serve", str(path), "--no-browser", "--speed", "2000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found
        browser = chromium()
        browser.get(found[0])

        def marked(mark: str):
            return browser.find_element(By.CSS_SELECTOR, f"[data-mark='{mark}']")

        WebDriverWait(browser, 30).until(lambda _: "h" in marked("time").text)
        print("while it plays at 2,000 times real time:", marked("trouble").text or "it keeps up")
        WebDriverWait(browser, 600).until(lambda _: "the end" in marked("time").text)
        marked("everything").click()
        WebDriverWait(browser, 10).until(lambda _: "1 d" in browser.find_element(By.TAG_NAME, "body").text)
        box = marked("strips").rect
        middle = {"x": box["x"] + box["width"] / 2, "y": box["y"] + 120}
        browser.execute_script(WATCH)
        for i in range(TURNS):
            wheel = {"type": "mouseWheel", **middle, "deltaX": 0, "deltaY": -60 if i % 40 < 20 else 60}
            browser.execute_cdp_cmd("Input.dispatchMouseEvent", wheel)
        frames_ms = sorted(browser.execute_script("return window.frames_ms")[1:])
        print(
            f"{len(frames_ms)} frames: median {statistics.median(frames_ms):.0f} ms, "
            f"95 % {frames_ms[len(frames_ms) * 95 // 100]:.0f} ms, longest {frames_ms[-1]:.0f} ms"
        )
        status = Path(f"/proc/{server.pid}/status").read_text()
        print("the server:", re.search(r"VmRSS:\s+(.*)", status)[1])  # type: ignore[index]
        browser.quit()
        server.terminate()


if __name__ == "__main__":
    main()
