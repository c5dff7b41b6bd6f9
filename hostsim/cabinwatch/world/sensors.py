"""How an instrument sees the truth: noise, quantisation, range ends, its own clock, and faults with a time window."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from cabinwatch.models.sensors import (
    AnalyserModel,
    Bias,
    Broken,
    Drift,
    SensorFault,
    SensorModel,
    Spikes,
    Stuck,
)
from cabinwatch.world.cabin.station import Reading as Air
from cabinwatch_protocol.table import Health


@dataclass(frozen=True, slots=True)
class Reading:
    """What an instrument reports: its clock's stamp in ms, and the values of its report by field name."""

    stamp_ms: int
    values: dict[str, int]


def noisy(rng: Random, sigma: float) -> float:
    """One draw of white noise; no draw at all where sigma is 0."""
    return rng.gauss(0.0, sigma) if sigma else 0.0


class Element:
    """What every instrument's element has: faults by the clock, and the reading it is stuck at."""

    def __init__(self, faults: list[SensorFault], rng: Random) -> None:
        self.faults = faults
        self.rng = rng
        self._held: dict[str, int] | None = None

    def silent(self, t_s: float) -> bool:
        """Whether the instrument does not answer at all."""
        return any(f.kind == "silent" and f.active(t_s) for f in self.faults)

    def error(self, t_s: float) -> tuple[float, Health, bool]:
        """The faults in force at t_s: what they add in Pa, the status they give, whether the reading is stuck."""
        added, status, stuck = 0.0, Health.OK, False
        for fault in self.faults:
            if not fault.active(t_s):
                continue
            match fault:
                case Stuck():
                    stuck = True
                case Bias():
                    added += fault.size
                case Drift():
                    added += fault.rate * (t_s - fault.at) / 3600
                case Spikes():
                    if self.rng.random() < fault.rate:
                        added += fault.size if self.rng.random() < 0.5 else -fault.size
                case Broken():
                    status = Health.FAULT
        return added, status, stuck

    def hold(self, values: dict[str, int], stuck: bool) -> dict[str, int]:
        """``values``, or those held since the element got stuck."""
        if not stuck or self._held is None:
            self._held = values
        return self._held


class PressureSensor(Element):
    """A transducer's element; ``truth(t_s)`` gives pressure in Pa and temperature in K where it sits."""

    def __init__(
        self, model: SensorModel, truth: Callable[[float], tuple[float, float]], rng: Random
    ) -> None:
        super().__init__(model.faults, rng)
        self._model = model
        self._truth = truth
        self._lagged: tuple[float, float] | None = None

    def read(self, t_ms: int) -> Reading:
        """Measure at a time of the world (never before an earlier call's)."""
        m = self._model
        t_s = t_ms / 1000
        pressure, temperature = self._truth(t_s)
        temperature = self._lag(t_s, temperature) + noisy(self.rng, m.temperature_noise)
        pressure += noisy(self.rng, m.noise)
        added, status, stuck = self.error(t_s) if self.faults else (0.0, Health.OK, False)
        pressure += added
        if pressure < m.low:
            pressure, status = m.low, status or Health.BELOW_RANGE
        elif pressure > m.high:
            pressure, status = m.high, status or Health.ABOVE_RANGE
        if m.step:
            pressure = round(pressure / m.step) * m.step
        values = {
            "pressure_cPa": round(pressure * 100),
            "temperature_cK": min(round(temperature * 100), 0xFFFF),
            "status": status,
        }
        return Reading(t_ms + round(t_ms * m.clock_ppm * 1e-6), self.hold(values, stuck))

    def _lag(self, t_s: float, temperature: float) -> float:
        tau = self._model.temperature_lag
        if not tau:
            return temperature
        last_t, last = self._lagged or (t_s, temperature)
        last += (temperature - last) * -math.expm1(-(t_s - last_t) / tau)
        self._lagged = t_s, last
        return last


class GasAnalyser(Element):
    """A constituent analyser's element; ``truth(t_s)`` gives the air where it sits."""

    def __init__(self, model: AnalyserModel, truth: Callable[[float], Air], rng: Random) -> None:
        super().__init__(model.faults, rng)
        self._model = model
        self._truth = truth

    def read(self, t_ms: int) -> Reading:
        """Analyse the air at a time of the world (never before an earlier call's)."""
        air = self._truth(t_ms / 1000)
        added, status, stuck = self.error(t_ms / 1000)
        partial = {
            "ppn2_cPa": air.ppN2_Pa + added,
            "ppo2_cPa": air.ppO2_Pa,
            "ppco2_cPa": air.ppCO2_Pa,
            "pph2o_cPa": air.ppH2O_Pa,
        }
        sigma = self._model.noise
        values = {name: max(0, round((p + noisy(self.rng, sigma)) * 100)) for name, p in partial.items()}
        temperature = air.temperature_K + noisy(self.rng, self._model.temperature_noise)
        values |= {"temperature_cK": min(round(temperature * 100), 0xFFFF), "status": status}
        return Reading(t_ms, self.hold(values, stuck))
