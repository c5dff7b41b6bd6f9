"""How an instrument sees the truth: noise, quantisation, range ends, its own clock, and faults with a time window."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Annotated, Literal

from pydantic import Field

from hostsim.cabin.fields import Duration, Pressure, Table
from protocol.table import Health


@dataclass(frozen=True, slots=True)
class Reading:
    """What an instrument reports: its clock's stamp in ms, and the values of its report by field name."""

    stamp_ms: int
    values: dict[str, int]


class Window(Table):
    """A fault's time window."""

    at: Duration = Field(0.0, description="when it sets in, s from the start")
    until: Duration | None = Field(None, description="when it ends, s from the start; for good if left out")

    def active(self, t_s: float) -> bool:
        """Whether it is in force at t_s."""
        return self.at <= t_s and (self.until is None or t_s < self.until)


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
    step: Pressure = Field(0.0, ge=0, description="quantisation, Pa; 0 = the wire's centipascal. Flight gauge: 53 Pa")
    low: Pressure = Field(1000.0, ge=0, description="lower end of the range, Pa")
    high: Pressure = Field(120_000.0, gt=0, description="upper end of the range, Pa")
    temperature_noise: float = Field(0.02, ge=0, description="white noise of the temperature, one sigma, K")
    temperature_lag: Duration = Field(0.0, description="time constant of the temperature element, s")
    clock_ppm: float = Field(0.0, ge=-1000, le=1000, description="how fast its clock runs wrong, parts per million")
    faults: list[SensorFault] = Field(default=[], description="faults, each with a time window")


def noisy(rng: Random, sigma: float) -> float:
    """One draw of white noise; no draw at all where sigma is 0."""
    return rng.gauss(0.0, sigma) if sigma else 0.0


class PressureSensor:
    """A transducer's element; ``truth(t_s)`` gives pressure in Pa and temperature in K where it sits."""

    def __init__(self, model: SensorModel, truth: Callable[[float], tuple[float, float]], rng: Random) -> None:
        self._model = model
        self._truth = truth
        self._rng = rng
        self._held: tuple[int, int] | None = None
        self._lagged: tuple[float, float] | None = None

    def silent(self, t_s: float) -> bool:
        """Whether the instrument does not answer at all."""
        return any(f.kind == "silent" and f.active(t_s) for f in self._model.faults)

    def read(self, t_ms: int) -> Reading:
        """Measure at a time of the world (never before an earlier call's)."""
        m = self._model
        t_s = t_ms / 1000
        stamp = t_ms + round(t_ms * m.clock_ppm * 1e-6)
        pressure, temperature = self._truth(t_s)
        temperature = self._lag(t_s, temperature) + noisy(self._rng, m.temperature_noise)
        pressure += noisy(self._rng, m.noise)
        status = Health.OK
        stuck = False
        for fault in m.faults:
            if not fault.active(t_s):
                continue
            match fault:
                case Stuck():
                    stuck = True
                case Bias():
                    pressure += fault.size
                case Drift():
                    pressure += fault.rate * (t_s - fault.at) / 3600
                case Spikes():
                    if self._rng.random() < fault.rate:
                        pressure += fault.size if self._rng.random() < 0.5 else -fault.size
                case Broken():
                    status = Health.FAULT
        if pressure < m.low:
            pressure, status = m.low, status or Health.BELOW_RANGE
        elif pressure > m.high:
            pressure, status = m.high, status or Health.ABOVE_RANGE
        if m.step:
            pressure = round(pressure / m.step) * m.step
        if not stuck or self._held is None:
            self._held = round(pressure * 100), round(temperature * 100)
        held_pressure, held_temperature = self._held
        values = {"pressure_cPa": held_pressure, "temperature_cK": held_temperature, "status": int(status)}
        return Reading(stamp, values)

    def _lag(self, t_s: float, temperature: float) -> float:
        tau = self._model.temperature_lag
        if not tau:
            return temperature
        last_t, last = self._lagged or (t_s, temperature)
        last += (temperature - last) * -math.expm1(-(t_s - last_t) / tau)
        self._lagged = t_s, last
        return last
