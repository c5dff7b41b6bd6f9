"""The judges of a run's end, each shown a monitor that is right and one that is wrong in the way it is for.

The monitor's part is written by hand here, so that what is tested is the judge and nothing else.
"""

from typing import Any

import pytest

from cabinwatch.models.scenario import Scenario
from cabinwatch.models.sensors import SensorModel
from cabinwatch.targets.cpython import CpythonTarget
from cabinwatch.verify.fuzz.campaign import campaign
from cabinwatch.verify.fuzz.findings import Finding
from cabinwatch.verify.fuzz.reference import Reference
from cabinwatch.verify.fuzz.run import play
from cabinwatch.verify.fuzz.swarm import Plan, mode_of
from cabinwatch.verify.fuzz.truth import Played, Standing, Stands, healed_s, judge
from cabinwatch.world.world import World
from cabinwatch_protocol import table as t
from cabinwatch_protocol.alarms import Point

EMERGENCY, WARNING, CAUTION = t.AlarmClass.EMERGENCY, t.AlarmClass.WARNING, t.AlarmClass.CAUTION
ROOM: dict[str, Any] = {"compartments": {"cabin": {"volume": "5 m3"}}}


def scenario(cabin: dict[str, Any] | None = None, **tables: Any) -> Scenario:
    """Ten minutes of a small cabin."""
    data = {"title": "a world", "duration": "10min", "cabin": ROOM | (cabin or {}), **tables}
    return Scenario.model_validate(data)


def leak(size: str, at: str | float = "5min", **cabin: Any) -> Scenario:
    """... with a leak in it."""
    return scenario({"leaks": {"hole": {"size": size, "at": at}}, **cabin})


def found(
    model: Scenario,
    mode: str = "leak",
    alarms: dict[float, int] | None = None,
    booted: float = 0,
    reported: float | None = None,
    **told: int,
) -> tuple[Finding | None, list[str]]:
    """What the judges say of a monitor that latched ``alarms`` (class by time in s) and last reported ``told``.

    It booted again at ``booted`` s, and reported at ``reported`` s, or at the end.
    """
    world = World(model, 1)
    world.advance(model.duration_ms)
    alarms = alarms or {}
    reference = Reference()
    reference.parameters = [model.parameters.get(p.name, p.default) for p in t.MONITOR_PARAMETERS]
    world.ground.parameters = dict(model.parameters)
    reference.hk_on, reference.cabin.latched = True, next(reversed(alarms.values()), 0)
    truth_cPa = round(world.station.at(world.compartment, model.duration).pressure_Pa * 100)
    report = {
        "alarm": reference.latched, "alarm_now": reference.latched, "health": t.Health.OK, "pressure_cPa": truth_cPa,
        "temperature_cK": 29500, "rate_cPa_h": -1, "sigma_cPa_h": 0, "tres_s": 0,
    } | told  # fmt: skip
    world.ground.housekeeping = report
    world.ground.history.append((world.now_ms if reported is None else round(reported * 1000), report))
    times_ms = [round(at * 1000) for at in alarms]
    latched = list(zip(times_ms, alarms.values(), strict=True))
    blind = [Standing(0, Stands(1, False, True, STUCK_SAMPLES))]
    if booted:
        blind.append(Standing(round(booted * 1000), Stands(2, False, True, STUCK_SAMPLES)))
    wrong, not_judged = judge(Played(mode, world, reference, times_ms, latched, blind))
    return (wrong.kind if wrong else None), not_judged


def judged(
    model: Scenario, standings: list[Standing], alarms: dict[float, int] | None = None, **moves: list[int]
) -> Finding | None:
    """What the judges say of a monitor on which that stood, and whose alarms moved at those ms."""
    world = World(model, 1)
    world.advance(model.duration_ms)
    reference = Reference()
    reference.parameters = [model.parameters.get(p.name, p.default) for p in t.MONITOR_PARAMETERS]
    reference.hk_on = False
    reference.cabin.latched = max((alarms or {}).values(), default=0)
    reference.moves = [(ms, point) for point in Point for ms in moves.get(point.name.lower(), [])]
    latched = [(round(at * 1000), level) for at, level in (alarms or {}).items()]
    wrong, _ = judge(Played("story", world, reference, [], latched, standings))
    return wrong.kind if wrong else None


STUCK_SAMPLES = t.by_name(t.MONITOR_PARAMETERS)["stuck_samples"].default
BOOTED = Standing(0, Stands(1, False, False, STUCK_SAMPLES))


