"""Which boards are plugged in: serial ports, recognised by their USB vendor and product IDs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cabinwatch.errors import SetupError
from cabinwatch.optional import need
from cabinwatch.text import shown


@dataclass(frozen=True)
class SeenBoard:
    """One serial port. `families` are the names ``cabinwatch flash`` takes for what may be on it; () =
    unknown."""

    port: str
    families: tuple[str, ...]
    what: str
    serial_number: str = ""
    is_console: bool = False
    """Whether it is the board's own USB, on which MicroPython's prompt sits, and not the link."""

    def text(self) -> str:
        """One line for a person."""
        serial = f", serial number {self.serial_number}" if self.serial_number else ""
        return shown(f"{self.port}: {self.what}{serial}")


ESP32 = ("esp32",)
NATIVE = frozenset({0x2E8A, 0xF055, 0x303A})
"""Vendors whose ports are a board's own USB (Raspberry Pi, MicroPython, Espressif), not an adapter to its UART."""
KNOWN: dict[tuple[int, int], tuple[tuple[str, ...], str]] = {
    (0x2E8A, 0x0005): (("rp2",), "Raspberry Pi Pico or another RP2 board with MicroPython"),
    (0xF055, 0x9800): (("pyboard",), "pyboard (serial and disk)"),
    (0xF055, 0x9801): (("pyboard",), "pyboard (serial and HID)"),
    (0xF055, 0x9802): (("pyboard",), "pyboard (serial)"),
    (0x0D28, 0x0204): (("microbit",), "BBC micro:bit"),
    (0x303A, 0x1001): (ESP32, "ESP32-S3 or -C3 (built-in USB)"),
    (0x303A, 0x4001): (ESP32, "ESP32-S2 or -S3 with MicroPython"),
    # Bridges: mostly on ESP32 boards, but they say nothing of what is behind them.
    (0x10C4, 0xEA60): (ESP32, "CP210x serial adapter, as on many ESP32 boards"),
    (0x1A86, 0x7523): (ESP32, "CH340 serial adapter, as on many ESP32 boards"),
    (0x1A86, 0x55D4): (ESP32, "CH9102 serial adapter, as on many ESP32 boards"),
    (0x0403, 0x6001): (ESP32, "FT232 serial adapter, as on some ESP32 boards"),
    (0x0403, 0x6010): (ESP32, "FT2232 serial adapter, as on some ESP32 boards"),
}


def list_boards(ports: Iterable[Any] | None = None) -> list[SeenBoard]:
    """Every USB serial port, known boards first. `ports` (pyserial's ``ListPortInfo``) is for tests."""
    if ports is None:
        ports = need("serial.tools.list_ports").comports()
    seen = []
    for p in ports:
        if p.vid is None:  # a socket on the mainboard
            continue
        families, what = KNOWN.get((p.vid, p.pid), ((), p.product or p.description or "unknown device"))
        seen.append(SeenBoard(p.device, families, what, p.serial_number or "", p.vid in NATIVE))
    return sorted(seen, key=lambda b: (not b.families, b.port))


def choose(
    family: str,
    boards: list[SeenBoard],
    ask: Callable[[list[SeenBoard]], SeenBoard] | None = None,
) -> SeenBoard:
    """The one board of `family`; `ask` picks where there are several. Raises SetupError for none, or several
    unasked."""
    candidates = [b for b in boards if family in b.families]
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        others = "".join(f"\n  {b.text()}" for b in boards)
        seen = f"seen instead:{others}" if boards else "no USB serial port is there at all"
        raise SetupError(
            f"no {family} board found; {seen}\n"
            "Is it plugged in with a cable that carries data, and does it run MicroPython? "
            "If so, give its port with --port."
        )
    if ask is None:
        listed = "".join(f"\n  {b.text()}" for b in candidates)
        raise SetupError(f"{len(candidates)} boards may be meant; choose one with --port:{listed}")
    return ask(candidates)
