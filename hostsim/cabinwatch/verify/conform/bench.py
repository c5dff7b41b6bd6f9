"""The bench: what a case sees of the node under test, whether it is stepped in virtual time or runs live.

A case gives octets and looks at what comes back. ``Bench`` holds what is common; emulated.py and live.py move octets.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from cabinwatch.errors import CabinwatchError
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t
from cabinwatch_protocol.keys import MasterKey

GROUND = 0x0001
"""Source ID of the suite's telecommands."""
BOOT_MS = 5000
"""How long a node may take to boot."""
FLOOD = 1 << 16
"""Octets from the node in answer to one question beyond which it floods the line: far more than any asks for."""
Watched = TypeVar("Watched")
TC = t.by_name(t.TC_PACKETS)
TM = t.by_name(t.TM_PACKETS)


class Unmet(AssertionError):
    """The node does not do what a requirement says. ``timing``: only because something came too late or not at all."""

    def __init__(self, expected: str, got: str, timing: bool = False) -> None:
        super().__init__(f"expected {expected}; got {got}")
        self.expected = expected
        self.got = got
        self.timing = timing


class Impossible(Exception):
    """The case cannot be run against this target; the message says why."""


class Gone(CabinwatchError):
    """The target ended, or its line did."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One frame from the node: when its end came, its verdict, and the packet in the table's terms, if it is one."""

    at_ms: int
    frame: host.Frame
    decoded: host.Decoded | None
    why_not: str = ""

    @property
    def packet(self) -> bytes:
        """The packet's octets; empty where the frame is damaged."""
        return self.frame.packet

    @property
    def title(self) -> str:
        """Message type, or what is wrong."""
        return self.decoded.packet.title if self.decoded else f"({self.text()})"

    @property
    def name(self) -> str:
        """The packet's name in the table, or ""."""
        return self.decoded.packet.name if self.decoded else ""

    def __getitem__(self, name: str) -> int:
        """A field's value. Raises Unmet where the packet is none that has it."""
        if self.decoded is None or name not in self.decoded.values:
            raise Unmet(f"a packet with the field {name}", self.text())
        return self.decoded.values[name]

    def text(self) -> str:
        """One line for people."""
        if self.frame.verdict is not host.Verdict.OK:
            return f"damaged frame ({self.frame.verdict.value}): {self.frame.raw.hex(' ')}"
        d = self.decoded
        if d is None:
            return f"{self.why_not}: {self.packet.hex(' ')}"
        if d.packet.kind == "TC":
            return f"{d.text().rstrip()} (count {d.sequence}, source {d.peer:04x})"
        day, ms = divmod(d.time_ms, t.DAY_MS)
        return (
            f"{d.text().rstrip()} (count {d.sequence}, destination {d.peer:04x}, day {day} {ms / 1000:.3f} s)"
        )


def hear(frame: host.Frame, at_ms: int) -> Heard:
    """A frame from the node, decoded as far as it can be."""
    if frame.verdict is not host.Verdict.OK:
        return Heard(at_ms, frame, None, frame.verdict.value)
    try:
        return Heard(at_ms, frame, host.decode(frame.packet))
    except host.Alien as alien:
        return Heard(at_ms, frame, None, str(alien))


def texts(heard: list[Heard]) -> str:
    """What was heard, in one line."""
    return "; ".join(h.text() for h in heard) or "nothing"


@dataclass
class Exchange:
    """Octets one way at one time: ``given`` to the node, or sent by it."""

    at_ms: int
    given: bool
    octets: bytes


@dataclass(frozen=True, slots=True)
class Reference:
    """The true state of the air around a transducer."""

    pressure_cPa: int
    temperature_cK: int


