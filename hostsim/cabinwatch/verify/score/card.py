"""The report card: which trials are run, on how many processes, and what comes of them."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np

from cabinwatch.targets.detector import Detector
from cabinwatch.verify.cluster import on_cluster
from cabinwatch.verify.parallel import Spread, on_cores
from cabinwatch.verify.score.background import (
    BENCH,
    CABIN,
    DAY_S,
    STANDARD_PA,
    Array,
    BackgroundWander,
    Noise,
)
from cabinwatch.verify.score.life import Life
from cabinwatch.verify.score.optimum import optimum_s
from cabinwatch.verify.score.presets import BENCH_PRESET, CABIN_PRESET, parameters
from cabinwatch.verify.score.rivals import Rival, rivals, threshold
from cabinwatch.verify.score.trials import LEAKS, TrialLeak, TrialWatch

GROUNDS: Final = {"bench": BENCH, "cabin": CABIN}
PRESETS: Final = {"quiet": BENCH_PRESET, "default": CABIN_PRESET}
WARM_DAYS: Final = {"bench": 5, "cabin": 60}
QUIET: Final = (
    ("bench", "quiet"),
    ("cabin", "quiet"),
    ("life", "default"),
    ("nitrogen", "default"),
    ("coarse", "quiet"),
)
"""Ground and preset that are watched for false alarms."""
TIMED: Final = (("bench", "quiet"), ("cabin", "quiet"), ("cabin", "default"))
"""... and those on which leaks are called."""
WEEKS_A_YEAR: Final = 365.25 / 7
NITROGEN_LEAKS: Final = {"US Lab hose": 204.0, "PrK, Apr 2024": 121.0}  # Pa/d of nitrogen
ANALYSER: Final = BackgroundWander(27.0, period_s=300.0)
COARSE: Final = BackgroundWander(0.65, CABIN.walk, period_s=10.0)
STEP_PA: Final = 53.3  # 0.4 mmHg

Progress = Callable[[int, int, str], None]
Task = tuple[tuple[Any, ...], Callable[..., Any], tuple[Any, ...]]
"""What its result is called, the work, and its arguments."""


@dataclass(frozen=True)
class Exposure:
    """Quiet time watched and the calls in it; the interval is exact Poisson, 95 %, in days."""

    ground: str
    preset: str
    days: float
    calls: int

    @property
    def interval_d(self) -> tuple[float, float]:
        """Bounds on the mean time between false alarms, days."""
        upper = _poisson_bound(self.calls, 0.025 if self.calls else 0.05)
        lower = _poisson_bound(self.calls - 1, 0.975) if self.calls else 0.0
        return self.days / upper, self.days / lower if lower else math.inf


@dataclass(frozen=True)
class DelayFigure:
    """Delays of one method against one leak on one ground, s; infinite where it did not call in time."""

    ground: str
    method: str
    leak: str
    optimum_s: float
    delays_s: tuple[float, ...]

    def quantile(self, q: float) -> float:
        """The delay that the share q of the trials does not exceed, s."""
        ranked = sorted(self.delays_s)
        return ranked[min(len(ranked) - 1, math.ceil(q * len(ranked)) - 1)]


@dataclass
class Card:
    """Everything that one run measured."""

    seed: int
    years: int
    days: int
    trials: int
    exposures: list[Exposure] = field(default_factory=list)
    thresholds: dict[str, dict[str, float]] = field(default_factory=dict)
    delays: list[DelayFigure] = field(default_factory=list)
    nitrogen_d: dict[str, tuple[float, ...]] = field(default_factory=dict)
    nitrogen_optimum_d: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain data, for `--json`; an infinite delay is null."""
        data = asdict(self)
        for delay in data["delays"]:
            delay["delays_s"] = [None if math.isinf(v) else v for v in delay["delays_s"]]
        data["nitrogen_d"] = {
            k: [None if math.isinf(v) else v for v in values] for k, values in self.nitrogen_d.items()
        }
        return data


