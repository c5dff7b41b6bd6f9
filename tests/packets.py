"""Strategies for packets and frames, made from the packet table."""

from hypothesis import strategies as st

from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

RANGES = {"B": (0, 0xFF), "H": (0, 0xFFFF), "I": (0, (1 << 30) - 1), "i": (-(1 << 30), (1 << 30) - 1)}
"""Values a field may have on a device whose small integers have 31 bits."""

TM_ROLES = [(p, role) for p in t.TM_PACKETS for role in p.roles]
TC_ROLES = [(p, role) for p in t.TC_PACKETS for role in p.roles]


def values(packet: t.Packet) -> st.SearchStrategy[dict[str, int]]:
    """Values for the fields of ``packet`` that are not fixed."""
    free = {f.name: st.integers(*RANGES[f.code]) for f in packet.fields if f.fixed is None}
    return st.fixed_dictionaries(free)


sequences = st.one_of(st.integers(0, 0x3FFF), st.sampled_from([0, 0x3FFE, 0x3FFF]))
days = st.integers(0, 0xFFFF)
times_ms = st.one_of(st.integers(0, t.DAY_MS - 1), st.sampled_from([0, t.DAY_MS - 1]))


@st.composite
def tm_packets(draw):
    """A telemetry packet of any role, without PEC."""
    packet, role = draw(st.sampled_from(TM_ROLES))
    return host.encode_tm(
        packet,
        t.ROLES[role],
        draw(sequences),
        draw(days),
        draw(times_ms),
        draw(values(packet)),
        draw(st.integers(0, 0xFFFF)),
    )


@st.composite
def tc_packets(draw):
    """A telecommand to any role, without PEC."""
    packet, role = draw(st.sampled_from(TC_ROLES))
    return host.encode_tc(
        packet,
        t.ROLES[role],
        draw(sequences),
        draw(values(packet)),
        ack=draw(st.integers(0, 15)),
        source=draw(st.integers(0, 0xFFFF)),
    )


frames = st.one_of(tm_packets(), tc_packets()).map(host.seal)
"""Whole good frames."""

pieces = st.one_of(
    frames,
    frames.flatmap(lambda f: st.integers(0, len(f)).map(lambda n: f[:n])),
    frames.flatmap(lambda f: st.integers(0, len(f) - 1).map(lambda n: f[:n] + f[n + 1 :])),
    st.binary(max_size=80),
    st.lists(st.integers(0, 2), max_size=70).map(bytes),
    st.integers(55, 130).map(lambda n: b"\1" * n),
    st.sampled_from([b"\0", b"\0\0", b"\1\0", b"\xff" * 62]),
)
streams = st.lists(pieces, max_size=12).map(b"".join)
"""Byte streams with good frames, cut frames, frames without an octet, over-long ones and plain noise."""


@st.composite
def chunked(draw, data: bytes) -> list[bytes]:
    """``data`` cut anywhere, also into empty chunks."""
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=20)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
