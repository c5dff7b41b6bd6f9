"""Cases of SPEC.md's sections 2 to 4: link, frames, packet error control."""

import re

from cobs import cobs

from cabinwatch.verify.conform.bench import Bench, Heard
from cabinwatch.verify.conform.case import case, expect, expect_alive, expect_silence, expect_titles
from cabinwatch.verify.conform.tour import SETTING, tour
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t


def sealed(head: bytes) -> bytes:
    """A packet: ``head`` and its PEC."""
    crc: int = host.crc16(head)
    return head + crc.to_bytes(2, "big")


def framed(packet: bytes) -> bytes:
    """The frame of a packet given with its PEC."""
    stuffed: bytes = cobs.encode(packet)
    return b"\0" + stuffed + b"\0"


def ping(b: Bench) -> bytes:
    """A ping's packet that asks for no verification."""
    return sealed(b.head("ping", ack=0))


def last_code(stuffed: bytes | bytearray) -> int:
    """Index of the last COBS code."""
    at = 0
    while at + stuffed[at] < len(stuffed):
        at += stuffed[at]
    return at


@case("LNK-02/all-octets")
def all_octets(b: Bench) -> None:
    """Pings whose source IDs hold every octet value are answered with those source IDs."""
    for high in range(0, 256, 2):
        source = high << 8 | high + 1
        got = b.answers(b.ask(b.tc("ping", ack=0, source=source)))
        met = len(got) == 1 and got[0].decoded is not None and got[0].decoded.peer == source
        expect(met, f"TM[17,2] to destination {source:04x}", got)


@case("FRM-01/delimiters")
def delimiters(b: Bench) -> None:
    """Each frame of the answer to a ping has its own 00 before and after it."""
    b.ask(b.tc("ping"))
    whole = b.raw[: b.raw.rfind(0) + 1]
    if not whole.startswith(b"\0"):
        whole = whole[whole.find(0) + 1 :]  # a poll on a live line may have been cut in two by the question
    met = re.fullmatch(rb"(\0[^\0]+\0)+", whole) is not None
    expect(met, "frames 00 ... 00, one after the other", b.raw.hex(" "))


@case("FRM-02/doubled")
def doubled(b: Bench) -> None:
    """Frames with doubled delimiters and empty frames between them are taken."""
    frame = framed(ping(b))
    expect_titles(
        b.answers(b.ask(b"\0\0\0" + frame + b"\0\0")), "TM[17,2]", after="a ping among empty frames"
    )


@case("FRM-02/shared")
def shared(b: Bench) -> None:
    """Two frames that share one delimiter are both taken."""
    octets = framed(ping(b))[:-1] + framed(ping(b))
    expect_titles(b.answers(b.ask(octets)), "TM[17,2]", "TM[17,2]", after="two pings that share a 00")


@case("FRM-02/no-opening")
def no_opening(b: Bench) -> None:
    """A frame without its opening delimiter, right after the end of another, is taken."""
    b.ask(framed(ping(b)), fence=False)
    expect_titles(b.answers(b.ask(framed(ping(b))[1:])), "TM[17,2]", after="a ping without opening 00")


@case("FRM-03/stuffing")
def stuffing(b: Bench) -> None:
    """Every frame of a tour of all services unstuffs, and is the canonical stuffing of its packet."""
    for h in tour(b):
        expect(h.frame.verdict is not host.Verdict.FRAMING, "a frame that unstuffs to its packet", [h])
        if h.packet:
            expect(
                cobs.encode(h.packet) == h.frame.raw,
                f"{cobs.encode(h.packet).hex(' ')}",
                h.frame.raw.hex(" "),
            )


@case("FRM-04/octet-by-octet")
def octet_by_octet(b: Bench) -> None:
    """A ping given octet by octet is answered."""
    expect_titles(b.answers(b.ask(framed(ping(b)), chunk=1)), "TM[17,2]", after="a ping octet by octet")


@case("FRM-04/any-chunks")
def any_chunks(b: Bench) -> None:
    """Damage and pings given in chunks of every size from 1 to 30 draw the same answers."""
    for size in range(1, 31):
        octets = framed(ping(b)) + b"\x05\x11\0" + framed(ping(b))
        expect_titles(b.answers(b.ask(octets, chunk=size)), "TM[17,2]", "TM[17,2]", after=f"chunks of {size}")


@case("FRM-04/pauses")
def pauses(b: Bench) -> None:
    """A ping given in two parts, with pauses of different lengths between them, is answered."""
    for ms in (60, 300, b.lasting(1.5, 60)):
        frame = framed(ping(b))
        b.give(frame[:7])
        b.run(ms)
        expect_titles(b.answers(b.ask(frame[7:])), "TM[17,2]", after=f"a ping with a pause of {ms} ms in it")


@case("FRM-05/size")
def size(b: Bench) -> None:
    """No packet of a tour of all services has more than 60 octets."""
    for h in tour(b):
        expect(len(h.frame.raw) <= t.FRAME_MAX, "at most 60 octets", [h])


