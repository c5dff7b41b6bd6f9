"""The bench for live targets, in real time: a serial line, or a program on its standard input and output.

No case waits longer than it has to: the end of an answer is marked by a telecommand that the bench adds, and
time-outs are a generous multiple of one measured round trip.
"""

import contextlib
import os
import selectors
import shlex
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from typing import IO, Any, Protocol

import serial

from cabinwatch.errors import SetupError
from cabinwatch.targets.serial_port import open_port
from cabinwatch.text import quoted
from cabinwatch.verify.conform.bench import Bench, Gone, Heard, Impossible, Unmet, texts
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

FENCE = 0xFE5C
"""Source ID of the bench's own pings."""
PIECE = 48
LOOK = 4096
PATIENCE_S = 5.0
FIRST_S = 0.5
"""How long a node is listened to, before it is spoken to, for its boot event."""


class Line(Protocol):
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


class Program:
    """A program that talks the protocol on its standard input and output; each opening runs it anew."""

    def __init__(self, command: str) -> None:
        self.name = f"exec:{command}"
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def open(self) -> None:
        try:
            words = shlex.split(self._command)
        except ValueError as error:
            raise SetupError(f"cannot run {self._command!r}: {error}") from None
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
        except (OSError, IndexError) as error:
            raise SetupError(f"cannot run {self._command!r}: {error}") from None
        assert self._process.stdin
        assert self._process.stdout
        os.set_blocking(self._process.stdin.fileno(), False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ)

    def _why(self) -> str:
        assert self._process
        assert self._log
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return f"{self.name} closed its output and runs on"
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
                    raise Unmet(
                        "a node that reads its input", f"input unread for {PATIENCE_S:g} s", True
                    ) from None
                time.sleep(0.001)
            except OSError:
                raise Gone(self._why()) from None

    def read(self, wait_s: float) -> bytes:
        assert self._process
        assert self._process.stdout
        if not self._selector.select(wait_s):
            return b""
        octets = os.read(self._process.stdout.fileno(), 4096)
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


