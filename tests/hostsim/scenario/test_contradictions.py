"""What a file says and contradicts is refused before anything plays: by file, line and key."""

import pytest
from hypothesis import given, settings

from cabinwatch import strategies as st
from cabinwatch.errors import UsageError
from cabinwatch.kit.session import Session
from cabinwatch.models.expectations import Expect
from cabinwatch.scenario.load import bundled, load, parse
from cabinwatch.scenario.toml_out import to_toml
from cabinwatch.verify.fuzz import swarm
from cabinwatch_protocol import table as t

GOOD = """\
title = "t"
duration = "1h"
onset = "20min"
resets = [10, 20]
[cabin.compartments.station]
volume = "100 m3"
[cabin.leaks.hole]
size = "1 mm"
at = "20min"
[[cabin.actions]]
at = "30min"
patch = "hole"
[[telecommands]]
at = 5
do = "ping"
[[link.faults]]
kind = "flip"
rate = 0.1
at = 10
until = 20
[sensor]
low = "100 Pa"
high = "120 kPa"
[parameters]
caution = 86_400
[expect]
alarm = "warning"
by = "40min"
at_most = "emergency"
"""
WRONG = {
    "by before onset": ("40min", "10min", 28, "expect.by: by 10 min is before onset = 20 min"),
    "by before after": ('by = "40min"', 'after = 2401\nby = "40min"', 29, "by 40 min is before after = 40 min 1 s"),
    "at_most below alarm": ('"emergency"', '"caution"', 29, "expect.at_most: at most caution, and warning is to be"),
    "after behind the end": ('by = "40min"', 'after = "2h"', 28, "expect.after: 2 h is after the end: duration = 1 h"),
    "onset after the end": ('onset = "20min"', 'onset = "2h"', 3, "onset: 2 h is after the end"),
    "leak after the end": ('at = "20min"', 'at = "61min"', 9, "cabin.leaks.hole.at: 1 h 1 min is after the end"),
    "command after the end": ("at = 5", "at = 3601", 14, "telecommands.0.at: 1 h 1 s is after the end"),
    "reset after the end": ("[10, 20]", "[10, 3700]", 4, "resets.1: 1 h 1 min is after the end"),
    "until before at": ("until = 20", "until = 9", 20, "link.faults.0.until: it ends at 9 s, before it begins at 10 s"),
    "patch before its leak": ('at = "30min"', "at = 3", 11, "cabin.actions.0.at: patch of 'hole' at 3 s, before it sets in at 20 min"),
    "low above high": ('"100 Pa"', '"130 kPa"', 22, "sensor.low: low = 130000 Pa is above high = 120000 Pa"),
    "compartment": ("[sensor]", '[sensor]\ncompartment = "node"', 22, "sensor.compartment: no compartment 'node'; there is station"),
    "emergency above caution": ("caution = 86_400", "emergency = 600_000\nwarning = 0", 25, "parameters.emergency: emergency = 600000 s"),
    "parameters the wrong way round": ("caution = 86_400", "pressure_low = 13_000_000", 25, "pressure_low = 130000 Pa is above pressure_high = 120000 Pa"),
}  # fmt: skip
# ruff: noqa: E501 - one contradiction a line


@pytest.mark.parametrize("name", WRONG)
def test_a_contradiction_is_refused_by_file_line_and_key(name):
    old, new, line, says = WRONG[name]
    assert GOOD.count(old) == 1
    text = GOOD.replace(old, new)
    if name == "emergency above caution":
        text = text.replace("emergency = 600_000", "caution = 500_000\nemergency = 600_000")
        line += 1
    with pytest.raises(UsageError) as refused:
        parse(text, "bad.toml")
    told = str(refused.value)
    assert f"bad.toml:{line}: " in told
    assert says in told


def test_the_good_file_is_good():
    parse(GOOD, "good.toml")


def test_the_last_moment_is_not_after_the_end():
    parse(GOOD.replace("at = 5", "at = 3600").replace("until = 20", "until = 10"), "good.toml")


@settings(max_examples=100, deadline=None)
@given(st.scenarios())
def test_what_is_drawn_can_be_kept_as_a_file(scenario):
    assert parse(to_toml(scenario), "drawn.toml") == scenario


def test_what_the_campaign_draws_can_be_kept_as_a_file():
    for run in range(300):
        scenario = swarm.draw("file", run).scenario
        assert parse(to_toml(scenario), "drawn.toml") == scenario


@pytest.mark.parametrize("name", bundled())
def test_a_story_that_was_cut_short_can_be_kept_as_a_file(name):
    session = Session(load(name)[0])
    session.play(3)
    session.leak("2 mm")
    session.play(2)
    session.close()
    story = parse(to_toml(session.story()), "story.toml")
    assert story.duration == 5
    assert story.expect is None


def test_the_names_of_health_are_the_tables():
    (names,) = (a for a in Expect.model_fields["health"].annotation.__args__ if a is not type(None))
    assert list(names.__args__) == [h.name.lower() for h in t.Health]
