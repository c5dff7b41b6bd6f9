"""Lines to a live node: a serial port or any pyserial URL, or a program on its standard input and output."""

import contextlib
import os
import selectors
import shlex
import signal
import socket
import subprocess
import tempfile
import time
from typing import IO, Any, Protocol

import serial

from cabinwatch.errors import SetupError, UsageError
from cabinwatch.targets.serial_port import open_port
from cabinwatch.text import quoted
from cabinwatch.verify.conform.bench import Gone

LOOK = 4096
"""Most octets that are read at a time."""
PATIENCE_S = 5.0
"""How long a node may leave its input unread."""


class NodeLine(Protocol):
    """Octets to and from a node."""

    name: str

    def open(self) -> None: ...
    def write(self, octets: bytes) -> None: ...
    def read(self, wait_s: float) -> bytes: ...
    def close(self) -> None: ...


class SerialLine:
    """A serial port or any pyserial URL."""

    def __init__(self, url: str, baud: int = 115_200) -> None:
        self.name = url
        self._baud = baud
        self._port: Any = None

    def open(self) -> None:
        self._port = open_port(self.name, self._baud)
        if isinstance(sock := getattr(self._port, "_socket", None), socket.socket):
            # A question and the bench's own behind it are two writes: without this the second waits 40 ms.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, octets: bytes) -> None:
        try:
            self._port.write(octets)
        except (serial.SerialException, OSError) as error:
            raise Gone(f"{self.name} is gone: {error}") from None

    def read(self, wait_s: float) -> bytes:
        try:
            self._port.timeout = wait_s
            data: bytes = self._port.read(1)
        except (serial.SerialException, OSError, TypeError) as error:
            raise Gone(f"{self.name} is gone: {error}") from None
        # No more than is there: a read that meets the end of the line takes with it what it had. The next one tells.
        with contextlib.suppress(serial.SerialException, OSError, TypeError):
            while data and len(data) < LOOK and (waiting := self._port.in_waiting):
                data += self._port.read(waiting)
        return data

    def close(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None


class ExecProgram:
    """A program that talks the protocol on its standard input and output; each opening runs it anew."""

    def __init__(self, command: str) -> None:
        self.name = f"exec:{command}"
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def again(self) -> "ExecProgram":
        """Another run of the same program."""
        return ExecProgram(self._command)

    def open(self) -> None:
        try:
            words = shlex.split(self._command)
        except ValueError as error:
            raise UsageError(f"cannot run {self._command!r}: {error}") from None
        if not words:
            raise UsageError("exec: names no program; write exec:COMMAND, such as exec:./my_node")
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the program
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            raise SetupError(f"cannot run {self._command!r}: {error.strerror or error}") from None
        assert self._process.stdin
        assert self._process.stdout
        os.set_blocking(self._process.stdin.fileno(), False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ)

    def end_input(self) -> None:
        """Close its input, as at the end of a file: what a program held back comes out then."""
        assert self._process
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _why(self, stream: str = "output") -> str:
        assert self._process
        assert self._log
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return f"{self.name} closed its {stream} and runs on: a node reads octets until its end"
        self._log.seek(0)
        said = self._log.read()[-2000:].decode(errors="replace")
        how = f"was ended by signal {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        return f"{self.name} {how}" + (f"; it said:\n{quoted(said)}" if said.strip() else "")

    def write(self, octets: bytes) -> None:
        assert self._process
        assert self._process.stdin
        end = time.monotonic() + PATIENCE_S
        while octets:
            try:
                octets = octets[os.write(self._process.stdin.fileno(), octets) :]
            except BlockingIOError:
                if time.monotonic() > end:
                    raise Gone(f"{self.name} does not read its input: unread for {PATIENCE_S:g} s") from None
                time.sleep(0.001)
            except OSError:
                raise Gone(self._why("input")) from None

    def read(self, wait_s: float) -> bytes:
        assert self._process
        assert self._process.stdout
        if not self._selector.select(wait_s):
            return b""
        octets = os.read(self._process.stdout.fileno(), LOOK)
        if not octets:
            raise Gone(self._why())
        return octets

    def close(self) -> None:
        if self._process is None:
            return
        self._selector.close()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None
