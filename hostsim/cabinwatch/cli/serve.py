"""The command that shows: `cabinwatch serve`."""

from pathlib import Path
from typing import Annotated

import typer

from cabinwatch.cli.options import KeyOption, UnkeyedOption, keying_of
from cabinwatch.errors import SetupError, UsageError
from cabinwatch.scenario.load import DEFAULT
from cabinwatch.targets import EMULATED


def serve(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="A bundled scenario, a TOML file, a recording (.jsonl), a log of your own (.csv, with the options "
            "below), or a port (/dev/ttyACM0).",
        ),
    ] = DEFAULT,
    target: Annotated[
        str,
        typer.Option(
            "--target",
            "-t",
            metavar="TARGET",
            help=f"Where a scenario's firmware runs: {', '.join(EMULATED)}.",
        ),
    ] = "cpython",
    seed: Annotated[int, typer.Option(help="Feeds every random stream of a scenario.")] = 1,
    speed: Annotated[
        float, typer.Option(min=0.1, max=100_000, help="World seconds a second, at first.")
    ] = 60.0,
    host: Annotated[
        str,
        typer.Option(
            help="Address to bind to; another than loopback, or a board with --key, prints a token."
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
    judge: Annotated[
        str,
        typer.Option(
            metavar="NODE", help="A node that the judging page offers, as of `conform`: exec:./my_node."
        ),
    ] = "",
    openmct: Annotated[
        Path | None,
        typer.Option(help="Show it in Open MCT as well, under /openmct/: its folder, node_modules/openmct."),
    ] = None,
    baud: Annotated[int, typer.Option(min=300, max=4_000_000, help="Of a port.")] = 115_200,
    time: Annotated[str | None, typer.Option(help="A log's column of the time, as in playback.")] = None,
    pressure: Annotated[str | None, typer.Option(help="A log's column of the pressure.")] = None,
    unit: Annotated[str | None, typer.Option(help="Unit of that pressure.")] = None,
    temperature: Annotated[str | None, typer.Option(help="A log's column of the gas temperature.")] = None,
    temperature_unit: Annotated[str, typer.Option(help="Unit of that temperature: K, C, F.")] = "C",
    key: KeyOption = None,
    unkeyed: UnkeyedOption = None,
) -> None:
    """Look at it in a browser: lamp, charts, events; make holes, close hatches, and take the story away as TOML.

    Needs `pip install "cabinwatch[web]"`. Everything comes from this machine; nothing is fetched from elsewhere.
    """
    if target not in EMULATED:
        raise UsageError(f"no target {target!r}: {', '.join(EMULATED)}")
    try:
        from cabinwatch.web.serve import serve as run
        from cabinwatch.web.sources import Board, Played, open_source
    except ImportError as error:
        raise SetupError(f'the page needs {error.name}: pip install "cabinwatch[web]"') from None
    log = None
    if time and pressure and unit:
        columns = {"time": time, "pressure": pressure, "unit": unit, "temperature_unit": temperature_unit}
        log = columns | ({"temperature": temperature} if temperature else {})
    source = open_source(
        what, target=target, seed=seed, baud=baud, log=log, keying=keying_of(key, seed, unkeyed)
    )
    name = target if isinstance(source, Played) else what
    run(
        source,
        target=name,
        seed=seed,
        host=host,
        port=port,
        browser=browser,
        speed=speed,
        judge=judge,
        openmct=openmct,
        signs=key is not None and isinstance(source, Board),
    )
