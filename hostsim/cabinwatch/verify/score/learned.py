"""The optimum where level and slope have to be learned from the same record, as under a standing leak.

Both are left free, which takes them out of innovations and templates alike (least squares). No threshold for that is
exact any more; the one of ``optimum`` is kept. The leak's rate is not known: an even mixture of RATES_Pa_d.
"""

from collections.abc import Collection
from typing import Final

import numpy as np

from cabinwatch.verify.score.background import Array
from cabinwatch.verify.score.optimum import Whitener

RATES_Pa_d: Final = np.geomspace(15, 400, 6)
APART: Final = 3
"""Blocks from onset to onset; each stands for so many."""
FIRST: Final = 24
"""Blocks before the first onset."""
OLDEST: Final = 720
"""Blocks of age beyond which an onset is not looked for: a month of hours."""


def learned_log_statistic(innovations: Array, whiten: Whitener, at: Collection[int]) -> Array:
    """After the blocks ``at``, of each path: from the innovations of its block means."""
    n = innovations.shape[-1]
    days = np.arange(n) * whiten.seconds / 86_400
    free = np.stack([whiten(np.ones(n)), whiten(days)])
    ramp = free[1]
    onsets = np.arange(FIRST, n, APART)
    # Sums of products up to block k: of paths e, free terms f, and ramps g from each onset on.
    eg, ef = np.zeros((len(innovations), len(onsets))), np.zeros((len(innovations), 2))
    gg, fg, ff = np.zeros(len(onsets)), np.zeros((2, len(onsets))), np.zeros((2, 2))
    out = []
    for k in range(max(at) + 1):
        g = np.where(k >= onsets, ramp[np.maximum(k - onsets, 0)], 0.0)
        e, f = innovations[:, k], free[:, k]
        eg += e[:, None] * g
        ef += e[:, None] * f
        fg += f[:, None] * g
        ff += f[:, None] * f
        gg += g * g
        if k in at:
            young = (onsets < k) & (onsets > k - OLDEST)
            explained = np.linalg.solve(ff, fg[:, young])
            left = eg[:, young] - ef @ explained
            energy = gg[young] - (fg[:, young] * explained).sum(axis=0)
            out.append(_log_mixture(left, energy))
    return np.array(out).T


def _log_mixture(left: Array, energy: Array) -> Array:
    """Of each path, over onsets and rates alike."""
    ratios = RATES_Pa_d[:, None, None] * left - RATES_Pa_d[:, None, None] ** 2 * energy / 2
    top = ratios.max(axis=(0, 2))
    total = np.exp(ratios - top[:, None]).sum(axis=(0, 2))
    mixed: Array = top + np.log(total * APART / len(RATES_Pa_d))
    return mixed
