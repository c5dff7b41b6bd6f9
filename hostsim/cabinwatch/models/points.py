"""A leak from published points: the rate at which a law goes through them with the least squares of pressure.

The first point is where the blow-down begins; x = rate t / p0 is how far it has gone. Each later point alone would ask
for one rate, and the best one lies between the least and the greatest of these.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from cabinwatch.models.leaks import Law


class _Course(NamedTuple):
    """The share of the pressure that is left at x, and the x at which a share is left."""

    left: Callable[[float], float]
    gone: Callable[[float], float]


_COURSES: Mapping[Law, _Course] = {
    "orifice": _Course(lambda x: math.exp(-x), lambda left: -math.log(left)),
    "crack": _Course(lambda x: 1 / (1 + x), lambda left: 1 / left - 1),
    "linear": _Course(lambda x: 1 - x, lambda left: 1 - left),
}
_GOLDEN = (math.sqrt(5) - 1) / 2
_HALVINGS = 100
"""Steps of the search: each shrinks the bracket to 0.618, a hundred to 1e-21 of it, below rounding."""

Points = Sequence[tuple[float, float]]
"""Times in s and pressures in Pa."""


def residuals(law: Law, points: Points, rate_Pa_s: float) -> list[float]:
    """How far the law lies above each point, Pa; 0 at the first."""
    begin, first = points[0]
    left = _COURSES[law].left
    return [first * left(rate_Pa_s * (t - begin) / first) - p for t, p in points]


def fit(law: Law, points: Points) -> float:
    """The rate at the first point's pressure, Pa/s. Raises ValueError where the points are none of a leak."""
    begin, first = points[0]
    times = [t for t, _ in points]
    if times != sorted(set(times)):
        raise ValueError("points must be in order of time, each at a time of its own")
    if min(p for _, p in points) <= 0:
        raise ValueError("points must have pressures above zero")
    gone = _COURSES[law].gone
    rates = [first * gone(p / first) / (t - begin) for t, p in points[1:]]
    low, high = max(0.0, min(rates)), max(rates)
    if high <= 0:
        raise ValueError("points must fall: the pressure of no later one is below the first")

    def misfit(rate: float) -> float:
        return sum(r * r for r in residuals(law, points, rate))

    for _ in range(_HALVINGS):
        a, b = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, b) if misfit(a) < misfit(b) else (a, high)
    return (low + high) / 2
