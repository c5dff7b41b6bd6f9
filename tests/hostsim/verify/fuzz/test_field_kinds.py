"""What the field reports is drawn by the campaign: each kind; and a failure shrinks to its one fault."""

import random

import pytest

from cabinwatch.scenario.load import parse
from cabinwatch.scenario.toml_out import to_toml
from cabinwatch.targets.cpython import CpythonTarget
from cabinwatch.verify.fuzz import shrink as shrinking
from cabinwatch.verify.fuzz.field import KINDS, STUCK_SAMPLES
from cabinwatch.verify.fuzz.findings import Finding
from cabinwatch.verify.fuzz.run import Outcome
from cabinwatch.verify.fuzz.shrink import shrink
from cabinwatch.verify.fuzz.swarm import draw

RUNS = 200


@pytest.fixture(scope="module")
def plans():
    return [draw("kinds", run) for run in range(RUNS)]


def drawn(plan):
    return set(plan.options["kinds"]) & (set(KINDS) - {"burst"})  # a link fault is called so too


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"burst"}))
def test_each_kind_is_drawn_in_the_modes_it_is_for(plans, kind):
    with_it = [plan for plan in plans if kind in drawn(plan)]
    assert with_it
    assert {plan.mode for plan in with_it} <= set(KINDS[kind][0])


def test_bursts_reach_open_to_space(plans):
    rates = [leak.size.pressure_rate() or 0 for plan in plans for leak in plan.scenario.cabin.leaks.values()]
    assert max(rates) > 500_000
    assert sum(rate > 5800 for rate in rates) > 5


def test_lead_ins_are_quiet_days_on_a_sound_line(plans):
    for plan in plans:
        if "lead_in" in drawn(plan):
            scenario = plan.scenario
            days = scenario.cabin.leaks["leak"].at / 86_400
            assert 1 <= days <= 90
            assert not scenario.link.faults
            assert not scenario.device.faults
            assert scenario.duration > scenario.cabin.leaks["leak"].at


def test_a_wrong_clock_comes_with_a_watch_on_its_stamps(plans):
    for plan in plans:
        if {"clock_stopped", "clock_factor"} & drawn(plan):
            assert plan.scenario.parameters["stuck_samples"] == STUCK_SAMPLES


def test_every_plan_is_a_file_that_reads_back(plans):
    for plan in plans:
        assert parse(to_toml(plan.scenario), "drawn") == plan.scenario


def test_a_draw_does_not_depend_on_what_was_drawn_before():
    random.seed(1)
    first = draw("kinds", 3)
    draw("kinds", 4)
    assert draw("kinds", 3) == first


@pytest.mark.parametrize("kind", ["warming", "wild", "clock_stopped", "clock_factor", "twin"])
def test_a_failure_shrinks_to_its_one_fault(plans, kind, monkeypatch):
    """By a judge that fails whatever has the kind, so that only the shrinking is tried."""

    def play(plan, make_target, run=0):
        bad = any(fault.kind == kind for fault in plan.scenario.sensor.faults)
        return Outcome(run, Finding.BLIND if bad else None)

    monkeypatch.setattr(shrinking, "play", play)
    busy = max(
        (plan for plan in plans if kind in {fault.kind for fault in plan.scenario.sensor.faults}),
        key=lambda plan: len(plan.scenario.sensor.faults),
    )
    small = shrink(busy, Finding.BLIND, CpythonTarget)
    assert len(busy.scenario.sensor.faults) > 1
    assert [fault.kind for fault in small.scenario.sensor.faults] == [kind]
    assert not small.scenario.link.faults
    assert not small.scenario.device.faults
    assert not small.scenario.raw
    assert not small.scenario.cabin.leaks
