"""Make a failing scenario small: take things out and simplify, as long as the same class of failure remains."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from hostsim.fuzz.run import MakeTarget, play
from hostsim.fuzz.swarm import Plan
from hostsim.scenario import Scenario
from hostsim.toml_out import plain

BUDGET = 400
"""Plays that shrinking one failure may cost."""
POLLS = 2000
"""A simpler scenario may not play longer than this: days at the default poll period are nothing simpler."""


def shrink(plan: Plan, kind: str, make_target: MakeTarget, budget: int = BUDGET) -> Plan:
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
        if tried.scenario.duration_ms > POLLS * tried.scenario.parameters.get("poll_period", 1000):
            return False
        left -= 1
        if play(tried, make_target).kind != kind:
            return False
        best = tried
        return True

    progress = True
    while progress and left > 0:
        progress = False
        for data in _smaller(plain(best.scenario), plan.settle_s):
            if left <= 0:
                break
            if fails(data):
                progress = True
                break
    return best


def _smaller(data: dict[str, Any], settle_s: float) -> Iterator[dict[str, Any]]:
    """Simpler versions of a scenario's data, the boldest first. Early cuts of time are the cheapest to play."""
    for part in (0.1, 0.5, 0.8):
        if data["duration"] > 10:
            yield {**data, "duration": round(data["duration"] * part)}
    if (least := round(_last_event_s(data) + settle_s) + 1) < data["duration"]:
        yield {**data, "duration": least}
    for path in _lists(data):
        yield _without(data, path)
    for path in _entries(data):
        yield _without(data, path)
    for path, value in _numbers(data):
        for simpler in dict.fromkeys((0, 1, round(value), round(value / 10) * 10)):
            if simpler != value and len(repr(simpler)) < len(repr(value)):
                yield _with(data, path, simpler)


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


def _entries(data: Any, path: Path = ()) -> Iterator[Path]:
    """Single entries and keys that can go."""
    items: Any = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        inner = (*path, key)
        if inner not in _KEPT and not (len(inner) == 3 and inner[1] == "compartments"):
            yield inner
        yield from _entries(value, inner)


def _numbers(data: Any, path: Path = ()) -> Iterator[tuple[Path, float]]:
    items: Any = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and key != "duration":
            yield (*path, key), value
        yield from _numbers(value, (*path, key))


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


def _with(data: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    def put(place: Any, key: Any) -> None:
        place[key] = value

    edited: dict[str, Any] = _edit(data, path, put)
    return edited
