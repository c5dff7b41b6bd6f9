"""The checked-in vectors are true: for the device codec, the host codec, and whole nodes of the firmware."""

import binascii
import hmac
import json
import re

import pytest
import siphash24
from cobs import cobs

from cabinwatch_firmware.monitor import Monitor
from cabinwatch_firmware.transducer import Transducer
from cabinwatch_protocol import host
from cabinwatch_protocol.device import consts
from cabinwatch_protocol.device.crc import crc16
from cabinwatch_protocol.device.frame import Deframer
from cabinwatch_protocol.generate import PROTOCOL

HERE = PROTOCOL / "vectors"


def vectors(name):
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))["vectors"]


def each(name):
    return pytest.mark.parametrize("v", vectors(name), ids=lambda v: v["name"])


@each("crc")
def test_crc(v):
    data = bytes.fromhex(v["data"])
    assert (
        crc16(data, 0, len(data)) == host.crc16(data) == binascii.crc_hqx(data, 0xFFFF) == int(v["crc"], 16)
    )


@each("keyed")
def test_keyed(v):
    """By an independent SipHash and the standard library's HMAC: nothing here is ours."""

    def tag(message):
        return siphash24.siphash24(message, key=bytes.fromhex(v["key"])).digest()

    match v["kind"]:
        case "siphash":
            assert tag(bytes.fromhex(v["data"])).hex() == v["tag"]
        case "derive":
            label = b"cabinwatch" + v["apid"].to_bytes(2, "big") + bytes([v["use"]])
            assert hmac.new(bytes.fromhex(v["owner"]), label, "sha256").digest()[:16].hex() == v["key"]
        case kind:
            packet = bytes.fromhex(v["packet"])
            unsent = bytes.fromhex(v["session" if kind == "command" else "challenge"])
            assert len(packet) == int.from_bytes(packet[4:6], "big") + 7
            assert binascii.crc_hqx(packet, 0xFFFF) == 0
            assert tag(packet[:-10] + unsent) == packet[-10:-2]
            if kind == "command":
                assert packet[-15:-10] == b"\1" + v["counter"].to_bytes(4, "big")
            else:
                assert packet[-11] == 2
                assert bytes.fromhex(v["poll"])[-11:-2] == b"\2" + unsent


@each("cobs")
def test_cobs(v):
    stuffed = bytes.fromhex(v["stuffed"])
    if v["valid"]:
        assert cobs.encode(bytes.fromhex(v["packet"])) == stuffed
        assert cobs.decode(stuffed) == bytes.fromhex(v["packet"])
    else:
        with pytest.raises(cobs.DecodeError):
            cobs.decode(stuffed)


DEVICE = {
    consts.FRAME_OK: "ok",
    consts.BAD_CRC: "crc",
    consts.BAD_FRAMING: "framing",
    consts.BAD_SIZE: "size",
}
HOST = {
    host.Verdict.OK: "ok",
    host.Verdict.CRC: "crc",
    host.Verdict.FRAMING: "framing",
    host.Verdict.SIZE: "size",
}


def by_device(octets, chunk):
    decoder = Deframer()
    found = []
    for start in range(0, len(octets), chunk):
        piece = octets[start : start + chunk]
        i = 0
        while i < len(piece):
            i = decoder.feed(piece, i, len(piece))
            if decoder.verdict == consts.FRAME_OK:
                found.append({"verdict": "ok", "packet": bytes(decoder.buf[1 : 1 + decoder.size]).hex()})
            elif decoder.verdict:
                found.append({"verdict": DEVICE[decoder.verdict]})
    return found


def by_host(octets, chunk):
    decoder = host.StreamDecoder()
    frames = []
    for start in range(0, len(octets), chunk):
        frames += decoder.feed(octets[start : start + chunk])
    return [{"verdict": HOST[f.verdict]} | ({"packet": f.packet.hex()} if f.packet else {}) for f in frames]


