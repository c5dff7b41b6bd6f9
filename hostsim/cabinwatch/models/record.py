"""The ``[cabin.record]`` table: a person's own log in place of what would move the air."""

from pydantic import Field, model_validator

from cabinwatch.models import units
from cabinwatch.models.fields import Table

Column = str | int
TEMPERATURES = ("K", "C", "F")
"""Units of a temperature column."""


class RecordModel(Table):
    """A recorded cabin: each reading with its own time, its gaps and its steps kept; leaks come on top.

    It stands in place of wander, crew and flows, and the instrument's noise is already in it: `noise`,
    `temperature_noise` and `step` of the sensor are 0 where the file does not set them.
    """

    file: str = Field(description="CSV file, relative to the scenario's own place")
    time: Column = Field(
        description="column of the time, by name or number from 1: ISO 8601, or seconds from any start"
    )
    pressure: Column = Field(description="column of the pressure")
    unit: str = Field(description="its unit: " + ", ".join(units.PRESSURES))
    temperature: Column | None = Field(None, description="column of the gas temperature; none: 295 K")
    temperature_unit: str = Field("C", description="its unit: " + ", ".join(TEMPERATURES))

    @model_validator(mode="after")
    def _units(self) -> "RecordModel":
        if self.unit not in units.PRESSURES:
            raise ValueError(f"no unit of pressure {self.unit!r}; there are {', '.join(units.PRESSURES)}")
        if self.temperature_unit not in TEMPERATURES:
            raise ValueError(
                f"no unit of temperature {self.temperature_unit!r}; there are {', '.join(TEMPERATURES)}"
            )
        return self
