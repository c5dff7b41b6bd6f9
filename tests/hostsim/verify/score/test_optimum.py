"""The optimum, against the definition computed directly, and against figures and paths of other code."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cabinwatch.verify.score.background import BENCH, CABIN, BackgroundWander, Noise
from cabinwatch.verify.score.learned import learned_log_statistic
from cabinwatch.verify.score.optimum import Fall, Whitener, first_order_s, log_statistic, optimum_s

DAY_S = 86_400
OTHER_CODE = json.loads(Path(__file__).with_name("optimum_vectors.json").read_text())
"""Statistics by a program that shares no code with ours, on paths that NumPy's generator makes of seed 5."""


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
    assert optimum_s(wander, Fall(Pa_d / DAY_S), trials=60) == pytest.approx(published_s, rel=0.1)


def test_the_optimum_is_faster_than_the_first_order_says():
    assert optimum_s(CABIN, Fall(0.02), trials=60) < first_order_s(CABIN, 0.02)


def test_the_noise_is_whitened():
    block = 60
    means = Noise(CABIN, np.random.default_rng(3)).take(600_000).reshape(-1, block).mean(axis=1)
    e = Whitener.of(CABIN, block)(means)[100:]
    assert e.std() == pytest.approx(1, abs=0.03)
    assert abs(np.corrcoef(e[1:], e[:-1])[0, 1]) < 0.03


@pytest.mark.parametrize("vector", OTHER_CODE["steady"], ids=lambda v: v["name"])
def test_the_statistic_is_that_of_other_code_on_the_same_paths(vector):
    """To 1e-6, for the leak's rate and for an even mixture of rates."""
    wander = BackgroundWander(*(vector[k] for k in ("white_Pa", "walk", "memory_s", "period_s")))
    block, rate, n = vector["block"], vector["Pa_s"], 400
    whiten = Whitener.of(wander, block)
    for ours, theirs in zip(
        (whiten.phi, whiten.theta, whiten.variance),
        (vector["phi"], vector["theta"], vector["variance"]),
        strict=True,
    ):
        assert ours == pytest.approx(theirs, rel=1e-6)
    age_s = (np.arange(n) * block + (block + 1) / 2) * wander.period_s
    template = whiten(Fall(rate).excess_Pa(age_s))
    paths = np.random.default_rng(5).standard_normal((2, n))
    paths[:, n // 2 :] += template[: n // 2]
    mixture = np.geomspace(1.5e-4, 0.15, 14) / rate
    unknown = np.logaddexp.reduce([log_statistic(paths, r * template) for r in mixture]) - math.log(14)
    assert log_statistic(paths, template)[:, vector["at"]] == pytest.approx(
        np.array(vector["known"]), abs=1e-6
    )
    assert unknown[:, vector["at"]] == pytest.approx(np.array(vector["unknown"]), abs=1e-6)


def test_the_statistic_that_learns_level_and_slope_is_that_of_other_code():
    """Nitrogen that falls by 47.5 Pa/d more over two days, after seven: hourly means of twelve readings."""
    vector = OTHER_CODE["learned"]
    whiten = Whitener.of(BackgroundWander(27.5, 13.6 * math.sqrt(2 / 3760), 3760.0, 300.0), 12)
    age_s = np.arange(12 * 24) * 3600.0 - 7 * DAY_S
    more = Fall(47.5 / DAY_S, growth_s=2 * DAY_S)
    paths = np.random.default_rng(5).standard_normal((2, len(age_s))) + whiten(more.excess_Pa(age_s))
    found = learned_log_statistic(paths, whiten, vector["at"])
    assert found == pytest.approx(np.array(vector["statistic"]), abs=1e-6)


@given(
    Pa_s=st.floats(1e-4, 1.0),
    growth_s=st.sampled_from([0.0, 600.0, 2.0 * DAY_S]),
    share=st.floats(0.0, 0.99),
    age_s=st.floats(0.0, 5.0 * DAY_S),
)
def test_a_fall_costs_what_its_rate_exceeds_the_allowed_by(Pa_s, growth_s, share, age_s):
    fall = Fall(Pa_s, growth_s, share * Pa_s)
    times = np.linspace(0, age_s, 20_001)
    rates = Pa_s * np.minimum(times / growth_s, 1) if growth_s else np.full_like(times, Pa_s)
    cost = np.trapezoid(np.maximum(rates - share * Pa_s, 0), times)
    assert float(fall.excess_Pa(np.array(age_s))) == pytest.approx(
        cost, rel=1e-3, abs=1e-3 * Pa_s * (age_s + 1)
    )


def test_where_a_fall_is_allowed_the_excess_is_what_counts():
    """10 mmHg/d and MS-09 where 450 Pa/d are allowed, without a crew and with one of 410 Pa/d: by other code."""
    for Pa_d, hours in ((1333, 2.13), (1333 + 410, 1.44), (1920, 1.24), (1920 + 410, 0.92)):
        fall = Fall(Pa_d / DAY_S, allowed_Pa_s=450 / DAY_S)
        assert optimum_s(CABIN, fall, trials=60) == pytest.approx(hours * 3600, rel=0.1)
    assert optimum_s(CABIN, Fall(400 / DAY_S, allowed_Pa_s=450 / DAY_S)) == math.inf


def test_a_leak_that_grows_is_called_later_by_less_than_it_grows():
    at_once, growing = (optimum_s(CABIN, Fall(267 / DAY_S, growth_s)) for growth_s in (0.0, DAY_S))
    assert at_once < growing < at_once + DAY_S
