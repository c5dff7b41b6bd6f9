"""Draw a run: pressure, rate, T-reserve and alarms over time, truth beside what the firmware reported."""

import math
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any

from cabinwatch.errors import SetupError, UsageError
from cabinwatch.models.scenario import Scenario
from cabinwatch.run.result import NO_LEAK_S
from cabinwatch.run.transcript import Transcript
from cabinwatch.scenario.load import parse
from cabinwatch.text import shown
from cabinwatch.world.events import EventReport
from cabinwatch.world.ground import Ground
from cabinwatch.world.world import World
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

POINTS = 800
UNITS = ((2 * 86400, 86400, "days"), (2 * 3600, 3600, "hours"), (300, 60, "minutes"), (0, 1, "seconds"))
MARKS = {0: "", 1: "A", 2: "C", 3: "W", 4: "E"}


@dataclass(frozen=True)
class Story:
    """What is drawn: the world that holds the truth, and what reached the ground."""

    title: str
    world: World
    history: list[tuple[int, dict[str, int]]]
    events: list[EventReport]
    end_s: float


def from_world(world: World) -> Story:
    """The story of a run just played."""
    return Story(
        world.scenario.title, world, world.ground.history, world.ground.events, max(world.now_ms / 1000, 1.0)
    )


def from_transcript(transcript: Transcript) -> Story:
    """The story of a recording: its telemetry decoded, the truth computed anew from scenario and seed."""
    text, seed = transcript.header.get("toml"), transcript.header.get("seed")
    if not isinstance(text, str) or not isinstance(seed, int):
        raise UsageError(
            "the recording's header does not say what was played: no scenario (toml), or no seed"
        )
    scenario: Scenario = parse(
        text, "the recording's scenario", Path(str(transcript.header.get("scenario", ""))).parent
    )
    ground = Ground(lambda frame: None)
    decoder = host.StreamDecoder()
    for step in transcript.steps:
        for frame in decoder.feed(step.tx):
            if frame.verdict is host.Verdict.OK and not frame.packet[0] & 0x10:
                with suppress(host.Alien):
                    ground.telemetry(host.decode(frame.packet), step.t_ms)
    if not transcript.steps:
        raise UsageError("the recording holds no step")
    world = World(scenario, seed)
    log = world.station.record
    if log is not None and log.sha256 != transcript.header.get("log_sha256"):
        raise UsageError(f"{shown(log.name)} is not the log of this recording: it has another content")
    return Story(
        scenario.title, world, ground.history, ground.events, max(1.0, transcript.steps[-1].t_ms / 1000)
    )


def pyplot_here() -> Any:
    """matplotlib's pyplot, drawing to files alone. Raises SetupError where it is missing."""
    try:
        import matplotlib
    except ImportError:
        raise SetupError('plots need matplotlib: pip install "cabinwatch[plot]"') from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def _truth(story: Story) -> dict[str, list[float]]:
    station, place = story.world.station, story.world.compartment
    times = [story.end_s * i / POINTS for i in range(POINTS + 1)]
    return {
        "t": times,
        "pressure": [station.at(place, x).pressure_Pa for x in times],
        "rate": [station.leak_rate_Pa_h(place, x) for x in times],
        "tres": [station.tres_s(place, x) for x in times],
    }


def draw(story: Story, path: Path) -> None:
    """Write the picture to ``path``: .png, .svg, .pdf or .html. Raises UsageError for another ending."""
    check_ending(path)
    save(_figure(pyplot_here(), story), path, story.title)


def check_ending(path: Path) -> None:
    """Raise UsageError where a picture cannot be written by that name."""
    if path.suffix not in (".png", ".svg", ".pdf", ".html"):
        raise UsageError(
            f"{path}: cannot draw {path.suffix or 'without an ending'}: .png, .svg, .pdf or .html"
        )


