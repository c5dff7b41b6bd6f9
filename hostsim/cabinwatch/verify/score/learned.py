"""The optimum where level and slope have to be learned from the same record, as under a standing leak.

Both are left free, which takes them out of innovations and templates alike (least squares). No threshold for that is
exact any more; the one of ``optimum`` is kept. The leak's rate is not known: an even mixture of RATES_Pa_d.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from cabinwatch.verify.score.background import Array
from cabinwatch.verify.score.optimum import Whitener

RATES_Pa_d: Final = np.geomspace(15, 400, 6)
APART: Final = 3
"""Blocks from onset to onset; each stands for so many."""
FIRST: Final = 24
"""Blocks before the first onset."""


def learned_log_statistic(innovations: Array, whiten: Whitener, at: Sequence[int]) -> Array:
    """After the blocks ``at``, of each path: from the innovations of its block means."""
    n = innovations.shape[-1]
    days = np.arange(n) * whiten.seconds / 86_400
    free = np.stack([whiten(np.ones(n)), whiten(days)], axis=1)
    ramp = whiten(days)
    onsets = np.arange(FIRST, n, APART)
    ages = np.arange(n) - onsets[:, None]
    ramps = np.where(ages >= 0, ramp[np.maximum(ages, 0)], 0.0)
    out = []
    for k in at:
        known, _ = np.linalg.qr(free[: k + 1])
        seen = ramps[onsets < k, : k + 1]
        e = innovations[:, : k + 1]
        left = e @ seen.T - (e @ known) @ (seen @ known).T
        energy = (seen**2).sum(axis=1) - ((seen @ known) ** 2).sum(axis=1)
        ratios = RATES_Pa_d[:, None, None] * left - RATES_Pa_d[:, None, None] ** 2 * energy / 2
        top = ratios.max(axis=(0, 2))
        total = np.exp(ratios - top[:, None]).sum(axis=(0, 2))
        out.append(top + np.log(total * APART / len(RATES_Pa_d)))
    return np.array(out).T
