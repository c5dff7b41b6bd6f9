"""Whatever a node sends with a good CRC, or without one, the ground shows a line or counts it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinwatch.errors import UsageError
from cabinwatch.view.monitor import LiveWatch, telecommand
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

WIDTHS = {"B": 8, "H": 16, "I": 32, "i": 32, "h": 16, "b": 8}


class Port:
    """A serial port that has said ``octets`` and hears what it is told."""

    name = "strange"

    def __init__(self, octets):
        self._octets = octets

    in_waiting = 0

    def read(self, _):
        octets, self._octets = self._octets, b""
        return octets

    def write(self, octets):
        pass


def said_of(octets):
    """What a watch shows of ``octets``."""
    lines = []
    watch = LiveWatch(Port(octets), lines.append)
    next(watch.listen())
    return lines, watch.ground


@st.composite
def telemetry(draw):
    """A good frame: any message of the table, its fields drawn over their whole range."""
    packet = draw(st.sampled_from(t.TM_PACKETS))
    values = {}
    for field in packet.fields:
        bits = WIDTHS[field.code]
        low = -(1 << bits - 1) if field.code.islower() and field.code in "ihb" else 0
        whole = st.integers(low, low + (1 << bits) - 1)
        values[field.name] = draw(whole if field.enum is None else whole | st.sampled_from(list(field.enum)))
    apid = draw(st.sampled_from(list(t.Apid)))
    day, ms = draw(st.integers(0, 65535)), draw(st.integers(0, t.DAY_MS - 1))
    return host.seal(host.encode_tm(packet, apid, draw(st.integers(0, 0x3FFF)), day, ms, values))


@given(st.lists(telemetry() | st.binary(max_size=80), max_size=8))
def test_any_octets_are_shown_or_counted(pieces):
    lines, _ = said_of(b"".join(pieces))
    for line in lines:
        assert line.isprintable()


@pytest.mark.parametrize("number", [200, 255])
def test_a_parameter_that_nobody_knows_is_shown_by_its_number(number):
    value = next(p for p in t.TM_PACKETS if p.name == "parameter_value")
    octets = host.encode_tm(value, t.Apid.MONITOR, 0, 0, 0, {"parameter": number, "value": 7})
    lines, _ = said_of(host.seal(octets))
    assert lines[-1].endswith(f"parameter {number} = 7")


@given(
    st.text(max_size=30)
    | st.lists(st.sampled_from(["set", "get", "caution", "9" * 5000, "-1", "1e9"])).map(" ".join)
)
def test_any_typed_line_is_a_telecommand_or_refused(words):
    refusal = "parameter"
    try:
        telecommand(words)
    except UsageError as error:
        refusal = str(error)
    assert refusal.isprintable()
    assert len(refusal) < 1000