def save(figure: Any, path: Path, title: str) -> None:
    """Write the figure to ``path``, and close it."""
    try:
        if path.suffix == ".html":
            svg = StringIO()
            figure.savefig(svg, format="svg")
            page = f'<!doctype html><meta charset="utf-8"><title>{escape(shown(title))}</title>\n{svg.getvalue()}'
            path.write_text(page, encoding="utf-8")
        else:
            figure.savefig(path, dpi=130)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
    finally:
        pyplot_here().close(figure)


def _figure(pyplot: Any, story: Story) -> Any:
    scale, unit = next((size, name) for least, size, name in UNITS if story.end_s >= least)
    truth = _truth(story)
    x = [s / scale for s in truth["t"]]
    seen = [(t_ms / 1000 / scale, hk) for t_ms, hk in story.history if hk["pressure_cPa"]]
    figure, axes = pyplot.subplots(
        4, 1, sharex=True, figsize=(10, 8), layout="constrained", height_ratios=[3, 2, 2, 1]
    )
    true_style: dict[str, Any] = {"color": "0.55", "linewidth": 3.0, "label": "truth"}
    told_style: dict[str, Any] = {
        "color": "tab:blue",
        "linewidth": 1.0,
        "label": "reported",
        "rasterized": True,
    }
    pressure, rate, reserve, alarm = axes
    pressure.plot(x, truth["pressure"], **true_style)
    pressure.plot([s for s, _ in seen], [hk["pressure_cPa"] / 100 for _, hk in seen], **told_style)
    pressure.set_ylabel("pressure, Pa")
    pressure.legend(loc="lower left")
    rate.plot(x, truth["rate"], **{**true_style, "label": "truth (leaks alone)"})
    told = [(s, hk) for s, hk in seen if hk["tres_s"] < NO_LEAK_S]
    rate.plot(
        [s for s, _ in told],
        [hk["rate_cPa_h"] / 100 for _, hk in told],
        ".",
        markersize=3,
        **_dots(told_style),
    )
    low = [(hk["rate_cPa_h"] - 2 * hk["sigma_cPa_h"]) / 100 for _, hk in told]
    high = [(hk["rate_cPa_h"] + 2 * hk["sigma_cPa_h"]) / 100 for _, hk in told]
    if told:
        rate.fill_between([s for s, _ in told], low, high, alpha=0.2, color="tab:blue", linewidth=0)
    rate.set_ylabel("leak rate, Pa/h")
    finite = [(a, b / 3600) for a, b in zip(x, truth["tres"], strict=True) if math.isfinite(b) and b > 0]
    reserve.plot([a for a, _ in finite], [b for _, b in finite], **true_style)
    reserve.plot(
        [s for s, _ in told],
        [max(hk["tres_s"], 1) / 3600 for _, hk in told],
        ".",
        markersize=3,
        **_dots(told_style),
    )
    if finite or told:
        reserve.set_yscale("log")
    reserve.set_ylabel("T-reserve, h")
    alarm.step(
        [s for s, _ in seen], [hk["alarm"] for _, hk in seen], where="post", color="black", linewidth=1.2
    )
    alarm.set_yticks(range(5), [c.name.capitalize() for c in t.AlarmClass], fontsize=8)
    alarm.set_ylim(-0.3, 4.3)
    alarm.set_xlabel(f"time, {unit}")
    _mark(axes, story, scale)
    figure.suptitle(shown(story.title), parse_math=False)
    return figure


def _dots(style: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in style.items() if k != "linewidth"}


def _mark(axes: Any, story: Story, scale: float) -> None:
    """Alarms as lines with their class's letter, other events as ticks at the foot."""
    for event in story.events:
        at = event.t_ms / 1000 / scale
        if event.event is t.Event.ALARM:
            for axis in axes:
                axis.axvline(at, color="tab:red", linestyle="--", linewidth=1)
            axes[0].annotate(
                MARKS[event.severity],
                (at, 1),
                xycoords=("data", "axes fraction"),
                color="tab:red",
                weight="bold",
            )
        else:
            axes[3].axvline(at, ymax=0.12, color="0.3", linewidth=1)
    if story.world.scenario.onset is not None:
        for axis in axes:
            axis.axvline(story.world.scenario.onset / scale, color="black", linestyle=":", linewidth=1.2)
