"""Where life goes on: crew, oxygen, airlock, docking, orbits and the day move the pressure, and leaks stand out."""

import functools
import math
import pickle

import numpy as np

from cabinwatch.verify.score.background import STANDARD_PA
from cabinwatch.verify.score.grounds import GROUNDS
from cabinwatch.verify.score.presets import INDEX, parameters
from cabinwatch.verify.score.trials import TrialLeak, TrialWatch

STEP_PA = parameters()[INDEX["step"]] / 100
LEARN_S = 10 * 86_400
ONSETS = 16
APART_S = 11 * 3600 + 420  # the orbit's phase and the hour of the day differ from one to the next


@functools.cache
def onsets():
    """A detector that has learned, at hours all over a week."""
    watch = TrialWatch.on(GROUNDS["life"], np.random.SeedSequence(16))
    watch.quiet(LEARN_S)
    kept = []
    for _ in range(ONSETS):
        kept.append(pickle.dumps(watch))
        assert not watch.quiet(APART_S)
    return kept


def test_aboard_nineteen_of_twenty_leaks_are_called_before_they_have_cost_much_more_than_step():
    """From six times ``breath`` to a pascal a second; half of ``step`` is for noise, ``fast`` and a gas that warms."""
    late = []
    for trial in range(120):
        Pa_s = 0.03 ** (trial / 120)
        leak = TrialLeak("any", Pa_s / STANDARD_PA)
        watch = pickle.loads(onsets()[trial % ONSETS]).fork(np.random.SeedSequence(trial))
        if watch.delay(leak, STEP_PA * 1.5 / Pa_s) == math.inf:
            late.append(Pa_s)
    assert len(late) <= 6, late
