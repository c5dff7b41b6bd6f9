"""What came of a run: the JSON object that others script against, and the summary for people."""

import math
from dataclasses import dataclass
from typing import Any

from cabinwatch.models.expectations import Expect, PressureAt
from cabinwatch.models.scenario import Scenario
from cabinwatch.run.fits import as_data, fit_lines
from cabinwatch.text import apart, distinct, duration, name
from cabinwatch.world.events import EventReport, rate_text
from cabinwatch.world.ground import PENDING, Ground
from cabinwatch.world.keying import keyed_as_data, session_line
from cabinwatch.world.world import World
from cabinwatch_protocol import table as t

NO_LEAK_S = t.T_CAP


@dataclass(frozen=True)
class Run:
    """What a run is called and what it cost; the world holds what happened in it."""

    scenario: str
    target: str
    seed: int
    wall_s: float
    steps: int
    transcript_sha256: str
    interrupted: bool


def first_alarm(world: World) -> EventReport | None:
    """The first alarm that reached the ground."""
    return next((e for e in world.ground.events if e.event is t.Event.ALARM), None)


@dataclass(frozen=True)
class Newest:
    """What is newest of all that the ground has heard: the last housekeeping report, and what events told since."""

    report: dict[str, int]
    age_s: float
    """Of the report."""
    health: int | None
    since: EventReport | None
    """The newest event of the cabin's alarm that the report does not know of."""

    @property
    def alarm(self) -> int:
        """The latched class."""
        return self.since.alarm if self.since else self.report.get("alarm", 0)

    @property
    def told_cPa_h(self) -> int:
        """The rate that the event told; 0: none."""
        return self.since.value if self.since and self.since.event in RAISED else 0

    def rate(self, form: str) -> str:
        """The event's rate, or the report's where it told none."""
        if self.told_cPa_h or not self.report:
            return rate_text(self.told_cPa_h, form)
        return rate_text(self.report["rate_cPa_h"], form, self.report["sigma_cPa_h"])

    @property
    def old(self) -> str:
        """What stands behind a figure that is older than the alarm; "" where it is not."""
        return f", {duration(self.age_s)} ago" if self.since and self.report else ""


RAISED = {t.Event.ALARM, t.Event.ALARM_AGAIN, t.Event.ALARM_REMINDER}
"""Events of the cabin's alarm whose value is the rate now."""


def newest(ground: Ground, now_s: float) -> Newest:
    """What the ground knows at ``now_s``."""
    age_s = now_s - ground.history[-1][0] / 1000 if ground.history else 0.0
    return Newest(ground.housekeeping, age_s, ground.health, ground.since)


def at_the_end(known: Newest) -> str:
    """How the words about the last report begin: what came after it is told first."""
    if not known.since:
        return "At the end: "
    rate = f", {rate_text(known.told_cPa_h, '+.1f')}" if known.told_cPa_h else ""
    state = f"{name(t.AlarmClass, known.alarm)}{rate}"
    knows = known.report.get("alarm") == known.alarm  # as where the event is a reminder
    unknown = "" if knows else " and does not know of it"
    return f"At the end: {state}. The last report is {duration(known.age_s)} old{unknown}: "


def tres_s(housekeeping: dict[str, int]) -> int | None:
    """Reported T-reserve in s; None = no leak seen."""
    value = housekeeping.get("tres_s", NO_LEAK_S)
    return None if value >= NO_LEAK_S else value


def no_data(health: int | None) -> str:
    """What is said of a blind monitor in place of "nominal"; "" where the transducer is well or not known of."""
    return f"NO DATA: transducer {name(t.Health, health)}" if health else ""


def last_read(hk: dict[str, int]) -> str:
    """The pressure that a blind monitor repeats; one that has read none since its boot repeats zeros."""
    return f"last {hk['pressure_cPa'] / 100:,.1f} Pa" if hk["pressure_cPa"] else "no reading yet"


def _health(health: int | None) -> str | None:
    return None if health is None else name(t.Health, health).replace(" ", "_")


