"""Strangers read the protocol: XTCE against the official schema, a run in space-packet-parser and in spacepackets."""

from pathlib import Path

import pytest
import space_packet_parser
from lxml import etree
from space_packet_parser.generators.ccsds import CCSDSPacketBytes
from spacepackets.ccsds.time import CdsShortTimestamp
from spacepackets.ecss.tc import PusTc
from spacepackets.ecss.tm import PusTm

from cabinwatch.run.lockstep import LockStepRun
from cabinwatch.run.transcript import Recorder
from cabinwatch.scenario import load as scenario
from cabinwatch.targets.cpython import CpythonTarget
from cabinwatch.world.world import World
from cabinwatch_protocol import host, keyed
from cabinwatch_protocol import table as t
from cabinwatch_protocol.generate.xtce import SPACE, XTCE

SCHEMA = Path(space_packet_parser.__file__).parent / "xtce" / "schemas" / "SpaceSystem.xsd"
NS = {"x": SPACE}


XML_NAMESPACE = b"""<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/XML/1998/namespace">
<attribute name="base" type="anyURI"/><attribute name="lang" type="language"/></schema>"""


class Offline(etree.Resolver):
    """The one schema that the official one imports from the net: the attributes of the xml: namespace."""

    def resolve(self, url, public_id, context):
        return self.resolve_string(XML_NAMESPACE, context) if url.endswith("xml.xsd") else None


@pytest.fixture(scope="module")
def schema():
    parser = etree.XMLParser()
    parser.resolvers.add(Offline())
    return etree.XMLSchema(etree.parse(SCHEMA, parser))


def test_valid_against_the_official_schema(schema):
    schema.assertValid(etree.parse(XTCE))


def test_the_schema_check_can_fail(schema):
    document = etree.parse(XTCE)
    document.find(".//x:SequenceContainer", NS).attrib.pop("name")
    assert not schema.validate(document)


class Tap(Recorder):
    """Keeps what went over the line."""

    def __init__(self):
        super().__init__()
        self.rx, self.tx = bytearray(), bytearray()

    def add(self, step):
        self.rx += step.rx
        self.tx += step.tx


@pytest.fixture(scope="module")
def run():
    """Every packet of twenty minutes of a run, both ways, plus each telecommand, as the monitor heard and said them."""
    name = "ms09"
    model, _ = scenario.load(name)
    world = World(model, 1)
    tap = Tap()
    samples = {"parameter": 0, "value": 1000, "function": 3, "argument": 60, "number": 1}
    for i, p in enumerate(p for p in t.TC_PACKETS if "monitor" in p.roles):
        values = {f.name: samples[f.name] for f in p.fields if f.fixed is None}
        world.at(5000 + 500 * i, lambda p=p, v=values: world.ground.command(p, v, world.now_ms))
    LockStepRun(world, CpythonTarget(), tap).run(1_200_000)
    frames = [f for stream in (tap.rx, tap.tx) for f in host.StreamDecoder().feed(bytes(stream))]
    packets = [f.packet for f in frames if f.verdict is host.Verdict.OK]
    assert len(packets) > 500
    titles = {host.decode(p).packet.title for p in packets}
    assert {p.title for p in t.TC_PACKETS} <= titles
    assert {"TM[1,1]", "TM[1,7]", "TM[3,25]", "TM[5,1]", "TM[17,2]", "TM[20,2]"} <= titles
    return packets


def value(parsed, name):
    raw = parsed[name]
    return getattr(raw, "raw_value", raw)


def test_run_decodes_in_space_packet_parser(run):
    definition = space_packet_parser.load_xtce(XTCE)
    for packet in run:
        ours = host.decode(packet)
        theirs = definition.parse_bytes(CCSDSPacketBytes(packet))
        assert value(theirs, "PKT_APID") == t.ROLES[ours.role]
        assert value(theirs, "SRC_SEQ_CTR") == ours.sequence
        got = {name: value(theirs, f"{ours.packet.name}_{name}") for name in ours.values}
        assert got == ours.values
        assert value(theirs, "PEC") == int.from_bytes(packet[-2:], "big")


def test_run_decodes_in_spacepackets(run):
    stamp = CdsShortTimestamp.empty()
    for packet in run:
        ours = host.decode(packet)
        if packet[0] & 0x10:
            tc = PusTc.unpack(packet)
            assert (tc.service, tc.message_subtype, tc.apid) == (
                ours.packet.service,
                ours.packet.subtype,
                t.ROLES[ours.role],
            )
            assert (tc.seq_count, tc.source_id) == (ours.sequence, ours.peer)
            assert bytes(tc.app_data) == packet[11:-2]
        else:
            tm = PusTm.unpack(packet, timestamp_len=stamp.len_packed)
            assert (tm.service, tm.message_subtype, tm.apid) == (
                ours.packet.service,
                ours.packet.subtype,
                t.ROLES[ours.role],
            )
            assert (tm.seq_count, bytes(tm.source_data)) == (ours.sequence, packet[20:-2])
            time = CdsShortTimestamp.unpack(tm.timestamp)
            assert time.ccsds_days * t.DAY_MS + time.ms_of_day == ours.time_ms


def test_every_meta_command_builds_the_packet_of_the_host_codec():
    """The command containers, followed bit by bit as a ground system would, give the host codec's packets."""
    document = etree.parse(XTCE)
    sizes = {
        e.get("name"): int(e.find("x:IntegerDataEncoding", NS).get("sizeInBits"))
        for e in document.find(".//x:ArgumentTypeSet", NS)
    }
    sent = (*t.TC_PACKETS, keyed.REPORT_SESSION)
    packets = {f"{role}_{p.name}": (p, role) for p in sent for role in p.roles}
    commands = document.findall(".//x:MetaCommand", NS)
    assert {c.get("name") for c in commands} == set(packets)
    for command in commands:
        p, role = packets[command.get("name")]
        kinds = {a.get("name"): sizes[a.get("argumentTypeRef")] for a in command.findall(".//x:Argument", NS)}
        given = {name: i + 3 for i, name in enumerate(kinds)}
        bits = ""
        for entry in command.find(".//x:EntryList", NS):
            if name := entry.get("argumentRef"):
                bits += f"{given[name]:0{kinds[name]}b}"
            else:
                bits += f"{int(entry.get('binaryValue'), 16):0{entry.get('sizeInBits')}b}"
        values = {f.name: given[f.name] for f in p.fields if f.fixed is None}
        head = host.encode_tc(
            p, t.ROLES[role], given["sequence_count"], values, ack=given["ack"], source=given["source"]
        )
        assert int(bits, 2).to_bytes(len(bits) // 8, "big") == head + b"\0\0"
