"""A stranger's library reads every packet of a recorded run with the fields that we meant."""

from binascii import crc_hqx
from struct import calcsize, unpack

import crcmod.predefined
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacepackets.ccsds.spacepacket import PacketType, SequenceFlags
from spacepackets.ccsds.time import CdsShortTimestamp
from spacepackets.ecss.tc import PusTc
from spacepackets.ecss.tm import PusTm

import oracles
import worlds
from cabinwatch import strategies
from cabinwatch.run.transcript import Recorder
from cabinwatch_protocol import table as t

crcmod_crc = crcmod.predefined.mkCrcFun("crc-ccitt-false")
STAMP = 7


class Keeper(Recorder):
    """Keeps the steps of a run."""

    def __init__(self):
        super().__init__()
        self.kept = []

    def add(self, step):
        super().add(step)
        self.kept.append(step)


def meant(packet, role, data):
    """The table's fields for the message type that a stranger found, unpacked from the data that it found."""
    known = t.packet(*packet, role)
    assert known is not None, f"{role} {packet}"
    code = ">" + "".join(f.code for f in known.fields)
    assert calcsize(code) == len(data), known.title
    values = dict(zip((f.name for f in known.fields), unpack(code, data), strict=True))
    for f in known.fields:
        if f.fixed is not None:
            assert values[f.name] == f.fixed
        if f.enum is not None:
            f.enum(values[f.name])
    return known.name, values


def read_tm(packet):
    tm = PusTm.unpack(packet, STAMP)
    stamp = CdsShortTimestamp.unpack(tm.timestamp)
    assert tm.pack() == packet, "what a stranger packs again is the same"
    assert (tm.packet_type, tm.sec_header_flag, tm.ccsds_version) == (PacketType.TM, True, 0)
    assert tm.seq_flags == SequenceFlags.UNSEGMENTED
    role = t.Apid(tm.apid).name.lower()
    name, values = meant(("TM", tm.service, tm.message_subtype), role, tm.source_data)
    return role, name, values, tm.seq_count, stamp.ccsds_days * t.DAY_MS + stamp.ms_of_day


def read_tc(packet):
    tc = PusTc.unpack(packet)
    assert tc.pack() == packet
    assert (tc.packet_type, tc.sec_header_flag, tc.ccsds_version) == (PacketType.TC, True, 0)
    assert tc.seq_flags == SequenceFlags.UNSEGMENTED
    role = t.Apid(tc.apid).name.lower()
    name, values = meant(("TC", tc.service, tc.message_subtype), role, tc.app_data)
    return role, name, values, tc.seq_count


def packets_of(stream):
    found = []
    for verdict, packet in oracles.verdicts(stream):
        assert verdict == "ok"
        assert crc_hqx(packet, 0xFFFF) == crcmod_crc(packet) == 0
        found.append(packet)
    return found


@settings(max_examples=15)
@given(
    worlds.tomls(most_s=200, link=strategies.link_models(most=0), device_faults_most=0, raw_most=0),
    st.integers(0, 1 << 32),
)
def test_every_packet_both_ways(text, seed):
    keeper = Keeper()
    worlds.run(text, seed, "cpython", recorder=keeper)
    counts = {}
    told = set()
    for packet in packets_of(b"".join(step.tx for step in keeper.kept)):
        if packet[0] & 0x10:
            role, name, values, _ = read_tc(packet)
            assert (role, name, values) == (role, "report_hk", {"n": 1, "sid": 1})
            assert role in ("transducer", "analyser")
        else:
            role, name, values, count, _ = read_tm(packet)
            assert role == "monitor"
            if name == "event_advisory" and values["event"] == t.Event.BOOT:
                counts[role] = 0
            assert count == counts[role]
            counts[role] = (count + 1) % 16384
            told.add(name)
    for packet in packets_of(b"".join(step.rx for step in keeper.kept)):
        if packet[0] & 0x10:
            assert read_tc(packet)[0] == "monitor"
        else:
            role, name, *_ = read_tm(packet)
            assert role == "transducer"
            assert name in ("sample", "instrument_event_caution", "instrument_event_advisory")
    assert "event_advisory" in told


EVERYTHING = """
title = "every telecommand"
duration = 120
[cabin.compartments.station]
volume = "100 m3"
[cabin.leaks.hole]
size = "40 mm"
at = 30
[link]
baud = 115200
""" + "".join(
    f'[[telecommands]]\nat = {90 + i}\ndo = "{verb}"\n{more}\n'
    for i, (verb, more) in enumerate(
        [
            ("ping", ""),
            ("report", ""),
            ("hk_off", ""),
            ("hk_on", ""),
            ("acknowledge", ""),
            ("restart_detector", ""),
            ("inhibit", "argument = 7201"),
            ("inhibit", "argument = 60"),
            ("alarms", ""),
            ("get", 'parameter = "threshold"'),
            ("set", 'parameter = "hk_period"\nvalue = 5000'),
            ("reboot", ""),
        ]
    )
)


@pytest.mark.parametrize("target", ["cpython", "micropython"])
def test_each_message_type_is_read_by_a_stranger(target, request):
    if target == "micropython":
        request.getfixturevalue("vm")
    keeper = Keeper()
    world, _ = worlds.run(EVERYTHING, 3, target, recorder=keeper)
    stamps = [read_tm(p)[4] for p in packets_of(b"".join(s.tx for s in keeper.kept)) if not p[0] & 0x10]
    reboot = stamps.index(0, 1)
    assert stamps[:reboot] == sorted(stamps[:reboot])
    names = {read_tm(p)[1] for p in packets_of(b"".join(s.tx for s in keeper.kept)) if not p[0] & 0x10}
    assert names >= {
        "accepted",
        "completed",
        "failed",
        "housekeeping",
        "event_advisory",
        "alive",
        "parameter_value",
    }
    assert names & {"event_warning", "event_emergency", "event_caution"}
    sent = {read_tc(p)[1] for p in packets_of(b"".join(s.rx for s in keeper.kept)) if p[0] & 0x10}
    assert sent == {p.name for p in t.TC_PACKETS} - {"report_event"}, "no event was lost"
    assert world.ground.unanswered == []
    assert len(world.ground.refused) == 1, "the inhibit that is too long"
