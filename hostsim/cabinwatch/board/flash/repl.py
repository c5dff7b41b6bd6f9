"""A board's MicroPython prompt on a serial port, over mpremote's transport.

As a library and not as a command: one connection for all files, progress by the octet, and exceptions to tell
a full disk from a pulled cable. Every failure becomes a SetupError that says what to do.
"""

import ast
import contextlib
import errno
import hashlib
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cabinwatch.errors import SetupError
from cabinwatch.optional import need
from cabinwatch.targets.serial_port import explain_open_error
from cabinwatch.text import quoted, shown
from cabinwatch_protocol.host import Alien, Decoded, StreamDecoder, Verdict, decode
from cabinwatch_protocol.table import Event

BAUD = 115200
PROMPT_S = 3
PROMPT_TRIES = 3
BOOT_S = 15.0
ANSWER_S = 10  # for one answer, also from a busy computer
AGAIN = "plug it in again and repeat the command: it starts afresh"

IDENTIFY = (
    "import sys\ni=sys.implementation\n"
    "print(repr((i.name,sys.platform,tuple(i.version)[:3],getattr(i,'_machine',''),getattr(i,'_mpy',0))))"
)
# Our port's watchdog goes on after Ctrl-C, and would reset the board in the middle of a copy.
FEED = "import sys\nm=sys.modules.get('cabinwatch_firmware.ports.uart')\nif m:m.feed()"


@dataclass(frozen=True)
class Identity:
    """What the interpreter says it is."""

    name: str
    platform: str
    version: tuple[int, ...]
    machine: str
    mpy: int

    def text(self) -> str:
        """One line for a person."""
        number = ".".join(str(n) for n in self.version)
        return shown(f"{self.name} {number} on {self.machine or self.platform}")


