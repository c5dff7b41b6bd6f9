"""A person's own log as a run: what the monitor would have said of it."""

import math
import re
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from pydantic import ValidationError

from cabinwatch.errors import UsageError
from cabinwatch.models.commands import check_parameter
from cabinwatch.models.leak_tables import Leak
from cabinwatch.models.record import RecordModel
from cabinwatch.models.scenario import Scenario
from cabinwatch.models.units import PRESSURES, ATM_Pa, parse_duration, parse_volume
from cabinwatch.run.result import Run, as_json, at_the_end, first_alarm, newest, tres_s
from cabinwatch.text import duration, name, shown
from cabinwatch.world.events import rate_text
from cabinwatch.world.record import Recording, recording, told
from cabinwatch.world.world import World
from cabinwatch_protocol import table as t

PARAMETERS = {p.name: p for p in t.MONITOR_PARAMETERS}
VOLUME_m3 = 100.0
"""Any volume does for leaks that are given as rates of the pressure."""
REPORT_POLLS = 10
"""A report each so many polls, as with the default periods; at least at their default time."""
GAS_K = (200.0, 350.0)
"""The median of any cabin's gas that a log could be of, a gauge in a cold lock or behind a heater included."""
BELIEVED = ("pressure_low", "pressure_high")
CABIN_Pa = (20e3, 120e3)
"""Cabins that people breathed in: from pure oxygen at some 3 psi to an atmosphere and a gauge's error."""
ANSWER_s = 1.0
"""The last poll's answer is waited for, and no longer: behind the log's end there is only silence."""
LEAK = re.compile(r"(?P<size>.+?)\s+at\s+(?P<at>.+)")
NAMED = 20
"""Lines that are not believed are named up to so many."""


@dataclass(frozen=True)
class Wish:
    """What a person asks for: a log, leaks on top of it, parameters of the monitor."""

    log: RecordModel
    leaks: list[str] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)
    volume: str | None = None


def log_model(**fields: Any) -> RecordModel:
    """Where the columns of a log are. Raises UsageError."""
    try:
        return RecordModel(**fields)
    except ValidationError as error:
        raise UsageError(_said(error)) from None


def _said(error: ValidationError) -> str:
    return shown(error.errors()[0]["msg"].removeprefix("Value error, "))


def scenario(wish: Wish) -> Scenario:
    """The log as a scenario: polled at its own interval, for as long as it lasts. Raises UsageError."""
    log = recording(wish.log)
    settings = dict(map(_setting, wish.settings))
    _check_units(wish.log, log, settings)
    poll, hk = PARAMETERS["poll_period"], PARAMETERS["hk_period"]
    poll_ms = min(max(round(log.interval_s * 1000), poll.low), poll.high)
    hk_ms = min(max(REPORT_POLLS * poll_ms, hk.default), hk.high)
    parameters = {"poll_period": poll_ms, "hk_period": hk_ms, "analyser_period": 0}
    room = {"volume": VOLUME_m3 if wish.volume is None else parse_volume(wish.volume)}
    data = {
        "title": f"{shown(log.name)}, played back",
        "duration": log.span_s + ANSWER_s,
        "parameters": parameters | settings,
        "cabin": {
            "compartments": {"cabin": room},
            "record": wish.log,
            "leaks": {f"leak {i}": _leak(words, wish) for i, words in enumerate(wish.leaks, 1)},
        },
    }
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        raise UsageError(f"{error.errors()[0]['loc'][-1]}: {_said(error)}") from None


def _check_units(model: RecordModel, log: Recording, settings: dict[str, int]) -> None:
    """Refuse a log that is of no cabin in the units given, for then the monitor would believe next to nothing of it.

    Whoever sets what the monitor believes has it believed.
    """
    low_Pa, high_Pa = CABIN_Pa
    why = "no cabin is"
    if settings.keys() & set(BELIEVED):
        low_Pa, high_Pa = sorted(settings.get(key, PARAMETERS[key].default) / 100 for key in BELIEVED)
        why = "so set, the monitor believes nothing"
    middle_Pa = median(log.pressures_Pa)
    if not low_Pa <= middle_Pa <= high_Pa:
        meant = _meant(middle_Pa / PRESSURES[model.unit])
        raise UsageError(
            f"{shown(log.name)}: the unit looks wrong: the median of the readings is {middle_Pa:,.7g} Pa, and {why} "
            f"outside {low_Pa:,.0f} to {high_Pa:,.0f} Pa; is {meant} meant? (--set pressure_low=... or "
            "pressure_high=..., in cPa, plays it all the same)"
        )
    middle_K, (cold_K, hot_K) = median(log.temperatures_K), GAS_K
    if not cold_K <= middle_K <= hot_K:
        raise UsageError(
            f"{shown(log.name)}: the unit of the temperature looks wrong: its median is "
            f"{middle_K:.4g} K, and no cabin is outside {cold_K:g} to {hot_K:g} K; is another --temperature-unit or "
            "column meant?"
        )


