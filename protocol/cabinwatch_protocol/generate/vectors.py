"""Test vectors for implementations in other languages, made from the packet table through the host codec.

See vectors/README.md for what each file holds and how to use it.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from cobs import cobs

from cabinwatch_protocol import host, keyed, keys
from cabinwatch_protocol import table as t
from cabinwatch_protocol.generate import PROTOCOL
from cabinwatch_protocol.generate.sessions import sessions
from cabinwatch_protocol.keyed import Association

VECTORS = PROTOCOL / "vectors"
ALL = t.by_name((*t.TC_PACKETS, *t.TM_PACKETS))
Vector = dict[str, Any]


def _file(about: str, vectors: Iterable[Vector]) -> str:
    """A JSON file with one vector a line, so that a change shows as one line."""
    lines = ",\n".join("  " + json.dumps(v) for v in vectors)
    return f'{{"about": {json.dumps(about)}, "vectors": [\n{lines}\n]}}\n'


def crc() -> str:
    """CRC-16/IBM-3740 of octet strings."""
    inputs = {
        "empty": b"",
        "check value": b"123456789",
        "one zero": b"\0",
        "two zeros": b"\0\0",
        "one FF": b"\xff",
        "all octet values": bytes(range(256)),
        "preset undone: the CRC is 0": b"\xff\xff",
        "ping without its PEC": host.encode_tc(ALL["ping"], t.Apid.MONITOR, 0, source=1),
    }
    vectors = [{"name": n, "data": d.hex(), "crc": f"{host.crc16(d):04x}"} for n, d in inputs.items()]
    good = inputs["check value"] + b"\x29\xb1"
    vectors.append({"name": "with its CRC: 0", "data": good.hex(), "crc": "0000"})
    vectors.append({"name": "and a zero appended: still 0", "data": good.hex() + "00", "crc": "0000"})
    return _file("CRC-16/IBM-3740: data, then the CRC as four hexadecimal digits", vectors)


def cobs_() -> str:
    """COBS both ways, and what is no COBS."""
    texts = {
        "one zero": b"\0",
        "two zeros": b"\0\0",
        "no zero": b"\x11\x22\x33",
        "zero in the middle": b"\x11\0\x33",
        "zero at the end": b"\x11\x22\0",
        "zero at the start": b"\0\x11\x22",
        "60 without a zero": bytes(range(1, 61)),
        "60 zeros": bytes(60),
        "zero last of 60": bytes(range(1, 60)) + b"\0",
    }
    vectors: list[Vector] = [
        {"name": n, "packet": d.hex(), "stuffed": cobs.encode(d).hex(), "valid": True}
        for n, d in texts.items()
    ]
    bad = {
        "code points one beyond the end": b"\x04\x11\x22",
        "code points far beyond the end": b"\xff\x11\x22",
        "second code points beyond the end": b"\x02\x11\x05\x22",
    }
    vectors += [{"name": n, "stuffed": d.hex(), "valid": False} for n, d in bad.items()]
    return _file("COBS: packet and stuffed packet, without delimiters; valid false: to be discarded", vectors)


def _example(p: t.Packet, extreme: int) -> dict[str, int]:
    """Values for every field: a small pattern (0) or the ends of the field's range (1 low, 2 high)."""
    values = {}
    for i, f in enumerate(p.fields):
        bits = 8 * f.size
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if f.code == "i" else (0, (1 << bits) - 1)
        values[f.name] = (i + 1, low, high)[extreme]
    return values


def _good() -> Iterable[Vector]:
    for p in ALL.values():
        for role in p.roles:
            for extreme, label in enumerate(("small values", "lowest values", "highest values")):
                if extreme and (not p.fields or role != p.roles[0]):
                    continue
                values = _example(p, extreme)
                apid, count = t.ROLES[role], (5, 0, 0x3FFF)[extreme]
                if p.kind == "TC":
                    ack, peer = (9, 0, 15)[extreme], (1, 0, 0xFFFF)[extreme]
                    head = host.encode_tc(p, apid, count, values, ack=ack, source=peer)
                else:
                    day, ms = ((1, 12345), (0, 0), (0xFFFF, t.DAY_MS - 1))[extreme]
                    peer = (1, 0, 0xFFFF)[extreme]
                    head = host.encode_tm(p, apid, count, day, ms, values, peer)
                frame = host.seal(head)
                packet = host.judge(frame[1:-1]).packet
                got = host.decode(packet)
                yield {
                    "name": f"{role} {p.title} {p.name}, {label}",
                    "stuffed": frame[1:-1].hex(),
                    "verdict": "ok",
                    "reason": "",
                    "packet": packet.hex(),
                    "apid": int(apid),
                    "type": p.kind,
                    "count": got.sequence,
                    "service": p.service,
                    "subtype": p.subtype,
                    "peer": got.peer,
                    **({"ack": got.ack} if p.kind == "TC" else {"day": day, "ms": ms}),
                    "fields": got.values,
                }


PING = host.encode_tc(ALL["ping"], t.Apid.MONITOR, 7, source=1)
GOOD = PING + host.crc16(PING).to_bytes(2, "big")
BREAD = {host.Verdict.CRC: "crc", host.Verdict.FRAMING: "framing", host.Verdict.SIZE: "size"}