def test_an_alarm_that_comes_and_goes_is_chatter() -> None:
    flaps = [30_000 * i for i in range(20)]
    for point in ("cabin", "blind"):
        assert judged(scenario(), [BOOTED], **{point: flaps}) is Finding.CHATTER
        assert judged(scenario(), [BOOTED], **{point: flaps[:3]}) is None
        assert judged(scenario(parameters={"off_delay": 20}), [BOOTED], **{point: flaps}) is None


def test_air_that_falls_below_the_reserve_and_comes_back_was_hidden_all_the_same() -> None:
    refilled = scenario(
        {
            "leaks": {"hole": {"size": "2 kPa/s", "at": 60}},
            "actions": [{"at": 100, "patch": "hole"}],
            "flows": {"air": {"kind": "repress", "rise": 80_000, "over": 60, "gas": "air", "at": 200}},
        }
    )
    assert judged(refilled, [BOOTED]) is Finding.HIDDEN
    assert judged(refilled, [BOOTED], {75.0: WARNING, 300.0: EMERGENCY}) is Finding.HIDDEN
    assert judged(refilled, [BOOTED], {75.0: EMERGENCY}) is None
    ends_above = refilled.model_copy(update={"sensor": SensorModel(low=70_000)})
    assert judged(ends_above, [BOOTED], {75.0: WARNING}) is None


def test_a_fall_beyond_what_an_inhibit_permits_may_not_stay_hidden() -> None:
    inhibited = Standing(280_000, Stands(1, True, False, STUCK_SAMPLES))
    assert judged(leak("20 Pa/s"), [BOOTED, inhibited]) is Finding.HIDDEN
    assert judged(leak("20 Pa/s"), [BOOTED, inhibited], {333.0: EMERGENCY}) is None
    assert judged(leak("1 Pa/s"), [BOOTED, inhibited]) is None, "within what it permits"


def test_a_transducer_that_stays_silent_may_not_stay_untold() -> None:
    silent = scenario(sensor={"faults": [{"kind": "silent", "at": 100, "until": 400}]})
    told = Standing(111_000, Stands(1, False, True, STUCK_SAMPLES))
    assert judged(silent, [BOOTED]) is Finding.HIDDEN
    assert judged(silent, [BOOTED, told]) is None
    assert (
        judged(silent, [BOOTED, told, Standing(300_000, Stands(1, False, False, STUCK_SAMPLES))])
        is Finding.HIDDEN
    )
    rebooted = Standing(395_000, Stands(2, False, False, STUCK_SAMPLES))
    assert judged(silent, [BOOTED, told, rebooted]) is None, "it counts anew after a reset"


BURST, VACUUM, QUICK = leak("100 mmHg/s"), leak("7600 mmHg/s"), leak("20 Pa/s")


@pytest.mark.parametrize("model", [BURST, VACUUM], ids=["burst", "within one sample"])
def test_an_emptied_cabin_must_have_been_called_within_a_few_samples(model: Scenario) -> None:
    assert found(model)[0] is Finding.MISSED_ALARM
    assert found(model, alarms={310.0: EMERGENCY})[0] is Finding.LATE_ALARM
    assert found(model, alarms={303.0: EMERGENCY})[0] is None
    assert found(model, alarms={303.0: CAUTION})[0] is Finding.CLASS


def test_a_quick_leak_must_have_been_called_before_it_has_cost_too_much() -> None:
    """3000 Pa at 20 Pa/s are lost 152 s after it began, and twelve polls are 18 s."""
    assert found(QUICK)[0] is Finding.MISSED_ALARM
    assert found(QUICK, alarms={480.0: EMERGENCY})[0] is Finding.LATE_ALARM
    assert found(QUICK, alarms={465.0: EMERGENCY}, tres_s=1)[0] is None


def test_an_alarm_that_a_loss_of_power_took_with_it_is_not_late() -> None:
    assert found(QUICK, alarms={480.0: EMERGENCY})[0] is Finding.LATE_ALARM
    kind, reasons = found(QUICK, alarms={480.0: EMERGENCY}, booted=460)
    assert kind is not Finding.LATE_ALARM
    assert any("power was lost" in reason for reason in reasons)


@pytest.mark.parametrize("wander", [{}, {"wander": {}}], ids=["still", "wandering"])
def test_an_alarm_before_the_air_is_touched_is_false_whatever_comes_later(wander: dict[str, Any]) -> None:
    model = leak("20 Pa/s", **wander)
    assert found(model, alarms={299.0: EMERGENCY}, tres_s=1)[0] is Finding.FALSE_ALARM
    assert found(model, alarms={340.0: EMERGENCY}, tres_s=1)[0] is None
    assert found(model, "story", alarms={299.0: EMERGENCY})[0] is Finding.FALSE_ALARM
    assert found(scenario(wander), "quiet", alarms={100.0: t.AlarmClass.ADVISORY})[0] is Finding.FALSE_ALARM


