"""The grounds: what a detector watches while nothing leaks, through which gauge, and how much of it a year.

A slow leak is judged at a reading a minute, of which years can be played; what is called within minutes at a reading a
second, on a share of each year, for that costs sixty times as much.
"""

from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np

from cabinwatch.verify.score.background import (
    BENCH,
    CABIN,
    DAY_S,
    STANDARD_PA,
    Array,
    BackgroundWander,
    Noise,
)
from cabinwatch.verify.score.gauge import TEMPERATURE_K, Gauge
from cabinwatch.verify.score.life import Life
from cabinwatch.verify.score.optimum import Fall
from cabinwatch.verify.score.presets import BENCH_PRESET, CABIN_PRESET, INDEX, parameters
from cabinwatch.verify.score.rounded import rounded_optimum_s

PRESETS: Final = {"quiet": BENCH_PRESET, "default": CABIN_PRESET}
STEP_PA: Final = 53.3  # 0.4 mmHg
MINUTE_S: Final = 60.0
TEN_DAYS: Final = 10 / 365
THERMOMETER_K: Final = 0.01
SECONDLY: Final = ("10 mmHg/d", "Soyuz MS-09: 0.8 mbar/h", "60 mmHg/d", "1 Pa/s", "Spektr: 75 mmHg in 6 min")
MINUTELY: Final = ("0.5 lb/d", "0.5 mmHg/d", "PrK, Apr 2024: 3.7 lb/d", "US Lab hose: 2 mmHg/d", "5 mmHg/d")
FEW: Final = ("PrK, Apr 2024: 3.7 lb/d", "US Lab hose: 2 mmHg/d", "10 mmHg/d")


@dataclass(frozen=True)
class Ground:
    """One ground; ``share`` of a year is watched, and the leaks by name are begun on it after ``warm_days``."""

    name: str
    title: str
    preset: str
    wander: BackgroundWander
    gauge: Gauge = field(default_factory=Gauge)
    aboard: bool = False
    share: float = 1.0
    warm_days: int = 60
    leaks: tuple[str, ...] = ()
    rivals: bool = False
    sensitivity: bool = True
    """Whether the smallest leak that is seen is looked for."""

    def optimum_s(self, Pa_s: float) -> float:
        """Of a steady leak, on this gauge, where the preset allows a crew to breathe; it knows of no crew, and sees
        through what the gauge loses, invents or warms."""
        fall = Fall(Pa_s, allowed_Pa_s=self.allowed_Pa_d / DAY_S)
        return rounded_optimum_s(self.wander, self.gauge.step_Pa, fall)

    @property
    def allowed_Pa_d(self) -> float:
        """The fall of total pressure that the preset leaves to a crew."""
        return parameters(**PRESETS[self.preset])[INDEX["breath"]] / 100


_WANDER: Final = BackgroundWander(CABIN.white_Pa, CABIN.walk, period_s=MINUTE_S)
_FINE: Final = BackgroundWander(0.65, CABIN.walk, period_s=MINUTE_S)
_MINUTE: Final = "a reading a minute"
GROUNDS: Final = {
    g.name: g
    for g in (
        Ground(
            "bench",
            "White noise of 1 Pa, a reading a second",
            "quiet",
            BENCH,
            share=TEN_DAYS,
            warm_days=5,
            leaks=(*MINUTELY, *SECONDLY, "Soyuz 11"),
            rivals=True,
            sensitivity=False,
        ),
        Ground(
            "cabin",
            "The wander of a real quiet cabin, a reading a second",
            "quiet",
            CABIN,
            share=TEN_DAYS,
            warm_days=10,
            leaks=(*SECONDLY, "Soyuz 11"),
            sensitivity=False,
        ),
        Ground("white", f"White noise of 1 Pa, {_MINUTE}", "quiet", BackgroundWander(1.0, period_s=MINUTE_S)),
        Ground(
            "wander",
            f"The wander of a real quiet cabin, {_MINUTE}",
            "quiet",
            _WANDER,
            leaks=(*MINUTELY, "10 mmHg/d"),
            rivals=True,
        ),
        Ground(
            "crew",
            f"The wander, a crew allowed for (preset default), {_MINUTE}",
            "default",
            _WANDER,
            leaks=("10 mmHg/d", "Soyuz MS-09: 0.8 mbar/h", "60 mmHg/d"),
        ),
        Ground(
            "life",
            f"Aboard: wander, breathing, oxygen, repress, traffic, orbits and the day, {_MINUTE}",
            "default",
            _WANDER,
            aboard=True,
            leaks=("10 mmHg/d", "Soyuz MS-09: 0.8 mbar/h", "60 mmHg/d"),
        ),
        Ground(
            "coarse",
            f"The wander on a gauge of 53 Pa steps, {_MINUTE}",
            "quiet",
            _FINE,
            Gauge(STEP_PA),
            leaks=FEW,
        ),
        Ground(
            "warming",
            f"The wander; the board warms its thermometer by 5 K each morning, {_MINUTE}",
            "quiet",
            _WANDER,
            Gauge(warming_K=5.0),
            leaks=FEW,
        ),
        Ground(
            "wild",
            f"The wander; 2 % of the readings are wild, {_MINUTE}",
            "quiet",
            _WANDER,
            Gauge(wild=0.02),
            leaks=FEW,
        ),
        Ground(
            "missing",
            f"The wander; a tenth of the readings missing, {_MINUTE}",
            "quiet",
            _WANDER,
            Gauge(missing=0.1),
            leaks=FEW,
        ),
    )
}


class Source(Protocol):
    """A cabin that goes on: the next n samples in Pa about the standard, and its gas' temperature."""

    rng: np.random.Generator

    @property
    def wander(self) -> BackgroundWander: ...

    def take(self, n: int) -> Array: ...

    def kelvin(self) -> Array | float:
        """Of the samples taken last."""
        ...


@dataclass
class Aboard:
    """Life aboard as a source: whole days, handed out as they are asked for."""

    noise: Noise

    def __post_init__(self) -> None:
        self._life = Life(self.noise)
        self._left = np.empty((2, 0))
        self._kelvin: Array | float = TEMPERATURE_K

    @property
    def wander(self) -> BackgroundWander:
        return self.noise.wander

    @property
    def rng(self) -> np.random.Generator:
        return self.noise.rng

    @rng.setter
    def rng(self, rng: np.random.Generator) -> None:
        self.noise.rng = rng

    def take(self, n: int) -> Array:
        while self._left.shape[1] < n:
            self._left = np.concatenate((self._left, np.stack(self._life.day())), axis=1)
        now, self._left = self._left[:, :n], self._left[:, n:]
        self._kelvin = now[1] + THERMOMETER_K * self.rng.standard_normal(n)
        above: Array = now[0] - STANDARD_PA
        return above

    def kelvin(self) -> Array | float:
        return self._kelvin


def source(ground: Ground, seed: np.random.SeedSequence) -> Source:
    """The ground's cabin, from its beginning."""
    noise = Noise(ground.wander, np.random.default_rng(seed))
    return Aboard(noise) if ground.aboard else noise
