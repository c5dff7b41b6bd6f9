"""The page in a real Chromium: a hole made with the mouse, the lamp, an acknowledgement, and the story taken away."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import missing

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
INSTALL = "apt install chromium chromium-driver"
PATIENCE_S = 60.0
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1280,1600",
)  # fmt: skip
STORY = """
title = "[/b] a cabin <i>with</i> $x^{2$ in its title"
duration = "2d"
[parameters]
hk_period = 5000
[cabin.compartments.forward]
volume = "60 m3"
[cabin.compartments.aft]
volume = "30 m3"
[cabin.hatches.middle]
a = "forward"
b = "aft"
open = true
"""


@contextmanager
def serving(folder, *more):
    """A page that is served by a process of its own, as a person would have it."""
    (folder / "story.toml").write_text(STORY)
    # NiceGUI looks for a test that runs it, and then takes a port of its own.
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "NICEGUI_"))}
    words = ("serve", str(folder / "story.toml"), "--no-browser", "--speed", "60")
    command = [sys.executable, "-m", "cabinwatch", *words, *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=clean) as server:
        assert server.stdout is not None
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found, "the server did not say where it is"
        yield found[0]
        server.terminate()


@pytest.fixture
def url(tmp_path):
    """A page of one's own."""
    with serving(tmp_path) as where:
        yield where


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """A page on which nobody does anything to the cabin: for those who watch."""
    with serving(tmp_path_factory.mktemp("quiet")) as where:
        yield where


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM or not DRIVER:
        missing("Chromium with its driver", INSTALL)
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


def marked(browser, mark):
    """The element that the page calls ``mark``."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support import expected_conditions as shown
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, PATIENCE_S).until(
        shown.presence_of_element_located((By.CSS_SELECTOR, f"[data-mark='{mark}']"))
    )


def until(browser, condition):
    """Wait until what the page shows fulfils the condition; a guard against hanging, not a measure of time."""
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, PATIENCE_S).until(condition)


def test_a_hole_by_mouse_a_lamp_an_acknowledgement_and_the_story(url, browser, tmp_path):
    from selenium.webdriver.common.action_chains import ActionChains

    browser.get(url)
    until(browser, lambda b: marked(b, "lamp").text == "NOMINAL")
    assert "[/b] a cabin <i>with</i> $x^{2$" in browser.page_source.replace("&lt;", "<").replace("&gt;", ">")
    canvas = marked(browser, "map")
    # Where the first module stands, from the middle of the map, by the chart itself.
    at = browser.execute_script(
        "const box = arguments[0].getBoundingClientRect();"
        "const chart = getElement(Number(arguments[0].id.slice(1))).chart;"
        "const [x, y] = chart.convertToPixel({seriesIndex: 0}, [0, 0]);"
        "return [Math.round(x - box.width / 2), Math.round(y - box.height / 2)]",
        canvas,
    )
    ActionChains(browser).move_to_element_with_offset(canvas, *at).click().perform()
    classes = ("ADVISORY", "CAUTION", "WARNING", "EMERGENCY")
    until(browser, lambda b: marked(b, "lamp").text in classes)
    until(browser, lambda b: any(word in marked(b, "events").text for word in classes))
    said = "the station: forward, leaking; aft; middle open"
    until(browser, lambda b: marked(b, "map").get_attribute("aria-label") == said)
    marked(browser, "Acknowledge").click()
    until(browser, lambda b: "done" in marked(b, "commands").text)
    marked(browser, "pause").click()
    until(browser, lambda b: marked(b, "pause").text == "Play")
    with urllib.request.urlopen(f"{url}story.toml") as answer:
        toml, sha256 = answer.read().decode(), answer.headers["X-Transcript-SHA256"]
    assert "leak-1" in toml
    assert 'do = "acknowledge"' in toml
    path = tmp_path / "taken.toml"
    path.write_text(toml)
    run = [sys.executable, "-m", "cabinwatch", "run", str(path), "--target", "cpython"]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert sha256 in done.stdout, done.stdout + done.stderr
    with urllib.request.urlopen(f"{url}test_story.py") as answer:
        source = answer.read().decode()
    assert sha256 in source
    compile(source, "test_story.py", "exec")
    requests = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {r["params"]["request"]["url"] for r in requests if r["method"] == "Network.requestWillBeSent"}
    foreign = [one for one in asked if not one.startswith((url, "data:", "blob:"))]
    assert asked
    assert not foreign, "the page works without a network"
    severe = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert not severe, severe


def test_a_page_that_is_reloaded_has_lost_nothing_and_a_second_one_only_watches(quiet, browser):
    browser.get(quiet)
    until(browser, lambda b: marked(b, "lamp").text == "NOMINAL")
    first = browser.current_window_handle
    browser.switch_to.new_window("tab")
    browser.get(quiet)
    until(browser, lambda b: marked(b, "lamp").text == "NOMINAL")
    marked(browser, "Reset the node").click()
    until(browser, lambda b: "take them first" in b.page_source)
    marked(browser, "pause").click()
    browser.close()
    browser.switch_to.window(first)
    marked(browser, "parameter")
    assert marked(browser, "pause").text == "Pause", "who only watches cannot stop it"
    marked(browser, "Acknowledge").click()
    until(browser, lambda b: "acknowledge" in marked(b, "commands").text)
    assert "take them first" not in browser.page_source, (
        "that another one left takes nothing from who holds them"
    )
    browser.refresh()
    until(browser, lambda b: "booted" in marked(b, "events").text)
    marked(browser, "Acknowledge").click()
    until(browser, lambda b: marked(b, "commands").text.count("acknowledge") == 2)


def test_keys_hold_the_window_of_time_and_the_last_frames_are_decoded(quiet, browser):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    browser.get(quiet)
    until(browser, lambda b: marked(b, "lamp").text == "NOMINAL")
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.SPACE)
    until(browser, lambda b: marked(b, "pause").text == "Play")
    body.send_keys("+")
    body.send_keys(Keys.ARROW_LEFT)
    until(browser, lambda b: ", held" in b.find_element(By.TAG_NAME, "body").text)
    body.send_keys("f")
    until(browser, lambda b: ", held" not in b.find_element(By.TAG_NAME, "body").text)
    strips = marked(browser, "strips")  # the wheel turns over the topmost
    for _ in range(4):
        ActionChains(browser).scroll_from_origin(
            ScrollOrigin.from_element(strips, 0, -200), 0, -120
        ).perform()
    until(browser, lambda b: ", held" in b.find_element(By.TAG_NAME, "body").text)
    body.send_keys("f")
    body.send_keys(Keys.SPACE)
    marked(browser, "open frames").click()
    until(browser, lambda b: "pressure_cPa=" in marked(b, "frames").text)


@contextmanager
def a_screen(browser, width, height):
    """The browser with a window of that size inside."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    yield
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_low_screen_shows_every_control_and_a_phone_scrolls_in_one_direction_only(quiet, browser):
    with a_screen(browser, 1280, 720):
        browser.get(quiet)
        until(browser, lambda b: marked(b, "lamp").text == "NOMINAL")
        foot = {
            mark: marked(browser, mark).rect
            for mark in ("strips", "Hole", "Reset the node", "Set", "download")
        }
        below = {mark: box for mark, box in foot.items() if box["y"] + box["height"] > 720}
        assert not below
        assert marked(browser, "events").rect["y"] < 700, "the newest events are in sight"
    with a_screen(browser, 390, 844):
        wide = "return document.documentElement.scrollWidth"
        until(browser, lambda b: b.execute_script("return innerWidth") == 390)
        until(browser, lambda b: b.execute_script(wide) <= 390)


