"""The commands for boards: build an image, flash, list ports, watch one live, or run a device without a board."""

import os
import socket
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from cabinwatch import key_file
from cabinwatch.board.build.image import Image, build_image
from cabinwatch.board.emulator.prompt import CONSOLE
from cabinwatch.board.flash.flash import FAMILIES, Flashed, flash, flash_microbit
from cabinwatch.board.flash.ports import SeenBoard, list_boards
from cabinwatch.cli.options import KeyOption, UnkeyedOption, keying_of
from cabinwatch.errors import UsageError
from cabinwatch.targets import device as devices
from cabinwatch.targets.serial_port import open_port
from cabinwatch.text import shown
from cabinwatch.view.monitor import HELP, manual, watch
from cabinwatch.world.ground import DONE
from cabinwatch.world.keying import signer_of

BoardArgument = Annotated[str, typer.Argument(help=f"microbit, {', '.join(FAMILIES)}.")]
PortOption = Annotated[
    str | None,
    typer.Option("--port", "-p", help="Serial port; found by itself where one board is plugged in."),
]
BaudOption = Annotated[int, typer.Option(min=300, max=4_000_000, help="Line rate.")]


NO_TAG = "refused: tag"
NO_KEY = "The monitor is keyed: it obeys whoever gives its owner's key, by --key FILE."
OTHER_KEY = "The monitor does not know this key: it was built or flashed with another owner's."
HOLDS_KEY = "Keys of the node are in {what}, for whoever can read it; the owner's key is not."


def _image(board: str, role: str, key: Path | None) -> Image:
    """The image of a node, keyed or not."""
    if key is None:
        return build_image(board, role)
    return build_image(board, f"keyed {role}", data={"key": key_file.read(key).of_monitor()})


def build(
    board: Annotated[str, typer.Argument(help="Board to build for: microbit.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Image to write (Intel hex).")],
    key: KeyOption = None,
) -> None:
    """Make a complete image, MicroPython and monitor, that starts at power-on: drag it onto the board."""
    image = _image(board, "monitor", key)
    try:
        if key:
            key_file.write_holding(output, image.hex)
        else:
            output.write_text(image.hex, encoding="ascii")
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror}") from None
    print(f"{output}: {len(image.hex):,} octets. Minified source by module:")
    for module, size in image.sizes.items():
        print(f"  {module:<36}{size:>7,}")
    print(f"{image.free():,} octets of the board's flash are left.")
    if key:
        print(HOLDS_KEY.format(what=output))
    print("Drag it onto the MICROBIT drive, or: cabinwatch flash microbit")


def _ask(boards: list[SeenBoard]) -> SeenBoard:
    if not sys.stdin.isatty():
        listed = "\n".join(f"  {board.text()}" for board in boards)
        raise UsageError(f"several boards may be meant; choose one with --port:\n{listed}")
    for i, board in enumerate(boards, 1):
        print(f"  {i}  {board.text()}")
    number: int = typer.prompt("Which one", type=int)
    if not 1 <= number <= len(boards):
        raise UsageError(f"there is no number {number}")
    return boards[number - 1]


def _progress(what: str, done: int, total: int) -> None:
    end = "\r" if total and done < total and sys.stdout.isatty() else "\n"
    if end == "\n" or sys.stdout.isatty():
        print(f"{what}{f'  {done * 100 // total} %' if total else ''}", end=end, flush=True)


def flash_(
    board: BoardArgument,
    port: PortOption = None,
    role: Annotated[str, typer.Option(help="monitor or transducer.")] = "monitor",
    sensor: Annotated[
        bool, typer.Option("--sensor", help="A monitor with a BMP280 of its own on I2C.")
    ] = False,
    key: KeyOption = None,
) -> None:
    """Put the firmware onto a board, restart it, and print what answered."""
    done: Flashed
    if board == "microbit":
        image = _image(board, role, key)
        done = flash_microbit(image.hex.encode(), port, role, ask=_ask, progress=_progress)
    else:
        master = key_file.read(key) if key else None
        done = flash(board, port, role, sensor=sensor, master=master, ask=_ask, progress=_progress)
    print(f"{len(done.files)} files, {done.size:,} octets on {done.port}. It answered: {done.answer.text()}")
    if key:
        print(HOLDS_KEY.format(what="the board"))


