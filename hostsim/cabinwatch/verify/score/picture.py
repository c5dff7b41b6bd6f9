"""The report card as a picture: the delay of each method over the leak's rate, beside the optimum."""

import math
from pathlib import Path
from textwrap import wrap
from typing import Any

from cabinwatch.text import duration
from cabinwatch.verify.score.card import Card
from cabinwatch.verify.score.page import TITLES, false_alarms
from cabinwatch.verify.score.trials import LEAKS, MMHG_PA
from cabinwatch.view.figure import plain
from cabinwatch.view.page import paragraphs
from cabinwatch.view.plot import check_ending, pyplot_here, save

TITLE = "Median delay until a leak is called; rivals at one false alarm a year"
RATES = {leak.name: leak.Pa_s * 86_400 / MMHG_PA for leak in LEAKS}
MARKERS = "osd^vx+"
DELAYS_s = (1, 10, 60, 600, 3600, 10 * 3600, 86_400, 10 * 86_400)
"""Where the axis of the delay has its numbers: they are told as durations."""
DECADES = 300
"""An axis of rates whose ends are further apart than this factor has a number a decade alone."""
MOST_NUMBERS = 6
"""Numbers on an axis of rates, each up to nine characters, in a panel of six inches."""
TITLE_LETTERS = 60
"""Letters of a line above a panel of six inches, at nine points."""


def draw(card: Card, path: Path) -> None:
    """Write it to ``path``. Raises UsageError for an ending that cannot be drawn, SetupError without matplotlib."""
    check_ending(path)
    narrow = path.suffix == ".html"
    save(figure(card, narrow), path, TITLE, after=paragraphs(false_alarms(card)) if narrow else "")


def figure(card: Card, narrow: bool = False) -> Any:
    """The grounds side by side, a method in one colour in all; a leak that was not called in time has no point.

    ``narrow``: to be read on a phone, the grounds below one another; the page around it has title and false alarms.
    """
    grounds = list(dict.fromkeys(d.ground for d in card.delays))
    methods = list(dict.fromkeys(d.method for d in card.delays))
    looks = {m: {"color": f"C{i}", "marker": MARKERS[i % len(MARKERS)]} for i, m in enumerate(methods)}
    columns = 1 if narrow else min(len(grounds), 3)
    rows = math.ceil(len(grounds) / columns)
    pyplot = pyplot_here()
    whole, axes = pyplot.subplots(
        rows, columns, sharey=True, squeeze=False, figsize=(6 * columns, 1.5 + 5 * rows), layout="constrained"
    )
    for axis in axes.flat[len(grounds) :]:
        axis.remove()
    for axis, ground in zip(axes.flat, grounds, strict=False):
        delays = [d for d in card.delays if d.ground == ground]
        bound = sorted({(RATES[d.leak], d.optimum_s) for d in delays})
        axis.plot(*zip(*bound, strict=True), color="0.4", linestyle="--", linewidth=2, label="optimum")
        for method in dict.fromkeys(d.method for d in delays):
            middle = [(RATES[d.leak], d.quantile(0.5)) for d in delays if d.method == method]
            called = sorted((rate, delay) for rate, delay in middle if math.isfinite(delay))
            own = method.startswith("detector")
            axis.plot(
                [rate for rate, _ in called],
                [delay for _, delay in called],
                **looks[method],
                linewidth=2.5 if own else 1,
                label=method,
            )
        axis.set(xscale="log", yscale="log", xlabel="leak, mmHg/d")
        _number(pyplot, axis)
        axis.set_title("\n".join(wrap(TITLES[ground], TITLE_LETTERS)), fontsize=9)
        axis.grid(which="major", alpha=0.3)
        axis.legend()
    for row in axes:
        row[0].set_ylabel("median delay")
    if not narrow:
        whole.suptitle(TITLE)
        whole.supxlabel("\n".join(false_alarms(card)), fontsize=9)
    return whole


def _number(pyplot: Any, axis: Any) -> None:
    """Numbers as people write them, no powers of ten: delays as durations, rates at 2 and 5 where decades are few."""
    axis.yaxis.set_major_locator(pyplot.FixedLocator(DELAYS_s))
    axis.yaxis.set_major_formatter(pyplot.FuncFormatter(lambda delay_s, _: duration(delay_s)))
    low, high = axis.get_xlim()
    subs = (1.0,) if high > DECADES * low else (1.0, 2.0, 5.0)
    axis.xaxis.set_major_locator(pyplot.LogLocator(subs=subs, numticks=MOST_NUMBERS))
    axis.xaxis.set_major_formatter(pyplot.FuncFormatter(plain))
    for each in (axis.xaxis, axis.yaxis):
        each.set_minor_locator(pyplot.NullLocator())
