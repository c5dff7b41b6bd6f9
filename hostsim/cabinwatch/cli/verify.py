"""The commands that judge: conform and decode for protocols, fuzz for the firmware, score for the detector."""

import json
import math
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cabinwatch.cli.conform import conform, decode
from cabinwatch.cli.fuzz import HELP, fuzz
from cabinwatch.errors import SetupError, UsageError
from cabinwatch.models.units import PRESSURES, parse_duration, parse_pressure, parse_volume
from cabinwatch.run.playback import log_model
from cabinwatch.targets.device import SERVERS
from cabinwatch.text import shown
from cabinwatch.verify.soak import BAUD, Soak, node
from cabinwatch.view import plot as plots
from cabinwatch_protocol.table import MONITOR_PARAMETERS, by_name

GAUGE_MOST_Pa = 16e3
"""A tenth of the highest pressure that a monitor can be set to believe: no gauge of a cabin is worse."""
VOLUMES_m3 = (0.1, 1e6)
"""A glove box, and a thousand stations."""


def score(
    seed: Annotated[int, typer.Option(help="Feeds every random stream.")] = 1,
    years: Annotated[
        int, typer.Option(min=1, help="Quiet years on each ground; ten days of each at a reading a second.")
    ] = 8,
    trials: Annotated[int, typer.Option(min=3, help="Trials of each leak.")] = 15,
    days: Annotated[
        int, typer.Option(min=1, help="Days of a year; fewer make a trial of the whole, and no evidence.")
    ] = 365,
    within: Annotated[
        str, typer.Option(help="Longest span in which the smallest leak is looked for: 1 h, 1 d, 7 d.")
    ] = "7 d",
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; default: one a core.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler; needs cabinwatch[cluster].")
    ] = None,
    page: Annotated[Path | None, typer.Option(help="Write the evidence page (Markdown) here.")] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw it here (.png, .svg, .pdf or .html); the page shows it.")
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(
            help="A log of your own as CSV, for the false alarms on it. Columns by --time, --pressure."
        ),
    ] = None,
    time: Annotated[str, typer.Option(help="Its column of the time: a name, or a number from 1.")] = "1",
    pressure: Annotated[str, typer.Option(help="Its column of the pressure.")] = "2",
    unit: Annotated[str, typer.Option(help=f"Its unit: {', '.join(PRESSURES)}.")] = "Pa",
    temperature: Annotated[
        str | None, typer.Option(help="Its column of the gas temperature. Without one: 295 K throughout.")
    ] = None,
    temperature_unit: Annotated[str, typer.Option(help="Unit of the temperature: K, C, F.")] = "C",
    as_json_: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Score the leak detector: false alarms and delays, beside the optimum and other detectors."""
    try:
        from cabinwatch.verify.score import card as cards
        from cabinwatch.verify.score import detectable as spans
        from cabinwatch.verify.score import log as logs
        from cabinwatch.verify.score import page as pages
        from cabinwatch.verify.score import picture
    except ImportError:
        raise SetupError('the report card needs numpy and river: pip install "cabinwatch[score]"') from None

    if within not in spans.SPANS_S:
        raise UsageError(f"--within {within!r}: one of {', '.join(spans.SPANS_S)}")
    if plot is not None:
        plots.check_ending(plot)
        plots.pyplot_here()  # before the work, not after it

    def progress(done: int, total: int, what: str) -> None:
        print(f"{done}/{total}  {what}", file=sys.stderr, flush=True)

    log = None
    if record is not None:
        model = log_model(
            file=str(record),
            time=time,
            pressure=pressure,
            unit=unit,
            temperature=temperature,
            temperature_unit=temperature_unit,
        )
        log = logs.Log.read(model)
    card = cards.run(seed, jobs, years, days, trials, progress, scheduler, log, within)
    command = f"cabinwatch score --seed {seed} --years {years} --trials {trials}"
    command = command if days == 365 else f"{command} --days {days}"
    command = command if within == "7 d" else f"{command} --within '{within}'"
    command = command if record is None else f"{command} --record {shown(record)} ..."
    seen_from_page = ""
    if plot is not None:
        picture.draw(card, plot)
        seen_from_page = Path(os.path.relpath(plot, page.parent if page else Path.cwd())).as_posix()
    text = pages.render(card, command, seen_from_page)
    if page is not None:
        try:
            page.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot write {page}: {error.strerror}") from None
    data: dict[str, Any] = card.as_json()
    print(json.dumps(data) if as_json_ else text)


def detectable(
    noise: Annotated[str, typer.Option(help="Standard deviation of a reading.")] = "2 Pa",
    step: Annotated[str, typer.Option(help="What the gauge rounds to.")] = "1 Pa",
    volume: Annotated[str, typer.Option(help="The air that the gauge watches.")] = "916 m3",
    period: Annotated[str, typer.Option(help="From one reading to the next.")] = "1 s",
    wander: Annotated[
        bool, typer.Option("--wander", help="On top, the wander of a real quiet cabin.")
    ] = False,
    as_json_: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Tell what a gauge can see: the smallest leak called within an hour, a day, a week, 95 times in 100.

    With nothing but the leak moving the pressure (``breath`` 0), after thirty days of quiet without an alarm, at
    about one false alarm a year.
    """
    try:
        from cabinwatch.verify.score import background
        from cabinwatch.verify.score.detectable import detectable as reckon
    except ImportError:
        raise SetupError('this needs numpy: pip install "cabinwatch[score]"') from None

    noise_Pa, step_Pa, volume_m3 = parse_pressure(noise), parse_pressure(step), parse_volume(volume)
    period_s = parse_duration(period)
    poll = by_name(MONITOR_PARAMETERS)["poll_period"]
    for option, value, (least, most), unit in (
        ("noise", noise_Pa, (0, GAUGE_MOST_Pa), "Pa"),
        ("step", step_Pa, (0, GAUGE_MOST_Pa), "Pa"),
        ("volume", volume_m3, VOLUMES_m3, "m3"),
        ("period", period_s, (poll.low / 1000, poll.high / 1000), "s"),
    ):
        if not least <= value <= most:
            raise UsageError(f"--{option} {value:,g} {unit} is out of range: {least:,g} to {most:,g} {unit}")
    if noise_Pa + step_Pa == 0:
        raise UsageError("--noise and --step are both 0: no gauge is without either")
    walk = background.CABIN.walk if wander else 0.0
    seen = list(reckon(background.BackgroundWander(noise_Pa, walk, period_s=period_s), step_Pa, volume_m3))
    if as_json_:
        rows = [{"within": s.within, "Pa_h": s.Pa_h, "kg_d": s.kg_d} for s in seen]
        print(json.dumps({"seen": [{k: None if v == math.inf else v for k, v in r.items()} for r in rows]}))
        return
    for leak in seen:
        told = (
            f"{leak.Pa_h:9.3g} Pa/h  {leak.kg_d:9.3g} kg/d"
            if leak.kg_d < math.inf
            else "none: too few readings"
        )
        print(f"within {leak.within}: {told}")


