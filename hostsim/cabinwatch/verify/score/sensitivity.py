"""Sensitivity: the smallest steady leak that is called within a time with a probability of at least 0.95.

Called in 59 of 59 trials, its lower 95 % bound is 0.05^(1/59) = 0.9505: over leaks and detectors alike, for each trial
has a detector of its own. Rates go in steps of a quarter, from what the slow watch's formulas say.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from cabinwatch.verify.score.background import DAY_S, STANDARD_PA
from cabinwatch.verify.score.detectable import SPANS_S, detectable
from cabinwatch.verify.score.grounds import GROUNDS
from cabinwatch.verify.score.nitrogen import ANALYSER, NITROGEN, SHARE, LOSS_Pa_s, NitrogenWatch
from cabinwatch.verify.score.trials import TrialLeak, TrialWatch

TRIALS: Final = 59
STEP: Final = 1.25
STEPS_MOST: Final = 16
BELOW: Final = 1.6
"""By so much the first rate is below what the formulas say."""
UNREACHED_Pa_h: Final = 1000.0
"""Where they say that none is seen, the search begins here."""
MOSTLY: Final = 0.95
DAILY: Final = [g.name for g in GROUNDS.values() if g.aboard or g.gauge.warming_K]
"""Grounds where it matters at what time of day a leak begins."""
Watch = TrialWatch | NitrogenWatch


class Smallest(NamedTuple):
    """Rates, Pa/d: the one that every trial called, and the one that 95 of 100 did; infinite where none of STEPS is."""

    always_Pa_d: float
    mostly_Pa_d: float


def smallest(
    name: str, spans: Sequence[str], seed: int, warm_days: float, trials: int = TRIALS
) -> dict[str, Smallest]:
    """On a ground, within each of the spans."""
    watches = [_warmed(name, _seed(seed, name, trial), warm_days) for trial in range(trials)]
    return {within: _smallest(watches, name, within, seed) for within in spans}


def _smallest(watches: Sequence[Watch], name: str, within: str, seed: int) -> Smallest:
    """By the trials that need most: each begins at the least rate that would still put it among them."""
    span_s, n = SPANS_S[within], len(watches)
    begins_s = DAY_S if name in DAILY else min(span_s, DAY_S)  # anywhere in a block of what calls it
    first = reckoned_Pa_d(name, within) / BELOW
    rates = [first * STEP**i for i in range(STEPS_MOST)]
    most = [first] * (n - round(MOSTLY * n) + 1)
    for trial, watch in enumerate(watches):
        twin = watch.fork(_seed(seed, name, trial, 1))
        twin.quiet(begins_s * (trial + 1) / n)
        again = _seed(
            seed, name, trial, 2
        )  # the same noise at each rate: what is called at one is called at all above
        upwards = (rate for rate in rates if rate >= most[0])
        needed = next((rate for rate in upwards if _called(twin.fork(again), rate, span_s)), math.inf)
        most = sorted([*most[1:], needed])
        if math.isinf(most[0]):
            break
    return Smallest(most[-1], most[0])


def _called(watch: Watch, Pa_d: float, span_s: float) -> bool:
    return watch.delay(TrialLeak("", Pa_d / DAY_S / STANDARD_PA), span_s) <= span_s


def _warmed(name: str, seed: np.random.SeedSequence, days: float) -> Watch:
    """A detector that has learned the ground."""
    watch: Watch = NitrogenWatch.on(seed) if name == NITROGEN else TrialWatch.on(GROUNDS[name], seed)
    watch.quiet(days * DAY_S)
    return watch


def reckoned_Pa_d(name: str, within: str) -> float:
    """By the formulas of ``detectable``, which know noise, wander and steps, and by what the preset allows a crew."""
    if name == NITROGEN:
        wander, step_Pa, allowed, share = ANALYSER, 0.0, LOSS_Pa_s * DAY_S, SHARE
    else:
        ground = GROUNDS[name]
        wander, step_Pa, allowed, share = ground.wander, ground.gauge.step_Pa, ground.allowed_Pa_d, 1.0
    seen = {s.within: s.Pa_h for s in detectable(wander, step_Pa, 1.0)}
    return (allowed + 24 * (seen[within] if seen[within] < math.inf else UNREACHED_Pa_h)) / share


def _seed(seed: int, name: str, *words: int) -> np.random.SeedSequence:
    return np.random.SeedSequence([seed, int.from_bytes(name.encode(), "big") % 2**32, *words])
