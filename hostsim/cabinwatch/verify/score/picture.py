"""The report card as a picture: on each ground each leak's delay, beside the optimum's and the rivals'."""

import math
from pathlib import Path
from textwrap import wrap
from typing import Any

from cabinwatch.text import duration
from cabinwatch.verify.score.card import Card, DelayFigure
from cabinwatch.verify.score.page import TITLES, COUNTED_s, false_alarms, watched
from cabinwatch.view.page import paragraphs
from cabinwatch.view.plot import check_ending, pyplot_here, save

TITLE = "How long a leak goes on before it is called"
READ_SO = "points: medians; line: to the 90 % quantile; at the right: detector over optimum"
DELAYS_s = (1, 10, 60, 600, 3600, 6 * 3600, 86_400, 10 * 86_400)
"""Where the axis has its numbers: they are told as durations."""
OPTIMUM: dict[str, Any] = {"color": "0.25", "marker": "|", "markersize": 13, "markeredgewidth": 2.5}
DETECTOR: dict[str, Any] = {"color": "C0", "marker": "o", "markersize": 7}
RIVALS: tuple[dict[str, Any], ...] = tuple(
    {"color": color, "marker": marker, "markersize": 5, "markerfacecolor": "none"}
    for color, marker in (("C1", "s"), ("C2", "d"), ("C3", "^"))
)
WIDE_IN, NARROW_IN = 8.0, 5.5
"""As wide as a README is shown, and a phone: type keeps the size that it is given."""
ROW_IN = 0.22
HEAD_IN = 0.5
"""A leak's line, and what a panel has above it."""
LEGEND_IN = 1.5
WIDE_LETTERS, NARROW_LETTERS = 95, 48
"""Letters of a line of the width, at nine points."""


def draw(card: Card, path: Path) -> None:
    """Write it to ``path``. Raises UsageError for an ending that cannot be drawn, SetupError without matplotlib."""
    check_ending(path)
    narrow = path.suffix == ".html"
    save(figure(card, narrow), path, TITLE, after=paragraphs(false_alarms(card)) if narrow else "")


def figure(card: Card, narrow: bool = False) -> Any:
    """A panel a ground, a line a leak, one axis of time for all.

    ``narrow``: to be read on a phone, where the page around it has the title and the false alarms.
    """
    grounds = list(dict.fromkeys(d.ground for d in card.delays))
    leaks = {g: list(dict.fromkeys(d.leak for d in card.delays if d.ground == g)) for g in grounds}
    rivals = list(dict.fromkeys(d.method for d in card.delays if not _own(d)))
    looks = dict(zip(rivals, RIVALS, strict=False))
    letters = NARROW_LETTERS if narrow else WIDE_LETTERS
    titles = {g: wrap(TITLES[g] if narrow else _title(card, g), letters) for g in grounds}
    heights = [ROW_IN * (len(leaks[g]) + 0.6) for g in grounds]
    heads_in = sum(HEAD_IN + ROW_IN * (len(titles[g]) - 1) for g in grounds)
    pyplot = pyplot_here()
    whole, axes = pyplot.subplots(
        len(grounds), 1, sharex=True, squeeze=False, height_ratios=heights, layout="constrained",
        figsize=(NARROW_IN if narrow else WIDE_IN, sum(heights) + heads_in + LEGEND_IN),
    )  # fmt: skip
    for axis, ground in zip(axes[:, 0], grounds, strict=True):
        _panel(axis, [d for d in card.delays if d.ground == ground], leaks[ground], looks)
        axis.set_title("\n".join(titles[ground]), fontsize=9, loc="left")
    last = axes[-1, 0]
    last.set(xscale="log", xlabel="delay")
    last.xaxis.set_major_locator(pyplot.FixedLocator(DELAYS_s))
    last.xaxis.set_minor_locator(pyplot.NullLocator())
    last.xaxis.set_major_formatter(pyplot.FuncFormatter(lambda delay_s, _: duration(delay_s)))
    named = {n: h for axis in axes[:, 0] for h, n in zip(*axis.get_legend_handles_labels(), strict=True)}
    whole.legend(
        named.values(), named, loc="outside upper center", ncols=2 if narrow else 5, fontsize=9, frameon=False,
        title=READ_SO.replace("; at", ";\nat") if narrow else f"{TITLE}\n{READ_SO}",
    )  # fmt: skip
    return whole


def _own(delay: DelayFigure) -> bool:
    return delay.method.startswith("detector")


def _title(card: Card, ground: str) -> str:
    """The ground, and what was falsely called on it."""
    seen = [f"{e.calls} false alarms in {watched(e.days)}" for e in card.exposures if e.ground == ground]
    return "; ".join([TITLES[ground], *seen])


def _panel(axis: Any, delays: list[DelayFigure], leaks: list[str], looks: dict[str, dict[str, Any]]) -> None:
    """One ground's; a method that did not call a leak in time has no point there."""
    line = {leak: i for i, leak in enumerate(leaks)}
    optima = {d.leak: d.optimum_s for d in delays}
    axis.plot(list(optima.values()), [line[k] for k in optima], linestyle="none", label="optimum", **OPTIMUM)
    for method in dict.fromkeys(d.method for d in delays):
        mine = [d for d in delays if d.method == method]
        own = _own(mine[0])
        called = [d for d in mine if math.isfinite(d.quantile(0.5))]
        look, label = (DETECTOR, "detector") if own else (looks[method], method)
        middle = [d.quantile(0.5) for d in called]
        axis.plot(middle, [line[d.leak] for d in called], linestyle="none", label=label, **look)
        for d in mine if own else []:
            late = d.quantile(0.9)
            if math.isfinite(late):
                axis.plot([d.optimum_s, late], [line[d.leak]] * 2, color="C0", linewidth=1.5, zorder=1)
            if d in called and d.optimum_s > COUNTED_s:
                over = d.quantile(0.5) / d.optimum_s
                times = f"{over:.1f}x" if over < 10 else f"{over:.0f}x"
                axis.text(
                    1.01, line[d.leak], times, transform=axis.get_yaxis_transform(), va="center", fontsize=8
                )
            if d not in called:
                axis.annotate(
                    "not called in time", (d.optimum_s, line[d.leak]), (9, 0), textcoords="offset points",
                    va="center", fontsize=8, color="C0",
                )  # fmt: skip
    axis.set_yticks(range(len(leaks)), leaks, fontsize=8)
    axis.set_ylim(len(leaks) - 0.4, -0.6)
    axis.grid(axis="x", alpha=0.3)
    axis.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
