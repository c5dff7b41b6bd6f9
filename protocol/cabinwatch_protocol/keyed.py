"""What keyed nodes add to the packet table: trailers with a tag, two packets, and which telecommands need a tag."""

from enum import IntEnum

from cabinwatch_protocol import table as t


class Association(IntEnum):
    """The use that a trailer makes of a key: first octet of every trailer."""

    COMMAND = 1
    ANSWER = 2


def _association(use: Association) -> t.Field:
    return t.Field("association", "B", doc="which use of a key", fixed=use)


TAG = t.Field("tag", "Q", doc="SipHash-2-4, as its octets come")
TRAILERS = {
    "command": (
        _association(Association.COMMAND),
        t.Field("counter", "I", doc="above that of the last accepted command"),
        TAG,
    ),
    "poll": (_association(Association.ANSWER), t.Field("challenge", "Q", doc="what the answer's tag covers")),
    "answer": (_association(Association.ANSWER), TAG),
}
"""Between the data and the packet error control, counted by the packet data length."""

COUNTER_END = (1 << 30) - 1
"""Counters are below: what a device sees at a larger one is this."""
COUNTER_LEAP = 1024
"""How far a counter may lie above the last one.

A ground station that was told a forged counter would use up all that are left with one command; so it takes the forger
a million of them. An honest one leaps by those that were lost on the way, and asks again after a refusal.
"""
TAG_SIZE = t.FIELD_SIZES[TAG.code]
KEY_SIZE = 16
EARLY_MS = 60_000
"""A keyed monitor does not reboot sooner after a boot."""
TELL_MS = 60_000
"""It tells of what it refused no more often."""

GUARDED = tuple(p for p in t.TC_PACKETS if p.name in ("perform", "set_parameter", "enable_hk", "disable_hk"))
"""What a keyed node executes only with a valid tag."""
POLLED = tuple(p for p in t.TM_PACKETS if p.name in ("sample", "composition"))
"""What a keyed instrument tags where the poll carries a challenge."""

REPORT_SESSION = t.Packet(
    "report_session", "TC", 130, 1, t.COMMANDED, (), "report the session (keyed nodes only)"
)
SESSION = t.Packet(
    "session",
    "TM",
    130,
    2,
    t.COMMANDED,
    (
        t.Field("session", "Q", doc="the node's session"),
        t.Field(
            "counter", "I", doc="of the last accepted guarded telecommand since boot; 0 before the first"
        ),
        t.Field("refused", "H", doc="telecommands and answers refused since boot, modulo 65536"),
        t.Field(
            "keyed",
            "B",
            doc="monitor: 1 the transducer's samples need a tag, 2 the analyser's reports; transducer: 0",
        ),
    ),
    "session of a keyed node",
)
PACKETS = (REPORT_SESSION, SESSION)


def trailer_size(use: str) -> int:
    """Octets of that trailer."""
    return t.size_of(TRAILERS[use])


def trailer_of(packet: t.Packet) -> str:
    """The trailer that such a packet may have, or "" where it has none."""
    if packet in GUARDED:
        return "command"
    if packet in POLLED:
        return "answer"
    return "poll" if packet.name == "report_hk" else ""


def packet(kind: str, service: int, subtype: int, role: str) -> t.Packet | None:
    """As the packet table's, with the packets of keyed nodes."""
    own = (
        p for p in PACKETS if (p.kind, p.service, p.subtype) == (kind, service, subtype) and role in p.roles
    )
    return t.packet(kind, service, subtype, role) or next(own, None)
