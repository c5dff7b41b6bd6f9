"""The picture of a run: a panel a quantity, those left out that a quiet run has nothing to say in."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from cabinwatch.run.result import NO_LEAK_S
from cabinwatch.text import shown
from cabinwatch.view.marks import blind, mark
from cabinwatch.view.story import Story
from cabinwatch_protocol import table as t

POINTS = 800
BESIDE = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "borderaxespad": 0}
BELOW = {
    "loc": "upper center",
    "bbox_to_anchor": (0.5, 0),
    "ncols": 2,
    "frameon": False,
    "borderaxespad": 0.3,
}
"""Where a panel's legend stands."""
UNDER_LABELS = 4.2
"""How far the last panel's legend keeps from its axis, in sizes of its type: ticks' labels and title lie between."""
WIDE_IN, NARROW_IN = 10.0, 5.5
"""Widths of a picture: on a screen, and on a phone, where a point of type is a little less than a pixel."""
UNITS = ((2 * 86400, 86400, "days"), (2 * 3600, 3600, "hours"), (600, 60, "minutes"), (0, 1, "seconds"))
"""From how many seconds on a span is told in a unit: the unit's size, and its name."""
PER_SECOND = 100_000.0
"""Rates from here on, Pa/h, are told in Pa/s: a hatch or a valve open to vacuum."""
QUIET_PA = 133.322
"""The least span of a pressure axis: 1 mmHg, the fall that a crew times. Less would draw noise as a story."""
WIDE = 30.0
"""A T-reserve that changes by more than this factor is drawn on a logarithmic axis, unless it comes to nothing."""
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
    seeing: list[tuple[float, dict[str, int]]]
    """The same, but empty while the transducer was lost: what a blind monitor repeats is no reading."""
    leaking: list[tuple[float, dict[str, int]]]

    @property
    def knows_leaks(self) -> bool:
        """Whether it is known what leaked: of a log only what was put into it."""
        cabin = self.story.world.scenario.cabin
        return cabin.record is None or bool(cabin.leaks)

    def true(self, value: Callable[[float], float]) -> tuple[list[float], list[float]]:
        """The truth of one quantity over time."""
        return [s / self.scale for s in self.times], [value(s) for s in self.times]


def figure_of(pyplot: Any, story: Story, narrow: bool = False) -> Any:
    """The figure; whoever takes it closes it. ``narrow``: to be read on a phone, legends below their panels."""
    scale, word = unit(story.end_s)
    times = [story.end_s * i / POINTS for i in range(POINTS + 1)]
    reports = [(t_ms / 1000 / scale, hk) for t_ms, hk in story.history if hk["pressure_cPa"]]
    spells = [(begin / scale, end / scale) for begin, end in blind(story)]
    seeing = [(x, {} if any(begin <= x <= end for begin, end in spells) else hk) for x, hk in reports]
    leaking = [(x, hk) for x, hk in seeing if hk and hk["tres_s"] < NO_LEAK_S]
    seen = Seen(story, scale, times, reports, seeing, leaking)
    panels = [(draw, height) for draw, height, wanted in PANELS if wanted(seen)]
    size = (
        NARROW_IN if narrow else WIDE_IN,
        1 + 0.8 * sum(height for _, height in panels) + narrow * len(panels),
    )
    figure, axes = pyplot.subplots(
        len(panels), 1, sharex=True, squeeze=False, figsize=size, layout="constrained",
        height_ratios=[height for _, height in panels],
    )  # fmt: skip
    column = [row[0] for row in axes]
    for axis, (draw, _) in zip(column, panels, strict=True):
        draw(axis, seen)
        axis.margins(x=0.01)
        if draw is not _alarm:
            axis.yaxis.set_major_formatter(pyplot.FuncFormatter(plain))
    mark(column, story, scale)
    for axis in column:
        if axis.get_legend_handles_labels()[0]:
            below = BELOW | ({"borderaxespad": UNDER_LABELS} if axis is column[-1] else {})
            axis.legend(**(below if narrow else BESIDE), fontsize=9 if narrow else 8)
    column[-1].xaxis.set_major_locator(pyplot.MaxNLocator(8, steps=[1, 2, 5, 10]))
    column[-1].set_xlabel(f"time, {word}")
    figure.align_ylabels(column)
    if not narrow:  # the page around it has the title
        figure.suptitle("\n".join(wrap(shown(story.title), 96)), parse_math=False)
    return figure


def plain(value: float, position: int) -> str:
    """A number as people write it: no offset to be added to a whole axis, no power of ten."""
    return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"


