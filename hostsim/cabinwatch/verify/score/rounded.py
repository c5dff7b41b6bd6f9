"""The optimum on a gauge that rounds: the statistic of ``optimum`` where readings are steps and not numbers.

Of a rounded record no innovations are left, so the likelihoods are summed over the wander itself: a chain on a grid
of levels (the forward recursion of a hidden Markov model), once for no leak and once for each onset. Their ratios,
added over the onsets, are the Shiryaev-Roberts statistic. Old onsets are pooled, which leaves the sum as it is.
"""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cabinwatch.verify.score.background import Array, BackgroundWander, Noise
from cabinwatch.verify.score.optimum import YEAR_S, Fall, first_order_s, median_delay_s, optimum_s

Codes = NDArray[np.int64]
Block = tuple[Codes, Array]
"""The codes that were read, and how often each was on each path."""
TRIALS: Final = 24
BLOCKS: Final = 400
"""Blocks that a trial lasts where the level stands; where it wanders, a block is a reading."""
STILL: Final = 12
"""Twelfths of a step by which the wander moves from one block to the next."""
POINTS_MOST: Final = 80
REACH: Final = 4.0
"""Deviations of the wander that the grid spans, up and down."""
AN_E_FOLD: Final = 6
"""Onsets kept an e-fold of age."""
SUREST: Final = -60.0
"""Log of the least probability of a reading: none is impossible."""
LEAST: Final = 1e-200
MOST: Final = 1e100
"""Bounds of a path's likelihood and ratio: far beyond any threshold they stop."""
_Z: Final = np.linspace(-9.0, 9.0, 3601)
_NORMAL: Final = np.array([math.erfc(-z / math.sqrt(2)) / 2 for z in _Z])


@dataclass(frozen=True)
class Levels:
    """The wander on a grid: its points, how likely each is, and the chain from block to block."""

    points_Pa: Array
    share: Array
    chain: Array
    white_Pa: float

    @classmethod
    def of(cls, wander: BackgroundWander, seconds: float, falls_Pa: float) -> "Levels":
        """With what the leak takes within a block as noise of a reading, and the grid's own grain."""
        white = math.hypot(wander.white_Pa, falls_Pa / math.sqrt(12))
        sd = wander.walk * math.sqrt(wander.memory_s / 2)
        if not sd:
            return cls(np.zeros(1), np.ones(1), np.ones((1, 1)), white)
        stay = math.exp(-seconds / wander.memory_s)
        kick = sd * math.sqrt(1 - stay * stay)
        count = min(POINTS_MOST, math.ceil(2 * REACH * sd / kick))
        points = np.linspace(-REACH * sd, REACH * sd, count)
        share = np.exp(-((points / sd) ** 2) / 2)
        chain = np.exp(-(((points[None, :] - stay * points[:, None]) / kick) ** 2) / 2)
        grain = (points[1] - points[0]) / math.sqrt(12)
        return cls(points, share / share.sum(), chain / chain.sum(axis=1)[:, None], math.hypot(white, grain))

    def log_likelihood(
        self, codes: Codes, counts: Array, step_Pa: float, phase_Pa: Array, fallen_Pa: Array
    ) -> Array:
        """Of a block's readings, ``counts`` of each code on each path, after each fall at each point."""
        level = phase_Pa[:, None, None] + self.points_Pa - fallen_Pa[:, None]
        edges = (np.append(codes, codes[-1] + 1) - 0.5) * step_Pa
        below = np.interp((edges - level[..., None]) / self.white_Pa, _Z, _NORMAL)
        log_share = np.log(np.maximum(np.diff(below, axis=-1), math.exp(SUREST)))
        total: Array = np.einsum("phkc,pc->phk", log_share, counts)
        return total


