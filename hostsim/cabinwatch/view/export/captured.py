"""The good packets of a recording or a capture, each with its direction and the time at which its last octet was in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cabinwatch.run.transcript import Transcript
from cabinwatch_protocol import host

BIT_TIMES = 10
"""Bit times of an octet on the line: start, eight data bits, stop (8N1)."""
Direction = Literal["up", "down", ""]
"""``up``: from the monitor; ``down``: to it; empty: a capture does not say."""


@dataclass(frozen=True, slots=True)
class Captured:
    """One packet, headers and PEC included; ``decoded`` is None where it is no packet of the table."""

    t_us: int
    direction: Direction
    packet: bytes
    decoded: host.Decoded | None


def of_octets(octets: bytes, baud: int = 115_200) -> Iterator[Captured]:
    """The packets of a plain capture, as if its octets had come one after the other at ``baud``."""
    decoder = host.StreamDecoder()
    for at, octet in enumerate(octets, 1):
        for frame in decoder.feed(bytes((octet,))):
            yield from _good(frame, at * BIT_TIMES * 1_000_000 // baud, "")


def of_recording(recording: Transcript, baud: int) -> Iterator[Captured]:
    """The packets of a recording in order of time. Octets of a step queue up at the line's rate, each way by itself."""
    decoders = {"down": host.StreamDecoder(), "up": host.StreamDecoder()}
    free_us = {"down": 0, "up": 0}
    found: list[Captured] = []
    for step in recording.steps:
        ways: tuple[tuple[Direction, bytes], ...] = (("down", step.rx), ("up", step.tx))
        for way, octets in ways:
            for octet in octets:
                free_us[way] = max(step.t_ms * 1000, free_us[way]) + BIT_TIMES * 1_000_000 // baud
                for frame in decoders[way].feed(bytes((octet,))):
                    found += _good(frame, free_us[way], way)
    return iter(sorted(found, key=lambda captured: captured.t_us))


def _good(frame: host.Frame, t_us: int, direction: Direction) -> Iterator[Captured]:
    if frame.verdict is not host.Verdict.OK:
        return
    try:
        decoded = host.decode(frame.packet)
    except host.Alien:
        decoded = None
    yield Captured(t_us, direction, frame.packet, decoded)
