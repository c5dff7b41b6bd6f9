"""What happened, as lines through every panel of a picture: each kind once in the legend, alarms with their letters."""

from collections.abc import Iterator
from textwrap import wrap
from typing import Any

from cabinwatch.models.cabin import CabinModel
from cabinwatch.models.leak_tables import Leak
from cabinwatch.models.node_faults import BrownOut, NodeReset
from cabinwatch.text import name
from cabinwatch.view.story import Story
from cabinwatch.world.events import EventReport
from cabinwatch_protocol import table as t

LETTERS = {1: "A", 2: "C", 3: "W", 4: "E"}
LEGEND_LETTERS = 28
"""Letters in a line of the legend: what its longest entries need, so that the ticks' kinds make it no wider."""
APART = 40
"""Letters closer than this part of the time axis would lie on one another: they are written side by side."""
LETTERED = {
    t.Event.ALARM: "alarm: A C W E = class",
    t.Event.COOLANT_LOW: "coolant loop low: C W = class",
}
"""Events whose class stands over their line, and what the legend calls them."""
STYLES: dict[str, dict[str, Any]] = {
    LETTERED[t.Event.ALARM]: {"color": "tab:red", "linestyle": "--"},
    LETTERED[t.Event.COOLANT_LOW]: {"color": "tab:orange", "linestyle": "--"},
    "onset": {"color": "black", "linestyle": ":"},
    "leak begins": {"color": "black", "linestyle": (0, (1, 3))},
    "leak grows": {"color": "tab:brown", "linestyle": (0, (4, 2))},
    "leak shrinks": {"color": "tab:brown", "linestyle": (0, (1, 1))},
    "patch": {"color": "tab:green", "linestyle": "-"},
    "hatch or valve": {"color": "tab:green", "linestyle": "-."},
    "vehicle: hatch or undocking": {"color": "tab:cyan", "linestyle": "-."},
    "gas let in": {"color": "tab:olive", "linestyle": "--"},
    "reset of the node": {"color": "tab:purple", "linestyle": (0, (1, 2))},
}
REMINDERS = {t.Event.ALARM_REMINDER, t.Event.SENSOR_REMINDER}
"""Events that say again what was said."""
LOST = {t.Event.SENSOR_LOST, t.Event.SENSOR_AGAIN}
FOUND = {t.Event.SENSOR_FOUND, t.Event.SENSOR_RETURNED}
"""What begins and ends a spell without data."""
BEGIN_MS = 1000
"""A boot before this is the run's own beginning."""
TOLD = {*LETTERED, *REMINDERS, *LOST, *FOUND}
"""Events that are drawn in another way, or would only repeat."""


def mark(axes: list[Any], story: Story, scale: float) -> None:
    """Draw what happened through all ``axes``, ``scale`` seconds to a unit of theirs; events as ticks in the last."""
    for label, times in _times(story).items():
        for i, at in enumerate(sorted(s for s in times if s <= story.end_s)):
            for axis in axes:
                named = label if axis is axes[0] and i == 0 else None
                axis.axvline(at / scale, **STYLES[label], linewidth=1.1, label=named)
    for at, letters, color in _letters(story):
        place = {"xycoords": ("data", "axes fraction"), "color": color, "weight": "bold", "ha": "center"}
        axes[0].annotate(letters, (at / scale, 1.01), **place)
    for i, (begin, end) in enumerate(blind(story)):
        for axis in axes:
            named = "no data: transducer lost" if axis is axes[0] and i == 0 else None
            axis.axvspan(begin / scale, end / scale, color="0.75", alpha=0.5, linewidth=0, label=named)
    others = [e for e in story.events if e.event not in TOLD and not _is_begin(e)]
    kinds = dict.fromkeys(name(t.Event, e.event) for e in others)
    for i, event in enumerate(others):
        named = None if i else "\n".join(wrap(f"tick: {', '.join(kinds)}", LEGEND_LETTERS))
        axes[-1].axvline(event.t_ms / 1000 / scale, ymax=0.12, color="0.3", linewidth=1, label=named)


def _is_begin(event: EventReport) -> bool:
    """The boot with which every run begins: no news, and a stray bar on the axis."""
    return event.event is t.Event.BOOT and event.t_ms < BEGIN_MS


def _times(story: Story) -> dict[str, list[float]]:
    """When each kind of thing happened, s."""
    scenario = story.world.scenario
    cabin = scenario.cabin
    times: dict[str, list[float]] = {label: [] for label in STYLES}
    for kind, label in LETTERED.items():
        times[label] = [e.t_ms / 1000 for e in story.events if e.event is kind]
    if scenario.onset is not None:
        times["onset"].append(scenario.onset)
    for label, at in _done(cabin):
        # What sets in with the onset is told by its line already.
        if at > 0 and at != scenario.onset:
            times[label].append(at)
    faults = (f.at for f in scenario.device.faults if isinstance(f, NodeReset | BrownOut))
    times["reset of the node"] = [*scenario.resets, *faults]
    return times


def _done(cabin: CabinModel) -> Iterator[tuple[str, float]]:
    for leak in cabin.leaks.values():
        yield "leak begins", leak.at
        yield from _changes(leak)
    for action in cabin.actions:
        verb, _ = action.verb
        yield {"patch": "patch", "reopen": "leak grows"}.get(verb, "hatch or valve"), action.at
    for vehicle in cabin.vehicles.values():
        for at in (vehicle.opened, vehicle.closed, vehicle.undocked):
            yield "vehicle: hatch or undocking", at or 0.0
    for flow in cabin.flows.values():
        if flow.kind == "repress":
            yield "gas let in", flow.at


def _changes(leak: Leak) -> Iterator[tuple[str, float]]:
    before = 1.0
    for change in leak.profile:
        after = leak.factor(change.to)
        if after != before:
            yield "patch" if after == 0 else "leak grows" if after > before else "leak shrinks", change.at
        before = after


def blind(story: Story) -> Iterator[tuple[float, float]]:
    """Begin and end of each spell without data, s."""
    since = None
    for event in story.events:
        if event.event in LOST and since is None:
            since = event.t_ms / 1000
        elif event.event in FOUND and since is not None:
            yield since, event.t_ms / 1000
            since = None
    if since is not None:
        yield since, story.end_s


def _letters(story: Story) -> list[tuple[float, str, str]]:
    """Each lettered event's letter over its line, and its colour; close ones stand side by side, each class once."""
    words: list[tuple[float, str, str]] = []
    last = -story.end_s
    for event in (e for e in story.events if e.event in LETTERED):
        at, letter = event.t_ms / 1000, LETTERS[event.severity]
        if at - last > story.end_s / APART:
            words.append((at, letter, STYLES[LETTERED[event.event]]["color"]))
            last = at
        elif letter not in words[-1][1]:
            words[-1] = (words[-1][0], f"{words[-1][1]} {letter}", words[-1][2])
    return words