def _sealed(head: bytes) -> bytes:
    crc: int = host.crc16(head)
    return head + crc.to_bytes(2, "big")


def _bad() -> Iterable[Vector]:
    """Frames that a receiver discards, with the first check that fails."""
    stuffed = cobs.encode(GOOD)
    long_tm = ALL["housekeeping"]
    full = _sealed(host.encode_tm(long_tm, t.Apid.MONITOR, 1, 0, 1, _example(long_tm, 0))[:-1] + b"\1\1")
    pieces = {
        "one bit of the CRC wrong": (cobs.encode(GOOD[:-1] + bytes((GOOD[-1] ^ 1,))), "CRC"),
        "one bit of the service wrong": (cobs.encode(GOOD[:7] + b"\x10" + GOOD[8:]), "CRC"),
        "CRC octets exchanged": (cobs.encode(GOOD[:-2] + GOOD[:-3:-1]), "CRC"),
        "CRC 0": (cobs.encode(GOOD[:-2] + b"\0\0"), "CRC"),
        "a zero appended: the CRC is right, the length is not": (cobs.encode(GOOD + b"\0"), "exact length"),
        "two zeros appended": (cobs.encode(GOOD + b"\0\0"), "exact length"),
        "an octet appended": (cobs.encode(GOOD + b"\x55"), "exact length"),
        "the last octet cut off": (cobs.encode(GOOD[:-1]), "minimum length"),
        "12 octets with length and CRC right": (cobs.encode(_short(12)), "minimum length"),
        "7 octets with length and CRC right": (cobs.encode(_short(7)), "minimum length"),
        "length field one too small": (cobs.encode(_length(-1)), "exact length"),
        "length field one too large": (cobs.encode(_length(1)), "exact length"),
        "length field 65535": (cobs.encode(_sealed(PING[:4] + b"\xff\xff" + PING[6:])), "exact length"),
        "one octet": (b"\x01", "minimum length"),
        "last code one too large": (_last_code(stuffed, 1), "COBS"),
        "first code FF": (b"\xff" + stuffed[1:], "COBS"),
        "delimiter turned into 01: two frames become one": (stuffed + b"\x01" + stuffed, "exact length"),
        "62 stuffed octets": (cobs.encode(full + bytes(61 - len(full))), "size"),
        "300 stuffed octets": (cobs.encode(bytes(range(1, 255)) + bytes(44)), "size"),
    }
    for name, (frame, reason) in pieces.items():
        (found,) = host.StreamDecoder().feed(frame + b"\0")
        yield {"name": name, "stuffed": frame.hex(), "verdict": BREAD[found.verdict], "reason": reason}


def _short(size: int) -> bytes:
    head = PING[:4] + (size - 7).to_bytes(2, "big") + PING[6:]
    return _sealed(head[: size - 2])


def _length(off: int) -> bytes:
    return _sealed(PING[:4] + (6 + off).to_bytes(2, "big") + PING[6:])


def _last_code(stuffed: bytes, off: int) -> bytes:
    at = 0
    while at + stuffed[at] < len(stuffed):
        at += stuffed[at]
    return stuffed[:at] + bytes((stuffed[at] + off,)) + stuffed[at + 1 :]


def _ignored() -> Iterable[Vector]:
    """Good frames whose packet a monitor ignores, or refuses with TM[1,2]."""

    def change(at: int, value: int) -> bytes:
        return _sealed(PING[:at] + bytes((value,)) + PING[at + 1 :])

    ignored = {
        "packet version 1": (change(0, 0x38), "packet version"),
        "no secondary header flag": (change(0, 0x10), "secondary header flag"),
        "TC as TM": (change(0, 0x08), "packet type"),
        "APID 0A0": (change(1, 0xA0), "APID"),
        "APID 1A1": (change(0, 0x19), "APID"),
        "sequence flags 0": (change(2, 0x00), "sequence flags"),
        "sequence flags 1": (change(2, 0x40), "sequence flags"),
        "sequence flags 2": (change(2, 0x80), "sequence flags"),
    }
    for name, (packet, reason) in ignored.items():
        yield {
            "name": name,
            "stuffed": cobs.encode(packet).hex(),
            "verdict": "ignored",
            "reason": reason,
            "packet": packet.hex(),
        }
    refused = {
        "PUS version 1": (change(6, 0x19), t.Failure.PUS_VERSION),
        "PUS version 1 and unknown service": (
            _sealed(PING[:6] + b"\x19\x63" + PING[8:]),
            t.Failure.PUS_VERSION,
        ),
        "service 99": (change(7, 99), t.Failure.SERVICE),
        "service 1 is telemetry only": (change(7, 1), t.Failure.SERVICE),
        "TC[17,3]": (change(8, 3), t.Failure.SUBTYPE),
        "ping with data": (_sealed(PING[:5] + b"\x07" + PING[6:] + b"\x01"), t.Failure.LENGTH),
    }
    for name, (packet, failure) in refused.items():
        yield {
            "name": name,
            "stuffed": cobs.encode(packet).hex(),
            "verdict": "refused",
            "reason": f"failure code {failure.value}: {failure.name.lower().replace('_', ' ')}",
            "failure": failure.value,
            "packet": packet.hex(),
        }


