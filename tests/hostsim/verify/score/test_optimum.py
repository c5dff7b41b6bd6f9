"""The optimum, against the definition computed directly, and against figures found with other code."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cabinwatch.verify.score.background import BENCH, CABIN, BackgroundWander, Noise
from cabinwatch.verify.score.optimum import Whitener, first_order_s, log_statistic, optimum_s

DAY_S = 86_400


def autocovariances(wander, block, lags):
    """Of block means, sample pair by sample pair."""
    power = wander.walk**2 * wander.memory_s / 2
    a = math.exp(-wander.period_s / wander.memory_s)
    apart = np.subtract.outer(np.arange(block), np.arange(block))
    out = [power * np.mean(a ** np.abs(apart + k * block)) for k in range(lags)]
    out[0] += wander.white_Pa**2 / block
    return np.array(out)


@settings(max_examples=25, deadline=None)
@given(
    block=st.integers(1, 20),
    walk=st.sampled_from([0.0, 0.35, 2.0]),
    memory_s=st.sampled_from([20.0, 600.0, 7200.0]),
    seed=st.integers(0, 2**32),
)
def test_the_innovations_are_those_of_the_exact_covariance(block, walk, memory_s, seed):
    """Gaussian elimination on the covariance matrix gives the same, once the filter's start has died away."""
    wander = BackgroundWander(1.0, walk, memory_s)
    n = 90
    c = autocovariances(wander, block, n)
    covariance = c[np.abs(np.subtract.outer(np.arange(n), np.arange(n)))]
    y = np.linalg.cholesky(covariance) @ np.random.default_rng(seed).standard_normal(n)
    exact = np.linalg.solve(np.linalg.cholesky(covariance), y)
    assert Whitener.of(wander, block)(y)[60:] == pytest.approx(exact[60:], abs=0.02)


def direct(innovations, template):
    """The statistic by its definition: each age of onset by itself, no transform."""
    n = len(innovations)
    ages, weights = [1], [1]
    while (following := max(ages[-1] + 1, ages[-1] * 13 // 12)) <= n:
        weights.append(following - ages[-1])
        ages.append(following)
    out = []
    for t in range(n):
        terms = [
            math.log(w)
            + float(innovations[t + 1 - age : t + 1] @ template[:age] - template[:age] @ template[:age] / 2)
            for age, w in zip(ages, weights, strict=True)
            if age <= t + 1
        ]
        top = max(terms)
        out.append(top + math.log(sum(math.exp(v - top) for v in terms)))
    return out


@settings(max_examples=20, deadline=None)
@given(
    n=st.integers(1, 300), seed=st.integers(0, 2**32), size=st.floats(0.001, 0.3), block=st.integers(1, 50)
)
def test_the_statistic_is_its_definition(n, seed, size, block):
    template = Whitener.of(CABIN, block)(size * np.arange(1.0, n + 1))
    innovations = np.random.default_rng(seed).standard_normal((2, n))
    innovations[:, n // 2 :] += template[: n - n // 2]
    for path, found in zip(innovations, log_statistic(innovations, template), strict=True):
        assert found == pytest.approx(direct(path, template), abs=1e-6)


@pytest.mark.parametrize(
    ("wander", "Pa_d", "published_s"),
    [
        (BENCH, 2 * 133.322, 203),
        (BENCH, 80 * 24, 55.5),
        (CABIN, 2 * 133.322, 6.6 * 3600),
        (CABIN, 80 * 24, 0.85 * 3600),
        (BackgroundWander(27.0, period_s=300.0), 204, 0.142 * DAY_S),
    ],
)
def test_the_delays_are_those_found_with_other_code(wander, Pa_d, published_s):
    assert optimum_s(wander, Pa_d / DAY_S, trials=60) == pytest.approx(published_s, rel=0.1)


def test_the_optimum_is_faster_than_the_first_order_says():
    assert optimum_s(CABIN, 0.02, trials=60) < first_order_s(CABIN, 0.02)


def test_the_noise_is_whitened():
    block = 60
    means = Noise(CABIN, np.random.default_rng(3)).take(600_000).reshape(-1, block).mean(axis=1)
    e = Whitener.of(CABIN, block)(means)[100:]
    assert e.std() == pytest.approx(1, abs=0.03)
    assert abs(np.corrcoef(e[1:], e[:-1])[0, 1]) < 0.03
