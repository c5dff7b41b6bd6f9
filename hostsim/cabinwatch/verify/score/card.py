"""The report card: which trials are run, on how many processes, and what comes of them."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np

from cabinwatch.targets.detector import Detector
from cabinwatch.verify.cluster import on_cluster
from cabinwatch.verify.parallel import Spread, on_cores
from cabinwatch.verify.score.alarms import AlarmFigures, Spell, figures
from cabinwatch.verify.score.background import DAY_S, STANDARD_PA, Array, Noise
from cabinwatch.verify.score.confidence import median_interval, poisson_interval, quantile
from cabinwatch.verify.score.detectable import SPANS_S
from cabinwatch.verify.score.grounds import GROUNDS, PRESETS, Ground
from cabinwatch.verify.score.growth import GROWTH_D, QUIET_D, Grown, grown
from cabinwatch.verify.score.log import READINGS_MOST, Log, Replayed
from cabinwatch.verify.score.neighbours import ROWS, Neighbour, neighbour
from cabinwatch.verify.score.nitrogen import (
    NITROGEN,
    NITROGEN_LEAKS,
    NitrogenWatch,
    nitrogen_delay_d,
    nitrogen_optimum_s,
)
from cabinwatch.verify.score.presets import parameters
from cabinwatch.verify.score.rivals import Rival, rivals, threshold
from cabinwatch.verify.score.sensitivity import TRIALS, smallest
from cabinwatch.verify.score.trials import LEAKS, Report, TrialLeak, TrialWatch

A_YEAR_D: Final = 365.25
WEEKS_A_YEAR: Final = A_YEAR_D / 7
SETTLED_D: Final = 30
"""Days of quiet before the smallest leak is looked for: the slowest scale has learned by then."""
LOG: Final = "record"

Progress = Callable[[int, int, str], None]
Task = tuple[tuple[Any, ...], Callable[..., Any], tuple[Any, ...]]
"""What its result is called, the work, and its arguments."""


@dataclass(frozen=True)
class Exposure:
    """Quiet time watched and the calls in it."""

    ground: str
    preset: str
    days: float
    calls: int
    blind_h_a: float = 0.0
    """Hours a year in which the slow watch saw no reading."""

    @property
    def years(self) -> float:
        return self.days / A_YEAR_D

    @property
    def calls_a_year(self) -> tuple[float, float]:
        """Interval of the rate of false alarms."""
        low, high = poisson_interval(self.calls)
        return low / self.years, high / self.years


@dataclass(frozen=True)
class DelayFigure:
    """Delays of one method against one leak on one ground, s; infinite where it did not call in time."""

    ground: str
    method: str
    leak: str
    optimum_s: float
    delays_s: tuple[float, ...]
    reports: tuple[tuple[Report, ...], ...] = ()
    """Of each trial that was called, at each of the ages of TIMES."""

    def quantile(self, q: float) -> float:
        """The delay that the share q of the trials does not exceed, s."""
        return quantile(self.delays_s, q)

    @property
    def median_s(self) -> tuple[float, float]:
        """Interval of the median."""
        return median_interval(self.delays_s)


@dataclass
class Card:
    """Everything that one run measured."""

    seed: int
    years: float
    days: int
    trials: int
    exposures: list[Exposure] = field(default_factory=list)
    alarms: dict[str, AlarmFigures] = field(default_factory=dict)
    smallest_Pa_d: dict[str, dict[str, float]] = field(default_factory=dict)
    mostly_Pa_d: dict[str, dict[str, float]] = field(default_factory=dict)
    """What every trial called, and what 95 of 100 did."""
    thresholds: dict[str, dict[str, float]] = field(default_factory=dict)
    delays: list[DelayFigure] = field(default_factory=list)
    nitrogen_d: dict[str, tuple[float, ...]] = field(default_factory=dict)
    nitrogen_optimum_d: dict[str, float] = field(default_factory=dict)
    grown: list[Grown] = field(default_factory=list)
    neighbours: list[Neighbour] = field(default_factory=list)
    log: str = ""
    """What the record was."""

    def as_json(self) -> dict[str, Any]:
        """Plain data, for `--json`; an infinite delay or rate is null."""
        data: dict[str, Any] = _finite(asdict(self))
        return data


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and math.isinf(value) else value


def run(
    seed: int = 1,
    jobs: int | None = None,
    years: int = 8,
    days: int = 365,
    trials: int = 15,
    progress: Progress | None = None,
    scheduler: str | None = None,
    log: Log | None = None,
    longest: str = list(SPANS_S)[-1],
) -> Card:
    """Measure everything, on the machine's cores or a Dask cluster; the same seed gives the same card on either.

    A year has `days` days, for a trial run of the whole; less than 365 is no evidence. False alarms are counted on the
    `log` as well. ``longest`` is the longest span in which the smallest leak is looked for.
    """
    log = log or Log.drawn(seed)
    card = Card(seed, years, days, trials)
    spread: Spread[Any] = partial(on_cluster, scheduler) if scheduler else partial(on_cores, jobs)
    watched = [g.name for g in GROUNDS.values()]
    spans = [w for w, span_s in SPANS_S.items() if span_s <= min(days * DAY_S, SPANS_S[longest])]
    rivalled = [g.name for g in GROUNDS.values() if g.rivals]
    # What takes longest comes first, or one process works while the others have nothing left.
    tasks: list[Task] = [
        (("delays", g.name), detector_delays, (g.name, g.preset, seed, trials, days))
        for g in GROUNDS.values()
        if g.leaks
    ]
    few, warm_d = (TRIALS if days >= 60 else trials), min(SETTLED_D, days)
    looked = [*(g.name for g in GROUNDS.values() if g.sensitivity), NITROGEN]
    tasks += [(("smallest", name), smallest, (name, spans, seed, warm_d, few)) for name in looked]
    for year in range(years):
        tasks += [
            (("quiet", name, year), quiet_year, (name, seed, year, days)) for name in (*watched, NITROGEN)
        ]
        tasks += [(("peaks", name, year), weekly_peaks, (name, seed, year, days)) for name in rivalled]
        tasks.append((("quiet", LOG, year), quiet_log, (log, seed, year, days)))
    tasks.append(((NITROGEN,), nitrogen_delays, (seed, trials)))
    grew = [(quiet_d, growth_d) for quiet_d in QUIET_D if quiet_d <= days for growth_d in GROWTH_D]
    tasks += [(("grown", *when), grown, (*when, seed, trials)) for when in grew]
    beside = ROWS if days >= SETTLED_D else []
    tasks += [(("neighbour", i), neighbour, (*row, seed, trials)) for i, row in enumerate(beside)]
    total = len(tasks) + len(rivalled)
    done = _gather(spread, tasks, progress, 0, total)
    for name in (*watched, NITROGEN, LOG):
        seen = _joined([done["quiet", name, year] for year in range(years)])
        preset = GROUNDS[name].preset if name in GROUNDS else "default" if name == NITROGEN else "quiet"
        blind_h_a = seen.blind_s / 3600 * A_YEAR_D / seen.days
        card.exposures.append(Exposure(name, preset, seen.days, len(seen.spells), blind_h_a))
        card.alarms[name] = figures(seen.spells, seen.days * DAY_S)
    for name in looked:
        found = done["smallest", name]
        card.smallest_Pa_d[name] = {within: s.always_Pa_d for within, s in found.items()}
        card.mostly_Pa_d[name] = {within: s.mostly_Pa_d for within, s in found.items()}
    card.grown = [done["grown", *when] for when in grew]
    card.neighbours = [done["neighbour", i] for i in range(len(beside))]
    card.nitrogen_d = done[NITROGEN,]
    card.nitrogen_optimum_d = {
        name: nitrogen_optimum_s(fall) / DAY_S for name, fall in NITROGEN_LEAKS.items()
    }
    card.log = f"{log.name}, {log.hours:.1f} h"
    second: list[Task] = []
    for name in rivalled:
        peaks = {
            rival: np.concatenate([done["peaks", name, year][rival] for year in range(years)])
            for rival in done["peaks", name, 0]
        }
        card.thresholds[name] = {rival: threshold(p, WEEKS_A_YEAR) for rival, p in peaks.items()}
        second.append(((name,), rival_delays, (name, card.thresholds[name], seed, trials, days)))
    beaten = _gather(spread, second, progress, len(tasks), total)
    for g in GROUNDS.values():
        card.delays += done["delays", g.name] if g.leaks else []
        card.delays += beaten[g.name,] if g.rivals else []
    return card


class Quiet(NamedTuple):
    """What was called in the days watched, and how long the slow watch saw nothing."""

    spells: list[Spell]
    days: float
    blind_s: float = 0.0


def _joined(years: list[Quiet]) -> Quiet:
    """One year after the other."""
    spells: list[Spell] = []
    span_d = 0.0
    for year in years:
        before_s = span_d * DAY_S
        spells += [Spell(s.start_s + before_s, s.end_s + before_s, s.cls) for s in year.spells]
        span_d += year.days
    return Quiet(spells, span_d, sum(year.blind_s for year in years))


def _gather(
    spread: Spread[Any], tasks: list[Task], progress: Progress | None, before: int, total: int
) -> dict[tuple[Any, ...], Any]:
    done: dict[tuple[Any, ...], Any] = {}
    for key, result in spread(_call, tasks):
        done[key] = result
        if progress:
            progress(before + len(done), total, " ".join(map(str, key)))
    return done


def _call(task: Task) -> tuple[tuple[Any, ...], Any]:
    key, work, arguments = task
    return key, work(*arguments)


def _seed(seed: int, *what: int | str) -> np.random.SeedSequence:
    """A named sub-seed."""
    words = [w if isinstance(w, int) else int.from_bytes(w.encode()[:8], "big") for w in what]
    return np.random.SeedSequence([seed, *words])


def quiet_year(name: str, seed: int, year: int, days: int = 365) -> Quiet:
    """False calls in the ground's share of one year, from a detector that knows nothing yet."""
    if name == NITROGEN:
        return Quiet(NitrogenWatch.on(_seed(seed, NITROGEN, year)).quiet(days * DAY_S), days)
    ground = GROUNDS[name]
    watched_d = max(1, math.ceil(days * ground.share))
    watch = TrialWatch.on(ground, _seed(seed, "quiet", name, year))
    return Quiet(watch.quiet(watched_d * DAY_S), watched_d, watch.blind_s)


