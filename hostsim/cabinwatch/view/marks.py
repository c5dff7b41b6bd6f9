"""What happened, as lines through every panel of a picture: each kind once in the legend, alarms with their letters."""

from collections.abc import Iterator
from typing import Any

from cabinwatch.models.cabin import CabinModel
from cabinwatch.models.leak_tables import Leak
from cabinwatch.models.node_faults import BrownOut, NodeReset
from cabinwatch.view.story import Story
from cabinwatch_protocol import table as t

LETTERS = {1: "A", 2: "C", 3: "W", 4: "E"}
APART = 40
"""Letters closer than this part of the time axis would lie on one another: they are written as one word."""
ALARM = "alarm: A C W E = class"
STYLES: dict[str, dict[str, Any]] = {
    ALARM: {"color": "tab:red", "linestyle": "--"},
    "coolant loop low": {"color": "tab:orange", "linestyle": "--"},
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
TOLD = {t.Event.ALARM, t.Event.COOLANT_LOW, *REMINDERS}
"""Events that are drawn in another way, or would only repeat."""


def mark(axes: list[Any], story: Story, scale: float) -> None:
    """Draw what happened through all ``axes``, ``scale`` seconds to a unit of theirs; events as ticks in the last."""
    for label, times in _times(story).items():
        for i, at in enumerate(sorted(s for s in times if s <= story.end_s)):
            for axis in axes:
                named = label if axis is axes[0] and i == 0 else None
                axis.axvline(at / scale, **STYLES[label], linewidth=1.1, label=named)
    for at, letters in _letters(story):
        place = {"xycoords": ("data", "axes fraction"), "color": "tab:red", "weight": "bold", "ha": "center"}
        axes[0].annotate(letters, (at / scale, 1.01), **place)
    others = [e.t_ms / 1000 for e in story.events if e.event not in TOLD]
    for i, at in enumerate(others):
        named = None if i else "other event"
        axes[-1].axvline(at / scale, ymax=0.12, color="0.3", linewidth=1, label=named)


def _times(story: Story) -> dict[str, list[float]]:
    """When each kind of thing happened, s."""
    scenario = story.world.scenario
    cabin = scenario.cabin
    times: dict[str, list[float]] = {label: [] for label in STYLES}
    times[ALARM] = [e.t_ms / 1000 for e in story.events if e.event is t.Event.ALARM]
    times["coolant loop low"] = [e.t_ms / 1000 for e in story.events if e.event is t.Event.COOLANT_LOW]
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


def _letters(story: Story) -> list[tuple[float, str]]:
    """Each alarm's letter over its line; a run of close ones is one word, each class once."""
    words: list[tuple[float, str]] = []
    last = -story.end_s
    for event in (e for e in story.events if e.event is t.Event.ALARM):
        at, letter = event.t_ms / 1000, LETTERS[event.severity]
        if at - last > story.end_s / APART:
            words.append((at, letter))
            last = at
        elif letter not in words[-1][1]:
            words[-1] = (words[-1][0], words[-1][1] + letter)
    return words
