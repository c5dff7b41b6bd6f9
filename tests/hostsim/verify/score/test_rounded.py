"""The optimum on a gauge that rounds, against the one that it becomes where rounding does not matter, and by hand."""

import math

import numpy as np
import pytest

from cabinwatch.verify.score.background import BackgroundWander, Noise
from cabinwatch.verify.score.optimum import Fall, Whitener, log_statistic, optimum_s
from cabinwatch.verify.score.rounded import Levels, rounded_optimum_s, statistic

DAY_S = 86_400
MINUTE_S = 60.0


@pytest.mark.parametrize("walk", [0.0, 0.35])
def test_in_fine_steps_it_is_the_statistic_of_the_whitened_record(walk):
    wander, step, n = BackgroundWander(4.0, walk, period_s=MINUTE_S), 2.0, 105
    fall = Fall(2000 / DAY_S)
    age_s = MINUTE_S * np.arange(1, n + 1)
    noise = Noise(wander, np.random.default_rng(4))
    noise._level = 0.0
    readings = noise.take(n) - fall.excess_Pa(age_s - 30 * MINUTE_S)
    codes = np.rint(readings / step).astype(int)
    levels = Levels.of(wander, MINUTE_S, 0.0)
    blocks = ((np.array([c - 1, c, c + 1]), np.array([[0.0, 1.0, 0.0]])) for c in codes.tolist())
    found = [math.log(s[0]) for s in statistic(levels, step, np.zeros(1), blocks, fall.excess_Pa(age_s))]
    whiten = Whitener.of(wander, 1)
    exact = log_statistic(whiten(-step * codes[None, :].astype(float)), whiten(fall.excess_Pa(age_s)))[0]
    assert exact.max() > 12, "the leak shows"
    near = exact < 30  # further on a gauge's reading is as good as impossible, and its likelihood is bounded
    assert np.array(found)[near] == pytest.approx(exact[near], rel=0.1, abs=0.3)


def test_a_level_that_stands_is_called_where_it_leaves_its_step():
    """Anywhere between two steps to begin with: after half of a step's time in the median."""
    fall = Fall(155 / DAY_S)
    found = rounded_optimum_s(BackgroundWander(0.1, period_s=MINUTE_S), 53.3, fall)
    assert found == pytest.approx(53.3 / fall.Pa_s / 2, rel=0.05)


@pytest.mark.parametrize(("white_Pa", "walk"), [(10.0, 0.0), (0.65, 0.35)])
def test_rounding_costs_no_more_than_noise_of_its_size_would(white_Pa, walk):
    """Where the level moves over the steps; and never less than nothing."""
    wander = BackgroundWander(white_Pa, walk, period_s=MINUTE_S)
    noisier = BackgroundWander(math.hypot(white_Pa, 53.3 / math.sqrt(12)), walk, period_s=MINUTE_S)
    fall = Fall(1333 / DAY_S)
    found = rounded_optimum_s(wander, 53.3, fall, trials=9)
    assert 0.8 * optimum_s(wander, fall) < found < 1.25 * optimum_s(noisier, fall)
