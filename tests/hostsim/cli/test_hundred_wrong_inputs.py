"""A hundred wrong inputs over all commands: one clear line and the right exit code each, and nothing but text."""

import json
import re
import sys
from pathlib import Path

import pytest

from cabinwatch.run.transcript import FORMAT

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ud800-\udfff]")
"""All that is no text, but for the end of a line."""
STEP = '{"t_ms":0,"rx":"","tx":"00","wake_ms":5}'
GOOD = 'title = "t"\nduration = "1min"\n[cabin.compartments.c]\nvolume = "10 m3"\n'
HEADER = json.dumps({"format": FORMAT, "scenario": "\x1b[2J", "toml": GOOD, "seed": 1})
FILES = {
    "empty.toml": "",
    "title.toml": GOOD.replace('"t"', "3"),
    "escape.toml": GOOD.replace('"t"', '"\\u001b]0;x\\u0007"') + '"\\u001b[2J" = 1\n',
    "twice.toml": GOOD + GOOD,
    "nul.toml": GOOD + "\0",
    "deep.toml": "x = " + "[" * 50_000,
    "dots.toml": GOOD + ".".join("a" * 20_000) + " = 1\n",
    "digits.toml": GOOD.replace('"1min"', "9" * 5000),
    "long.toml": GOOD.replace("1min", "9" * 4000),
    "tiny.toml": GOOD.replace("10 m3", "1e-300 m3"),
    "unit.toml": GOOD.replace("10 m3", "10 cubits"),
    "kind.toml": GOOD + '[[link.faults]]\nkind = "\\u009b2J\\n"\n',
    "verb.toml": GOOD + '[[telecommands]]\nat = 1\ndo = "dance"\n',
    "never.toml": GOOD + '[expect]\nalarm = "emergency"\n',
    "good.toml": GOOD,
    "empty.jsonl": "",
    "other.jsonl": '{"format": "another"}\n' + STEP + "\n",
    "endless.jsonl": f"{HEADER}\n{STEP.replace('5', '1e999')}\n",
    "headed.jsonl": json.dumps({"format": FORMAT}) + f"\n{STEP}\n",
    "nested.jsonl": f"{HEADER}\n{'[' * 50_000}\n",
    "odd.hex": "00 1",
    "log.csv": "t,p\n0,1000\n60,1000\n",
    "blank.csv": "",
    "words.csv": "t,p\n\x1b[2J,\x07\nx,y\n",
}
RIGHT = ("good.toml", "never.toml", "empty.toml")
PLAYBACK = ("--time", "t", "--pressure", "p", "--unit", "hPa")
CLUSTER = ("fuzz", "--runs", "1", "--scheduler")

