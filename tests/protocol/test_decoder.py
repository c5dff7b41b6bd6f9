"""The two stream decoders: the same for every chunking, equal to each other and to a plain reference."""

from itertools import combinations

import pytest
from cobs import cobs
from hypothesis import example, given
from hypothesis import strategies as st

import oracles
import packets
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t
from cabinwatch_protocol.device.consts import BAD_CRC, BAD_FRAMING, BAD_SIZE, FRAME_OK
from cabinwatch_protocol.device.frame import Deframer

HOST_WORDS = {
    host.Verdict.OK: "ok",
    host.Verdict.CRC: "crc",
    host.Verdict.FRAMING: "framing",
    host.Verdict.SIZE: "size",
}
DEVICE_WORDS = {FRAME_OK: "ok", BAD_CRC: "crc", BAD_FRAMING: "framing", BAD_SIZE: "size"}


def device_verdicts(chunks, deframer=None):
    d = deframer or Deframer()
    found = []
    for chunk in chunks:
        i = 0
        while i < len(chunk):
            i = d.feed(chunk, i, len(chunk))
            if d.verdict:
                packet = bytes(d.buf[1 : 1 + d.size]) if d.verdict == FRAME_OK else b""
                found.append((DEVICE_WORDS[d.verdict], packet))
    return found


def host_verdicts(chunks, decoder=None):
    d = decoder or host.StreamDecoder()
    return [(HOST_WORDS[f.verdict], f.packet) for chunk in chunks for f in d.feed(chunk)]


GOOD = host.seal(host.encode_tc(t.TC_PACKETS[4], t.Apid.MONITOR, 77))


@given(st.data(), packets.streams)
def test_any_chunking_gives_what_the_definition_says(data, stream):
    chunks = data.draw(packets.chunked(stream))
    expected = oracles.verdicts(stream)
    assert device_verdicts(chunks) == expected
    assert host_verdicts(chunks) == expected


@given(st.binary(min_size=1, max_size=300))
@example(b"\xff" * 62 + b"\0" + GOOD)
@example(b"\1" * 61 + b"\0")
def test_arbitrary_octets_byte_by_byte(stream):
    expected = oracles.verdicts(stream)
    chunks = [bytes((octet,)) for octet in stream]
    assert device_verdicts(chunks) == host_verdicts(chunks) == host_verdicts([stream]) == expected


@given(packets.streams)
def test_the_next_good_frame_is_always_received(stream):
    """Whatever came before, and whatever it left half open: its own leading delimiter ends that."""
    expected = ("ok", GOOD_PACKET)
    assert device_verdicts([stream + GOOD])[-1] == expected
    assert host_verdicts([stream + GOOD])[-1] == expected
    before = oracles.verdicts(stream + b"\0")
    assert device_verdicts([stream + GOOD])[:-1] == before


GOOD_PACKET = oracles.verdicts(GOOD)[0][1]


@given(st.integers(1, 4000))
def test_the_over_long_costs_one_count_and_bounded_memory(n):
    decoder = host.StreamDecoder()
    host_verdicts([b"\x55" * n], decoder)
    assert len(decoder._pending) <= t.FRAME_MAX
    (kind, _), good = host_verdicts([GOOD], decoder)
    assert kind == ("size" if n > t.FRAME_MAX else "framing")
    assert good == ("ok", GOOD_PACKET)
    assert device_verdicts([b"\x55" * n, GOOD]) == [(kind, b""), good]


def sample_frames():
    """One short, one with many zeros, one of each direction, and the longest that a node sends."""
    hk = {f.name: 0 for f in t.MONITOR_HK}
    full = {f.name: (1 << 8 * f.size - 1) - 1 - i for i, f in enumerate(t.MONITOR_HK)}
    tm = t.by_name(t.TM_PACKETS)
    sample = {"pressure_cPa": 10132500, "temperature_cK": 29515, "status": 0}
    return {
        "ping": GOOD,
        "sample": host.seal(host.encode_tm(tm["sample"], t.Apid.TRANSDUCER, 300, 0, 70_000, sample, 0xA1)),
        "report of zeros": host.seal(host.encode_tm(tm["housekeeping"], t.Apid.MONITOR, 0, 0, 0, hk)),
        "full report": host.seal(
            host.encode_tm(tm["housekeeping"], t.Apid.MONITOR, 9999, 3, 9_999_999, full)
        ),
    }


def flipped(frame, bits):
    value = int.from_bytes(frame, "big")
    for bit in bits:
        value ^= 1 << bit
    return value.to_bytes(len(frame), "big")


def accepted_by_both(damaged):
    """Packets that the host and the device accept from each damaged frame followed by a good one."""
    for frame in damaged:
        d = Deframer()
        stream = frame + GOOD
        packets_in = [f.packet for f in host.StreamDecoder().feed(stream) if f.verdict is host.Verdict.OK]
        taken = []
        i = 0
        n = len(stream)
        while i < n:
            i = d.feed(stream, i, n)
            if d.verdict == FRAME_OK:
                taken.append(bytes(d.buf[1 : 1 + d.size]))
        yield frame, packets_in, taken


@pytest.mark.parametrize("name", sample_frames())
def test_no_flip_of_one_or_two_bits_is_accepted_and_each_costs_one_frame(name):
    frame = sample_frames()[name]
    bits = range(8 * len(frame))
    damaged = (flipped(frame, flips) for n in (1, 2) for flips in combinations(bits, n))
    good = [GOOD_PACKET]
    for sent, on_host, on_device in accepted_by_both(damaged):
        assert on_host == on_device == good, sent.hex()


@given(packets.frames, st.integers(0, 400), st.integers(1, 0xFFFF))
def test_no_burst_of_up_to_sixteen_bits_inside_the_packet_is_accepted(frame, where, burst):
    """CRC-16 sees every burst up to its own length; one that makes or takes zeros changes the framing as well."""
    packet = oracles.verdicts(frame)[0][1]
    room = 8 * len(packet) - burst.bit_length()
    damaged = (int.from_bytes(packet, "big") ^ burst << where % (room + 1)).to_bytes(len(packet), "big")
    stream = b"\0" + cobs.encode(damaged) + b"\0" + GOOD
    kinds = [kind for kind, _ in device_verdicts([stream])]
    assert kinds in (["crc", "ok"], ["framing", "ok"])
    assert host_verdicts([stream]) == device_verdicts([stream])


@given(packets.frames, packets.frames, st.data())
def test_merged_frames_are_not_accepted(first, second, data):
    """The delimiters between two frames lost: with them their whole content, but nothing false is taken."""
    merged = first[:-1] + second[1:]
    assert [k for k, _ in device_verdicts([merged, GOOD])] in (["framing", "ok"], ["size", "ok"])
    assert host_verdicts([merged, GOOD]) == device_verdicts([merged, GOOD])
    cut = data.draw(st.integers(1, len(first) - 2))
    taken = device_verdicts([first[:cut], second])
    assert taken[-1] == oracles.verdicts(second)[0]
    assert all(kind != "ok" for kind, _ in taken[:-1])


@given(packets.frames, st.integers(1, 30))
def test_appended_zero_octets_are_refused_though_the_crc_stays_zero(frame, n):
    packet = oracles.verdicts(frame)[0][1]
    longer = packet + bytes(n)
    assert host.crc16(longer) == 0
    stream = b"\0" + cobs.encode(longer) + b"\0"
    kind = "framing" if len(longer) <= t.PACKET_MAX else "size"
    assert [k for k, _ in device_verdicts([stream])] == [k for k, _ in host_verdicts([stream])] == [kind]
