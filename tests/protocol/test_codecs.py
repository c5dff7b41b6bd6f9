"""The device codec and the host codec read each other's every packet; CRC and COBS agree with outside libraries."""

from binascii import crc_hqx
from struct import calcsize

import crcmod
import pytest
from cobs import cobs
from hypothesis import example, given, settings
from hypothesis import strategies as st

import oracles
import packets
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t
from cabinwatch_protocol.device import consts
from cabinwatch_protocol.device.crc import crc16
from cabinwatch_protocol.device.frame import Deframer, seal
from cabinwatch_protocol.device.node import Node

crcmod_crc = crcmod.mkCrcFun(0x11021, initCrc=0xFFFF, rev=False, xorOut=0)


class Sender(Node):
    """A node whose frames are kept as the port would send them."""

    def __init__(self, apid, limits=()):
        self.sent = []
        Node.__init__(self, lambda buf, n: self.sent.append(bytes(buf[:n])), apid, b"", limits, 0)

    def fields(self, packet, values):
        at = t.size_of(t.HEADERS[packet.kind])
        for f in packet.fields:
            self.set(at << 3 | f.size, values[f.name] if f.fixed is None else f.fixed)
            at += f.size
        self.send(packet.size)


def only_packet(frame):
    (found,) = host.StreamDecoder().feed(frame)
    assert found.verdict is host.Verdict.OK
    return found.packet


@pytest.mark.parametrize(("packet", "role"), packets.TM_ROLES, ids=lambda v: getattr(v, "title", v))
def test_host_reads_every_telemetry_packet_of_the_device(packet, role):
    @settings(max_examples=25)
    @given(packets.values(packet), packets.sequences, packets.days, packets.times_ms, st.integers(0, 0xFFFF))
    def check(values, sequence, day, ms, destination):
        node = Sender(t.ROLES[role])
        node.seq, node.day, node.ms = sequence, day, ms
        node.begin_tm(packet.service, packet.subtype, destination)
        node.fields(packet, values)
        decoded = host.decode(only_packet(node.sent[0]))
        assert (decoded.packet.name, decoded.role) == (packet.name, role)
        assert {k: v for k, v in decoded.values.items() if k in values} == values
        assert (decoded.sequence, decoded.time_ms, decoded.peer) == (
            sequence,
            day * t.DAY_MS + ms,
            destination,
        )
        assert node.seq == (sequence + 1) % 16384

    check()


@pytest.mark.parametrize(("packet", "role"), packets.TC_ROLES, ids=lambda v: getattr(v, "title", v))
def test_host_reads_every_telecommand_of_the_device(packet, role):
    @settings(max_examples=25)
    @given(packets.values(packet), packets.sequences, st.integers(0, 15), st.integers(0, 0xFFFF))
    def check(values, sequence, ack, source):
        node = Sender(t.Apid.MONITOR)
        node.begin(0x1800 | t.ROLES[role], sequence, 0x20 | ack, packet.service, packet.subtype)
        node.set(consts.TC_SOURCE, source)
        node.fields(packet, values)
        decoded = host.decode(only_packet(node.sent[0]))
        assert (decoded.packet.name, decoded.role, decoded.ack) == (packet.name, role, ack)
        assert {k: v for k, v in decoded.values.items() if k in values} == values
        assert (decoded.sequence, decoded.peer) == (sequence, source)

    check()


@pytest.mark.parametrize(
    ("packet", "role"), [*packets.TM_ROLES, *packets.TC_ROLES], ids=lambda v: getattr(v, "title", v)
)
def test_device_reads_every_packet_of_the_host(packet, role):
    start = t.TM_HEADER_SIZE if packet.kind == "TM" else t.TC_HEADER_SIZE

    @settings(max_examples=25)
    @given(packets.values(packet), packets.sequences)
    def check(values, sequence):
        if packet.kind == "TM":
            head = host.encode_tm(packet, t.ROLES[role], sequence, 1, 2, values)
        else:
            head = host.encode_tc(packet, t.ROLES[role], sequence, values)
        frame = host.seal(head)
        node = Sender(t.Apid.MONITOR)
        node.frame = d = Deframer()
        assert d.feed(frame, 0, len(frame)) == len(frame)
        assert d.verdict == 1
        assert d.size == len(head) + t.PEC
        at = start
        for f in packet.fields:
            expected = f.fixed if f.fixed is not None else values[f.name]
            field = at << 3 | f.size
            assert (node.signed(field) if f.code == "i" else node.field(field)) == expected
            at += f.size
        assert node.field(consts.TM_SEQUENCE) == 0xC000 | sequence

    check()


