"""The soak: a live node on a fast line full of faults, and a judge of what the protocol promises to keep.

The faults are on the stream between the node and the world, so both sides of them are seen: what the node took and
sent, and what the ground was left with. Nothing is judged by the clock on the wall: a busy machine changes no verdict.
"""

import subprocess
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from random import Random
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from cabinwatch.errors import CabinwatchError
from cabinwatch.models.commands import Telecommand
from cabinwatch.models.line_faults import AnyLinkFault
from cabinwatch.models.scenario import Scenario
from cabinwatch.run.live import Live
from cabinwatch.run.transcript import Recorder, Step
from cabinwatch.targets import live_node
from cabinwatch.targets.device import SERVERS
from cabinwatch.targets.serial_port import open_port
from cabinwatch.tether import Tether
from cabinwatch.world.seeds import stream
from cabinwatch.world.world import World
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

BAUD = 921_600
CYCLE_S = 5.0
FAULTY_S = 3.0
"""Part of a cycle in which the line has faults; in the rest it is sound."""
GRACE_S = 1.5
"""How long a sound line may show what it was before: a telecommand that was lost is repeated by then."""
KINDS = 5
"""Kinds of faults at a time."""
LOOK_S = 0.001
ASK_MS = 1
"""The ground looks so often whether it can send the next telecommand."""
PATIENCE_S = 120.0
TOLD = 20
THRESHOLD = next(p for p in t.MONITOR_PARAMETERS if p.name == "threshold")
DAMAGE = (host.Verdict.CRC, host.Verdict.FRAMING, host.Verdict.SIZE)
COUNTERS = ("frames_ok", "bad_crc", "bad_framing", "bad_size")


def _faults(rng: Random) -> dict[str, dict[str, Any]]:
    """One of each kind, its strength drawn. What puts packets out of order is left out: it makes no loss."""
    rate = 10 ** rng.uniform(-3.5, -1.5)
    return {
        "flip": {"rate": rate / 5}, "burst": {"enter": rate, "leave": 0.2, "loss": 0.2},
        "merge": {"rate": rate}, "drop": {"rate": rate}, "repeat": {"rate": rate}, "swap": {"rate": rate},
        "jitter": {"rate": rate, "most_ms": 20}, "delay": {"most_ms": rng.choice((5, 50))},
        "stuck": {"level": rng.choice(("high", "low"))}, "break": {"every_s": 0.05}, "echo": {},
        "baud": {"error": rng.choice((0.03, 0.06, -0.06))}, "babble": {"every_s": 0.05, "most": 80},
        "clog": {"room": 500},
    }  # fmt: skip


def faults(seed: int, seconds: float) -> list[dict[str, Any]]:
    """The faults of a soak that lasts so long, as in a scenario file."""
    rng = stream(seed, "soak")
    found = []
    for cycle in range(round(seconds / CYCLE_S)):
        begin = cycle * CYCLE_S
        some = _faults(rng)
        for kind in rng.sample(sorted(some), KINDS):
            at = begin + rng.uniform(0, FAULTY_S / 2)
            # These let nothing through, or all of it at the end: shorter, so that others have their turn.
            end = at + 0.5 if kind in ("stuck", "clog") else begin + FAULTY_S
            way = rng.choice(("up", "down", "both"))
            found.append(
                {"kind": kind, "at": round(at, 3), "until": round(end, 3), "direction": way, **some[kind]}
            )
    return found


class _Due(NamedTuple):
    """A telecommand that reached the node whole: what it must answer, and what it must know by then."""

    packet: str
    sequence: int
    counters: tuple[int, ...]
    threshold: int


