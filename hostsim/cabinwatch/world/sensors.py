"""How an instrument sees the truth: noise, quantisation, range ends, its own clock, and faults with a time window."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from cabinwatch.models.sensors import (
    AnalyserModel,
    Bias,
    Broken,
    ClockFault,
    ReadingDrift,
    SensorFault,
    SensorModel,
    Spikes,
    StuckReading,
    Warming,
    Wild,
)
from cabinwatch.world.cabin.station import AirReading as Air
from cabinwatch.world.record import MOST_Pa, Recording
from cabinwatch_protocol import table as t
from cabinwatch_protocol.table import Health


@dataclass(frozen=True, slots=True)
class Reading:
    """What an instrument reports: its clock's stamp in ms, and the values of its report by field name."""

    stamp_ms: int
    values: dict[str, int]


def noisy(rng: Random, sigma: float) -> float:
    """One draw of white noise; no draw at all where sigma is 0."""
    return rng.gauss(0.0, sigma) if sigma else 0.0


BITS = {f.name: 8 * f.size for p in t.TM_PACKETS for f in p.fields if p.name in ("sample", "composition")}
"""Width of each value of a report."""
Ranges = dict[str, tuple[int, int]]
PARTIAL = ("ppn2_cPa", "ppo2_cPa", "ppco2_cPa", "pph2o_cPa")
_DEFAULTS = {p.name: p.default for p in t.MONITOR_PARAMETERS}
PLAUSIBLE_cPa = (_DEFAULTS["pressure_low"], _DEFAULTS["pressure_high"])
"""What the monitor believes of a pressure."""
PLAUSIBLE_cK = (20_000, 35_000)
"""Between these a temperature drawn anew looks like one: 200 to 350 K."""


def nonsense(rng: Random, plausible: Ranges) -> dict[str, int]:
    """Every value drawn anew: one time in two over its whole word, else within its plausible range."""
    if rng.random() < 0.5:
        return {name: rng.getrandbits(BITS[name]) for name in plausible}
    return {name: rng.randint(*ends) for name, ends in plausible.items()}


@dataclass(slots=True)
class Effect:
    """What the faults in force do to one reading."""

    added_Pa: float = 0.0
    added_K: float = 0.0
    status: Health = Health.OK
    stuck: bool = False
    wild: bool = False


def centikelvin(temperature_K: float) -> int:
    """As the wire carries it."""
    return min(max(round(temperature_K * 100), 0), 0xFFFF)


class Element:
    """What every instrument's element has: faults by the clock, that clock, and the reading it is stuck at."""

    def __init__(self, faults: Sequence[SensorFault], rng: Random, plausible: Ranges) -> None:
        self.faults = faults
        self.rng = rng
        self._plausible = plausible
        self._held: dict[str, int] | None = None

    def silent(self, t_s: float) -> bool:
        """Whether the instrument does not answer at all."""
        return any(f.kind == "silent" and f.active(t_s) for f in self.faults)

    def clock_ms(self, t_ms: int) -> int:
        """What its clock shows at t_ms of the world."""
        off = [f for f in self.faults if isinstance(f, ClockFault)]
        if not off:
            return t_ms
        t_s = t_ms / 1000
        corners = {0.0, t_s, *(end for f in off for end in (f.at, f.until) if end is not None and end < t_s)}
        return round(
            1000
            * sum(
                (end - begin) * math.prod(f.factor for f in off if f.active(begin))
                for begin, end in pairwise(sorted(corners))
            )
        )

    def effect(self, t_s: float) -> Effect:
        """What the faults do at t_s."""
        effect = Effect()
        for fault in self.faults:
            if isinstance(fault, Warming):
                effect.added_K += fault.warmth_K(t_s)
            if not fault.active(t_s):
                continue
            match fault:
                case StuckReading():
                    effect.stuck = True
                case Bias():
                    effect.added_Pa += fault.size
                case ReadingDrift():
                    effect.added_Pa += fault.rate * (t_s - fault.at) / 3600
                case Spikes():
                    if self.rng.random() < fault.rate:
                        effect.added_Pa += fault.size if self.rng.random() < 0.5 else -fault.size
                case Broken():
                    effect.status = Health.FAULT
                case Wild():
                    effect.wild |= self.rng.random() < fault.rate
        return effect

    def shown(self, values: dict[str, int], effect: Effect) -> dict[str, int]:
        """``values``, or those held since the element got stuck, or nonsense."""
        if not effect.stuck or self._held is None:
            self._held = values
        return {**values, **nonsense(self.rng, self._plausible)} if effect.wild else self._held