@given(st.integers(-(1 << 31), (1 << 31) - 1))
@example(-(1 << 30))
@example((1 << 30) - 1)
@example(1 << 30)
@example(-(1 << 30) - 1)
def test_signed_field_saturates_at_the_thirty_one_bit_range(value):
    node = Sender(t.Apid.MONITOR)
    node.frame.buf[5:9] = value.to_bytes(4, "big", signed=True)
    limit = (1 << 30) - 1
    assert node.signed(4 << 3 | 4) == (
        value if -limit - 1 <= value <= limit else max(-limit, min(limit, value))
    )


def test_crc_check_value():
    assert crc16(b"123456789", 0, 9) == host.crc16(b"123456789") == 0x29B1


@given(st.binary(max_size=70), st.integers(0, 5), st.integers(0, 5))
def test_crc_agrees_with_three_others(data, before, after):
    padded = b"\xaa" * before + data + b"\x55" * after
    expected = crc_hqx(data, 0xFFFF)
    assert crc16(padded, before, before + len(data)) == host.crc16(data) == crcmod_crc(data) == expected


@given(st.binary(min_size=7, max_size=t.PACKET_MAX - t.PEC))
@example(bytes(58))
@example(b"\1" * 58)
def test_device_seal_is_what_the_cobs_library_makes(data):
    packet = data[:4] + (len(data) + t.PEC - 7).to_bytes(2, "big") + data[6:]
    packet += crc_hqx(packet, 0xFFFF).to_bytes(2, "big")
    buf = bytearray(t.FRAME_MAX + 2)
    buf[2 : 2 + len(packet)] = packet[:4] + b"\xee\xee" + packet[6:-2] + b"\xee\xee"
    n = seal(buf, 2 + len(packet))
    assert bytes(buf[:n]) == b"\0" + cobs.encode(packet) + b"\0" == host.seal(packet[:-2])


def test_every_packet_fits_the_bounds():
    for packet, _ in packets.TM_ROLES:
        assert packet.data_size + t.TM_HEADER_SIZE + t.PEC <= t.PACKET_MAX
    for packet, _ in packets.TC_ROLES:
        assert packet.data_size + t.TC_HEADER_SIZE + t.PEC <= t.PACKET_MAX
    for packet in (*t.TM_PACKETS, *t.TC_PACKETS):
        assert packet.data_size == calcsize(">" + "".join(f.code for f in packet.fields))
    assert t.FRAME_MAX + 2 == 63, "a micro:bit's receive ring"


@given(packets.frames)
def test_encode_and_decode_are_inverse(frame):
    packet = oracles.verdicts(frame)[0][1]
    d = host.decode(packet)
    free = {f.name: d.values[f.name] for f in d.packet.fields if f.fixed is None}
    apid = t.ROLES[d.role]
    if d.packet.kind == "TC":
        head = host.encode_tc(d.packet, apid, d.sequence, free, ack=d.ack, source=d.peer)
    else:
        head = host.encode_tm(d.packet, apid, d.sequence, *divmod(d.time_ms, t.DAY_MS), free, d.peer)
    assert host.seal(head) == frame
    assert d.packet.title in d.text()
    assert [x.sequence for x in host.decode_stream(b"\5junk\0" + frame)] == [d.sequence]


def repacked(packet, **change):
    """A packet with octets replaced by position (``at12=7``) and a good CRC again."""
    octets = bytearray(packet[:-2])
    for where, value in change.items():
        octets[int(where[2:])] = value
    return bytes(octets) + crc_hqx(octets, 0xFFFF).to_bytes(2, "big")


ALIENS = {
    "packet version 1": {"at0": 0x28},
    "no secondary header": {"at0": 0x00},
    "segmented": {"at2": 0x40},
    "foreign APID": {"at1": 0x77},
    "PUS version 1": {"at6": 0x10},
    "unknown service": {"at7": 99},
    "unknown subtype": {"at8": 99},
    "another time code": {"at13": 0x41},
    "no such millisecond": {"at16": 0xFF},
    "longer than its type": {"at7": 17, "at8": 2},
}


@pytest.mark.parametrize("name", ALIENS)
def test_host_refuses_a_good_packet_that_the_table_does_not_know(name):
    sample = {"pressure_cPa": 1, "temperature_cK": 2, "status": 0}
    tm = next(p for p in t.TM_PACKETS if p.name == "sample")
    good = oracles.verdicts(host.seal(host.encode_tm(tm, t.Apid.TRANSDUCER, 0, 0, 0, sample)))[0][1]
    host.decode(good)
    with pytest.raises(host.Alien):
        host.decode(repacked(good, **ALIENS[name]))
