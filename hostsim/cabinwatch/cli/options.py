"""Options that several commands have."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cabinwatch import key_file
from cabinwatch.errors import UsageError
from cabinwatch.models.units import parse_duration
from cabinwatch.targets import EMULATED, LIVE
from cabinwatch.targets.micropython import INSTALL, find_vm
from cabinwatch.world.keying import INSTRUMENTS, Keying


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
KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--key", metavar="FILE", help="The owner's key (cabinwatch keygen FILE): the node is keyed."
    ),
]
UnkeyedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--unkeyed",
        metavar="ROLE",
        help="With --key: an instrument without a key (transducer, analyser), believed as it is.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def played_ms(duration: str | None, whole_ms: int) -> int:
    """How long to play, in the words of --duration; without, all of it. Raises UsageError."""
    until_ms = round(parse_duration(duration) * 1000) if duration else whole_ms
    if until_ms <= 0:
        raise UsageError(f"--duration {duration}: a run must last longer than nothing")
    return until_ms


def keying_of(key: Path | None, seed: int, unkeyed: list[str] | None = None) -> Keying | None:
    """What a run is keyed with. Raises UsageError."""
    if strange := set(unkeyed or ()) - set(INSTRUMENTS):
        raise UsageError(f"--unkeyed {', '.join(sorted(strange))}: {' or '.join(INSTRUMENTS)}")
    if key is None:
        if unkeyed:
            raise UsageError("--unkeyed says something only beside --key FILE")
        return None
    return Keying(key_file.read(key), seed, frozenset(unkeyed or ()))


def default_target(quiet: bool) -> str:
    """The target where none is named; where it is the second choice, that is said."""
    if find_vm():
        return "micropython"
    if not quiet:
        print(f"No MicroPython VM here ({INSTALL}); running on cpython.", file=sys.stderr)
    return "cpython"
