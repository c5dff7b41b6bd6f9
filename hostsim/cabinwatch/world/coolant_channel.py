"""A coolant loop's own channel to the ground: it watches its accumulator itself and is never a cabin alarm."""

from random import Random

from cabinwatch.world.cabin.station import Station
from cabinwatch.world.instruments import Instrument
from cabinwatch.world.sensors import Reading, noisy
from cabinwatch_protocol import table as t

PERIOD_MS = 60_000
NOISE_Pa = 100.0
LIMITS = ((0.25, t.AlarmClass.WARNING), (0.75, t.AlarmClass.CAUTION))
"""Accumulator fill below which a class is called. Ours: the limits of the real loops are not public."""


class LoopGauge:
    """Pressure, fill and temperature of one loop of the station."""

    def __init__(self, station: Station, loop: str, rng: Random) -> None:
        self._station = station
        self._loop = loop
        self._rng = rng

    def silent(self, t_s: float) -> bool:
        """Never: no fault of this gauge is modelled."""
        return False

    def read(self, t_ms: int) -> Reading:
        """Measure at a time of the world."""
        loop = self._station.coolant(self._loop, t_ms / 1000)
        pressure = max(0.0, loop.pressure_Pa + noisy(self._rng, NOISE_Pa))
        values = {
            "pressure_cPa": min(round(pressure * 100), t.T_CAP),
            "quantity_ppm": round(loop.level * 1e6),
            "temperature_cK": round(loop.temperature_K * 100),
            "status": int(t.Health.OK),
        }
        return Reading(t_ms, values)


class CoolantWatch(Instrument):
    """The loop's instrument: reports each PERIOD_MS unasked, and calls a class once when the fill falls below it."""

    called = t.AlarmClass.NOMINAL

    def watch(self, t_ms: int) -> bytes:
        """The frames it sends at t_ms."""
        reading = self.element.read(t_ms)
        self.clock_ms = reading.stamp_ms
        out = self._tm("coolant", reading.values)
        quantity = reading.values["quantity_ppm"]
        justified = next((c for below, c in LIMITS if quantity < below * 1e6), t.AlarmClass.NOMINAL)
        if justified > self.called:
            self.called = justified
            values = {"event": t.Event.COOLANT_LOW, "cause": t.Cause.COOLANT, "value": quantity}
            out += self._tm(f"instrument_event_{justified.name.lower()}", values)
        return out