def packets() -> str:
    """Every packet, good and bad."""
    about = (
        "Stuffed packets as a monitor receives them: verdict ok, framing, crc, size (discarded), ignored, or refused "
        "(TM[1,2] with the failure code); reason: the first check that fails"
    )
    return _file(about, (*_good(), *_bad(), *_ignored()))


def streams() -> str:
    """Octet streams and the frames in them, in order."""
    a, b = host.seal(PING), host.seal(host.encode_tc(ALL["ping"], t.Apid.MONITOR, 8, source=1))
    pieces = {
        "nothing": b"",
        "delimiters only": b"\0\0\0\0",
        "one frame": a,
        "delimiter before missing": a[1:],
        "two frames": a + b,
        "two frames that share a delimiter": a + b[1:],
        "doubled delimiters": b"\0" + a + b"\0\0" + b + b"\0",
        "noise right before a frame": b"\x55\xaa\x12" + a,
        "noise of 61 octets": b"\x55" * 61 + a,
        "noise of 62 octets": b"\x55" * 62 + a,
        "noise of 1000 octets": b"\x55" * 1000 + a,
        "cut frame, then a good one": a[:9] + b,
        "lost delimiter merges two frames": a[:-1] + b[1:] + a,
        "delimiter turned into 01": a[:-1] + b"\x01" + b[1:] + a,
        "no end yet": a + b[:-1],
    }
    vectors = []
    for name, data in pieces.items():
        found = [
            {"verdict": "ok", "packet": f.packet.hex()}
            if f.verdict is host.Verdict.OK
            else {"verdict": BREAD[f.verdict]}
            for f in host.StreamDecoder().feed(data)
        ]
        vectors.append({"name": name, "octets": data.hex(), "frames": found})
    return _file("Streams of octets and the frames that end in them, the same for any chunking", vectors)


KEY = bytes(range(16))
SESSION, CHALLENGE = bytes(range(0xA0, 0xA8)), bytes(range(0xC0, 0xC8))


def keyed_() -> str:
    """SipHash, derived keys, and each kind of signed packet."""
    vectors: list[Vector] = [
        {
            "name": f"siphash of {n} octets",
            "kind": "siphash",
            "key": KEY.hex(),
            "data": bytes(range(n)).hex(),
            "tag": keys.siphash(KEY, bytes(range(n))).hex(),
        }
        for n in (0, 1, 7, 8, 15, 16, 31, 63)
    ]
    owner = keys.MasterKey(KEY)
    for use, roles in ((Association.COMMAND, t.COMMANDED), (Association.ANSWER, ("transducer", "analyser"))):
        vectors += [
            {
                "name": f"{use.name.lower()} key of the {role}",
                "kind": "derive",
                "owner": KEY.hex(),
                "apid": int(t.ROLES[role]),
                "use": int(use),
                "key": owner.derived(role, use).hex(),
            }
            for role in roles
        ]
    values = {"set_parameter": {"parameter": 0, "value": 500}, "perform": {"function": 3, "argument": 60}}
    for counter, p in enumerate(keyed.GUARDED, 1):
        key = owner.derived("monitor", Association.COMMAND)
        head = host.encode_tc(p, t.Apid.MONITOR, counter, values.get(p.name), source=1)
        signed = _sealed(keys.sign_command(head, key, counter, SESSION))
        vectors.append(
            {"name": f"{p.title} {p.name} to the monitor", "kind": "command", "key": key.hex()}
            | {"session": SESSION.hex(), "counter": counter, "packet": signed.hex()}
        )
    for p in keyed.POLLED:
        role = p.roles[0]
        key = owner.derived(role, Association.ANSWER)
        ask = host.encode_tc(ALL["report_hk"], t.ROLES[role], 7, ack=0, source=t.Apid.MONITOR)
        head = host.encode_tm(p, t.ROLES[role], 8, 1, 1000, _example(p, 0), t.Apid.MONITOR)
        vectors.append(
            {"name": f"poll of the {role} and its answer", "kind": "answer", "key": key.hex()}
            | {"challenge": CHALLENGE.hex(), "poll": _sealed(keys.add_challenge(ask, CHALLENGE)).hex()}
            | {"packet": _sealed(keys.sign_answer(head, key, CHALLENGE)).hex()}
        )
    return _file("Keyed nodes (SPEC.md, section 19): by kind, what goes in and what comes out", vectors)


VECTOR_FILES: dict[Path, Callable[[], str]] = {
    VECTORS / "crc.json": crc,
    VECTORS / "cobs.json": cobs_,
    VECTORS / "packets.json": packets,
    VECTORS / "streams.json": streams,
    VECTORS / "sessions.json": lambda: _file(
        "Whole sessions from boot: what to give a node after elapsed_ms, and every frame that it then sends",
        sessions(),
    ),
    VECTORS / "keyed.json": keyed_,
}
