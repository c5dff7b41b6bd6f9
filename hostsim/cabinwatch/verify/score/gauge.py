"""What an instrument makes of a cabin's pressure: steps, lost samples, wild readings, a board that warms."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from cabinwatch.verify.score.background import DAY_S, Array

TEMPERATURE_K: Final = 295.0
WILD_MOST_PA: Final = 167_000.0
WILD_K: Final = (200.0, 350.0)
WARMING_S: Final = 3600.0
"""The board's time constant; it is switched on for the first half of each day."""


@dataclass(frozen=True)
class Gauge:
    """``missing`` and ``wild`` are shares of the readings; ``warming_K`` is what the board adds to its thermometer;
    ``phase_Pa`` shifts the level against the steps."""

    step_Pa: float = 0.0
    missing: float = 0.0
    wild: float = 0.0
    warming_K: float = 0.0
    phase_Pa: float = 0.0

    def readings(
        self, pressure_Pa: Array, gas_K: Array | float, t_s: Array, period_s: float, rng: np.random.Generator
    ) -> Iterator[tuple[int, int, int]]:
        """Each reading: ms since the last, cPa, cK. ``t_s`` are times of the samples, for the board's day."""
        n = len(pressure_Pa)
        kelvin = np.broadcast_to(np.asarray(gas_K, dtype=np.float64), (n,))
        if self.warming_K:
            on = t_s % DAY_S < DAY_S / 2
            since = t_s % (DAY_S / 2)
            decay = np.exp(-since / WARMING_S)
            kelvin = kelvin + self.warming_K * np.where(on, 1 - decay, decay)
        if self.step_Pa:
            pressure_Pa = self.step_Pa * np.rint((pressure_Pa + self.phase_Pa) / self.step_Pa)
        if self.wild:
            mad = rng.random(n) < self.wild
            pressure_Pa = np.where(mad, rng.uniform(0, WILD_MOST_PA, n), pressure_Pa)
            kelvin = np.where(mad, rng.uniform(*WILD_K, n), kelvin)
        kept = np.arange(n)
        if self.missing:
            kept = np.flatnonzero(rng.random(n) >= self.missing)
        elapsed = np.diff(kept, prepend=-1) * round(1000 * period_s)
        cPa = np.rint(100 * pressure_Pa[kept]).astype(np.int64)
        cK = np.rint(100 * kelvin[kept]).astype(np.int64)
        return zip(elapsed.tolist(), cPa.tolist(), cK.tolist(), strict=True)
