"""The reference: what a right monitor sends, octet for octet, whatever it is sent.

It plays the protocol's rules in absolute times on top of the host codec, beside the monitor under test, and takes the
monitor's packets one by one in the order in which it expects them. Only what the leak detector finds is left to the
monitor; what its alarms make of that is played from the alarm table.
"""

from collections import Counter, deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from cabinwatch.models.node_faults import PowerLoss
from cabinwatch.run.transcript import Step
from cabinwatch.verify.fuzz.alarm_model import DOUBLINGS, AlarmModel, Blindness
from cabinwatch.verify.fuzz.findings import Finding
from cabinwatch.verify.fuzz.situations import CAUSES, ENDINGS, RESETS, Situation, move
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t
from cabinwatch_protocol.alarms import EVENTS, NEXT, Condition, Point, Transition
from cabinwatch_protocol.table import AlarmState as State

ACCEPTED = {(p.service, p.subtype): p.data_size for p in t.TC_PACKETS if "monitor" in p.roles}
SERVICES = {service for service, _ in ACCEPTED}
PARAMETERS = t.MONITOR_PARAMETERS
DETECTOR_FIELDS = ("alarm_now", "cause", "law", "rate_cPa_h", "sigma_cPa_h", "tres_s")
SAMPLE_SIZE = t.TM_HEADER_SIZE + t.size_of(t.SAMPLE) + t.PEC
COMPOSITION_SIZE = t.TM_HEADER_SIZE + t.size_of(t.COMPOSITION) + t.PEC
STUCK_MOST = 100_000
ORDERLY = 3
"""Stamps in order after which a clock that went back is believed again: SEN-04."""
CLOCK_SPAN_MS = 2**28 - 1
"""A window of SEN-14 ends early beyond this."""
RECORD_SIZE = 2 + 3 + 4 * len(PARAMETERS) + 2 + 2 * 4 + 2
AGREE = 3
"""Samples in a row that end an inhibit."""
GIVE_WAY_MS = 100
"""Housekeeping waits for a step that sends nothing else, so long at most."""
RECORDED = 16
OCCURRENCE_MAX = 65_534
_P = {p.name: p.id for p in PARAMETERS}


DETECTORS = {
    int(EVENTS[told][Point.CABIN]): told
    for told in (Transition.RAISED, Transition.AGAIN, Transition.RETURNED, Transition.ENDED)
}
"""The events by which the cabin's alarm tells what the detector finds."""
ALOUD = (Transition.RAISED, Transition.AGAIN)
"""What may be told before a sample is believed: what has become worse."""


