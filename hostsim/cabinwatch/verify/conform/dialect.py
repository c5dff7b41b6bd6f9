"""The commonest first mistakes in a frame: their names, the requirements that they break, and how to read on.

A node's first frame is rarely noise: it is a packet with one thing wrong. ``read`` finds that thing, and gives the
packet as it should have been, so that one mistake does not hide all the others.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

import crcmod
from cobs import cobs
from crcmod.predefined import mkCrcFun

from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

Crc = Callable[[bytes], int]
HEADER = 6
"""Octets of the primary header."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong: the requirement that it breaks, what that wants, and what is there instead."""

    requirement: str
    expected: str
    got: str


# -- check sums that are taken for ours


@cache
def crcs() -> dict[str, Crc]:
    """Other check sums of 16 bits, by what a programmer did to get them."""
    return {
        "is 1D0F-preset (AUG-CCITT)": mkCrcFun("crc-aug-ccitt"),
        "is 0000-preset (XMODEM)": mkCrcFun("xmodem"),
        "has a final XOR with FFFF (GENIBUS)": mkCrcFun("crc-16-genibus"),
        "is 0000-preset and has a final XOR (GSM)": crcmod.mkCrcFun(0x11021, 0xFFFF, False, 0xFFFF),
        "is reflected (MCRF4XX)": mkCrcFun("crc-16-mcrf4xx"),
        "is reflected and 0000-preset (KERMIT)": mkCrcFun("kermit"),
        "is reflected and has a final XOR (X-25)": mkCrcFun("x-25"),
        "has polynomial 8005 (ARC)": mkCrcFun("crc-16"),
        "has polynomial 8005 (MODBUS)": mkCrcFun("modbus"),
        "has polynomial 8005, not reflected (BUYPASS)": mkCrcFun("crc-16-buypass"),
        "has polynomial 8005, not reflected, preset FFFF (CMS)": crcmod.mkCrcFun(0x18005, 0xFFFF, False, 0),
        "is 0": lambda data: 0,
    }


PARTS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda head: head,
    ", of the octets behind the primary header only": lambda head: head[HEADER:],
    ", made before the data length was filled in": lambda head: head[:4] + b"\0\0" + head[HEADER:],
}
"""What the check sum is made of."""


@dataclass(frozen=True, slots=True)
class Check:
    """A way to make the last two octets."""

    name: str
    part: str = ""
    swapped: bool = False

    def sum(self, head: bytes) -> bytes:
        """The two octets."""
        crc = crcs()[self.name] if self.name else host.crc16
        value: int = crc(PARTS[self.part](head))
        return value.to_bytes(2, "little" if self.swapped else "big")

    def mistake(self) -> Mistake:
        """What is wrong with it."""
        if self.name == "is 0":
            got = "CRC is 0: none is made"
        elif self.swapped:
            got = "octets of the CRC swapped" + (f", and CRC {self.name}" if self.name else "") + self.part
        else:
            got = f"CRC {self.name or 'right'}{self.part}"
        return Mistake("PEC-01", "CRC-16/IBM-3740 of all octets before it, high octet first", got)


@cache
def checks() -> list[Check]:
    """All of them, the right one first, and plain ones before double mistakes."""
    every = (
        Check(name, part, swapped) for part, swapped, name in product(PARTS, (False, True), ("", *crcs()))
    )
    return sorted(every, key=lambda c: bool(c.name) + bool(c.part) + c.swapped)


# -- the data length

LENGTHS: dict[str, Callable[[int], int]] = {
    "": lambda n: n - 7,
    "counts all octets of the packet": lambda n: n,
    "counts all octets of the packet less one": lambda n: n - 1,
    "counts the octets behind the primary header, without taking one away": lambda n: n - 6,
    "leaves the CRC out": lambda n: n - 9,
    "leaves the CRC out, without taking one away": lambda n: n - 8,
    "counts the data field only": lambda n: n - t.TM_HEADER_SIZE - t.PEC,
    "has its octets swapped": lambda n: (n - 7 & 255) << 8 | n - 7 >> 8,
    "is 0": lambda n: 0,
}
"""What a packet of n octets says of its length."""


# -- the way there

UTF8 = "octets of 80 and above sent as UTF-8: the output is text"
TRANSPORTS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda piece: piece,
    "0D put before each 0A: the output is in text mode": lambda piece: piece.replace(b"\r\n", b"\n"),
    UTF8: lambda piece: piece.decode("utf-8").encode("latin-1"),
}
"""How octets are changed on their way from the node, and how that is undone."""


# -- a frame


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a node writes its frames; the default is the right way."""

    transport: str = ""
    length: str = ""
    check: Check = Check("")
    pus_version: int = t.PUS_VERSION

    def frame(self, packet: bytes) -> bytes:
        """A right packet, as a node of this dialect writes telecommands: for those who read as they write."""
        head = bytearray(packet[: -t.PEC])
        head[4:6] = (LENGTHS[self.length](len(packet)) & 0xFFFF).to_bytes(2, "big")
        head[6] = self.pus_version << 4 | head[6] & 15
        stuffed: bytes = cobs.encode(bytes(head) + self.check.sum(bytes(head)))
        if self.transport == UTF8:
            stuffed = stuffed.decode("latin-1").encode("utf-8")
        return stuffed

    def speak(self, octets: bytes) -> bytes:
        """Octets for the node, each good frame among them as the node would write it."""
        pieces = octets.split(b"\0")
        return b"\0".join(self.frame(f.packet) if (f := host.judge(p)).packet else p for p in pieces)


RIGHT = Dialect()


@dataclass(frozen=True, slots=True)
class LenientReading:
    """A frame read leniently: the packet as it should have been, what was wrong, and the dialect."""

    packet: bytes
    mistakes: tuple[Mistake, ...]
    dialect: Dialect


def read(piece: bytes, apid: int) -> LenientReading | None:
    """A frame's octets (without delimiters) as the packet that was meant, or None where nothing fits."""
    for transport, undo in TRANSPORTS.items():
        try:
            packet = cobs.decode(undo(piece))
        except (cobs.DecodeError, UnicodeError):
            continue
        if len(packet) < t.TC_MIN:
            continue
        said = int.from_bytes(packet[4:6], "big")
        for length, wanted in LENGTHS.items():
            if said != wanted(len(packet)) & 0xFFFF:
                continue
            for check in checks():
                if packet[-2:] == check.sum(packet[:-2]):
                    return _meant(packet, Dialect(transport, length, check), apid)
    return None


