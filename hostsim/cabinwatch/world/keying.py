"""Keys in the world around a monitor: what a run is keyed with, how the ground signs, how an instrument judges."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256

from cabinwatch.world.seeds import stream
from cabinwatch_protocol import keyed, keys
from cabinwatch_protocol import table as t
from cabinwatch_protocol.keyed import Association
from cabinwatch_protocol.keys import MasterKey

SESSION_SIZE = 8
INSTRUMENTS = ("transducer", "analyser")
"""Those that a monitor believes, in the order of its keys."""
GUESS = bytes(SESSION_SIZE)
"""In place of a session that the node does not report: with it a command is refused, and says why."""


@dataclass(frozen=True)
class Keying:
    """``unkeyed`` names the instruments whose reports are believed without a tag."""

    master: MasterKey
    seed: int
    unkeyed: frozenset[str] = frozenset()
    story: str = ""
    """Of what is played, so that a command cut out of a recording finds another session in a story that holds it."""

    def playing(self, story: str) -> "Keying":
        """The same for a run of that scenario's text."""
        return replace(self, story=sha256(story.encode()).hexdigest())

    def header(self) -> dict[str, list[str]]:
        """What a recording says of it: nothing of the key."""
        return {"unkeyed": sorted(self.unkeyed)}

    def of_monitor(self) -> bytes:
        """What the monitor is given."""
        return self.master.of_monitor(self.unkeyed)

    def of_node(self, role: str) -> bytes:
        """What the node of that role is given."""
        return self.of_monitor() if role == "monitor" else self.master.of_instrument(role)

    def sessions(self, role: str = "monitor") -> Iterator[bytes]:
        """A session for each boot. A board draws its own; in lock-step the host does, so that runs repeat."""
        rng = stream(self.seed, f"session/{role}/{self.story}")
        while True:
            yield rng.randbytes(SESSION_SIZE)


@dataclass
class Signer:
    """Signs the ground's guarded telecommands for the monitor, in the session that it has last reported."""

    key: bytes = field(repr=False)
    session: bytes = b""
    """Empty: to be asked for."""
    counter: int = 0

    def learn(self, report: dict[str, int]) -> None:
        """Take over what TM[130,2] says. Whoever forges one makes the next command fail, and no more."""
        self.session = report["session"].to_bytes(SESSION_SIZE, "big")
        self.counter = min(report["counter"], keyed.COUNTER_END)

    def sign(self, head: bytes) -> bytes:
        """The telecommand without PEC, with its trailer."""
        self.counter += 1
        return keys.sign_command(head, self.key, self.counter, self.session)


@dataclass
class Guard:
    """What a keyed instrument of the emulator judges telecommands by, as SPEC.md says."""

    role: str
    key: bytes = field(repr=False)
    sessions: Iterator[bytes] = field(repr=False)
    session: bytes = b""
    counter: int = 0
    refused: int = 0
    last: bytes = b""
    judged: bool = False
    """Whether the telecommand at hand is a guarded one, and ``again``, whether it is the last one once more."""
    again: bool = False
    told_ms: int | None = None
    """When a refusal was last told, by the instrument's clock."""

    def __post_init__(self) -> None:
        self.boot()

    def boot(self) -> None:
        """As after a reset."""
        self.session, self.counter, self.refused, self.last = next(self.sessions), 0, 0, b""
        self.told_ms = None

    def judge(self, packet: bytes, guarded: t.Packet) -> t.Failure:
        """The failure code of a guarded telecommand, PEC included."""
        self.judged = True
        failure = self._judge(packet, guarded)
        self.refused = self.refused + bool(failure) & 0xFFFF
        return failure

    def tells(self, t_ms: int) -> bool:
        """Whether a refusal at that time is told."""
        if self.told_ms is not None and t_ms - self.told_ms < keyed.TELL_MS:
            return False
        self.told_ms = t_ms
        return True

    def _judge(self, packet: bytes, guarded: t.Packet) -> t.Failure:
        trailer = packet[guarded.size - t.PEC : -t.PEC]
        if len(trailer) != keyed.trailer_size("command") or trailer[0] != Association.COMMAND:
            return t.Failure.TAG
        counter, tag = int.from_bytes(trailer[1:5], "big"), trailer[5:]
        leap = counter - self.counter
        if not (0 < counter < keyed.COUNTER_END and 0 <= leap <= keyed.COUNTER_LEAP):
            return t.Failure.COUNTER
        if not keys.command_holds(packet, self.key[: keyed.KEY_SIZE], self.session):
            return t.Failure.TAG
        self.again = counter == self.counter
        if self.again and tag != self.last:
            return t.Failure.COUNTER
        self.counter, self.last = counter, tag
        return t.Failure.NONE

    def report(self) -> dict[str, int]:
        """The fields of TM[130,2]."""
        session = int.from_bytes(self.session, "big")
        return {"session": session, "counter": self.counter, "refused": self.refused, "keyed": 0}

    def answer(self, head: bytes, challenge: bytes) -> bytes:
        """A report without PEC, with its trailer."""
        return keys.sign_answer(head, self.key[keyed.KEY_SIZE :], challenge)


def guard_of(role: str, keying: Keying | None) -> Guard | None:
    """The guard of an instrument; None where it is not keyed."""
    if keying is None or role in keying.unkeyed:
        return None
    return Guard(role, keying.master.of_instrument(role), keying.sessions(role))


def signer_of(master: MasterKey) -> Signer:
    """What a ground station signs with for the monitor."""
    return Signer(master.derived("monitor", Association.COMMAND))


def session_line(report: dict[str, int]) -> str:
    """What TM[130,2] says, for people: who is believed without a tag above all."""
    signs = (
        f"{role} {'keyed' if report['keyed'] >> i & 1 else 'UNKEYED, believed as it is'}"
        for i, role in enumerate(INSTRUMENTS)
    )
    return f"Keyed monitor: {', '.join(signs)}; {report['refused']} refused since boot"


def keyed_as_data(report: dict[str, int]) -> dict[str, object]:
    """The same for programs; empty where there was no report."""
    if not report:
        return {}
    signing = [role for i, role in enumerate(INSTRUMENTS) if report["keyed"] >> i & 1]
    return {"instruments": signing, "refused": report["refused"]}
