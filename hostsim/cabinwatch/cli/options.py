"""Options that several commands have."""

import sys
from typing import Annotated

import typer

from cabinwatch.targets import EMULATED, LIVE
from cabinwatch.targets.micropython import INSTALL, find_vm


def complete_target(incomplete: str) -> list[str]:
    """What a shell offers for a target."""
    return [name for name in (*EMULATED, LIVE) if name.startswith(incomplete)]


TargetOption = Annotated[
    str | None,
    typer.Option(
        "--target",
        "-t",
        metavar="TARGET",
        autocompletion=complete_target,
        help=f"Where the firmware runs: {', '.join(EMULATED)}, {LIVE}, or a serial port or pyserial URL (/dev/ttyACM0, "
        "socket://host:port). Default: micropython, or cpython where its VM has no wheel.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def default_target(quiet: bool) -> str:
    """The target where none is named; where it is the second choice, that is said."""
    if find_vm():
        return "micropython"
    if not quiet:
        print(f"No MicroPython VM here ({INSTALL}); running on cpython.", file=sys.stderr)
    return "cpython"
