"""How a leak's size and a compartment's temperature go over time: exact pieces with known corners.

A `Curve` is what a leak's profile becomes: a factor of its size, in pieces that are constant, linear,
exponential, or grow as a fatigue crack does. `ThermalCurve` is a sum of temperature terms. Both tell their
corners, so that the solver never steps over one.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Shape = Literal["linear", "exponential", "fatigue"]

PARIS_EXPONENT = 4.0
"""Exponent m of the Paris law da/dN = C dK^m for aluminium alloys (3 to 4.5 in handbooks)."""

GROWTH_MOST = 1e12
"""The curved shapes go by a ratio: beyond this one, as from nothing, they have no meaning and no digits left."""


@dataclass(frozen=True, slots=True)
class CurvePiece:
    """A factor going from v0 at t0 to v1 at t1 (t1 > t0), by its shape.

    ``fatigue``: the crack length a obeys the Paris law, so a^(1-m/2) is linear in time; the leak is a^power
    (2 for an orifice: an area; 4 for a viscous crack: width cubed times length).
    """

    t0: float
    v0: float
    t1: float
    v1: float
    shape: Shape
    power: float = 2.0

    def at(self, t: float) -> float:
        x = (t - self.t0) / (self.t1 - self.t0)
        if self.shape == "linear":
            return self.v0 + (self.v1 - self.v0) * x
        ratio = self.v1 / self.v0
        if self.shape == "exponential":
            return self.v0 * math.pow(ratio, x)
        e = (1 - PARIS_EXPONENT / 2) / self.power
        return self.v0 * math.pow(1 + (math.pow(ratio, e) - 1) * x, 1 / e)

    def integral(self, t: float) -> float:
        """The integral from t0 to t, closed form by shape."""
        span, v = self.t1 - self.t0, self.at(t)
        if self.shape == "linear":
            return (self.v0 + v) / 2 * (t - self.t0)
        ratio = self.v1 / self.v0
        if abs(ratio - 1) < 1e-9:
            return self.v0 * (t - self.t0)
        if self.shape == "exponential":
            return (v - self.v0) * span / math.log(ratio)
        e = (1 - PARIS_EXPONENT / 2) / self.power
        q = 1 / e + 1
        return self.v0 * span / (math.pow(ratio, e) - 1) * (math.pow(v / self.v0, e * q) - 1) / q


def is_growth(v0: float, v1: float) -> bool:
    """Whether a curved shape can go from the one to the other."""
    return min(v0, v1) * GROWTH_MOST > max(v0, v1)


class Curve:
    """A factor over time: 0 before the first entry, then pieces and holds."""

    def __init__(self) -> None:
        self._starts: list[float] = []
        self._pieces: list[CurvePiece | float] = []

    def go(
        self, at: float, to: float, over: float = 0.0, shape: Shape = "linear", power: float = 2.0
    ) -> None:
        """From ``at`` on, forget what was planned; go to ``to`` within ``over`` seconds, and stay there.

        Raises ValueError when a shape other than linear starts or ends at zero, or next to it.
        """
        v0 = self.value(at)
        keep = bisect_right(self._starts, at)
        if keep and self._starts[keep - 1] == at:
            keep -= 1
        del self._starts[keep:], self._pieces[keep:]
        if over > 0 and to != v0:
            if shape != "linear" and not is_growth(v0, to):
                raise ValueError(
                    f"{shape} growth must start and end above zero, not go from {v0:g} to {to:g}"
                )
            self._add(at, CurvePiece(at, v0, at + over, to, shape, power))
        self._add(at + over, to)

    def _add(self, at: float, piece: CurvePiece | float) -> None:
        self._starts.append(at)
        self._pieces.append(piece)

    def corners(self) -> Sequence[float]:
        return self._starts

    def piece(self, t: float) -> CurvePiece | float:
        """The piece in force at t: a number where the factor holds."""
        i = bisect_right(self._starts, t)
        return self._pieces[i - 1] if i else 0.0

    def value(self, t: float) -> float:
        piece = self.piece(t)
        return piece.at(t) if isinstance(piece, CurvePiece) else piece

    def integral(self, t: float) -> float:
        """The integral from 0 to t."""
        total = 0.0
        for i, (start, piece) in enumerate(zip(self._starts, self._pieces, strict=True)):
            if start >= t:
                break
            end = min(t, self._starts[i + 1]) if i + 1 < len(self._starts) else t
            total += piece.integral(end) if isinstance(piece, CurvePiece) else piece * (end - start)
        return total


@dataclass(frozen=True, slots=True)
class Term:
    """A change of temperature in K, 0 before t0.

    ``swing``: size * sin(2 pi (t - t0)/span) until t1; ``ramp``: straight to ``size`` within ``span`` (0: a
    step); ``approach``: size * (1 - exp(-(t - t0)/span)), what a heater failure does. The last two end at
    t1 by a step back.
    """

    kind: Literal["swing", "ramp", "approach"]
    t0: float
    t1: float
    size: float
    span: float

    def at(self, t: float) -> float:
        x = t - self.t0
        if self.kind == "swing":
            return self.size * math.sin(2 * math.pi * x / self.span)
        if self.kind == "approach":
            return -self.size * math.expm1(-x / self.span)
        return self.size if x >= self.span else self.size * x / self.span

    def corners(self) -> list[float]:
        return [self.t0, self.t1, self.t0 + self.span] if self.kind == "ramp" else [self.t0, self.t1]

    def still(self, t: float) -> bool:
        """Whether it holds one value from t to its next corner."""
        return self.kind == "ramp" and t >= self.t0 + self.span


class ThermalCurve:
    """The temperature of a compartment: a base and terms."""

    def __init__(self, base_K: float, terms: Sequence[Term] = ()) -> None:
        self.base = base_K
        self.terms = list(terms)

    def corners(self) -> list[float]:
        return [c for term in self.terms for c in term.corners()]

    def value(self, t: float) -> float:
        return self.base + sum(term.at(t) for term in self.terms if term.t0 <= t < term.t1)

    def on(self, t: float) -> tuple[float, Callable[[float], float] | None]:
        """From the corner t to the next: the value at t, and the function of time if it does not hold it."""
        active = [term for term in self.terms if term.t0 <= t < term.t1]
        fixed = self.base + sum(term.at(t) for term in active if term.still(t))
        moving = [term.at for term in active if not term.still(t)]
        if not moving:
            return fixed, None
        if len(moving) == 1:
            only = moving[0]
            return self.value(t), lambda t: fixed + only(t)
        return self.value(t), lambda t: fixed + sum(at(t) for at in moving)

    def longest_step(self, t: float) -> float:
        """A step, s, that no active swing can hide in."""
        spans = [term.span for term in self.terms if term.kind != "ramp" and term.t0 <= t < term.t1]
        return min(spans) / 8 if spans else math.inf
