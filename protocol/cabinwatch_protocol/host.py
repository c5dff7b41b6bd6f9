"""The host codec: COBS and CRC by well-kept libraries, headers and fields by ``struct`` from the packet table.

Shares no code with protocol/device, so every exchange between the two is an interoperability test.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from struct import Struct

import crcmod.predefined
from cobs import cobs

from cabinwatch_protocol import keyed
from cabinwatch_protocol import table as t

crc16 = crcmod.predefined.mkCrcFun("crc-ccitt-false")
"""CRC-16/IBM-3740 of a bytes-like object: crcmod knows it under its older name."""

_PRIMARY = Struct(">HHH")
_TC = Struct(">BBBH")
_TM = Struct(">BBBHHBHI")


class Verdict(Enum):
    """What a stream decoder says of one frame."""

    OK = "ok"
    CRC = "wrong CRC"
    FRAMING = "wrong COBS or length"
    SIZE = "over-long"


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame off the stream: its verdict, the stuffed octets and, where the verdict is OK, the packet."""

    verdict: Verdict
    raw: bytes
    packet: bytes = b""
    canonical: bool = True


@dataclass(slots=True)
class StreamDecoder:
    """Splits a byte stream into frames; the same frames for any chunking. Memory is bounded by ``limit`` octets."""

    limit: int = t.FRAME_MAX
    _pending: bytearray = field(default_factory=bytearray)
    _over: bool = False

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that end within ``data``, in order."""
        frames = []
        *ended, rest = data.split(b"\0")
        for piece in ended:
            if self._pending or self._over:
                self._extend(piece)
                piece = bytes(self._pending)
                over, self._over = self._over, False
                self._pending.clear()
            else:
                over = len(piece) > self.limit
                piece = piece[: self.limit]
            if piece:
                frames.append(Frame(Verdict.SIZE, piece) if over else judge(piece))
        self._extend(rest)
        return frames

    def _extend(self, piece: bytes) -> None:
        room = self.limit - len(self._pending)
        self._over = self._over or len(piece) > room
        self._pending += piece[:room]


def judge(stuffed: bytes) -> Frame:
    """Unstuff and check one frame's octets (without delimiters), in the order of SPEC.md."""
    try:
        packet = cobs.decode(stuffed)
    except cobs.DecodeError:
        return Frame(Verdict.FRAMING, stuffed)
    if len(packet) < t.TC_MIN or len(packet) != int.from_bytes(packet[4:6], "big") + 7:
        return Frame(Verdict.FRAMING, stuffed)
    if crc16(packet):
        return Frame(Verdict.CRC, stuffed)
    canonical = len(stuffed) < 255 or cobs.encode(packet) == stuffed
    return Frame(Verdict.OK, stuffed, packet, canonical)


def seal(head: bytes) -> bytes:
    """The whole frame of a packet given without its PEC: PEC appended, stuffed, a delimiter on each side."""
    stuffed: bytes = cobs.encode(head + crc16(head).to_bytes(2, "big"))
    return b"\0" + stuffed + b"\0"


def resized(head: bytes) -> bytes:
    """A packet given without its PEC, with the data length that it has: what was cut off or added counts."""
    return head[:4] + (len(head) + t.PEC - 7).to_bytes(2, "big") + head[6:]


def _data(packet: t.Packet, values: dict[str, int]) -> bytes:
    return packet.struct.pack(*(values[f.name] if f.fixed is None else f.fixed for f in packet.fields))


def encode_tc(
    packet: t.Packet,
    apid: int,
    sequence: int,
    values: dict[str, int] | None = None,
    *,
    ack: int = 9,
    source: int = 0,
) -> bytes:
    """A telecommand without PEC: ``values`` by field name; ``ack`` the acknowledgement flags (9 = accept + complete).

    Raises KeyError for a missing field and struct.error for a value that does not fit its field.
    """
    data = _data(packet, values or {})
    return (
        _PRIMARY.pack(0x1800 | apid, 0xC000 | sequence & 0x3FFF, 5 + len(data) + 1)
        + _TC.pack(t.PUS_VERSION << 4 | ack, packet.service, packet.subtype, source)
        + data
    )


def encode_tm(
    packet: t.Packet,
    apid: int,
    sequence: int,
    day: int,
    ms: int,
    values: dict[str, int],
    destination: int = 0,
) -> bytes:
    """A telemetry packet without PEC, stamped CDS-short ``day`` (0..65535) and ``ms`` of day (0..86,399,999)."""
    data = _data(packet, values)
    return (
        _PRIMARY.pack(0x0800 | apid, 0xC000 | sequence & 0x3FFF, 14 + len(data) + 1)
        + _TM.pack(t.PUS_VERSION << 4, packet.service, packet.subtype, 0, destination, t.CDS_P_FIELD, day, ms)
        + data
    )


