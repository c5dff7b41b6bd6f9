"""A sample of the planted faults in every test run; all of them by ``python -m tests.hostsim.verify.fuzz.planted``."""

import pytest
from tests.hostsim.verify.fuzz.planted import PLANTED, Planted, hunt, locked, patched


def test_there_are_enough_and_each_changes_the_source() -> None:
    assert len(PLANTED) >= 30
    assert len({p.name for p in PLANTED}) == len(PLANTED)
    for planted in PLANTED:
        patched(planted)


SAMPLE = [p for p in PLANTED if not p.allocates and not p.safeguard][::6]
SAFEGUARDS = [p for p in PLANTED if p.safeguard]
FOUND_IN = {
    "frame: limit one octet low": 12,
    "telecommand: another one with the same count taken for a repeat": 38,
    "parameter: upper bound not checked": 38,
    "inhibit: any fall is permitted": 119,
    "health: implausible is believed": 13,
    "safeguard taken out: the burst": 7,
    "safeguard taken out: the level": 44,
    "safeguard taken out: the warming gate": 14,
    "safeguard taken out: the analyser's warming gate": 38,
    "safeguard taken out: the analyser's wild gate": 116,
    "safeguard taken out: the wild gate": 20,
    "safeguard taken out: the clock check": 6,
    "safeguard taken out: a restart ends the inhibit": 48,
}
"""Where the hunt begins, to be short: the run that found it. It goes on to the others where that does so no more."""


@pytest.mark.parametrize("planted", SAMPLE, ids=lambda p: p.name)
def test_a_planted_fault_is_found(planted: Planted) -> None:
    assert hunt(planted, shrinking=0, first=FOUND_IN.get(planted.name, 0)) is not None


@pytest.mark.parametrize("planted", SAFEGUARDS, ids=lambda p: p.name)
def test_a_safeguard_that_is_taken_out_is_missed(planted: Planted) -> None:
    assert hunt(planted, shrinking=0, first=FOUND_IN[planted.name]) is not None


@pytest.mark.usefixtures("vm")
@pytest.mark.parametrize("planted", [p for p in PLANTED if p.allocates], ids=lambda p: p.name)
def test_an_allocation_is_found_with_the_heap_locked(planted: Planted) -> None:
    assert "heap is locked" in locked(planted)


@pytest.mark.usefixtures("vm")
def test_the_right_firmware_allocates_nothing() -> None:
    assert locked(None) == ""


def test_the_unpatched_firmware_is_the_real_one() -> None:
    from cabinwatch.targets.cpython import CpythonTarget
    from cabinwatch.verify.fuzz.run import play
    from cabinwatch.verify.fuzz.swarm import draw

    monitor = patched(None)
    for run in range(3):
        plan = draw("same", run)
        assert play(plan, lambda: CpythonTarget(monitor)) == play(plan, CpythonTarget)
