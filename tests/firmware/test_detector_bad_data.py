"""What bad data must not do to the leak detector: hide a quick leak, or look like one."""

import math
import random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cabinwatch.verify.score.presets import parameters
from cabinwatch_firmware.detector.detector import Detector

P0 = 10_132_500
T0 = 29_500
RESERVE = 6_532_800
FALL = 300_000
"""A quick leak costs this much at most, cPa, before it is called: three times the parameter ``step``."""


def pressure(law, k, since_s):
    """cPa, `since_s` after the leak began: orifice (exponential) or linear."""
    return P0 * math.exp(-k * max(since_s, 0)) if law == "orifice" else P0 * (1 - k * max(since_s, 0))


def reserve_s(law, k, p):
    return math.log(p / RESERVE) / k if law == "orifice" else (p - RESERVE) / (k * P0)


spans = st.none() | st.tuples(st.floats(0, 1), st.sampled_from([3, 10, 60]))


@settings(max_examples=80, deadline=None)
@given(
    rate=st.floats(0.3, 2.6).map(lambda x: 10**x),
    at_s=st.sampled_from([0.5, 100, 1000]),
    sigma=st.sampled_from([30, 100, 500, 650]),
    dt=st.sampled_from([500, 1000, 2000]),
    law=st.sampled_from(["orifice", "linear"]),
    gap=spans,
    stuck=spans,
    seed=st.integers(0, 2**32),
)
@example(rate=341, at_s=0.5, sigma=500, dt=1000, law="linear", gap=(0.05, 10), stuck=None, seed=1903)
@example(rate=12.7, at_s=0.5, sigma=650, dt=1000, law="orifice", gap=None, stuck=None, seed=151)
@example(rate=61.6, at_s=0.5, sigma=30, dt=1000, law="orifice", gap=None, stuck=(0, 10), seed=1)
def test_a_quick_leak_is_called_whatever_hides_its_beginning(rate, at_s, sigma, dt, law, gap, stuck, seed):
    """2 to 400 Pa/s, from boot or later, behind a gap and a stuck reading of up to a minute each.

    Called within 3000 Pa of fall and 12 samples after the last of them; from a minute later T-reserve is
    at most a quarter and 30 s too long.
    """
    d, rng, k = Detector(parameters()), random.Random(seed), rate * 100 / P0
    hidden = [(x[0] * (at_s + 30), x[0] * (at_s + 30) + x[1]) if x else (0, 0) for x in (gap, stuck)]
    sound_s = max(at_s, *(end for _, end in hidden))
    limit = sound_s + FALL / (rate * 100) + 12 * dt / 1000
    t = last = 0.0
    held = called = None
    while (p := pressure(law, k, t - at_s)) > RESERVE * 1.01:
        t += dt / 1000
        if hidden[0][0] <= t < hidden[0][1]:
            continue
        reading = round(p + rng.gauss(0, sigma))
        if hidden[1][0] <= t < hidden[1][1]:
            held = reading = reading if held is None else held
        d.sample(round((t - last) * 1000), reading, T0)
        last = t
        if d.cls and called is None:
            assert t > at_s, "called before it began"
            called = t
        assert called is not None or t < limit, f"not called {t - at_s:.0f} s after its start"
        if called is not None and t > max(called, sound_s) + 60:
            assert d.tres_s <= reserve_s(law, k, p) * 1.25 + 30
            if t > max(called, sound_s) + 300:
                return


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    sigma=st.sampled_from([30, 100, 500]),
    dt=st.sampled_from([500, 1000, 10_000]),
    seconds=st.integers(3, 3600),
)
def test_a_sensor_that_sticks_is_no_leak(seed, sigma, dt, seconds):
    """A noisy sensor that repeats one reading for up to an hour: neither then nor after it."""
    d, rng = Detector(parameters()), random.Random(seed)
    for _ in range(1500):
        d.sample(dt, round(P0 + rng.gauss(0, sigma)), T0)
    low = round(P0 - 3 * sigma)
    for _ in range(max(1, seconds * 1000 // dt)):
        d.sample(dt, low, T0)
        assert d.cls == 0
    for _ in range(1500):
        d.sample(dt, round(P0 + rng.gauss(0, sigma)), T0)
        assert d.cls == 0
