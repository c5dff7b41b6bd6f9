"""The bench for live targets, in real time: a serial line, or a program on its standard input and output.

No case waits longer than it has to: the end of an answer is marked by a telecommand that the bench adds, and
time-outs are a generous multiple of one measured round trip.
"""

import re
import sys
import time
from dataclasses import dataclass, field

from cabinwatch.targets.unframed import Unframed
from cabinwatch.text import shown
from cabinwatch.verify.conform import greeting, signing
from cabinwatch.verify.conform.bench import Bench, Gone, Heard, Impossible, Unmet, hear, texts
from cabinwatch.verify.conform.dialect import Dialect, Mistake, read
from cabinwatch.verify.conform.line import ExecProgram, NodeLine, SerialLine
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

FENCE = 0xFE5C
"""Source ID of the bench's own pings."""
PIECE = 48
"""Octets that a node has to take without a pause (FRM-14)."""
PATIENCE_S = 5.0
FIRST_S = 0.5
"""How long a node is listened to, before it is spoken to, for its boot event."""
QUICK_S = 0.05
"""The round trip of a node for which the time limit of a case is meant; a slower one gets longer."""
QUESTIONS = {"transducer": 1200, "monitor": 6000}
"""Questions that all cases of a role ask, SEQ-02 apart, which does without where they would take long; each has the
bench's own telecommand behind it."""
WAITS_S = {"transducer": 45, "monitor": 200}
"""What all cases of a role wait for besides."""
LONG_S = 60
AT_A_TIME = 16
"""Nodes that are judged side by side, where a program can be started as often."""
FRAME_ENDS = re.compile(rb"(?<=[^\0]\0)")


def says_it_stores(heard: list[Heard]) -> bool:
    """Whether a monitor's boot event leaves it open that something is kept over a reset (PAR-08)."""
    boots = [h for h in heard if h.title == "TM[5,1]" and h["event"] == t.Event.BOOT]
    return not boots or boots[0]["value"] >> 24 != t.Stored.VOLATILE


def keeps(heard: list[Heard]) -> bool:
    """Whether a boot event says that stored parameters are in force."""
    return any(
        h.title == "TM[5,1]" and h["event"] == t.Event.BOOT and h["value"] >> 24 & t.Stored.KEPT
        for h in heard
    )


