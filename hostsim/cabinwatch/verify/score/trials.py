"""Trials of the firmware's detector: quiet records for false alarms, leaks for delays."""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from cabinwatch.targets.detector import Detector
from cabinwatch.verify.score.air import kg_a_Pa
from cabinwatch.verify.score.alarms import STALE_S, Spell
from cabinwatch.verify.score.background import DAY_S, STANDARD_PA, Array, BackgroundWander, Noise
from cabinwatch.verify.score.gauge import Gauge
from cabinwatch.verify.score.grounds import PRESETS, Ground, Source, source
from cabinwatch.verify.score.presets import INDEX, parameters
from cabinwatch.world.cabin.published import STATION_m3
from cabinwatch.world.events import RATE_FULL_cPa_h

MMHG_PA: Final = 133.322


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
    return TrialLeak(name, kg_d / DAY_S / (kg_a_Pa(STATION_m3) * STANDARD_PA))


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
    """A detector that has learned a background, with that background's noise, through a gauge."""

    detector: Detector
    noise: Source
    gauge: Gauge = field(default_factory=Gauge)
    t_s: float = 0.0
    blind_s: float = 0.0
    """How long the slow watch has seen no reading, in what ``quiet`` watched: it waits while a change is followed."""

    @classmethod
    def on(cls, ground: Ground, seed: np.random.SeedSequence) -> "TrialWatch":
        """A detector that knows nothing yet."""
        detector = Detector(parameters(**PRESETS[ground.preset]))
        return cls(detector, source(ground, seed), ground.gauge)

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

    def readings(self, n: int, share_left: Array | float = 1.0) -> Iterator[tuple[int, int, int]]:
        """The next n samples as the gauge has them; ``share_left`` of the air is still there."""
        period_s = self.noise.wander.period_s
        t_s: Array = self.t_s + period_s * np.arange(1, n + 1, dtype=np.float64)
        self.t_s += period_s * n
        pressure_Pa = STANDARD_PA * share_left + self.noise.take(n)
        return self.gauge.readings(pressure_Pa, self.noise.kelvin(), t_s, period_s, self.noise.rng)

    def quiet(self, seconds: float) -> list[Spell]:
        """Watch a quiet record; what was called. An alarm that stands for a day is accepted."""
        detector = self.detector
        sample: Callable[[int, int, int], None] = detector.sample
        spells, raised_ms, worst = [], -1, 0
        ms = blind_ms = 0
        for elapsed, value, temperature in self.readings(round(seconds / self.noise.wander.period_s)):
            ms += elapsed
            sample(elapsed, value, temperature)
            if detector.slow.t != detector.second:
                blind_ms += elapsed
            if detector.cls:
                if raised_ms < 0:
                    raised_ms = ms
                worst = max(worst, detector.cls)
                if ms - raised_ms >= STALE_S * 1000:
                    detector.dismiss()
            if raised_ms >= 0 and not detector.cls:
                spells.append(Spell(raised_ms / 1000, ms / 1000, worst))
                raised_ms, worst = -1, 0
        self.blind_s += blind_ms / 1000
        if raised_ms >= 0:
            spells.append(Spell(raised_ms / 1000, ms / 1000, worst))
            detector.dismiss()
        return spells

    def leaking(self, leak: TrialLeak, limit_s: float) -> Iterator[float]:
        """Feed a leak; after each reading, how long it has gone on, s."""
        sample: Callable[[int, int, int], None] = self.detector.sample
        period_s = self.noise.wander.period_s
        done, ms = 0, 0
        while done * period_s < limit_s:
            n = min(7200, 512 << min(done // 512, 8), math.ceil(limit_s / period_s) - done)
            t_s = period_s * np.arange(done + 1, done + 1 + n)
            for elapsed, value, temperature in self.readings(n, np.exp(-leak.k * t_s)):
                ms += elapsed
                sample(elapsed, value, temperature)
                yield ms / 1000
            done += n

    def delay(self, leak: TrialLeak, limit_s: float) -> float:
        """Seconds from the leak's start to the call; infinite if there is none within the limit."""
        return next((t_s for t_s in self.leaking(leak, limit_s) if self.detector.cls), math.inf)

    def course(self, leak: TrialLeak, limit_s: float) -> "Course":
        """... and what is reported at twice and three times that age."""
        called_s = math.inf
        reports: list[Report] = []
        for t_s in self.leaking(leak, max(TIMES) * limit_s):
            if called_s == math.inf:
                if self.detector.cls:
                    called_s = t_s
                elif t_s >= limit_s:
                    break
            elif t_s >= TIMES[len(reports)] * called_s:
                reports.append(self.report(leak, t_s))
                if len(reports) == len(TIMES):
                    break
        return Course(called_s, tuple(reports))

    def report(self, leak: TrialLeak, t_s: float) -> "Report":
        """The detector's figures beside the truth, of a leak whose rate goes with the pressure."""
        detector = self.detector
        rate_cPa_h = -detector.rate_cPa_h
        pressure_Pa = STANDARD_PA * math.exp(-leak.k * t_s)
        true_cPa_h = leak.k * pressure_Pa * 360_000
        if rate_cPa_h + detector.sigma_cPa_h >= RATE_FULL_cPa_h:
            true_cPa_h = min(true_cPa_h, rate_cPa_h)  # one that has come to where they stop is a bound
        true_s = max(math.log(100 * pressure_Pa / detector.p[INDEX["reserve"]]) / leak.k, 0.0)
        return Report(
            rate=rate_cPa_h / true_cPa_h,
            inside=abs(rate_cPa_h - true_cPa_h) <= 1.96 * detector.sigma_cPa_h,
            reserve=detector.tres_s / true_s if true_s else 1.0,
            too_long=detector.tres_s > 1.15 * true_s + 10,
        )


TIMES: Final = (2, 3)
"""Ages at which reports are judged, in ages at the call."""


@dataclass(frozen=True)
class Report:
    """Reported over true rate and T-reserve; whether 1.96 deviations hold the truth; whether T-reserve is 15 % long."""

    rate: float
    inside: bool
    reserve: float
    too_long: bool


@dataclass(frozen=True)
class Course:
    """One trial: the delay, and a report at each of the ages of TIMES that it came to."""

    delay_s: float
    reports: tuple[Report, ...]
