"""The picture of a run: a panel a quantity, those left out that a quiet run has nothing to say in."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cabinwatch.models.node_faults import BrownOut, NodeReset
from cabinwatch.run.result import NO_LEAK_S
from cabinwatch.text import shown
from cabinwatch.view.story import Story
from cabinwatch_protocol import table as t

POINTS = 800
UNITS = ((2 * 86400, 86400, "days"), (2 * 3600, 3600, "hours"), (300, 60, "minutes"), (0, 1, "seconds"))
"""From how many seconds on a span is told in a unit: the unit's size, and its name."""
MARKS = {0: "", 1: "A", 2: "C", 3: "W", 4: "E"}
TRUE: dict[str, Any] = {"color": "0.55", "linewidth": 3.0}
TOLD: dict[str, Any] = {"color": "tab:blue", "rasterized": True}
DOTS: dict[str, Any] = {**TOLD, "linestyle": "none", "marker": ".", "markersize": 3}


def unit(span_s: float) -> tuple[float, str]:
    """The unit of time that fits a span: how many seconds it has, and its name."""
    return next((float(size), name) for least, size, name in UNITS if span_s >= least)


@dataclass(frozen=True)
class Seen:
    """A story's series: ``x`` in the unit of the time axis, the truth at evenly spaced times, the reports."""

    story: Story
    scale: float
    times: list[float]
    reports: list[tuple[float, dict[str, int]]]
    leaking: list[tuple[float, dict[str, int]]]

    def true(self, value: Callable[[float], float]) -> tuple[list[float], list[float]]:
        """The truth of one quantity over time."""
        return [s / self.scale for s in self.times], [value(s) for s in self.times]


def figure_of(pyplot: Any, story: Story) -> Any:
    """The figure; whoever takes it closes it."""
    scale, word = unit(story.end_s)
    times = [story.end_s * i / POINTS for i in range(POINTS + 1)]
    reports = [(t_ms / 1000 / scale, hk) for t_ms, hk in story.history if hk["pressure_cPa"]]
    leaking = [(x, hk) for x, hk in reports if hk["tres_s"] < NO_LEAK_S]
    seen = Seen(story, scale, times, reports, leaking)
    panels = [(draw, height) for draw, height, wanted in PANELS if wanted(seen)]
    figure, axes = pyplot.subplots(
        len(panels), 1, sharex=True, squeeze=False, figsize=(10, 2 + 1.6 * len(panels)), layout="constrained",
        height_ratios=[height for _, height in panels],
    )  # fmt: skip
    column = [row[0] for row in axes]
    for axis, (draw, _) in zip(column, panels, strict=True):
        draw(axis, seen)
        axis.margins(x=0.01)
        if draw is not _alarm:
            axis.yaxis.set_major_formatter(pyplot.FuncFormatter(_plain))
    _mark(column, seen)
    for axis in column:
        handles, labels = axis.get_legend_handles_labels()
        if handles:
            axis.legend(
                handles, labels, loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, fontsize=8
            )
    column[-1].set_xlabel(f"time, {word}")
    figure.suptitle(shown(story.title), parse_math=False)
    return figure


def _plain(value: float, position: int) -> str:
    """A number as people write it: no offset to be added to a whole axis, no power of ten."""
    return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"


def _pressure(axis: Any, seen: Seen) -> None:
    story = seen.story
    station, place = story.world.station, story.world.compartment
    axis.plot(*seen.true(lambda s: station.at(place, s).pressure_Pa), **TRUE, label="truth")
    xs, values = [x for x, _ in seen.reports], [hk["pressure_cPa"] / 100 for _, hk in seen.reports]
    axis.plot(xs, values, **TOLD, linewidth=1.0, label="reported")
    axis.set_ylabel("pressure, Pa")


def _loops(axis: Any, seen: Seen) -> None:
    """The coolant loops' own channel: the pressure at each accumulator."""
    station = seen.story.world.station
    for number, name in enumerate(seen.story.world.scenario.cabin.loops):
        true = seen.true(lambda s, name=name: station.coolant(name, s).pressure_Pa / 1000)  # type: ignore[misc]
        axis.plot(*true, color=f"C{number + 1}", label=shown(name))
    axis.set_ylim(bottom=0)
    axis.set_ylabel("loop, kPa")