def ports() -> None:
    """List the boards and serial ports that are plugged in."""
    boards = list_boards()
    for board in boards:
        print(board.text())
    if not boards:
        print("No USB serial port is plugged in.")


def monitor(
    port: Annotated[
        str,
        typer.Argument(
            help="Port or pyserial URL of the board's link: on a micro:bit its USB (/dev/ttyACM0), elsewhere the "
            "adapter on its UART's pins (/dev/ttyUSB0), not the board's own USB, which is its console."
        ),
    ],
    send: Annotated[
        list[str] | None,
        typer.Option("--send", "-s", help=f'Telecommand, e.g. "set poll_period 500": {HELP}'),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="Watch this long; default: until Ctrl-C.")
    ] = None,
    baud: BaudOption = 115_200,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Print each packet as a JSON object a line, for other programs.")
    ] = False,
    key: KeyOption = None,
) -> None:
    """Watch a live board: reports, alarms, link health. On a terminal, type telecommands and press Enter.

    With --jsonl standard output holds nothing but packets; what is for people goes to standard error.

    Exit code 1 where a telecommand that was to be sent was not done, or nothing came.
    """
    if send == ["help"]:
        print("\n".join(manual()))
        return
    here = os.path.realpath(port)
    if any(board.is_console and os.path.realpath(board.port) == here for board in list_boards()):
        raise UsageError(CONSOLE.format(port=shown(port)))
    interactive = sys.stdin.isatty() and not send and not jsonl
    signer = signer_of(key_file.read(key)) if key else None
    with open_port(port, baud) as stream:
        if interactive:
            print(f"Type: {HELP}")
        ground = watch(stream, send or [], seconds, interactive, jsonl, signer)
    out = sys.stderr if jsonl else sys.stdout
    counts = ground.counts
    print(
        f"{counts.frames} frames, {counts.crc_errors} with a wrong CRC, {counts.resyncs} other damage, "
        f"{counts.lost} lost.",
        file=out,
    )
    failed = [command for command in ground.commands if send and command.verdict != DONE]
    for command in failed:
        print(f"Not done: {command.text()}", file=out)
    if any(command.verdict == NO_TAG for command in ground.commands):
        print(OTHER_KEY if key else NO_KEY, file=out)
    if not counts.frames:
        print(f"Nothing came from {shown(port)}. Is the monitor running there, at {baud} baud?", file=out)
    if failed or not counts.frames:
        raise typer.Exit(1)


def device(
    target: Annotated[
        str, typer.Option("--target", "-t", help=f"What runs it: {', '.join(devices.SERVERS)}.")
    ] = "micropython",
    tcp: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Serve on this TCP port of localhost; 0: any free one."),
    ] = None,
    key: KeyOption = None,
    unkeyed: UnkeyedOption = None,
) -> None:
    """Run the firmware as a live process on a pty (or a TCP port), as if a board were plugged in."""
    if target not in devices.SERVERS:
        raise UsageError(f"no live target {target!r}: {', '.join(devices.SERVERS)}")
    keying = keying_of(key, 0, unkeyed)
    serve = partial(devices.SERVERS[target], key=keying.of_monitor() if keying else b"")
    if tcp is not None:
        with devices.listener(tcp) as sock:
            _announce(f"socket://127.0.0.1:{sock.getsockname()[1]}")
            while True:
                connection, _ = sock.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with connection:
                    serve(connection.fileno())
    with devices.pty() as (fd, path):
        _announce(path)
        serve(fd)


def _announce(url: str) -> None:
    """The URL on a line of its own, for scripts; then what a person types next."""
    print(url)
    print(f"Next, in another terminal: cabinwatch monitor {url}", flush=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    for command in (build, ports, monitor, device):
        app.command()(command)
    app.command("flash")(flash_)
