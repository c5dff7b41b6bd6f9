"""What a gauge can see, against the firmware's own slow watch on drawn noise."""

import copy

import numpy as np
import pytest
from tests.hostsim.verify.score.seen import SEEN_Pa_h

from cabinwatch.verify.score.background import BackgroundWander, Noise
from cabinwatch.verify.score.detectable import detectable, deviation_Pa, response
from cabinwatch.verify.score.presets import parameters
from cabinwatch_firmware.detector.slow import SlowLeak

BREATHLESS = parameters(breath=0)


class Trial:
    """A slow watch that has learned two days of a gauge's noise."""

    def __init__(self, wander, step_Pa):
        self.wander, self.step_Pa = wander, step_Pa
        self.slow = SlowLeak(2, 14, BREATHLESS, False)
        self.slow.grain_cPa = round(100 * step_Pa)
        self.t = 0
        self.feed(self.slow, Noise(wander, np.random.default_rng(1)).take(int(2 * 86_400 / wander.period_s)))

    def feed(self, slow, record_Pa):
        step = max(self.step_Pa, 0.01)
        for value in (np.rint((101_325 + record_Pa) / step) * step * 100).round().astype(int).tolist():
            self.t += int(self.wander.period_s)
            slow.take(self.t, value, 0, 0, BREATHLESS[10], True)
            if slow.hit >= 0:
                return True
        return False

    def share(self, Pa_s, span_s, trials=40):
        """How often a leak is called within the span."""
        n, start, called = int(span_s / self.wander.period_s), self.t, 0
        for seed in range(trials):
            self.t = start
            noise = Noise(self.wander, np.random.default_rng(100 + seed)).take(n + seed)
            fall = Pa_s * self.wander.period_s * np.maximum(np.arange(n + seed) - seed, 0)
            called += self.feed(copy.deepcopy(self.slow), noise - fall)
        return called / trials


@pytest.mark.parametrize(("noise_Pa", "step_Pa", "period_s"), [(2, 10, 10), (1, 0, 2), (10, 1, 30)])
def test_what_is_reckoned_is_what_the_firmware_sees(noise_Pa, step_Pa, period_s):
    """Within a factor of 1.3, for an hour."""
    wander = BackgroundWander(float(noise_Pa), period_s=float(period_s))
    seen = next(iter(detectable(wander, step_Pa, 80)))
    trial = Trial(wander, step_Pa)
    assert trial.share(1.3 * seen.Pa_h / 3600, 3600) >= 0.9
    assert trial.share(seen.Pa_h / 1.3 / 3600, 3600) < 0.95


@pytest.mark.parametrize("setting", SEEN_Pa_h, ids=str)
def test_what_is_reckoned_is_what_was_measured(setting):
    noise_Pa, walk, step_Pa, period_s, within = setting
    wander = BackgroundWander(noise_Pa, walk, period_s=period_s)
    reckoned = {s.within: s.Pa_h for s in detectable(wander, step_Pa, 80)}
    assert 1 / 1.25 < SEEN_Pa_h[setting] / reckoned[within] < 1.25


def test_more_time_less_noise_and_less_volume_show_smaller_leaks():
    quiet, loud = (list(detectable(BackgroundWander(noise, period_s=10.0), 1, 80)) for noise in (1.0, 10.0))
    assert all(a.Pa_h < b.Pa_h for a, b in zip(quiet, loud, strict=True))
    assert [s.Pa_h for s in quiet] == sorted((s.Pa_h for s in quiet), reverse=True)
    small = list(detectable(BackgroundWander(1.0, period_s=10.0), 1, 8))
    assert small[0].kg_d == pytest.approx(quiet[0].kg_d / 10)


@pytest.mark.parametrize("walk", [0.0, 0.35])
def test_the_deviation_is_that_of_the_averages(walk):
    wander, samples = BackgroundWander(6.5, walk, period_s=60.0), 8
    means = Noise(wander, np.random.default_rng(4)).take(400_000).reshape(-1, samples).mean(axis=1)
    quick = slow = means[0]
    out = []
    for x in means.tolist():
        quick += (x - quick) / 4
        slow += (x - slow) / 16
        out.append(slow - quick)
    assert np.std(out[100:]) == pytest.approx(deviation_Pa(wander, samples), rel=0.05)


@pytest.mark.parametrize("blocks", [1, 5, 20])
def test_the_response_is_that_of_the_averages_to_a_ramp(blocks):
    quick = slow = 0.0
    for i in range(blocks + 1):
        quick += (-i - quick) / 4
        slow += (-i - slow) / 16
    assert slow - quick == pytest.approx(response(blocks))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--noise", "17kPa"), "--noise 17,000 Pa is out of range: 0 to 16,000 Pa"),
        (("--step", "-1Pa"), "--step -1 Pa is out of range"),
        (("--volume", "50 l"), "--volume 0.05 m3 is out of range: 0.1 to 1e+06 m3"),
        (("--period", "1ms"), "--period 0.001 s is out of range: 0.1 to 3,600 s"),
        (("--period", "2h"), "--period 7,200 s is out of range"),
        (("--noise", "0Pa", "--step", "0Pa"), "both 0"),
    ],
)
def test_a_gauge_that_no_cabin_has_is_refused_with_the_range(cabinwatch, words, said):
    code, out, err = cabinwatch("detectable", *words)
    assert (code, out, said in err) == (2, "", True), err


def test_a_period_may_be_in_milliseconds(cabinwatch):
    assert cabinwatch("detectable", "--period", "500ms") == cabinwatch("detectable", "--period", "0.5 s")