class Judge(Recorder):
    """Sees what went into the node and what came out of it, faults and all, and notes what is wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.sent: list[tuple[int, int, str]] = []
        self.polls = 0
        self.answers = 0
        self.compared = 0
        self.due: deque[_Due] = deque()
        self._verdicts: Counter[host.Verdict] = Counter()
        self._to_node = host.StreamDecoder()
        self._from_node = host.StreamDecoder()
        self._next: dict[str, int] = {}
        self._threshold = THRESHOLD.default
        self._last: dict[str, dict[str, int]] = {}

    @property
    def damaged(self) -> int:
        """Damaged frames that reached the node."""
        return sum(self._verdicts[verdict] for verdict in DAMAGE)

    def add(self, step: Step) -> None:
        super().add(step)
        for frame in self._from_node.feed(step.tx):
            self._hear(frame, step.t_ms / 1000)
        for frame in self._to_node.feed(step.rx):
            self._verdicts[frame.verdict] += 1
            if frame.verdict is host.Verdict.OK and frame.packet[:2] == TO_MONITOR:
                self._command(host.decode(frame.packet))

    def _command(self, tc: host.Decoded) -> None:
        if tc.packet.name == "set_parameter" and tc.values["parameter"] == THRESHOLD.id:
            self._threshold = tc.values["value"]
        counted = tuple(self._verdicts[verdict] & 0xFFFF for verdict in (host.Verdict.OK, *DAMAGE))
        self.due.append(_Due(tc.packet.name, tc.sequence, counted, self._threshold))

    def _hear(self, frame: host.Frame, at_s: float) -> None:
        if frame.verdict is not host.Verdict.OK:
            if self._next:  # before the first frame: a port opened in the middle of one
                self._note(at_s, f"the node sent a damaged frame: {frame.raw.hex()}")
            return
        packet = host.decode(frame.packet)
        kind = packet.packet.kind
        expected = self._next.get(kind, packet.sequence)
        if packet.sequence != expected:
            self._note(at_s, f"the node's {kind} counts go from {expected - 1} to {packet.sequence}")
        self._next[kind] = (packet.sequence + 1) & 0x3FFF
        if kind == "TC":
            self.polls += 1
            return
        self.sent.append((packet.sequence, packet.time_ms, packet.packet.name))
        self._last[packet.packet.name] = packet.values
        if packet.packet.service == 1 and packet.packet.subtype != 1:
            self._answer(packet.values["request_sequence"] & 0x3FFF, at_s)

    def _answer(self, sequence: int, at_s: float) -> None:
        self.answers += 1
        if not self.due:
            self._note(at_s, f"telecommand {sequence} was answered and had not come")
            return
        due = self.due.popleft()
        if due.sequence != sequence:
            self._note(at_s, f"telecommand {due.sequence} had come, and {sequence} was answered")
        elif due.packet == "report_hk":
            counters = tuple(self._last["housekeeping"][name] for name in COUNTERS)
            self.compared += 1
            if counters != due.counters:
                self._note(at_s, f"the node counted {counters} of {COUNTERS}, and {due.counters} had come")
        elif due.packet == "report_parameter" and self._last["parameter_value"]["value"] != due.threshold:
            self._note(
                at_s, f"threshold is {self._last['parameter_value']['value']} and was set to {due.threshold}"
            )

    def _note(self, at_s: float, text: str) -> None:
        self.wrong.append(f"at {at_s:.3f} s: {text}")


TO_MONITOR = (0x1800 | t.Apid.MONITOR).to_bytes(2, "big")
COMMANDS: tuple[dict[str, Any], ...] = (
    {"do": "ping"}, {"do": "set", "parameter": "threshold"}, {"do": "report"}, {"do": "get", "parameter": "threshold"},
    {"do": "acknowledge"}, {"do": "hk_on"},
)  # fmt: skip


@dataclass
class Soaked:
    """What came of a soak; ``wrong`` is empty where everything that the protocol promises was kept."""

    seconds: float
    sent: int
    polls: int
    reached_ground: int
    lost: int
    wrongly_accepted: int
    damaged_up: int
    damaged_down: int
    telecommands: int
    answered: int
    given_up: int
    sendings: int
    counters_compared: int
    sound_spells: int
    faults: dict[str, int]
    wrong: list[str]

    def text(self) -> list[str]:
        """For people."""
        return [
            f"{self.sent:,} packets and {self.polls:,} polls from the node; {self.reached_ground:,} packets reached "
            f"the ground, {self.lost:,} were lost and known to be, {self.wrongly_accepted} were wrongly accepted",
            f"damaged frames: {self.damaged_up:,} at the ground, {self.damaged_down:,} at the node, whose counters "
            f"were compared {self.counters_compared:,} times",
            f"telecommands: {self.telecommands:,} in {self.sendings:,} sendings; {self.answered:,} answered, "
            f"{self.given_up:,} given up; {self.sound_spells} spells in which the line was sound again",
            "faults: " + ", ".join(f"{kind} {n:,}" for kind, n in sorted(self.faults.items())),
            *(f"WRONG {text}" for text in self.wrong[:TOLD]),
        ]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


class Soak:
    """One soak of the node on ``url``."""

    def __init__(self, seed: int, seconds: float, baud: int = BAUD) -> None:
        self.seconds = max(1, round(seconds / CYCLE_S)) * CYCLE_S
        some: TypeAdapter[list[AnyLinkFault]] = TypeAdapter(list[AnyLinkFault])
        self.world = World(
            Scenario.model_validate(
                {
                    "title": "soak",
                    "duration": self.seconds + CYCLE_S,
                    "cabin": {"compartments": {"cabin": {"volume": "100 m3"}}},
                    "parameters": {"poll_period": 100, "hk_period": 1000, "reply_timeout": 50},
                    "link": {"baud": baud, "faults": some.validate_python(faults(seed, self.seconds))},
                }
            ),
            seed,
        )
        self.judge = Judge()
        self._before: tuple[int, ...] = ()
        self._frames = 0
        self._accepted: list[tuple[int, int, str]] = []
        self._asked = 0
        self._spells = 0
        ground = self.world.ground
        ground.retry_ms = 300
        ground.on_telemetry = lambda tm: self._accepted.append((tm.sequence, tm.time_ms, tm.packet.name))
        for cycle in range(round(self.seconds / CYCLE_S)):
            sound_s = cycle * CYCLE_S + FAULTY_S
            self.world.at(round((sound_s + GRACE_S) * 1000), self._begin_spell)
            self.world.at(round((cycle + 1) * CYCLE_S * 1000), self._end_spell)
        self.world.at(0, self._ask)

    def run(self, url: str, explain: Callable[[str], str] = str) -> Soaked:
        """Play it. Raises SetupError and TargetDied as a live run does."""
        with open_port(url, self.world.scenario.link.baud) as port:
            port.timeout = LOOK_S
            live = Live(self.world, port, self.judge, explain=explain)
            live.run(self.world.scenario.duration_ms, patience_s=PATIENCE_S)
        return self.judged()

    def _ask(self) -> None:
        """Send the next telecommand as soon as the last one is done with, until the last sound spell is over."""
        if self.world.ground.due_ms is None:
            words = COMMANDS[self._asked % len(COMMANDS)]
            if words["do"] == "set":
                words = {**words, "value": THRESHOLD.low + self._asked % (THRESHOLD.high - THRESHOLD.low)}
            self.world.add_telecommand(Telecommand.model_validate({"at": self.world.now_ms / 1000, **words}))
            self._asked += 1
        if self.world.now_ms < self.seconds * 1000:
            self.world.at(self.world.now_ms + ASK_MS, self._ask)

    # -- a sound line shows no damage

    def _seen(self) -> tuple[int, ...]:
        counts = self.world.ground.counts
        return counts.lost, counts.crc_errors, counts.resyncs, counts.aliens, self.judge.damaged

    def _begin_spell(self) -> None:
        self._before, self._frames = self._seen(), self.world.ground.counts.frames

    def _end_spell(self) -> None:
        self._spells += 1
        where = f"at {self.world.now_ms / 1000:.3f} s: the line was sound again"
        if self._seen() != self._before:
            self.judge.wrong.append(f"{where} and showed damage: {self._before} became {self._seen()}")
        if self.world.ground.counts.frames == self._frames:
            self.judge.wrong.append(f"{where} and nothing came")

    # -- at the end

    def judged(self) -> Soaked:
        """What came of it, when it has been played."""
        judge, ground, wrong = self.judge, self.world.ground, self.judge.wrong
        came = set(self._accepted)
        order = {key: i for i, key in enumerate(judge.sent)}
        places = [order[key] for key in came if key in order]
        lost = max(places, default=0) + 1 - min(places, default=0) - len(places)
        forged = len(came) - len(places)
        if forged:
            wrong.append(f"the ground accepted {forged} packets that the node never sent")
        if ground.counts.lost != lost:
            wrong.append(f"the ground counted {ground.counts.lost} packets lost, and {lost} were")
        if judge.due:
            wrong.append(f"{len(judge.due)} telecommands reached the node and were never answered")
        given_up = len(ground.unanswered) + ground.void
        if ground.issued != ground.answered + given_up:
            wrong.append(
                f"of {ground.issued} telecommands {ground.answered} were answered and {given_up} given up"
            )
        if not (judge.compared and came and ground.answered):
            wrong.append("nothing was put to the test")
        return Soaked(
            self.seconds, len(judge.sent), judge.polls, len(places), lost, forged,
            ground.counts.crc_errors + ground.counts.resyncs, judge.damaged, ground.issued, ground.answered,
            given_up, ground.sendings, judge.compared, self._spells,
            {kind: n for kind, n in self.world.link_counts().items() if n}, wrong,
        )  # fmt: skip


@contextmanager
def node(target: str) -> Iterator[tuple[str, Callable[[str], str]]]:
    """The URL of a live node; the firmware as a process on a pty where ``target`` is one that `device` can serve."""
    if target not in SERVERS:
        with live_node(target) as found:
            yield found
        return
    command = [sys.executable, "-m", "cabinwatch", "device", "--target", target]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        tether = Tether()
        tether.hold(process.pid)
        try:
            url = process.stdout.readline().strip()
            if not url:
                raise CabinwatchError(process.stderr.read().strip())
            yield url, str
        finally:
            tether.release()
            process.terminate()


__all__ = ["BAUD", "Soak", "Soaked", "node"]
