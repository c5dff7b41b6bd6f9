"""The truth beside the report: which alarms were right and in time, what the ground should know at the end.

Each judge looks at one thing. It returns where all is right or nothing is claimed, raises `Wrong`, or raises
`NotJudged` with the reason why it cannot tell. The reasons are counted and printed with the campaign, so that nobody
takes a judge that looked away for one that saw nothing.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from cabinwatch.models.fields import Window
from cabinwatch.models.scenario import Scenario
from cabinwatch.models.sensors import SensorFault, SensorModel
from cabinwatch.run.result import truth_at
from cabinwatch.verify.fuzz import margins
from cabinwatch.verify.fuzz.findings import Finding
from cabinwatch.verify.fuzz.reference import Reference, Wrong
from cabinwatch.world.sensors import PLAUSIBLE_cPa
from cabinwatch.world.world import World
from cabinwatch_protocol import table as t
from cabinwatch_protocol.alarms import Point

STEP_cPa = next(p.default for p in t.MONITOR_PARAMETERS if p.name == "step")


class NotJudged(Exception):
    """A judge cannot tell right from wrong in this run; the message is the reason."""


class Stands(NamedTuple):
    """What stands besides the class.

    Blindness is told where its alarm is latched, and where the transducer is out of service; ``stuck_samples`` is the
    parameter that the node goes by.
    """

    boots: int
    inhibited: bool
    blind: bool
    stuck_samples: int


@dataclass(frozen=True)
class Standing:
    """From ``ms`` of the world's time on."""

    ms: int
    stands: Stands


@dataclass
class Played:
    """A run that has been played to its end; ``mode`` is what its air does, ``latched`` when its alarm changed."""

    mode: str
    world: World
    reference: Reference
    alarms_ms: list[int]
    """World time of each alarm."""
    latched: list[tuple[int, int]]
    """World time and class of each change of the latched alarm."""
    standings: list[Standing]
    """What stood from when on, besides."""

    @property
    def end_s(self) -> float:
        """When it ended."""
        return self.world.now_ms / 1000

    @property
    def poll_s(self) -> float:
        """The longest time between two samples on a sound line: the period, a clock 1 % off, an answer's time."""
        return self.reference.parameter("poll_period") / 1000 * 1.02 + 0.5

    @property
    def calm_s(self) -> float:
        """From when on nothing is wrong with line, node or instrument, and the ground has set what it sets at boot."""
        healed = healed_s(self.world.scenario)
        return healed + margins.CONVERGE_S if healed else 0.0

    @property
    def unsure_Pa(self) -> float:
        """By how much a reading of the gauge may lie off: its noise, and a step."""
        sensor = self.world.scenario.sensor
        return margins.SIGMAS * sensor.noise + sensor.step

    def pressure_Pa(self, t_s: float) -> float:
        """The truth where the transducer sits."""
        return self.world.station.at(self.world.compartment, t_s).pressure_Pa

    def temperature_K(self, t_s: float) -> float:
        """... and of the gas there."""
        return self.world.station.at(self.world.compartment, t_s).temperature_K

    def standing_at(self, t_s: float) -> Standing:
        """What stood at that time."""
        return next(s for s in reversed(self.standings) if s.ms <= t_s * 1000)

    def stood_since_s(self, t_s: float) -> float:
        """Since when all but ``stuck_samples`` has stood as it does at that time."""
        now = self.standing_at(t_s)
        since = now
        for earlier in reversed([s for s in self.standings if s.ms <= now.ms]):
            if earlier.stands[:3] != now.stands[:3]:
                break
            since = earlier
        return since.ms / 1000

    def booted_s(self, t_s: float) -> float:
        """When the monitor last booted before that time."""
        boots = self.standing_at(t_s).stands.boots
        return next(s.ms / 1000 for s in self.standings if s.stands.boots == boots)

    def rebooted_since(self, begin_s: float, at_s: float) -> bool:
        """Whether the monitor booted between two times, beyond its first boot."""
        return self.standing_at(at_s).stands.boots > 1 and self.booted_s(at_s) > begin_s

    def watched_since(self, begin_s: float, at_s: float) -> bool:
        """Whether the monitor did not boot between two times, and went by the ``stuck_samples`` of the run's end."""
        then, now = self.standing_at(begin_s).stands, self.standing_at(at_s).stands
        stuck_samples = self.reference.parameter("stuck_samples")
        return then.boots == now.boots and then.stuck_samples == now.stuck_samples == stuck_samples

    def latched_at(self, t_s: float) -> int:
        """The class latched at that time."""
        return next((level for ms, level in reversed(self.latched) if ms <= t_s * 1000), 0)


