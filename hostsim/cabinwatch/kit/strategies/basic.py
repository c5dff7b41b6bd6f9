"""What the strategies share: numbers on a decimal grid, times and windows."""

import math
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as hy

Bounds = tuple[float, float]
Draw = Any


def decimal(bounds: Bounds, places: int = 1) -> hy.SearchStrategy[float]:
    """A number of so many decimal places within ``bounds``; short to read, and shrinks towards the lower end."""
    scale = 10**places
    low, high = round(bounds[0] * scale), round(bounds[1] * scale)
    return hy.integers(low, high).map(lambda n: n / scale if places else float(n))


def magnitude(bounds: Bounds) -> hy.SearchStrategy[float]:
    """A positive number of two figures, every order of magnitude within ``bounds`` (both > 0) as likely as the next."""
    low, high = bounds
    steps = [m * 10.0**e for e in range(-12, 13) for m in (1, 1.5, 2, 3, 5, 7)]
    grid = sorted({low, high, *(s for s in (float(f"{s:.2g}") for s in steps) if low < s < high)})
    return hy.sampled_from(grid)


def moments(within: Bounds) -> hy.SearchStrategy[float]:
    """A time in s: mostly whole seconds, now and then a millisecond between."""
    low, high = within
    exact = hy.integers(round(low * 1000), round(high * 1000)).map(lambda ms: ms / 1000)
    first, last = math.ceil(low), math.floor(high)
    if first > last:
        return exact
    whole = hy.integers(first, last).map(float)
    return hy.one_of(whole, whole, exact)


def windows(within: Bounds, longest_s: float | None = None) -> hy.SearchStrategy[dict[str, Any]]:
    """``at`` and ``until`` of a fault that ends within ``within``."""
    most = (within[1] - within[0]) if longest_s is None else longest_s

    def end(at: float) -> hy.SearchStrategy[dict[str, float]]:
        last = min(within[1], at + most)
        return hy.integers(1, max(1, round((last - at) * 1000))).map(
            lambda ms: {"at": at, "until": at + ms / 1000}
        )

    return moments(within).flatmap(end)


def chosen(kinds: Sequence[str] | None, known: dict[str, Any]) -> list[Any]:
    """The entries of ``known`` named by ``kinds`` (all, if None); ValueError names the kinds there are."""
    unknown = set(kinds or ()) - set(known)
    if unknown:
        raise ValueError(f"no kind {', '.join(sorted(unknown))}; there is {', '.join(known)}")
    return [known[kind] for kind in known if kinds is None or kind in kinds]
