"""Figures from few trials, and how far they can be trusted: exact intervals of a Poisson rate and of a median."""

import math
from collections.abc import Sequence
from typing import Final

TAIL: Final = 0.05
"""Outside, on either side: an interval of 90 %, each end of which is a 95 % bound of its own."""


def poisson_interval(count: int) -> tuple[float, float]:
    """Garwood's (1936): the means that see as many events or more, or as few or fewer, with probability TAIL."""
    lower = _poisson_bound(count - 1, 1 - TAIL) if count else 0.0
    return lower, _poisson_bound(count, TAIL)


def _poisson_bound(count: int, tail: float) -> float:
    """The mean at which ``count`` or fewer events have probability ``tail``, by bisection."""
    low, high = 0.0, 10.0 + 10.0 * (count + 1)
    for _ in range(80):
        mid = (low + high) / 2
        below = sum(math.exp(-mid + n * math.log(mid) - math.lgamma(n + 1)) for n in range(count + 1))
        low, high = (mid, high) if below > tail else (low, mid)
    return low


def quantile(values: Sequence[float], q: float) -> float:
    """The value that the share q of them does not exceed."""
    return sorted(values)[max(math.ceil(q * len(values)) - 1, 0)]


def median_interval(values: Sequence[float]) -> tuple[float, float]:
    """Of the law that they were drawn from: the closest pair of ranks around its median in 90 draws of 100.

    Of four values or fewer the least and the greatest, which hold it less often.
    """
    ranked, n = sorted(values), len(values)
    out, below = 0, 0.0
    while (below := below + math.comb(n, out) / 2**n) <= TAIL:
        out += 1
    out = max(out - 1, 0)
    return ranked[out], ranked[n - 1 - out]
