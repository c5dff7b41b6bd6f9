"""However a parent ends, the emulated board and its folder end with it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cabinwatch.board.emulator.qemu import PROGRAM, find_qemu
from cabinwatch.errors import SetupError
from conftest import missing

PLAY = """
from cabinwatch.targets.microbit import MicrobitTarget
target = MicrobitTarget()
target.start()
print("started", flush=True)
import os, sys, time
if sys.argv[1] == "exit":
    os._exit(1)
time.sleep(600)
"""
IN_PYTEST = """
import time
def test_board(world):
    world.play(2)
    print("started", flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def qemu():
    try:
        find_qemu()
    except SetupError:
        missing(PROGRAM, "apt install qemu-system-arm")
    if not Path("/proc").is_dir():
        pytest.skip("no /proc to look for processes in")


def mentions(folder):
    """Processes whose command line names ``folder``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def ended(folder, limit_s=60):
    """Whether, within the limit, nothing of it is left."""
    end = time.monotonic() + limit_s
    while mentions(folder) or list(folder.iterdir()):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def start(words, folder):
    path = os.pathsep.join(sys.path)
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=folder.parent)


def wait_for(word, process):
    """Read what it prints up to that word."""
    while word not in (line := process.stdout.readline()):
        assert line, "it ended"


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGKILL, None], ids=["SIGTERM", "SIGKILL", "os._exit"]
)
def test_a_board_ends_with_its_parent(tmp_path, number):
    folder = tmp_path / "tmp"
    folder.mkdir()
    with start(["-c", PLAY, "wait" if number else "exit"], folder) as process:
        wait_for("started", process)
        if number:
            assert mentions(folder), "the board runs"
            process.send_signal(number)
        process.wait(60)
    assert ended(folder)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
@pytest.mark.parametrize("live", [False, True], ids=["lock-step", "live"])
def test_a_board_ends_with_its_command(tmp_path, number, live):
    folder = tmp_path / "tmp"
    folder.mkdir()
    target = "microbit-live" if live else "microbit"
    words = ["-m", "cabinwatch", "run", "prk-2024", "--target", target]
    with start(words, folder) as process:
        wait_for("booted", process)
        assert mentions(folder)
        process.send_signal(number)
        process.stdout.read()
        process.wait(60)
    assert ended(folder)


def test_a_board_ends_with_pytest(tmp_path):
    folder = tmp_path / "tmp"
    folder.mkdir()
    test = tmp_path / "test_board.py"
    test.write_text(IN_PYTEST)
    words = ["-m", "pytest", "-s", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(test)]
    with start([*words, "--cabin-target", "microbit"], folder) as process:
        wait_for("started", process)
        assert mentions(folder)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert ended(folder)