def soak(
    minutes: Annotated[
        float, typer.Option(min=0.1, max=100_000, help="How long, in the world's time.")
    ] = 3.0,
    target: Annotated[
        str,
        typer.Option(
            "--target",
            "-t",
            help=f"{', '.join(SERVERS)} (a process on a pty), or a port or URL; a board whose receive buffer is "
            "smaller than what is on the way to it at a time loses octets, and fails.",
        ),
    ] = "micropython",
    seed: Annotated[int, typer.Option(help="Draws the faults.")] = 1,
    baud: Annotated[int, typer.Option(min=300, max=4_000_000, help="Line rate.")] = BAUD,
    as_json_: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Keep a live node on a line full of faults, and judge that nothing is lost that the protocol promises to keep.

    Sequence counts have no gap but for what the line destroyed; each telecommand is acknowledged or its loss known;
    parsers find their way back; counters are right. Exit code 1 where something is wrong.
    """
    one = Soak(seed, minutes * 60, baud)
    if not as_json_:
        print(f"soak of {target} at {baud:,} baud, seed {seed}: {one.seconds:g} s", flush=True)
    with node(target) as (url, explain):
        done = one.run(url, explain)
    print(json.dumps(done.as_json()) if as_json_ else "\n".join(done.text()))
    if not as_json_:
        print("WRONG" if done.wrong else "Nothing was lost that the protocol promises to keep.")
    raise typer.Exit(1 if done.wrong else 0)


def add_to(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    for command in (conform, decode, score, detectable, soak):
        app.command()(command)
    app.command(help=HELP)(fuzz)
