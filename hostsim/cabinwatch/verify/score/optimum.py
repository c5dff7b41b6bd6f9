"""The optimum: how fast the best possible detector would call a leak whose rate it knows, at one false alarm a year.

Block means of the wander (an Ornstein-Uhlenbeck process and white noise) are exactly ARMA(1,1), so their innovations
are white and the log likelihood ratio of a fall that began at any block is exact. Shiryaev-Roberts adds these ratios
over all onsets: under no leak the sum less the number of blocks is a martingale, so the threshold "blocks in a year"
promises a mean time between false alarms of at least a year, and no detector held to that is faster on average, to
within a constant (M. Pollak, *Annals of Statistics* 13, 1985, 206).

Where a fall is allowed (``breath``, ``loss``) the worst that can be is no leak but an allowed fall that begins with it:
the ratio is that of the excess. A gauge that rounds has an optimum of its own, ``rounded``.
"""

import functools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cabinwatch.verify.score.background import Array, BackgroundWander

YEAR_S: Final = 365.25 * 86_400
BLOCKS: Final = 1000
"""Blocks that a trial lasts: the delay is three to ten times less, and known to a block."""
TRIALS: Final = 64


@dataclass(frozen=True)
class Whitener:
    """Turns block means of ``block`` samples into innovations of unit variance."""

    seconds: float
    phi: float
    theta: float
    variance: float

    @classmethod
    def of(cls, wander: BackgroundWander, block: int) -> "Whitener":
        """The ARMA(1,1) that has the autocovariances of the block means."""
        seconds = block * wander.period_s
        white = wander.white_Pa**2 / block
        if not wander.walk:
            return cls(seconds, 0.0, 0.0, white)
        power = wander.walk**2 * wander.memory_s / 2
        a, phi = math.exp(-wander.period_s / wander.memory_s), math.exp(-seconds / wander.memory_s)
        inside = block * (1 + a) / (1 - a) - 2 * a * (1 - phi) / (1 - a) ** 2
        c0 = power * inside / block**2 + white
        c1 = power * a * ((1 - phi) / (1 - a)) ** 2 / block**2
        # y - phi y(-1) is a moving average of order one; c(2) = phi c(1).
        g0 = (1 + phi**2) * c0 - 2 * phi * c1
        g1 = c1 - phi * c0
        ratio = g1 / g0
        theta = (1 - math.sqrt(1 - 4 * ratio**2)) / (2 * ratio) if abs(ratio) > 1e-12 else 0.0
        return cls(seconds, phi, theta, g0 / (1 + theta**2))

    def __call__(self, means: Array) -> Array:
        """The innovations of block means, along the last axis."""
        driven = means.copy()
        driven[..., 1:] -= self.phi * means[..., :-1]
        for i in range(1, driven.shape[-1]):
            driven[..., i] -= self.theta * driven[..., i - 1]
        return driven / math.sqrt(self.variance)


def log_statistic(innovations: Array, template: Array) -> Array:
    """Log of the Shiryaev-Roberts statistic after each block, of a fall that adds ``template`` from its onset on.

    Onsets are thinned to twelve an e-fold of age; each stands for those since the last.
    """
    n = innovations.shape[-1]
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(innovations, size)
    energy = np.cumsum(template**2)
    total = np.full(innovations.shape, -np.inf)
    before, age = 0, 1
    while age <= n:
        reversed_fall = np.fft.rfft(template[age - 1 :: -1] if age < n else template[n - 1 :: -1], size)
        ratio = np.fft.irfft(spectrum * reversed_fall, size)[..., age - 1 : n]
        ratio += math.log(age - before) - energy[age - 1] / 2
        np.logaddexp(total[..., age - 1 :], ratio, out=total[..., age - 1 :])
        before, age = age, max(age + 1, age * 13 // 12)
    return total


@dataclass(frozen=True)
class Fall:
    """A leak of ``Pa_s`` once it has grown for ``growth_s``, where a fall of ``allowed_Pa_s`` is none."""

    Pa_s: float
    growth_s: float = 0.0
    allowed_Pa_s: float = 0.0

    @property
    def excess_Pa_s(self) -> float:
        return self.Pa_s - self.allowed_Pa_s

    @property
    def hidden_s(self) -> float:
        """How long the growing leak stays within what is allowed."""
        return self.growth_s * self.allowed_Pa_s / self.Pa_s

    def excess_Pa(self, age_s: Array) -> Array:
        """What the leak has cost at an age, beyond the allowed."""
        shown_s = np.maximum(age_s - self.hidden_s, 0.0)
        growing_s = self.growth_s - self.hidden_s
        if not growing_s:
            return self.excess_Pa_s * shown_s
        return self.excess_Pa_s * np.where(
            shown_s < growing_s, shown_s**2 / (2 * growing_s), shown_s - growing_s / 2
        )


@functools.cache
def optimum_s(wander: BackgroundWander, fall: Fall, trials: int = TRIALS) -> float:
    """Median delay of the optimum, s; of ``trials`` paths that are the same on every call."""
    if fall.excess_Pa_s <= 0:
        return math.inf
    about_s = fall.growth_s + first_order_s(wander, fall.excess_Pa_s)
    block = max(1, int(3 * about_s / wander.period_s / BLOCKS))
    whiten = Whitener.of(wander, block)
    n = BLOCKS
    age_s = (np.arange(2 * n, dtype=np.float64) * block + (block + 1) / 2) * wander.period_s
    template = whiten(fall.excess_Pa(age_s))
    paths = np.random.default_rng(77).standard_normal((trials, 2 * n))
    paths[:, n:] += template[:n]
    over = log_statistic(paths, template) > math.log(YEAR_S / whiten.seconds)
    return median_delay_s(over, n, whiten.seconds)


def median_delay_s(over: NDArray[np.bool_], onset: int, seconds: float) -> float:
    """Of the paths that are not over the threshold before the onset."""
    late = over[~over[:, :onset].any(axis=1), onset:]
    delays = np.where(late.any(axis=1), late.argmax(axis=1) + 1.0, np.inf) * seconds
    return float(np.median(delays))


def first_order_s(wander: BackgroundWander, Pa_s: float) -> float:
    """About how long it takes, s, to choose the blocks by; 1.5 to 3 times the optimum.

    White noise: (6 sigma^2 ln(gamma) / theta^2)^(1/3) samples. A random walk of q Pa per root second: 2 q^2
    ln(gamma) / theta^2 s. The wander is a walk up to its memory and white beyond, with spectral density
    (q memory)^2, so the shorter of the two holds.
    """
    gain = math.log(YEAR_S / wander.period_s) / Pa_s**2
    density = wander.white_Pa**2 * wander.period_s + (wander.walk * wander.memory_s) ** 2
    ramp: float = (6 * density * gain) ** (1 / 3)
    return ramp if wander.walk == 0 else min(ramp, 2 * wander.walk**2 * gain)