def _rate(axis: Any, seen: Seen) -> None:
    station, place = seen.story.world.station, seen.story.world.compartment
    axis.plot(*seen.true(lambda s: station.leak_rate_Pa_h(place, s)), **TRUE, label="truth (leaks alone)")
    xs = [x for x, _ in seen.leaking]
    if xs:
        axis.plot(xs, [hk["rate_cPa_h"] / 100 for _, hk in seen.leaking], **DOTS, label="reported")
        low = [(hk["rate_cPa_h"] - 2 * hk["sigma_cPa_h"]) / 100 for _, hk in seen.leaking]
        high = [(hk["rate_cPa_h"] + 2 * hk["sigma_cPa_h"]) / 100 for _, hk in seen.leaking]
        axis.fill_between(xs, low, high, alpha=0.2, color="tab:blue", linewidth=0, label="± 2 sigma")
    axis.set_ylabel("leak rate, Pa/h")


def _reserve(axis: Any, seen: Seen) -> None:
    """T-reserve in the unit that fits; nothing left is drawn as nothing, at zero."""
    station, place = seen.story.world.station, seen.story.world.compartment
    xs, values = seen.true(lambda s: station.tres_s(place, s))
    true = [(x, v) for x, v in zip(xs, values, strict=True) if math.isfinite(v)]
    told = [(x, float(hk["tres_s"])) for x, hk in seen.leaking]
    size, word = unit(max((v for _, v in (*true, *told)), default=0.0))
    axis.plot([x for x, _ in true], [v / size for _, v in true], **TRUE, label="truth")
    if told:
        axis.plot([x for x, _ in told], [v / size for _, v in told], **DOTS, label="reported")
    axis.set_yscale("symlog", linthresh=1.0)
    axis.set_ylim(bottom=0)
    axis.set_ylabel(f"T-reserve, {word}")


def _alarm(axis: Any, seen: Seen) -> None:
    xs, classes = [x for x, _ in seen.reports], [hk["alarm"] for _, hk in seen.reports]
    axis.step(xs, classes, where="post", color="black", linewidth=1.2, label="latched class")
    axis.set_yticks(range(5), [c.name.capitalize() for c in t.AlarmClass], fontsize=8)
    axis.set_ylim(-0.3, 4.3)


def _leaks(seen: Seen) -> bool:
    """Whether there is anything to say of a leak, in truth or in the reports."""
    station, place = seen.story.world.station, seen.story.world.compartment
    return bool(seen.leaking) or any(station.leak_rate_Pa_h(place, s) for s in seen.times[:: POINTS // 50])


def _always(seen: Seen) -> bool:
    return True


PANELS: tuple[tuple[Callable[[Any, Seen], None], float, Callable[[Seen], bool]], ...] = (
    (_pressure, 3, _always),
    (_loops, 2, lambda seen: bool(seen.story.world.scenario.cabin.loops)),
    (_rate, 2, _leaks),
    (_reserve, 2, _leaks),
    (_alarm, 1.2, _always),
)
"""What is drawn, how high beside the others, and when."""


def _mark(axes: list[Any], seen: Seen) -> None:
    """What happened, as lines through every panel, each kind with its entry in the first panel's legend."""
    story, scale = seen.story, seen.scale
    scenario = story.world.scenario
    alarms = [e for e in story.events if e.event is t.Event.ALARM]
    told = {t.Event.ALARM, t.Event.ALARM_REMINDER, t.Event.SENSOR_REMINDER}
    others = [e.t_ms / 1000 for e in story.events if e.event not in told]
    resets = [
        *scenario.resets,
        *(f.at for f in scenario.device.faults if isinstance(f, NodeReset | BrownOut)),
    ]
    kinds: tuple[tuple[str, list[float], dict[str, Any]], ...] = (
        ("alarm: A C W E = class", [e.t_ms / 1000 for e in alarms], {"color": "tab:red", "linestyle": "--"}),
        ("onset", [] if scenario.onset is None else [scenario.onset], {"color": "black", "linestyle": ":"}),
        (
            "hatch, valve or patch",
            [a.at for a in scenario.cabin.actions],
            {"color": "tab:green", "linestyle": "-."},
        ),
        ("reset of the node", resets, {"color": "tab:purple", "linestyle": (0, (1, 2))}),
    )
    for label, times, style in kinds:
        for i, at in enumerate(s for s in times if s <= story.end_s):
            for axis in axes:
                first = axis is axes[0] and i == 0
                axis.axvline(at / scale, **style, linewidth=1.1, label=label if first else None)
    drawn = -math.inf
    for event in alarms:
        # Letters closer than a fiftieth of the axis would lie on one another.
        if event.t_ms / 1000 - drawn > story.end_s / 50:
            drawn = event.t_ms / 1000
            place = {"xycoords": ("data", "axes fraction"), "color": "tab:red", "weight": "bold"}
            axes[0].annotate(MARKS[event.severity], (drawn / scale, 1.01), **place)
    for i, at in enumerate(others):
        axes[-1].axvline(at / scale, ymax=0.12, color="0.3", linewidth=1, label=None if i else "other event")
