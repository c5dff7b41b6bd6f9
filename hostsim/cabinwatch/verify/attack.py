"""Attack a keyed monitor: forger, replayer, and a man in the middle who drops, holds back, alters and reorders.

He has every frame that was ever on the line, of this boot and of earlier ones, and knows the protocol, not the key. A
model says of each frame whether the owner's key stands behind it, here and now; the node is judged by its parameters,
its counter and the pressure that it reports, as anybody may ask for them.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from cabinwatch.targets import open_target
from cabinwatch.targets.base import Target
from cabinwatch.targets.storage import Storing
from cabinwatch.world.keying import Keying
from cabinwatch.world.seeds import stream
from cabinwatch_protocol import host, keyed, keys
from cabinwatch_protocol import table as t
from cabinwatch_protocol.keyed import Association
from cabinwatch_protocol.keys import MasterKey

TRUE_CPA, FALSE_CPA = 10_132_500, 4_000_000
"""What the transducer measures, and what the attacker would have the monitor believe."""
HELD = 8
"""Frames that the man in the middle keeps for later."""
WATCHED = t.by_name(t.MONITOR_PARAMETERS)["hk_period"]
"""The parameter that the owner sets, and that the attacker would: harmless, so that the node goes on as it was."""
OTHER = MasterKey(bytes(keyed.KEY_SIZE))
ARMED = 30
"""One attempt in so many is a reset, and as many polls are answered by the true transducer."""


@dataclass(frozen=True)
class Signed:
    """A command of the owner as it stood on the line, and what the model needs of it."""

    packet: bytes
    session: bytes
    counter: int
    value: int


@dataclass
class Assault:
    """One campaign. ``attempts`` and ``honest`` count by kind; ``faults`` says what the node did wrong."""

    target: Target
    keying: Keying
    seed: int
    attempts: Counter[str] = field(default_factory=Counter)
    honest: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng: Random = stream(self.seed, "attack")
        self._decoder = host.StreamDecoder()
        self._t_ms = 0
        self._sequence = 0
        self._command_key = self.keying.master.derived("monitor", Association.COMMAND)
        self._answer_key = self.keying.master.derived("transducer", Association.ANSWER)
        self._commands: list[Signed] = []
        self._answers: list[bytes] = []
        self._held: list[Signed] = []
        self._challenge = b""
        self._value = WATCHED.default
        self._counter = self._next = 0
        self._last: Signed | None = None

    def run(self, attempts: int, tick: Callable[[int], None] = lambda done: None) -> None:
        """Make that many attempts, honest traffic between them; stops at the first fault."""
        self._heard(self.target.start()[0])
        self._learn()
        kinds = (
            self._forge,
            self._alter,
            self._replay,
            self._resign,
            self._strip,
            self._mislead,
            self._sample,
        )
        while not self.faults and self.attempts.total() < attempts:
            self._rng.choice(kinds)()
            if self._rng.randrange(4) == 0:
                self._own()
            if self._rng.randrange(ARMED) == 0:
                self._measure()
            if self._rng.randrange(10 * ARMED) == 0:
                self._reset()
            tick(self.attempts.total())

    # -- the line

    def _give(self, packet: bytes, elapsed_ms: int = 0) -> list[host.Decoded]:
        """Hand over a packet without PEC, sealed; what the node says to it."""
        self._t_ms += elapsed_ms
        rx, said = host.seal(packet), bytearray()
        for i in range(0, len(rx), t.RX_MAX):
            said += self.target.step(elapsed_ms if not i else 0, rx[i : i + t.RX_MAX])[0]
        return self._heard(bytes(said))

    def _heard(self, data: bytes) -> list[host.Decoded]:
        packets = [host.decode(f.packet) for f in self._decoder.feed(data) if f.verdict is host.Verdict.OK]
        for p in packets:
            if p.role == "transducer" and p.trailer:
                self._challenge = p.trailer["challenge"].to_bytes(keyed.TAG_SIZE, "big")
        return packets

    def _ask(self, packet: t.Packet, answer: str, **values: int) -> dict[str, int]:
        head = host.encode_tc(packet, t.Apid.MONITOR, self._count(), values, ack=0)
        return next(p.values for p in self._give(head) if p.packet.name == answer)

    def _count(self) -> int:
        self._sequence = self._sequence + 1 & 0x3FFF
        return self._sequence

    # -- the owner

    def _learn(self) -> None:
        state = self._ask(keyed.REPORT_SESSION, "session")
        self._session = state["session"].to_bytes(keyed.TAG_SIZE, "big")
        self._next = self._counter = state["counter"]

    def _sign(self) -> Signed:
        self._next += 1
        value = self._rng.randrange(60_000, 3_600_000)
        head = self._set(value)
        packet = keys.sign_command(head, self._command_key, self._next, self._session)
        command = Signed(packet, self._session, self._next, value)
        self._commands.append(command)
        return command

    def _set(self, value: int) -> bytes:
        values = {"parameter": WATCHED.id, "value": value}
        return host.encode_tc(SET, t.Apid.MONITOR, self._count(), values)

    def _own(self) -> None:
        """The owner sends a command; the man in the middle lets it pass, drops it, or lets it through later."""
        command = self._sign()
        self.honest["sent"] += 1
        fate = self._rng.randrange(4)
        if fate == 0:
            self.honest["dropped"] += 1
        elif fate == 1:
            self._held.append(command)
            if len(self._held) > HELD:
                self._deliver(self._held.pop(self._rng.randrange(len(self._held))))
        else:
            self._deliver(command)

    def _deliver(self, command: Signed) -> None:
        """The owner's command arrives: it counts where it is of this boot and not far above the last one."""
        leap = command.counter - self._counter
        counts = command.session == self._session and 0 < leap <= keyed.COUNTER_LEAP
        again = command == self._last
        if counts:
            self._counter, self._value, self._last = command.counter, command.value, command
        self.honest["arrived" if counts else "arrived too late"] += 1
        said = self._give(command.packet)
        done = any(p.packet.name == "completed" for p in said)
        if done != (counts or again):
            self._fault("a command of the owner", "obeyed" if done else "refused")
        if counts:
            self.honest["obeyed"] += done
        self._check("a command of the owner")

    def _measure(self) -> None:
        """The transducer answers the next poll, and is believed."""
        self._poll()
        answer = self._answer(self._answer_key, self._challenge, TRUE_CPA)
        self._give(answer)
        self._answers.append(answer)
        self.honest["samples"] += 1
        report = self._ask(REPORT, "housekeeping")
        if report["pressure_cPa"] != TRUE_CPA or report["health"]:
            self._fault("an answer of the transducer", "not believed")

    def _poll(self) -> None:
        """Let time pass until the monitor polls."""
        before = self._challenge
        while self._challenge == before:
            self._t_ms += 250
            self._heard(self.target.step(250, b"")[0])

    def _answer(self, key: bytes, challenge: bytes, pressure_cPa: int) -> bytes:
        values = {
            "pressure_cPa": pressure_cPa,
            "temperature_cK": 29_500 + self._t_ms // 1000 % 7,
            "status": 0,
        }
        head = host.encode_tm(
            SAMPLE, t.Apid.TRANSDUCER, 0, *divmod(self._t_ms, t.DAY_MS), values, t.Apid.MONITOR
        )
        return keys.sign_answer(head, key, challenge)

    def _reset(self) -> None:
        """The node restarts; half of the time its storage is gone."""
        if isinstance(self.target, Storing) and self._rng.randrange(2):
            self.target.storage.erase()
            self._value = WATCHED.default
        self.honest["resets"] += 1
        self._heard(self.target.reset()[0])
        before = self._session
        self._learn()
        self._last = None
        if self._session == before or self._counter:
            self._fault("a reset", "without a new session")

    # -- the attacker: each makes one attempt

    def _forge(self) -> None:
        """A command of his own, its trailer drawn."""
        counter = self._rng.choice(
            (self._counter + 1, self._counter, 1, keyed.COUNTER_END - 1, self._rng.getrandbits(32))
        )
        trailer = (
            bytes((Association.COMMAND,)) + counter.to_bytes(4, "big") + self._rng.randbytes(keyed.TAG_SIZE)
        )
        self._attempt("forged", host.resized(self._set(WATCHED.low) + trailer))

    def _alter(self) -> None:
        """A command of the owner that never arrived, a few bits altered, its CRC made right."""
        packet = bytearray(self._sign().packet)
        for _ in range(self._rng.randrange(1, 4)):
            packet[self._rng.randrange(9, len(packet))] ^= 1 << self._rng.randrange(8)
        if bytes(packet) != self._commands[-1].packet:
            self._attempt("altered", bytes(packet))

    def _replay(self) -> None:
        """A command of the owner once more, of this boot or an earlier one."""
        past = [c for c in self._commands[-400:] if c.session != self._session or c.counter <= self._counter]
        if past:
            command = self._rng.choice(past)
            self._attempt("replayed", command.packet, repetition=command == self._last)

    def _resign(self) -> None:
        """Signed with another key, in another session, or with the key of answers."""
        key, session = self._rng.choice(
            (
                (OTHER.derived("monitor", Association.COMMAND), self._session),
                (
                    self._command_key,
                    self._rng.choice(self._commands).session[::-1] if self._commands else bytes(8),
                ),
                (self._answer_key, self._session),
            )
        )
        self._attempt(
            "signed otherwise", keys.sign_command(self._set(WATCHED.low), key, self._counter + 1, session)
        )

    def _strip(self) -> None:
        """A command with its trailer cut short, or without one."""
        packet = self._sign().packet
        cut = packet[: len(packet) - self._rng.randrange(1, keyed.trailer_size("command") + 1)]
        self._attempt("truncated", host.resized(cut))

    def _mislead(self) -> None:
        """The owner is told of a counter that is not the node's, signs above it, and then asks again."""
        far = (
            keyed.COUNTER_END - 2,
            self._counter + keyed.COUNTER_LEAP,
            self._rng.randrange(keyed.COUNTER_END),
        )
        self._next = self._rng.choice(far)
        self.attempts["misled"] += 1
        self._deliver(self._sign())
        self._learn()

    def _sample(self) -> None:
        """A sample that lies: without a tag, with a drawn one, for an earlier challenge; or a true one of before."""
        kind = self._rng.randrange(4)
        lie = self._answer(self._answer_key, self._rng.randbytes(keyed.TAG_SIZE), FALSE_CPA)
        if kind == 0:
            lie = self._answer(OTHER.derived("transducer", Association.ANSWER), self._challenge, FALSE_CPA)
        elif kind == 1:
            lie = host.resized(lie[: SAMPLE.size - t.PEC])
        elif kind == 2 and self._answers:
            lie = self._rng.choice(self._answers[-3:])
        self.attempts["samples"] += 1
        before = self._ask(keyed.REPORT_SESSION, "session")["refused"]
        self._give(lie)
        if self._ask(REPORT, "housekeeping")["pressure_cPa"] == FALSE_CPA:
            self._fault("a sample that lies", "believed")
        if self._ask(keyed.REPORT_SESSION, "session")["refused"] == before:
            self._fault("a sample of the attacker's", "not refused")

    def _attempt(self, kind: str, packet: bytes, repetition: bool = False) -> None:
        self.attempts[kind] += 1
        said = self._give(packet)
        if any(p.packet.name == "completed" for p in said) != repetition:
            self._fault(kind, "answered as executed" if not repetition else "not answered again")
        self._check(kind)

    def _check(self, what: str) -> None:
        """The node's parameter and counter are the model's."""
        value = self._ask(GET, "parameter_value", parameter=WATCHED.id)["value"]
        if value != self._value:
            self._fault(what, f"obeyed: {WATCHED.name} is {value}, not {self._value}")
        counter = self._ask(keyed.REPORT_SESSION, "session")["counter"]
        if counter != self._counter:
            self._fault(what, f"has moved the counter to {counter}, from {self._counter}")

    def _fault(self, what: str, did: str) -> None:
        self.faults.append(f"attempt {self.attempts.total()}, {self._t_ms} ms: {what}: {did}")


_TC = t.by_name(t.TC_PACKETS)
SET, GET, REPORT = _TC["set_parameter"], _TC["report_parameter"], _TC["report_hk"]
SAMPLE = t.by_name(t.TM_PACKETS)["sample"]


@contextmanager
def assaulting(name: str, seed: int) -> Iterator[Assault]:
    """A campaign against the emulated target ``name``, keyed for it, as ``seed`` draws it."""
    keying = Keying(MasterKey(stream(seed, "attack/key").randbytes(keyed.KEY_SIZE)), seed)
    target = open_target(name, keying)
    try:
        yield Assault(target, keying, seed)
    finally:
        target.close()
