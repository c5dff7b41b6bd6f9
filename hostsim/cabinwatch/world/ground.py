"""The ground station: decodes everything the monitor sends, keeps its sequence gaps, and sends telecommands.

Telecommands go one at a time; one that is not answered is repeated as it was, which the monitor answers again without
executing it again. So a lossy link delays a command and never doubles it. Before the first goes a ping (GND-01): what
another ground station sent last, with whatever count, is then no longer the last, and no command is taken for it.
Events that were lost on the way are asked for, and an alarm is acknowledged by the occurrence in an event that came.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from cabinwatch.text import name
from cabinwatch.world.events import EventLog, EventReport
from cabinwatch.world.keying import GUESS, Signer
from cabinwatch_protocol import host, keyed
from cabinwatch_protocol import table as t
from cabinwatch_protocol.alarms import TELLS, Point

TRIES = 6
LATE = 8192
"""A sequence count that is behind by less than this is an older packet come late or twice, not a gap."""


EVENTS, CLASSES = frozenset(t.Event), frozenset(t.AlarmClass)
NO_OCCURRENCE = 0xFFFF
"""What no alarm has: acknowledges nothing where nothing has been heard of."""


@dataclass(slots=True)
class LinkCounts:
    """What the ground saw of the link."""

    frames: int = 0
    crc_errors: int = 0
    resyncs: int = 0
    """Stretches of damage of another kind: wrong COBS or length, over-long."""
    lost: int = 0
    """Packets missing by the sequence counts, modulo 16384 for each application process."""
    aliens: int = 0


DONE, NOT_ANSWERED, VOID, PENDING = "done", "not answered", "void: the monitor restarted", "no answer yet"


@dataclass(slots=True)
class Commanded:
    """A telecommand that somebody asked for: when, its words, and what became of it: DONE, "refused: ..." ..."""

    t_ms: int
    words: str
    verdict: str = PENDING

    @property
    def name(self) -> str:
        """The first of its words: what a scenario calls ``do``."""
        return self.words.split()[0]

    def text(self) -> str:
        """One line for people."""
        return f"{self.words}: {self.verdict}"


@dataclass(slots=True)
class _Command:
    packet: t.Packet
    values: dict[str, int]
    ack: int
    told: Commanded
    asked: bool = False
    """Whether somebody asked for it: the others are the ground's own."""
    sequence: int = -1
    tries: int = 0
    head: bytes = b""
    """As it was first sent, without PEC: a repetition is the same packet."""


