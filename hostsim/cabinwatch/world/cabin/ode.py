"""Dormand and Prince's 5(4) pair with its fourth-order dense output, in plain Python.

Dormand & Prince, J. Comp. Appl. Math. 6 (1980) 19; dense output and step control as in Hairer, Norsett &
Wanner, *Solving Ordinary Differential Equations I*, II.4 to II.6.

The steps depend only on the equations and where they start: a look-up reads the polynomial of the step it
falls in, and a later look-up takes further steps, never others. So nothing depends on how often or in what
order anyone looks.
"""

import math
from bisect import bisect_right
from collections.abc import Callable

from cabinwatch.errors import UsageError

State = list[float]
Equations = Callable[[float, State], State]

RTOL = 1e-10
_SAFETY, _SHRINK, _GROW = 0.9, 0.2, 5.0
_LEAST_STEP_s = 1e-9
MOST_STEPS = 2_000_000
"""Bound on the steps of one trajectory: a stiff network left on for years stops with a message, not a
hang."""

# The differences between the two orders (E), and the dense output weights (D), for stages 1, 3, 4, 5, 6, 7.
E1, E3, E4, E5, E6, E7 = 71 / 57600, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40
D1, D3, D4 = -12715105075 / 11282082432, 87487479700 / 32700410799, -10690763975 / 1880347072
D5, D6, D7 = 701980252875 / 199316789632, -1453857185 / 822651844, 69997945 / 29380423

Stages = tuple[State, State, State, State, State, State, State, State]


def stages(f: Equations, t: float, y: State, k1: State, h: float) -> Stages:
    """One step of size h: the new state and the seven slopes k1 to k7 (k7 is the next step's k1)."""
    k2 = f(t + h / 5, [a + h * b / 5 for a, b in zip(y, k1, strict=True)])
    k3 = f(t + 3 * h / 10, [a + h * (3 / 40 * b + 9 / 40 * c) for a, b, c in zip(y, k1, k2, strict=True)])
    k4 = f(
        t + 4 * h / 5,
        [a + h * (44 / 45 * b - 56 / 15 * c + 32 / 9 * d) for a, b, c, d in zip(y, k1, k2, k3, strict=True)],
    )
    k5 = f(
        t + 8 * h / 9,
        [
            a + h * (19372 / 6561 * b - 25360 / 2187 * c + 64448 / 6561 * d - 212 / 729 * e)
            for a, b, c, d, e in zip(y, k1, k2, k3, k4, strict=True)
        ],
    )
    k6 = f(
        t + h,
        [
            a + h * (9017 / 3168 * b - 355 / 33 * c + 46732 / 5247 * d + 49 / 176 * e - 5103 / 18656 * g)
            for a, b, c, d, e, g in zip(y, k1, k2, k3, k4, k5, strict=True)
        ],
    )
    y1 = [
        a + h * (35 / 384 * b + 500 / 1113 * d + 125 / 192 * e - 2187 / 6784 * g + 11 / 84 * m)
        for a, b, d, e, g, m in zip(y, k1, k3, k4, k5, k6, strict=True)
    ]
    return y1, k1, k2, k3, k4, k5, k6, f(t + h, y1)


class Trajectory:
    """The solution from (t0, y0) on, extended lazily; ``end`` (which may be infinite) is stepped on exactly.

    ``atol`` is one absolute tolerance a component (the same unit as the state), ``longest`` the longest
    step, s.
    """

    def __init__(
        self, f: Equations, t0: float, y0: State, end: float, atol: State, longest: float = math.inf
    ) -> None:
        self._f, self._t, self._y, self._end, self._atol, self._longest = f, t0, y0, end, atol, longest
        self._k1 = f(t0, y0)
        self._h = self._first_step()
        self.starts: list[float] = []
        self._steps: list[tuple[float, State, State, Stages | None]] = []  # h, y0, y1, stages
        self._dense: dict[int, list[tuple[float, float, float, float, float]]] = {}

    def _first_step(self) -> float:
        """A step that changes no component by more than a thousandth of its scale; short of anything
        sharper."""
        rate = 0.0
        for y, k, a in zip(self._y, self._k1, self._atol, strict=True):
            rate = max(rate, abs(k) / (abs(y) + a / RTOL))
        return min(self._longest, 1e-3 / rate if rate > 0 else 60.0, 60.0)

    def _advance(self) -> None:
        t, y, end = self._t, self._y, self._end
        h = min(self._h, self._longest)
        if len(self._steps) >= MOST_STEPS:
            raise UsageError(
                f"[cabin]: air moves too quickly beside other flows to be followed beyond {t:g} s: "
                "a smaller leak, or nothing else in that compartment"
            )
        while True:
            last = t + h >= end
            if last:
                h = end - t
            got = stages(self._f, t, y, self._k1, h)
            error = self._error(y, got, h)
            scale = _GROW if error < 1e-9 else min(_GROW, max(_SHRINK, _SAFETY * error**-0.2))
            if error <= 1 or h <= _LEAST_STEP_s:
                break
            h *= min(scale, 0.9)
        self.starts.append(t)
        self._steps.append((h, y, got[0], got))
        self._t, self._y, self._k1 = (end if last else t + h), got[0], got[7]
        self._h = h * scale

    def _error(self, y: State, got: Stages, h: float) -> float:
        """The largest error of a component over its tolerance."""
        worst = 0.0
        y1, k1, _, k3, k4, k5, k6, k7 = got
        for i, tolerance in enumerate(self._atol):
            e = h * (E1 * k1[i] + E3 * k3[i] + E4 * k4[i] + E5 * k5[i] + E6 * k6[i] + E7 * k7[i])
            worst = max(worst, abs(e) / (tolerance + RTOL * max(abs(y[i]), abs(y1[i]))))
        return worst

    def _polynomial(self, i: int) -> list[tuple[float, float, float, float, float]]:
        """Step i's dense output: y0 + x(r2 + (1-x)(r3 + x(r4 + (1-x) r5))), x in [0, 1]."""
        h, y, y1, got = self._steps[i]
        assert got is not None
        _, k1, _, k3, k4, k5, k6, k7 = got
        rows = []
        for j, (a, b) in enumerate(zip(y, y1, strict=True)):
            r2 = b - a
            r3 = h * k1[j] - r2
            r4 = r2 - h * k7[j] - r3
            r5 = h * (D1 * k1[j] + D3 * k3[j] + D4 * k4[j] + D5 * k5[j] + D6 * k6[j] + D7 * k7[j])
            rows.append((a, r2, r3, r4, r5))
        self._dense[i] = rows
        self._steps[i] = (h, y, y1, None)  # the stages have done their work
        return rows

    def at(self, t: float) -> State:
        """The state at t0 <= t <= end."""
        while t > self._t:
            self._advance()
        if t == self._t:
            return list(self._y)
        i = bisect_right(self.starts, t) - 1
        rows = self._dense.get(i) or self._polynomial(i)
        x = (t - self.starts[i]) / self._steps[i][0]
        z = 1 - x
        return [a + x * (b + z * (c + x * (d + z * e))) for a, b, c, d, e in rows]
