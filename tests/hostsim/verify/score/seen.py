"""Measures what `cabinwatch detectable` reckons: the leak that the whole detector calls within a span 95 times in 100.

`python -m tests.hostsim.verify.score.seen` prints SEEN_Pa_h anew, in half an hour; test_detectable.py compares.
"""

import math

import numpy as np

from cabinwatch.targets.detector import Detector
from cabinwatch.verify.score.background import DAY_S, STANDARD_PA, BackgroundWander, Noise
from cabinwatch.verify.score.detectable import SPANS_S, detectable
from cabinwatch.verify.score.gauge import Gauge
from cabinwatch.verify.score.presets import BENCH_PRESET, parameters
from cabinwatch.verify.score.trials import TrialLeak, TrialWatch

WARMED, TRIALS = 40, 2
READINGS_MOST = 300_000
"""Of quiet, of the thirty days that are promised: the scales that see a leak within an hour have learned by then."""
SEEN_Pa_h = {  # noise Pa, walk Pa/sqrt(s), step Pa, period s, within
    (0.1, 0, 0, 1, "1 h"): 0.02042,
    (1, 0, 0, 1, "1 h"): 0.2116,
    (30, 0, 0, 1, "1 h"): 6.768,
    (2, 0, 10, 10, "1 h"): 20.46,
    (30, 0, 53.3, 10, "1 h"): 110.4,
    (1, 0, 0, 60, "1 h"): 1.658,
    (1, 0, 0, 60, "1 d"): 0.01407,
    (30, 0, 0, 60, "1 d"): 0.4344,
    (1, 0, 1, 60, "7 d"): 0.01197,
    (0.1, 0, 53.3, 60, "1 d"): 4.607,
    (1, 0, 53.3, 60, "1 d"): 4.608,
    (10, 0, 53.3, 60, "1 h"): 111.6,
    (10, 0, 53.3, 60, "1 d"): 4.62,
    (0.1, 0, 0, 600, "1 d"): 0.004459,
    (1, 0, 0, 600, "1 d"): 0.04466,
    (1, 0, 0, 600, "7 d"): 0.00381,
    (0.1, 0, 1, 600, "1 d"): 0.09097,
    (10, 0, 10, 600, "7 d"): 0.1262,
    (1, 0, 0, 3600, "1 d"): 0.1198,
    (3, 0, 0, 3600, "1 d"): 0.3711,
    (30, 0, 10, 3600, "1 d"): 3.605,
    (1, 0, 0, 3600, "7 d"): 0.009332,
    (0.1, 0, 53.3, 3600, "7 d"): 0.6999,
    (6.5, 0.35, 0, 60, "1 h"): 130.2,
    (6.5, 0.35, 0, 60, "1 d"): 3.736,
    (6.5, 0.35, 0, 600, "7 d"): 0.3687,
    (1, 0, 0, 60, "7 d"): 0.001927,
    (6.5, 0.35, 0, 60, "7 d"): 0.4126,
}


def seen_Pa_h(noise_Pa, walk, step_Pa, period_s, within):
    """By bisection of each trial's least rate; each detector has learned noise of its own, each level its place."""
    wander, span_s = BackgroundWander(noise_Pa, walk, period_s=period_s), SPANS_S[within]
    reckoned = {s.within: s.Pa_h for s in detectable(wander, step_Pa, 1.0)}[within]
    least = []
    for seed in range(WARMED):
        rng = np.random.default_rng(seed)
        gauge = Gauge(step_Pa, phase_Pa=step_Pa * rng.uniform(-0.5, 0.5))
        watch = TrialWatch(Detector(parameters(**BENCH_PRESET)), Noise(wander, rng), gauge)
        for _ in range(math.ceil(min(30, READINGS_MOST * period_s / DAY_S))):
            watch.quiet(DAY_S)
        for trial in range(TRIALS):
            low, high = math.log(reckoned / 6), math.log(reckoned * 10)
            while high - low > 0.06:
                middle = (low + high) / 2
                twin = watch.fork(np.random.SeedSequence([seed, trial]))
                twin.quiet((trial + 0.5) / TRIALS * span_s / 4)
                leak = TrialLeak("", math.exp(middle) / 3600 / STANDARD_PA)
                if twin.delay(leak, span_s) <= span_s:
                    high = middle
                else:
                    low = middle
            least.append(math.exp((low + high) / 2))
    return float(np.quantile(least, 0.95))


if __name__ == "__main__":
    for setting in SEEN_Pa_h:
        print(f"    {setting}: {seen_Pa_h(*setting):.4g},", flush=True)