def run(
    seed: int = 1,
    jobs: int | None = None,
    years: int = 2,
    days: int = 365,
    trials: int = 15,
    progress: Progress | None = None,
    scheduler: str | None = None,
) -> Card:
    """Measure everything, on the machine's cores or a Dask cluster; the same seed gives the same card on either.

    A year has `days` days, for a trial run of the whole; less than 365 is no evidence.
    """
    card = Card(seed, years, days, trials)
    spread: Spread[Any] = partial(on_cluster, scheduler) if scheduler else partial(on_cores, jobs)
    tasks: list[Task] = [(("nitrogen",), nitrogen_delays, (seed, trials))]
    for year in range(years):
        for key in QUIET:
            tasks.append((("quiet", *key, year), quiet_year, (*key, seed, year, days)))
        for ground in GROUNDS:
            tasks.append((("peaks", ground, year), weekly_peaks, (ground, seed, year, days)))
    for ground, preset in TIMED:
        tasks.append((("delays", ground, preset), detector_delays, (ground, preset, seed, trials, days)))
    total = len(tasks) + len(GROUNDS)
    done = _gather(spread, tasks, progress, 0, total)
    for ground, preset in QUIET:
        calls = sum(done["quiet", ground, preset, year] for year in range(years))
        card.exposures.append(Exposure(ground, preset, float(days * years), calls))
    card.nitrogen_d = done["nitrogen",]
    card.nitrogen_optimum_d = {
        name: optimum_s(ANALYSER, fall / DAY_S) / DAY_S for name, fall in NITROGEN_LEAKS.items()
    }
    second: list[Task] = []
    for ground in GROUNDS:
        peaks = {
            name: np.concatenate([done["peaks", ground, year][name] for year in range(years)])
            for name in done["peaks", ground, 0]
        }
        card.thresholds[ground] = {name: threshold(p, WEEKS_A_YEAR) for name, p in peaks.items()}
        second.append(((ground,), rival_delays, (ground, card.thresholds[ground], seed, trials, days)))
    beaten = _gather(spread, second, progress, len(tasks), total)
    for key in TIMED:
        card.delays += done["delays", *key]
    for ground in GROUNDS:
        card.delays += beaten[ground,]
    return card


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


def quiet_year(ground: str, preset: str, seed: int, year: int, days: int = 365) -> int:
    """False calls in one year, from a detector that knows nothing yet."""
    if ground == "nitrogen":
        return quiet_nitrogen(Detector(parameters(**PRESETS[preset])), _seed(seed, "nitrogen", year), days)
    if ground == "coarse":
        return quiet_steps(Detector(parameters(**PRESETS[preset])), _seed(seed, "coarse", year), days)
    if ground != "life":
        watch = TrialWatch(
            Detector(parameters(**PRESETS[preset])),
            Noise(GROUNDS[ground], np.random.default_rng(_seed(seed, "quiet", ground, year))),
        )
        return sum(len(watch.quiet(DAY_S)) for _ in range(days))
    rng = np.random.default_rng(_seed(seed, "life", year))
    detector, calls = Detector(parameters(**PRESETS[preset])), 0
    for pressure, sensed in Life(Noise(CABIN, rng)).days(days):
        kelvin = np.rint(100 * sensed + rng.standard_normal(len(sensed))).astype(np.int64).tolist()
        record = np.rint(100 * pressure).astype(np.int64).tolist()
        for value, temperature in zip(record, kelvin, strict=True):
            detector.sample(1000, value, temperature)
            if detector.cls:
                calls += 1
                detector.dismiss()
    return calls


def quiet_nitrogen(detector: Detector, seed: np.random.SeedSequence, days: int) -> int:
    """... of the analyser's nitrogen, which nobody consumes."""
    calls = 0
    for noise in Noise(ANALYSER, np.random.default_rng(seed)).take(288 * days).tolist():
        detector.sample(300_000, 10_132_500, 29_500)
        detector.nitrogen(300_000, round(7_903_350 + 100 * noise), 29_500)
        if detector.cls:
            calls += 1
            detector.dismiss()
    return calls


def quiet_steps(detector: Detector, seed: np.random.SeedSequence, days: int) -> int:
    """... of a gauge that rounds to 0.4 mmHg, in a cabin's wander."""
    calls = 0
    noise = Noise(COARSE, np.random.default_rng(seed))
    for _ in range(days):
        record = STEP_PA * np.rint((STANDARD_PA + noise.take(round(DAY_S / COARSE.period_s))) / STEP_PA)
        for value in np.rint(100 * record).astype(np.int64).tolist():
            detector.sample(round(1000 * COARSE.period_s), value, 29_500)
            if detector.cls:
                calls += 1
                detector.dismiss()
    return calls


