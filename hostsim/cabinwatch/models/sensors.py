"""The ``[sensor]`` and ``[analyser]`` tables: what an instrument is, and what goes wrong with it."""

from typing import Annotated, Literal

from pydantic import Field

from cabinwatch.models.fields import Duration, Pressure, Table, Window


class Stuck(Window):
    """The reading stays at what it was when the fault set in."""

    kind: Literal["stuck"]


class Bias(Window):
    """A constant error."""

    kind: Literal["bias"]
    size: float = Field(description="added to the pressure, Pa")


class Drift(Window):
    """An error that grows from the onset."""

    kind: Literal["drift"]
    rate: float = Field(description="Pa/h")


class Spikes(Window):
    """Single wrong readings."""

    kind: Literal["spikes"]
    size: Pressure = Field(description="height, Pa; the sign is drawn each time")
    rate: float = Field(ge=0, le=1, description="share of the readings, 0 to 1")


class Silent(Window):
    """The instrument does not answer: signal lost, or power off."""

    kind: Literal["silent"]


class Broken(Window):
    """The instrument answers, and says that it has a fault."""

    kind: Literal["broken"]


SensorFault = Annotated[Stuck | Bias | Drift | Spikes | Silent | Broken, Field(discriminator="kind")]


class SensorModel(Table):
    """The ``[sensor]`` table: the pressure transducer. The default is a quiet bench part."""

    compartment: str | None = Field(None, description="where it is; the first compartment if left out")
    noise: Pressure = Field(1.0, ge=0, description="white noise of one reading, one sigma, Pa")
    step: Pressure = Field(
        0.0, ge=0, description="quantisation, Pa; 0 = the wire's centipascal. Flight gauge: 53 Pa"
    )
    low: Pressure = Field(1000.0, ge=0, description="lower end of the range, Pa")
    high: Pressure = Field(120_000.0, gt=0, description="upper end of the range, Pa")
    temperature_noise: float = Field(0.02, ge=0, description="white noise of the temperature, one sigma, K")
    temperature_lag: Duration = Field(0.0, description="time constant of the temperature element, s")
    clock_ppm: float = Field(
        0.0, ge=-1000, le=1000, description="how fast its clock runs wrong, parts per million"
    )
    faults: list[SensorFault] = Field(default=[], description="faults, each with a time window")


class AnalyserModel(Table):
    """The ``[analyser]`` table: a constituent analyser. Without the table there is none on the link."""

    compartment: str | None = Field(None, description="where it is; the first compartment if left out")
    noise: Pressure = Field(27.0, ge=0, description="white noise of a partial pressure, one sigma, Pa")
    temperature_noise: float = Field(0.02, ge=0, description="white noise of the temperature, one sigma, K")
    faults: list[SensorFault] = Field(
        default=[], description="faults, each with a time window; sizes are of nitrogen"
    )