def judge(run: Played) -> tuple[Wrong | None, list[str]]:
    """Ask every judge: the first thing that is wrong, and what was not judged, with the reasons."""
    found: Wrong | None = None
    not_judged = []
    for name, judge_one in JUDGES.items():
        try:
            judge_one(run)
        except Wrong as wrong:
            found = found or wrong
        except NotJudged as why:
            not_judged.append(f"{name}: {why}")
    return found, not_judged


def healed_s(scenario: Scenario, instruments: bool = True) -> float:
    """When the last fault is over and the last command done: infinite where one lasts for good, 0 with none.

    Those of the transducer count only where ``instruments`` do.
    """
    ends = [sound_s(scenario, instruments)]
    for command in scenario.telecommands:
        seconds = (command.argument or 0) % (1 << t.INHIBIT_CLASS_SHIFT) if command.do == "inhibit" else 0
        ends.append(command.at + (seconds if seconds <= t.INHIBIT_MAX_S else 0))
    for raw in scenario.raw:
        ends.append(raw.at + raw.times * raw.gap_ms / 1000)
    return max(ends)


def sound_s(scenario: Scenario, instruments: bool = True) -> float:
    """When the last fault is over, whatever is commanded then."""
    ends = [0.0, *scenario.resets]
    windows = scenario.sensor.faults if instruments else []
    for fault in (*scenario.link.faults, *windows, *scenario.device.faults):
        if isinstance(fault, Window):
            ends.append(math.inf if fault.until is None else fault.until)
        else:
            ends.append(fault.at + getattr(fault, "down_ms", 0) / 1000)
    return max(ends)


# -- alarms


def _false_alarm(run: Played) -> None:
    """No alarm comes before anything has happened to the air, wherever its pressure is above the levels."""
    for at_ms in run.alarms_ms:
        at_s = at_ms / 1000
        if run.reference.parameter("step") < STEP_cPa and run.mode == "story":
            raise NotJudged("the ground has set `step` so low that an instrument's own steps may exceed it")
        level_cPa = max(run.reference.parameter(name) for name in ("reserve", "level_warning"))
        if run.pressure_Pa(at_s) * 100 <= level_cPa:
            continue
        if _only_wild_readings_are_plausible(run, at_s):
            raise NotJudged(
                "the air lies beyond `pressure_low` or `pressure_high`, and wild readings between"
            )
        if run.mode == "quiet" or _untouched(run.world, at_s):
            raise Wrong(Finding.FALSE_ALARM, f"an alarm at {at_s} s; nothing had happened to the air by then")
        if run.mode == "story":
            raise NotJudged("what happened to the air may have justified it")


def _only_wild_readings_are_plausible(run: Played, t_s: float) -> bool:
    """Whether the ground has set limits that the air itself is beyond, with noise, while an instrument is wild."""
    sensor, parameter = run.world.scenario.sensor, run.reference.parameter
    low_Pa, high_Pa = (parameter(name) / 100 for name in ("pressure_low", "pressure_high"))
    within = low_Pa + run.unsure_Pa < run.pressure_Pa(t_s) < high_Pa - run.unsure_Pa
    return not within and any(fault.kind == "wild" and fault.active(t_s) for fault in sensor.faults)


def _few_readings_are_plausible(run: Played, t_s: float) -> bool:
    """Whether the air lies within a reading's error of a limit: SEN-03 and SEN-14 count the plausible ones only."""
    limits_Pa = (run.reference.parameter(name) / 100 for name in ("pressure_low", "pressure_high"))
    return any(abs(run.pressure_Pa(t_s) - limit_Pa) <= run.unsure_Pa for limit_Pa in limits_Pa)


def _untouched(world: World, t_s: float) -> bool:
    """Whether no gas has come or gone, and none has warmed or cooled, from the start to t_s: wander is neither.

    A front that takes the pressure down is what a leak would be, and may be called before it is known as slow.
    """
    cabin = world.scenario.cabin
    if cabin.record or any(w.kind == "ramp" and w.size < 0 and w.at < t_s for w in cabin.weather.values()):
        return False
    if cabin.compartments.keys() != set(world.station.compartments):
        return False

    def state(at_s: float) -> tuple[float, float]:
        place = world.compartment
        return world.station.mass_kg(at_s, place), world.station.at(place, at_s).temperature_K

    mass_kg, temperature_K = state(0.0)
    for part in range(1, 33):
        mass, temperature = state(t_s * part / 32)
        if not (math.isclose(mass, mass_kg, rel_tol=1e-9) and math.isclose(temperature, temperature_K)):
            return False
    return True


