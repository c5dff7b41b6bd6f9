"""The ``[expect]`` table: what should come of a run."""

from typing import Literal

from pydantic import Field

from cabinwatch.models.fields import Duration, Table


class Expect(Table):
    """The ``[expect]`` table: what the monitor should report. No table: nothing is expected, and the run is met."""

    alarm: Literal["none", "advisory", "caution", "warning", "emergency"] = Field(
        description="class that must be reached; 'none': no alarm at all"
    )
    after: Duration = Field(0.0, description="no alarm may come before, s from the start")
    by: Duration | None = Field(
        None, description="the class must be reached by then, s; by the end if left out"
    )
    at_most: Literal["advisory", "caution", "warning", "emergency"] | None = Field(
        None, description="no alarm may be of a higher class"
    )
    coolant_by: Duration | None = Field(None, description="the coolant loop must have been called by then, s")
    rate_within: float | None = Field(
        None, gt=0, description="|reported - true rate| at the end, as a part of the true"
    )
    tres_within: float | None = Field(
        None, gt=0, description="|reported - true T-reserve| at the end, likewise"
    )