def _meant(value: float) -> str:
    """The unit in which it would be nearest to an atmosphere."""
    if value <= 0:
        return "another column"
    unit, factor = min(PRESSURES.items(), key=lambda item: abs(math.log(value * item[1] / ATM_Pa)))
    return f"--unit {unit}" if CABIN_Pa[0] <= value * factor <= CABIN_Pa[1] else "another column"


def _leak(words: str, wish: Wish) -> Leak:
    """``"0.8 mbar/h at 6h"``."""
    where = f"--leak '{shown(words)}'"
    found = LEAK.fullmatch(words.strip())
    if not found:
        raise UsageError(f'{where}: give a size and a time, such as "0.8 mbar/h at 6h"')
    at_s = parse_duration(found["at"])
    try:
        leak = Leak.model_validate({"size": found["size"], "at": at_s})
    except ValidationError as error:
        raise UsageError(f"{where}: {_said(error)}") from None
    if wish.volume is None and leak.size.pressure_rate() is None:
        raise UsageError(f'{where}: such a leak needs the --volume of the cabin, such as "900 m3"')
    if at_s >= recording(wish.log).span_s:
        raise UsageError(f"{where}: the log ends after {duration(recording(wish.log).span_s)}")
    return leak


def _setting(words: str) -> tuple[str, int]:
    """``"breath=0"``."""
    key, _, value = (word.strip() for word in words.partition("="))
    try:
        number = int(value)
        check_parameter(key, number)
    except ValueError as error:
        why = str(error) if key not in PARAMETERS or value.lstrip("-").isdecimal() else "give a whole number"
        raise UsageError(f"--set {shown(words)}: {shown(why)}") from None
    return key, number


# -- what came of it


def report(world: World, run: Run) -> dict[str, Any]:
    """The object that ``playback --json`` prints."""
    log = _log(world)
    done = as_json(world, run)
    kept = ("target", "wall_s", "steps", "events", "final", "link", "transcript_sha256", "interrupted")
    return {
        "log": log.name,
        "log_sha256": log.sha256,
        "rows": log.rows,
        "samples": len(log),
        "span_s": log.span_s,
        "interval_s": log.interval_s,
        "gaps": [{"t_s": t_s, "length_s": length_s} for t_s, length_s in log.gaps()],
        "not_believed": {
            why.replace(" ", "_"): {"count": len(lines), "lines": list(lines[:NAMED])}
            for why, lines in log.not_believed.items()
        },
        "first_call": first_call(world),
        **{key: done[key] for key in kept},
    }


def first_call(world: World) -> dict[str, Any] | None:
    """The first alarm, with the T-reserve of the first report that follows it."""
    alarm = first_alarm(world)
    if alarm is None:
        return None
    after = next((hk for t_ms, hk in world.ground.history if t_ms >= alarm.t_ms), {})
    return {
        "t_s": alarm.t_ms / 1000,
        "class": alarm.severity.name.lower(),
        "cause": name(t.Cause, alarm.cause),
        "rate_Pa_h": alarm.value / 100,
        "tres_s": tres_s(after),
    }


def what_was_read(log: Recording) -> list[str]:
    """The log in a few lines."""
    lines = [
        f"{shown(log.name)}: {len(log):,} readings over {duration(log.span_s)}, one every "
        f"{duration(log.interval_s)}" + (f", in steps of {log.step_Pa:.3g} Pa" if log.step_Pa else "")
    ]
    for why, rows in log.not_believed.items():
        if rows:
            lines.append(
                f"{len(rows):,} row{'s' if len(rows) > 1 else ''} {why}, not believed: line {told(rows)}"
            )
    gaps = log.gaps()
    for t_s, length_s in gaps[:5]:
        lines.append(f"Gap of {duration(length_s)} at {duration(t_s)}")
    if len(gaps) > 5:
        lines.append(f"... and {len(gaps) - 5:,} more")
    return lines


def summary(world: World, run: Run) -> list[str]:
    """What the monitor said, for people."""
    hk = world.ground.housekeeping
    lines = [
        f"{duration(world.now_ms / 1000)} played in {run.wall_s:.1f} s, {run.steps:,} steps on {run.target}"
    ]
    call = first_call(world)
    if call is None:
        lines.append("The monitor called no alarm.")
    else:
        left = "none seen" if call["tres_s"] is None else duration(call["tres_s"])
        lines.append(
            f"The monitor's first call: {call['class']} at {duration(call['t_s'])} ({call['cause']}), "
            f"{call['rate_Pa_h']:+.2f} Pa/h, T-reserve {left}."
        )
    if hk:
        known = newest(world.ground, world.now_ms / 1000)
        left = "no leak seen" if tres_s(hk) is None else duration(hk["tres_s"])
        lines.append(
            f"{at_the_end(known)}{hk['pressure_cPa'] / 100:,.1f} Pa, "
            f"{rate_text(hk['rate_cPa_h'], '+.2f', hk['sigma_cPa_h'])}, "
            f"T-reserve {left}, alarm {name(t.AlarmClass, hk['alarm'])}, transducer {name(t.Health, hk['health'])}."
        )
    return [*lines, f"Transcript {run.transcript_sha256}"]


def _log(world: World) -> Recording:
    assert world.station.record is not None
    return world.station.record
