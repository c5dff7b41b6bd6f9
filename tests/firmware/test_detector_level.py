"""The level of weeks: where nothing but a leak moves the pressure (`breath` 0), the slowest leaks stand out of it."""

import functools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import narrow
from cabinwatch.verify.score.background import CABIN, DAY_S, Wander
from cabinwatch.verify.score.presets import BENCH_PRESET, INDEX, parameters
from cabinwatch.verify.score.trials import LEAKS, Watch

BY_NAME = {leak.name: leak for leak in LEAKS}
MINUTELY = Wander(CABIN.white_Pa, CABIN.walk, period_s=60.0)
T0 = 29_500
seeds = st.integers(0, 2**32)


@functools.cache
def warmed():
    """Sixty days of a real cabin's wander, polled each minute."""
    return Watch.warmed(MINUTELY, np.random.SeedSequence(5), 60, **BENCH_PRESET)


def fork(seed):
    return warmed().fork(np.random.SeedSequence(seed))


def feed(watch, seconds, level_Pa):
    """Feed the wander about level_Pa(t); the classes seen."""
    step = watch.noise.wander.period_s
    classes = set()
    for i, noise in enumerate(watch.noise.take(int(seconds / step)).tolist()):
        watch.detector.sample(round(step * 1000), round(100 * (level_Pa(i * step) + noise)), T0)
        classes.add(watch.detector.cls)
    return classes


@pytest.mark.parametrize(
    ("name", "days"), [("0.5 lb/d", 5), ("0.5 mmHg/d", 2), ("PrK, Apr 2024: 3.7 lb/d", 1.25)]
)
@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_the_slowest_leaks_stand_out_of_the_level_of_weeks(name, days, seed):
    watch = fork(seed)
    assert watch.delay(BY_NAME[name], days * DAY_S) < days * DAY_S
    d = watch.detector
    assert (d.cause, d.cls > 0) == (2, True)
    true_cPa_h = BY_NAME[name].Pa_s * 100 * 3600
    assert abs(-d.rate_cPa_h - true_cPa_h) < 3 * d.sigma_cPa_h


@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_a_patched_slow_leak_ends_and_a_second_is_called(seed):
    watch = fork(seed)
    leak = BY_NAME["US Lab hose: 2 mmHg/d"]
    delay = watch.delay(leak, 2 * DAY_S)
    level = 101_325 - leak.Pa_s * delay
    hours = 0
    while watch.detector.cls and hours < 120:
        feed(watch, 3600, lambda t: level)
        hours += 1
    assert watch.detector.cls == 0
    assert feed(watch, DAY_S, lambda t: level) == {0}, "one leak is called once"
    assert feed(watch, 3 * DAY_S, lambda t: level - leak.Pa_s * t) != {0}


@pytest.mark.parametrize("step_Pa", [0, 20, 400, 5000])
@pytest.mark.parametrize("seed", range(8))
def test_a_rise_is_no_leak(step_Pa, seed):
    """Nor is the level then so far above that its own wander is called, in the four days that follow."""
    assert feed(fork(seed), 4 * DAY_S, lambda t: 101_325 + step_Pa) == {0}


@settings(max_examples=20, deadline=None)
@given(seed=seeds, threshold=st.sampled_from([40, 68, 100]))
def test_the_level_fits_in_31_bits_whatever_comes(seed, threshold):
    """Each sample closes a block of the level's scale; the level is armed before anything wild comes."""
    checked = narrow.load()["cabinwatch_firmware.detector.detector"].Detector
    d = checked(parameters(**{**BENCH_PRESET, "loss": 0, "threshold": threshold}))
    rng = random.Random(seed)
    wide = [0, 1, 16_777_215]
    for i in range(1500):
        v = (
            rng.choice(wide)
            if i > 1100 and (i % 100 > 90 or i > 1400)
            else 10_132_500 + rng.randrange(-900, 900) - max(0, i - 1200) * 90
        )
        d.sample(1_024_000, v, T0)
        d.nitrogen(1_024_000, v * 7 // 9, T0)
        if i == 1100:
            assert threshold == 40 or min(d.slow.lm, d.nitrogen_slow.lm) > 1023, (
                "at 40 the noise is called, and nothing learned"
            )


def test_without_the_level_the_slowest_takes_longer():
    """What the level is for: with `breath` at 1 Pa/d, as good as nothing, there is none."""
    leak, delays = BY_NAME["0.5 lb/d"], {}
    for breath in (0, 112):
        watches = [fork(seed) for seed in range(5)]
        for watch in watches:
            watch.detector.p[INDEX["breath"]] = breath
        delays[breath] = sorted(watch.delay(leak, 20 * DAY_S) for watch in watches)[2]
    assert delays[0] < 0.7 * delays[112]