@case("FRM-06/60-octets")
def sixty(b: Bench) -> None:
    """A telecommand of 60 octets is received: it is refused for its length, which takes reading it."""
    expect_titles(b.answers(b.ask(framed(longest(b)))), "TM[1,2]", after="a telecommand of 60 octets")


def longest(b: Bench) -> bytes:
    """A ping of 60 octets."""
    head = b.head("ping")
    return sealed(head[:4] + (53).to_bytes(2, "big") + head[6:] + bytes(range(1, 48)))


@case("FRM-07/61-octets")
def over_long(b: Bench) -> None:
    """A telecommand of 61 octets, right in all else, draws nothing."""
    head = b.head("ping")
    head = head[:4] + (54).to_bytes(2, "big") + head[6:] + bytes(range(1, 49))
    expect_silence(b, framed(sealed(head)), "a telecommand of 61 octets")


@case("FRM-07/very-long", "FRM-13")
def very_long(b: Bench) -> None:
    """A frame of a thousand octets, ending in what alone would be a ping's frame, draws nothing."""
    for noise in (b"\x55" * 1000, b"\xff" * 62, b"\x01" * 300):
        expect_silence(b, b"\0" + noise + cobs.encode(ping(b)) + b"\0", f"{len(noise)} octets too many")


TAILS = (*range(48, 132), *range(253, 259), 511, 512, 513)
"""Octets before the end of an over-long frame: as many as receive buffers hold."""


@case("FRM-07/tail")
def tail(b: Bench) -> None:
    """Over-long frames that end in a whole ping, just where a receive buffer may be full, draw nothing."""
    for n in TAILS:
        octets = b"\0" + b"\x55" * n + cobs.encode(ping(b)) + b"\0"
        expect_titles(b.answers(b.ask(octets)), after=f"{n} octets and a ping in one frame")
    expect_alive(b, "over-long frames")


@case("FRM-07/head")
def head_of_over_long(b: Bench) -> None:
    """Over-long frames that begin with a whole telecommand of 60 octets draw nothing."""
    for n in (1, 2, 40):
        octets = b"\0" + cobs.encode(longest(b)) + b"\x55" * n + b"\0"
        expect_titles(b.answers(b.ask(octets)), after=f"a telecommand of 60 octets and {n} more in one frame")
    expect_alive(b, "over-long frames")


@case("FRM-08/last-code")
def cobs_last(b: Bench) -> None:
    """A ping whose last COBS code points one octet, or far, beyond the end draws nothing."""
    for code in (1, 60, 200):
        stuffed = bytearray(cobs.encode(ping(b)))
        at = last_code(stuffed)
        stuffed[at] = min(255, stuffed[at] + code)
        expect_silence(b, b"\0" + bytes(stuffed) + b"\0", "a ping whose last COBS code is too large")


@case("FRM-09/short")
def short(b: Bench) -> None:
    """Packets of 7 to 12 octets, with the right length and CRC, draw nothing."""
    for n in range(7, 13):
        head = b.head("ping")
        packet = sealed((head[:4] + (n - 7).to_bytes(2, "big") + head[6:])[: n - 2])
        expect_silence(b, framed(packet), f"a packet of {n} octets")


@case("FRM-09/very-short")
def very_short(b: Bench) -> None:
    """Packets of 1 to 6 octets, of what a ping begins with, with a right CRC where there is room, draw nothing."""
    for n in range(1, 7):
        head = b.head("ping")[: max(1, n - 2)]
        expect_silence(b, framed(sealed(head)[:n] if n > 2 else head[:n]), f"a packet of {n} octets")


@case("FRM-10/appended-zeros")
def appended(b: Bench) -> None:
    """Pings with 1 to 4 zero octets appended, whose CRC is right therefore, draw nothing."""
    for n in range(1, 5):
        expect_silence(b, framed(ping(b) + bytes(n)), f"a ping with {n} zero octets appended")


@case("FRM-10/length-field")
def length_field(b: Bench) -> None:
    """Pings with a wrong data length field and a CRC to match draw nothing."""
    for length in (0, 5, 7, 6 + 256, 0xFFFF):
        head = b.head("ping")
        packet = sealed(head[:4] + length.to_bytes(2, "big") + head[6:])
        expect_silence(b, framed(packet), f"a ping with data length {length}")


@case("FRM-10/merged")
def merged(b: Bench) -> None:
    """Two pings that became one frame, the delimiters between them lost or turned into 01, draw nothing."""
    for between in (b"", b"\x01"):
        stuffed = cobs.encode(ping(b)) + between + cobs.encode(ping(b))
        expect_silence(b, b"\0" + stuffed + b"\0", "two pings merged into one frame")