def _first_call(run: Played) -> None:
    """A quick leak is called before it has cost too much air, and air that goes in a few samples within a few more."""
    if run.mode == "quiet":
        return
    if run.mode == "story":
        raise NotJudged("the air does more than leak")
    begin = run.calm_s
    if begin >= run.end_s:
        raise NotJudged("a fault lasts to the end")
    fall_Pa = max(margins.CALL_FALL_Pa, margins.CALL_STEPS * run.reference.parameter("step") / 100)
    fall_Pa += margins.CALL_STAIRS * run.world.scenario.sensor.step
    before_Pa = run.pressure_Pa(begin)

    def too_low(at_s: float) -> bool:
        return before_Pa - run.pressure_Pa(at_s) >= fall_Pa

    def too_fast(at_s: float) -> bool:
        earlier_Pa = run.pressure_Pa(max(begin, at_s - margins.BURST_WITHIN * run.poll_s))
        return earlier_Pa - run.pressure_Pa(at_s) >= fall_Pa

    cost_s = _first(too_low, begin, run.end_s)
    if math.isinf(cost_s):
        raise NotJudged("the leak costs too little air to be owed a call")
    due_s = cost_s + margins.CALL_POLLS * run.poll_s
    if too_fast(cost_s):
        due_s = cost_s + margins.BURST_POLLS * run.poll_s
    elif fall_Pa / (cost_s - _began(run, begin, cost_s)) < margins.QUICK_Pa_s[0] / 2:
        raise NotJudged("a leak this slow is the report card's business")
    if due_s > run.end_s:
        raise NotJudged("the run ends before the call is due")
    if run.rebooted_since(begin, due_s):
        raise NotJudged("power was lost meanwhile, at a write that a brown-out had waited for")
    if not run.latched_at(due_s):
        late = next((ms / 1000 for ms, level in run.latched if ms > due_s * 1000 and level), None)
        told = f"{fall_Pa:.0f} Pa were lost by {cost_s:.1f} s, and by {due_s:.1f} s no alarm had come"
        if late is None:
            raise Wrong(Finding.MISSED_ALARM, f"{told}, nor later")
        raise Wrong(Finding.LATE_ALARM, f"{told}; it came at {late:.1f} s")


def _began(run: Played, begin_s: float, end_s: float) -> float:
    """When the pressure began to fall between two times."""
    before_Pa = run.pressure_Pa(begin_s)
    return max(begin_s, _first(lambda at: before_Pa - run.pressure_Pa(at) >= 1.0, begin_s, end_s) - 1.0)


def _first(reached: Callable[[float], bool], low_s: float, high_s: float) -> float:
    """The first time at which something that stays true is so, to a hundredth of a second; infinite where never."""
    if not reached(high_s):
        return math.inf
    while high_s - low_s > 0.01:
        middle = (low_s + high_s) / 2
        low_s, high_s = (low_s, middle) if reached(middle) else (middle, high_s)
    return high_s


def _level(run: Played) -> None:
    """Air that stays below the reserve is an Emergency, however it came to be so and whatever the gauge's range."""
    reserve_Pa = run.reference.parameter("reserve") / 100
    sensor = run.world.scenario.sensor
    low_Pa = reserve_Pa - run.unsure_Pa
    if run.pressure_Pa(run.end_s) > low_Pa:
        return
    if sensor.low > reserve_Pa:
        raise NotJudged("the gauge ends above the reserve")
    if run.calm_s >= run.end_s:
        raise NotJudged("a fault lasts to the end")
    since_s = max(run.calm_s, run.end_s - margins.LEVEL_POLLS * run.poll_s)
    stays = all(run.pressure_Pa(since_s + (run.end_s - since_s) * part / 16) <= low_Pa for part in range(17))
    if not stays or run.end_s - since_s < margins.LEVEL_POLLS * run.poll_s - 0.001:
        raise NotJudged("it has not been below the reserve for long enough")
    if not run.reference.latched:
        raise Wrong(
            Finding.MISSED_ALARM, f"{run.pressure_Pa(run.end_s):.0f} Pa, below the reserve, and no alarm"
        )
    if run.reference.latched < t.AlarmClass.EMERGENCY:
        raise Wrong(Finding.CLASS, f"below the reserve, and the class is {run.reference.latched}")