def test_a_front_that_falls_may_be_called_and_one_that_rises_may_not() -> None:
    for size, kind in ((-2000, None), (2000, Finding.FALSE_ALARM)):
        front = scenario({"weather": {"front": {"kind": "ramp", "size": size, "at": 60}}})
        assert found(front, "story", alarms={100.0: EMERGENCY})[0] is kind
        assert found(front, "story", alarms={50.0: EMERGENCY})[0] is Finding.FALSE_ALARM


def test_an_alarm_is_not_judged_where_wild_readings_are_all_that_is_believed() -> None:
    wild = {"faults": [{"kind": "wild", "at": 50, "rate": 0.02}]}
    above = {"pressure_high": 10_132_500}
    alarm = {100.0: EMERGENCY}
    kind, reasons = found(scenario(sensor=wild, parameters=above), "quiet", alarms=alarm)
    assert kind is None
    assert any("wild readings" in reason for reason in reasons)
    assert found(scenario(parameters=above), "quiet", alarms=alarm)[0] is Finding.FALSE_ALARM
    assert found(scenario(sensor=wild), "quiet", alarms=alarm)[0] is Finding.FALSE_ALARM
    assert (
        found(scenario(sensor=wild, parameters=above), "quiet", alarms={40.0: EMERGENCY})[0]
        is Finding.FALSE_ALARM
    )


def test_air_below_the_reserve_is_an_emergency_from_the_start() -> None:
    low = Scenario.model_validate(
        {
            "title": "low",
            "duration": "10min",
            "cabin": {"compartments": {"cabin": {"volume": 80, "pressure": "55 kPa"}}},
        }
    )
    for mode in ("quiet", "leak"):
        assert found(low, mode)[0] is Finding.MISSED_ALARM
        assert found(low, mode, alarms={3.0: WARNING})[0] is Finding.CLASS
        assert found(low, mode, alarms={3.0: EMERGENCY})[0] is None


@pytest.mark.parametrize("wander", [{}, {"wander": {}}], ids=["still", "wandering"])
def test_t_reserve_is_judged_in_white_noise_and_in_the_wander(wander: dict[str, Any]) -> None:
    """A hole that loses 20 Pa/s leaves 29 min; a deviation that the monitor owns to may make it longer."""
    model, called = leak("20 Pa/s", **wander), {340.0: EMERGENCY}
    told = {"alarms": called, "rate_cPa_h": -5_000_000}
    assert found(model, **told, tres_s=1700)[0] is None
    assert found(model, **told, tres_s=3000)[0] is Finding.OPTIMISTIC
    assert found(model, **told, tres_s=t.T_CAP)[0] is Finding.OPTIMISTIC
    assert found(model, **told, tres_s=3000, sigma_cPa_h=1_500_000)[0] is None


BLIND_FAULTS: dict[str, tuple[dict[str, Any], t.Health]] = {
    "silent": ({"kind": "silent"}, t.Health.SILENT),
    "broken": ({"kind": "broken"}, t.Health.FAULT),
    "stuck": ({"kind": "stuck"}, t.Health.STUCK),
    "clock stands": ({"kind": "clock_stopped"}, t.Health.TIME),
    "clock runs slow": ({"kind": "clock_factor", "factor": 0.4}, t.Health.TIME),
}


@pytest.mark.parametrize("fault", BLIND_FAULTS)
def test_a_monitor_without_new_readings_may_not_say_that_it_is_well(fault: str) -> None:
    fields, health = BLIND_FAULTS[fault]
    model = scenario(sensor={"faults": [fields | {"at": "1min"}]})
    assert found(model, "quiet")[0] is Finding.BLIND
    assert found(model, "quiet", health=health)[0] is None


def test_stamps_that_stand_are_told_so_long_after_the_instrument_answers_again() -> None:
    for until, kind in ((595, None), (400, Finding.BLIND)):
        faults = [{"kind": "clock_stopped", "at": 300}, {"kind": "broken", "at": 60, "until": until}]
        assert found(scenario(sensor={"faults": faults}), "quiet", health=t.Health.OK)[0] is kind


def test_blindness_is_not_judged_where_wild_readings_are_all_that_is_believed() -> None:
    clock, wild = {"kind": "clock_factor", "factor": 10, "at": 60}, {"kind": "wild", "at": 60, "rate": 0.02}
    above = {"pressure_low": 10_632_500}
    kind, reasons = found(scenario(sensor={"faults": [clock, wild]}, parameters=above), "quiet")
    assert kind is None
    assert any("did not believe" in reason for reason in reasons)
    assert found(scenario(sensor={"faults": [clock]}, parameters=above), "quiet")[0] is Finding.BLIND
    assert found(scenario(sensor={"faults": [clock, wild]}), "quiet")[0] is Finding.BLIND