def test_what_was_refused_is_told_once_and_the_newest_alone(quiet, browser):
    browser.get(quiet)
    until(browser, lambda b: marked(b, "lamp").text == "NOMINAL")
    for _ in range(3):
        browser.execute_script("arguments[0].click()", marked(browser, "Set"))
    until(browser, lambda b: "poll_period: no value given" in b.page_source)
    size = marked(browser, "size")
    size.clear()
    size.send_keys("3 parsec")
    browser.execute_script("arguments[0].click()", marked(browser, "Hole"))
    until(browser, lambda b: "parsec" in b.page_source)
    told = "return [...document.querySelectorAll('.q-notification')].map(one => one.innerText)"
    until(browser, lambda b: len(b.execute_script(told)) == 1 and "parsec" in b.execute_script(told)[0])


def test_a_foreign_page_gets_nothing(quiet):
    request = urllib.request.Request(f"{quiet}story.toml", headers={"Origin": "http://evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request)


OPENMCT = Path(os.environ.get("CABINWATCH_OPENMCT", "node_modules/openmct"))


@pytest.mark.skipif(
    not (OPENMCT / "dist").is_dir(),
    reason="npm install --prefix DIR openmct@4, then CABINWATCH_OPENMCT=DIR/node_modules/openmct",
)
def test_open_mct_draws_the_history_and_what_comes(browser, tmp_path):
    browser.get("about:blank")
    browser.get_log("browser")  # what the pages of servers that are gone have said
    with serving(tmp_path, "--openmct", str(OPENMCT)) as url:
        browser.get(f"{url}openmct/#/browse/cabinwatch:cabin/cabinwatch:pressure_Pa?view=plot-single")
        until(browser, lambda b: "pressure Pa" in b.page_source)
        until(browser, lambda b: b.execute_script("return now") > 0)
        # A swatch of the legend takes the colour of its line; the plot has as many canvases as it draws into.
        assert browser.execute_script("return document.querySelectorAll('.gl-plot canvas').length") > 0
        before = browser.execute_script("return now")
        until(browser, lambda b: b.execute_script("return openmct.time.getBounds().end") > before)
        severe = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
        assert not severe, severe