@case("FRM-11/bit-flips")
def bit_flips(b: Bench) -> None:
    """A ping with any one bit of its packet flipped draws nothing."""
    packet = ping(b)
    for bit in range(8 * len(packet)):
        flipped = bytearray(packet)
        flipped[bit // 8] ^= 0x80 >> bit % 8
        got = b.answers(b.ask(framed(bytes(flipped))))
        expect_titles(got, after=f"a ping with bit {bit % 8} of octet {bit // 8} flipped")
    expect_alive(b, "bit flips")


@case("FRM-11/other-crcs")
def other_crcs(b: Bench) -> None:
    """Pings with a CRC of 0 or FFFF, with its octets exchanged, inverted, or of another preset draw nothing."""
    head = b.head("ping", ack=0)
    right: int = host.crc16(head)
    while right >> 8 == right & 255:
        head = b.head("ping", ack=0)
        right = host.crc16(head)
    xmodem = 0
    for octet in head:
        xmodem ^= octet << 8
        for _ in range(8):
            xmodem = (xmodem << 1 ^ (0x1021 if xmodem & 0x8000 else 0)) & 0xFFFF
    for crc in (0, 0xFFFF, right >> 8 | (right & 255) << 8, right ^ 0xFFFF, xmodem):
        expect_silence(
            b, framed(head + crc.to_bytes(2, "big")), f"a ping with CRC {crc:04x} instead of {right:04x}"
        )


@case("FRM-12/nothing-changes")
def nothing_changes(b: Bench) -> None:
    """A damaged TC[20,3] leaves the parameter as it was."""
    before = b.parameter(0)
    packet = bytearray(sealed(b.head("set_parameter", {"parameter": 0, "value": SETTING[b.role]})))
    packet[-1] ^= 0x10
    expect_titles(b.answers(b.ask(framed(bytes(packet)))), after="a damaged TC[20,3]")
    value = b.parameter(0)
    expect(value == before, f"parameter 0 still {before}", value)


@case("FRM-13/noise")
def noise(b: Bench) -> None:
    """After noise of every length from 1 to 130 octets the next ping is answered."""
    for n in range(1, 131):
        octets = bytes(b.rng.choice((0, *range(1, 256))) for _ in range(n))
        got = b.answers(b.ask(octets + framed(ping(b))))
        expect_titles(got, "TM[17,2]", after=f"a ping after {n} octets of noise ({octets[:8].hex(' ')} ...)")


@case("FRM-13/cut-frame")
def cut_frame(b: Bench) -> None:
    """After a frame cut off at any octet the next ping is answered."""
    whole = framed(ping(b))
    for n in range(2, len(whole) - 1):
        got = b.answers(b.ask(whole[:n] + framed(ping(b))))
        expect_titles(got, "TM[17,2]", after=f"a ping after the first {n} octets of another")


@case("FRM-14/back-to-back")
def back_to_back(b: Bench) -> None:
    """Three pings in 48 octets without a pause draw three answers."""
    octets = b"".join(framed(ping(b)) for _ in range(3))
    expect(len(octets) <= 48, "48 octets at most", len(octets))
    expect_titles(
        b.answers(b.ask(octets)), "TM[17,2]", "TM[17,2]", "TM[17,2]", after="three pings back to back"
    )


def counters(h: Heard) -> dict[str, int]:
    """The link counters of a housekeeping report."""
    return {n: h[n] for n in ("frames_ok", "bad_crc", "bad_framing", "bad_size", "rejected")}


def counted(before: Heard, after: Heard) -> dict[str, int]:
    """What the counters counted between two reports, without the second request for one."""
    one, two = counters(before), counters(after)
    return {n: (two[n] - one[n]) & 0xFFFF for n in one}


@case("FRM-15/counters")
def link_counters(b: Bench) -> None:
    """Bad frames of each kind are counted in the counter of that kind, and good ones in frames_ok."""
    before = b.report()
    packet = ping(b)
    wrong = framed(packet[:-1] + bytes((packet[-1] ^ 1,)))
    stuffed = bytearray(cobs.encode(packet))
    stuffed[last_code(stuffed)] += 1
    both = framed(packet[:-1] + bytes((packet[-1] ^ 1,)) + b"\0")
    damage = [wrong] * 2 + [b"\0" + bytes(stuffed) + b"\0", framed(b"\x11\x22"), framed(packet + b"\0"), both]
    damage += [b"\0" + b"\x55" * 62 + b"\0"] * 3
    for octets in damage:
        b.ask(octets, fence=False)
    got = counted(before, b.report())
    extra = got.pop("frames_ok")
    expected = {"bad_crc": 2, "bad_framing": 4, "bad_size": 3, "rejected": 0}
    expect(got == expected, str(expected), got)
    expect(1 <= extra <= (1 if b.emulated else len(damage) + 2), "frames_ok to count good frames only", extra)


@case("PEC-01/crc")
def crc(b: Bench) -> None:
    """Every frame of a tour of all services has the right CRC."""
    for h in tour(b):
        expect(h.frame.verdict is not host.Verdict.CRC, "a packet whose CRC is right", [h])
