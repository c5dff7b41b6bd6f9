"""The reference: what a right monitor sends, octet for octet, whatever it is sent.

It plays the protocol's rules in absolute times on top of the host codec, beside the monitor under test, and takes the
monitor's packets one by one in the order in which it expects them. Only what the leak detector finds is left to the
monitor; the rules of latching, acknowledging and inhibiting are checked all the same.
"""

from collections import deque
from typing import Any

from cabinwatch.models.node_faults import PowerLoss
from cabinwatch.run.transcript import Step
from cabinwatch.verify.fuzz.findings import Finding
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

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
RECORD_SIZE = 2 + 3 + 4 * len(PARAMETERS) + 2
_P = {p.name: p.id for p in PARAMETERS}


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


class Reference:
    """Beside one monitor from its power-on; ``step`` is given every step in order and raises `Wrong`."""

    def __init__(self) -> None:
        self.node_ms = 0
        self.packets_in = 0
        self.boots = 0
        self.latched = 0
        self.alarms: list[tuple[int, int]] = []
        self._out: deque[host.Decoded] = deque()
        self._decoder = host.StreamDecoder()
        self._stream = host.StreamDecoder()
        self._booted = False
        self._sequence = self._poll_sequence = 0
        self._kept: list[int] | None = None
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
            self._due()
        else:
            self.node_ms = step.t_ms
            self._loss = step.power
            try:
                self._live(step.rx)
            except _PowerFailed:
                self._boot(t.Reset.POWER_ON)
                self._due()
            if self._loss is not None:
                raise Wrong(Finding.STORAGE, "wrote to storage and had no reason to")
        if self._out:
            raise Wrong(Finding.EXTRA, f"sent unasked: {self._out[0].text()}")
        wake = self._wake()
        if step.wake_ms != wake:
            raise Wrong(Finding.TIMING, f"wants to be woken in {step.wake_ms} ms, not {wake}")

    def _live(self, rx: bytes) -> None:
        self._inhibition()
        for frame in self._decoder.feed(rx):
            self._frame(frame)
        self._due()
        if self.rebooting:
            self._boot(t.Reset.COMMANDED)
            self._due()

    def _set(self, number: int, value: int) -> None:
        self._changed = self._changed or self.parameters[number] != value
        self.parameters[number] = value

    def _store(self) -> None:
        """All parameters are stored where one has changed, if power lasts, beside those stored last, which stay."""
        if not self._changed:
            return
        if self._loss is None:
            self._kept, self._broken, self._changed = list(self.parameters), False, False
            return
        (octets, wrong), self._loss = self._loss, None
        octets = min(octets, RECORD_SIZE)
        whole = octets == RECORD_SIZE and not 0 <= wrong < octets
        self._broken = octets > 0 and not whole
        if whole:
            self._kept = list(self.parameters)
        raise _PowerFailed

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

    def _event(self, severity: t.AlarmClass, event: t.Event, cause: int, value: int | None = None) -> None:
        known = {} if value is None else {"value": value}
        self._take(f"event_{severity.name.lower()}", event=event, cause=cause, **known)

    def _boot(self, cause: t.Reset) -> None:
        self.boots += 1
        kept = self._kept is not None
        self.parameters = [p.default for p in PARAMETERS] if self._kept is None else list(self._kept)
        self._changed = False
        stored = t.Stored.KEPT * kept | t.Stored.BROKEN * self._broken
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
        self.latched = 0
        self.acknowledged = False
        self._judged = True
        self._inhibited_until: int | None = None
        self.pressure = self.temperature = 0
        self._same = 0
        self._heard = False
        self._stamps: dict[str, tuple[int, int]] = {}
        self._disorder = 0
        self._clock_wrong = False
        self._ran: list[tuple[int, int]] = []
        self._stamped_ms = now
        self.rebooting = False
        self._event(t.AlarmClass.ADVISORY, t.Event.BOOT, cause, stored << 24 | t.VERSION)

    def parameter(self, name: str) -> int:
        """The value of a parameter as the monitor should hold it."""
        return self.parameters[_P[name]]

    # -- what it does when

    _reply_due: int | None

    def _due(self) -> None:
        now = self.node_ms
        if self._reply_due is not None and self._reply_due <= now:
            self._bump("timeouts")
            self._reply_due = None
            if self._tries < self.parameter("poll_retries"):
                self._tries += 1
                self._reply_due = now + self.parameter("reply_timeout")
                self._poll("transducer")
            else:
                if not self._heard:
                    self._heard, self.health = True, t.Health.OK
                self._sensor(t.Health.SILENT)
        self._poll_due = min(self._poll_due, now + self.parameter("poll_period"))
        if self._reply_due is None and self._poll_due <= now:
            self._poll_due = self._after(self._poll_due, self.parameter("poll_period"))
            self._tries = 0
            self._reply_due = now + self.parameter("reply_timeout")
            self._poll("transducer")
        self._hk_due = min(self._hk_due, now + self.parameter("hk_period"))
        if self._hk_due <= now:
            self._hk_due = self._after(self._hk_due, self.parameter("hk_period"))
            bad = self.counts["bad_crc"] + self.counts["bad_framing"] + self.counts["bad_size"]
            noise, self._noise = (bad - self._noise) % 65536, bad
            if noise >= t.NOISE_LIMIT:
                self._event(t.AlarmClass.ADVISORY, t.Event.LINK_NOISE, min(noise, 255), noise)
            if self.hk_on:
                self._report(0)

    def _after(self, due: int, period: int) -> int:
        return due + period if due + period > self.node_ms else self.node_ms + period

    def _wake(self) -> int:
        poll = self._poll_due if self._reply_due is None else self._reply_due
        due = min(self._hk_due, poll)
        if self._inhibited_until is not None:
            due = min(due, self._inhibited_until)
        return max(0, due - self.node_ms)

    def _report(self, peer: int) -> None:
        flags = t.Flag.PERIODIC_HK * self.hk_on | t.Flag.ACKNOWLEDGED * self.acknowledged
        flags |= t.Flag.INHIBITED * (self._inhibited_until is not None)
        expected = {
            "alarm": self.latched, "health": self.health, "pressure_cPa": self.pressure % 2**32,
            "temperature_cK": self.temperature, **self.counts,
        }  # fmt: skip
        got = self._take("housekeeping", peer=peer, **expected)
        if got["flags"] & ~t.Flag.NITROGEN_WATCH != flags:
            raise Wrong(Finding.WRONG, f"flags must be {flags} but for the nitrogen watch: {got['flags']}")
        if self._judged and self._inhibited_until is None and got["alarm_now"] != self.latched:
            if got["alarm_now"] > self.latched:
                raise Wrong(
                    Finding.LATCH, f"class {got['alarm_now']} is justified and {self.latched} latched"
                )
            if self.acknowledged:
                raise Wrong(
                    Finding.LATCH, f"acknowledged, {got['alarm_now']} is justified and {self.latched} latched"
                )
        if got["rate_cPa_h"] > 0 and got["alarm_now"]:
            raise Wrong(Finding.WRONG, f"an alarm on a rising pressure, {got['rate_cPa_h']} cPa/h")

    def _bump(self, counter: str) -> None:
        self.counts[counter] = (self.counts[counter] + 1) % 65536

    # -- alarms

    def _judge(self) -> None:
        """A point at which the monitor may call, or end, an alarm."""
        if self._inhibited_until is not None:
            return
        self._judged = True
        got = self._out[0] if self._out else None
        if got is None or got.packet.service != 5:
            return
        event, level = got.values["event"], got.packet.subtype
        if event == t.Event.ALARM:
            if level <= self.latched:
                raise Wrong(Finding.LATCH, f"alarm of class {level} while {self.latched} is latched")
            self._take(got.packet.name)
            self.latched, self.acknowledged = level, False
            self.alarms.append((self.node_ms, level))
        elif event == t.Event.ALARM_ENDED:
            if not self.acknowledged or got.values["cause"] >= self.latched:
                raise Wrong(Finding.LATCH, f"{got.text()} while class {self.latched} is latched")
            self._take("event_advisory")
            self.latched = got.values["cause"]

    def _inhibition(self) -> None:
        if self._inhibited_until is not None and self._inhibited_until <= self.node_ms:
            self._inhibited_until = None
            # The class at this moment is the detector's own business.
            if not self._out:
                raise Wrong(Finding.MISSING, "the end of an inhibition was due")
            self._take("event_advisory", event=t.Event.INHIBIT_ENDED, value=0)
            self._judge()

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
                self._judge()

    def _sample(self, pressure: int, temperature: int, status: int, stamp: tuple[int, int]) -> int:
        if status in (t.Health.OK, t.Health.BELOW_RANGE):
            # What the level and a fall out of the range justify is the detector's own business.
            self._judge()
        if status == t.Health.BELOW_RANGE:
            self._gap("transducer", stamp)
        if status:
            return status
        if not self._plausible(pressure, temperature):
            return t.Health.IMPLAUSIBLE
        self._heard = True
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
            self._judge()
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
        was, self.health = self.health, health
        if was == health:
            return
        if health:
            self._event(t.AlarmClass.CAUTION, t.Event.SENSOR_LOST, health, self.pressure)
        else:
            self._event(t.AlarmClass.ADVISORY, t.Event.SENSOR_FOUND, was, self.pressure)

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
        if service == 17:
            self._take("alive", peer=peer)
            return 0
        if service == 8:
            return 0 if again else self._perform(data[0], int.from_bytes(data[1:3], "big"))
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
        if function == t.Function.INHIBIT:
            if argument > t.INHIBIT_MAX_S:
                return t.Failure.ARGUMENT
            self._inhibited_until = self.node_ms + argument * 1000 if argument else None
            self._judged = False
            return 0
        if function not in list(t.Function):
            return t.Failure.FUNCTION
        if argument:
            return t.Failure.ARGUMENT
        if function == t.Function.ACKNOWLEDGE:
            if not self.latched:
                return t.Failure.NO_ALARM
            self.acknowledged = True
            self._judge()
        elif function == t.Function.RESTART_DETECTOR:
            self._judged = False
        elif function == t.Function.REBOOT:
            self.rebooting = True
        elif function == t.Function.DEFAULTS:
            for p in PARAMETERS:
                self._set(p.id, p.default)
            self._store()
        return 0
