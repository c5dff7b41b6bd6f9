"""The keyed monitor on the emulated micro:bit: the same bytes as in process, and its heap."""

import shutil

from cabinwatch.board.emulator.qemu import INSTALL, PROGRAM
from cabinwatch.run.lockstep import LockStepRun
from cabinwatch.run.transcript import Recorder
from cabinwatch.scenario import load as scenarios
from cabinwatch.targets import open_target
from cabinwatch.world.keying import Keying
from cabinwatch.world.world import World
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
    assert free >= HEAP_MIN
