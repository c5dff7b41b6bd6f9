"""The background wander."""

import itertools
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinwatch.models.background import FITTED_Q, FITTED_TAU_s
from cabinwatch.world.cabin.wander import Wander, allan_deviation

MEASURED = {30: 1.6, 300: 3.0, 1800: 9.0, 3600: 10.0}


def test_the_fit_is_near_every_measured_deviation():
    for T, measured in MEASURED.items():
        assert 1 / 1.35 < allan_deviation(T) / measured < 1.35


def test_no_neighbouring_pair_of_parameters_fits_better():
    from math import log

    def misfit(q, tau):
        return sum(log(allan_deviation(T, q, tau) / m) ** 2 for T, m in MEASURED.items())

    best = misfit(FITTED_Q, FITTED_TAU_s)
    for dq, dtau in ((1.02, 1), (0.98, 1), (1, 1.05), (1, 0.95)):
        assert misfit(FITTED_Q * dq, FITTED_TAU_s * dtau) > best


def test_paths_have_the_allan_deviation_of_the_formula():
    path = Wander(7)
    samples = [path.at(i * 10.0) for i in range(200_000)]
    for T in (300, 1800, 3600):
        n = T // 10
        means = [statistics.fmean(samples[i : i + n]) for i in range(0, len(samples) - n, n)]
        found = (statistics.fmean((b - a) ** 2 for a, b in itertools.pairwise(means)) / 2) ** 0.5
        assert found == pytest.approx(allan_deviation(T), rel=0.12)


@given(st.integers(0, 5), st.lists(st.floats(0, 50_000), max_size=10), st.floats(0, 50_000))
def test_a_value_depends_on_the_seed_and_time_alone(seed, others, t):
    asked, fresh = Wander(seed), Wander(seed)
    for other in others:
        asked.at(other)
    assert asked.at(t) == fresh.at(t)
    assert asked.at(t) != Wander(seed + 1).at(t)


@given(st.floats(0, 20_000))
def test_it_is_continuous(t):
    path = Wander(1)
    assert abs(path.at(t + 1e-6) - path.at(t)) < 1e-4
