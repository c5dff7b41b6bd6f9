"""One seed, one run: in every process, under any hash seed, whatever else was drawn before."""

import json
import os
import subprocess
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

import worlds
from cabinwatch.scenario.toml_out import toml_text
from cabinwatch.world.seeds import stream

WORLD = toml_text(
    {
        "title": "everything random at once",
        "duration": 300,
        "resets": [111],
        "cabin": {
            "compartments": {"station": {"volume": "100 m3"}, "lab": {"volume": "50 m3"}},
            "hatches": {"h": {"a": "station", "b": "lab", "open": True}},
            "leaks": {"hole": {"size": "20 mm", "at": 60}},
            "wander": {},
        },
        "analyser": {},
        "sensor": {"noise": 5, "faults": [{"kind": "spikes", "size": 4000, "rate": 0.05}]},
        "link": {
            "faults": [
                {"kind": "flip", "rate": 0.0005},
                {"kind": "drop", "rate": 0.0005},
                {"kind": "delay", "most_ms": 400},
            ]
        },
        "telecommands": [{"at": 50, "do": "report"}, {"at": 200, "do": "acknowledge"}],
    }
)


def in_a_process(path, seed, hash_seed):
    command = [sys.executable, "-m", "cabinwatch", "run", str(path)]
    command += ["--target", "cpython", "--seed", str(seed), "--json"]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_same_in_every_process_and_under_any_hash_seed(tmp_path):
    path = tmp_path / "w.toml"
    path.write_text(WORLD)
    world, here = worlds.run(WORLD, 42, "cpython")
    assert world.ground.counts.crc_errors
    for hash_seed in ("0", "1", "4711"):
        there = in_a_process(path, 42, hash_seed)
        assert there["transcript_sha256"] == here
        assert there["link"]["frames"] == world.ground.counts.frames
    assert in_a_process(path, 43, "0")["transcript_sha256"] != here, "and the seed matters"


@settings(max_examples=20)
@given(worlds.tomls(most_s=120), st.integers(0, 1 << 32))
def test_another_world_in_between_changes_nothing(text, seed):
    _, first = worlds.run(text, seed, "cpython")
    worlds.run(WORLD, seed + 1, "cpython", 20_000)
    assert worlds.run(text, seed, "cpython")[1] == first


def test_playing_in_parts_is_playing():
    from cabinwatch.run.lockstep import LockStepRun
    from cabinwatch.run.transcript import Recorder
    from cabinwatch.scenario import load as scenarios
    from cabinwatch.targets.cpython import CpythonTarget
    from cabinwatch.world.world import World

    hashes = []
    for parts in ([300_000], [1, 17, 60_000, 60_001, 111_000, 299_999, 300_000]):
        recorder = Recorder()
        drive = LockStepRun(World(scenarios.parse(WORLD, "w.toml"), 5), CpythonTarget(), recorder)
        drive.start()
        for until_ms in parts:
            drive.go_on(until_ms)
        hashes.append(recorder.sha256)
    assert hashes[0] == hashes[1]


def test_streams_are_apart_and_stable():
    """A named stream never depends on another, and its first draw is written down: it must never change."""
    a, b = stream(1, "sensor"), stream(1, "sensor")
    stream(1, "link").random()
    assert [a.random() for _ in range(5)] == [b.random() for _ in range(5)]
    assert stream(1, "sensor").random() != stream(2, "sensor").random()
    assert stream(1, "a").random() != stream(1, "b").random()
    assert stream(1, "sensor").getrandbits(32) == FIRST_DRAW


FIRST_DRAW = 2043686658
