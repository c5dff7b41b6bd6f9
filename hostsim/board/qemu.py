"""Run a micro:bit image in QEMU, with its UART on a socket of ours.

QEMU connects to a listening socket that we already hold, so no port number is ever guessed, and ``nodelay`` keeps an
exchange of a few octets from waiting for more (120 times slower without it).
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from types import TracebackType

from hostsim.errors import CabinwatchError, SetupError

PROGRAM = "qemu-system-arm"
INSTALL = (
    f"{PROGRAM} is not on PATH; install it: Debian/Ubuntu 'apt install qemu-system-arm', macOS 'brew install qemu', "
    "Windows 'winget install SoftwareFreedomConservancy.QEMU' (and add its folder to PATH)"
)
START_LIMIT_S = (
    20.0  # until QEMU has connected, and until a silent guest counts as hung; never reached in a good run
)
_REPL = (b"Traceback (most recent call last)", b"MicroPython v", b">>> ")


class BoardError(CabinwatchError):
    """The emulated board stopped being the firmware: it crashed, hung, or shows its REPL. The message shows it."""

    exit_code = 1


def find_qemu() -> str:
    """The path of QEMU; :class:`SetupError` names the packages when there is none."""
    path = shutil.which(PROGRAM)
    if path is None:
        raise SetupError(INSTALL)
    return path


class Qemu:
    """A running emulated micro:bit. ``uart`` is the connected socket; close it, or use it as a context manager.

    :param hex_text: the image, Intel hex.
    :param arguments: further arguments for QEMU, such as ("-icount", "shift=6").
    :param explain: translates text from the board for people (see ``Image.explain``).
    """

    def __init__(
        self, hex_text: str, arguments: Sequence[str] = (), explain: Callable[[str], str] = lambda text: text
    ) -> None:
        program = find_qemu()
        self._explain = explain
        self._files = contextlib.ExitStack()
        try:
            folder = self._files.enter_context(tempfile.TemporaryDirectory(prefix="cabinwatch-"))
            image = os.path.join(folder, "board.hex")
            with open(image, "w", encoding="ascii") as file:
                file.write(hex_text)
            self._stderr = self._files.enter_context(open(os.path.join(folder, "stderr"), "w+b"))
            listener = self._files.enter_context(socket.create_server(("127.0.0.1", 0)))
            port = listener.getsockname()[1]
            command = [
                program, "-M", "microbit", "-nodefaults", "-display", "none", "-monitor", "stdio",
                "-serial", f"tcp:127.0.0.1:{port},nodelay=on", "-device", f"loader,file={image}", *arguments,
            ]  # fmt: skip
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._stderr
            )
            self._files.callback(self._stop)
            self.uart = self._files.enter_context(self._accept(listener))
            self.uart.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            self.close()
            raise

    def _accept(self, listener: socket.socket) -> socket.socket:
        listener.settimeout(0.1)
        for _ in range(round(START_LIMIT_S / 0.1)):
            try:
                return listener.accept()[0]
            except TimeoutError:
                if self._process.poll() is not None:
                    break
        raise BoardError(f"{PROGRAM} did not start: {self.stderr() or 'no message'}")

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
            with contextlib.suppress(BoardError):
                while True:
                    data += self.receive(0.2)
            text = data.decode("ascii", "replace").replace("\r", "").strip("\0\n >")
            start = text.find("Traceback")
            raise BoardError(
                "the board dropped out of the firmware:\n" + self._explain(text[max(start, 0) :])
            )

    def stderr(self) -> str:
        """What QEMU has said on its standard error so far."""
        self._stderr.flush()
        self._stderr.seek(0)
        return self._stderr.read().decode("utf-8", "replace").strip()

    def _said(self) -> str:
        text = self.stderr()
        return f": {text}" if text else ""

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
        self._files.close()

    def __enter__(self) -> "Qemu":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