def statistic(
    levels: Levels, step_Pa: float, phase_Pa: Array, blocks: Iterator[Block], fallen_Pa: Array
) -> Iterator[Array]:
    """Of each path, after each block. ``fallen_Pa``: what a leak has cost in the first, second ... block of its age."""
    paths, points = len(phase_Pa), len(levels.points_Pa)
    ages = np.zeros(1, dtype=np.int64)
    likely = np.broadcast_to(levels.share, (paths, 1, points))  # of no leak, then of each onset beside it
    for codes, counts in blocks:
        likely = likely @ levels.chain
        likely = np.concatenate((likely, likely[:, :1]), axis=1)
        ages = np.append(ages, 0)
        ages[1:] += 1
        fallen = np.append(0.0, fallen_Pa)[ages]
        log = levels.log_likelihood(codes, counts, step_Pa, phase_Pa, fallen)
        likely = likely * np.exp(log - log.max(axis=(1, 2), keepdims=True))
        likely = np.minimum(likely / np.maximum(likely[:, :1].sum(axis=2, keepdims=True), LEAST), MOST)
        yield likely[:, 1:].sum(axis=(1, 2))
        if points > 1:  # where the level stands a reading may name the onset
            ages, likely = _pooled(ages, likely)


def _pooled(ages: Codes, likely: Array) -> tuple[Codes, Array]:
    """An onset that lies too close between two for its age goes to the earlier."""
    for i in range(1, len(ages) - 2):
        if (ages[i] - ages[i + 2]) * AN_E_FOLD < ages[i + 2]:
            joined = likely[:, i] + likely[:, i + 1]
            likely = np.delete(likely, i + 1, axis=1)
            likely[:, i] = joined
            return np.delete(ages, i + 1), likely
    return ages, likely


@functools.cache
def rounded_optimum_s(wander: BackgroundWander, step_Pa: float, fall: Fall, trials: int = TRIALS) -> float:
    """Median delay of the optimum on a gauge of such steps; the level lies anywhere between two."""
    noise = BackgroundWander(
        math.hypot(wander.white_Pa, step_Pa / math.sqrt(12)), wander.walk, wander.memory_s, wander.period_s
    )
    if wander.white_Pa >= step_Pa / 2:
        return optimum_s(noise, fall)  # a gauge as noisy as that rounds like noise
    if fall.excess_Pa_s <= 0:
        return math.inf
    about_s = fall.growth_s + first_order_s(noise, fall.excess_Pa_s) + step_Pa / fall.excess_Pa_s
    most = int(3 * about_s / wander.period_s / BLOCKS)
    if wander.walk:
        # The readings between, while it moves by so little of a step, tell next to nothing.
        between_s = (step_Pa / STILL / wander.walk) ** 2
        wander = replace(
            wander, period_s=wander.period_s * max(1, min(int(between_s / wander.period_s), most))
        )
    block = 1 if wander.walk else max(1, most)
    seconds = block * wander.period_s
    n = math.ceil(3 * about_s / seconds)
    quiet = n // 3
    rng = np.random.default_rng(77)
    phase_Pa = step_Pa * ((np.arange(trials) + 0.5) / trials - 0.5)
    fallen_Pa = fall.excess_Pa(
        (np.arange(n + quiet, dtype=np.float64) * block + (block + 1) / 2) * wander.period_s
    )
    sources = [Noise(wander, rng) for _ in range(trials)]

    def blocks() -> Iterator[Block]:
        for i in range(-quiet, n):
            age_s = wander.period_s * (i * block + np.arange(1, block + 1, dtype=np.float64))
            pressure = np.stack([s.take(block) for s in sources]) + phase_Pa[:, None] - fall.excess_Pa(age_s)
            read = np.rint(pressure / step_Pa).astype(np.int64)
            codes = np.arange(read.min(), read.max() + 1)
            yield codes, (read[:, :, None] == codes).sum(axis=1).astype(np.float64)

    levels = Levels.of(wander, seconds, fall.excess_Pa_s * seconds)
    limit = YEAR_S / seconds
    over = np.array([s > limit for s in statistic(levels, step_Pa, phase_Pa, blocks(), fallen_Pa)])
    return median_delay_s(over.T, quiet, seconds)
