"""The analyser's ground: nitrogen in readings of 27 Pa of noise, five minutes apart.

Total pressure is held by the air system, so nitrogen alone shows a leak.
"""

import copy
import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from cabinwatch.targets.detector import Detector
from cabinwatch.verify.score.alarms import Spell
from cabinwatch.verify.score.background import DAY_S, STANDARD_PA, BackgroundWander
from cabinwatch.verify.score.optimum import Fall, optimum_s
from cabinwatch.verify.score.presets import INDEX, parameters
from cabinwatch.verify.score.trials import TrialLeak

NITROGEN: Final = "nitrogen"
NITROGEN_LEAKS: Final = {"US Lab hose": 204.0, "PrK, Apr 2024": 121.0}
"""Pa of nitrogen a day."""
ANALYSER: Final = BackgroundWander(27.0, period_s=300.0)
SHARE: Final = 0.78
TOTAL_PA: Final = 10.0
"""Noise of the total pressure."""
LOSS_Pa_s: Final = parameters()[INDEX["loss"]] / 100 / DAY_S
WARM_D: Final = 20


def nitrogen_optimum_s(Pa_d: float) -> float:
    """Of a steady fall of nitrogen, beyond what ``loss`` allows."""
    return optimum_s(ANALYSER, Fall(Pa_d / DAY_S, allowed_Pa_s=LOSS_Pa_s))


@dataclass
class NitrogenWatch:
    """A detector on both pressures; nobody consumes nitrogen."""

    detector: Detector
    rng: np.random.Generator

    @classmethod
    def on(cls, seed: np.random.SeedSequence) -> "NitrogenWatch":
        """A detector that knows nothing yet."""
        return cls(Detector(parameters()), np.random.default_rng(seed))

    def fork(self, seed: np.random.SeedSequence) -> "NitrogenWatch":
        """A copy whose noise goes on differently."""
        return NitrogenWatch(copy.deepcopy(self.detector), np.random.default_rng(seed))

    def quiet(self, seconds: float) -> list[Spell]:
        """What was called while nothing leaked."""
        period_s, spells = ANALYSER.period_s, []
        for i in range(round(seconds / period_s)):
            self._take(0.0)
            if self.detector.cls:
                spells.append(Spell(period_s * i, period_s * (i + 1), self.detector.cls))
                self.detector.dismiss()
        return spells

    def delay(self, leak: TrialLeak, limit_s: float) -> float:
        """Seconds from the start of a leak of air to the call; infinite if there is none within the limit."""
        period_s = ANALYSER.period_s
        for i in range(1, math.ceil(limit_s / period_s) + 1):
            self._take(leak.Pa_s * period_s * i)
            if self.detector.cls:
                return period_s * i
        return math.inf

    def _take(self, lost_Pa: float) -> None:
        total, nitrogen = self.rng.standard_normal(2).tolist()
        elapsed_ms = round(1000 * ANALYSER.period_s)
        self.detector.sample(elapsed_ms, round(100 * (STANDARD_PA + TOTAL_PA * total)), 29_500)
        self.detector.nitrogen(
            elapsed_ms,
            round(100 * (SHARE * (STANDARD_PA - lost_Pa) + ANALYSER.white_Pa * nitrogen)),
            29_500,
        )


def nitrogen_delay_d(Pa_d: float, seed: np.random.SeedSequence) -> float:
    """To the call of a fall of nitrogen of so much a day."""
    watch = NitrogenWatch.on(seed)
    watch.quiet(WARM_D * DAY_S)
    return watch.delay(TrialLeak("", Pa_d / SHARE / DAY_S / STANDARD_PA), 20 * DAY_S) / DAY_S
