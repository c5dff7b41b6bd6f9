"""Alarms from the monitor to the ground: over an inhibit, across a reset and a dead line, and as a lamp shows them."""

from itertools import groupby, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import worlds
from cabinwatch.kit.session import Session
from cabinwatch.models.node_faults import BrownOut
from cabinwatch.models.scenario import Scenario
from cabinwatch.run.lockstep import LockStepRun
from cabinwatch.run.transcript import Recorder
from cabinwatch.scenario.load import load
from cabinwatch.targets.cpython import CpythonTarget
from cabinwatch.world.world import World
from cabinwatch_firmware import signals
from cabinwatch_protocol import table as t

FIELD = Path(__file__).parent / "field"
PERMIT_Pa = next(p.default for p in t.MONITOR_PARAMETERS if p.name == "permit") / 100


def played(data, seed=1):
    """A world played to its end on the firmware in this process; the world and the node."""
    scenario = Scenario.model_validate({"title": "alarms", **data})
    world, target = World(scenario, seed), CpythonTarget()
    LockStepRun(world, target, Recorder()).run(scenario.duration_ms)
    return world, target.node


def test_a_hole_under_an_inhibit_is_an_emergency_within_three_samples_of_the_permitted_fall():
    world, _ = worlds.run(load(str(FIELD / "alarm-under-inhibit.toml"))[1], 1, "cpython")
    emergency = next(e for e in world.ground.events if e.event is t.Event.ALARM)
    start_Pa = world.station.at(world.compartment, 540).pressure_Pa
    crossed_s = next(
        s
        for s in range(600, 700)
        if start_Pa - world.station.at(world.compartment, s).pressure_Pa > PERMIT_Pa
    )
    assert emergency.severity is t.AlarmClass.EMERGENCY
    assert crossed_s <= emergency.t_ms / 1000 <= crossed_s + 3


@settings(max_examples=40, deadline=None)
@given(
    rate=st.floats(0.5, 400),
    begin=st.integers(100, 300),
    later=st.integers(0, 60),
    seed=st.integers(0, 1000),
)
def test_no_inhibit_is_silent_beyond_what_it_permits(rate, begin, later, seed):
    at = begin + later
    end = at + PERMIT_Pa * 1.5 / rate + 20
    world, _ = played(
        {
            "duration": end,
            "cabin": {
                "compartments": {"cabin": {"volume": 400}},
                "leaks": {"hole": {"size": f"{rate:.4g} Pa/s", "at": at}},
            },
            "telecommands": [{"at": begin, "do": "inhibit", "argument": 7200}],
        },
        seed,
    )
    fallen_Pa = world.station.at("cabin", begin).pressure_Pa - world.station.at("cabin", end - 6).pressure_Pa
    called = [e for e in world.ground.events if e.event is t.Event.ALARM]
    assert fallen_Pa < PERMIT_Pa or any(e.severity is t.AlarmClass.EMERGENCY for e in called)


@pytest.mark.parametrize("power", [False, True], ids=["reset", "brown-out"])
def test_ms09_reset_a_minute_after_its_call_says_so_in_its_first_packet(power):
    session = Session(load("ms09")[0])
    events = session.ground.events
    while not any(e.event is t.Event.ALARM for e in events):
        session.play(10)
    session.play(60)
    (call,) = (e for e in events if e.event is t.Event.ALARM)
    before = len(events)
    if power:
        session.brown_out(BrownOut(kind="brown_out", at=session.now_s))
    else:
        session.reset()
    session.play(1)
    boot = events[before]
    assert boot.event is t.Event.BOOT
    assert (boot.alarm, boot.alarm_cause, boot.occurrence) == (call.severity, call.cause, call.occurrence)
    assert boot.state == t.AlarmState.UNACKNOWLEDGED
    assert f"{call.severity.name.capitalize()} still latched" in boot.text()


def test_after_an_hour_of_dead_line_the_ground_knows_every_move():
    line = {"kind": "drop", "of": "send", "rate": 1.0, "at": 100, "until": 3700}
    world, node = played(
        {
            "duration": 3800,
            "parameters": {"off_delay": 60},
            "cabin": {
                "compartments": {"cabin": {"volume": 400}},
                "leaks": {"hole": {"size": "20 Pa/s", "at": 90}},
                "actions": [{"at": 160, "patch": "hole"}],
            },
            "link": {"faults": [line]},
        }
    )
    again = (t.Event.ALARM_REMINDER, t.Event.SENSOR_REMINDER, t.Event.LINK_NOISE)
    numbers = [e.number for e in world.ground.events if e.event not in again]
    assert sorted(numbers) == list(range(node.events)), "each event once"
    late = [e.event for e in world.ground.events if e.late_ms]
    assert late.count(t.Event.SENSOR_LOST) == 2, "Caution, then Warning"


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 0.5), st.integers(0, 40))
def test_no_alarm_is_acknowledged_whose_event_the_ground_has_not(seed, loss, after):
    """Over loss, delay and reordering: an acknowledgement meant for the first class never takes the next."""
    world, node = played(
        {
            "duration": 400,
            "parameters": {"step": 20_000},
            "cabin": {
                "compartments": {"cabin": {"volume": 400}},
                "leaks": {"hole": {"size": "6 Pa/s", "at": 100, "profile": [{"at": 140, "to": 10}]}},
            },
            "link": {
                "faults": [
                    {"kind": "drop", "of": "send", "rate": loss, "at": 100},
                    {"kind": "delay", "most_ms": 4000, "keep_order": False, "at": 100},
                ]
            },
            "telecommands": [{"at": 110 + after, "do": "acknowledge"}],
        },
        seed,
    )
    heard = {e.occurrence for e in world.ground.events if e.event is t.Event.ALARM}
    if node.cabin.state == t.AlarmState.ACKNOWLEDGED:
        assert node.cabin.occurrence in heard


# -- lamp and buzzer


def recorded(shown, start_beat):
    """Five seconds of the lamp's pin, from anywhere in the cycle."""
    beats = round(5000 / signals.BEAT_MS)
    return [signals.lit(shown, (start_beat + i) % signals.BEATS) for i in range(beats)]


def read_off(pin):
    """The pattern that a recording shows: 1 to 5, 8 more where it is dark on light. Knows nothing of how it is made."""
    acknowledged = sum(pin) * 2 > len(pin)
    runs = [(level, len(list(run))) for level, run in groupby(pin)]
    pulses = [n for level, n in runs if level != acknowledged]
    if max(pulses) > 4:
        return 5 + 8 * acknowledged
    # A cycle is what lies between two long pauses; cut in two by the ends of the recording it is put together.
    cycle = [level != acknowledged for level in pin[: signals.BEATS]]
    cycle = cycle + cycle
    rises = sum(1 for a, b in pairwise(cycle) if b and not a)
    count = (rises + cycle[0] * (not cycle[-1])) // 2
    return (4 if count > 4 else count) + 8 * acknowledged


@pytest.mark.parametrize("start", range(signals.BEATS))
@pytest.mark.parametrize("shown", [1, 2, 3, 4, 5, 9, 10, 11, 12, 13])
def test_five_seconds_of_the_pin_tell_the_class(shown, start):
    assert read_off(recorded(shown, start)) == shown
