"""What a scenario file says in one place and contradicts in another, so that it cannot be meant.

For files: a scenario made in Python, by a property test for instance, may well hold what never comes to pass.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from cabinwatch.models.commands import MONITOR_PARAMETERS
from cabinwatch.models.scenario import Scenario
from cabinwatch.models.settings import written
from cabinwatch.text import apart
from cabinwatch_protocol import table as t

Path = tuple[str | int, ...]
Contradiction = tuple[Path, str]
"""Where one of the two stands, as in the file, and what is wrong."""
NOT_ABOVE = (
    ("pressure_low", "pressure_high"), ("emergency", "warning"), ("emergency", "caution"), ("warning", "caution"),
)  # fmt: skip
"""Parameters of which the first is not to be above the second; a T-reserve of 0 turns its class off."""


def contradictions(scenario: Scenario) -> Iterator[Contradiction]:
    """Every contradiction of the scenario, with its place."""
    for path, table in _tables(scenario):
        yield from _in_time(path, table, scenario.duration)
    yield from _expectations(scenario)
    yield from _ranges(scenario)
    yield from _places(scenario)
    yield from _patches(scenario)


def _tables(value: Any, path: Path = ()) -> Iterator[tuple[Path, BaseModel]]:
    if isinstance(value, BaseModel):
        yield path, value
        inner: Any = (
            (field.alias or name, getattr(value, name)) for name, field in type(value).model_fields.items()
        )
    else:
        inner = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
    for key, item in inner:
        yield from _tables(item, (*path, key))


def _in_time(path: Path, table: BaseModel, end_s: float) -> Iterator[Contradiction]:
    at, until = getattr(table, "at", None), getattr(table, "until", None)
    if at is not None and until is not None and until < at:
        end, begin = apart(until, at)
        yield (*path, "until"), f"it ends at {end}, before it begins at {begin}"
    # A leak may well have been going to grow further than anybody looks on.
    if at is not None and at > end_s and "profile" not in path:
        yield (*path, "at"), _late(at, end_s)
    for key in ("onset", "resets"):
        for i, t_s in enumerate(_times(getattr(table, key, None))):
            if t_s > end_s:
                place = (*path, key) if key == "onset" else (*path, key, i)
                yield place, _late(t_s, end_s)


def _late(t_s: float, end_s: float) -> str:
    when, end = apart(t_s, end_s)
    return f"{when} is after the end: duration = {end}"


def _times(value: float | list[float] | None) -> list[float]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _expectations(scenario: Scenario) -> Iterator[Contradiction]:
    expect = scenario.expect
    if expect is None or expect.alarm == "none":
        return
    after = scenario.alarm_after_s
    said = "after" if expect.after is not None else "onset"
    if expect.by is not None and expect.by < after:
        by, since = apart(expect.by, after)
        yield ("expect", "by"), f"by {by} is before {said} = {since}"
    if expect.after is not None and after > scenario.duration:
        yield ("expect", "after"), _late(after, scenario.duration)
    wanted = t.AlarmClass[expect.alarm.upper()]
    if expect.at_most is not None and t.AlarmClass[expect.at_most.upper()] < wanted:
        yield ("expect", "at_most"), f"at most {expect.at_most}, and {expect.alarm} is to be reached"


def _ranges(scenario: Scenario) -> Iterator[Contradiction]:
    sensor = scenario.sensor
    if sensor.low > sensor.high:
        yield ("sensor", "low"), f"low = {sensor.low:g} Pa is above high = {sensor.high:g} Pa"
    values = {p.name: p.default for p in t.MONITOR_PARAMETERS} | scenario.parameters
    for least, most in NOT_ABOVE:
        given = next((name for name in (least, most) if name in scenario.parameters), None)
        if given and values[most] and values[least] > values[most]:
            one, other = (f"{p} = {written(MONITOR_PARAMETERS[p], values[p])}" for p in (least, most))
            yield ("parameters", given), f"{one} is above {other}"


def _places(scenario: Scenario) -> Iterator[Contradiction]:
    rooms = [*scenario.cabin.compartments, *scenario.cabin.vehicles]
    pressures = (scenario.expect.pressures or []) if scenario.expect else []
    placed: list[tuple[Path, Any]] = [(("sensor",), scenario.sensor), (("analyser",), scenario.analyser)]
    placed += [(("gauges", i), gauge) for i, gauge in enumerate(scenario.gauges)]
    placed += [(("expect", "pressures", i), asked) for i, asked in enumerate(pressures)]
    for path, table in placed:
        place = getattr(table, "compartment", None)
        if place is not None and place not in rooms:
            yield (*path, "compartment"), f"no compartment {place!r}; there is {', '.join(sorted(rooms))}"
    names = [gauge.called for gauge in scenario.gauges]
    for i, name in enumerate(names):
        if name in names[:i]:
            yield ("gauges", i), f"another gauge is called {name!r}: give one a name"


def _patches(scenario: Scenario) -> Iterator[Contradiction]:
    for i, action in enumerate(scenario.cabin.actions):
        verb, name = action.verb
        leak = scenario.cabin.leaks.get(name) if verb in ("patch", "reopen") else None
        if leak is not None and action.at < leak.at:
            when, onset = apart(action.at, leak.at)
            yield ("cabin", "actions", i, "at"), f"{verb} of {name!r} at {when}, before it sets in at {onset}"
