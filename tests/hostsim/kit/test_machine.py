"""The state machine runs clean on the right firmware, and finds a wrong one."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from pydantic import TypeAdapter
from tests.hostsim.verify.fuzz.planted import PLANTED, Planted, patched

from cabinwatch.kit.machine import CabinMachine
from cabinwatch.models.sensors import SensorFault
from cabinwatch.targets.base import Target
from cabinwatch.targets.cpython import CpythonTarget

SILENT: SensorFault = TypeAdapter(SensorFault).validate_python({"kind": "silent", "at": 1, "until": 300})
SETTINGS = settings(
    max_examples=25, stateful_step_count=15, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


def test_the_right_firmware_passes() -> None:
    run_state_machine_as_test(CabinMachine, settings=SETTINGS)


MOVES = {
    "none": ("self.state = move & 15", "self.state = move & 15"),
    "acknowledged when raised": (
        "self.state = move & 15",
        "self.state = 2 if told == TOLD_RAISED else move & 15",
    ),
    "forgotten when acknowledged": ("self.state = move & 15", "self.state = move & 13"),
}
"""Mistakes in the alarm table, planted where it is played."""


@pytest.mark.parametrize("mistake", MOVES)
def test_a_wrong_alarm_table_is_found_by_its_events_alone(mistake: str) -> None:
    monitor = patched(Planted(mistake, "cabinwatch_firmware.alarms", *MOVES[mistake]))

    class Machine(CabinMachine):
        judges = False

        def make_target(self) -> Target:
            return CpythonTarget(monitor)

    def story(machine: CabinMachine) -> None:
        machine.sensor_fault(SILENT)
        for act in (
            lambda: machine.let_time_pass(30.0),
            machine.acknowledge,
            lambda: machine.let_time_pass(10.0),
        ):
            act()
            machine.alarms_move_as_the_table_says()

    if mistake == "none":
        story(Machine())
        return
    with pytest.raises(AssertionError, match="no move of the alarm table"):
        story(Machine())


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