def _reserve(run: Played) -> None:
    """An alarm that stands has the class that T-reserve justifies, and tells of no longer T-reserve than there is.

    In white noise, in the wander and on a coarse gauge alike: it may be off by what the reported deviation explains.
    """
    hk = _housekeeping(run)
    if not hk["alarm_now"]:
        return
    if run.mode == "story":
        raise NotJudged("the air does more than leak")
    if any(_clock_is_wrong(f) and f.active(run.end_s) for f in run.world.scenario.sensor.faults):
        raise NotJudged("the transducer's clock is wrong to the end")
    if hk["health"] != t.Health.OK:
        raise NotJudged("the monitor says that it is blind")
    truth = truth_at(run.world)
    if (
        hk["alarm"] < t.AlarmClass.WARNING
        and truth["tres_s"] < run.reference.parameter("warning") / 2
        and hk["alarm_now"] == hk["alarm"]
    ):
        raise Wrong(Finding.CLASS, f"T-reserve is {truth['tres_s']:.0f} s and the class {hk['alarm']}")
    if not math.isfinite(truth["tres_s"]):
        return
    uncertain = margins.RATE_SIGMAS * hk["sigma_cPa_h"] / abs(hk["rate_cPa_h"]) if hk["rate_cPa_h"] else 0.0
    true_s = truth["tres_s"] + run.end_s - reported_s(run.world)
    if hk["tres_s"] > true_s * max(margins.TRES_OPTIMISM, 1 + uncertain) + margins.TRES_SLACK_S:
        raise Wrong(Finding.OPTIMISTIC, f"T-reserve reported {hk['tres_s']} s, truly {truth['tres_s']:.0f} s")


# -- chatter, and what is hidden


def _chatter(run: Played) -> None:
    """No alarm comes and goes more often than its off-delay allows, however its cause flutters."""
    if any(_clock_is_wrong(fault) for fault in run.world.scenario.sensor.faults):
        raise NotJudged("the off-delay is counted by a clock that is wrong")
    reference, span_ms = run.reference, margins.CHATTER_S * 1000
    delays = margins.CHATTER_S // max(1, reference.parameter("off_delay"))
    for point in Point:
        times_ms = [ms for ms, moved in reference.moves if moved is point]
        for begin_ms in times_ms:
            within = sum(begin_ms <= ms < begin_ms + span_ms for ms in times_ms)
            stirred = sum(begin_ms - span_ms <= ms < begin_ms + span_ms for ms in reference.stirred_ms)
            if within > margins.CHATTER_MOVES * (1 + delays + stirred):
                told = f"the {point.name.lower()} alarm moved {within} times in ten minutes"
                raise Wrong(Finding.CHATTER, f"{told} from {begin_ms / 1000} s of the node's time")


def _hidden(run: Played) -> None:
    """An Emergency is out whenever air is below the reserve or falls further than an inhibit permits.

    The reserve is not asked for of a gauge that ends above it.
    """
    sensor, parameter = run.world.scenario.sensor, run.reference.parameter
    begin_s = sound_s(run.world.scenario) + margins.CONVERGE_S
    if begin_s >= run.end_s:
        raise NotJudged("a fault lasts to the end")
    unsure_Pa = run.unsure_Pa
    low_Pa = parameter("reserve") / 100 - unsure_Pa
    shows = sensor.low * 100 <= parameter("reserve")
    least_Pa = max(sensor.low, parameter("pressure_low") / 100) + unsure_Pa
    for look in range(1, margins.LOOKS + 1):
        at_s = begin_s + (run.end_s - begin_s) * look / margins.LOOKS
        latched, inhibited = run.latched_at(at_s), run.standing_at(at_s).stands.inhibited
        if latched == t.AlarmClass.EMERGENCY:
            continue
        if shows and _stays_below(run, low_Pa, max(begin_s, at_s - margins.LEVEL_POLLS * run.poll_s), at_s):
            raise Wrong(Finding.HIDDEN, f"below the reserve at {at_s:.1f} s, and the class is {latched}")
        if not inhibited:
            continue
        since_s = run.stood_since_s(at_s)
        before_s = at_s - margins.INHIBIT_POLLS * run.poll_s
        if not begin_s + run.poll_s <= since_s < before_s or run.pressure_Pa(at_s) < least_Pa:
            continue
        level_Pa = run.pressure_Pa(since_s - run.poll_s) - parameter("permit") / 100 - unsure_Pa
        if _stays_below(run, level_Pa, before_s, at_s):
            raise Wrong(Finding.HIDDEN, f"inhibited at {at_s:.1f} s, and the air is below what that permits")