@dataclass
class Bench(ABC):
    """One node under test. ``seed`` feeds what cases draw; ``timeout_s`` bounds one case on a live target."""

    role: str
    seed: int = 1
    timeout_s: float = 30.0
    log: list[Exchange] = field(default_factory=list)
    raw: bytes = b""
    """Octets that came since the last ``ask`` or ``run`` began."""
    count: int = 0
    """Count of the next telecommand."""
    drawn_ms: int = 0
    """Stamp of the last sample that was drawn for a monitor."""
    emulated: bool = False
    rtt_s: float = 0.0
    """Round trip of a question and its answer on a live target, as measured at the start."""
    thorough: bool = False
    """Whether cases may last minutes on a live target."""
    master: MasterKey | None = None
    """The owner's key of a keyed node."""
    reference: Reference | None = None
    """What the transducer's surroundings are, where that is known."""
    watches: dict[str, Any] = field(default_factory=dict)
    """What came of each long watch of the node that several cases judge."""
    used: set[str] = field(default_factory=set)
    """The watches that the running case judges."""
    slack_ms: int = 2
    """How far a time may be off: timers of an emulated node are exact but for the stepping."""

    def __post_init__(self) -> None:
        self.decoder = host.StreamDecoder(limit=4096)
        self.rng = Random(self.seed)
        self.sample_count = 0

    @property
    def apid(self) -> int:
        """The node's APID."""
        return t.ROLES[self.role]

    # -- what the two kinds of target do in their own way

    @property
    @abstractmethod
    def now_ms(self) -> int:
        """The bench's time."""

    @abstractmethod
    def start(self) -> None:
        """Bring the target up. Raises SetupError or Gone with what is known."""

    @abstractmethod
    def restart(self) -> list[Heard]:
        """Reset the node; what it sends first. Raises Impossible where the bench cannot reset it."""

    def power_up(self) -> list[Heard]:
        """Take the node's power away and give it back; what it sends first. Raises Impossible."""
        raise Impossible("the bench has no hand on this node's power")

    @abstractmethod
    def ask(self, octets: bytes, chunk: int = 0, fence: bool = True) -> list[Heard]:
        """Give the node octets (``chunk`` at a time) and gather all that it answers.

        A live bench ends the answer by a telecommand of its own that the node answers last: a ping, or with ``fence``
        False one that is refused, which leaves alone what the node remembers as the last telecommand.
        """

    @abstractmethod
    def give(self, octets: bytes) -> list[Heard]:
        """Give the node octets and nothing behind them; what it sends at once, where the bench can tell."""

    @abstractmethod
    def run(self, ms: int) -> list[Heard]:
        """Let time pass; what came meanwhile."""

    @abstractmethod
    def next(self, ms: int) -> list[Heard]:
        """Let no more than that time pass, and less where something may have come; what came."""

    @abstractmethod
    def close(self) -> None:
        """Free the target."""

    # -- what cases use

    def lasting(self, live_s: float, virtual_s: float) -> int:
        """How long a case that takes its time goes on, ms: live, ten times as long where the run is thorough."""
        return int(1000 * (virtual_s if self.emulated else live_s * (10 if self.thorough else 1)))

    def watch(self, name: str, keep: Callable[[], Watched]) -> Watched:
        """A long watch of the node, kept once for all the cases that judge it."""
        self.used.add(name)
        if name not in self.watches:
            self.watches[name] = keep()
        watched: Watched = self.watches[name]
        return watched

    def watch_anew(self) -> None:
        """Forget what the last case judged: it is to be tried again."""
        for name in self.used:
            self.watches.pop(name, None)

    def since(self, exchanges: int) -> list[Heard]:
        """Every frame that came after the log was this long, the answers to the bench's own telecommands included."""
        decoder, heard = host.StreamDecoder(limit=4096), []
        for e in self.log[exchanges:]:
            if not e.given:
                heard += [self.understood(hear(f, e.at_ms)) for f in decoder.feed(e.octets)]
        return heard

    def strangers(self) -> list[Heard]:
        """Good frames since the case began that hold no packet of the specification."""
        return [h for h in self.since(0) if h.packet and h.decoded is None]

    def reboot(self, octets: bytes = b"") -> list[Heard]:
        """Boot the monitor by function 4, or those octets of it; what it sends from the boot event on. Raises Unmet."""
        heard = self.give(octets or self.tc("perform", {"function": t.Function.REBOOT, "argument": 0}))
        end = self.now_ms + BOOT_MS
        while self.now_ms < end:
            for i, h in enumerate(heard):
                if h.title == "TM[5,1]" and h["event"] == t.Event.BOOT:
                    return heard[i:]
            heard += self.next(end - self.now_ms)
        raise Unmet(f"a boot event within {BOOT_MS} ms of function 4", texts(heard), timing=True)

    def begin(self) -> None:
        """Before each case: the node as after a boot, as far as the bench can see to it."""
        self.log.clear()
        self.used.clear()
        self.rng = Random(self.seed)
        self.decoder = host.StreamDecoder(limit=4096)
        self.sample_count = 0
        self.fresh()

    def fresh(self) -> None:
        """Reset the node where that is possible."""
        self.restart()

    def next_count(self) -> int:
        """A fresh sequence count."""
        self.count = (self.count + 1) & 0x3FFF
        return self.count

    def head(
        self,
        name: str,
        values: dict[str, int] | None = None,
        ack: int = 9,
        count: int | None = None,
        source: int = GROUND,
    ) -> bytes:
        """A telecommand for the node, without its PEC."""
        count = self.next_count() if count is None else count
        return host.encode_tc(TC[name], self.apid, count, values, ack=ack, source=source)

    def tc(
        self,
        name: str,
        values: dict[str, int] | None = None,
        ack: int = 9,
        count: int | None = None,
        source: int = GROUND,
    ) -> bytes:
        """A telecommand's frame."""
        return host.seal(self.head(name, values, ack, count, source))

    def command(
        self,
        name: str,
        values: dict[str, int] | None = None,
        ack: int = 9,
        count: int | None = None,
        fence: bool = True,
    ) -> list[Heard]:
        """Send a telecommand; the node's answer to it."""
        return self.answers(self.ask(self.tc(name, values, ack, count), fence=fence))

    def answers(self, heard: list[Heard]) -> list[Heard]:
        """Without what a node sends unasked: polls, events, periodic reports."""
        return [h for h in heard if not self.unasked(h)]

    def unasked(self, h: Heard) -> bool:
        """Whether it is a poll, an event or a periodic report."""
        d = h.decoded
        if d is None:
            return False
        return (
            d.packet.kind == "TC" or d.packet.service == 5 or (d.packet.name == "housekeeping" and not d.peer)
        )

    def done(self, name: str, values: dict[str, int] | None = None, count: int | None = None) -> list[Heard]:
        """Send a telecommand that has to succeed; its answer. Raises Unmet."""
        got = self.command(name, values, 9, count)
        if not any(h.name == "completed" for h in got):
            raise Unmet(f"{TC[name].title} {values or ''} to be executed: TM[1,7]", texts(got))
        return got

    def parameter(self, number: int) -> int:
        """A parameter's value as the node reports it."""
        got = self.command("report_parameter", {"parameter": number})
        for h in got:
            if h.name == "parameter_value" and h["parameter"] == number:
                return h["value"]
        raise Unmet(f"TM[20,2] with parameter {number}", texts(got))

    def set(self, number: int, value: int) -> None:
        """Set a parameter; it has to succeed."""
        self.done("set_parameter", {"parameter": number, "value": value})

    def report(self) -> Heard:
        """The monitor's housekeeping, or the transducer's sample, asked for once."""
        got = self.command("report_hk")
        for h in got:
            if h.title == "TM[3,25]":
                return h
        raise Unmet("TM[3,25]", texts(got))

    def sample(
        self, stamp_ms: int, pressure_cPa: int = 10132500, temperature_cK: int = 29515, status: int = 0
    ) -> list[Heard]:
        """Give a monitor one sample of its transducer; all that it sends then, unasked things included."""
        return self.ask(self.sample_frame(stamp_ms, pressure_cPa, temperature_cK, status))

    def sample_frame(
        self, stamp_ms: int, pressure_cPa: int = 10132500, temperature_cK: int = 29515, status: int = 0
    ) -> bytes:
        """The frame of the transducer's next sample."""
        values = {"pressure_cPa": pressure_cPa, "temperature_cK": temperature_cK, "status": status}
        day, ms = divmod(stamp_ms, t.DAY_MS)
        count = self.sample_count
        self.sample_count = (count + 1) & 0x3FFF
        head = host.encode_tm(TM["sample"], t.Apid.TRANSDUCER, count, day, ms, values, t.Apid.MONITOR)
        return host.seal(head)

    def wait_for(self, wanted: Callable[[list[Heard]], list[Heard]], within_ms: int) -> Heard:
        """The first packet that ``wanted`` picks, within a time and the bench's slack. Raises Unmet."""
        end = self.now_ms + within_ms + self.slack_ms
        heard: list[Heard] = []
        while self.now_ms < end:
            heard += self.next(end - self.now_ms)
            if found := wanted(heard):
                return found[0]
        raise Unmet(f"a packet of the kind waited for within {within_ms} ms", texts(heard), timing=True)

    # -- for the two kinds of bench

    def took(self, octets: bytes, at_ms: int) -> list[Heard]:
        """Octets came from the node. Raises Unmet where it floods the line."""
        if not octets:
            return []
        self.log.append(Exchange(at_ms, False, octets))
        self.raw += octets
        if len(self.raw) > FLOOD:
            raise Unmet(
                "answers to what was asked", f"more than {FLOOD} octets in one go: the node floods the line"
            )
        return [hear(frame, at_ms) for frame in self.decoder.feed(octets)]

    def understood(self, heard: Heard) -> Heard:
        """A frame as the bench reads it: a live one may have learned to read it leniently."""
        return heard

    def all_heard(self) -> list[Heard]:
        """All that came since the last ``ask`` or ``run`` began, the answer to the bench's own telecommand included."""
        frames = host.StreamDecoder(limit=4096).feed(self.raw)
        return [self.understood(hear(frame, self.now_ms)) for frame in frames]

    def gave(self, octets: bytes) -> None:
        """Note what the node was given."""
        self.log.append(Exchange(self.now_ms, True, octets))


def sealed_service(
    b: Bench, service: int, subtype: int, data: bytes = b"", version: int = t.PUS_VERSION, ack: int = 9
) -> bytes:
    """The frame of a telecommand that the table does not have."""
    head = b.head("ping", ack=ack)
    length = (5 + len(data) + 1).to_bytes(2, "big")
    return host.seal(head[:4] + length + bytes((version << 4 | ack, service, subtype)) + head[9:11] + data)
