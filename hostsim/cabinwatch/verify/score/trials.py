"""Trials of the firmware's detector: quiet records for false alarms, leaks for delays."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from cabinwatch.targets.detector import Detector
from cabinwatch.verify.score.background import DAY_S, STANDARD_PA, BackgroundWander, Noise
from cabinwatch.verify.score.presets import parameters

MMHG_PA: Final = 133.322
CABIN_KG: Final = 1096.0  # 916 m3 of air at 101 325 Pa and 295 K
TEMPERATURE_CK: Final = 29_500


@dataclass(frozen=True)
class TrialLeak:
    """A leak by name; `k` is the share of the air that it takes each second."""

    name: str
    k: float

    @property
    def Pa_s(self) -> float:
        """Fall of total pressure at its start, Pa/s."""
        return self.k * STANDARD_PA


def by_mass(name: str, kg_d: float) -> TrialLeak:
    """A leak of kg_d kilograms a day from the whole station."""
    return TrialLeak(name, kg_d / CABIN_KG / DAY_S)


def by_rate(name: str, mmHg_d: float) -> TrialLeak:
    """A leak that lowers the total pressure by mmHg_d a day."""
    return TrialLeak(name, mmHg_d * MMHG_PA / STANDARD_PA / DAY_S)


LEAKS: Final = (
    by_mass("0.5 lb/d", 0.227),
    by_rate("0.5 mmHg/d", 0.5),
    by_mass("PrK, Apr 2024: 3.7 lb/d", 1.678),
    by_rate("US Lab hose: 2 mmHg/d", 2.0),
    by_rate("5 mmHg/d", 5.0),
    by_rate("10 mmHg/d", 10.0),
    TrialLeak("Soyuz MS-09: 0.8 mbar/h", 80 / 3600 / STANDARD_PA),
    by_rate("60 mmHg/d", 60.0),
    TrialLeak("1 Pa/s", 1 / STANDARD_PA),
    TrialLeak("Spektr: 75 mmHg in 6 min", 2.9e-4),
    TrialLeak("Soyuz 11", 0.0253),
)


@dataclass
class TrialWatch:
    """A detector that has learned a background, with that background's noise."""

    detector: Detector
    noise: Noise

    @classmethod
    def warmed(
        cls, wander: BackgroundWander, seed: np.random.SeedSequence, days: float, **preset: int
    ) -> "TrialWatch":
        """A detector after `days` of quiet at the background's own sample period."""
        watch = cls(Detector(parameters(**preset)), Noise(wander, np.random.default_rng(seed)))
        for _ in range(math.ceil(days)):
            watch.quiet(DAY_S)
        return watch

    def fork(self, seed: np.random.SeedSequence) -> "TrialWatch":
        """A copy whose noise goes on differently."""
        twin = copy.deepcopy(self)
        twin.noise.rng = np.random.default_rng(seed)
        return twin

    def quiet(self, seconds: float) -> list[float]:
        """Feed a quiet record; the times of calls, s. After a call the detector accepts what it saw."""
        sample: Callable[[int, int, int], None] = self.detector.sample
        step = round(self.noise.wander.period_s * 1000)
        calls = []
        record = 100 * (STANDARD_PA + self.noise.take(round(seconds * 1000) // step))
        for i, value in enumerate(np.rint(record).astype(np.int64).tolist()):
            sample(step, value, TEMPERATURE_CK)
            if self.detector.cls:
                calls.append(i * step / 1000)
                self.detector.dismiss()
        return calls

    def delay(self, leak: TrialLeak, limit_s: float) -> float:
        """Seconds from the leak's start to the call; infinite if there is none within the limit."""
        sample: Callable[[int, int, int], None] = self.detector.sample
        step = round(self.noise.wander.period_s * 1000)
        done = 0
        while done * step < limit_s * 1000:
            n = min(7200, 512 << min(done // 512, 8))
            t = np.arange(done + 1, done + 1 + n) * (step / 1000)
            record = 100 * (STANDARD_PA * np.exp(-leak.k * t) + self.noise.take(n))
            for i, value in enumerate(np.rint(record).astype(np.int64).tolist()):
                sample(step, value, TEMPERATURE_CK)
                if self.detector.cls:
                    return (done + i + 1) * step / 1000
            done += n
        return math.inf
