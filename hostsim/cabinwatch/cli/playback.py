"""``cabinwatch playback``."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cabinwatch.cli import net
from cabinwatch.cli.options import JsonOption, TargetOption, default_target, played_ms
from cabinwatch.errors import UsageError
from cabinwatch.models.units import PRESSURES
from cabinwatch.run import playback as run
from cabinwatch.run.observer import Silent, View
from cabinwatch.run.play import Order, play
from cabinwatch.targets import EMULATED, is_live
from cabinwatch.text import shown
from cabinwatch.view import plot as plots
from cabinwatch.view.panel import Panels, Plain
from cabinwatch.view.story import from_world
from cabinwatch.world.record import recording
from cabinwatch.world.world import World


def playback(
    log: Annotated[Path, typer.Argument(help="A log of the pressure, as CSV.")],
    time: Annotated[
        str, typer.Option(help="Column of the time (ISO 8601, or seconds): a name, or a number from 1.")
    ],
    pressure: Annotated[str, typer.Option(help="Column of the pressure.")],
    unit: Annotated[str, typer.Option(help=f"Unit of the pressure: {', '.join(PRESSURES)}.")],
    temperature: Annotated[
        str | None, typer.Option(help="Column of the gas temperature. Without one: 295 K throughout.")
    ] = None,
    temperature_unit: Annotated[str, typer.Option(help="Unit of the temperature: K, C, F.")] = "C",
    leak: Annotated[
        list[str] | None,
        typer.Option(help='A leak on top of what was logged: "0.8 mbar/h at 6h". May be given again.'),
    ] = None,
    volume: Annotated[
        str | None, typer.Option(help='Of the cabin, for leaks in kg/d, lb/d or mm: "900 m3".')
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="A parameter of the monitor: breath=0. May be given again."
        ),
    ] = None,
    target: TargetOption = None,
    duration: Annotated[
        str | None, typer.Option(help="Play this long: 6h, 1h30m, or seconds; default: the whole log.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw it: .png, .svg, .pdf or .html.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what the monitor would have said of a log of your own.

    It is played through the whole serial path: each reading with its own time, gaps as silence. Rows that are out of
    order, repeated or unreadable are counted and named, not believed.
    """
    where = target or default_target(as_json)
    if is_live(where):
        raise UsageError(f"a log is played back in lock-step: {', '.join(EMULATED)}, not {where}")
    if plot:
        plots.check_ending(plot)
        plots.pyplot_here()
    if not as_json:
        print(f"Reading {shown(log)}", flush=True)
    model = run.log_model(
        file=str(log),
        time=time,
        pressure=pressure,
        unit=unit,
        temperature=temperature,
        temperature_unit=temperature_unit,
    )
    scenario = run.scenario(run.Wish(model, leak or [], set_ or [], volume))
    until_ms = min(played_ms(duration, scenario.duration_ms), scenario.duration_ms)
    if not as_json:
        print("\n".join(run.what_was_read(recording(model))))

    def make_view(world: World) -> View:
        if as_json:
            return Silent()
        console = Console()
        if console.is_terminal:
            return Panels(world, until_ms, scenario.title, where, console)
        return Plain(world, until_ms)

    world, done = play(Order(log.name, scenario, "", where, 1, until_ms), make_view)
    if plot and not done.interrupted:
        plots.draw(from_world(world), plot)
    print(json.dumps(run.report(world, done)) if as_json else "\n".join(run.summary(world, done)))
    if done.interrupted:
        raise typer.Exit(net.INTERRUPTED)
