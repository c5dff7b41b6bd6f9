"""A recording as a logic analyser would have seen it: the levels of both wires of the UART, as VCD.

``sigrok-cli``, PulseView and GTKWave read it.
"""

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import chain, pairwise
from pathlib import Path
from typing import NamedTuple

from cabinwatch.errors import UsageError
from cabinwatch.optional import need
from cabinwatch.run.transcript import Transcript

TICKS = 10_000_000
"""Ticks a second: a bit at 4 Mbaud, the fastest line that is taken, has two and a half."""
IDLE = 1
WIRES = {"down": "to_monitor", "up": "from_monitor"}


class Edge(NamedTuple):
    """From ``tick`` on the wire is at ``level``."""

    tick: int
    wire: str
    level: int


def write_vcd(recording: Transcript, baud: int, path: Path) -> int:
    """Write the recording's wires; returns how many octets went over them.

    Raises SetupError without ``cabinwatch[export]``, UsageError where the file cannot be written.
    """
    vcd = need("vcd", "export")
    ways = {
        WIRES["down"]: [(step.t_ms, step.rx) for step in recording.steps],
        WIRES["up"]: [(step.t_ms, step.tx) for step in recording.steps],
    }
    end = 0
    try:
        with (
            path.open("w", encoding="ascii") as out,
            vcd.VCDWriter(out, timescale="100 ns", date="", comment=f"UART, {baud} baud, 8N1") as writer,
        ):
            wires = {name: writer.register_var("uart", name, "wire", size=1, init=IDLE) for name in ways}
            for edge in merge(*(_edges(name, octets, baud) for name, octets in ways.items())):
                writer.change(wires[edge.wire], edge.tick, edge.level)
                end = edge.tick
            writer.close(end + _ticks(10, baud))  # the last stop bit
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
    return sum(len(octets) for way in ways.values() for _, octets in way)


def _ticks(bits: int, baud: int) -> int:
    return round(bits * TICKS / baud)


def _edges(wire: str, octets: Iterable[tuple[int, bytes]], baud: int) -> Iterator[Edge]:
    """The changes of one wire. What is sent at one time queues up at the line's rate.

    Before the first step the wire idles for an octet: a decoder looks for the fall that a start bit begins with.
    """
    octet_ticks = _ticks(10, baud)
    free = 0
    for t_ms, data in octets:
        for octet in data:
            free = max(free, t_ms * TICKS // 1000 + octet_ticks)
            bits = [0, *(octet >> i & 1 for i in range(8)), IDLE]
            for i, (before, level) in enumerate(pairwise(chain((IDLE,), bits))):
                if level != before:
                    yield Edge(free + _ticks(i, baud), wire, level)
            free += octet_ticks