def _meant(packet: bytes, dialect: Dialect, apid: int) -> LenientReading:
    """The packet with its length and its header put right."""
    mistakes = []
    if dialect.transport:
        mistakes.append(Mistake("LNK-02", "every octet as it is", dialect.transport))
    if dialect.length:
        said = int.from_bytes(packet[4:6], "big")
        got = f"data length {said} in a packet of {len(packet)} octets: it {dialect.length}"
        mistakes.append(Mistake("PKT-01", f"data length {len(packet) - 7}", got))
    if dialect.check != Check(""):
        mistakes.append(dialect.check.mistake())
    head = bytearray(packet[:4] + (len(packet) - 7).to_bytes(2, "big") + packet[6:-2])
    mistakes += _header(head, apid)
    dialect = replace(dialect, pus_version=packet[6] >> 4 if not _is_poll(packet) else t.PUS_VERSION)
    return LenientReading(bytes(head) + host.crc16(bytes(head)).to_bytes(2, "big"), tuple(mistakes), dialect)


def _is_poll(packet: bytes | bytearray) -> bool:
    """A telecommand to an instrument: only a monitor sends one."""
    return packet[0] == 0x18 and packet[1] in (t.Apid.TRANSDUCER & 255, t.Apid.ANALYSER & 255)


def _header(head: bytearray, apid: int) -> Iterator[Mistake]:
    """What is wrong with the header of a packet from the node; puts it right in place."""
    right = 0x0800 | apid
    pid = int.from_bytes(head[:2], "big")
    polls = apid == t.Apid.MONITOR and _is_poll(head)
    if pid == right >> 8 | (right & 255) << 8:
        yield Mistake("PKT-01", f"packet ID {right:04x}", f"packet ID {pid:04x}: its octets swapped")
        head[:2] = right.to_bytes(2, "big")
    elif pid & 0x7FF == apid and pid != right:
        wrong = [
            name
            for mask, name in (
                (0xE000, "packet version not 0"),
                (0x1000, "type TC, in telemetry"),
                (0x0800, "no secondary header flag"),
            )
            if (pid ^ right) & mask
        ]
        yield Mistake("PKT-01", f"packet ID {right:04x}", f"packet ID {pid:04x}: {', '.join(wrong)}")
        head[:2] = right.to_bytes(2, "big")
    if head[2] >> 6 != 3:
        yield Mistake("PKT-01", "sequence flags 3", f"sequence flags {head[2] >> 6}")
        head[2] |= 0xC0
    if head[6] >> 4 != t.PUS_VERSION:
        yield Mistake("PKT-06", f"PUS version {t.PUS_VERSION}", f"PUS version {head[6] >> 4}")
        head[6] = t.PUS_VERSION << 4 | head[6] & 15
    if polls or len(head) < t.TM_HEADER_SIZE or head[0] & 0x10:
        return
    if head[13] != t.CDS_P_FIELD:
        yield Mistake("TIM-01", f"P-field {t.CDS_P_FIELD:02x}", f"P-field {head[13]:02x}")
        head[13] = t.CDS_P_FIELD
    ms = int.from_bytes(head[16:20], "big")
    if ms >= t.DAY_MS:
        other = int.from_bytes(head[16:20], "little")
        swapped = other < t.DAY_MS
        why = "its octets swapped" if swapped else "a count of milliseconds that no day has"
        yield Mistake(
            "TIM-01", f"a millisecond of day below {t.DAY_MS}", f"milliseconds {head[16:20].hex(' ')}: {why}"
        )
        head[16:20] = (other if swapped else ms % t.DAY_MS).to_bytes(4, "big")


def unreadable(octets: bytes, apid: int) -> Mistake | None:
    """What is wrong with a stream that holds no frame at all, where it can be told."""
    pid = (0x0800 | apid).to_bytes(2, "big")
    if b"\xef\xbf\xbd" in octets:
        return Mistake(
            "LNK-02", "every octet as it is", "EF BF BD: octets of 80 and above were replaced by a text codec"
        )
    if octets.startswith(b"\xc0") and b"\xdb\xdc" in octets:
        return Mistake("FRM-03", "COBS between 00 and 00", "C0 at both ends and DB DC within: that is SLIP")
    if pid + b"\xc0" in octets and b"\0" in octets[octets.find(pid) + 2 : octets.find(pid) + 8]:
        return Mistake("FRM-03", "no 00 within a frame", "a packet as it is, not stuffed with COBS")
    seven = bytes(octet & 0x7F for octet in pid + b"\xc0")
    if all(octet < 0x80 for octet in octets) and seven in octets:
        return Mistake("LNK-02", "every octet as it is", "octets without their highest bit: 7 data bits")
    return None
