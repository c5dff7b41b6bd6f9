"""Quiet pressure records: what a detector sees while nothing leaks.

Two grounds. The bench is white noise. The cabin is a wandering one: an Ornstein-Uhlenbeck process and white
noise, fitted to the Allan deviations of a real quiet cabin (1.6 Pa at 30 s, 3 at 5 min, 9 at 30 min, 10 at
1 h); `allan` is the closed form that a test holds against those four figures.
"""

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STANDARD_PA: Final = 101_325.0
DAY_S: Final = 86_400
CABIN_ALLAN_PA: Final = {30: 1.6, 300: 3.0, 1800: 9.0, 3600: 10.0}


@dataclass(frozen=True)
class BackgroundWander:
    """Background noise: `walk` Pa per root second, levelling off with `memory_s`, and `white_Pa` a sample."""

    white_Pa: float
    walk: float = 0.0
    memory_s: float = 7200.0
    period_s: float = 1.0

    @property
    def sd_Pa(self) -> float:
        """Standard deviation of one sample, Pa."""
        return math.hypot(self.white_Pa, self.walk * math.sqrt(self.memory_s / 2))

    def allan(self, tau_s: float) -> float:
        """Allan deviation over `tau_s`, Pa."""
        x = tau_s / self.memory_s
        variance = self.walk**2 * self.memory_s / 2
        mean = variance * 2 * (x - 1 + math.exp(-x)) / x**2
        neighbours = variance * ((1 - math.exp(-x)) / x) ** 2
        return math.sqrt(mean - neighbours + self.white_Pa**2 * self.period_s / tau_s)


BENCH: Final = BackgroundWander(1.0)
CABIN: Final = BackgroundWander(6.5, 0.35)


@dataclass
class Noise:
    """A stream of background noise that goes on from block to block."""

    wander: BackgroundWander
    rng: np.random.Generator
    _level: float = field(init=False)

    def __post_init__(self) -> None:
        self._level = self._sd * float(self.rng.standard_normal())

    @property
    def _sd(self) -> float:
        return self.wander.walk * math.sqrt(self.wander.memory_s / 2)

    def take(self, n: int) -> Array:
        """The next n samples, Pa."""
        out = self.wander.white_Pa * self.rng.standard_normal(n)
        if self.wander.walk:
            out += self._walk(n)
        return out

    def kelvin(self) -> float:
        """The gas stands."""
        return 295.0

    def _walk(self, n: int) -> Array:
        """n steps of x' = a x + s w. In chunks, so that a**-n of the scaled running sum stays small."""
        a = math.exp(-self.wander.period_s / self.wander.memory_s)
        kick = self._sd * math.sqrt(1 - a * a) * self.rng.standard_normal(n)
        chunk = max(1, int(20 * self.wander.memory_s / self.wander.period_s))
        for start in range(0, n, chunk):
            part = kick[start : start + chunk]
            growth = a ** np.arange(1, len(part) + 1)
            part[:] = growth * (self._level + np.cumsum(part / growth))
            self._level = float(part[-1])
        return kick