@each("streams")
@pytest.mark.parametrize("decode", [by_device, by_host])
def test_stream(v, decode):
    octets = bytes.fromhex(v["octets"])
    for chunk in (1, 2, 7, 48, max(1, len(octets))):
        assert decode(octets, chunk) == v["frames"], chunk


@each("packets")
@pytest.mark.parametrize("decode", [by_device, by_host])
def test_frame_verdict(v, decode):
    (found,) = decode(bytes.fromhex(v["stuffed"]) + b"\0", 1000)
    if v["verdict"] in ("framing", "crc", "size"):
        assert found == {"verdict": v["verdict"]}
    else:
        assert found == {"verdict": "ok", "packet": v["packet"]}


class Sensor:
    """Reads what the sessions say."""

    pressure_cPa, temperature_cK, status = 10132500, 29515, 0

    def read(self):
        """Nothing changes."""


def node(role):
    sent = []
    make = Monitor if role == "monitor" else lambda sink: Transducer(sink, Sensor())
    return make(lambda buf, n: sent.append(bytes(buf[:n]))), sent


@pytest.mark.parametrize(
    "v", [v for v in vectors("packets") if v["verdict"] in ("ignored", "refused")], ids=lambda v: v["name"]
)
def test_what_a_monitor_does_with_a_bad_packet(v):
    monitor, sent = node("monitor")
    monitor.boot(0)
    sent.clear()
    frame = b"\0" + bytes.fromhex(v["stuffed"]) + b"\0"
    monitor.receive(frame, len(frame))
    if v["verdict"] == "ignored":
        assert not sent
        assert monitor.count[consts.REJECTED] == 1
    else:
        (answer,) = host.decode_stream(b"".join(sent))
        assert answer.packet.title == "TM[1,2]"
        assert answer.values["failure"] == v["failure"]


SPEC = (HERE.parent / "SPEC.md").read_text(encoding="utf-8")


def field_octets(v, name, number):
    """A field's octets by the table in SPEC.md, read as text."""
    packet = v["name"].split(" ", 1)[1].rsplit(", ", 1)[0]
    section = re.search(rf"\*\*{re.escape(packet)}\*\*.*?(?=\n\*\*|<!--)", SPEC, re.DOTALL)
    kind, bits = re.search(rf"\| `{name}` \| (\w+) (\d+) \|", section[0]).groups()
    return number.to_bytes(int(bits) // 8, "big", signed=kind == "signed")


@pytest.mark.parametrize(
    "v", [v for v in vectors("packets") if v["verdict"] == "ok"], ids=lambda v: v["name"]
)
def test_fields_by_plain_arithmetic(v):
    """Header and data of each good packet, taken apart without either codec."""
    packet = bytes.fromhex(v["packet"])
    tc = v["type"] == "TC"
    assert int.from_bytes(packet[:2], "big") == (0x1800 if tc else 0x0800) | v["apid"]
    assert int.from_bytes(packet[2:4], "big") == 0xC000 | v["count"]
    assert packet[6:9] == bytes((0x20 | v.get("ack", 0), v["service"], v["subtype"]))
    assert int.from_bytes(packet[9:11] if tc else packet[11:13], "big") == v["peer"]
    if not tc:
        assert packet[13:20] == b"\x40" + v["day"].to_bytes(2, "big") + v["ms"].to_bytes(4, "big")
    data = packet[11 if tc else 20 : -2]
    assert data == b"".join(field_octets(v, name, number) for name, number in v["fields"].items())
    assert binascii.crc_hqx(packet, 0xFFFF) == 0


@each("sessions")
def test_session(v):
    firmware, sent = node(v["role"])
    boot, *steps = v["steps"]
    firmware.boot(0)
    firmware.step(0, b"", 0)
    assert [f.hex() for f in sent] == boot["expect"]
    for number, step in enumerate(steps, 1):
        sent.clear()
        give = bytes.fromhex(step["give"])
        firmware.step(step["elapsed_ms"], give[:48], len(give[:48]))
        for start in range(48, len(give), 48):
            firmware.step(0, give[start : start + 48], len(give[start : start + 48]))
        assert [f.hex() for f in sent] == step["expect"], f"step {number}"
