"""What the pressure of a cabin does by itself: the wander of a quiet one, days and weather where a vent is open."""

from typing import Literal

from pydantic import Field

from cabinwatch.models.fields import Duration, Span, Table
from cabinwatch.models.units import DAY_s

FITTED_Q = 0.407
"""Pa per root second, with `FITTED_TAU_s` the least-squares fit to a quiet station (see `world.cabin.wander`)."""
FITTED_TAU_s = 3760.0


class WanderModel(Table):
    """The unexplained wander of a quiet cabin (see `cabinwatch.world.cabin.wander`); no table, no wander.

    Rooms joined by open hatches wander as one; a zone that is shut off goes its own way from there on.
    """

    q: float = Field(FITTED_Q, ge=0, description="Pa per root second, at one atmosphere")
    tau: Span = Field(FITTED_TAU_s, description="time to levelling off, s")


class Weather(Table):
    """A change of the pressure by no leak, added to the others in force: days, or fronts where a vent is open."""

    kind: Literal["swing", "ramp", "approach"] = Field(
        description="'swing': a sine, as of days; 'ramp': straight, as a front; 'approach': ever slower"
    )
    size: float = Field(
        ge=-20_000,
        le=20_000,
        description="amplitude or whole change, Pa at one atmosphere, -20,000 to 20,000",
    )
    at: Duration = Field(0.0, description="from when, s from the start")
    until: Duration | None = Field(None, description="until when, s; for good if left out")
    period: Span = Field(DAY_s, description="period of a swing, s")
    over: Duration = Field(DAY_s, description="length of a ramp, s")
    tau: Span = Field(DAY_s, description="time constant of an approach, s")
