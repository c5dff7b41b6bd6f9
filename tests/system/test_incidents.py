"""Every bundled incident, whole, on the in-process target: what its file expects is what the monitor reports."""

from pathlib import Path

import pytest

from cabinwatch.run.play import Order, play
from cabinwatch.run.result import unmet
from cabinwatch.scenario import load as scenario
from cabinwatch.world.cabin import published
from cabinwatch_protocol import table as t

LIVE_S = 12.0
"""At --speed 20 a node polls every 2 s of the world (100 ms is the least): three samples, twice over."""


@pytest.mark.parametrize("name", scenario.bundled())
def test_what_the_scenario_expects_happens(name):
    model, text = scenario.load(name)
    world, run = play(Order(name, model, text, "cpython", 1, model.duration_ms))
    replay = f"cabinwatch run {name} --target cpython --seed 1"
    assert unmet(world, model.expect) == [], replay
    assert not run.interrupted
    assert world.ground.counts.lost == 0
    assert world.ground.unanswered == []
    assert world.ground.refused == []
    if model.expect.by is not None:
        wanted = t.AlarmClass[model.expect.alarm.upper()]
        alarms = (e for e in world.ground.events if e.event is t.Event.ALARM and e.severity >= wanted)
        assert next(alarms).t_ms / 1000 + LIVE_S <= model.expect.by, "no margin for a live board"


def test_every_incident_says_where_its_figures_come_from():
    for name in scenario.bundled():
        model, _ = scenario.load(name)
        assert model.story, name
        assert model.sources, name
        assert model.measured, name
        assert model.assumed, name


def test_the_page_of_published_figures_is_current():
    page = Path(published.__file__).with_name("PUBLISHED.md")
    assert page.read_text(encoding="utf-8") == published.page(), (
        "rewrite it: python -m cabinwatch.world.cabin.published"
    )
