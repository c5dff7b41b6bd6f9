"""The ``[expect]`` table: what should come of a run."""

from typing import Literal

from pydantic import Field

from cabinwatch.models.fields import Duration, Pressure, Table


class PressureAt(Table):
    """A pressure that the cabin must have had: of the air, not of a report."""

    at: Duration = Field(description="when, s from the start")
    pressure: Pressure = Field(description="what it must have been, Pa")
    within: Pressure | None = Field(None, description="how far off it may be, Pa; a hundredth if left out")
    compartment: str | None = Field(None, description="where; where the transducer is if left out")

    @property
    def tolerance_Pa(self) -> float:
        """How far off it may be."""
        return self.pressure / 100 if self.within is None else self.within


HealthName = Literal[
    "ok", "below_range", "above_range", "fault", "silent", "implausible", "stuck", "time"
]  # fmt: skip
"""The table's `Health`."""


class Expect(Table):
    """The ``[expect]`` table: what the monitor should report. No table: nothing is expected, and the run is met."""

    alarm: Literal["none", "advisory", "caution", "warning", "emergency"] = Field(
        description="class that must be reached; 'none': no alarm at all"
    )
    after: Duration | None = Field(
        None, description="no alarm may come before, s from the start; `onset` if left out"
    )
    by: Duration | None = Field(
        None, description="the class must be reached by then, s; by the end if left out"
    )
    at_most: Literal["advisory", "caution", "warning", "emergency"] | None = Field(
        None, description="no alarm may be of a higher class"
    )
    pressures: list[PressureAt] | None = Field(None, description="pressures of the cabin at times")
    health: HealthName | None = Field(
        None,
        description="how the transducer is to be known at the end; left out: 'ok' where no alarm is expected, else not "
        "judged",
    )
    coolant_by: Duration | None = Field(None, description="the coolant loop must have been called by then, s")
    rate_within: float | None = Field(
        None, gt=0, description="|reported - true rate| at the end, as a part of the true"
    )
    tres_within: float | None = Field(
        None, gt=0, description="|reported - true T-reserve| at the end, likewise"
    )
