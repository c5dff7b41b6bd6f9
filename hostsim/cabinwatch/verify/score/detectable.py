"""What a gauge can see: the smallest steady leak that the slow watch calls in time, reckoned from its formulas.

No simulation: the difference of each scale answers a fall of r a block with r g(n) after n blocks, and is as noisy as
the gauge and the cabin make it (firmware/DETECTOR.md, "The slow leak"). A leak is seen where some scale shows it 95
times in 100: by the threshold and 1.645 deviations more. The threshold is itself uncertain, for it goes by the spread
that the scale has learned: within an hour or a day that of hundreds of differences, within a week that of eleven. That
there was no false alarm in that time is taken for granted: accepting one spoils what the slowest scales learn next.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from cabinwatch.verify.score.air import kg_a_Pa
from cabinwatch.verify.score.background import DAY_S, BackgroundWander
from cabinwatch.verify.score.optimum import Whitener
from cabinwatch.verify.score.presets import INDEX, parameters

SPANS_S: Final = {"1 h": 3_600, "1 d": DAY_S, "7 d": 7 * DAY_S}
SCALES: Final = range(2, 16)
"""Powers of two of seconds: the blocks of the ladder on total pressure."""
SETTLED_S: Final = 30 * DAY_S
"""Of quiet before the leak."""
LEARNED_MOST: Final = 255
LEARNED_LEAST: Final = 10
SURE: Final = 1.645
"""Deviations that 95 of 100 draws of a normal law do not exceed."""
DEVIATION: Final = 1.2533
"""... of that law, in mean absolute deviations."""
LOST: Final = 0.95
"""Of a block: a leak begins anywhere within one, and 95 times in 100 it loses no more than this of it."""
DOUBT: Final = math.sqrt(math.pi / 2 - 1)
"""Relative deviation of the mean absolute deviation of one difference; of m it is this over the root of m."""
_AGE = np.arange(128)
WEIGHTS: Final = (15 / 16) ** _AGE / 16 - (3 / 4) ** _AGE / 4


@dataclass(frozen=True)
class Seen:
    """The smallest leak that is called within ``within``."""

    within: str
    Pa_h: float
    kg_d: float


def detectable(wander: BackgroundWander, step_Pa: float, volume_m3: float) -> Iterator[Seen]:
    """For each span, of a gauge that rounds to ``step_Pa``, with nothing but the leak moving the pressure."""
    for within, span_s in SPANS_S.items():
        Pa_s = min((_least_Pa_s(wander, step_Pa, scale, span_s) for scale in SCALES), default=math.inf)
        yield Seen(within, Pa_s * 3600, Pa_s * DAY_S * kg_a_Pa(volume_m3))


def _least_Pa_s(wander: BackgroundWander, step_Pa: float, scale: int, span_s: float) -> float:
    seconds = 1 << scale
    samples = int(seconds / wander.period_s)
    blocks = span_s / seconds - LOST
    # Each fourth difference is learned, the first once its averages have sixteen blocks and it has waited for as many.
    learned = min((SETTLED_S / seconds - 33) // 4, LEARNED_MOST)
    if samples < 2 or blocks < 1 or learned < LEARNED_LEAST:
        return math.inf
    noise = BackgroundWander(
        math.hypot(wander.white_Pa, step_Pa / math.sqrt(12)), wander.walk, wander.memory_s, wander.period_s
    )
    sd_Pa = deviation_Pa(noise, samples)
    plain = parameters()[INDEX["threshold"]] - (7 * scale >> 2)
    eighths = plain + plain * (plain * plain / 100 + 1) / (4 * learned)
    # A scale begins with what that two octaves down knows of a fall, which is noise where none is, and so did that one:
    # from pair to pair one deviation more is learned as spread.
    begun = (scale - max(SCALES[0], math.ceil(math.log2(wander.period_s)))) // 2
    learned_Pa = eighths / 8 * sd_Pa / DEVIATION * (1 + begun / learned)
    limit_Pa = max(learned_Pa, 0.75 * step_Pa)
    doubt_Pa = learned_Pa * DOUBT / math.sqrt(learned) if learned_Pa == limit_Pa else 0.0
    least_Pa_s: float = (limit_Pa + SURE * math.hypot(sd_Pa, doubt_Pa)) / (response(blocks) * seconds)
    return least_Pa_s


def response(blocks: float) -> float:
    """The difference, in blocks of a steady fall, so many blocks after its onset."""
    value: float = 12 - 15 * (15 / 16) ** blocks + 3 * (3 / 4) ** blocks
    return value


def deviation_Pa(wander: BackgroundWander, samples: int) -> float:
    """Standard deviation of the difference where a block has so many samples."""
    whiten = Whitener.of(wander, samples)
    phi, theta, v = whiten.phi, whiten.theta, whiten.variance
    # The autocovariances of ARMA(1,1).
    c0 = v * (1 + theta**2 + 2 * phi * theta) / (1 - phi**2)
    c1 = v * (1 + phi * theta) * (phi + theta) / (1 - phi**2)
    lag = np.abs(np.subtract.outer(_AGE, _AGE))
    covariance = np.where(lag == 0, c0, c1 * phi ** np.maximum(lag - 1, 0))
    return math.sqrt(float(WEIGHTS @ covariance @ WEIGHTS))
