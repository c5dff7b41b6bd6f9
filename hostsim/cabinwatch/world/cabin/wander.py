"""The wander of a quiet cabin's pressure: an Ornstein-Uhlenbeck process.

Dx = -x/tau dt + q dW. Its Allan deviation over a time T is (Allan variance of a first-order Gauss-Markov
process, IEEE Std 952, annex C)

    q tau sqrt((1 - tau/(2T) (3 - 4 exp(-T/tau) + exp(-2T/tau))) / T)

The default q and tau are the least-squares fit, in the logarithm, of that curve to the deviations measured
on a quiet station (1.6 Pa at 30 s, 3 at 5 min, 9 at 30 min, 10 at 1 h): q = 0.407 Pa/sqrt(s), tau = 3760 s.
The fit gives 1.28, 3.95, 8.40 and 10.1 Pa; two parameters cannot do better on these four. A pure random
walk of 0.38 Pa/sqrt(s) is its short-time limit, and the standard deviation it settles at is q sqrt(tau/2) =
17.6 Pa.
"""

import math
import random
from array import array
from typing import NamedTuple

from cabinwatch.models.background import FITTED_Q, FITTED_TAU_s

_BLOCK = 1024


def allan_deviation(T_s: float, q: float = FITTED_Q, tau_s: float = FITTED_TAU_s) -> float:
    """Allan deviation of the process averaged over T (formula above), Pa."""
    x = T_s / tau_s
    return q * tau_s * math.sqrt((1 - (3 - 4 * math.exp(-x) + math.exp(-2 * x)) / (2 * x)) / T_s)


class Wander:
    """A sample path, the same for a seed whatever is asked and in what order.

    Exact steps of the process on a grid of ``grid_s``, straight lines between; made in blocks when first
    needed, each block from its own sub-seed and the last value before it. Time to reach t is proportional
    to t, once.
    """

    def __init__(
        self, seed: int | str, q: float = FITTED_Q, tau_s: float = FITTED_TAU_s, grid_s: float = 10.0
    ) -> None:
        self._seed = seed
        self._grid = grid_s
        self._decay = math.exp(-grid_s / tau_s)
        self._sigma = q * math.sqrt(tau_s / 2 * -math.expm1(-2 * grid_s / tau_s))
        first = random.Random(f"{seed}/wander").gauss(0.0, q * math.sqrt(tau_s / 2))
        self._path = array("d", [first])

    def at(self, t_s: float) -> float:
        """The wander at t >= 0, Pa at one atmosphere."""
        place = t_s / self._grid
        i = int(place)
        path = self._path
        while i + 1 >= len(path):
            self._grow()
        low = path[i]
        return low + (path[i + 1] - low) * (place - i)

    def _grow(self) -> None:
        rng = random.Random(f"{self._seed}/wander/{len(self._path) // _BLOCK}")
        x = self._path[-1]
        for _ in range(_BLOCK):
            x = x * self._decay + rng.gauss(0.0, self._sigma)
            self._path.append(x)


class Course(NamedTuple):
    """How a zone wanders: on the path of its first room, from a gap beside it at ``since`` s on."""

    lead: int
    since: float = 0.0
    gap_Pa: float = 0.0
