"""The ``[sensor]`` and ``[analyser]`` tables: what an instrument is, and what goes wrong with it."""

import math
from typing import Annotated, Literal

from pydantic import Field

from cabinwatch.models.fields import Duration, Pressure, Span, Table, Window


class StuckReading(Window):
    """The reading stays at what it was when the fault set in."""

    kind: Literal["stuck"]


class Bias(Window):
    """A constant error."""

    kind: Literal["bias"]
    size: float = Field(description="added to the pressure, Pa")


class ReadingDrift(Window):
    """An error that grows from the onset."""

    kind: Literal["drift"]
    rate: float = Field(description="Pa/h")


class Spikes(Window):
    """Single wrong readings."""

    kind: Literal["spikes"]
    size: Pressure = Field(description="height, Pa; the sign is drawn each time")
    rate: float = Field(ge=0, le=1, description="share of the readings, 0 to 1")


class SilentSensor(Window):
    """The instrument does not answer: signal lost, or power off."""

    kind: Literal["silent"]


class Broken(Window):
    """The instrument answers, and says that it has a fault."""

    kind: Literal["broken"]


class Warming(Window):
    """Its thermometer warms (by the board it sits on, by a radio), the gas does not; then it cools as it warmed."""

    kind: Literal["warming"]
    rise: float = Field(ge=-200, le=200, description="how far in the end, K; below 0 it cools")
    tau: Duration = Field(300.0, description="time constant, s; 0 is a step")

    def warmth_K(self, t_s: float) -> float:
        """What it adds to the temperature at t_s."""
        if t_s < self.at:
            return 0.0
        end = t_s if self.until is None else min(t_s, self.until)
        if not self.tau:
            return self.rise if end == t_s else 0.0
        return -self.rise * math.expm1((self.at - end) / self.tau) * math.exp((end - t_s) / self.tau)


class Wild(Window):
    """Readings that are nonsense in every value, half of them over the whole word, half of them plausible."""

    kind: Literal["wild"]
    rate: float = Field(ge=0, le=1, description="share of the readings, 0 to 1")


class ClockStopped(Window):
    """Its clock stands while readings go on; at the end it goes on from where it stood."""

    kind: Literal["clock_stopped"]

    @property
    def factor(self) -> float:
        """As of a clock that runs infinitely slowly."""
        return 0.0


class ClockFactor(Window):
    """Its clock runs at another speed."""

    kind: Literal["clock_factor"]
    factor: float = Field(ge=0, le=1000, description="its seconds a true second")


class Twin(Window):
    """A second transducer of the same kind answers for its APID as well."""

    kind: Literal["twin"]
    size: float = Field(0.0, description="what the second reads above the first, Pa")
    lead: Duration = Field(0.0, description="how far the second's clock is ahead, s")
    delay_ms: int = Field(15, ge=0, le=60_000, description="its answering time, ms; the first takes 5")


ClockFault = ClockStopped | ClockFactor
_Own = (
    StuckReading
    | Bias
    | ReadingDrift
    | Spikes
    | SilentSensor
    | Broken
    | Warming
    | Wild
    | ClockStopped
    | ClockFactor
)
InstrumentFault = Annotated[_Own, Field(discriminator="kind")]
SensorFault = Annotated[_Own | Twin, Field(discriminator="kind")]


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
    sees: float = Field(
        1.0, ge=0, le=1, description="how much of a change of the gas its thermometer sees, 0 to 1"
    )
    clock_ppm: float = Field(
        0.0, ge=-1000, le=1000, description="how fast its clock runs wrong, parts per million"
    )
    faults: list[SensorFault] = Field(default=[], description="faults, each with a time window")


class AnalyserModel(Table):
    """The ``[analyser]`` table: a constituent analyser. Without the table there is none on the link."""

    compartment: str | None = Field(None, description="where it is; the first compartment if left out")
    noise: Pressure = Field(27.0, ge=0, description="white noise of a partial pressure, one sigma, Pa")
    temperature_noise: float = Field(0.02, ge=0, description="white noise of the temperature, one sigma, K")
    faults: list[InstrumentFault] = Field(
        default=[], description="faults, each with a time window; sizes are of nitrogen"
    )


class GaugeModel(Table):
    """A table of ``[[gauges]]``: a gauge off the link, logged beside the reports (``cabinwatch run --csv``)."""

    compartment: str = Field(description="where it is")
    name: str | None = Field(None, description="what its columns are called by; the compartment if left out")
    every: Span = Field(60.0, description="time between readings, s")
    noise: Pressure = Field(1.0, ge=0, description="white noise of one reading, one sigma, Pa")
    step: Pressure = Field(0.0, ge=0, description="quantisation, Pa; 0 = none")
    temperature_noise: float = Field(0.02, ge=0, description="white noise of the temperature, one sigma, K")

    @property
    def called(self) -> str:
        """Its name."""
        return self.name or self.compartment