def unmet(world: World, expect: Expect | None) -> list[str]:
    """What the scenario expects and the run did not show, a line each; empty = met."""
    if expect is None:
        return []
    alarms = [e for e in world.ground.events if e.event is t.Event.ALARM]
    faults = []
    if expect.alarm == "none":
        if alarms:
            faults.append(f"no alarm was expected; {alarms[0].text()} at {duration(alarms[0].t_ms / 1000)}")
    else:
        faults += _timing(alarms, expect, world.scenario.alarm_after_s)
    if expect.at_most is not None:
        most = t.AlarmClass[expect.at_most.upper()]
        faults += [
            f"no more than {expect.at_most} was expected; {e.text()}" for e in alarms if e.severity > most
        ]
    wanted = expect.health or ("ok" if expect.alarm == "none" else None)
    if wanted is not None and (health := _health(world.ground.health)) != wanted:
        known = (
            no_data(world.ground.health) or f"transducer {health}" if health else "nothing was heard of it"
        )
        faults.append(f"the transducer was to be {wanted} at the end; {known}")
    if expect.coolant_by is not None:
        coolant = [e for e in world.ground.events if e.event is t.Event.COOLANT_LOW]
        if not coolant or coolant[0].t_ms > expect.coolant_by * 1000:
            faults.append(f"the coolant loop was to be called by {duration(expect.coolant_by)}")
    faults += [fault for asked in expect.pressures or () if (fault := _pressure_off(world, asked))]
    truth = truth_at(world)
    if expect.rate_within is not None:
        reported = world.ground.housekeeping.get("rate_cPa_h", 0) / 100
        faults += _off("rate", reported, truth["rate_Pa_h"], expect.rate_within, "Pa/h")
    if expect.tres_within is not None:
        reported = tres_s(world.ground.housekeeping) or math.inf
        faults += _off("T-reserve", reported, truth["tres_s"], expect.tres_within, "s")
    return faults


def _timing(alarms: list[EventReport], expect: Expect, after_s: float) -> list[str]:
    faults = []
    wanted = t.AlarmClass[expect.alarm.upper()]
    if alarms and alarms[0].t_ms < after_s * 1000:
        came, due = apart(alarms[0].t_ms / 1000, after_s)
        said = "onset" if expect.after is None else "after"
        faults.append(
            f"an alarm came at {came}, before {said} = {due}: {alarms[0].text()}. A false alarm, or a wrong {said}"
        )
    reached = next((e for e in alarms if e.severity >= wanted), None)
    if reached is None:
        faults.append(f"{expect.alarm} was expected and never reached")
    elif expect.by is not None and reached.t_ms > expect.by * 1000:
        due, came = apart(expect.by, reached.t_ms / 1000)
        faults.append(f"{expect.alarm} was expected by {due}; it came at {came}")
    return faults


def _pressure_off(world: World, asked: PressureAt) -> str | None:
    """What is wrong with the cabin's pressure at a time."""
    if asked.at * 1000 > world.now_ms:
        return f"a pressure was asked for at {duration(asked.at)}, and the run ended before"
    place = asked.compartment or world.compartment
    true_Pa = world.station.at(place, asked.at).pressure_Pa
    if abs(true_Pa - asked.pressure) <= asked.tolerance_Pa:
        return None
    return (
        f"{place} was expected at {asked.pressure:,.0f} Pa (within {asked.tolerance_Pa:,.0f}) "
        f"at {duration(asked.at)}; it was at {true_Pa:,.0f} Pa"
    )


def _off(what: str, reported: float, true: float, within: float, unit: str) -> list[str]:
    if math.isfinite(true) and math.isfinite(reported) and abs(reported - true) <= within * abs(true):
        return []
    off = abs(reported - true) / abs(true) if true else math.inf
    allowed, is_off = distinct((within, off), lambda part, digits: f"{part:.{digits}%}")
    return [
        f"{what} was expected within {allowed} of {true:.4g} {unit}; reported {reported:.4g} {unit}, off by {is_off}"
    ]


