"""The same leaks over other gauges and other volumes: one of poll period, noise, step and volume changed at a time.

A detector that suits its settings everywhere is later where the optimum is later, and by as much. Where it is slower
against its neighbour by more than MOST of what the optimum changes, the page marks it.
"""

import dataclasses
from dataclasses import dataclass
from typing import Final

import numpy as np

from cabinwatch.targets.detector import Detector
from cabinwatch.verify.score.air import kg_a_Pa
from cabinwatch.verify.score.background import DAY_S, STANDARD_PA, BackgroundWander, Noise
from cabinwatch.verify.score.gauge import Gauge
from cabinwatch.verify.score.optimum import Fall
from cabinwatch.verify.score.presets import BENCH_PRESET, parameters
from cabinwatch.verify.score.rounded import rounded_optimum_s
from cabinwatch.verify.score.trials import TrialLeak, TrialWatch

MOST: Final = 1.5
READINGS_LEAST: Final = 4
"""Of an optimum that is compared: with fewer nobody calls who does not know noise and rate."""
LEAKS_kg_d: Final = (0.227, 1.678, 20.0)
"""0.5 lb/d, PrK in April 2024, and a hole."""
WARM: Final = 50
"""Optimum delays of quiet before a leak: the scale that calls it has learned by then."""
WARM_LEAST: Final = 1_600
"""Readings."""
WARM_MOST: Final = 150_000
WAIT: Final = 20
"""Optimum delays for which a call is waited."""


@dataclass(frozen=True)
class Setting:
    """A gauge and the air that it watches."""

    period_s: float = 60.0
    noise_Pa: float = 1.0
    step_Pa: float = 0.0
    volume_m3: float = 100.0

    def Pa_s(self, kg_d: float) -> float:
        """The fall that a leak makes."""
        return kg_d / DAY_S / kg_a_Pa(self.volume_m3)

    @property
    def wander(self) -> BackgroundWander:
        return BackgroundWander(self.noise_Pa, period_s=self.period_s)

    def optimum_s(self, kg_d: float) -> float:
        return rounded_optimum_s(self.wander, self.step_Pa, Fall(self.Pa_s(kg_d)))


AXES: Final[dict[str, tuple[float, ...]]] = {
    "period_s": (0.1, 1.0, 10.0, 60.0, 600.0, 3600.0),
    "noise_Pa": (0.1, 0.3, 1.0, 3.0, 10.0, 30.0),
    "step_Pa": (0.0, 1.0, 10.0, 53.0),
    "volume_m3": (1.0, 10.0, 100.0, 1000.0),
}
ROWS: Final = [
    (axis, dataclasses.replace(Setting(), **{axis: value}))
    for axis, values in AXES.items()
    for value in values
]


@dataclass(frozen=True)
class Neighbour:
    """One row: median delay and optimum for each of the leaks, s."""

    axis: str
    setting: Setting
    delays_s: tuple[float, ...]
    optima_s: tuple[float, ...]

    def strays(self, other: "Neighbour") -> list[bool]:
        """For each leak, whether the two differ by more than MOST from what the optimum changes."""
        pairs = zip(self._over_least(), other._over_least(), strict=True)
        return [not 1 / MOST <= mine / theirs <= MOST for mine, theirs in pairs]

    def _over_least(self) -> list[float]:
        least_s = READINGS_LEAST * self.setting.period_s
        return [d / max(best, least_s) for d, best in zip(self.delays_s, self.optima_s, strict=True)]


def neighbour(axis: str, setting: Setting, seed: int, trials: int) -> Neighbour:
    """Each trial from a detector that has learned noise of its own; the level lies anywhere in a step."""
    optima = tuple(setting.optimum_s(kg_d) for kg_d in LEAKS_kg_d)
    found: list[list[float]] = [[] for _ in LEAKS_kg_d]
    for trial in range(trials):
        rng = np.random.default_rng([seed, *_words(axis, setting), trial])
        phase_Pa = setting.step_Pa * ((trial + 0.5) / trials - 0.5)
        detector = Detector(parameters(**BENCH_PRESET))
        watch = TrialWatch(detector, Noise(setting.wander, rng), Gauge(setting.step_Pa, phase_Pa=phase_Pa))
        watch.quiet(_warm_s(setting, optima))
        for i, kg_d in enumerate(LEAKS_kg_d):
            twin = watch.fork(np.random.SeedSequence([seed, trial, i]))
            twin.quiet(setting.period_s * (7 * trial + 1))
            leak = TrialLeak("", setting.Pa_s(kg_d) / STANDARD_PA)
            found[i].append(twin.delay(leak, WAIT * max(optima[i], 30 * setting.period_s)))
    medians = tuple(float(np.median(delays)) for delays in found)
    return Neighbour(axis, setting, medians, optima)


def _warm_s(setting: Setting, optima: tuple[float, ...]) -> float:
    wanted = max(WARM * max(optima), WARM_LEAST * setting.period_s)
    return min(wanted, WARM_MOST * setting.period_s)


def _words(axis: str, setting: Setting) -> tuple[int, ...]:
    return (list(AXES).index(axis), *(round(1000 * v) for v in dataclasses.astuple(setting)))


def marks(rows: list[Neighbour]) -> list[list[bool]]:
    """For each row and leak, whether it strays from the row before it on its axis."""
    out = []
    for i, row in enumerate(rows):
        first = i == 0 or rows[i - 1].axis != row.axis
        out.append([False] * len(row.delays_s) if first else row.strays(rows[i - 1]))
    return out