def test_blindness_is_not_judged_where_the_air_lies_at_a_limit() -> None:
    clock = {"kind": "clock_factor", "factor": 10, "at": 60}
    for limit_cPa, kind in ((10_132_500, None), (10_232_500, Finding.BLIND)):
        model = scenario(sensor={"faults": [clock], "step": 53.0}, parameters={"pressure_high": limit_cPa})
        assert found(model, "quiet")[0] is kind


def test_a_clock_that_is_nearly_right_blinds_nobody() -> None:
    model = scenario(sensor={"faults": [{"kind": "clock_factor", "factor": 0.6, "at": "1min"}]})
    assert found(model, "quiet")[0] is None


def test_who_lost_power_near_the_end_has_no_recent_report_by_right() -> None:
    assert found(scenario(), "quiet", reported=585)[0] is Finding.STATE
    assert found(scenario(), "quiet", booted=500, reported=585)[0] is Finding.STATE
    kind, reasons = found(scenario(), "quiet", booted=575, reported=574)
    assert kind is None
    assert any("power was lost" in reason for reason in reasons)


def test_gas_that_a_burst_has_cooled_below_what_is_plausible_has_no_sound_reading() -> None:
    for process, kind in (("adiabatic", None), ("held", Finding.STATE)):
        model = leak("4 kPa/s", 500, compartments={"cabin": {"volume": "5 m3", "process": process}})
        model = model.model_copy(update={"sensor": SensorModel(low=0), "parameters": {"reserve": 1_000_000}})
        told = {"alarm": EMERGENCY, "health": t.Health.IMPLAUSIBLE}
        assert found(model, alarms={502.0: EMERGENCY}, **told)[0] is kind


def test_an_alarm_that_has_ended_since_the_last_report_was_rightly_told() -> None:
    leaking = leak("1 mm", at="5 s")
    for ended, kind in ((597.0, None), (560.0, Finding.STATE)):
        alarms = {10.0: EMERGENCY, ended: 0}
        assert found(leaking, "story", alarms=alarms, reported=595, alarm=EMERGENCY)[0] is kind


def test_what_cannot_be_judged_is_said() -> None:
    _, not_judged = found(leak("20 Pa/s"), "story", alarms={340.0: EMERGENCY})
    assert "first call: the air does more than leak" in not_judged
    unwatched = scenario(
        sensor={"faults": [{"kind": "stuck", "at": "1min"}]}, parameters={"stuck_samples": 0}
    )
    kind, not_judged = found(unwatched, "quiet")
    assert kind is None
    assert any(reason.startswith("blind: `stuck_samples` is 0") for reason in not_judged)
    assert "state: a fault lasts to the end" in not_judged
    assert found(scenario(), "quiet") == (None, [])


def test_faults_and_commands_end_when_the_last_of_them_does() -> None:
    assert healed_s(scenario()) == 0
    assert healed_s(scenario(link={"faults": [{"kind": "flip", "rate": 0.1, "until": 40}]})) == 40
    assert healed_s(scenario(link={"faults": [{"kind": "flip", "rate": 0.1}]})) == float("inf")
    assert healed_s(scenario(device={"faults": [{"kind": "reset", "at": 50, "down_ms": 300}]})) == 50.3
    assert healed_s(scenario(telecommands=[{"at": 10, "do": "inhibit", "argument": 600}])) == 610
    assert healed_s(scenario(telecommands=[{"at": 10, "do": "inhibit", "argument": 7201}])) == 10
    assert healed_s(scenario(raw=[{"at": 10, "times": 3, "gap_ms": 4000}])) == 22


def test_what_the_air_does_is_read_from_the_file() -> None:
    assert mode_of(scenario()) == "quiet"
    assert mode_of(scenario({"wander": {}})) == "quiet"
    assert mode_of(BURST) == "leak"
    assert mode_of(leak("1 mm", crew={"all": {"count": 3}})) == "story"
    assert mode_of(scenario(sensor={"faults": [{"kind": "bias", "size": -2000}]})) == "story"


def test_the_counts_of_a_campaign_say_what_was_not_judged() -> None:
    model = scenario(sensor={"faults": [{"kind": "silent", "at": "1min"}]})
    tally, _ = campaign(iter([play(Plan(model, 1, "quiet", 0.0, {}), CpythonTarget)] * 2))
    unasked = {f"{judge}: a fault lasts to the end": 2 for judge in ("hidden", "state")}
    assert tally.as_json(1.0)["not_judged"] == unasked
    assert not tally.exit_code