@dataclass(frozen=True, slots=True)
class Decoded:
    """A packet that its header identifies in the table."""

    packet: t.Packet
    role: str
    sequence: int
    time_ms: int
    """TM: milliseconds since the epoch of the sender's clock; TC: 0."""
    peer: int
    """TM: destination ID; TC: source ID."""
    ack: int
    values: dict[str, int]
    trailer: dict[str, int] = field(default_factory=dict)
    """Of a keyed node's packet, by field name."""

    def text(self) -> str:
        """One readable line: role, message type, name, fields with enumerations by name."""
        shown = (f"{f.name}={_shown(f, self.values[f.name])}" for f in self.packet.fields if f.fixed is None)
        fields = keyed.TRAILERS[keyed.trailer_of(self.packet)] if self.trailer else ()
        trailer = (f" {f.name}={_shown(f, self.trailer[f.name])}" for f in fields if f.fixed is None)
        return f"{self.role} {self.packet.title} {self.packet.name} " + " ".join(shown) + "".join(trailer)


def _shown(f: t.Field, value: int) -> str:
    if f.code == "Q":  # octets and no number: as they come
        return value.to_bytes(t.FIELD_SIZES[f.code], "big").hex(" ")
    if f.enum is None:
        return str(value)
    try:
        return str(f.enum(value).name.lower())
    except ValueError:
        return f"{value}?"


class Alien(Exception):
    """A packet with a good CRC that the table does not know; the message says what is wrong with it."""


_APIDS: dict[int, str] = {int(a): a.name.lower() for a in t.Apid}


def decode(packet: bytes) -> Decoded:
    """Identify a packet whose CRC is good and take its fields apart; Alien where the table does not know it."""
    pid, psc, _ = _PRIMARY.unpack_from(packet)
    if pid >> 13 or not pid & 0x0800 or psc >> 14 != 3:
        raise Alien(
            f"packet ID {pid:04x}, sequence control {psc:04x}: not an unsegmented packet with a secondary header"
        )
    role = _APIDS.get(pid & 0x7FF)
    if role is None:
        raise Alien(f"APID {pid & 0x7FF:#05x} is nobody's")
    time_ms = ack = 0
    if pid & 0x1000:
        kind, start = "TC", t.TC_HEADER_SIZE
        version, service, subtype, peer = _TC.unpack_from(packet, 6)
        ack = version & 15
    else:
        kind, start = "TM", t.TM_HEADER_SIZE
        if len(packet) < t.TM_MIN:
            raise Alien(f"TM of {len(packet)} octets, at least {t.TM_MIN} are needed")
        version, service, subtype, _, peer, p_field, day, ms = _TM.unpack_from(packet, 6)
        if p_field != t.CDS_P_FIELD or ms >= t.DAY_MS:
            raise Alien(f"time field {packet[13:20].hex()} is not CDS-short with P-field 40")
        time_ms = day * t.DAY_MS + ms
    if version >> 4 != t.PUS_VERSION:
        raise Alien(f"PUS version {version >> 4}, not {t.PUS_VERSION}")
    known = keyed.packet(kind, service, subtype, role)
    if known is None:
        raise Alien(f"{kind}[{service},{subtype}] is not a message of the {role}")
    end = start + known.data_size
    trailer = _trailer(known, packet[end : -t.PEC])
    if len(packet) != end + t.PEC and not trailer:
        raise Alien(f"{role} {known.title} of {len(packet)} octets, not {end + t.PEC}")
    values = dict(zip((f.name for f in known.fields), known.struct.unpack_from(packet, start), strict=True))
    return Decoded(known, role, psc & 0x3FFF, time_ms, peer, ack, values, trailer)


def _trailer(packet: t.Packet, octets: bytes) -> dict[str, int]:
    """The fields of what stands behind a packet's data; empty where that is no trailer of such a packet."""
    use = keyed.trailer_of(packet)
    if not use or len(octets) != keyed.trailer_size(use):
        return {}
    fields = keyed.TRAILERS[use]
    values = Struct(">" + "".join(f.code for f in fields)).unpack(octets)
    return dict(zip((f.name for f in fields), values, strict=True)) if values[0] == fields[0].fixed else {}


def decode_stream(data: bytes) -> Iterator[Decoded]:
    """The known packets in a whole stream; damage and aliens are passed over."""
    for frame in StreamDecoder().feed(data):
        if frame.verdict is Verdict.OK:
            try:
                yield decode(frame.packet)
            except Alien:
                continue
