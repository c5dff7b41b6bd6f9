"""What has been seen, as columns: one writer, any number of readers, and memory that stays bounded.

The writer fills a row and then publishes the count; growth makes new arrays, so a reader's view stays whole. Charts are
given the extremes of each pixel's stretch, so that no spike is lost between two pixels.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
FIRST = 1024
MOST = 1 << 17
"""Rows that are kept before the older half is thinned out: a report every 10 s for two weeks, 1 MB a column."""
BUCKET = 8
"""Rows of the older half that become two, their least and greatest values."""


class Columns:
    """Rows of (time in s, one value a name); a value that is not known is NaN and shows as a gap."""

    def __init__(self, names: Sequence[str], most: int = MOST) -> None:
        self.names = tuple(names)
        self._most = most
        self._rows: Floats = np.empty((min(FIRST, most), 1 + len(self.names)))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, t_s: float, values: Sequence[float]) -> None:
        """Add a row, no earlier than the last."""
        if self._count == len(self._rows):
            self._make_room()
        self._rows[self._count, 0] = t_s
        self._rows[self._count, 1:] = values
        self._count += 1

    def _make_room(self) -> None:
        rows = self._rows[: self._count]
        parts = [rows]
        if self._count >= self._most:
            half = self._count // 2 // BUCKET * BUCKET  # thinned again each time, the older the coarser
            parts = [_thinned(rows[:half]), rows[half:]]
        count = sum(map(len, parts))
        grown: Floats = np.empty((min(2 * count, self._most), rows.shape[1]))
        np.concatenate(parts, out=grown[:count])
        self._rows, self._count = grown, count

    def since(self, t_s: float) -> list[tuple[float, list[float]]]:
        """The rows after ``t_s``: time, and every value."""
        rows = self._rows[: self._count]
        first = int(np.searchsorted(rows[:, 0], t_s, side="right"))
        return [(row[0], row[1:]) for row in rows[first:].tolist()]

    def window(
        self, name: str, begin_s: float, end_s: float, pixels: int
    ) -> list[tuple[float, float | None]]:
        """``(t_s, value)`` of the rows in the window: all, or the least and greatest of each pixel's stretch."""
        return [(t, value) for t, (value,) in self.windows((name,), begin_s, end_s, pixels)]

    def windows(
        self, names: Sequence[str], begin_s: float, end_s: float, pixels: int
    ) -> list[tuple[float, list[float | None]]]:
        """The same of several columns at the same times, so that the extremes of each are among them."""
        rows = self._rows[: self._count]
        first, last = np.searchsorted(rows[:, 0], (begin_s, end_s))
        first, last = max(0, int(first) - 1), min(len(rows), int(last) + 1)
        seen = rows[first:last, [0, *(1 + self.names.index(name) for name in names)]]
        if len(seen) > 2 * pixels:
            seen = seen[np.unique(np.concatenate([_extremes(column, pixels) for column in seen.T[1:]]))]
        return [(t, [None if v != v else v for v in values]) for t, *values in seen.tolist()]


def _extremes(values: Floats, pixels: int) -> npt.NDArray[np.intp]:
    """Indices, in order, of the least and greatest value of each of ``pixels`` equal stretches; gaps are kept."""
    edges = np.linspace(0, len(values), pixels + 1).astype(np.intp)[:-1]
    gaps = np.isnan(values)
    low = np.where(gaps, np.inf, values)
    high = np.where(gaps, -np.inf, values)
    stretch = np.repeat(np.arange(len(edges)), np.diff(np.append(edges, len(values))))
    least = np.minimum.reduceat(low, edges)[stretch]
    greatest = np.maximum.reduceat(high, edges)[stretch]
    hit = (low == least) & ~gaps | (high == greatest) & ~gaps
    # The first of each kind in a stretch is enough; a stretch that holds a gap keeps one of its NaNs.
    marks = np.zeros(len(values), bool)
    for mask in (hit & (low == least), hit & (high == greatest), gaps):
        found = np.flatnonzero(mask)
        if len(found):
            _, once = np.unique(stretch[found], return_index=True)
            marks[found[once]] = True
    return np.flatnonzero(marks)


def _thinned(rows: Floats) -> Floats:
    """Of every `BUCKET` rows two: least values at the first one's time, greatest at the last one's."""
    grouped = rows.reshape(-1, BUCKET, rows.shape[1])
    with np.errstate(all="ignore"):
        low = np.fmin.reduce(grouped, axis=1)
        high = np.fmax.reduce(grouped, axis=1)
    low[:, 0], high[:, 0] = grouped[:, 0, 0], grouped[:, -1, 0]
    return np.stack([low, high], axis=1).reshape(-1, rows.shape[1])