class Repl:
    """An open prompt. Use as a context manager; it is at the raw prompt from `open` to `run_main`."""

    def __init__(self, port: str, transport: Any) -> None:
        self.port = port
        self._transport = transport
        self._doing = "connecting"

    @classmethod
    def open(cls, port: str) -> "Repl":
        """Open the port, stop what runs there, and get a prompt. Raises SetupError."""
        module = need("mpremote.transport_serial")
        try:
            transport = module.SerialTransport(port, baudrate=BAUD, timeout=1)
        except module.TransportError:
            raise SetupError(cls._why_not(port)) from None
        transport.serial.write_timeout = ANSWER_S
        repl = cls(port, transport)
        # Opening the port restarts some boards, and one that is starting up hears nothing: hence the tries.
        for _ in range(PROMPT_TRIES):
            # mpremote prints what it did not expect; the message below says it better.
            with (
                contextlib.suppress(module.TransportError, OSError),
                contextlib.redirect_stdout(io.StringIO()),
            ):
                transport.enter_raw_repl(soft_reset=False, timeout_overall=PROMPT_S)
                transport.serial.timeout = ANSWER_S
                return repl
        repl.close()
        raise SetupError(
            f"{port} opens, but no MicroPython prompt answers there. Either the board is busy with a program "
            "that ignores Ctrl-C (press its reset button and try at once), or it has no MicroPython yet: "
            "https://micropython.org/download"
        )

    @staticmethod
    def _why_not(port: str) -> str:
        # mpremote keeps the reason to itself, so ask once more.
        serial = need("serial")
        try:
            serial.serial_for_url(port, exclusive=True).close()
        except (OSError, ValueError) as error:
            return explain_open_error(port, error)
        return f"{port} could not be opened at first, but can be now: try again"

    def __enter__(self) -> "Repl":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the port, also when the board is gone."""
        with contextlib.suppress(Exception):
            self._transport.close()

    @contextlib.contextmanager
    def plain_errors(self, doing: str) -> Iterator[None]:
        """Within, what goes wrong on the line becomes a SetupError that says it happened while `doing`."""
        module = need("mpremote.transport")
        try:
            yield
        except module.TransportExecError as error:
            last = error.error_output.strip().splitlines()[-1:] or ["no reason given"]
            if "ENOSPC" in last[0] or last[0] == "OSError: 28":
                raise SetupError(self._full(doing)) from None
            raise SetupError(f"{self.port}: the board failed while {doing}: {shown(last[0])}") from None
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise SetupError(self._full(doing)) from None
            if error.errno == errno.EROFS:
                raise SetupError(
                    f"{self.port}: the board's disk is read-only; eject it from this computer"
                ) from None
            raise SetupError(f"{self.port}: the board went away while {doing}; {AGAIN}") from None
        except (module.TransportError, ValueError, SyntaxError, IndexError, AssertionError):
            # What is left of a broken exchange does not parse.
            raise SetupError(f"{self.port}: the board stopped answering while {doing}; {AGAIN}") from None
        except Exception as error:
            if type(error).__module__ not in ("termios", "struct"):
                raise
            raise SetupError(f"{self.port}: the board went away while {doing}; {AGAIN}") from None

    def _full(self, doing: str) -> str:
        room = self.free()
        left = "" if room is None else f" ({room} bytes are free)"
        return f"{self.port}: the board's disk is full, seen while {doing}{left}; remove files there first"

    def identify(self) -> Identity:
        """Ask the interpreter what it is."""
        with self.plain_errors("saying what it is"):
            return Identity(*ast.literal_eval(self._transport.exec(IDENTIFY).decode().strip()))

    def run(self, code: str, doing: str) -> str:
        """Execute on the board, return what it printed."""
        with self.plain_errors(doing):
            return str(self._transport.exec(code).decode())

    def free(self) -> int | None:
        """Bytes free on the board's disk, None if it cannot say."""
        with contextlib.suppress(Exception):
            stat = self._transport.eval("__import__('os').statvfs('.')[:4]")
            return int(stat[0]) * int(stat[3])
        return None

    def put(self, path: str, data: bytes, progress: Callable[[int], None]) -> None:
        """Write one file and read its hash back. `progress` gets the bytes written so far."""
        doing = f"copying {path}"
        with self.plain_errors(doing):
            self._transport.exec(FEED)
            self._transport.fs_writefile(path, data, progress_callback=lambda written, _: progress(written))
            if self._transport.fs_hashfile(path, "sha256") != hashlib.sha256(data).digest():
                # A FAT disk that is full drops the rest of a write and says nothing.
                room = self.free()
                if room is not None and room < len(data):
                    raise SetupError(self._full(doing))
                raise SetupError(
                    f"{self.port}: {path} arrived damaged; repeat the command, perhaps with another cable"
                )

    def run_main(self, role: str) -> Decoded:
        """Soft-reset the board, which starts its main.py, and return the boot event of `role` from its
        console.

        Soft, because a hard reset would take a USB console away, with the event in it.
        """
        with self.plain_errors("restarting"):
            self._transport.exit_raw_repl()
            self._transport.serial.write(b"\x04")
            return wait_for_boot(self._transport.serial, self.port, role, BOOT_S)


def wait_for_boot(stream: Any, port: str, role: str, patience_s: float) -> Decoded:
    """Read `stream` (a pyserial port) until the boot event of `role`; whatever else is on it is passed over.

    Raises SetupError with the board's last words when it fails instead, or says nothing in `patience_s`.
    """
    stream.timeout = 0.2
    decoder = StreamDecoder()
    heard = b""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        data = stream.read(max(1, stream.in_waiting))
        heard = (heard + data)[-2000:]
        for frame in decoder.feed(data):
            with contextlib.suppress(Alien):
                if frame.verdict is Verdict.OK:
                    packet = decode(frame.packet)
                    if packet.role == role and packet.values.get("event") == Event.BOOT:
                        return packet
        if b"Traceback" in heard and heard.rstrip().endswith(b">>>"):
            break
    words = quoted(heard.decode(errors="replace"))
    raise SetupError(
        f"{port}: flashed, but no boot event came. The board's last words:\n{words or '(nothing)'}"
    )
