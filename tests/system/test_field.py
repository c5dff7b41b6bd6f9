"""What the field reports of instruments and air, a file each: the same octets on every emulated target, and the right
answer.
"""

import shutil
from pathlib import Path

import pytest

import worlds
from cabinwatch.board.emulator.qemu import INSTALL, PROGRAM
from cabinwatch.run.result import unmet
from cabinwatch.scenario.load import load
from cabinwatch.scenario.toml_out import to_toml
from conftest import missing

FILES = {path.stem: path for path in sorted((Path(__file__).parent / "field").glob("*.toml"))}
SEED = 1


POLLS = 1000
"""As many are the same on every target as three times as many, and a board in QEMU takes five milliseconds for each."""


def slowed(scenario):
    """The same story in no more polls."""
    period_ms = max(scenario.parameters.get("poll_period", 1000), scenario.duration_ms // POLLS)
    return to_toml(
        scenario.model_copy(update={"parameters": {**scenario.parameters, "poll_period": period_ms}})
    )


def right(name, world):
    """What is wrong with the monitor's answer, a line each."""
    faults = unmet(world, world.scenario.expect)
    if name == "twin" and (n := len(world.ground.events)) > 6:
        faults.append(f"{n} events")
    return faults


@pytest.mark.parametrize("name", FILES)
def test_the_answer_is_right(name):
    world, _ = worlds.run(load(str(FILES[name]))[1], SEED, "cpython")
    assert right(name, world) == [], f"cabinwatch run {FILES[name]} --seed {SEED} --target cpython"


@pytest.mark.parametrize("name", FILES)
def test_every_target_sends_the_same_octets(vm, name):
    if shutil.which(PROGRAM) is None:
        missing("QEMU", INSTALL)
    text = slowed(load(str(FILES[name]))[0])
    hashes = {target: worlds.run(text, SEED, target)[1] for target in ("cpython", "micropython", "microbit")}
    assert len(set(hashes.values())) == 1, hashes
