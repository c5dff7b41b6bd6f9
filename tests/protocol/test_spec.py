"""SPEC.md: its tables are current, its IDs well formed, and its worked examples right by code that is not ours."""

import binascii
import hmac
import re
import struct

import pytest
import siphash24
from cobs import cobs

from cabinwatch.verify.conform.requirements import requirements
from cabinwatch_protocol import table as t
from cabinwatch_protocol.generate import __main__ as generate
from cabinwatch_protocol.generate.spec import SPEC

TEXT = SPEC.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", generate.GENERATED, ids=lambda p: p.name)
def test_generated_file_is_current(path):
    assert path.read_text(encoding="utf-8") == generate.GENERATED[path](), (
        "run: python -m cabinwatch_protocol.generate"
    )


def test_every_requirement_is_parsed_and_says_shall_or_should():
    ids = re.findall(r"\*\*\[([A-Z]{3}-\d\d)\]\*\*", TEXT)
    assert len(ids) == len(set(ids)) > 70
    assert list(requirements()) == ids
    for r in requirements().values():
        words = re.findall(r"\b(shall|should)\b", r.text)
        assert words, r.id
        assert len(set(words)) == 1, f"{r.id} says both shall and should"
        assert r.role in ("any", "monitor", "transducer", "ground")
    outside = re.sub(r"^- \*\*\[[A-Z]{3}-\d\d\]\*\*.+(?:\n  .+)*", "", TEXT, flags=re.MULTILINE)
    assert not re.search(r"\bshall\b", outside), "a shall without an ID"


def test_ids_that_the_text_refers_to_exist():
    assert set(re.findall(r"\b[A-Z]{3}-\d\d\b", TEXT)) - set(requirements()) <= {"CRC-16", "ISA-18"}


def examples():
    found = {}
    for block in re.findall(r"```hex\n(.*?)```", TEXT, re.DOTALL):
        for name, packet, frame in re.findall(
            r"^(\w+) +([0-9a-f ]+)\n  frame +([0-9a-f ]+)$", block, re.MULTILINE
        ):
            found[name] = bytes.fromhex(packet), bytes.fromhex(frame)
    return found


EXAMPLES = examples()


def test_all_examples_are_found():
    assert set(EXAMPLES) == {
        "ping",
        "accepted",
        "alive",
        "completed",
        "poll",
        "sample",
        "set",
        "refused",
        "boot",
    }
    assert sum(TEXT.count(f"\n{name} ") for name in EXAMPLES) == len(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_frame_and_crc(name):
    packet, frame = EXAMPLES[name]
    assert frame[0] == frame[-1] == 0
    assert 0 not in frame[1:-1]
    assert cobs.decode(frame[1:-1]) == packet
    assert binascii.crc_hqx(packet[:-2], 0xFFFF) == int.from_bytes(packet[-2:], "big")
    assert len(packet) == int.from_bytes(packet[4:6], "big") + 7


def headers(packet):
    """Primary header and PUS header by plain bit arithmetic: everything the prose above the example states."""
    pid, psc = struct.unpack(">HH", packet[:4])
    return pid >> 13, pid >> 12 & 1, pid >> 11 & 1, pid & 0x7FF, psc >> 14, psc & 0x3FFF, tuple(packet[6:9])


@pytest.mark.parametrize(
    ("name", "expected", "rest"),
    [
        ("ping", (0, 1, 1, 0x0A1, 3, 0, (0x29, 17, 1)), (1,)),
        ("accepted", (0, 0, 1, 0x0A1, 3, 3, (0x20, 1, 1)), (0, 1, 0x40, 0, 12345, 0x18A1C000)),
        ("alive", (0, 0, 1, 0x0A1, 3, 4, (0x20, 17, 2)), (0, 1, 0x40, 0, 12345)),
        ("completed", (0, 0, 1, 0x0A1, 3, 5, (0x20, 1, 7)), (0, 1, 0x40, 0, 12345, 0x18A1C000)),
        ("poll", (0, 1, 1, 0x0A2, 3, 7, (0x20, 3, 27)), (0xA1, 1, 1)),
        ("sample", (0, 0, 1, 0x0A2, 3, 8, (0x20, 3, 25)), (0, 0xA1, 0x40, 1, 1000, 1, 10132500, 29515, 0)),
        ("set", (0, 1, 1, 0x0A2, 3, 1, (0x29, 20, 3)), (0, 1, 0, -2500)),
        ("refused", (0, 0, 1, 0x0A2, 3, 9, (0x20, 1, 2)), (0, 0, 0x40, 0, 86399999, 0x18A2C002, 2)),
        ("boot", (0, 0, 1, 0x0A1, 3, 0, (0x20, 5, 1)), (0, 0, 0x40, 0, 0, 1, 0, 0x000100)),
    ],
)
def test_example_says_what_the_text_says(name, expected, rest):
    packet, _ = EXAMPLES[name]
    layouts = {
        "ping": ">H", "accepted": ">HHBHII", "alive": ">HHBHI", "completed": ">HHBHII", "poll": ">HBB",
        "sample": ">HHBHIBIHB", "set": ">HBBi", "refused": ">HHBHIIB", "boot": ">HHBHIBBi",
    }  # fmt: skip
    assert headers(packet) == expected
    assert struct.unpack(layouts[name], packet[9:-2]) == rest


def test_every_parameter_bound_can_be_refused():
    """Both bounds lie within the device's 31-bit range with room for one more value outside them."""
    for own in t.PARAMETERS.values():
        for p in own:
            assert -(1 << 30) < p.low <= p.default <= p.high < (1 << 30) - 1, p.name


def test_the_keyed_example_is_right_by_other_code():
    (block,) = re.findall(r"```text\n(owner's key.*?)```", TEXT, re.DOTALL)
    rows = re.findall(r"^(\S.*?) {2,}([0-9a-f ]+)$", block, re.MULTILINE)
    example = {name: bytes.fromhex(octets) for name, octets in rows}
    assert list(example) == [
        "owner's key",
        "command key",
        "session",
        "keyed set",
        "answer key",
        "keyed poll",
        "keyed sample",
    ]
    for name, use in (("command key", b"\x01"), ("answer key", b"\x02")):
        derived = hmac.digest(example["owner's key"], b"cabinwatch\x00\xa2" + use, "sha256")
        assert example[name] == derived[:16]
    for name, key, unsent in (
        ("keyed set", "command key", example["session"]),
        ("keyed sample", "answer key", example["keyed poll"][-10:-2]),
    ):
        packet = example[name]
        covered, tag, pec = packet[:-10], packet[-10:-2], packet[-2:]
        assert siphash24.siphash24(covered + unsent, key=example[key]).digest() == tag
        assert struct.pack(">H", binascii.crc_hqx(packet[:-2], 0xFFFF)) == pec
        assert int.from_bytes(packet[4:6], "big") == len(packet) - 7