@dataclass
class Ground:
    """``uplink(frame)`` puts a telecommand's frame on the link; ``on_event`` is told of each event."""

    uplink: Callable[[bytes], None]
    on_event: Callable[[EventReport], None] = lambda event: None
    on_telemetry: Callable[[host.Decoded], None] = lambda tm: None
    on_command: Callable[[Commanded], None] = lambda command: None
    """Told of each command that was asked for when its verdict is known."""
    counts: LinkCounts = field(default_factory=LinkCounts)
    events: list[EventReport] = field(default_factory=list)
    housekeeping: dict[str, int] = field(default_factory=dict)
    health: int | None = None
    """The transducer's, as last reported or told by an event; None: nothing was heard."""
    history: list[tuple[int, dict[str, int]]] = field(default_factory=list)
    """Every housekeeping report: when it reached the ground, its fields."""
    since: EventReport | None = None
    """The newest event of the cabin's alarm that the last housekeeping report does not know of."""
    alarms: dict[str, int] = field(default_factory=dict)
    """The last report of the alarms' state."""
    session: dict[str, int] = field(default_factory=dict)
    """The last report of a keyed monitor's session."""
    parameters: dict[str, int] = field(default_factory=dict)
    """Sent to the monitor after each of its boot events, by name."""
    signer: Signer | None = None
    """Where the monitor has a key."""
    retry_ms: int = 2000
    """How long an answer may take before a command is sent again."""
    issued: int = 0
    """Telecommands sent, each counted once; all the ``sendings`` count the repeats."""
    sendings: int = 0
    answered: int = 0
    void: int = 0
    """Sent and not answered when the monitor restarted."""
    commands: list[Commanded] = field(default_factory=list)
    """What was asked for, in that order."""
    unanswered: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Words of the ground's own commands (parameters) and of others that came to nothing."""
    _next: dict[str, int] = field(default_factory=dict)
    _queue: deque[_Command] = field(default_factory=deque)
    _log: EventLog = field(default_factory=EventLog)
    _alarms: dict[Point, EventReport] = field(default_factory=dict)
    """The newest event heard of each alarm."""
    _pinged: bool = False
    _sequence: int = 0
    _clock_ms: int = 0
    due_ms: int | None = None
    """When ``retry`` wants to be called: the command in flight has waited long enough then."""

    def command(
        self, packet: t.Packet, values: dict[str, int], t_ms: int, words: str = "", ack: int = 9
    ) -> None:
        """Queue a telecommand for the monitor, ``words`` for people; it goes out when those before it are answered."""
        idle = not self._queue
        told = Commanded(t_ms, words or packet.name)
        self.commands.append(told)
        if packet is PERFORM and "argument" not in values:
            values = {**values, "argument": self._unacknowledged()}
        self._enqueue(_Command(packet, values, ack | t.Ack.COMPLETION, told, asked=True))
        if idle:
            self._send(t_ms)

    def _unacknowledged(self) -> int:
        """The occurrence to acknowledge, as far as the ground has heard: the highest class first."""
        heard = sorted(self._alarms.values(), key=lambda e: (e.state & 1, e.alarm, e.occurrence))
        return heard[-1].occurrence if heard else NO_OCCURRENCE

    def _ask_for_lost(self, t_ms: int) -> None:
        """Ask for one event that was not heard, where none is asked for yet."""
        number = self._log.missing()
        if number is None or any(c.packet is REPORT_EVENT for c in self._queue):
            return
        idle = not self._queue
        told = Commanded(t_ms, f"report_event {number}")
        self._enqueue(_Command(REPORT_EVENT, {"number": number}, 9, told))
        if idle:
            self._send(t_ms)

    def _enqueue(self, command: _Command) -> None:
        if not self._pinged and command.packet is not PING:
            self._queue.append(_Command(PING, {}, t.Ack.COMPLETION, Commanded(0, PING.name)))
        self._pinged = True
        self._queue.append(command)

    def retry(self, t_ms: int) -> None:
        """Send the command in flight once more, or give it up after TRIES."""
        if self.due_ms is None or t_ms < self.due_ms:
            return
        if self._queue[0].tries < TRIES:
            self._send(t_ms)
        else:
            command = self._queue.popleft()
            self._settle_session(command, None)
            self.unanswered.append(command.told.words)
            self._tell(command, NOT_ANSWERED)
            self._proceed(t_ms)

    def _tell(self, command: _Command, verdict: str) -> None:
        command.told.verdict = verdict
        if command.asked:
            self.on_command(command.told)

    def _send(self, t_ms: int) -> None:
        command = self._queue[0]
        if self._needs_session(command):
            ask = keyed.REPORT_SESSION
            command = _Command(ask, {}, t.Ack.COMPLETION, Commanded(t_ms, ask.name))
            self._queue.appendleft(command)
        if command.sequence < 0:
            self.issued += 1
            command.sequence = self._sequence
            self._sequence = (self._sequence + 1) & 0x3FFF
            command.head = host.encode_tc(
                command.packet, t.Apid.MONITOR, command.sequence, command.values, ack=command.ack
            )
            if self.signer and command.packet in keyed.GUARDED:
                command.head = self.signer.sign(command.head)
        command.tries += 1
        self.sendings += 1
        self.due_ms = t_ms + self.retry_ms
        self.uplink(host.seal(command.head))

    def _needs_session(self, command: _Command) -> bool:
        unsigned = command.sequence < 0 and command.packet in keyed.GUARDED
        return self.signer is not None and unsigned and not self.signer.session

    def _settle_session(self, command: _Command, failure: int | None) -> None:
        """What the end of a command tells the signer. It never asks twice for one command: nothing goes in circles."""
        if self.signer is None:
            return
        if command.packet is keyed.REPORT_SESSION:
            self.signer.session = self.signer.session or GUESS
        elif failure in (t.Failure.TAG, t.Failure.COUNTER):
            self.signer.session = b""

    def _proceed(self, t_ms: int) -> None:
        self.due_ms = None
        if self._queue:
            self._send(t_ms)

    def frame(self, frame: host.Frame) -> None:
        """Count a frame that is damaged."""
        if frame.verdict is host.Verdict.CRC:
            self.counts.crc_errors += 1
        else:
            self.counts.resyncs += 1

    def telemetry(self, tm: host.Decoded, t_ms: int) -> None:
        """Take one packet of the monitor."""
        expected = self._next.get(tm.role, tm.sequence)
        booted = tm.role == "monitor" and tm.packet.service == 5 and tm.values["event"] == t.Event.BOOT
        gap = (tm.sequence - expected) & 0x3FFF
        monitor = tm.role == "monitor"
        # A boot event can be lost: a clock that went back tells of it, and so does a monitor first heard.
        restarted = booted or (monitor and tm.time_ms < self._clock_ms)
        first = monitor and tm.role not in self._next
        if restarted or gap < LATE:
            self.counts.lost += 0 if restarted else gap
            self._next[tm.role] = (tm.sequence + 1) & 0x3FFF
        if monitor:
            self._clock_ms = tm.time_ms
        if restarted:
            if self.signer:
                self.signer.session = b""
            self._log.restart()
            self._alarms.clear()
        self.on_telemetry(tm)
        match tm.packet.service:
            case 1:
                self._verification(tm, t_ms)
            case 3 if tm.role == "monitor":
                self.housekeeping = tm.values
                self.health = tm.values["health"]
                self.history.append((t_ms, tm.values))
                self.since = None
                self._log.newest(tm.values["last_event"])
            case 128 if tm.packet is ALARMS:
                self.alarms = tm.values
            case 130 if monitor:
                self.session = tm.values
                if self.signer:
                    self.signer.learn(tm.values)
            case 5 | 128 if tm.values["event"] not in EVENTS or tm.values.get("severity", 1) not in CLASSES:
                self.counts.aliens += 1
            case 128:
                self._event(tm, t_ms)
            case 5:
                self._event(tm, t_ms)
        if restarted or first:
            self.configure(t_ms, void=restarted)
        if monitor:
            self._ask_for_lost(t_ms)

    def _event(self, tm: host.Decoded, t_ms: int) -> None:
        v = tm.values
        more: dict[str, int] = {}
        severity = tm.packet.subtype
        if tm.role == "monitor":
            more = {n: v[n] for n in ("occurrence", "alarm", "alarm_cause", "state", "number")}
            if tm.packet is RECORDED_EVENT:
                severity = v["severity"]
                more["late_ms"] = tm.time_ms - (v["day"] * t.DAY_MS + v["ms"])
            else:
                self._log.newest(v["number"])
            told_again = v["event"] in UNNUMBERED
            if not told_again and not self._log.heard(v["number"]):
                return
        event = EventReport(t_ms, t.AlarmClass(severity), t.Event(v["event"]), v["cause"], v["value"], **more)
        if event.event in (t.Event.SENSOR_LOST, t.Event.SENSOR_AGAIN):
            self.health = event.cause
        elif event.event in (t.Event.SENSOR_RETURNED, t.Event.SENSOR_FOUND):
            self.health = t.Health.OK
        self._note(event)
        self.events.append(event)
        self.on_event(event)

    def _note(self, event: EventReport) -> None:
        """Keep what is newest of each alarm."""
        if event.number is None:
            return
        point = Point.CABIN if event.event is t.Event.BOOT else TELLS.get(event.event, (None, None))[0]
        if point is not None and (point not in self._alarms or not event.late_ms):
            self._alarms[point] = event
        if point is Point.CABIN and not self._is_known(event):
            self.since = event

    def _is_known(self, event: EventReport) -> bool:
        """Whether an event that came late is older than what was heard in the meantime."""
        known_ms = self.history[-1][0] if self.history else -1
        if self.since:
            known_ms = max(known_ms, self.since.t_ms - self.since.late_ms)
        return bool(event.late_ms) and event.t_ms - event.late_ms <= known_ms

    def _verification(self, tm: host.Decoded, t_ms: int) -> None:
        if tm.packet.subtype == 1 or not self._queue:
            return
        command = self._queue[0]
        if command.sequence == tm.values["request_sequence"] & 0x3FFF:
            self._queue.popleft()
            self.answered += 1
            failure = tm.values.get("failure")
            self._settle_session(command, failure)
            if failure is None:
                self._tell(command, DONE)
            else:
                if command.packet is REPORT_EVENT:
                    self._log.heard(command.values["number"])
                self._tell(command, f"refused: {name(t.Failure, failure)}")
                self.refused.append(f"{command.told.words}: {name(t.Failure, failure)}")
            self._proceed(t_ms)

    def configure(self, t_ms: int, void: bool = True) -> None:
        """Set the parameters (again), after a restart or at first contact; a restart makes void what was in flight."""
        in_flight = [c for c in self._queue if c.tries and not void]
        waiting = [c for c in self._queue if c.tries == 0]
        for command in self._queue:
            if command.tries and void:
                self.void += 1
                self._tell(command, VOID)
        self._queue = deque(in_flight)
        if self.signer:
            ask = keyed.REPORT_SESSION
            self._enqueue(_Command(ask, {}, t.Ack.COMPLETION, Commanded(t_ms, ask.name)))
        numbers = {p.name: p.id for p in t.MONITOR_PARAMETERS}
        for parameter, value in self.parameters.items():
            own = Commanded(t_ms, f"set {parameter} {value}")
            self._enqueue(_Command(SET, {"parameter": numbers[parameter], "value": value}, 9, own))
        self._queue.extend(waiting)
        if not in_flight:
            self._proceed(t_ms)


_TC = {p.name: p for p in t.TC_PACKETS}
SET, PING, PERFORM, REPORT_EVENT = (_TC[n] for n in ("set_parameter", "ping", "perform", "report_event"))
_TM = {p.name: p for p in t.TM_PACKETS}
RECORDED_EVENT, ALARMS = _TM["recorded_event"], _TM["alarms"]
UNNUMBERED = {t.Event.LINK_NOISE, t.Event.ALARM_REMINDER, t.Event.SENSOR_REMINDER, t.Event.REFUSED}
