"""A sample of the planted faults in every test run; all of them by ``python -m tests.hostsim.kit.planted``."""

import pytest

from tests.hostsim.kit.planted import PLANTED, Planted, hunt, patched


def test_there_are_enough_and_each_changes_the_source() -> None:
    assert len(PLANTED) >= 30
    assert len({p.name for p in PLANTED}) == len(PLANTED)
    for planted in PLANTED:
        patched(planted)


@pytest.mark.parametrize("planted", PLANTED[::6], ids=lambda p: p.name)
def test_a_planted_fault_is_found(planted: Planted) -> None:
    found = hunt(planted, shrinking=20)
    assert found is not None


def test_the_unpatched_firmware_is_the_real_one() -> None:
    from hostsim.fuzz.run import play
    from hostsim.fuzz.swarm import draw
    from hostsim.targets.cpython import CpythonTarget

    monitor = patched(None)
    for run in range(3):
        plan = draw("same", run)
        assert play(plan, lambda: CpythonTarget(monitor)) == play(plan, CpythonTarget)
