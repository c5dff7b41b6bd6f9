"""The report card as a picture: the delay of each method over the leak's rate, beside the optimum."""

import math
from pathlib import Path
from typing import Any

from cabinwatch.verify.score.card import Card
from cabinwatch.verify.score.page import TITLES, false_alarms
from cabinwatch.verify.score.trials import LEAKS, MMHG_PA
from cabinwatch.view.plot import check_ending, pyplot_here, save

TITLE = "Median delay until a leak is called; rivals at one false alarm a year"
RATES = {leak.name: leak.Pa_s * 86_400 / MMHG_PA for leak in LEAKS}
MARKERS = "osd^vx+"


def draw(card: Card, path: Path) -> None:
    """Write it to ``path``. Raises UsageError for an ending that cannot be drawn, SetupError without matplotlib."""
    check_ending(path)
    save(figure(card), path, TITLE)


def figure(card: Card) -> Any:
    """The grounds side by side, a method in one colour in all; a leak that was not called in time has no point."""
    grounds = list(dict.fromkeys(d.ground for d in card.delays))
    methods = list(dict.fromkeys(d.method for d in card.delays))
    looks = {m: {"color": f"C{i}", "marker": MARKERS[i % len(MARKERS)]} for i, m in enumerate(methods)}
    columns = min(len(grounds), 3)
    rows = math.ceil(len(grounds) / columns)
    whole, axes = pyplot_here().subplots(
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
        axis.set_title(TITLES[ground], fontsize=9, wrap=True)
        axis.grid(which="major", alpha=0.3)
        axis.legend()
    for row in axes:
        row[0].set_ylabel("median delay, s")
    whole.suptitle(TITLE)
    whole.supxlabel("\n".join(false_alarms(card)), fontsize=9)
    return whole
