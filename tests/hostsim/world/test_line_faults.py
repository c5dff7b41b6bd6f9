"""Each link fault does what its docstring says, on its own stream, and leaves a sound line as it was."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as hy
from pydantic import TypeAdapter, ValidationError

from cabinwatch.models.line_faults import AnyLinkFault, LinkModel
from cabinwatch.world.line import Channel

SENDS = hy.lists(hy.binary(min_size=1, max_size=62), min_size=1, max_size=6)


def channel(*faults: dict[str, Any], seed: int = 1, baud: int = 115_200) -> Channel:
    line = Channel(LinkModel(baud=baud), "down", seed)
    for fault in faults:
        line.add(TypeAdapter[Any](AnyLinkFault).validate_python(fault))
    return line


def through(line: Channel, sends: list[bytes], gap_ms: int = 100) -> list[tuple[bytes, int]]:
    return [delivery for i, data in enumerate(sends) for delivery in line.carry(data, i * gap_ms)]


def octets(deliveries: list[tuple[bytes, int]]) -> bytes:
    return b"".join(data for data, _ in deliveries)


KINDS: list[dict[str, Any]] = [
    {"kind": "flip", "rate": 0.1}, {"kind": "burst", "enter": 0.1, "leave": 0.2, "loss": 0.2},
    {"kind": "drop", "rate": 0.2}, {"kind": "drop", "rate": 0.5, "of": "send"},
    {"kind": "repeat", "rate": 0.2}, {"kind": "repeat", "rate": 0.5, "of": "send"},
    {"kind": "swap", "rate": 0.2}, {"kind": "merge", "rate": 0.2}, {"kind": "delay", "most_ms": 50}, {"kind": "jitter"},
    {"kind": "stuck"}, {"kind": "baud", "error": 0.3}, {"kind": "echo"}, {"kind": "clog", "until": 0.2, "room": 9},
]  # fmt: skip


@pytest.mark.parametrize("fault", KINDS, ids=lambda f: f"{f['kind']}-{f.get('of', '')}")
def test_the_same_seed_gives_the_same_line(fault: dict[str, Any]) -> None:
    sends = [bytes(range(60))] * 5
    one, two = channel(fault), channel(fault)
    assert through(one, sends) == through(two, sends)
    assert one.counts() == two.counts()
    assert one.counts()[fault["kind"]] > 0


@pytest.mark.parametrize("fault", KINDS, ids=lambda f: f"{f['kind']}-{f.get('of', '')}")
@given(sends=SENDS)
def test_outside_its_window_a_fault_does_nothing(fault: dict[str, Any], sends: list[bytes]) -> None:
    late = channel({**fault, "at": 1000, "until": 1001})
    assert through(late, sends) == through(channel(), sends)


@given(sends=SENDS, rate=hy.floats(0, 1))
def test_a_fault_leaves_the_streams_of_other_kinds_alone(sends: list[bytes], rate: float) -> None:
    drop = {"kind": "drop", "rate": 0.2}
    alone = octets(through(channel(drop), sends))
    with_delay = octets(through(channel({"kind": "delay", "most_ms": 9}, drop), sends))
    assert alone == with_delay


@given(data=hy.binary(max_size=62), error=hy.floats(-0.04, 0.04))
def test_a_uart_bears_four_parts_in_a_hundred(data: bytes, error: float) -> None:
    assert octets(through(channel({"kind": "baud", "error": error}), [data])) == data


@given(data=hy.binary(min_size=20, max_size=62))
def test_at_half_the_rate_hardly_anything_is_right(data: bytes) -> None:
    assert octets(through(channel({"kind": "baud", "error": -0.5}), [data])) != data


@given(sends=SENDS, baud=hy.sampled_from((300, 9600, 115_200)))
def test_jitter_keeps_octets_and_order_and_the_pace_of_the_line(sends: list[bytes], baud: int) -> None:
    deliveries = through(channel({"kind": "jitter", "rate": 0.3}, baud=baud), sends)
    assert octets(deliveries) == b"".join(sends)
    times = [t for _, t in deliveries]
    assert times == sorted(times)
    assert times[-1] >= len(b"".join(sends)) * 10_000 // baud - len(sends)


@given(sends=SENDS)
def test_a_clog_lets_go_what_it_holds_at_its_end(sends: list[bytes]) -> None:
    deliveries = through(channel({"kind": "clog", "until": 60, "room": 50}), sends)
    assert octets(deliveries) == b"".join(sends)[:50]
    # Let go at 60 s, they still take their time on the line.
    assert all(60_000 <= t <= 60_000 + 6 * len(sends) for _, t in deliveries)


@given(data=hy.binary(min_size=1, max_size=62))
def test_a_merge_of_two_octets_keeps_only_common_ones(data: bytes) -> None:
    assert octets(through(channel({"kind": "merge", "rate": 1}), [data]))[:1] <= data[:1]


def test_gilbert_elliott_spends_the_stated_share_in_the_bad_state() -> None:
    line = channel({"kind": "burst", "enter": 0.05, "leave": 0.2, "rate": 0.0, "loss": 1.0})
    kept = octets(through(line, [bytes(62)] * 3000, 10))
    # Stationary share of the bad state: enter / (enter + leave).
    assert 1 - len(kept) / (62 * 3000) == pytest.approx(0.2, abs=0.01)


def test_a_clog_without_an_end_is_refused() -> None:
    with pytest.raises(ValidationError, match="a clog needs until"):
        channel({"kind": "clog"})
