"""What a campaign has been through: named situations, and that none is left out of a long one."""

from random import Random

import pytest

from cabinwatch.models.scenario import Scenario
from cabinwatch.targets.cpython import CpythonTarget
from cabinwatch.verify.fuzz import drills
from cabinwatch.verify.fuzz.campaign import NOT_EVERYWHERE, Tally
from cabinwatch.verify.fuzz.findings import Finding
from cabinwatch.verify.fuzz.run import Outcome, play
from cabinwatch.verify.fuzz.situations import ENOUGH_RUNS, SITUATIONS
from cabinwatch.verify.fuzz.swarm import Plan
from cabinwatch_protocol.alarms import TABLE, Point


def tally(runs: int, left_out: str = "", kind: Finding | None = None) -> Tally:
    """A campaign of so many runs that was everywhere but in one situation."""
    been = Tally()
    been.add(Outcome(0, kind, entered={name: 1 for name in SITUATIONS if name != left_out}))
    been.runs = runs
    return been


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_long_campaign_has_to_have_been_everywhere(situation: str) -> None:
    long = tally(ENOUGH_RUNS, situation)
    assert long.never_entered == [situation]
    assert long.as_json(1.0)["never_entered"] == [situation]
    assert long.exit_code == NOT_EVERYWHERE
    assert tally(ENOUGH_RUNS - 1, situation).exit_code == 0
    assert tally(ENOUGH_RUNS).exit_code == 0
    assert tally(ENOUGH_RUNS, situation, Finding.LATCH).exit_code == Finding.LATCH.exit_code


def test_there_are_some_forty_and_each_move_of_both_alarms_is_one() -> None:
    moves = {(row.state, row.told, row.next) for row in TABLE}
    assert sum(" to " in name for name in SITUATIONS) >= len(Point) * len(moves)
    assert len(SITUATIONS) == len(set(SITUATIONS)) >= 40


RARE = (
    "cabin alarm raised: returned to unacknowledged", "blind alarm raised: returned to unacknowledged",
    "blind alarm ended: acknowledged to acknowledged", "a reset while returned",
)  # fmt: skip


def test_a_few_drills_go_where_chance_seldom_leads() -> None:
    entered: set[str] = set()
    for number in (24, 27, 33, 39):
        data = {
            "title": "a drill", "duration": 30, "parameters": {"stuck_samples": 0, "analyser_period": 0},
            "cabin": {"compartments": {"cabin": {"volume": 400}}},
            "sensor": {"faults": []}, "device": {"faults": []}, "telecommands": [],
        }  # fmt: skip
        drills.add(data, 20.0, Random(number))
        outcome = play(Plan(Scenario.model_validate(data), number, "story", 0.0, {}), CpythonTarget)
        assert outcome.kind is None, outcome.text
        entered |= outcome.entered.keys()
    assert [name for name in RARE if name not in entered] == []