class PressureSensor(Element):
    """A transducer's element; ``truth(t_s)`` gives pressure in Pa and temperature in K where it sits."""

    def __init__(
        self,
        model: SensorModel,
        truth: Callable[[float], tuple[float, float]],
        rng: Random,
        plausible_cPa: tuple[int, int] = PLAUSIBLE_cPa,
        lead_ms: int = 0,
    ) -> None:
        super().__init__(model.faults, rng, {"pressure_cPa": plausible_cPa, "temperature_cK": PLAUSIBLE_cK})
        self._model = model
        self._truth = truth
        self._lead_ms = lead_ms
        self._lagged: tuple[float, float] | None = None

    def read(self, t_ms: int) -> Reading:
        """Measure at a time of the world (never before an earlier call's)."""
        m = self._model
        t_s = t_ms / 1000
        pressure, temperature = self._truth(t_s)
        if m.sees < 1:
            start = self._truth(0.0)[1]
            temperature = start + m.sees * (temperature - start)
        temperature = self._lag(t_s, temperature) + noisy(self.rng, m.temperature_noise)
        pressure += noisy(self.rng, m.noise)
        effect = self.effect(t_s)
        pressure += effect.added_Pa
        temperature += effect.added_K
        status = effect.status
        if pressure < m.low:
            pressure, status = m.low, status or Health.BELOW_RANGE
        elif pressure > m.high:
            pressure, status = m.high, status or Health.ABOVE_RANGE
        if m.step:
            pressure = round(pressure / m.step) * m.step
        values = {
            "pressure_cPa": round(pressure * 100),
            "temperature_cK": centikelvin(temperature),
            "status": status,
        }
        shown_ms = self.clock_ms(t_ms)
        return Reading(
            self._lead_ms + shown_ms + round(shown_ms * m.clock_ppm * 1e-6), self.shown(values, effect)
        )

    def _lag(self, t_s: float, temperature: float) -> float:
        tau = self._model.temperature_lag
        if not tau:
            return temperature
        last_t, last = self._lagged or (t_s, temperature)
        last += (temperature - last) * -math.expm1(-(t_s - last_t) / tau)
        self._lagged = t_s, last
        return last


class LoggingSensor(PressureSensor):
    """The instrument that made a log: a poll gets its newest reading with that one's stamp, none in a gap."""

    def __init__(
        self,
        record: Recording,
        model: SensorModel,
        truth: Callable[[float], tuple[float, float]],
        rng: Random,
        plausible_cPa: tuple[int, int] = PLAUSIBLE_cPa,
        lead_ms: int = 0,
    ) -> None:
        own = {"noise": 0.0, "temperature_noise": 0.0, "step": record.step_Pa, "low": 0.0, "high": MOST_Pa}
        unset = {key: value for key, value in own.items() if key not in model.model_fields_set}
        super().__init__(model.model_copy(update=unset), truth, rng, plausible_cPa, lead_ms)
        self._record = record
        self._last: tuple[float, Reading] | None = None

    def silent(self, t_s: float) -> bool:
        """Whether it does not answer: it has no reading that is new enough, or a fault."""
        return self._record.newest(t_s) is None or super().silent(t_s)

    def read(self, t_ms: int) -> Reading:
        """The newest reading at a time of the world."""
        made_s = self._record.at(t_ms / 1000).t_s
        if self._last is None or self._last[0] != made_s:
            self._last = made_s, super().read(round(made_s * 1000))
        return self._last[1]


class GasAnalyser(Element):
    """A constituent analyser's element; ``truth(t_s)`` gives the air where it sits."""

    def __init__(self, model: AnalyserModel, truth: Callable[[float], Air], rng: Random) -> None:
        super().__init__(model.faults, rng, dict.fromkeys(PARTIAL, (0, PLAUSIBLE_cPa[1])))
        self._plausible["temperature_cK"] = PLAUSIBLE_cK
        self._model = model
        self._truth = truth

    def read(self, t_ms: int) -> Reading:
        """Analyse the air at a time of the world (never before an earlier call's)."""
        air = self._truth(t_ms / 1000)
        effect = self.effect(t_ms / 1000)
        partial = {
            "ppn2_cPa": air.ppN2_Pa + effect.added_Pa,
            "ppo2_cPa": air.ppO2_Pa,
            "ppco2_cPa": air.ppCO2_Pa,
            "pph2o_cPa": air.ppH2O_Pa,
        }
        sigma = self._model.noise
        values = {name: max(0, round((p + noisy(self.rng, sigma)) * 100)) for name, p in partial.items()}
        temperature = air.temperature_K + noisy(self.rng, self._model.temperature_noise) + effect.added_K
        values |= {"temperature_cK": centikelvin(temperature), "status": effect.status}
        return Reading(self.clock_ms(t_ms), self.shown(values, effect))