@dataclass
class LiveBench(Bench):
    """Talks over ``line``. ``rtt_s`` is measured at the start."""

    line: Line = field(kw_only=True)
    rtt_s: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        self._zero = time.monotonic()
        self._deadline = float("inf")

    @property
    def now_ms(self) -> int:
        return int(1000 * (time.monotonic() - self._zero))

    # -- set-up

    def start(self) -> None:
        self.line.open()
        self._hear_first()
        heard = self.raw
        samples = []
        for _ in range(5):
            begin = time.monotonic()
            if not self._alive(PATIENCE_S):
                raise SetupError(self._mute(heard))
            samples.append(time.monotonic() - begin)
        self.rtt_s = max(sorted(samples)[2], 0.0005)
        self.slack_ms = round(max(100, 20_000 * self.rtt_s))
        self._restore()

    def _hear_first(self) -> list[Heard]:
        """What the node says before it is spoken to: a boot event, or nothing where it has been up for long."""
        self.raw = b""
        heard: list[Heard] = []
        end = time.monotonic() + FIRST_S
        while time.monotonic() < end and not heard:
            heard += [h for h in self._listen(0.1) if h.decoded]
        return heard

    def _alive(self, patience_s: float) -> bool:
        """Whether the node answers a ping within that time; asked three times."""
        for _ in range(3):
            count = self.next_count()
            self._give(self.tc("ping", ack=0, count=count, source=FENCE))
            end = time.monotonic() + patience_s / 3
            while time.monotonic() < end:
                if any(h.title == "TM[17,2]" for h in self._listen(0.02)):
                    return True
        return False

    def _mute(self, before: bytes) -> str:
        heard = before + self.raw
        if not heard:
            return (
                f"nothing came from {self.line.name}: is the node running there, and is its role {self.role}?"
            )
        return (
            f"{len(heard)} octets came from {self.line.name}, no answer to a ping of APID {self.apid:03x} among them "
            f"(first: {heard[:24].hex(' ')}). Another role, another baud rate, or no such node?"
        )

    def fresh(self) -> None:
        self._deadline = time.monotonic() + self.timeout_s
        try:
            if self.role == "monitor":
                # What it has stored would outlast the reset.
                self.ask(b"\0" + self.tc("perform", {"function": t.Function.DEFAULTS, "argument": 0}))
            if isinstance(self.line, Program) or self.role == "monitor":
                self.restart()
            else:
                self._restore()
        except Unmet:
            if self._alive(PATIENCE_S):
                raise
            raise Gone(f"{self.line.name} has fallen silent: no answer to a ping") from None

    def _restore(self) -> None:
        """Without a reset: leave nothing half sent, and give parameters their defaults."""
        self.ask(b"\0")
        if self.role == "transducer":
            for p in t.PARAMETERS[self.role]:
                self.command("set_parameter", {"parameter": p.id, "value": p.default})

    def restart(self) -> list[Heard]:
        if isinstance(self.line, Program):
            self.line.close()
            self.line.open()
            self.decoder.feed(b"\0")
            # A node that starts slowly, or says nothing of itself: whatever comes before it answers.
            return self._hear_first() or self._to_fence(True, PATIENCE_S)
        if self.role == "monitor":
            self.raw = b""
            self._give(b"\0" + self.tc("perform", {"function": t.Function.REBOOT, "argument": 0}))
        else:
            raise Impossible("a serial line does not let the bench reset this node")
        heard: list[Heard] = []
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            heard += self._listen(0.02)
            for i, h in enumerate(heard):
                if h.title == "TM[5,1]" and h["event"] == t.Event.BOOT:
                    return heard[i:] + self._listen(0.02)
        raise Unmet(f"a boot event within {PATIENCE_S:g} s of a reset", texts(heard), timing=True)

    # -- octets

    def _give(self, octets: bytes, chunk: int = 0) -> None:
        size = chunk or PIECE
        for i in range(0, len(octets), size):
            if i and not chunk:
                time.sleep(max(0.002, self.rtt_s / 2))
            self.line.write(octets[i : i + size])
        self.gave(octets)

    def _listen(self, wait_s: float) -> list[Heard]:
        if time.monotonic() > self._deadline:
            self._deadline = float("inf")
            raise Unmet(f"the case to end within {self.timeout_s:g} s", "no end", timing=True)
        return self.took(self.line.read(wait_s), self.now_ms)

    @property
    def _answer_s(self) -> float:
        return max(1.0, 50 * self.rtt_s)

    def ask(self, octets: bytes, chunk: int = 0, fence: bool = True) -> list[Heard]:
        self.raw = b""
        self._give(octets, chunk)
        return self._to_fence(fence)

    def give(self, octets: bytes) -> list[Heard]:
        self.raw = b""
        self._give(octets)
        time.sleep(max(0.02, 4 * self.rtt_s))
        return []

    def _to_fence(self, ping: bool, patience_s: float = 0) -> list[Heard]:
        """What comes before the answer to a telecommand that follows: a ping, or one octet more, which is refused."""
        count = self.next_count()
        head = self.head("ping", ack=t.Ack.COMPLETION, count=count, source=FENCE)
        if not ping:
            head = head[:5] + bytes((head[5] + 1,)) + head[6:] + b"\1"
        self._give(host.seal(head))
        heard: list[Heard] = []
        seen = False
        patience_s = patience_s or self._answer_s
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            for h in self._listen(0.005):
                if self._closes(h, count):
                    return heard
                if h.title == "TM[17,2]" and h.packet[11:13] == FENCE.to_bytes(2, "big"):
                    seen = True
                    end = min(end, time.monotonic() + max(0.1, 10 * self.rtt_s))
                else:
                    heard.append(h)
        if seen:
            return heard
        raise Unmet(
            f"an answer within {patience_s:.1f} s to the telecommand that the bench sends behind each question",
            texts(heard),
            timing=True,
        )

    def _closes(self, h: Heard, count: int) -> bool:
        """Whether it is the verification of the fence."""
        return h.title in ("TM[1,7]", "TM[1,8]", "TM[1,2]") and h["request_sequence"] == 0xC000 | count

    def run(self, ms: int) -> list[Heard]:
        self.raw = b""
        heard: list[Heard] = []
        end = time.monotonic() + ms / 1000
        while (left := end - time.monotonic()) > 0:
            heard += self._listen(min(left, 0.01))
        return heard

    def close(self) -> None:
        self.line.close()