def _stays_below(run: Played, pressure_Pa: float, begin_s: float, end_s: float) -> bool:
    """Whether the air is no higher for so long: some polls at least."""
    if end_s - begin_s < margins.INHIBIT_POLLS * run.poll_s - 0.001:
        return False
    return all(
        run.pressure_Pa(begin_s + (end_s - begin_s) * part / 4) <= pressure_Pa for part in (4, 3, 2, 1, 0)
    )


def _hidden_blindness(run: Played) -> None:
    """A transducer that has said nothing for the on-delay is an alarm, however often it was lost before."""
    scenario, parameter = run.world.scenario, run.reference.parameter
    dead = [fault for fault in scenario.sensor.faults if fault.kind in margins.TOLD_AT_ONCE]
    if not dead:
        return
    if any(fault.kind == "twin" for fault in scenario.sensor.faults):
        raise NotJudged("a second transducer may answer in its place")
    patience_s = 2 * run.poll_s + (1 + parameter("poll_retries")) * parameter("reply_timeout") / 1000
    commanded = [c.value or 0 for c in scenario.telecommands if c.parameter == "blind_delay"]
    patience_s += max([parameter("blind_delay"), *commanded]) + margins.CONVERGE_S
    for fault in dead:
        begin_s = max(fault.at, sound_s(scenario, instruments=False)) + patience_s
        until_s = min(run.end_s, math.inf if fault.until is None else fault.until)
        at_s = begin_s
        while at_s < until_s:
            booted_s = run.booted_s(at_s)
            if not run.standing_at(at_s).stands.blind and at_s >= booted_s + patience_s:
                raise Wrong(Finding.HIDDEN, f"{fault.kind} since {fault.at} s, and no alarm at {at_s:.1f} s")
            at_s += max(run.poll_s, (until_s - begin_s) / margins.LOOKS)


# -- state


def _blind(run: Played) -> None:
    """A monitor that gets no new readings, or whose transducer's clock is wrong, says so: its health is not ok."""
    sensor, parameter = run.world.scenario.sensor, run.reference.parameter
    blinding = [f for f in sensor.faults if f.kind in margins.BLINDING or _clock_is_wrong(f)]
    if not blinding:
        return
    if any(f.kind == "twin" for f in sensor.faults):
        raise NotJudged("a second transducer may answer in its place")
    _housekeeping(run)
    sound_s = healed_s(run.world.scenario, instruments=False)
    sound_s += margins.CONVERGE_S if sound_s else 0.0
    for fault in blinding:
        patience_s = 2 * run.poll_s + (1 + parameter("poll_retries")) * parameter("reply_timeout") / 1000
        if fault.kind not in margins.TOLD_AT_ONCE:
            if not parameter("stuck_samples"):
                raise NotJudged("`stuck_samples` is 0: nobody watches for readings or stamps that stand")

            patience_s += parameter("stuck_samples") * run.poll_s
        since_s = max(fault.at, sound_s) + patience_s
        until_s = run.end_s if fault.until is None else fault.until
        upset_s = _upset_s(sensor, fault)
        reports = [
            (ms, hk)
            for ms, hk in run.world.ground.history
            if since_s <= ms / 1000 <= until_s
            and run.watched_since(ms / 1000 - patience_s, ms / 1000)
            and not any(at_s <= ms / 1000 < at_s + patience_s for at_s in upset_s)
        ]
        if not reports:
            raise NotJudged("no report came while it was blind for long enough")
        for ms, hk in reports:
            if hk["health"] == t.Health.OK:
                if _only_wild_readings_are_plausible(run, ms / 1000):
                    raise NotJudged("what it saw of the air it did not believe, and wild readings between")
                if _few_readings_are_plausible(run, ms / 1000):
                    raise NotJudged("the air lies so near a limit that it believed only some of what it saw")
                told = f"{fault.kind} since {fault.at} s, and at {ms / 1000} s the health is ok"
                raise Wrong(Finding.BLIND, told)


def _upset_s(sensor: SensorModel, fault: SensorFault) -> list[float]:
    """When another fault of the clock begins or ends: a window of SEN-14 that holds both may run at a fair factor.

    Of a broken or silent instrument no sample counts for SEN-03 or SEN-14: the row begins at its end.
    """
    others = [
        f for f in sensor.faults if f is not fault and (_clock_is_wrong(f) or f.kind in margins.TOLD_AT_ONCE)
    ]
    return [at_s for f in others for at_s in (f.at, f.until) if at_s is not None]