def quiet_log(log: Log, seed: int, year: int, days: int = 365) -> Quiet:
    """... on a record."""
    watched_d = min(days, READINGS_MOST * log.interval_s / DAY_S)
    watch = TrialWatch(Detector(parameters(**PRESETS["quiet"])), Replayed(log, _seed(seed, LOG, year)))
    return Quiet(watch.quiet(watched_d * DAY_S), watched_d, watch.blind_s)


def weekly_peaks(ground: str, seed: int, year: int, days: int = 365) -> dict[str, Array]:
    """The peak of each rival's statistic in each week of a quiet year."""
    wander = GROUNDS[ground].wander
    noise = Noise(wander, np.random.default_rng(_seed(seed, "peaks", ground, year)))
    watched = rivals(wander)
    a_day = round(DAY_S / wander.period_s)
    for rival in watched:
        rival.run(noise.take(a_day))
    peaks: dict[str, list[float]] = {rival.name: [] for rival in watched}
    for _ in range(max(1, days // 7)):
        top = dict.fromkeys(peaks, 0.0)
        for _ in range(7):
            record = noise.take(a_day)
            for rival in watched:
                top[rival.name] = max(top[rival.name], float(rival.run(record).max()))
        for name, value in top.items():
            peaks[name].append(value)
    return {name: np.array(values) for name, values in peaks.items()}


def _limit_s(ground: Ground, leak: TrialLeak, days: int) -> float:
    """How long a call is waited for; aboard the optimum of the bare wander says little."""
    least_s = 3.0 * DAY_S if ground.preset == "default" else 7200.0
    return min(max(least_s, 10 * ground.optimum_s(leak.Pa_s)), min(20.0, days) * DAY_S)


def detector_delays(name: str, preset: str, seed: int, trials: int, days: int = 365) -> list[DelayFigure]:
    """The firmware's delays, each trial from a detector that has learned a background of its own."""
    ground = GROUNDS[name]
    watches = [TrialWatch.on(ground, _seed(seed, "warm", name, trial)) for trial in range(trials)]
    for watch in watches:
        watch.quiet(min(ground.warm_days, days) * DAY_S)
    out = []
    for leak in LEAKS:
        if leak.name not in ground.leaks:
            continue
        courses = []
        for trial, watch in enumerate(watches):
            twin = watch.fork(_seed(seed, "leak", name, leak.name, trial))
            twin.quiet(3600 + 97 * trial)
            courses.append(twin.course(leak, _limit_s(ground, leak, days)))
        bound = ground.optimum_s(leak.Pa_s)
        delays = tuple(c.delay_s for c in courses)
        reports = tuple(c.reports for c in courses if math.isfinite(c.delay_s))
        out.append(DelayFigure(name, f"detector, {preset}", leak.name, bound, delays, reports))
    return out


def rival_delays(
    ground: str, limits: dict[str, float], seed: int, trials: int, days: int = 365
) -> list[DelayFigure]:
    """The rivals' delays at their thresholds, each after a quiet day."""
    wander, out = GROUNDS[ground].wander, []
    for leak in LEAKS:
        if leak.name not in GROUNDS[ground].leaks:
            continue
        limit = int(_limit_s(GROUNDS[ground], leak, days) / wander.period_s)
        found: dict[str, list[float]] = {name: [] for name in limits}
        fall = STANDARD_PA * -np.expm1(-leak.k * wander.period_s * np.arange(1, limit + 1))
        for trial in range(trials):
            noise = Noise(wander, np.random.default_rng(_seed(seed, "leak", ground, leak.name, trial)))
            quiet, record = noise.take(round(DAY_S / wander.period_s)), noise.take(limit) - fall
            for rival in rivals(wander):
                rival.run(quiet)
                delay = _first(rival, record, limits[rival.name]) * wander.period_s
                found[rival.name].append(delay)
        bound = GROUNDS[ground].optimum_s(leak.Pa_s)
        out += [DelayFigure(ground, name, leak.name, bound, tuple(d)) for name, d in found.items()]
    return out


def _first(rival: Rival, record: Array, limit: float) -> float:
    over = rival.run(record) > limit
    return float(over.argmax() + 1) if over.any() else math.inf


def nitrogen_delays(seed: int, trials: int) -> dict[str, tuple[float, ...]]:
    """Days to call the two leaks on nitrogen."""
    return {
        name: tuple(nitrogen_delay_d(fall, _seed(seed, NITROGEN, name, trial)) for trial in range(trials))
        for name, fall in NITROGEN_LEAKS.items()
    }


__all__ = ["Card", "DelayFigure", "Exposure", "run"]