USAGE: list[tuple[str, ...]] = [
    # what nobody can mean
    ("fly",), ("--colour",), ("run", "--colour"), ("\x1b]0;x\x07",), ("run", "ms09", "more"), ("replay",),
    ("plot", "ms09"),
    ("-v",), ("run", "ms09", "--seed"), ("scenarios", "--xml"),
    # run
    ("run", "prk2024"), ("run", "\x1b[2J"), ("run", "no.toml"), ("run", "/"), ("run", "ms09", "--seed", "x"),
    ("run", "ms09", "--seed", "9" * 5000), ("run", "ms09", "--target", "esp32"),
    ("run", "ms09", "--target", "\x1b"),
    ("run", "ms09", "--target", "/dev/ttyNOPE"), ("run", "ms09", "--target", "socket://"),
    ("run", "ms09", "--target", "socket://127.0.0.1"), ("run", "ms09", "--target", "socket://127.0.0.1:x"),
    ("run", "ms09", "--target", "socket://127.0.0.1:99999"),
    ("run", "ms09", "--target", "socket://127.0.0.1:1"),
    ("run", "ms09", "--target", "gopher://x"), ("run", "ms09", "--target", "/dev/null"),
    ("run", "ms09", "--target", "/"),
    ("run", "ms09", "--duration", "6 weeks-ish"), ("run", "ms09", "--duration", "-6h"),
    ("run", "ms09", "--duration", "0"),
    ("run", "ms09", "--duration", "1e999h"), ("run", "ms09", "--duration", "9" * 4000),
    ("run", "ms09", "--speed", "0"),
    ("run", "ms09", "--speed", "nan"), ("run", "ms09", "--patience", "-1"),
    ("run", "good.toml", "-t", "cpython", "--record", "/no/x"),
    ("run", "good.toml", "-t", "cpython", "--record", "."),
    ("run", "good.toml", "-t", "cpython", "--csv", "/no/x"),
    ("run", "good.toml", "-t", "cpython", "--junit", "/no/x"),
    ("run", "good.toml", "-t", "cpython", "--record", "link"), ("run", "-"),
    *(("run", name) for name in FILES if name.endswith(".toml") and name not in RIGHT),
    # replay, plot, decode
    ("replay", "no.jsonl"), ("replay", "."), ("replay", "empty.jsonl"), ("replay", "other.jsonl"),
    ("replay", "good.toml"),
    ("replay", "endless.jsonl"), ("replay", "nested.jsonl"), ("replay", "endless.jsonl", "-t", "/dev/ttyX"),
    ("plot", "ms09", "-o", "x.gif"), ("plot", "no.toml", "-o", "x.svg"),
    ("plot", "headed.jsonl", "-o", "x.svg"),
    ("plot", "endless.jsonl", "-o", "x.svg"), ("plot", "ms09", "-o", "x.svg", "--seed", "y"),
    ("decode", "no.bin"), ("decode", "."), ("decode", "odd.hex"), ("decode", "socket://"),
    ("decode", "socket://127.0.0.1:1"),
    ("decode", "good.toml", "--baud", "1"), ("decode", "endless.jsonl"),
    # a person's own log
    ("playback", "no.csv", *PLAYBACK), ("playback", "log.csv"), ("playback", "blank.csv", *PLAYBACK),
    ("playback", "log.csv", "--time", "z", "--pressure", "p", "--unit", "hPa"),
    ("playback", "log.csv", "--time", "t", "--pressure", "p", "--unit", "cubit"),
    ("playback", "log.csv", *PLAYBACK, "--leak", "big"), ("playback", "log.csv", *PLAYBACK, "--set", "breath"),
    ("playback", "log.csv", *PLAYBACK, "--set", "\x1b=1"), ("playback", "words.csv", *PLAYBACK),
    # boards
    ("build", "esp32", "-o", "x.hex"), ("build", "microbit", "-o", "/no/x.hex"), ("build",),
    ("flash", "toaster"),
    ("flash", "microbit", "--port", "/dev/ttyNOPE", "--role", "cook"), ("monitor", "/dev/ttyNOPE"),
    ("monitor", ""),
    ("monitor", "socket://"), ("monitor", "socket://127.0.0.1:1"), ("monitor", "rfc2217://"),
    ("monitor", "loop://", "--send", "dance"), ("monitor", "loop://", "--send", ""),
    ("monitor", "loop://", "--send", "set"),
    ("monitor", "loop://", "--send", "set threshold \x1b"),
    ("monitor", "loop://", "--send", "set threshold " + "9" * 5000),
    ("monitor", "loop://", "--baud", "1"), ("monitor", "loop://", "--seconds", "-1"),
    ("device", "--target", "esp32"),
    ("device", "--tcp", "99999"),
    # judges
    ("conform", "toaster"), ("conform", "exec:"), ("conform", "exec:'"), ("conform", "exec:/no/such"),
    ("conform", "socket://"),
    ("conform", "--role", "cook"), ("conform", "--only", "XYZ-99"), ("conform", "--json", "/no/x"),
    ("conform", "--baud", "1"),
    ("soak", "--baud", "1"), ("soak", "--minutes", "inf"), ("soak", "--minutes", "0"),
    ("soak", "--target", "socket://"),
    ("bench", "--target", "toaster"), ("bench", "--seconds", "nan"), ("score", "--days", "0"),
    ("score", "--plot", "x.gif"), ("score", "--within", "2 d"),
    ("score", "--scheduler", "rubbish", "--days", "1", "--years", "1"),
    (*CLUSTER, "rubbish"), (*CLUSTER, "tcp://127.0.0.1:9"), (*CLUSTER, "tcp://x:99999"), (*CLUSTER, "\x1b"),
    ("fuzz", "--runs", "0"), ("fuzz", "--minutes", "nan"), ("fuzz", "--target", "toaster"),
    ("fuzz", "--jobs", "0"),
    ("fuzz", "--file", "no.toml"), ("fuzz", "--file", "good.toml", "--seed", "x"),
    ("fuzz", "--file", "dots.toml"),
    ("fuzz", "--file", "good.toml", "--mode", "dance"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, text in FILES.items():
        (tmp_path / name).write_bytes(text.encode())
    (tmp_path / "link").symlink_to(tmp_path / "good.toml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", (tmp_path / "title.toml").open())
    return tmp_path


def test_there_are_a_hundred():
    assert len(set(USAGE)) == len(USAGE) >= 100
    assert {words[0] for words in USAGE} >= {
        "run",
        "replay",
        "plot",
        "decode",
        "monitor",
        "device",
        "conform",
        "fuzz",
    }


@pytest.mark.parametrize("words", USAGE, ids=lambda words: ascii(" ".join(words))[1:60])
@pytest.mark.usefixtures("folder")
def test_a_wrong_input_is_one_clear_line(cabinwatch, words):
    code, out, err = cabinwatch(*words)
    assert code == 2, err
    assert not CONTROL.search(out + err)
    lines = err.splitlines()
    assert len(lines) == 1, "one line"
    assert lines[0].startswith("cabinwatch: ")
    assert len(lines[0]) > len("cabinwatch: ") + 10, "which says something"
    assert len(lines[0]) < 1500
    assert not re.search(r"Traceback|Error:|a fault of ours|object at 0x", err)


@pytest.mark.usefixtures("folder")
def test_what_was_expected_and_did_not_happen_is_1(cabinwatch):
    code, out, err = cabinwatch("run", "never.toml", "--target", "cpython")
    assert (code, err) == (1, "")
    assert "NOT MET" in out


def test_nothing_was_left_behind(cabinwatch, folder):
    before = set(Path(folder).iterdir())
    for words in USAGE[:60]:
        if words[:1] == ("run",):
            cabinwatch(*words)
    assert set(Path(folder).iterdir()) == before
