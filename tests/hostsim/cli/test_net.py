"""What nobody foresaw ends a command in one line, a file with the traceback and exit code 70; a system that gives no
more in exit code 2."""

import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cabinwatch.cli import main as cli

COMMAND = [sys.executable, "-m", "cabinwatch"]


def raising(error):
    def work(*_, **__):
        raise error

    return work


def test_a_fault_of_ours_is_one_line_and_a_file(cabinwatch, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(cli, "play", raising(KeyError("\x1b[2J\nfine")))
    code, out, err = cabinwatch("run", "ms09", "--json")
    assert (code, out) == (70, "")
    assert len(err.splitlines()) == 1
    assert "\x1b" not in err
    assert "a fault of ours, please report it: KeyError" in err
    path = Path(re.search(r"its traceback is in (\S+)$", err)[1])
    assert path.parent == tmp_path
    assert "Traceback (most recent call last)" in path.read_text()
    assert "KeyError" in path.read_text()


def test_a_fault_is_told_also_where_no_file_can_be_written(cabinwatch, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/no/such/folder")
    monkeypatch.setattr(cli, "play", raising(ZeroDivisionError()))
    code, _, err = cabinwatch("run", "ms09")
    assert code == 70
    assert len(err.splitlines()) == 1
    assert "could not be written" in err


def test_a_full_disk_is_not_our_fault(cabinwatch, monkeypatch):
    monkeypatch.setattr(cli, "play", raising(OSError(28, "No space left on device", "/tmp/x")))
    code, _, err = cabinwatch("run", "ms09")
    assert (code, len(err.splitlines())) == (2, 1)
    assert "No space left on device (/tmp/x)" in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("words", [["scenarios"], ["scenarios", "--schema"], ["--help"], ["--version"]])
def test_a_full_standard_output_is_told(words):
    with open("/dev/full", "w") as full:
        done = subprocess.run([*COMMAND, *words], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "No space left on device" in done.stderr


@pytest.mark.parametrize("words", [["scenarios"], ["--help"]])
def test_a_closed_standard_output_is_told(words):
    done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *COMMAND, *words], stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr == "cabinwatch: standard output is closed: nothing could be said\n"


def test_a_reader_that_went_away_is_told():
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*COMMAND, "scenarios"], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_closed_input_and_errors_are_no_trouble():
    done = subprocess.run(["sh", "-c", '"$@" <&- 2>&-', "sh", *COMMAND, "scenarios"], capture_output=True)
    assert done.returncode == 0


def test_a_terminal_that_knows_ascii_alone_gets_the_rest_escaped():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*COMMAND, "scenarios"], capture_output=True, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_wrong_word_is_one_line(cabinwatch):
    for words in (["fly"], ["run", "--colour"], ["run", "--seed", "x"], ["replay"], ["run", "\x1b]0;x\x07"]):
        code, out, err = cabinwatch(*words)
        assert (code, out, len(err.splitlines())) == (2, "", 1), err
        assert err.startswith("cabinwatch: ")
        assert "\x1b" not in err


def test_version(cabinwatch):
    code, out, _ = cabinwatch("--version")
    assert code == 0
    assert re.fullmatch(r"cabinwatch \d+\.\d+\.\d+\n", out)


HOOK = """
import os, sys
class At:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, At())
"""
SCRIPT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]["scripts"][
    "cabinwatch"
]


@pytest.mark.skipif(sys.platform == "win32", reason="there os.kill ends a process at once")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", ["cabinwatch.cli.main", "typer", "cabinwatch.view.panel"])
def test_an_end_while_it_still_imports_is_quiet(tmp_path, name, number):
    (tmp_path / "sitecustomize.py").write_text(HOOK.format(name=name, number=int(number)))
    module, _, function = SCRIPT.partition(":")
    words = ["-c", f"from {module} import {function} as command; command()", "--version"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    done = subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
