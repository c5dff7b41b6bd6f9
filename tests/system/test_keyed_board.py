"""The keyed monitor on the emulated micro:bit: the same bytes as in process, and its heap."""

import shutil

import pytest

from cabinwatch.board.emulator.qemu import INSTALL, PROGRAM
from cabinwatch.run.lockstep import LockStepRun
from cabinwatch.run.transcript import Recorder
from cabinwatch.scenario import load as scenarios
from cabinwatch.targets import open_target
from cabinwatch.verify.conform.runner import CaseVerdict, SuiteRun, run, select
from cabinwatch.verify.conform.targets import open_bench
from cabinwatch.verify.keyed_steps import KEYING, worst_steps
from cabinwatch.verify.measure import step_times
from cabinwatch.world.keying import Keying
from cabinwatch.world.world import World
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t
from conftest import missing
from keyed_peer import MASTER

HEAP_MIN = 2000
"""Octets that must stay free with everything on, by the project's budget."""
SCENARIO = """
title = "commands, a reset and a reboot of a keyed monitor"
duration = "80s"
resets = [65]
[cabin.compartments.c]
volume = 100.0
[analyser]
[parameters]
analyser_period = 5000
[[telecommands]]
at = 10
do = "inhibit"
argument = 30
[[telecommands]]
at = 20
do = "reboot"
[[telecommands]]
at = 62
do = "reboot"
[[telecommands]]
at = 70
do = "inhibit"
argument = 30
"""


def play(target, keying):
    recorder = Recorder()
    world = World(scenarios.parse(SCENARIO, "board.toml"), 1, keying=keying)
    LockStepRun(world, target, recorder).run(world.scenario.duration_ms)
    return recorder.sha256, world


@pytest.mark.parametrize(
    "unkeyed", [frozenset(), frozenset({"transducer", "analyser"})], ids=["keyed", "unkeyed"]
)
def test_the_same_bytes_within_its_heap(unkeyed):
    if shutil.which(PROGRAM) is None:
        missing(PROGRAM, INSTALL)
    keying = Keying(MASTER, 1, unkeyed)
    board = open_target("microbit", keying)
    try:
        on_board, world = play(board, keying)
        free = board.free_heap()
    finally:
        board.close()
    assert on_board == play(open_target("cpython", keying), keying)[0]
    assert [c.verdict for c in world.ground.commands] == ["done", "refused: early", "done", "done"]
    assert world.ground.session["keyed"] == 3 * (not unkeyed)
    print(f"\nkeyed, {free} octets of heap are free")
    assert free >= HEAP_MIN


def conversation(target):
    """All that is said to a keyed transducer and by it in some of the cases of conform, a reset among them."""
    done = SuiteRun(target, "transducer", 1, True)
    run(
        open_bench(target, "transducer", master=MASTER),
        select("transducer", ["KEY-06,KEY-07,KEY-14"], keyed=True),
        done,
    )
    assert {r.verdict for r in done.results} == {CaseVerdict.PASS}
    return [(e.at_ms, e.given, e.octets) for r in done.results for e in r.log]


def test_a_keyed_transducer_has_the_same_bytes_everywhere(vm):
    if shutil.which(PROGRAM) is None:
        missing(PROGRAM, INSTALL)
    assert conversation("microbit") == conversation("micropython") == conversation("cpython")


WORST_MS = 100
"""Guest time of the worst keyed step, by the project's budget."""


def test_the_worst_step_within_its_time():
    if shutil.which(PROGRAM) is None:
        missing(PROGRAM, INSTALL)
    steps = worst_steps()
    told = [p for step in steps if step.tx for p in host.decode_stream(step.tx) if p.packet.service == 5]
    assert {t.Event.COMMANDED, t.Event.REFUSED, t.Event.ALARM} <= {p.values["event"] for p in told}
    worst = max(step_times(steps, KEYING), key=lambda time: time.compute_us)
    print(f"\nworst keyed step: {worst.compute_us / 1000:.1f} ms")
    assert worst.compute_us < 1000 * WORST_MS
