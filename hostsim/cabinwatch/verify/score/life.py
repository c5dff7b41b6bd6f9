"""Life aboard with no leak: breathing, oxygen, repress, airlock, docking, hatches, orbits and the day.

Everything here moves the pressure and none of it is a leak. Sizes: six people use 410 Pa/d; a repress adds
4.4 mmHg in 70 min; the airlock takes 4.25 m3 out of 916 m3 (470 Pa) in 10 min; a docked vestibule takes 55 Pa
in minutes; a hatch moves 20 Pa in seconds; the orbit and the day move the gas by 0.3 K and 0.5 K.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cabinwatch.verify.score.background import DAY_S, STANDARD_PA, Array, Noise

MEAN_K = 295.0
ORBIT_S = 5_560.0
LOW_PA = 100_300.0


@dataclass
class Life:
    """Days of (pressure Pa, sensed temperature K) with no leak; `lag_s` is the temperature sensor's."""

    noise: Noise
    breathing_Pa_d: float = 410.0
    oxygen: bool = True
    traffic: bool = True
    lag_s: float = 60.0
    _day: int = 0
    _mass_Pa: float = STANDARD_PA

    def days(self, n: int) -> Iterator[tuple[Array, Array]]:
        """n days, a sample a period."""
        for _ in range(n):
            yield self.day()

    def day(self) -> tuple[Array, Array]:
        """The next day."""
        day, self._day = self._day, self._day + 1
        t = np.arange(0, DAY_S, self.noise.wander.period_s)
        rng = self.noise.rng
        slope = 0.0 if self.oxygen and day % 5 < 3 else -self.breathing_Pa_d / DAY_S
        p = self._mass_Pa + slope * t
        if self.traffic:
            p = p + self._traffic(day, t, rng)
        if p[-1] < LOW_PA and self.oxygen:
            p = p + 590 * np.clip((t - 30_000) / 4_200, 0, 1)
        self._mass_Pa = float(p[-1])
        gas, sensed = self._thermal(day * DAY_S + t)
        return p * gas / MEAN_K + self.noise.take(len(t)), sensed

    def _traffic(self, day: int, t: Array, rng: np.random.Generator) -> Array:
        """Airlock twice a fortnight and paid back, a docking a month, a hatch twice a week."""
        out = np.zeros_like(t)
        at = float(rng.uniform(10_000, 60_000))
        if day % 7 == 2:
            out -= 470 * np.clip((t - at) / 600, 0, 1)
            out += 470 * np.clip((t - at - 12_000) / 4_200, 0, 1)
        if day % 30 == 11:
            out -= 55 * -np.expm1(-np.maximum(t - at, 0) / 60)
        if day % 7 in (1, 4):
            out += (20 if day % 2 else -20) * np.clip((t - at) / 2, 0, 1)
        return out

    def _thermal(self, now: Array) -> tuple[Array, Array]:
        """Gas temperature, and what a first-order sensor makes of it, K."""
        gas = np.full_like(now, MEAN_K)
        sensed = gas.copy()
        for size, period in ((0.3, ORBIT_S), (0.5, float(DAY_S))):
            w = 2 * np.pi / period
            gas += size * np.sin(w * now)
            sensed += size / np.hypot(1, w * self.lag_s) * np.sin(w * now - np.arctan(w * self.lag_s))
        return gas, sensed
