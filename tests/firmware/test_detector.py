"""The leak detector's stated guarantees; each test names one."""

import math
import random

from firmware.detector import Detector

# Values of P_BREATH (index 8) onwards.
DEFAULTS = [45000, 2500, 56, 100000, 1200, 600, 0, 500, 3600, 86400, 2592000, 6532800, 1000]


def detector(**changes):
    p = [0] * 8 + DEFAULTS
    for name, value in changes.items():
        p[int(name[1:])] = value
    return Detector(p)


def test_soyuz_11_is_an_emergency_within_three_samples():
    d = detector()
    rng = random.Random(11)
    for _ in range(600):
        d.sample(1000, round(10132500 + rng.gauss(0, 100)), 29500)
        assert d.cls == 0
    for i in range(1, 4):
        d.sample(1000, round(10132500 * math.exp(-0.025 * i)), 29500)
    assert (d.cls, d.cause) == (4, 1)
    assert d.tres_s <= math.log(10132500 * math.exp(-0.075) / 6532800) / 0.025
