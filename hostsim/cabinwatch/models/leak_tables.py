"""The tables of leaks: a size or published points, and how it goes over time."""

from typing import Self

from pydantic import Field, model_validator

from cabinwatch.models.curve import Curve, Shape
from cabinwatch.models.fields import Duration, Pressure, Size, Table
from cabinwatch.models.leaks import SHARP_EDGE_CD, Law
from cabinwatch.models.points import fit
from cabinwatch.models.units import LeakSize


class Change(Table):
    """A change of a leak's size."""

    at: Duration = Field(description="when it begins, s from the start")
    to: float | Size = Field(
        description="the new size: a factor of `size` (0: patched), or a size of the same kind"
    )
    over: Duration = Field(0.0, description="how long it takes, s; 0 is a step")
    shape: Shape = Field(
        "linear", description="'linear', 'exponential', or 'fatigue' (as a crack grows under load cycles)"
    )


class Sized(Table):
    """A size and its profile over time."""

    size: Size = Field(
        description="size: a hole's diameter, kg/d, lb/d, mmHg/d, psi/d, mbar/h, Pa/h ..., mbar l/s, Pa m3/s, sccm, "
        "T1mm <time>"
    )
    at: Duration = Field(0.0, description="onset, s from the start")
    profile: list[Change] = Field(default=[], description="changes of the size, in order of time")

    @model_validator(mode="after")
    def _profile(self) -> Self:
        self.check()
        return self

    def check(self) -> None:
        """Raises ValueError for a size of nothing, a profile out of order, or one that cannot be."""
        if self.size.value <= 0:
            raise ValueError("size must be above zero; give a leak that starts at nothing a later `at`")
        last = self.at
        for change in self.profile:
            if change.at < last:
                raise ValueError("profile must be in order of time, from `at` on")
            last = change.at
        self.curve()

    def curve(self, power: float = 2.0, now: float = 0.0) -> Curve:
        """The factor of the size over time, times counted from ``now``; ``power`` as in `curve.Piece`.

        Raises ValueError for a size of another kind, or for growth from or to nothing.
        """
        curve = Curve()
        curve.go(now + self.at, 1.0)
        for change in self.profile:
            curve.go(now + change.at, self.factor(change.to), change.over, change.shape, power)
        return curve

    def factor(self, to: float | LeakSize) -> float:
        """``to`` as a factor of ``size``, >= 0. Raises ValueError for a size of another kind."""
        if not isinstance(to, LeakSize):
            if to < 0:
                raise ValueError("a leak's factor must not be negative")
            return to
        mine, its = self.size.pressure_rate(), to.pressure_rate()
        if mine is not None and its is not None:
            return its / mine
        if to.kind != self.size.kind:
            raise ValueError(
                f"{to} is not of the same kind as the size {self.size}; use the same kind or a factor"
            )
        ratio = to.value / self.size.value
        return ratio**2 if to.kind == "diameter" else ratio


class Leak(Sized):
    """A leak to space, by its size or by the points of a published blow-down, through which its law is fitted.

    The size holds at the compartment's pressure and temperature of the file; a pressure rate or T1mm, for
    the volume the compartment is open to when the leak sets in. With points it sets in at the first of them, and a
    compartment with no pressure of its own begins at that of a first point at 0.
    """

    size: Size = Field(  # type: ignore[assignment]  # no leak leaves the validator without
        None, description="size, as of any leak; or give points"
    )
    points: list[tuple[Duration, Pressure]] | None = Field(
        None, min_length=2, description="or times from the start and pressures it went through, two or more"
    )

    compartment: str | None = Field(None, description="where it is; the first compartment if left out")
    law: Law = Field(
        "orifice", description="'orifice' (choked), 'crack' (viscous, as p^2) or 'linear' (constant)"
    )
    cd: float = Field(
        SHARP_EDGE_CD, gt=0, le=1, description="discharge coefficient of a hole given by diameter"
    )

    @model_validator(mode="after")
    def _profile(self) -> Self:
        leak = self if self.points is None else self._through(self.points)
        if leak.size is None:
            raise ValueError("give a size, or points")
        leak.check()
        return leak

    def _through(self, points: list[tuple[float, float]]) -> Self:
        """This leak with the size that its law has through the points, from the first of them on."""
        rate, begin = fit(self.law, points), points[0][0]
        fitted = {"size": LeakSize("pressure_rate", rate, f"{rate!r} Pa/s"), "at": begin}
        for key, value in fitted.items():
            if key in self.model_fields_set and getattr(self, key) != value:
                raise ValueError(f"give either {key} or points: by these it is {value}")
        return self.model_copy(update=fitted)


class LoopLeak(Sized):
    """A hole in a loop, by diameter or mass rate; the size holds at the loop's pressure at the start."""

    cd: float = Field(0.62, gt=0, le=1, description="discharge coefficient for liquid")

    @model_validator(mode="after")
    def _kind(self) -> Self:
        if self.size.kind not in ("diameter", "mass_rate"):
            raise ValueError("a loop's leak is a hole's diameter or a mass rate (kg/h)")
        return self
