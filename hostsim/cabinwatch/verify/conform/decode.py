"""Any captured octet stream as readable packets, with the damage between them shown and named."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cabinwatch.errors import UsageError
from cabinwatch.run import transcript
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

LONGEST = 4096
"""Octets of an over-long frame that are kept to be shown."""
SHOWN = 24


@dataclass(slots=True)
class Counts:
    """What a stream held."""

    packets: int = 0
    damaged: int = 0
    unknown: int = 0
    lost: int = 0
    odd_octets: int = 0


@dataclass
class Reader:
    """Turns octets into lines of text. One for each direction of a recording."""

    counts: Counts = field(default_factory=Counts)
    _at: int = 0
    _decoder: host.StreamDecoder = field(default_factory=lambda: host.StreamDecoder(limit=LONGEST))
    _next: dict[tuple[str, str], int] = field(default_factory=dict)
    _rest: bytes = b""

    def feed(self, octets: bytes, mark: str = "") -> Iterator[str]:
        """A line for each frame that ends within ``octets``; ``mark`` goes before each, or else the frame's offset."""
        for piece in re.split(rb"(?<=\0)", octets):
            self._rest += piece
            for frame in self._decoder.feed(piece):
                where = mark or f"{self._at:8d} "
                yield from (f"{where} {text}" for text in self._frame(frame))
            if piece.endswith(b"\0"):
                self._at += len(self._rest)
                self._rest = b""

    def _frame(self, frame: host.Frame) -> Iterator[str]:
        if frame.verdict is not host.Verdict.OK or len(frame.raw) > t.FRAME_MAX:
            self.counts.damaged += 1
            yield f"-- damage, {len(frame.raw)} octets: {why(frame)}: {shown(frame.raw)}"
            return
        try:
            packet = host.decode(frame.packet)
        except host.Alien as alien:
            self.counts.unknown += 1
            yield f"-- good frame, unknown packet: {alien}: {shown(frame.packet)}"
            return
        self.counts.packets += 1
        if packet.packet.kind == "TM":
            key = (packet.role, "TM")
            gap = (packet.sequence - self._next.get(key, packet.sequence)) & 0x3FFF
            booted = packet.packet.service == 5 and packet.values["event"] == t.Event.BOOT
            if gap and not booted:
                self.counts.lost += gap
                yield f"-- {gap} packet{'s' if gap > 1 else ''} of the {packet.role} missing, by the sequence count"
            self._next[key] = (packet.sequence + 1) & 0x3FFF
        yield line(packet)

    def end(self) -> Iterator[str]:
        """What is left over at the end: a frame that was never closed."""
        if self._rest:
            self.counts.odd_octets += len(self._rest)
            yield f"-- {len(self._rest)} octets at the end without closing 00: {shown(self._rest)}"


def line(packet: host.Decoded) -> str:
    """One packet as one line: time or flags, count, and what the table calls it."""
    if packet.packet.kind == "TM":
        day, ms = divmod(packet.time_ms, t.DAY_MS)
        head = f"{day}d {ms / 1000:10.3f} s"
    else:
        flags = ",".join(f.name.lower() for f in t.Ack if packet.ack & f) or "no flags"
        head = f"to {packet.role}, {flags}"
    return f"#{packet.sequence:<5d} {head}  {packet.text().rstrip()}"


def shown(octets: bytes) -> str:
    """Octets in hex, a long run cut short."""
    more = f" ... ({len(octets)} octets)" if len(octets) > SHOWN else ""
    return octets[:SHOWN].hex(" ") + more


def why(frame: host.Frame) -> str:
    """What is wrong with a damaged frame, by the first check of SPEC.md that fails."""
    raw = frame.raw
    if len(raw) > t.FRAME_MAX:
        return f"over-long, at most {t.FRAME_MAX} octets are allowed"
    if frame.verdict is host.Verdict.CRC:
        return "wrong CRC"
    packet = bytearray()
    at = 0
    while at < len(raw):
        end = at + raw[at]
        if end > len(raw):
            return f"COBS code {raw[at]:02x} at octet {at} points beyond the end"
        packet += raw[at + 1 : end] + (b"\0" if end < len(raw) else b"")
        at = end
    if len(packet) < t.TC_MIN:
        text = raw.decode("ascii", errors="replace")
        hint = f", text? {text!r}" if text.isprintable() and text.isascii() and len(text) > 3 else ""
        return f"{len(packet)} octets, at least {t.TC_MIN} make a packet{hint}"
    said = int.from_bytes(packet[4:6], "big") + 7
    if len(packet) > said >= t.TC_MIN and not any(packet[said:]):
        return f"{len(packet) - said} zero octets appended to a packet of {said}"
    return f"{len(packet)} octets, the header says {said}" + (
        ", frames merged?" if len(packet) > said else ", cut?"
    )


HEX = re.compile(rb"[0-9a-fA-F\s:,xX]+")


def octets_of(data: bytes) -> bytes:
    """A capture's octets: raw, or hexadecimal text with spaces, commas, colons or 0x. Raises UsageError."""
    if data and HEX.fullmatch(data) and b"\0" not in data:
        digits = re.sub(rb"0[xX]|[\s:,]", b"", data)
        try:
            return bytes.fromhex(digits.decode())
        except ValueError:
            raise UsageError(
                "the hexadecimal text has an odd number of digits, or an x that is none of its"
            ) from None
    return data


def is_recording(data: bytes) -> bool:
    """Whether it begins as one of our recordings does."""
    return data.lstrip().startswith(b"{") and any(
        known.encode() in data[:4000] for known in (transcript.FORMAT, transcript.OLDER)
    )


def decode(data: bytes, path: Path | None = None) -> Iterator[str]:
    """The lines of a capture: ours (from ``path``), hex, or raw; a summary last."""
    if path is not None and is_recording(data):
        yield from _recording(path)
        return
    reader = Reader()
    yield from reader.feed(octets_of(data))
    yield from reader.end()
    yield summary([reader])


def _recording(path: Path) -> Iterator[str]:
    recording = transcript.read(path)
    to, out = Reader(), Reader()
    for step in recording.steps:
        seconds = f"{step.t_ms / 1000:11.3f} s"
        if step.reset:
            yield f"{seconds}    -- reset"
        yield from to.feed(step.rx, f"{seconds} >>")
        yield from out.feed(step.tx, f"{seconds} <<")
    for reader in (to, out):
        yield from reader.end()
    if recording.cut:
        yield f"-- {recording.cut}"
    yield summary([to, out])


def summary(readers: list[Reader]) -> str:
    """One line: how much of what."""

    def total(name: str) -> int:
        return sum(getattr(r.counts, name) for r in readers)

    return (
        f"{total('packets')} packets, {total('damaged')} damaged frames, {total('unknown')} unknown packets, "
        f"{total('lost')} missing by count, {total('odd_octets')} octets left over"
    )
