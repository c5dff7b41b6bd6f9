"""Run a micro:bit image in QEMU, with its UART on a socket of ours.

QEMU connects to a listening socket that we already hold, so no port number is ever guessed, and ``nodelay`` keeps an
exchange of a few octets from waiting for more (120 times slower without it).
"""

import contextlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from cabinwatch.board.emulator.prompt import MARKS, PROMPT, heard_out, prompt_text
from cabinwatch.errors import CabinwatchError, SetupError
from cabinwatch.tether import Tether
from cabinwatch.text import quoted

PROGRAM = "qemu-system-arm"
INSTALL = (
    f"{PROGRAM} is not on PATH; install it: Debian/Ubuntu 'apt install qemu-system-arm', macOS 'brew install qemu', "
    "Windows 'winget install SoftwareFreedomConservancy.QEMU' (and add its folder to PATH)"
)
START_LIMIT_S = 120.0
"""Until QEMU has connected, and until a silent guest counts as hung; never reached in a good run."""
POLL_S = 0.02
_REPL = (*MARKS, PROMPT)


T = TypeVar("T")


class BoardError(CabinwatchError):
    """The emulated board stopped being the firmware: it crashed, hung, or shows its REPL. The message shows it."""


def find_qemu() -> str:
    """The path of QEMU; :class:`SetupError` names the packages when there is none."""
    path = shutil.which(PROGRAM)
    if path is None:
        raise SetupError(INSTALL)
    return path


class Qemu:
    """A running emulated micro:bit: close it, or use it as a context manager.

    ``uart`` is the connected socket. With ``serve`` there is none; QEMU itself listens at ``url`` (pyserial's notation)
    and lets the board start when somebody connects.

    :param hex_text: the image, Intel hex.
    :param arguments: further arguments for QEMU, such as ("-icount", "shift=6").
    :param explain: translates text from the board for people (see ``Image.explain``).
    """

    def __init__(
        self,
        hex_text: str,
        arguments: Sequence[str] = (),
        explain: Callable[[str], str] = lambda text: text,
        serve: bool = False,
    ) -> None:
        self._program = find_qemu()
        self._explain = explain
        self._resources = contextlib.ExitStack()
        try:
            self._start(hex_text, arguments, serve)
        except BaseException:
            self.close()
            raise

    def _start(self, hex_text: str, arguments: Sequence[str], serve: bool) -> None:
        hold = self._resources.enter_context
        folder = Path(hold(tempfile.TemporaryDirectory(prefix="cabinwatch-")))
        tether = Tether(folder)
        self._resources.callback(tether.release)
        (folder / "board.hex").write_text(hex_text, "ascii")
        self._stderr = folder / "stderr"
        if serve:
            uart = "tcp:127.0.0.1:0,server=on,wait=on,nodelay=on"
        else:
            listener, uart = _listen(folder)
            hold(listener)
        command = [
            self._program, "-M", "microbit", "-nodefaults", "-display", "none", "-monitor", "stdio",
            "-serial", uart, "-device", f"loader,file={folder / 'board.hex'}", *arguments,
        ]  # fmt: skip
        with self._stderr.open("wb") as stderr:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,  # Ctrl-C is for us: we end QEMU when the recording is whole
            )
        tether.hold(self._process.pid)
        self._resources.callback(self._stop)
        self._resources.callback(tether.release)  # first of all at the end
        if serve:
            self.url = f"socket://127.0.0.1:{self._wait(self._served_port)}"
        else:
            self.uart = hold(self._wait(lambda: _accept(listener)))
            if self.uart.family != socket.AF_UNIX:
                self.uart.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _served_port(self) -> int | None:
        """The port that QEMU chose; it says so on its standard error."""
        found = re.search(r"disconnected:tcp:127\.0\.0\.1:(\d+)", self.stderr())
        if not found:
            time.sleep(POLL_S)
        return int(found[1]) if found else None

    def _wait(self, attempt: Callable[[], T | None]) -> T:
        for _ in range(round(START_LIMIT_S / POLL_S)):
            if (result := attempt()) is not None:
                return result
            if self._process.poll() is not None:
                break
        raise BoardError(f"{PROGRAM} did not start{self._said() or ', and did not say why'}")

    def press_reset(self) -> None:
        """Reset the board from outside, as its reset button does."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"system_reset\n")
        self._process.stdin.flush()

    def receive(self, limit_s: float = START_LIMIT_S) -> bytes:
        """Some octets from the board; at least one.

        :raises BoardError: QEMU has ended, or the board was silent for ``limit_s``.
        """
        self.uart.settimeout(limit_s)
        try:
            data = self.uart.recv(4096)
        except TimeoutError:
            raise BoardError(f"the emulated board was silent for {limit_s:g} s{self._said()}") from None
        except ConnectionError:
            data = b""
        if not data:
            raise BoardError(f"{PROGRAM} ended{self._said()}")
        return data

    def send(self, data: bytes) -> None:
        """Send octets to the board's UART."""
        try:
            self.uart.sendall(data)
        except OSError:
            raise BoardError(f"{PROGRAM} ended{self._said()}") from None

    def check(self, data: bytes) -> None:
        """Raise :class:`BoardError` with the text where ``data`` shows the REPL or a traceback in place of frames."""
        if any(mark in data for mark in _REPL):
            with contextlib.suppress(BoardError, AttributeError):
                while not heard_out(data):
                    data += self.receive()
            raise BoardError(
                "the board dropped out of the firmware:\n" + quoted(self._explain(prompt_text(data)))
            )

    def stderr(self) -> str:
        """What QEMU has said on its standard error so far."""
        return self._stderr.read_text("utf-8", "replace").strip() if self._stderr.exists() else ""

    def _said(self) -> str:
        text = self.stderr()
        return f":\n{quoted(text)}" if text else ""

    def _stop(self) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """End QEMU and remove its files; does nothing the second time."""
        self._resources.close()

    def __enter__(self) -> "Qemu":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _listen(folder: Path) -> tuple[socket.socket, str]:
    """A listening socket, and what QEMU calls it.

    The board sends octet by octet, and through TCP each of them costs a third more of the machine's time; but Python
    knows no other socket on Windows.
    """
    if sys.platform == "win32":
        listener = socket.create_server(("127.0.0.1", 0))
        return listener, f"tcp:127.0.0.1:{listener.getsockname()[1]},nodelay=on"
    path = folder / "uart"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener, f"unix:{path}"


def _accept(listener: socket.socket) -> socket.socket | None:
    listener.settimeout(POLL_S)
    with contextlib.suppress(TimeoutError):
        return listener.accept()[0]
    return None