def truth_at(world: World) -> dict[str, float]:
    """The truth where the transducer sits, now: pressure, the leaks' rate, T-reserve."""
    t_s = world.now_ms / 1000
    station, place = world.station, world.compartment
    return {
        "pressure_Pa": station.at(place, t_s).pressure_Pa,
        "rate_Pa_h": station.leak_rate_Pa_h(place, t_s),
        "tres_s": station.tres_s(place, t_s),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def as_json(world: World, run: Run) -> dict[str, Any]:
    """The object that ``--json`` prints."""
    hk = world.ground.housekeeping
    counts = world.ground.counts
    expect = world.scenario.expect
    faults = unmet(world, expect)
    return {
        "scenario": run.scenario,
        "target": run.target,
        "seed": run.seed,
        "simulated_s": world.now_ms / 1000,
        "wall_s": round(run.wall_s, 3),
        "steps": run.steps,
        "events": [
            {
                "t_s": e.t_ms / 1000,
                "class": e.severity.name.lower(),
                "code": e.event.name.lower(),
                "text": e.text(),
            }
            for e in world.ground.events
        ],
        "final": {
            "state": name(t.AlarmClass, newest(world.ground, world.now_ms / 1000).alarm),
            "health": _health(world.ground.health),
            "pressure_Pa": hk["pressure_cPa"] / 100 if hk else None,
            "rate_Pa_h": hk["rate_cPa_h"] / 100 if hk else None,
            "sigma_Pa_h": hk["sigma_cPa_h"] / 100 if hk else None,
            "tres_s": tres_s(hk),
        },
        "truth": {name: _finite(value) for name, value in truth_at(world).items()},
        "link": {
            "frames": counts.frames,
            "crc_errors": counts.crc_errors,
            "lost": counts.lost,
            "resyncs": counts.resyncs,
        },
        "commands": [
            {"t_s": c.t_ms / 1000, "name": c.name, "verdict": c.verdict} for c in world.ground.commands
        ],
        "transcript_sha256": run.transcript_sha256,
        **({"keyed": keyed} if (keyed := keyed_as_data(world.ground.session)) else {}),
        **({"fits": fits} if (fits := as_data(world.scenario)) else {}),
        "expected": _expected(world.scenario),
        "met": not faults,
        "unmet": faults,
        "interrupted": run.interrupted,
    }


def _expected(scenario: Scenario) -> dict[str, Any] | None:
    """What is expected, with what is so where the file leaves it out."""
    if scenario.expect is None:
        return None
    expected = scenario.expect.model_dump(exclude_none=True)
    return expected if scenario.onset is None else {"after": scenario.onset, **expected}


def summary(world: World, run: Run) -> list[str]:
    """The story's end for people, a line each."""
    hk = world.ground.housekeeping
    scenario = world.scenario
    alarm = first_alarm(world)
    simulated_s = world.now_ms / 1000
    ratio = simulated_s / run.wall_s if run.wall_s else math.inf
    lines = [
        f"{duration(simulated_s)} played in {run.wall_s:.1f} s of wall time ({ratio:,.0f} times real time), "
        f"{run.steps:,} steps on {run.target}, seed {run.seed}"
    ]
    lines += fit_lines(scenario)
    if scenario.onset is not None and simulated_s >= scenario.onset:
        lines.append(f"It began at {duration(scenario.onset)}.")
    if alarm is None:
        lines.append("The monitor called no alarm.")
    else:
        lines += _called(world, alarm)
    if hk:
        counts = world.ground.counts
        tres = tres_s(hk)
        truth = truth_at(world)
        reserve = duration(tres) if tres is not None else "no leak seen"
        blind = no_data(world.ground.health)
        head = at_the_end(newest(world.ground, simulated_s))
        lines.append(
            f"{head}{blind}, {last_read(hk)} (true {truth['pressure_Pa']:,.1f} Pa, leak "
            f"{truth['rate_Pa_h']:+z.2f} Pa/h, T-reserve {duration(truth['tres_s'])})."
            if blind
            else f"{head}{hk['pressure_cPa'] / 100:,.1f} Pa, {rate_text(hk['rate_cPa_h'], '+.2f', hk['sigma_cPa_h'])} "
            f"(true leak {truth['rate_Pa_h']:+z.2f}), T-reserve {reserve} (true {duration(truth['tres_s'])})."
        )
        lines.append(
            f"Link: {counts.frames:,} frames, {counts.crc_errors} with a wrong CRC, {counts.resyncs} other damage, "
            f"{counts.lost} packets lost."
        )
    if world.ground.session:
        lines.append(session_line(world.ground.session) + ", as it last said.")
    lines += [f"Not answered: {words}" for words in world.ground.unanswered]
    lines += [f"Not answered when it ended: {c.words}" for c in world.ground.commands if c.verdict == PENDING]
    lines += [f"Refused: {text}" for text in world.ground.refused]
    lines.append(f"Transcript {run.transcript_sha256}")
    return lines + verdict(world, run)


def verdict(world: World, run: Run) -> list[str]:
    """Whether what was expected was shown, a line each; nothing where nothing was expected."""
    if run.interrupted:
        return ["Interrupted: what was expected is not judged."]
    expected = world.scenario.expect
    if expected is None:
        return []
    return [f"NOT MET: {fault}" for fault in unmet(world, expected)] or ["Expected, and met."]


def _called(world: World, alarm: EventReport) -> list[str]:
    onset = world.scenario.onset
    called_s = alarm.t_ms / 1000
    lines = [f"The monitor called it at {duration(called_s)}: {alarm.text()}."]
    if onset is not None and called_s >= onset:
        mass = world.station.mass_kg(onset) - world.station.mass_kg(called_s)
        at = world.station.at
        fall = at(world.compartment, onset).pressure_Pa - at(world.compartment, called_s).pressure_Pa
        lines.append(
            f"That took {duration(called_s - onset)} and cost {mass:.2f} kg of air, {fall:,.0f} Pa of pressure."
        )
    return lines
