"""The state machine runs clean on the right firmware, and finds a wrong one."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.hostsim.verify.fuzz.planted import PLANTED, patched

from cabinwatch.kit.machine import CabinMachine
from cabinwatch.targets.base import Target
from cabinwatch.targets.cpython import CpythonTarget

SETTINGS = settings(
    max_examples=25, stateful_step_count=15, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


def test_the_right_firmware_passes() -> None:
    run_state_machine_as_test(CabinMachine, settings=SETTINGS)


def test_a_wrong_firmware_is_found_with_its_story(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monitor = patched(next(p for p in PLANTED if p.name == "poll: missed retry"))

    class Wrong(CabinMachine):
        def make_target(self) -> Target:
            return CpythonTarget(monitor)

    with pytest.raises(BaseException, match="poll of the transducer was due") as caught:
        run_state_machine_as_test(
            Wrong, settings=settings(SETTINGS, max_examples=1000, phases=[Phase.generate])
        )
    assert "-- story" in str(getattr(caught.value, "__notes__", ""))