def _pressure(axis: Any, seen: Seen) -> None:
    story = seen.story
    station, place = story.world.station, story.world.compartment
    label = "truth" if station.record is None else "the log"
    axis.plot(*seen.true(lambda s: station.at(place, s).pressure_Pa), **TRUE, label=label)
    xs = [x for x, _ in seen.seeing]
    values = [hk["pressure_cPa"] / 100 if hk else math.nan for _, hk in seen.seeing]
    axis.plot(xs, values, **TOLD, linewidth=1.0, label="reported")
    low, high = axis.get_ylim()
    if high - low < QUIET_PA:
        middle = (low + high) / 2
        axis.set_ylim(middle - QUIET_PA / 2, middle + QUIET_PA / 2)
    axis.set_ylabel("pressure, Pa")


def _loops(axis: Any, seen: Seen) -> None:
    """The coolant loops' own channel: the pressure at each accumulator."""
    station = seen.story.world.station
    for number, name in enumerate(seen.story.world.scenario.cabin.loops):
        true = seen.true(lambda s, name=name: station.coolant(name, s).pressure_Pa / 1000)  # type: ignore[misc]
        axis.plot(*true, color=f"C{number + 1}", label=f"truth: {shown(name)}")
    axis.set_ylim(bottom=-0.04 * axis.get_ylim()[1])  # an empty loop's zero is a line, not the panel's edge
    axis.set_ylabel("loop pressure, kPa")


ADDED = "added leaks alone"
"""Whose truth is drawn beside a log: what had leaked in the log itself nobody knows."""


def _rate(axis: Any, seen: Seen) -> None:
    station, place = seen.story.world.station, seen.story.world.compartment
    xs, true = seen.true(lambda s: station.leak_rate_Pa_h(place, s))
    fast = max(map(abs, true)) >= PER_SECOND
    per, word = (3600.0, "Pa/s") if fast else (1.0, "Pa/h")
    if seen.knows_leaks:
        alone = "leaks alone" if station.record is None else ADDED
        axis.plot(xs, [v / per for v in true], **TRUE, label=f"truth ({alone})")
    xs = [x for x, _ in seen.leaking]
    if xs:
        axis.plot(xs, [hk["rate_cPa_h"] / 100 / per for _, hk in seen.leaking], **DOTS, label="reported")
        # Over all reports: between two leaks that were called there is no band.
        low, high = ([_edge(hk, side) / per for _, hk in seen.seeing] for side in (-2, 2))
        all_xs = [x for x, _ in seen.seeing]
        axis.fill_between(all_xs, low, high, alpha=0.2, color="tab:blue", linewidth=0, label="± 2 sigma")
    axis.set_ylabel(f"leak rate, {word}")


def _edge(hk: dict[str, int], sigmas: float) -> float:
    """The reported rate and so many of its deviations, Pa/h; not a number where no leak is seen."""
    if not hk or hk["tres_s"] >= NO_LEAK_S:
        return math.nan
    return (hk["rate_cPa_h"] + sigmas * hk["sigma_cPa_h"]) / 100


def _reserve(axis: Any, seen: Seen) -> None:
    """T-reserve in the unit that fits; nothing left is drawn as nothing, at zero."""
    station, place = seen.story.world.station, seen.story.world.compartment
    xs, values = seen.true(lambda s: station.tres_s(place, s))
    told = [float(hk["tres_s"]) for _, hk in seen.leaking]
    known = [v for v in (*values, *told) if math.isfinite(v)]
    size, word = unit(max(known, default=0.0))
    if seen.knows_leaks:  # no leak is a gap in the line
        label = "truth" if station.record is None else f"truth ({ADDED})"
        axis.plot(xs, [v / size if math.isfinite(v) else math.nan for v in values], **TRUE, label=label)
    if told:
        axis.plot([x for x, _ in seen.leaking], [v / size for v in told], **DOTS, label="reported")
    if known and 0 < min(known) * WIDE < max(known):
        axis.set_yscale("log", subs=())
        axis.yaxis.get_major_locator().set_params(subs=(1.0, 3.0))
    else:
        top = max(known, default=1.0) / size or 1.0
        axis.set_ylim(-0.05 * top, 1.08 * top)
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


def _called(seen: Seen) -> bool:
    return any(hk["alarm"] for _, hk in seen.reports)


def _has_loops(seen: Seen) -> bool:
    return bool(seen.story.world.scenario.cabin.loops)


PANELS: tuple[tuple[Callable[[Any, Seen], None], float, Callable[[Seen], bool]], ...] = (
    (_loops, 3, _has_loops),
    (_pressure, 3, lambda seen: not _has_loops(seen)),
    (_pressure, 2, _has_loops),
    (_rate, 2, _leaks),
    (_reserve, 2, _leaks),
    (_alarm, 1.4, _called),
)
"""What is drawn, how high beside the others, and when: the loop is the story of a run that has one."""
