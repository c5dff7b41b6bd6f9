"""The instruments on the link as the host plays them: PUS nodes that answer polls with what they measure.

They speak through the host codec, so that they share nothing with the firmware they talk to.
"""

from dataclasses import dataclass, field
from typing import Protocol

from cabinwatch.world.keying import Guard
from cabinwatch.world.sensors import Reading
from cabinwatch_protocol import host, keyed, keys
from cabinwatch_protocol import table as t


class Measures(Protocol):
    """What an instrument measures with."""

    def read(self, t_ms: int) -> Reading:
        """The values of its report by field name and the stamp of its own clock, at a time in ms of the world."""
        ...

    def silent(self, t_s: float) -> bool:
        """Whether it does not answer at all."""
        ...


@dataclass
class Instrument:
    """One instrument: ``role`` names its packets in the table, ``delay_ms`` is its answering time."""

    role: str
    element: Measures
    delay_ms: int = 5
    sequence: int = 0
    last_request: bytes = b""
    last_failure: t.Failure = t.Failure.NONE
    parameters: list[int] = field(init=False)
    clock_ms: int = 0
    status: int = 0
    """Of the last sample: a change is told."""
    guard: Guard | None = None
    """Of a keyed one."""
    challenge: bytes = b""

    def __post_init__(self) -> None:
        self.limits = t.PARAMETERS.get(self.role, ())
        self.parameters = [p.default for p in self.limits]

    @property
    def apid(self) -> int:
        """Its application process identifier."""
        return t.ROLES[self.role]

    def boot(self, cause: t.Reset) -> bytes:
        """The boot event, as frames for the link."""
        self.last_request = b""
        self.status = 0
        if self.guard:
            self.guard.boot()
        self.parameters = [p.default for p in self.limits]
        values = {"event": t.Event.BOOT, "cause": cause, "value": t.VERSION}
        return self._tm("instrument_event_advisory", values)

    def answer(self, packet: bytes, t_ms: int) -> bytes:
        """Frames in answer to a telecommand for this APID whose CRC is good; empty where it has nothing to say."""
        if self.element.silent(t_ms / 1000):
            return b""
        reading = self.element.read(t_ms)
        self.clock_ms = reading.stamp_ms
        version, service, subtype = packet[6:9]
        request = {
            "request_packet": int.from_bytes(packet[0:2], "big"),
            "request_sequence": int.from_bytes(packet[2:4], "big"),
        }
        peer = int.from_bytes(packet[9:11], "big")
        failure = self._acceptable(packet, service, subtype)
        if failure:
            return self._refusal(failure) + self._tm("not_accepted", {**request, "failure": failure}, peer)
        out = b""
        if version & t.Ack.ACCEPTANCE:
            out += self._tm("accepted", request, peer)
        again = packet == self.last_request
        self.last_request = packet
        if self.guard:
            self.challenge = keys.challenge_of(packet) if service == 3 else b""
            again = self.guard.again
        report, failure = self._execute(
            service, subtype, packet[t.TC_HEADER_SIZE : -t.PEC], reading, again, peer
        )
        out += report
        if again:
            failure = self.last_failure
        elif not self.guard or self.guard.judged:
            self.last_failure = failure
        if failure:
            out += self._tm("failed", {**request, "failure": failure}, peer)
        elif version & t.Ack.COMPLETION:
            out += self._tm("completed", request, peer)
        return out

    def _acceptable(self, packet: bytes, service: int, subtype: int) -> t.Failure:
        if packet[6] >> 4 != t.PUS_VERSION:
            return t.Failure.PUS_VERSION
        known = (keyed if self.guard else t).packet("TC", service, subtype, self.role)
        if known is None:
            mine = {p.service for p in t.TC_PACKETS if self.role in p.roles}
            return t.Failure.SUBTYPE if service in mine else t.Failure.SERVICE
        if self.guard:
            self.guard.again = self.guard.judged = False
            if known in keyed.GUARDED:
                return self.guard.judge(packet, known)
            if known.service == 3 and keys.challenge_of(packet):
                return t.Failure.NONE
        return t.Failure.NONE if len(packet) == t.TC_MIN + known.data_size else t.Failure.LENGTH

    def _refusal(self, failure: t.Failure) -> bytes:
        """What a keyed instrument tells of a telecommand that it refused for its trailer."""
        if (
            not self.guard
            or failure not in (t.Failure.TAG, t.Failure.COUNTER)
            or not self.guard.tells(self.clock_ms)
        ):
            return b""
        values = {"event": t.Event.REFUSED, "cause": failure, "value": self.guard.refused}
        return self._tm("instrument_event_advisory", values)

    def _execute(
        self, service: int, subtype: int, data: bytes, reading: Reading, again: bool, peer: int
    ) -> tuple[bytes, t.Failure]:
        if service == 17:
            return self._tm("alive", {}, peer), t.Failure.NONE
        if service == 130 and self.guard:
            return self._tm("session", self.guard.report(), peer), t.Failure.NONE
        if data[0] != 1:
            return b"", t.Failure.COUNT
        if service == 3:
            if data[1] != 1:
                return b"", t.Failure.STRUCTURE
            return self._report(reading.values, peer), t.Failure.NONE
        number = data[1]
        if number >= len(self.limits):
            return b"", t.Failure.PARAMETER
        if subtype == 1:
            value = {"parameter": number, "value": self.parameters[number]}
            return self._tm("parameter_value", value, peer), t.Failure.NONE
        new = int.from_bytes(data[2:6], "big", signed=True)
        if not again:
            if not self.limits[number].low <= new <= self.limits[number].high:
                return b"", t.Failure.RANGE
            self.parameters[number] = new
        told = b""
        if self.guard and not again:
            values = {"event": t.Event.COMMANDED, "cause": 128 + number, "value": peer}
            told = self._tm("instrument_event_advisory", values)
        return told, t.Failure.NONE

    def _report(self, values: dict[str, int], peer: int) -> bytes:
        """The report of its role; behind a transducer's, an event where its status has changed."""
        if self.role != "transducer":
            return self._tm(REPORTS[self.role], values, peer)
        was, self.status = self.status, values["status"]
        pressure = values["pressure_cPa"] + (0 if self.status else self.parameters[0])
        pressure = min(max(pressure, 0), 0xFFFF_FFFF)
        out = self._tm("sample", {**values, "pressure_cPa": pressure}, peer)
        value = min(pressure, t.T_CAP)  # an event's is signed, and a wild reading may be any word
        if self.status and self.status != was:
            lost = {"event": t.Event.SENSOR_LOST, "cause": self.status, "value": value}
            out += self._tm("instrument_event_caution", lost)
        elif was and not self.status:
            out += self._tm(
                "instrument_event_advisory", {"event": t.Event.SENSOR_FOUND, "cause": was, "value": value}
            )
        return out

    def _tm(self, name: str, values: dict[str, int], destination: int = 0) -> bytes:
        day, ms = divmod(self.clock_ms, t.DAY_MS)
        packet = TM[name]
        head = host.encode_tm(packet, self.apid, self.sequence, day & 0xFFFF, ms, values, destination)
        self.sequence = (self.sequence + 1) & 0x3FFF
        if self.guard and self.challenge and packet in keyed.POLLED:
            head = self.guard.answer(head, self.challenge)
        return host.seal(head)


TM = t.by_name((*t.TM_PACKETS, keyed.SESSION))
REPORTS = {"transducer": "sample", "analyser": "composition", "coolant": "coolant"}
