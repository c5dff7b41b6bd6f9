"""What somebody without the key says to a keyed node, having heard the line: forged, replayed, cut short, reordered."""

from collections.abc import Sequence

from hypothesis import strategies as hy

from cabinwatch.kit.strategies.wire import field_values
from cabinwatch_protocol import host, keyed
from cabinwatch_protocol import table as t
from cabinwatch_protocol.keyed import Association

ALTERABLE_AT = 9
"""What stands before is the header that gets a packet to its node, and says what it is."""


@hy.composite
def forged(draw: hy.DrawFn, *, role: str = "monitor") -> bytes:
    """A guarded telecommand without PEC whose trailer is drawn: counters at their edges, any tag."""
    packet = draw(hy.sampled_from([p for p in keyed.GUARDED if role in p.roles]))
    values = {f.name: draw(field_values(f)) for f in packet.fields if f.fixed is None}
    head = host.encode_tc(packet, int(t.ROLES[role]), draw(hy.integers(0, 0x3FFF)), values)
    use = draw(hy.one_of(hy.just(int(Association.COMMAND)), hy.integers(0, 255)))
    edges = hy.sampled_from((0, 1, 2, keyed.COUNTER_LEAP, keyed.COUNTER_LEAP + 1, keyed.COUNTER_END))
    counter = draw(hy.one_of(edges, hy.integers(0, 2**32 - 1)))
    tag = draw(hy.binary(min_size=keyed.TAG_SIZE, max_size=keyed.TAG_SIZE))
    return host.resized(head + bytes((use,)) + counter.to_bytes(4, "big") + tag)


@hy.composite
def truncated(draw: hy.DrawFn, heard: hy.SearchStrategy[bytes]) -> bytes:
    """A packet without PEC with its end cut off, and its length right."""
    packet = draw(heard)
    return host.resized(packet[: draw(hy.integers(min(len(packet), t.TC_MIN - t.PEC), len(packet) - 1))])


@hy.composite
def altered(draw: hy.DrawFn, heard: hy.SearchStrategy[bytes]) -> bytes:
    """A packet without PEC with some bits of it turned over."""
    packet = bytearray(draw(heard))
    places = hy.tuples(hy.integers(ALTERABLE_AT, len(packet) - 1), hy.integers(0, 7))
    for at, bit in draw(hy.lists(places, min_size=1, max_size=3, unique=True)):
        packet[at] ^= 1 << bit
    return bytes(packet)


def hostile(
    heard: Sequence[bytes], *, most: int = 8, role: str = "monitor"
) -> hy.SearchStrategy[list[bytes]]:
    """Up to ``most`` packets without PEC from somebody who has ``heard`` those: replayed in any order, late and again,
    cut short, altered, and forged.
    """
    past = hy.sampled_from(heard)
    return hy.lists(hy.one_of(past, past, truncated(past), altered(past), forged(role=role)), max_size=most)
