"""The truth beside the report: what the ground should know at the end, and which alarms were right."""

import math

from cabinwatch.run.result import truth_at
from cabinwatch.verify.fuzz import margins
from cabinwatch.verify.fuzz.findings import Finding
from cabinwatch.verify.fuzz.reference import Reference, Wrong
from cabinwatch.verify.fuzz.swarm import Plan
from cabinwatch.world.sensors import PLAUSIBLE_cPa
from cabinwatch.world.world import World
from cabinwatch_protocol import table as t


def judge(plan: Plan, world: World, reference: Reference) -> None:
    """Judge the end of a run whose faults ended ``plan.settle_s`` or more before; raises `Wrong`."""
    alarms = [e for e in world.ground.events if e.event is t.Event.ALARM]
    if plan.mode == "quiet" and (alarms or reference.alarms):
        first = (
            f"{alarms[0].text()} at {alarms[0].t_ms / 1000} s" if alarms else "an alarm that the link lost"
        )
        raise Wrong(Finding.FALSE_ALARM, f"{first}; nothing happened to the air")
    if not reference.hk_on:
        return  # switched off by a telecommand, drawn octet by octet: what the ground holds is old by right
    _converged(plan, world, reference)
    if plan.mode == "leak":
        _called(world)


def _converged(plan: Plan, world: World, reference: Reference) -> None:
    hk = world.ground.housekeeping
    hk_s = reference.parameter("hk_period") / 1000
    age_s = (world.now_ms - _reported_ms(world)) / 1000
    if not hk or age_s > hk_s * 1.01 + 1:
        raise Wrong(Finding.STATE, f"the last housekeeping is {age_s} s old, its period {hk_s} s")
    truth_Pa = _truth_Pa(world, _reported_ms(world) / 1000)
    low, high = (world.ground.parameters.get(f"pressure_{end}") for end in ("low", "high"))
    sensor = world.scenario.sensor
    readable = truth_Pa > max(sensor.low, PLAUSIBLE_cPa[0] / 100) * 1.5 and low is None and high is None
    if readable and hk["health"] != t.Health.OK:
        raise Wrong(Finding.STATE, f"the transducer is sound and reported {t.Health(hk['health']).name}")
    given_up = any(title == "TC[20,3]" for title in world.ground.unanswered)
    # A reset whose boot event was lost in a gap of reception looks like the gap: the ground sets nothing then.
    boots = sum(e.event is t.Event.BOOT for e in world.ground.events)
    if (
        not given_up
        and boots == reference.boots
        and any(
            reference.parameters[p.id] != world.ground.parameters.get(p.name, p.default)
            for p in t.MONITOR_PARAMETERS
            if p.name != "loss"  # set and stored by telecommands of the moment
        )
    ):
        raise Wrong(Finding.STATE, "the parameters are not those that the ground set")
    poll_s = reference.parameter("poll_period") / 1000 * 1.02 + 3
    moved_Pa = abs(_truth_Pa(world, max(0.0, _reported_ms(world) / 1000 - poll_s)) - truth_Pa)
    off_Pa = abs(hk["pressure_cPa"] / 100 - truth_Pa)
    if readable and off_Pa > margins.SIGMAS * sensor.noise + sensor.step / 2 + moved_Pa + 0.02:
        raise Wrong(Finding.STATE, f"pressure reported off by {off_Pa:.2f} Pa")
    if hk["alarm"] > t.AlarmClass.EMERGENCY or (hk["alarm"] and not reference.latched):
        raise Wrong(Finding.STATE, f"alarm class {hk['alarm']} reported, {reference.latched} latched")


def _reported_ms(world: World) -> int:
    """When the last housekeeping reached the ground."""
    return world.ground.history[-1][0] if world.ground.history else 0


def _truth_Pa(world: World, t_s: float) -> float:
    return world.station.at(world.compartment, t_s).pressure_Pa


def _called(world: World) -> None:
    hk = world.ground.housekeeping
    truth = truth_at(world)
    rate = truth["rate_Pa_h"] / 3600
    lost_Pa = _truth_Pa(world, 0.0) - truth["pressure_Pa"]
    if -rate < margins.QUICK_Pa_s[0] / 2 or lost_Pa < margins.CALL_FALL_Pa:
        return
    if not hk["alarm"]:
        raise Wrong(
            Finding.MISSED_ALARM, f"a leak of {rate:.2f} Pa/s is not called at {truth['pressure_Pa']:.0f} Pa"
        )
    if (
        hk["alarm"] < t.AlarmClass.WARNING
        and truth["tres_s"] < 0.5 * 86_400
        and hk["alarm_now"] == hk["alarm"]
    ):
        raise Wrong(Finding.CLASS, f"T-reserve is {truth['tres_s']:.0f} s and the class {hk['alarm']}")
    if hk["alarm_now"] and math.isfinite(truth["tres_s"]):
        age_s = (world.now_ms - _reported_ms(world)) / 1000
        most = (truth["tres_s"] + age_s) * margins.TRES_OPTIMISM + margins.TRES_SLACK_S
        if hk["tres_s"] > most:
            raise Wrong(
                Finding.OPTIMISTIC, f"T-reserve reported {hk['tres_s']} s, truly {truth['tres_s']:.0f} s"
            )