class Wrong(AssertionError):
    """The monitor did what it should not; ``kind`` is the class of the failure."""

    def __init__(self, kind: Finding, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def small(raw: bytes) -> int:
    """A signed 32-bit field held within the node's 31-bit integers."""
    return max(1 - (1 << 30), min((1 << 30) - 1, int.from_bytes(raw, "big", signed=True)))


class _PowerFailed(Exception):
    """The supply failed in a write to storage: the monitor does no more, and boots."""


@dataclass(frozen=True)
class _Kept:
    """What outlasts a reset."""

    parameters: list[int]
    occurrence: int
    cabin: tuple[int, ...]
    blind: tuple[int, ...]


class Reference:
    """Beside one monitor from its power-on; ``step`` is given every step in order and raises `Wrong`."""

    def __init__(self) -> None:
        self.node_ms = 0
        self._released_ms = -1
        self.packets_in = 0
        self.boots = 0
        self.cabin, self.blind = AlarmModel(Point.CABIN), Blindness()
        self.alarms: list[tuple[int, int]] = []
        self.moves: list[tuple[int, Point]] = []
        """When each alarm moved by itself: not by an acknowledgement, nor by a reminder."""
        self.stirred_ms: list[int] = []
        """When somebody stirred the alarms from outside: boots, functions, settings."""
        self.entered: Counter[str] = Counter()
        """How often the monitor was in each of the situations."""
        self._out: deque[host.Decoded] = deque()
        self._decoder = host.StreamDecoder()
        self._stream = host.StreamDecoder()
        self._booted = False
        self._sequence = self._poll_sequence = 0
        self._kept: _Kept | None = None
        self._broken = self._changed = False
        self._loss: PowerLoss | None = None

    def forget_stored(self) -> None:
        """Somebody emptied the monitor's storage: its next boot finds nothing."""
        self._kept, self._broken = None, False

    # -- one step

    def step(self, step: Step) -> None:
        """Judge one step: what came in, what went out, and when the monitor wants to go on."""
        self._read(step.tx)
        if not self._booted or step.reset:
            self.node_ms = step.t_ms
            power = not self._booted or step.power is not None
            self._boot(t.Reset.POWER_ON if power else t.Reset.EXTERNAL)
            self._booted = True
        else:
            elapsed_ms = step.t_ms - self.node_ms
            self.node_ms = step.t_ms
            self._loss = step.power
            try:
                self._live(step.rx, elapsed_ms)
            except _PowerFailed:
                self._boot(t.Reset.POWER_ON)
            if self._loss is not None:
                raise Wrong(Finding.STORAGE, "wrote to storage and had no reason to")
        if self._out:
            raise Wrong(Finding.EXTRA, f"sent unasked: {self._out[0].text()}")
        wake = self._wake()
        if step.wake_ms != wake:
            raise Wrong(Finding.TIMING, f"wants to be woken in {step.wake_ms} ms, not {wake}")

    def _live(self, rx: bytes, elapsed_ms: int) -> None:
        before = self._sequence
        self._pass(elapsed_ms)
        for frame in self._decoder.feed(rx):
            self._frame(frame)
        self._due(before if rx else None)
        if self.rebooting:
            self._boot(t.Reset.COMMANDED)

    def _set(self, number: int, value: int) -> None:
        self._changed = self._changed or self.parameters[number] != value
        self.parameters[number] = value

    def _store(self) -> None:
        """Parameters and alarms are stored where one has changed, if power lasts, beside those stored last."""
        if not self._changed:
            return
        kept = _Kept(list(self.parameters), self._occurrence, self.cabin.kept(), self.blind.kept())
        if self._loss is None:
            self._kept, self._broken, self._changed = kept, False, False
            return
        (octets, wrong), self._loss = self._loss, None
        octets = min(octets, RECORD_SIZE)
        whole = octets == RECORD_SIZE and not 0 <= wrong < octets
        if self._kept is None or self._latched_in(kept) != self._latched_in(self._kept):
            self.entered[Situation.LAST_WRITE] += whole
            self.entered[Situation.TORN_WRITE] += octets > 0 and not whole
        self._broken = octets > 0 and not whole
        if whole:
            self._kept = kept
        raise _PowerFailed

    @staticmethod
    def _latched_in(kept: _Kept) -> tuple[tuple[int, ...], ...]:
        return kept.cabin, kept.blind

    def _read(self, tx: bytes) -> None:
        frames = self._stream.feed(tx)
        if tx and (tx[0] or tx[-1] or tx.count(0) != 2 * len(frames)):
            raise Wrong(Finding.CODEC, f"a delimiter before and after each frame is missing: {tx.hex()}")
        for frame in frames:
            if frame.verdict is not host.Verdict.OK or not frame.canonical:
                raise Wrong(Finding.CODEC, f"sent a frame with {frame.verdict.value}: {frame.raw.hex()}")
            try:
                packet = host.decode(frame.packet)
            except host.Alien as alien:
                raise Wrong(Finding.CODEC, f"sent {frame.packet.hex()}: {alien}") from None
            if packet.packet.kind == "TM" and (frame.packet[6] & 15 or any(frame.packet[9:11])):
                raise Wrong(Finding.CODEC, f"time status and message count must be 0: {frame.packet.hex()}")
            self._out.append(packet)

    # -- what it sends

    def _take(self, name: str, **expected: Any) -> dict[str, int]:
        """The next packet sent, which must be ``name`` with these fields."""
        if not self._out:
            raise Wrong(Finding.MISSING, f"{name} {expected} was due and did not come")
        got = self._out.popleft()
        peer = expected.pop("peer", 0)
        if got.packet.name != name:
            raise Wrong(Finding.WRONG, f"{name} {expected} was due; {got.text()} came")
        if got.packet.kind == "TM":
            if got.role != "monitor" or got.sequence != self._sequence:
                raise Wrong(
                    Finding.SEQUENCE,
                    f"sequence count {self._sequence} was due: {got.sequence} in {got.text()}",
                )
            self._sequence = (self._sequence + 1) % 16384
            shown = (self.node_ms - self._boot_ms) % (65536 * t.DAY_MS)
            if got.time_ms != shown:
                raise Wrong(Finding.TIME, f"stamped {got.time_ms} ms at {shown} ms since boot: {got.text()}")
        if got.peer != peer:
            raise Wrong(Finding.WRONG, f"for {got.peer}, not for {peer}: {got.text()}")
        for field, value in expected.items():
            if got.values[field] != value:
                raise Wrong(Finding.WRONG, f"{field} must be {value} in {got.text()}")
        return got.values

    def _poll(self, role: str) -> None:
        got = self._out[0] if self._out else None
        if got is None or got.packet.name != "report_hk" or got.role != role:
            raise Wrong(
                Finding.MISSING, f"a poll of the {role} was due; {got.text() if got else 'nothing'} came"
            )
        if got.sequence != self._poll_sequence or got.ack:
            raise Wrong(
                Finding.SEQUENCE,
                f"poll number {self._poll_sequence} was due: {got.sequence}, flags {got.ack}",
            )
        self._poll_sequence = (self._poll_sequence + 1) % 16384
        self._take("report_hk", n=1, sid=1, peer=int(t.Apid.MONITOR))

    def _event(
        self,
        severity: int,
        event: t.Event,
        *,
        alarm: AlarmModel | None = None,
        numbered: bool = True,
        **known: Any,
    ) -> None:
        alarm = alarm or self.cabin
        if numbered:
            self._number = (self._number + 1) % 256
        latched = {
            "occurrence": alarm.occurrence, "alarm": alarm.latched, "alarm_cause": alarm.cause,
            "state": alarm.state, "number": self._number,
        }  # fmt: skip
        got = self._take(f"event_{t.AlarmClass(severity).name.lower()}", event=event, **latched, **known)
        if numbered:
            self.entered[Situation.RING_FULL] += len(self._recorded) == RECORDED
            day, ms = divmod(self.node_ms - self._boot_ms, t.DAY_MS)
            self._recorded.append({**got, "severity": severity, "day": day % 65_536, "ms": ms})

    def _boot(self, cause: t.Reset) -> None:
        self.boots += 1
        self.stirred_ms.append(self.node_ms)
        self._enter_reset()
        kept = self._kept
        self.cabin, self.blind = AlarmModel(Point.CABIN), Blindness()
        self.parameters = [p.default for p in PARAMETERS]
        self._occurrence = 0
        if kept is not None:
            self.parameters, self._occurrence = list(kept.parameters), kept.occurrence
            self.cabin.recall(kept.cabin)
            self.blind.recall(kept.blind)
        stored = t.Stored.KEPT * (kept is not None) | t.Stored.BROKEN * self._broken
        self._number = -1
        self._recorded: deque[dict[str, int]] = deque(maxlen=RECORDED)
        self._data_ms = self._level = self._beyond = self._justified = 0
        self._sampled_ms = self.node_ms
        self._changed = False
        self.counts = dict.fromkeys(
            ("frames_ok", "bad_crc", "bad_framing", "bad_size", "rejected", "timeouts"), 0
        )
        self._decoder = host.StreamDecoder()
        self._boot_ms = now = self.node_ms
        self._sequence = self._poll_sequence = 0
        self._last: tuple[bytes, int] | None = None
        self._poll_due, self._reply_due, self._tries = now, None, 0
        self._gas_due = now
        self._hk_due = now + self.parameter("hk_period")
        self.hk_on = True
        self._noise = 0
        self.health: int = t.Health.SILENT
        self.cabin.told_ms = self.blind.told_ms = now
        self.pressure = self.temperature = 0
        self._same = 0
        self._stamps: dict[str, tuple[int, int]] = {}
        self._disorder = 0
        self._clock_wrong = False
        self._ran: list[tuple[int, int]] = []
        self._stamped_ms = now
        self.rebooting = False
        self._event(t.AlarmClass.ADVISORY, t.Event.BOOT, cause=cause, value=stored << 24 | t.VERSION)
        self._pass(0)
        self._due()

    def _enter_reset(self) -> None:
        """Note what a boot finds latched, and what it ends."""
        if self.cabin.state in RESETS:
            self.entered[RESETS[self.cabin.state]] += 1
        self.entered[Situation.RESET_BLIND] += self.blind.state is not State.NORMAL
        self.entered[Situation.RESET_INHIBITED] += self.cabin.suppressed_until is not None

    @property
    def latched(self) -> int:
        """The latched class of the cabin's alarm."""
        return self.cabin.latched

    def parameter(self, name: str) -> int:
        """The value of a parameter as the monitor should hold it."""
        return self.parameters[_P[name]]

    # -- what it does when

    _reply_due: int | None
    _number: int
    _boot_ms: int

    def _due(self, before: int | None = None) -> None:
        """What its timers ask for; ``before``: the sequence count before octets were taken in this step."""
        now = self.node_ms
        if self._reply_due is not None and self._reply_due <= now:
            self._bump("timeouts")
            self._reply_due = None
            if self._tries < self.parameter("poll_retries"):
                self._tries += 1
                self._reply_due = now + self.parameter("reply_timeout")
                self._poll("transducer")
            else:
                self._sensor(t.Health.SILENT)
        self._poll_due = min(self._poll_due, now + self.parameter("poll_period"))
        if self._reply_due is None and self._poll_due <= now:
            self._poll_due = self._after(self._poll_due, self.parameter("poll_period"))
            self._tries = 0
            self._reply_due = now + self.parameter("reply_timeout")
            self._poll("transducer")
        self._hk_due = min(self._hk_due, now + self.parameter("hk_period"))
        gives_way = before not in (None, self._sequence) and now - self._hk_due < GIVE_WAY_MS
        if self._hk_due <= now and not gives_way:
            self._hk_due = self._after(self._hk_due, self.parameter("hk_period"))
            bad = self.counts["bad_crc"] + self.counts["bad_framing"] + self.counts["bad_size"]
            noise, self._noise = (bad - self._noise) % 65536, bad
            if noise >= t.NOISE_LIMIT:
                known: dict[str, Any] = {"cause": min(noise, 255), "value": noise}
                self._event(t.AlarmClass.ADVISORY, t.Event.LINK_NOISE, numbered=False, **known)
            if self.hk_on:
                self._report(0)

    def _after(self, due: int, period: int) -> int:
        return due + period if due + period > self.node_ms else self.node_ms + period

    def _wake(self) -> int:
        poll = self._poll_due if self._reply_due is None else self._reply_due
        due = [self._hk_due, poll]
        for alarm in (self.cabin, self.blind):
            if alarm.suppressed_until is not None:
                due.append(alarm.suppressed_until)
            if alarm.unacknowledged and self.parameter("remind"):
                due.append(alarm.told_ms + self.parameter("remind") * 1000)
        due += [self.node_ms + ms for ms in self.blind.due_ms(self.health, *self._thresholds())]
        return max(1, min(due) - self.node_ms)

    def _thresholds(self) -> tuple[int, int]:
        return self.parameter("blind_delay"), self.parameter("blind_escalate")

    def _report(self, peer: int) -> None:
        expected = {
            "alarm": self.latched, "health": self.health, "pressure_cPa": self.pressure % 2**32,
            "temperature_cK": self.temperature, "last_event": self._number, **self.counts,
        }  # fmt: skip
        got = self._take("housekeeping", peer=peer, **expected)
        flags = self._flags()
        if got["flags"] & ~t.Flag.NITROGEN_WATCH != flags:
            raise Wrong(Finding.WRONG, f"flags must be {flags} but for the nitrogen watch: {got['flags']}")
        self._justified = got["alarm_now"]
        inhibited = self.cabin.suppressed_until is not None
        self.entered[Situation.INHIBIT_OVER_A_LEAK] += inhibited and got["alarm_now"] > 0
        if not inhibited and got["alarm_now"] > self.latched:
            raise Wrong(Finding.LATCH, f"class {got['alarm_now']} is justified and {self.latched} latched")
        if inhibited and got["alarm_now"] > self.cabin.inhibited:
            raise Wrong(
                Finding.LATCH,
                f"class {got['alarm_now']} is justified, and only {self.cabin.inhibited} inhibited",
            )
        if got["rate_cPa_h"] > 0 and got["alarm_now"]:
            raise Wrong(Finding.WRONG, f"an alarm on a rising pressure, {got['rate_cPa_h']} cPa/h")

    def _flags(self) -> int:
        cabin, blind = self.cabin, self.blind
        return (
            t.Flag.PERIODIC_HK * self.hk_on
            | t.Flag.ACKNOWLEDGED * (cabin.state is State.ACKNOWLEDGED)
            | t.Flag.RETURNED * (cabin.state is State.RETURNED)
            | t.Flag.INHIBITED * (cabin.suppressed_until is not None)
            | t.Flag.BLIND * (blind.state is not State.NORMAL)
            | t.Flag.BLIND_ACKNOWLEDGED * (blind.state is State.ACKNOWLEDGED)
            | t.Flag.OUT_OF_SERVICE * (blind.suppressed_until is not None)
        )

    def _bump(self, counter: str) -> None:
        self.counts[counter] = (self.counts[counter] + 1) % 65536

    # -- alarms

    def _pass(self, elapsed_ms: int) -> None:
        """Time passes: reminders, ends of suppressions, blindness."""
        for alarm in (self.cabin, self.blind):
            remind_ms = self.parameter("remind") * 1000
            if remind_ms and alarm.unacknowledged and self.node_ms - alarm.told_ms >= remind_ms:
                self._play(alarm, Condition.REMIND, 0, alarm.cause)
            if alarm.suppressed_until is not None and alarm.suppressed_until <= self.node_ms:
                self._release(alarm, t.Ending.TIME)
                if alarm is self.cabin:
                    self._follow()
        self._watch_health(elapsed_ms)

    def _watch_health(self, elapsed_ms: int) -> None:
        off_delay_s = self.parameter("off_delay")
        condition = self.blind.condition(self.health, elapsed_ms, *self._thresholds(), off_delay_s)
        unseen = self.blind.suppressed_until is not None and self.health and self.blind.now
        self.entered[Situation.OUT_OF_SERVICE] += bool(unseen)
        if condition is not None:
            self._play(self.blind, condition, self.blind.now, self.health)

    def _play(self, alarm: AlarmModel, condition: Condition, now: int, cause: int) -> None:
        """Move an alarm, take the event, and store what is latched now."""
        occurrence = self._occurrence % OCCURRENCE_MAX + 1
        row = alarm.moved(condition, now, cause, occurrence, self.node_ms - self._boot_ms)
        if row is None:
            return
        told = row.told
        self.entered[move(alarm.point, row)] += 1
        if condition not in (Condition.ACKNOWLEDGE, Condition.REMIND):
            self.moves.append((self.node_ms, alarm.point))
        if told is Transition.RAISED:
            self._occurrence = occurrence
            self._enter_raised(alarm, cause)
            if alarm is self.cabin:
                self.alarms.append((self.node_ms, now))
        aloud = told <= Transition.REMINDED
        if aloud:
            alarm.told_ms = self.node_ms
        if told in ALOUD:
            alarm.quiet_since_ms = self._data_ms
        known = {"cause": now if told is Transition.ENDED else cause}
        if alarm is self.blind:
            known["value"] = self.pressure
        severity = alarm.latched if aloud else t.AlarmClass.ADVISORY
        event = EVENTS[told][alarm.point]
        self._event(severity, event, alarm=alarm, numbered=told is not Transition.REMINDED, **known)
        if told is not Transition.REMINDED:
            self._changed = True
            self._store()

    def _enter_raised(self, alarm: AlarmModel, cause: int) -> None:
        if alarm is self.blind:
            self.entered[Situation.BLIND_WHILE_LATCHED] += self.cabin.state is not State.NORMAL
            return
        self.entered[Situation.LATCHED_WHILE_BLIND] += self.blind.state is not State.NORMAL
        self.entered[Situation.ALARM_AFTER_INHIBIT] += self._released_ms == self.node_ms
        if cause in CAUSES:
            self.entered[CAUSES[cause]] += 1

    def _follow(self, may_tell: Collection[Transition] = tuple(Transition)) -> None:
        """The detector has spoken: what the cabin's alarm tells of it must be a move that the table has."""
        got = self._next_event()
        if self.cabin.suppressed_until is not None or got is None:
            return
        told = DETECTORS.get(got.values["event"])
        if told is None or told not in may_tell:
            return
        now = 0
        if told is Transition.RAISED:
            now = got.packet.subtype
        elif told is Transition.ENDED:
            now = got.values["cause"]
        lower = Condition.LOWER if now else Condition.CLEAR
        condition = {
            Transition.RAISED: Condition.RISE, Transition.AGAIN: Condition.ACTIVE,
            Transition.RETURNED: Condition.CLEAR, Transition.ENDED: lower,
        }[told]  # fmt: skip
        cabin = self.cabin
        row = NEXT.get((cabin.state, condition))
        rises = now > cabin.latched
        if row is None or row.told is not told or rises is not (told is Transition.RAISED):
            raise Wrong(
                Finding.LATCH, f"{got.text()} while class {cabin.latched} is {cabin.state.name.lower()}"
            )
        quiet_ms = self._data_ms - cabin.quiet_since_ms
        settled = quiet_ms >= cabin.off_delay_ms(self.parameter("off_delay"))
        if condition in (Condition.LOWER, Condition.CLEAR) and not settled:
            raise Wrong(Finding.LATCH, f"{got.text()} after {quiet_ms} ms")
        self._play(cabin, condition, now, got.values["cause"])

    def _sampled(self) -> None:
        """A sample has come as far as the detector: does an inhibit still hold?"""
        self._level = self._level or self.pressure
        permitted = self.pressure >= self._level - self.parameter("permit")
        self._beyond = 0 if permitted and self.pressure > self.parameter("reserve") else self._beyond + 1
        self._watch_inhibit(self._beyond >= AGREE)
        self._follow()

    def _watch_inhibit(self, beyond: bool) -> None:
        """An inhibit ends where the air has fallen too far, and where the detector says so."""
        cabin = self.cabin
        if cabin.suppressed_until is None:
            return
        got = self._next_event()
        ended = got.values if got is not None and got.values["event"] == t.Event.INHIBIT_ENDED else None
        if beyond:
            above = ended is not None and ended["value"] == t.Ending.CLASS
            self._release(cabin, t.Ending.CLASS if above else t.Ending.FALL)
            self._follow()
            if cabin.latched < t.AlarmClass.EMERGENCY or cabin.state is State.RETURNED:
                raise Wrong(
                    Finding.LATCH, "an inhibit ended by a fall beyond what it permits, and no Emergency"
                )
        elif ended is not None:
            above = ended["cause"] > cabin.inhibited
            self._release(cabin, t.Ending.CLASS if above else t.Ending.FALL)

    def _release(self, alarm: AlarmModel, ending: t.Ending) -> None:
        alarm.suppressed_until = None
        if alarm is self.cabin:
            self.entered[ENDINGS[ending]] += 1
            self._released_ms = self.node_ms
        else:
            self.entered[Situation.IN_SERVICE] += ending is t.Ending.TIME
        event = EVENTS[Transition.RELEASED][alarm.point]
        known: dict[str, Any] = {"cause": self.health} if alarm is self.blind else {}
        self._event(t.AlarmClass.ADVISORY, event, alarm=alarm, value=ending, **known)

    # -- what comes in

    def _frame(self, frame: host.Frame) -> None:
        counter = {
            host.Verdict.OK: "frames_ok", host.Verdict.CRC: "bad_crc",
            host.Verdict.FRAMING: "bad_framing", host.Verdict.SIZE: "bad_size",
        }[frame.verdict]  # fmt: skip
        self._bump(counter)
        if frame.verdict is not host.Verdict.OK:
            return
        self.packets_in += 1
        b = frame.packet
        pid = int.from_bytes(b[:2], "big")
        if b[2] >> 6 != 3:
            self._bump("rejected")
        elif pid == 0x1800 | t.Apid.MONITOR:
            self._telecommand(b)
        elif pid not in (0x0800 | t.Apid.TRANSDUCER, 0x0800 | t.Apid.ANALYSER):
            self._bump("rejected")
        else:
            self._instrument(b, pid == 0x0800 | t.Apid.TRANSDUCER)

    def _instrument(self, b: bytes, transducer: bool) -> None:
        report = (
            len(b) >= t.TM_MIN
            and b[6] >> 4 == t.PUS_VERSION
            and b[13] == t.CDS_P_FIELD
            and b[7:9] == b"\x03\x19"
        )
        if not report or len(b) == t.TM_MIN or b[20] != 1:
            return
        self._justified = 0
        stamp = int.from_bytes(b[14:16], "big"), small(b[16:20])
        if transducer and len(b) == SAMPLE_SIZE:
            self._reply_due = None
            self._sensor(self._sample(small(b[21:25]), int.from_bytes(b[25:27], "big"), b[27], stamp))
            if self.parameter("analyser_period") and self._gas_due <= self.node_ms:
                self._gas_due = self.node_ms + self.parameter("analyser_period")
                self._poll("analyser")
        elif not transducer and len(b) == COMPOSITION_SIZE:
            believed = not b[39] and self._plausible(small(b[21:25]), int.from_bytes(b[37:39], "big"))
            if believed and self._gap("analyser", stamp) > 0:
                self._watch_inhibit(False)
                self._follow(ALOUD)

    def _sample(self, pressure: int, temperature: int, status: int, stamp: tuple[int, int]) -> int:
        if status == t.Health.BELOW_RANGE or (not status and 0 <= pressure < self.parameter("pressure_low")):
            self._gap("transducer", stamp)
            self._stamped_ms = self.node_ms
        if status in (t.Health.OK, t.Health.BELOW_RANGE):
            # What the level and a fall out of the range justify is the detector's own business.
            self._watch_inhibit(False)
            self._follow(ALOUD)
        if status:
            return status
        if not self._plausible(pressure, temperature):
            return t.Health.IMPLAUSIBLE
        same = (pressure, temperature) == (self.pressure, self.temperature)
        self._same = min(self._same + 1, STUCK_MOST) if same else 0
        self.pressure, self.temperature = pressure, temperature
        if self.parameter("stuck_samples") and self._same >= self.parameter("stuck_samples"):
            return t.Health.STUCK
        first = "transducer" not in self._stamps
        gap = self._gap("transducer", stamp)
        wrong = self._clock(gap, t.DAY_MS if first else min(self.node_ms - self._stamped_ms, t.DAY_MS))
        if gap < 0:
            self._disorder = ORDERLY
        elif gap:
            self._disorder = max(self._disorder - 1, 0)
        if self._disorder or wrong:
            return t.Health.TIME
        if gap:
            # No less than the monitor counts, which after a restarted clock counts its own time.
            self._data_ms += max(min(gap, t.DAY_MS), self.node_ms - self._sampled_ms)
            self._sampled_ms = self.node_ms
            self._sampled()
        return t.Health.OK

    def _clock(self, gap: int, own: int) -> bool:
        """Whether the stamps of the last whole window ran at a factor outside 0.5 to 2 of the node's own time."""
        self._stamped_ms = self.node_ms
        if gap < 0:
            self._ran = []
            return False
        self._ran.append((own, min(gap, t.DAY_MS)))
        sums = [sum(part) for part in zip(*self._ran, strict=True)]
        stuck = self.parameter("stuck_samples")
        if len(self._ran) >= stuck // 2 or max(sums) > CLOCK_SPAN_MS:
            self._clock_wrong = stuck > 0 and not sums[0] / 2 <= sums[1] <= sums[0] * 2
            self._ran = []
        return self._clock_wrong

    def _plausible(self, pressure: int, temperature: int) -> bool:
        """Whether air can be so: within the set bounds, and above 100 K."""
        return (
            self.parameter("pressure_low") <= pressure <= self.parameter("pressure_high")
            and temperature >= 10_000
        )

    def _gap(self, role: str, stamp: tuple[int, int]) -> int:
        """Time since that instrument's last stamp, ms; negative where time went back or the stamp is no time."""
        if not 0 <= stamp[1] < t.DAY_MS:
            return -1
        seen = self._stamps.get(role)
        self._stamps[role] = stamp
        if seen is None:
            return t.DAY_MS
        days = (stamp[0] - seen[0] + 32768) % 65536 - 32768
        return days * t.DAY_MS + stamp[1] - seen[1]

    def _sensor(self, health: int) -> None:
        self.health = health
        self._watch_health(0)

    # -- telecommands

    def _telecommand(self, b: bytes) -> None:
        request = {
            "request_packet": int.from_bytes(b[:2], "big"),
            "request_sequence": int.from_bytes(b[2:4], "big"),
        }
        peer = int.from_bytes(b[9:11], "big")
        service, subtype, ack = b[7], b[8], b[6] & 15
        refusal = self._refusal(b, service, subtype)
        if refusal:
            self._take("not_accepted", peer=peer, failure=refusal, **request)
            return
        if ack & t.Ack.ACCEPTANCE:
            self._take("accepted", peer=peer, **request)
        again = self._last is not None and self._last[0] == b
        failure = self._execute(service, subtype, b[11:-2], again, peer)
        if again and self._last is not None:
            failure = self._last[1]
        self._last = b, failure
        if failure:
            self._take("failed", peer=peer, failure=failure, **request)
        elif ack & t.Ack.COMPLETION:
            self._take("completed", peer=peer, **request)

    def _refusal(self, b: bytes, service: int, subtype: int) -> int:
        if b[6] >> 4 != t.PUS_VERSION:
            return t.Failure.PUS_VERSION
        if service not in SERVICES:
            return t.Failure.SERVICE
        if (service, subtype) not in ACCEPTED:
            return t.Failure.SUBTYPE
        return 0 if len(b) == t.TC_MIN + ACCEPTED[service, subtype] else t.Failure.LENGTH

    def _execute(self, service: int, subtype: int, data: bytes, again: bool, peer: int) -> int:
        if service in (8, 20):
            self.stirred_ms.append(self.node_ms)
        if service == 17:
            self._take("alive", peer=peer)
            return 0
        if service == 8:
            self.entered[Situation.ACKNOWLEDGED_AGAIN] += again and data[0] == t.Function.ACKNOWLEDGE
            return 0 if again else self._perform(data[0], int.from_bytes(data[1:3], "big"))
        if service == 128:
            if subtype == 1:
                return self._report_event(data[0], peer)
            self._report_alarms(peer)
            return 0
        if data[0] != 1:
            return t.Failure.COUNT
        if service == 20:
            return self._parameter(subtype, data, again, peer)
        if data[1] != 1:
            return t.Failure.STRUCTURE
        if subtype == 27:
            self._report(peer)
        elif not again:
            self.hk_on = subtype == 5
        return 0

    def _parameter(self, subtype: int, data: bytes, again: bool, peer: int) -> int:
        number = data[1]
        if number >= len(PARAMETERS):
            return t.Failure.PARAMETER
        if subtype == 1:
            self._take("parameter_value", peer=peer, parameter=number, value=self.parameters[number])
        elif not again:
            value = int.from_bytes(data[2:6], "big", signed=True)
            if not PARAMETERS[number].low <= value <= PARAMETERS[number].high:
                return t.Failure.RANGE
            self._set(number, value)
            self._store()
        return 0

    def _perform(self, function: int, argument: int) -> int:
        if function == t.Function.ACKNOWLEDGE:
            return self._acknowledge(argument)
        if function in (t.Function.INHIBIT, t.Function.OUT_OF_SERVICE):
            return self._suppress(t.Function(function), argument)
        if function == t.Function.TEST_SIGNALS:
            self.entered[Situation.SIGNALS_TESTED] += self.cabin.state is not State.NORMAL
            return 0 if argument <= t.TEST_MAX else t.Failure.ARGUMENT
        if function not in list(t.Function):
            return t.Failure.FUNCTION
        if argument:
            return t.Failure.ARGUMENT
        if function == t.Function.RESTART_DETECTOR:
            self.entered[Situation.RESTARTED] += self.cabin.state is not State.NORMAL
            self._tell_hidden()
            self.cabin.doublings = DOUBLINGS
            self.cabin.quiet_since_ms = self._data_ms
        elif function == t.Function.REBOOT:
            self.rebooting = True
        elif function == t.Function.DEFAULTS:
            for p in PARAMETERS:
                self._set(p.id, p.default)
            self._store()
        return 0

    def _tell_hidden(self) -> None:
        """An inhibit ends before the detector forgets what it hides: what is justified is latched then."""
        got = self._next_event()
        if self.cabin.suppressed_until is None:
            return
        ended = got is not None and got.values["event"] == t.Event.INHIBIT_ENDED and got.values["cause"]
        if ended or self._justified:
            self.entered[Situation.FORGOTTEN] += 1
            self._release(self.cabin, t.Ending.COMMANDED)
            self._follow()
        self._justified = 0

    def _acknowledge(self, occurrence: int) -> int:
        latched = [a for a in (self.cabin, self.blind) if a.state is not State.NORMAL]
        meant = [a for a in latched if occurrence in (0, a.occurrence)]
        self._enter_acknowledged(occurrence, len(latched), len(meant))
        for alarm in meant:
            self._play(alarm, Condition.ACKNOWLEDGE, 0, alarm.cause)
        return 0 if meant else t.Failure.STALE if latched else t.Failure.NO_ALARM

    def _enter_acknowledged(self, occurrence: int, latched: int, meant: int) -> None:
        self.entered[Situation.NOTHING_TO_ACKNOWLEDGE] += not latched
        overtaken = latched and not meant and 0 < occurrence < self._occurrence
        self.entered[Situation.OVERTAKEN] += bool(overtaken)
        self.entered[Situation.ACKNOWLEDGED_ONE] += latched == 2 and meant == 1
        self.entered[Situation.ACKNOWLEDGED_BOTH] += meant == 2

    def _suppress(self, function: t.Function, argument: int) -> int:
        highest, seconds = divmod(argument, 1 << t.INHIBIT_CLASS_SHIFT)
        inhibit = function is t.Function.INHIBIT
        if seconds > t.INHIBIT_MAX_S or highest > t.AlarmClass.EMERGENCY:
            return t.Failure.ARGUMENT
        if highest and not (inhibit and seconds):
            return t.Failure.ARGUMENT
        alarm = self.cabin if inhibit else self.blind
        if inhibit and alarm.suppressed_until is None:
            self._level, self._beyond = self.pressure, 0
        if seconds:
            if inhibit:
                self.entered[Situation.INHIBIT_RENEWED] += alarm.suppressed_until is not None
                self.entered[Situation.INHIBIT_WHILE_LATCHED] += alarm.state is not State.NORMAL
            alarm.inhibited = (highest or t.AlarmClass.EMERGENCY) if inhibit else t.AlarmClass.WARNING
            alarm.suppressed_until = self.node_ms + seconds * 1000
            event = EVENTS[Transition.SUPPRESSED][alarm.point]
            known: dict[str, Any] = {"cause": alarm.inhibited, "value": seconds}
            self._event(t.AlarmClass.ADVISORY, event, alarm=alarm, **known)
        elif alarm.suppressed_until is not None:
            self._release(alarm, t.Ending.COMMANDED)
        if inhibit:
            self._watch_inhibit(False)
            self._follow()
        else:
            self._watch_health(0)
        return 0

    def _report_event(self, number: int, peer: int) -> int:
        for event in self._recorded:
            if event["number"] == number:
                self.entered[Situation.TOLD_AFTERWARDS] += 1
                self._take("recorded_event", peer=peer, **event)
                return 0
        self.entered[Situation.NO_LONGER_RECORDED] += 1
        return t.Failure.NO_EVENT

    def _report_alarms(self, peer: int) -> None:
        expected = {"inhibited": self.cabin.inhibited if self.cabin.suppressed_until is not None else 0}
        for name, alarm in (("cabin", self.cabin), ("blind", self.blind)):
            left_ms = (alarm.suppressed_until or self.node_ms) - self.node_ms
            day, ms = divmod(alarm.raised_ms, t.DAY_MS)
            values = (
                alarm.state, alarm.latched, alarm.cause, alarm.first_cause, alarm.occurrence,
                day % 65_536, ms, -(-left_ms // 1000),
            )  # fmt: skip
            fields = ("state", "class", "cause", "first_cause", "occurrence", "day", "ms", "suppressed_s")
            expected |= {f"{name}_{field}": value for field, value in zip(fields, values, strict=True)}
        self._take("alarms", peer=peer, **expected)

    def _next_event(self) -> host.Decoded | None:
        """What comes next, where it is an event."""
        return self._out[0] if self._out and self._out[0].packet.fields is t.MONITOR_EVENT else None