def weekly_peaks(ground: str, seed: int, year: int, days: int = 365) -> dict[str, Array]:
    """The peak of each rival's statistic in each week of a quiet year."""
    wander = GROUNDS[ground]
    noise = Noise(wander, np.random.default_rng(_seed(seed, "peaks", ground, year)))
    watched = rivals(wander)
    for rival in watched:
        rival.run(noise.take(DAY_S))
    peaks: dict[str, list[float]] = {rival.name: [] for rival in watched}
    for _ in range(max(1, days // 7)):
        top = dict.fromkeys(peaks, 0.0)
        for _ in range(7):
            record = noise.take(DAY_S)
            for rival in watched:
                top[rival.name] = max(top[rival.name], float(rival.run(record).max()))
        for name, value in top.items():
            peaks[name].append(value)
    return {name: np.array(values) for name, values in peaks.items()}


def _limit_s(wander: BackgroundWander, leak: TrialLeak, days: int) -> float:
    return min(max(7200.0, 10 * optimum_s(wander, leak.Pa_s)), min(20.0, days) * DAY_S)


def detector_delays(ground: str, preset: str, seed: int, trials: int, days: int = 365) -> list[DelayFigure]:
    """The firmware's delays, from a detector that has learned the background."""
    wander = GROUNDS[ground]
    watch = TrialWatch.warmed(
        wander, _seed(seed, "warm", ground), min(WARM_DAYS[ground], days), **PRESETS[preset]
    )
    out = []
    for leak in LEAKS:
        delays = []
        for trial in range(trials):
            twin = watch.fork(_seed(seed, "leak", ground, leak.name, trial))
            twin.quiet(3600 + 97 * trial + (7200 if ground == "cabin" else 0))
            delays.append(twin.delay(leak, _limit_s(wander, leak, days)))
        out.append(
            DelayFigure(ground, f"detector, {preset}", leak.name, optimum_s(wander, leak.Pa_s), tuple(delays))
        )
    return out


def rival_delays(
    ground: str, limits: dict[str, float], seed: int, trials: int, days: int = 365
) -> list[DelayFigure]:
    """The rivals' delays at their thresholds, each after a quiet day."""
    wander, out = GROUNDS[ground], []
    for leak in LEAKS:
        limit = int(_limit_s(wander, leak, days))
        found: dict[str, list[float]] = {name: [] for name in limits}
        fall = STANDARD_PA * -np.expm1(-leak.k * np.arange(1, limit + 1))
        for trial in range(trials):
            noise = Noise(wander, np.random.default_rng(_seed(seed, "leak", ground, leak.name, trial)))
            quiet, record = noise.take(DAY_S), noise.take(limit) - fall
            for rival in rivals(wander):
                rival.run(quiet)
                found[rival.name].append(_first(rival, record, limits[rival.name]))
        bound = optimum_s(wander, leak.Pa_s)
        out += [DelayFigure(ground, name, leak.name, bound, tuple(d)) for name, d in found.items()]
    return out


def _first(rival: Rival, record: Array, limit: float) -> float:
    over = rival.run(record) > limit
    return float(over.argmax() + 1) if over.any() else math.inf


def nitrogen_delays(seed: int, trials: int) -> dict[str, tuple[float, ...]]:
    """Days to call the two leaks on nitrogen, 27 Pa of noise each five minutes, while six people breathe."""
    out = {}
    for name, fall in NITROGEN_LEAKS.items():
        delays = []
        for trial in range(trials):
            rng = np.random.default_rng(_seed(seed, "nitrogen", name, trial))
            detector = Detector(parameters())
            delays.append(_nitrogen_delay(detector, rng, fall))
        out[name] = tuple(delays)
    return out


def _nitrogen_delay(detector: Detector, rng: np.random.Generator, fall: float) -> float:
    total, nitrogen = STANDARD_PA, 0.78 * STANDARD_PA
    for i in range(-20 * 288, 20 * 288):
        leak = fall / 288 if i >= 0 else 0.0
        nitrogen -= leak
        total -= leak / 0.78 + 410 / 288
        if i % 1440 == 0:
            total = STANDARD_PA  # oxygen made up each five days
        detector.sample(300_000, round(100 * (total + 10 * rng.standard_normal())), 29_500)
        detector.nitrogen(300_000, round(100 * (nitrogen + 27 * rng.standard_normal())), 29_500)
        if detector.cls:
            if i >= 0:
                return i / 288
            detector.dismiss()
    return math.inf


def _poisson_bound(count: int, tail: float) -> float:
    """The mean at which `count` or fewer events have probability `tail`, by bisection."""
    low, high = 0.0, 10.0 + 10.0 * (count + 1)
    for _ in range(80):
        mid = (low + high) / 2
        below = sum(math.exp(-mid + n * math.log(mid) - math.lgamma(n + 1)) for n in range(count + 1))
        low, high = (mid, high) if below > tail else (low, mid)
    return low


__all__ = ["Card", "DelayFigure", "Exposure", "run"]
