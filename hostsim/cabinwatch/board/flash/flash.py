"""Put the firmware onto a board and hear it answer: what ``cabinwatch flash`` does.

A board that is unplugged halfway is left without a main.py, so it starts to a prompt and can be flashed
again: main.py goes first of the old files and comes last of the new.
"""

import glob
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from cabinwatch.board.flash import files
from cabinwatch.board.flash.ports import SeenBoard, choose, list_boards
from cabinwatch.board.flash.repl import AGAIN, BAUD, Identity, Repl, wait_for_boot
from cabinwatch.errors import SetupError, UsageError
from cabinwatch.optional import need
from cabinwatch.targets.serial_port import explain_open_error
from cabinwatch.text import shown
from cabinwatch_protocol.host import Decoded
from cabinwatch_protocol.keys import MasterKey
from cabinwatch_protocol.table import Reset

Ask = Callable[[list[SeenBoard]], SeenBoard]
Progress = Callable[[str, int, int], None]
"""Called with what is going on, and how many of how many bytes of it are done (0 of 0: no measure)."""

ROLES = ("monitor", "transducer")
OLDEST = (1, 20, 0)
DAPLINK_S = 60.0


@dataclass(frozen=True)
class Family:
    """One kind of board: ``sys.platform`` there, and the settings of its main.py (see
    firmware/cabinwatch_firmware/ports/uart.py)."""

    name: str
    platform: str
    title: str
    wiring: dict[str, object] = field(default_factory=dict)
    sensor: dict[str, object] = field(default_factory=dict)

    @property
    def download(self) -> str:
        """Where its MicroPython comes from."""
        return f"https://micropython.org/download/?port={self.name}"


FAMILIES: dict[str, Family] = {
    "rp2": Family(
        "rp2",
        "rp2",
        "Raspberry Pi Pico and other RP2040/RP2350 boards",
        {"uart": 1, "tx": 4, "rx": 5, "lamp": "LED", "buzzer": None, "watchdog_ms": 8000},
        {"i2c": 0, "sda": 16, "scl": 17},
    ),
    "esp32": Family(
        "esp32",
        "esp32",
        "ESP32",
        {"uart": 1, "tx": 17, "rx": 16, "lamp": 2, "buzzer": None, "watchdog_ms": 8000},
        {"i2c": 0, "sda": 21, "scl": 22},
    ),
    "pyboard": Family(
        "pyboard",
        "pyboard",
        "pyboard v1.x (UART 6: Y1 and Y2; I2C X: X9 and X10)",
        {"uart": 6, "lamp": "LED_RED", "buzzer": None, "watchdog_ms": 8000},
        {"i2c": "X"},
    ),
}


@dataclass(frozen=True)
class Flashed:
    """What was done. `identity` is None for a micro:bit, whose image brings its own MicroPython."""

    port: str
    identity: Identity | None
    files: list[str]
    size: int
    answer: Decoded


def _quiet(what: str, done: int, total: int) -> None:
    pass


def flash(
    board: str,
    port: str | None = None,
    role: str = "monitor",
    *,
    sensor: bool = False,
    settings: dict[str, object] | None = None,
    master: MasterKey | None = None,
    ask: Ask | None = None,
    progress: Progress = _quiet,
) -> Flashed:
    """Flash a board that runs MicroPython 1.20 or newer and return its boot event.

    `board` is a key of FAMILIES; `role` one of ROLES; `sensor` gives a monitor a BMP280 of its own (a
    transducer always has one). `settings` change arguments of ``cabinwatch_firmware.ports.uart.run``, e.g. ``{"lamp":
    25}``. With `master` its nodes are keyed; without, keys that the board had are removed. `ask` picks among several
    ports. Raises UsageError for a wrong name, SetupError for everything else that can go wrong.
    """
    family = FAMILIES.get(board)
    if family is None:
        raise UsageError(f"no board is called {board!r}; there are {', '.join((*FAMILIES, 'microbit'))}")
    if role not in ROLES:
        raise UsageError(f"no role is called {role!r}; there are {' and '.join(ROLES)}")
    wiring = dict(family.wiring)
    if sensor or role == "transducer":
        wiring.update(family.sensor)
    wiring.update(settings or {})
    port = port or choose(board, list_boards(), ask).port
    progress(f"connecting to {port}", 0, 0)
    with Repl.open(port) as repl:
        identity = repl.identify()
        _check(family, port, identity)
        progress(f"compiling for {identity.text()}", 0, 0)
        contents = files.compiled(identity.mpy & 0xFF)
        contents["main.py"] = files.main_source(role, wiring).encode()
        roles = (role, "transducer") if sensor else (role,)
        contents |= files.keys(roles, master)
        _copy(repl, contents, progress)
        progress("starting the firmware", 0, 0)
        mark = f"with open('reset.cause','w') as f:\n f.write('{int(Reset.EXTERNAL)}')"
        repl.run(mark, "restarting")
        answer = repl.run_main(role)
    return Flashed(port, identity, list(contents), sum(map(len, contents.values())), answer)


