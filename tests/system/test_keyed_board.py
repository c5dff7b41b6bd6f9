"""The keyed monitor on the emulated micro:bit: the same bytes as in process, and its heap."""

import shutil

from cabinwatch.board.emulator.qemu import INSTALL, PROGRAM
from cabinwatch.run.lockstep import LockStepRun
from cabinwatch.run.transcript import Recorder
from cabinwatch.scenario import load as scenarios
from cabinwatch.targets import open_target
from cabinwatch.verify.measure import step_times
from cabinwatch.world.keying import Keying
from cabinwatch.world.world import World
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


def test_the_same_bytes_within_its_heap():
    if shutil.which(PROGRAM) is None:
        missing(PROGRAM, INSTALL)
    keying = Keying(MASTER, 1)
    board = open_target("microbit", keying)
    try:
        on_board, world = play(board, keying)
        free = board.free_heap()
    finally:
        board.close()
    assert on_board == play(open_target("cpython", keying), keying)[0]
    assert [c.verdict for c in world.ground.commands] == ["done", "refused: early", "done", "done"]
    assert world.ground.session["keyed"] == 3
    print(f"\nkeyed, {free} octets of heap are free")
    assert free >= HEAP_MIN


WORST_MS = 100
"""Guest time of the worst keyed step, by the project's budget."""
BUSY = """
title = "a housekeeping report, a command and its event due with a sample; a forger on the line"
duration = "3.2s"
[cabin.compartments.c]
volume = 100.0
[analyser]
[parameters]
analyser_period = 1000
hk_period = 1000
[[telecommands]]
at = 2
do = "inhibit"
argument = 30
[[raw]]
at = 2.5
service = 8
data = "03003c01000000ff0011223344556677"
"""


def test_the_worst_step_within_its_time():
    if shutil.which(PROGRAM) is None:
        missing(PROGRAM, INSTALL)
    keying = Keying(MASTER, 1)
    steps = []

    class Kept(Recorder):
        def add(self, step):
            super().add(step)
            steps.append(step)

    world = World(scenarios.parse(BUSY, "busy.toml"), 1, keying=keying)
    LockStepRun(world, open_target("cpython", keying), Kept()).run(world.scenario.duration_ms)
    assert {t.Event.COMMANDED, t.Event.REFUSED} <= {e.event for e in world.ground.events}
    times = step_times(steps, keying)
    worst = max(times, key=lambda time: time.compute_us)
    print(f"\nworst keyed step: {worst.compute_us / 1000:.1f} ms")
    assert worst.compute_us < 1000 * WORST_MS