@dataclass
class LiveBench(Bench):
    """Talks over ``line``. ``rtt_s`` is measured at the start, and what the node gets wrong from its first frame on.

    ``mistakes`` is what was found then. Where it can, the bench goes on all the same: it reads the node's frames
    leniently (``lenient``), speaks as the node does (``speech``), ends each frame with a line end (``line_ends``),
    or sends one frame at a time (``one_by_one``).
    """

    line: NodeLine = field(kw_only=True)
    rtt_s: float = 0.05
    mistakes: list[Mistake] = field(default_factory=list)
    lenient: set[str] = field(default_factory=set)
    learning: bool = False
    met: list[Heard] = field(default_factory=list)
    """Frames heard while the bench was learning."""
    dialect: Dialect | None = None
    speech: Dialect | None = None
    line_ends: bool = False
    one_by_one: bool = False
    stopped: bool = False
    """Whether whoever runs it wants no more of it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._zero = time.monotonic()
        self._unframed = Unframed(self.line.name)
        self._deadline = float("inf")
        self._greeted = False
        self._left: list[Heard] = []
        """What came with the end of an answer, behind it."""

    @property
    def now_ms(self) -> int:
        return int(1000 * (time.monotonic() - self._zero))

    @property
    def limit_s(self) -> float:
        """Longest time for one case: ``timeout_s``, or more for a node that is slow to answer."""
        return self.timeout_s * max(1.0, self.rtt_s / QUICK_S)

    def pace(self, share: float) -> str:
        """How long a ``share`` of the cases will take on this node, or "" where that is not long."""
        seconds = share * (WAITS_S[self.role] + 2 * self.rtt_s * QUESTIONS[self.role])
        if isinstance(self.line, ExecProgram):
            seconds /= AT_A_TIME
        if seconds < LONG_S and self.rtt_s < QUICK_S:
            return ""
        told = f"{seconds / 60:.0f} min" if seconds > 99 else f"{seconds:.0f} s"
        return (
            f"a question takes {1000 * self.rtt_s:.0f} ms on {self.line.name}: these cases will take about "
            f"{told}, and each is given {self.limit_s:.0f} s"
        )

    # -- set-up

    def start(self) -> None:
        self.line.open()
        if self._greeted:
            self.hear_first()
        else:
            greeting.greet(self)
        samples = []
        for i in range(5):
            begin = time.monotonic()
            if not self.alive(PATIENCE_S, 0xFE50 + i):
                raise Gone(f"{self.line.name} has fallen silent: no answer to a ping")
            samples.append(time.monotonic() - begin)
        self.rtt_s = max(sorted(samples)[2], 0.0005)
        self.slack_ms = round(max(100, 1500 * self.rtt_s))
        if not self._greeted:
            self._greeted = True
            greeting.probe(self)
        try:
            self._restore()
        except Gone:
            if not self.mistakes:
                raise
            self.reopen()  # what stops the node is known and told

    def hear_first(self) -> list[Heard]:
        """What the node says before it is spoken to: a boot event, or nothing where it has been up for long."""
        self.raw = b""
        heard: list[Heard] = []
        end = time.monotonic() + FIRST_S
        while time.monotonic() < end and not heard:
            heard += [h for h in self.listen(0.1) if h.decoded]
        return heard

    def reopen(self) -> None:
        """Close and open the line: a program runs anew."""
        self.line.close()
        self.line.open()
        self._left = []
        self.decoder.feed(b"\0")

    def alive(self, patience_s: float, source: int = FENCE) -> bool:
        """Whether the node answers a ping within that time; asked again where nothing comes."""
        wanted = source.to_bytes(2, "big")
        for _ in range(3):
            self.send(self.plain_ping(source))
            begin = time.monotonic()
            end = begin + patience_s / 3
            while time.monotonic() < end:
                before = len(self.raw)
                heard = self.listen(0.02)
                if any(h.title == "TM[17,2]" and h.packet[11:13] == wanted for h in heard):
                    return True
                if len(self.raw) > before:  # a slow line: as long as something comes, but not for ever
                    end = min(begin + 2 * patience_s, time.monotonic() + patience_s / 3)
        return False

    def plain_ping(self, source: int) -> bytes:
        """A ping without an octet that a console or a text stream may take for itself."""
        while True:
            octets = self.tc("ping", ack=0, source=source)
            if not greeting.SPECIAL & (set(octets) - {source >> 8, source & 255}):
                return octets

    def fresh(self) -> None:
        self._left = []
        self._deadline = time.monotonic() + self.limit_s
        try:
            program = isinstance(self.line, ExecProgram)
            if self.role == "monitor" and (not program or says_it_stores(self.restart())):
                # What it has stored would outlast the reset.
                signing.tell(self, "perform", {"function": t.Function.DEFAULTS, "argument": 0})
                if (
                    program or not self.master
                ):  # a keyed one on a line is reset where a case has to: it takes a minute
                    self.restart()
            elif self.role == "transducer" and (not program or keeps(self.restart())):
                self._restore()
        except Unmet:
            if self.alive(PATIENCE_S):
                raise
            raise Gone(f"{self.line.name} has fallen silent: no answer to a ping") from None

    def _restore(self) -> None:
        """Without a reset: leave nothing half sent, and give parameters their defaults."""
        self.ask(b"\0")
        if self.role == "transducer":
            for p in t.PARAMETERS[self.role]:
                signing.tell(self, "set_parameter", {"parameter": p.id, "value": p.default})

    def restart(self) -> list[Heard]:
        if isinstance(self.line, ExecProgram):
            self.reopen()
            # A node that starts slowly, or says nothing of itself: whatever comes before it answers.
            return self.hear_first() or self._to_fence(True, PATIENCE_S)
        if self.role == "monitor":
            # Unacknowledged, so that what comes then comes after the boot.
            head = self.head("perform", {"function": t.Function.REBOOT, "argument": 0}, ack=0)
            if self.master:
                self._wait_for_reboot()
                head = signing.signed(self, head)
            self.raw = b""
            self.send(b"\0" + host.seal(head))
        else:
            raise Impossible("a serial line does not let the bench reset this node")
        heard: list[Heard] = []
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            heard += self.listen(0.02)
            for i, h in enumerate(heard):
                if h.title == "TM[5,1]" and h["event"] == t.Event.BOOT:
                    return heard[i:] + self.listen(0.02)
        raise Unmet(f"a boot event within {PATIENCE_S:g} s of a reset", texts(heard), timing=True)

    def _wait_for_reboot(self) -> None:
        """Until a keyed monitor does one. Raises Impossible where that takes long and the run is not thorough."""
        ms = signing.reboots_in_ms(self)
        if ms and not self.thorough:
            raise Impossible(
                "a keyed monitor on a line is not reset in its first minute: --thorough waits for it"
            )
        self._deadline += ms / 1000
        self.run(ms)

    def power_up(self) -> list[Heard]:
        return self.restart() if isinstance(self.line, ExecProgram) else super().power_up()

    def twin(self) -> "LiveBench":
        """A bench for another run of the same program, with what is known of it."""
        assert isinstance(self.line, ExecProgram)
        return LiveBench(
            self.role,
            self.seed,
            self.timeout_s,
            thorough=self.thorough,
            reference=self.reference,
            master=self.master,
            slack_ms=self.slack_ms,
            line=self.line.again(),
            rtt_s=self.rtt_s,
        )

    def lasting(self, live_s: float, virtual_s: float) -> int:
        ms = super().lasting(live_s, virtual_s)
        self._deadline += ms / 1000
        return ms

    # -- octets

    def send(self, octets: bytes, chunk: int = 0) -> None:
        """Put octets on the line, as the node is able to take them."""
        self.gave(octets)
        pieces = FRAME_ENDS.split(octets) if self.one_by_one and not chunk else [octets]
        for i, piece in enumerate(p for p in pieces if p):
            if i:
                time.sleep(max(0.05, 2 * self.rtt_s))
            self._put(self.speech.speak(piece) if self.speech else piece, chunk)

    def _put(self, octets: bytes, chunk: int) -> None:
        size = chunk or PIECE
        for i in range(0, len(octets), size):
            if i and not chunk:
                time.sleep(max(0.002, self.rtt_s / 2))
            self.line.write(octets[i : i + size])
        if self.line_ends:
            self.line.write(b"\n")

    def listen(self, wait_s: float) -> list[Heard]:
        """What comes within that time, or as soon as something does."""
        if self.stopped:
            raise Gone("the run was stopped")
        if time.monotonic() > self._deadline:
            self._deadline = float("inf")
            raise Unmet(f"the case to end within {self.limit_s:g} s", "no end", timing=True)
        octets = self.line.read(0 if self._left else wait_s)
        heard = self._left + [self.understood(h) for h in self.took(octets, self.now_ms)]
        self._left = []
        if self.learning:
            self.met += heard
            words = self._unframed.hear(octets, any(h.decoded for h in heard))
            if words and isinstance(self.line, SerialLine):
                print(shown(words), file=sys.stderr, flush=True)  # and go on: it may be a dialect
        return heard

    def understood(self, heard: Heard) -> Heard:
        """A frame that is no packet of ours, read leniently: by what is known of the node, or while that is learned."""
        if heard.decoded or not (self.learning or self.lenient):
            return heard
        reading = read(heard.frame.raw, self.apid)
        if reading is None:
            return heard
        wrong = {m.requirement for m in reading.mistakes}
        if self.learning:
            known = {(m.requirement, m.expected.split()[0]) for m in self.mistakes}
            self.mistakes += [
                m for m in reading.mistakes if (m.requirement, m.expected.split()[0]) not in known
            ]
            self.lenient |= wrong
            self.dialect = reading.dialect
        elif not wrong <= self.lenient:
            return heard
        frame = host.Frame(host.Verdict.OK, heard.frame.raw, reading.packet)
        return hear(frame, heard.at_ms)

    @property
    def _answer_s(self) -> float:
        return max(1.0, 50 * self.rtt_s)

    def ask(self, octets: bytes, chunk: int = 0, fence: bool = True) -> list[Heard]:
        self.raw = b""
        self.send(octets, chunk)
        heard = []
        if self.one_by_one:
            end = time.monotonic() + max(0.05, 3 * self.rtt_s)
            while (left := end - time.monotonic()) > 0:
                heard += self.listen(left)
        return heard + self._to_fence(fence)

    def give(self, octets: bytes) -> list[Heard]:
        self.raw = b""
        self.send(octets)
        time.sleep(max(0.02, 4 * self.rtt_s))
        return []

    def _to_fence(self, ping: bool, patience_s: float = 0) -> list[Heard]:
        """What comes before the answer to a telecommand that follows: a ping, or one octet more, which is refused."""
        count = self.next_count()
        head = self.head("ping", ack=t.Ack.COMPLETION, count=count, source=FENCE)
        if not ping:
            head = head[:5] + bytes((head[5] + 1,)) + head[6:] + b"\1"
        self.send(host.seal(head))
        heard: list[Heard] = []
        seen = False
        patience_s = patience_s or self._answer_s
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            new = self.listen(0.005)
            for i, h in enumerate(new, 1):
                if self._closes(h, count):
                    self._left = new[i:]
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
            heard += self.listen(min(left, 0.01))
        return heard

    def next(self, ms: int) -> list[Heard]:
        self.raw = b""
        return self.listen(min(ms, 10) / 1000)

    def close(self) -> None:
        self.line.close()
