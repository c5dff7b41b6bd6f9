"""The detector's integers: bounds of every intermediate, equality on the MicroPython VM, no allocation."""

import json
import random
import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

import narrow
from cabinwatch.sources import import_path
from cabinwatch.targets.micropython import INSTALL, find_vm
from cabinwatch.verify.score.presets import TUNABLES, parameters
from cabinwatch_firmware.detector.detector import Detector
from conftest import missing

VM = find_vm()


CHECKED = narrow.load()["cabinwatch_firmware.detector.detector"].Detector
PRESSURE = st.one_of(st.integers(0, 16_777_215), st.integers(9_900_000, 10_300_000))
STREAM = st.lists(
    st.tuples(
        st.one_of(st.sampled_from([100, 1000, 60_000, 3_600_000]), st.integers(1, 86_400_000)),
        PRESSURE,
        st.integers(1, 65_535),
        st.integers(1, 40),
    ),
    min_size=1,
    max_size=12,
)
PARAMETERS = st.tuples(*(st.sampled_from([t.low, t.default, t.high]) for t in TUNABLES))


def feed(d, stream, seed):
    """Each entry is repeated with noise and a slope of its own, so that the slow scales see leaks as well."""
    rng = random.Random(seed)
    for dt, p, t, repeats in stream:
        slope = rng.choice([0, 0, -1, -30, -3000, -300_000, 50])
        for i in range(repeats):
            v = max(0, min(16_777_215, p + slope * i + rng.randrange(-200, 200)))
            d.sample(dt, v, t)
            if i % 3 == 0:
                d.nitrogen(dt, v * 7 // 9, t)


@settings(max_examples=40, deadline=None)
@given(stream=STREAM, values=PARAMETERS, seed=st.integers(0, 2**32))
def test_every_intermediate_fits_in_31_bits(stream, values, seed):
    feed(CHECKED([0] * 8 + list(values)), stream, seed)


def test_every_intermediate_fits_in_31_bits_over_long_leaks():
    for dt, slope in ((1000, -300), (60_000, -200), (3_600_000, -1500), (1000, 300), (100, -20_000)):
        d = CHECKED(parameters(breath=0))
        rng = random.Random(dt)
        for i in range(3000):
            v = max(0, min(16_777_215, 10_132_500 + slope * i + rng.randrange(-100, 100)))
            d.sample(dt, v, 29_500)
            d.nitrogen(dt, v * 7 // 9, 29_500)


SCRIPT = """
import sys, json
sys.path[:0] = {root!r}.split(":")
from cabinwatch_firmware.detector.detector import Detector
for line in sys.stdin:
    p, stream = json.loads(line)
    d = Detector(p)
    out = []
    for dt, v, t in stream:
        d.sample(dt, v, t)
        d.nitrogen(dt, v * 7 // 9, t)
        out.append([d.cls, d.cause, d.rate_cPa_h, d.sigma_cPa_h, d.tres_s, d.law])
    print(json.dumps(out))
"""

LOCKED = """
import sys, micropython
sys.path[:0] = {root!r}.split(":")
from cabinwatch_firmware.detector.detector import Detector
def run(d, n):
    p = 10132500
    x = 1
    micropython.heap_lock()
    for i in range(n):
        x = (x * 1103 + 12345) & 0xFFFF
        if i > 4000:
            p -= 20
        if i > 9000:
            p -= 5000
        d.sample(1000, p + (x >> 8) - 128, 29500 + (x >> 15))
        if i % 300 == 0:
            d.nitrogen(300000, p * 3 // 4 + (x >> 6), 29500)
        if i == 6000:
            d.dismiss()
    micropython.heap_unlock()
d = Detector({parameters!r})
run(d, 10000)
print(d.cls, d.cause)
"""


def vm(script, lines=""):
    if VM is None:
        missing("the MicroPython VM", INSTALL)
    assert VM
    done = subprocess.run(
        [VM, "-c", script], input=lines, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


ROOT = import_path()


def streams(n):
    rng = random.Random(29)
    for _ in range(n):
        dt = rng.choice([100, 1000, 10_000, 60_000, 3_600_000])
        slope, p = rng.choice([0, -30, -200, -9000, 15]), 10_132_500
        stream = []
        for i in range(600):
            p = max(0, min(16_777_215, p + (slope if i > 200 else 0)))
            noise = round(rng.gauss(0, 100)) if rng.random() > 0.002 else rng.randrange(-500_000, 500_000)
            gap = dt if rng.random() > 0.005 else rng.randrange(1, 86_400_001)
            stream.append((gap, max(0, p + noise), 29_500 + rng.randrange(-50, 50)))
        yield parameters(breath=rng.choice([0, 45_000])), stream


def test_the_micropython_vm_gives_the_same_results():
    cases = list(streams(12))
    out = vm(SCRIPT.format(root=ROOT), "".join(json.dumps(c) + "\n" for c in cases)).splitlines()
    calls = 0
    for (p, stream), line in zip(cases, out, strict=True):
        d, mine = Detector(p), []
        for dt, v, t in stream:
            d.sample(dt, v, t)
            d.nitrogen(dt, v * 7 // 9, t)
            mine.append([d.cls, d.cause, d.rate_cPa_h, d.sigma_cPa_h, d.tres_s, d.law])
            calls += d.cls > 0
        assert mine == json.loads(line)
    assert calls > 100


def test_no_allocation_in_ten_thousand_samples():
    assert vm(LOCKED.format(root=ROOT, parameters=parameters(breath=0))).split() == ["4", "1"]


def test_gaps_in_a_kilopascal_of_noise_fit_in_31_bits():
    d, rng = CHECKED(parameters()), random.Random(1)
    for i in range(1500):
        d.sample(1000 if i % 300 else 60_000, max(0, round(10_132_500 + rng.gauss(0, 100_000))), 29_500)


def test_steps_that_nobody_reads_an_analyser_for_fit_in_31_bits():
    d = CHECKED(parameters())
    for i in range(24_000):
        d.sample(1000, (12_000_000, 200_000)[i // 60 % 2] + i % 3, 29_500)


def test_a_gauge_of_huge_steps_and_daily_polls_fits_in_31_bits():
    d = CHECKED(parameters(floor=10_000))
    for dt, p in (
        [(1000, 16_000_000), (1000, 100_000)] + [(86_400_000, 9_000_000)] * 9 + [(86_400_000, 0)] * 9
    ):
        d.sample(dt, p, 29_500)
        d.nitrogen(dt, p, 29_500)
