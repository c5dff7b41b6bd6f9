"""What the detector is measured against besides the optimum: three plain detectors on the same records.

Each rival turns a record into a statistic that grows as the pressure falls and is compared with one
threshold, which is set on a quiet record to the wanted false-alarm rate. They are given what the detector
must learn: the true level and spread.
"""

from typing import Protocol

import numpy as np

from cabinwatch.verify.score.background import Array, BackgroundWander


class Rival(Protocol):
    """A running statistic; `run` goes on where the last record ended."""

    name: str

    def run(self, x: Array) -> Array:
        """The statistic after each sample of x, Pa about the true level."""


class FixedRate:
    """Fall of the mean of one window to the next: the fixed dp/dt threshold."""

    def __init__(self, window: int = 600) -> None:
        self.name = f"dp/dt over {window} samples"
        self.window = window
        self._past = np.zeros(2 * window)

    def run(self, x: Array) -> Array:
        w = self.window
        record = np.concatenate((self._past, x))
        self._past = record[-2 * w :]
        sums = np.concatenate(([0.0], np.cumsum(record)))
        mean = (sums[w:] - sums[:-w]) / w
        return (mean[:-w] - mean[w:])[1:]


class Cusum:
    """Page's CUSUM for a fall of one standard deviation (reference value one half)."""

    def __init__(self, sd_Pa: float) -> None:
        self.name = "CUSUM, k = 0.5"
        self.sd = sd_Pa
        self._s = 0.0

    def run(self, x: Array) -> Array:
        total = self._s + np.cumsum(-x / self.sd - 0.5)
        floor = np.minimum(np.minimum.accumulate(total), 0.0)
        out = total - floor
        self._s = float(out[-1])
        return out


class PageHinkley:
    """`river.drift.PageHinkley` for a fall, with its defaults; a test holds it equal to river's."""

    name = "river's Page-Hinkley"

    def __init__(self, sd_Pa: float, delta: float = 0.005, alpha: float = 0.9999) -> None:
        self.sd, self.delta, self.alpha = sd_Pa, delta, alpha
        self._n, self._sum, self._dev, self._top = 0, 0.0, 0.0, -1.0

    def run(self, x: Array) -> Array:
        z = x / self.sd
        count = self._n + np.arange(1, len(z) + 1)
        sums = self._sum + np.cumsum(z)
        dev = z - sums / count + self.delta
        out = np.empty_like(z)
        for start in range(0, len(z), 50_000):
            part = dev[start : start + 50_000]
            decay = self.alpha ** np.arange(1, len(part) + 1)
            total = decay * (self._dev + np.cumsum(part / decay))
            top = np.maximum(np.maximum.accumulate(total), self._top)
            out[start : start + len(part)] = top - total
            self._dev, self._top = float(total[-1]), float(top[-1])
        self._n, self._sum = int(count[-1]), float(sums[-1])
        return out


def rivals(wander: BackgroundWander) -> list[Rival]:
    """The three, fresh."""
    return [FixedRate(), Cusum(wander.sd_Pa), PageHinkley(wander.sd_Pa)]


def threshold(peaks: Array, blocks_per_alarm: float) -> float:
    """Threshold crossed in one block of `blocks_per_alarm`, from each block's peak of a quiet record."""
    return float(np.quantile(peaks, 1 - 1 / blocks_per_alarm, method="higher"))