def _check(family: Family, port: str, identity: Identity) -> None:
    """Refuse the wrong interpreter, board or version."""
    if identity.name != "micropython":
        raise SetupError(f"{port} runs {identity.name}, not MicroPython: {family.download}")
    if identity.platform != family.platform:
        right = next((f.name for f in FAMILIES.values() if f.platform == identity.platform), None)
        hint = f"; for it: cabinwatch flash {right}" if right else ""
        raise SetupError(f"{port} is not an {family.name} board: it is {identity.text()}{hint}")
    if identity.version < OLDEST:
        raise SetupError(
            f"{port} runs {identity.text()}, which is too old: "
            f"{'.'.join(map(str, OLDEST[:2]))} or newer is needed, from {family.download}"
        )


def _copy(repl: Repl, contents: dict[str, bytes], progress: Progress) -> None:
    total = sum(map(len, contents.values()))
    _prepare(repl, list(contents))
    room = repl.free()
    if room is not None and room < total:
        raise SetupError(
            f"{repl.port}: the board's disk is full: {total} bytes are needed, {room} are free; "
            "remove files there"
        )
    done = 0
    for path, data in contents.items():
        tell = partial(_tell, progress, f"copying {path}", done, total)
        tell(0)
        repl.put(path, data, tell)
        done += len(data)


def _tell(progress: Progress, what: str, before: int, total: int, done: int) -> None:
    progress(what, before + done, total)


def _prepare(repl: Repl, paths: list[str]) -> None:
    """Take away main.py (someone else's is kept as main_old.py) and our old files, and make the folders.

    Also the .py beside a .mpy, as mip would have left it: MicroPython would prefer that.
    """
    old = [p.rpartition(".")[0] + suffix for p in paths if p != "main.py" for suffix in (".py", ".mpy")]
    folders = sorted({p[:i] for p in paths for i, c in enumerate(p) if c == "/"})
    repl.run(
        "import os\n"
        "def _try(f,*a):\n"
        " try:f(*a)\n"
        " except OSError:pass\n"
        "def _ours():\n"
        f" with open('main.py') as f:return f.read({len(files.OURS)})=={files.OURS!r}\n"
        "try:\n"
        " if _ours():os.remove('main.py')\n"
        " else:\n"
        "  _try(os.remove,'main_old.py')\n"
        "  os.rename('main.py','main_old.py')\n"
        "except OSError:pass\n"
        f"for p in {[*old, *files.KEYS.values()]!r}:_try(os.remove,p)\n"
        f"for p in {folders!r}:_try(os.mkdir,p)\n",
        "making room",
    )


def find_microbit_drives() -> list[Path]:
    """Where MICROBIT drives are mounted."""
    if os.name == "nt":
        roots = [Path(f"{letter}:/") for letter in "DEFGHIJKLMNOPQRSTUVWXYZ"]
        return [r for r in roots if (r / "MICROBIT.HTM").exists()]
    user = os.environ.get("USER", "*")
    places = (
        "/Volumes/MICROBIT*",
        f"/media/{user}/MICROBIT*",
        f"/run/media/{user}/MICROBIT*",
        "/mnt/MICROBIT*",
    )
    return [Path(p) for place in places for p in sorted(glob.glob(place))]


def flash_microbit(
    image: bytes,
    port: str | None = None,
    role: str = "monitor",
    *,
    drive: Path | None = None,
    ask: Ask | None = None,
    progress: Progress = _quiet,
) -> Flashed:
    """Copy a whole image (Intel hex, as ``cabinwatch build microbit`` makes it) to a micro:bit's drive.

    The board programs itself and restarts; returns the boot event of `role` from its serial port. Raises
    SetupError.
    """
    port = port or choose("microbit", list_boards(), ask).port
    if drive is None:
        drives = find_microbit_drives()
        if len(drives) != 1:
            seen = ", ".join(map(str, drives)) or "none is mounted"
            raise SetupError(f"the MICROBIT drive is needed ({seen}); unplug the others, or give its path")
        drive = drives[0]
    serial = need("serial")
    try:
        stream = serial.serial_for_url(port, baudrate=BAUD, exclusive=True)
    except (OSError, ValueError) as error:
        raise SetupError(explain_open_error(port, error)) from None
    try:
        progress(f"copying the image to {drive}", 0, len(image))
        _copy_image(image, drive)
        progress("waiting for the board to program itself", len(image), len(image))
        answer = wait_for_boot(stream, port, role, DAPLINK_S)
    except serial.SerialException:
        raise SetupError(f"{port}: the board went away; {AGAIN}") from None
    finally:
        stream.close()
    return Flashed(port, None, ["cabinwatch.hex"], len(image), answer)


def _copy_image(image: bytes, drive: Path) -> None:
    try:
        room = shutil.disk_usage(drive).free
        if room < len(image):
            raise SetupError(
                f"{drive} is full: {len(image)} bytes are needed, {room} are free; is it the MICROBIT drive?"
            )
        with open(drive / "cabinwatch.hex", "wb") as f:
            f.write(image)
            f.flush()
            os.fsync(f.fileno())
    except OSError as error:
        raise SetupError(f"copying to {drive} failed ({error.strerror}); {AGAIN}") from None
    failure = drive / "FAIL.TXT"
    if failure.exists():
        raise SetupError(
            f"the micro:bit refused the image: {shown(failure.read_text(errors='replace').strip())}"
        )
