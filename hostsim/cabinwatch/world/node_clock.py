"""The node's clock against the world's, with what the scenario does to it."""

from bisect import bisect_right

from cabinwatch.models.fields import Window
from cabinwatch.models.node_faults import ClockDrift, DeviceModel, Jump

RING = 63
"""Octets a node's receive ring holds while nobody reads it (a micro:bit's)."""


class Clock:
    """The node's clock against the world's: what it shows at a time of the world, and when it will show a time."""

    def __init__(self, model: DeviceModel) -> None:
        self._drifts = [
            (round(f.at * 1000), _end(f), f.ppm) for f in model.faults if isinstance(f, ClockDrift)
        ]
        self._jumps = [(round(f.at * 1000), f.by_ms) for f in model.faults if isinstance(f, Jump)]
        corners = {at for at, _ in self._jumps} | {
            t for at, end, _ in self._drifts for t in (at, end) if t is not None
        }
        self._corners = sorted(corners)
        self.true = not corners

    def at(self, t_ms: int) -> int:
        """What it shows at t_ms of the world."""
        shown = t_ms
        for at, end, ppm in self._drifts:
            if t_ms > at:
                shown += ((t_ms if end is None else min(t_ms, end)) - at) * ppm // 1_000_000
        return shown + sum(by for at, by in self._jumps if at <= t_ms)

    def when(self, shown_ms: int, now_ms: int) -> int:
        """The first time of the world, from now_ms on, at which it shows shown_ms or more."""
        if self.true:
            return max(now_ms, shown_ms)
        low = now_ms
        for corner in self._corners[bisect_right(self._corners, now_ms) :]:
            if self.at(corner - 1) >= shown_ms:
                return self._search(shown_ms, low, corner - 1)
            low = corner
            # A wait goes on through a jump back: the node's timer counts ticks, it does not compare times.
            shown_ms += sum(by for at, by in self._jumps if at == corner and by < 0)
        # Beyond the last corner it runs at least nine tenths as fast as the world.
        return self._search(shown_ms, low, low + 1 + max(0, shown_ms - self.at(low)) * 2)

    def _search(self, shown_ms: int, low: int, high: int) -> int:
        while low < high:
            middle = (low + high) // 2
            if self.at(middle) >= shown_ms:
                high = middle
            else:
                low = middle + 1
        return low


def _end(window: Window) -> int | None:
    return None if window.until is None else round(window.until * 1000)
