"""A coolant loop that leaks: liquid pushed out by the gas of its accumulator.

The gas expands at constant temperature, p = p0 Vg/(Vg + v) with v the liquid lost; the liquid leaves by
Bernoulli, dv/dt = Cd A sqrt(2 p/rho). Both together integrate to

    (Vg + v)^(3/2) = Vg^(3/2) + 3/2 Cd A sqrt(2 p0 Vg/rho) t

with t replaced by the integral of the hole's factor where it changes. When the accumulator's liquid is gone
nothing pushes any more: the pressure reads that of the vapour, and what still boils off is not followed.
"""

import math
from typing import NamedTuple

from cabinwatch.models.cabin import CabinModel, Loop
from cabinwatch.models.curve import Curve, ThermalCurve
from cabinwatch.world.cabin.network import loop_terms


class CoolantReading(NamedTuple):
    """What a loop's instruments would show, without their errors."""

    pressure_Pa: float
    temperature_K: float
    level: float
    """Liquid left in the accumulator, 1 full to 0 empty."""
    leak_kg_s: float


class CoolantLoop:
    """A loop over time; valid for any t >= 0 in any order."""

    def __init__(self, model: CabinModel, name: str) -> None:
        loop = model.loops[name]
        self._loop = loop
        self._thermal = ThermalCurve(loop.temperature, loop_terms(model, name))
        self._area, self._curve = 0.0, Curve()
        if loop.leak:
            self._curve, self._area = loop.leak.curve(), _area(loop)

    def lost_m3(self, t_s: float) -> float:
        """Liquid lost by t, m3."""
        loop = self._loop
        if not self._area:
            return 0.0
        push = 1.5 * self._area * math.sqrt(2 * loop.pressure * loop.gas / loop.density)
        lost = math.pow(math.pow(loop.gas, 1.5) + push * self._curve.integral(t_s), 2 / 3) - loop.gas
        return min(max(lost, 0.0), loop.reserve)

    def at(self, t_s: float) -> CoolantReading:
        """The loop at t. The reading follows the loop's temperature; the push on the leak is taken at the
        first."""
        loop, lost = self._loop, self.lost_m3(t_s)
        T = self._thermal.value(t_s)
        if lost >= loop.reserve:
            return CoolantReading(loop.vapour, T, 0.0, 0.0)
        pressure = loop.pressure * loop.gas / (loop.gas + lost)
        flow = self._area * self._curve.value(t_s) * math.sqrt(2 * pressure * loop.density)
        return CoolantReading(pressure * T / loop.temperature, T, 1 - lost / loop.reserve, flow)


def _area(loop: Loop) -> float:
    """Effective area Cd*A of a loop's leak at its full size, m2."""
    assert loop.leak is not None
    if loop.leak.size.kind == "diameter":
        return loop.leak.cd * math.pi * loop.leak.size.value**2 / 4
    return loop.leak.size.value / math.sqrt(2 * loop.pressure * loop.density)
