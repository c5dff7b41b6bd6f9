"""Sensitivity: the smallest steady leak that is called within a time with a probability of at least 0.95.

Called in 59 of 59 trials, its lower 95 % bound is 0.05^(1/59) = 0.9505. Rates go in steps of a quarter, from what the
slow watch's formulas say.
"""

import math
from typing import Final

import numpy as np

from cabinwatch.verify.score.background import DAY_S, STANDARD_PA
from cabinwatch.verify.score.detectable import SPANS_S, detectable
from cabinwatch.verify.score.grounds import GROUNDS, Ground
from cabinwatch.verify.score.presets import INDEX, parameters
from cabinwatch.verify.score.trials import TrialLeak, TrialWatch

TRIALS: Final = 59
STEP: Final = 1.25
STEPS_MOST: Final = 16
BELOW: Final = 2.0
"""By so much the first rate is below what the formulas say, which are up to twice too low for days."""


def smallest_Pa_d(name: str, within: str, seed: int, warm_days: float, trials: int = TRIALS) -> float:
    """On a ground; infinite where none of the rates tried is called every time.

    Upwards from below, since one miss ends a rate that is too small and one that is seen costs all the trials.
    """
    ground = GROUNDS[name]
    watch = TrialWatch.on(ground, _seed(seed, name, 0))
    watch.quiet(warm_days * DAY_S)
    rate = reckoned_Pa_d(ground, within) / BELOW
    for _ in range(STEPS_MOST):
        if _always(watch, ground, rate, SPANS_S[within], seed, trials):
            return rate
        rate *= STEP
    return math.inf


def reckoned_Pa_d(ground: Ground, within: str) -> float:
    """By the formulas of ``detectable``, which know noise, wander and steps, and by what the preset allows a crew."""
    seen = {s.within: s.Pa_h for s in detectable(ground.wander, ground.gauge.step_Pa, 1.0)}
    allowed = parameters()[INDEX["breath"]] / 100 if ground.preset == "default" else 0.0
    return allowed + 24 * (seen[within] if seen[within] < math.inf else 1000.0)


def _always(watch: TrialWatch, ground: Ground, Pa_d: float, span_s: float, seed: int, trials: int) -> bool:
    leak = TrialLeak("", Pa_d / DAY_S / STANDARD_PA)
    for trial in range(1, trials + 1):
        twin = watch.fork(_seed(seed, ground.name, trial))
        twin.quiet(DAY_S * (trial / trials))
        if twin.delay(leak, span_s) > span_s:
            return False
    return True


def _seed(seed: int, name: str, trial: int) -> np.random.SeedSequence:
    return np.random.SeedSequence([seed, int.from_bytes(name.encode(), "big") % 2**32, trial])