def _clock_is_wrong(fault: SensorFault) -> bool:
    """Whether its stamps run so far from the node's own clock that no rate can be believed."""
    low, high = margins.CLOCK_FACTORS
    return not low <= getattr(fault, "factor", 1.0) <= high


def _state(run: Played) -> None:
    """After all faults the ground holds a recent report, of a sound transducer, with the parameters that it set."""
    if healed_s(run.world.scenario) >= run.end_s:
        raise NotJudged("a fault lasts to the end")
    hk, world, reference = _housekeeping(run), run.world, run.reference
    due_s = reference.parameter("hk_period") / 1000 * 1.01 + 1
    if run.rebooted_since(run.end_s - margins.CONVERGE_S - due_s, run.end_s):
        raise NotJudged("power was lost near the end, at a write that a brown-out had waited for")
    age_s = run.end_s - reported_s(world)
    if age_s > due_s:
        raise Wrong(Finding.STATE, f"the last housekeeping is {age_s} s old, due after {due_s} s")
    _parameters(run)
    latched = reference.latched or run.latched_at(reported_s(world) - 1)  # it may have ended since
    if hk["alarm"] > t.AlarmClass.EMERGENCY or (hk["alarm"] and not latched):
        raise Wrong(Finding.STATE, f"alarm class {hk['alarm']} reported, {reference.latched} latched")
    truth_Pa = run.pressure_Pa(reported_s(world))
    sensor = world.scenario.sensor
    if (
        truth_Pa <= max(sensor.low, PLAUSIBLE_cPa[0] / 100) * 1.5
        or {"pressure_low", "pressure_high"} & world.ground.parameters.keys()
    ):
        raise NotJudged("the gauge or its bounds end near the pressure")
    if run.temperature_K(reported_s(world)) < margins.COLD_K:
        raise NotJudged("the gas is as cold as no air can be")
    if hk["health"] != t.Health.OK:
        raise Wrong(Finding.STATE, f"the transducer is sound and reported {t.Health(hk['health']).name}")
    poll_s = reference.parameter("poll_period") / 1000 * 1.02 + 3
    moved_Pa = abs(run.pressure_Pa(max(0.0, reported_s(world) - poll_s)) - truth_Pa)
    off_Pa = abs(hk["pressure_cPa"] / 100 - truth_Pa)
    if off_Pa > margins.SIGMAS * sensor.noise + sensor.step / 2 + moved_Pa + 0.02:
        raise Wrong(Finding.STATE, f"pressure reported off by {off_Pa:.2f} Pa")


def _parameters(run: Played) -> None:
    """The node holds what the ground set, unless a command was given up or a boot event was lost."""
    ground, reference = run.world.ground, run.reference
    given_up = any(words.startswith("set ") for words in ground.unanswered)
    # A reset whose boot event was lost in a gap of reception looks like the gap: the ground sets nothing then.
    boots = sum(e.event is t.Event.BOOT for e in ground.events)
    if given_up or boots != reference.boots:
        return
    commanded = {command.parameter for command in run.world.scenario.telecommands if command.do == "set"}
    for p in t.MONITOR_PARAMETERS:
        if p.name not in commanded and reference.parameter(p.name) != ground.parameters.get(
            p.name, p.default
        ):
            raise Wrong(Finding.STATE, f"{p.name} is not what the ground set")


def _housekeeping(run: Played) -> dict[str, int]:
    """The last report that reached the ground."""
    if not run.reference.hk_on:
        # By a telecommand, drawn octet by octet: what the ground holds is old by right.
        raise NotJudged("housekeeping is switched off")
    if not run.world.ground.housekeeping:
        if run.end_s > 2 * run.reference.parameter("hk_period") / 1000 + run.calm_s:
            raise Wrong(Finding.STATE, "no housekeeping has come")
        raise NotJudged("no housekeeping has come yet")
    return run.world.ground.housekeeping


def reported_s(world: World) -> float:
    """When the last housekeeping reached the ground."""
    return world.ground.history[-1][0] / 1000 if world.ground.history else 0.0


JUDGES: dict[str, Callable[[Played], None]] = {
    "false alarm": _false_alarm,
    "first call": _first_call,
    "level": _level,
    "T-reserve": _reserve,
    "chatter": _chatter,
    "hidden": _hidden,
    "hidden blindness": _hidden_blindness,
    "blind": _blind,
    "state": _state,
}
"""What a run is judged for."""
