"""A standing leak that grows, on an analyser's nitrogen: at PrK 0.9 lb/d for a while, then 2.4 lb/d (February 2024).

What the default run shows once is here drawn many times, after quiet of so many days, growing at once or over days. The
optimum has to learn level and slope as well (``learned``).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from cabinwatch.targets.detector import Detector
from cabinwatch.verify.score.background import DAY_S, STANDARD_PA, BackgroundWander, Noise
from cabinwatch.verify.score.learned import learned_log_statistic
from cabinwatch.verify.score.optimum import YEAR_S, Fall, Whitener, median_delay_s
from cabinwatch.verify.score.presets import parameters

QUIET_D: Final = (7, 15, 37, 67, 90)
GROWTH_D: Final = (0, 2, 10)
BEFORE_Pa_d: Final = 29.4
"""0.9 lb/d from 916 m3, in nitrogen."""
MORE_Pa_d: Final = 47.5
"""... and 1.5 lb/d."""
ALLOWED_cPa_d: Final = 3600
"""The run's ``loss``: what stood before is accepted."""
ANALYSER: Final = BackgroundWander(27.5, 13.6 * math.sqrt(2 / 3760), 3760.0, 300.0)
WAIT_D: Final = 20
HOURLY: Final = 12
"""Readings in the optimum's block."""
TRIALS: Final = 64
WATCHED_BEFORE_D: Final = 3
"""By so much the optimum's false calls are looked for before the onset."""


@dataclass(frozen=True)
class Grown:
    """Delays from the onset, s; ``false`` calls in the quiet before."""

    quiet_d: int
    growth_d: int
    optimum_s: float
    delays_s: tuple[float, ...]
    false: int


def grown(quiet_d: int, growth_d: int, seed: int, trials: int) -> Grown:
    """The firmware's delays, from a detector that knows nothing when the quiet begins."""
    more = Fall(MORE_Pa_d / DAY_S, growth_d * DAY_S)
    period_s = ANALYSER.period_s
    t_s = period_s * np.arange(1, round((quiet_d + WAIT_D) * DAY_S / period_s) + 1, dtype=np.float64)
    onset_s = quiet_d * DAY_S
    fallen_Pa = BEFORE_Pa_d / DAY_S * t_s + more.excess_Pa(t_s - onset_s)
    nitrogen_Pa = 0.78 * STANDARD_PA - fallen_Pa
    delays, false = [], 0
    for trial in range(trials):
        noise = Noise(ANALYSER, np.random.default_rng([seed, quiet_d, growth_d, trial]))
        read_cPa = np.rint(100 * (nitrogen_Pa + noise.take(len(t_s)))).astype(np.int64)
        called_s, before = _called(t_s.tolist(), read_cPa.tolist(), onset_s)
        delays.append(called_s - onset_s)
        false += before
    return Grown(quiet_d, growth_d, grown_optimum_s(quiet_d, growth_d), tuple(delays), false)


def _called(t_s: Sequence[float], read_cPa: Sequence[int], onset_s: float) -> tuple[float, int]:
    """When first after the onset, and how often before."""
    detector, false = Detector(parameters(loss=ALLOWED_cPa_d)), 0
    elapsed_ms, total_cPa = round(1000 * ANALYSER.period_s), round(100 * STANDARD_PA)
    for now_s, cPa in zip(t_s, read_cPa, strict=True):
        detector.sample(elapsed_ms, total_cPa, 29_500)
        detector.nitrogen(elapsed_ms, cPa, 29_500)
        if detector.cls:
            if now_s > onset_s:
                return now_s, false
            false += 1
            detector.dismiss()
    return math.inf, false


def grown_optimum_s(quiet_d: int, growth_d: int, trials: int = TRIALS) -> float:
    """Median delay of the optimum that learns level and slope from the quiet."""
    whiten = Whitener.of(ANALYSER, HOURLY)
    hours, onset = (quiet_d + WAIT_D) * 24, quiet_d * 24
    more = Fall(MORE_Pa_d / DAY_S, growth_d * DAY_S)
    age_s = 3600.0 * (np.arange(hours, dtype=np.float64) - onset)
    paths = np.random.default_rng(77).standard_normal((trials, hours)) + whiten(more.excess_Pa(age_s))
    at = range(onset - WATCHED_BEFORE_D * 24, hours, 2)
    over = learned_log_statistic(paths, whiten, at) > math.log(YEAR_S / whiten.seconds)
    return median_delay_s(over, WATCHED_BEFORE_D * 12, 2 * whiten.seconds)
