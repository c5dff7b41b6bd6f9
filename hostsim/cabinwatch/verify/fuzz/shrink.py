"""Make a failing scenario small: take things out and simplify, as long as the same class of failure remains."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from pydantic import ValidationError

from cabinwatch.models.contradictions import contradictions
from cabinwatch.models.scenario import Scenario
from cabinwatch.scenario.toml_out import plain
from cabinwatch.verify.fuzz.findings import Finding
from cabinwatch.verify.fuzz.run import MakeTarget, play
from cabinwatch.verify.fuzz.swarm import Plan

BUDGET = 400
"""Plays that shrinking one failure may cost."""
POLLS = 2000
"""A simpler scenario may not take more polls than this, or than the plan: days at the default period are no simpler."""


def shrink(plan: Plan, kind: Finding, make_target: MakeTarget, budget: int = BUDGET) -> Plan:
    """The smallest plan found that still fails with ``kind``; the same for the same plan, in every process."""
    left = budget
    best = plan

    def fails(data: dict[str, Any]) -> bool:
        nonlocal left, best
        if data["duration"] < _last_event_s(data) + plan.settle_s:
            return False
        try:
            tried = replace(plan, scenario=Scenario.model_validate(data))
        except ValidationError:
            return False
        if any(contradictions(tried.scenario)):  # it would be refused as a file
            return False
        if _polls(tried) > max(POLLS, _polls(plan)):
            return False
        left -= 1
        if play(tried, make_target).kind != kind:
            return False
        best = tried
        return True

    progress = True
    while progress and left > 0:
        progress = False
        for edit in _edits(plain(best.scenario), plan.settle_s):
            if left <= 0:
                break
            now = plain(best.scenario)
            with suppress(LookupError, TypeError):  # what it was about has gone since
                progress |= (data := edit(now)) != now and fails(data)
    return best


def _polls(plan: Plan) -> float:
    return plan.scenario.duration_ms / plan.scenario.parameters.get("poll_period", 1000)


Edit = Callable[[dict[str, Any]], dict[str, Any]]


def _edits(data: dict[str, Any], settle_s: float) -> Iterator[Edit]:
    """What may make a scenario simpler, the boldest first; each is tried on what those before have left.

    Early cuts of time are the cheapest to play.
    """
    for part in (0.1, 0.5, 0.8):
        yield partial(_shorter, part=part)
    yield partial(_least, settle_s=settle_s)
    for path in _lists(data):
        yield partial(_without, path=path)
    for path, size in _long(data):
        for half in (slice(size // 2), slice(size // 2, None)):
            yield partial(_with, path=path, change=partial(_part, part=half))
    for path in _entries(data):
        yield partial(_without, path=path)
    for path, value in _numbers(data):
        for simpler in dict.fromkeys((0, 1, round(value), round(value / 10) * 10)):
            if simpler != value and len(repr(simpler)) < len(repr(value)):
                yield partial(_with, path=path, change=partial(_to, new=simpler))


Path = tuple[Any, ...]
_KEPT = {("title",), ("duration",), ("cabin",), ("cabin", "compartments")}


def _last_event_s(data: Any) -> float:
    """The last time at which a scenario has anything happen."""
    if isinstance(data, dict):
        own: list[float] = [data[k] for k in ("at", "until") if isinstance(data.get(k), (int, float))]
        return max([0.0, *own, *map(_last_event_s, data.values())])
    return max([0.0, *map(_last_event_s, data)]) if isinstance(data, list) else 0.0


def _lists(data: Any, path: Path = ()) -> Iterator[Path]:
    """Whole tables and lists that can go."""
    if isinstance(data, dict):
        for key, value in data.items():
            inner = (*path, key)
            if inner not in _KEPT and isinstance(value, (dict, list)) and len(path) < 2:
                yield inner
            yield from _lists(value, inner)


def _shorter(data: dict[str, Any], part: float) -> dict[str, Any]:
    return {**data, "duration": max(10, round(data["duration"] * part))}


def _least(data: dict[str, Any], settle_s: float) -> dict[str, Any]:
    return {**data, "duration": min(data["duration"], round(_last_event_s(data) + settle_s) + 1)}


def _part(items: list[Any], part: slice) -> list[Any]:
    return items[part]


def _to(old: float, new: float) -> float:
    return new


def _long(data: Any, path: Path = ()) -> Iterator[tuple[Path, int]]:
    """Lists of which half may do, and their sizes."""
    if isinstance(data, list) and len(data) > 2:
        yield path, len(data)
    for key, value in _items(data):
        yield from _long(value, (*path, key))


def _entries(data: Any, path: Path = ()) -> Iterator[Path]:
    """Single entries and keys that can go."""
    for key, value in _items(data):
        inner = (*path, key)
        if inner not in _KEPT and not (len(inner) == 3 and inner[1] == "compartments"):
            yield inner
        yield from _entries(value, inner)


def _numbers(data: Any, path: Path = ()) -> Iterator[tuple[Path, float]]:
    for key, value in _items(data):
        if isinstance(value, (int, float)) and not isinstance(value, bool) and key != "duration":
            yield (*path, key), value
        yield from _numbers(value, (*path, key))


def _items(data: Any) -> Iterator[tuple[Any, Any]]:
    """Keys and values; a list's from its end, so that one taken out leaves the places of those to come."""
    if isinstance(data, dict):
        yield from data.items()
    elif isinstance(data, list):
        yield from reversed(list(enumerate(data)))


def _edit(data: Any, path: Path, change: Callable[[Any, Any], None]) -> Any:
    copy = dict(data) if isinstance(data, dict) else list(data)
    if len(path) == 1:
        change(copy, path[0])
    else:
        copy[path[0]] = _edit(copy[path[0]], path[1:], change)
    return copy


def _without(data: dict[str, Any], path: Path) -> dict[str, Any]:
    edited: dict[str, Any] = _edit(data, path, lambda place, key: place.pop(key))
    return edited


def _with(data: dict[str, Any], path: Path, change: Callable[[Any], Any]) -> dict[str, Any]:
    def put(place: Any, key: Any) -> None:
        place[key] = change(place[key])

    edited: dict[str, Any] = _edit(data, path, put)
    return edited
