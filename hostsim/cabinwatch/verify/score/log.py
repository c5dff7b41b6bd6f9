"""A record as a ground: played forth and back between points drawn at random, for as long as it takes.

Nothing jumps and nothing drifts that did not in the record, so its fine structure stays. Of what takes longer than the
record it says nothing.
"""

import dataclasses
from dataclasses import dataclass
from typing import Final

import numpy as np

from cabinwatch.models.record import RecordModel
from cabinwatch.verify.score.air import CABIN_K
from cabinwatch.verify.score.background import CABIN, STANDARD_PA, Array, BackgroundWander, Noise
from cabinwatch.world.record import recording

READINGS_MOST: Final = 600_000
"""Played at most."""
STAND_IN_H: Final = 19.5
STAND_IN_S: Final = 60.0


@dataclass(frozen=True)
class Log:
    """A record on an even grid."""

    name: str
    interval_s: float
    pressure_Pa: Array
    kelvin: Array

    @classmethod
    def read(cls, model: RecordModel) -> "Log":
        """Raises UsageError: see ``recording``."""
        rows = recording(model)
        grid = np.arange(0, rows.span_s + rows.interval_s / 2, rows.interval_s)
        columns = (
            np.interp(grid, rows.times_s, values) for values in (rows.pressures_Pa, rows.temperatures_K)
        )
        return cls(rows.name, rows.interval_s, *columns)

    @classmethod
    def drawn(cls, seed: int) -> "Log":
        """A stand-in where nobody gave a record: as long as the one that the wander is fitted to, of that wander.

        What it calls more than the wander itself does comes of the resampling.
        """
        n = round(STAND_IN_H * 3600 / STAND_IN_S)
        noise = Noise(dataclasses.replace(CABIN, period_s=STAND_IN_S), np.random.default_rng([seed, n]))
        return cls("the wander, drawn once", STAND_IN_S, STANDARD_PA + noise.take(n), np.full(n, CABIN_K))

    @property
    def hours(self) -> float:
        return len(self.pressure_Pa) * self.interval_s / 3600


class Replayed:
    """The record as a source."""

    def __init__(self, log: Log, seed: np.random.SeedSequence) -> None:
        self.log = log
        self.wander = BackgroundWander(0.0, period_s=log.interval_s)
        self.rng = np.random.default_rng(seed)
        self._at = int(self.rng.integers(len(log.pressure_Pa)))
        self._rows = np.empty(0, dtype=np.int64)
        self._left = np.empty(0, dtype=np.int64)

    def take(self, n: int) -> Array:
        """The next n samples, Pa about the standard."""
        parts, count = [self._left], len(self._left)
        while count < n:
            to = int(self.rng.integers(len(self.log.pressure_Pa)))
            way = 1 if to > self._at else -1
            part = np.arange(self._at + way, to + way, way) if to != self._at else np.array([to])
            parts.append(part)
            count += len(part)
            self._at = to
        rows = np.concatenate(parts)
        self._rows, self._left = rows[:n], rows[n:]
        shifted: Array = self.log.pressure_Pa[self._rows] - STANDARD_PA
        return shifted

    def kelvin(self) -> Array:
        """Of the samples taken last."""
        gas: Array = self.log.kelvin[self._rows]
        return gas
