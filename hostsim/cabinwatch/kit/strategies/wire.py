"""What goes over the line: packets of the table, telecommands right and wrong, byte streams of every kind."""

from collections.abc import Sequence
from typing import Any

from cobs import cobs
from hypothesis import strategies as hy

from cabinwatch.kit.strategies.basic import Bounds, moments
from cabinwatch.models.commands import Telecommand
from cabinwatch.models.raw_telecommands import RawTelecommand
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

_RANGES = {"B": (0, 255), "H": (0, 65535), "I": (0, 2**32 - 1), "i": (-(2**31), 2**31 - 1)}
EDGES = (
    0,
    1,
    -1,
    127,
    128,
    255,
    256,
    0x7FFF,
    0x8000,
    0xFFFF,
    2**30 - 1,
    -(2**30),
    2**31 - 1,
    -(2**31),
    2**32 - 1,
)


def field_values(field: t.Field) -> hy.SearchStrategy[int]:
    """A value that fits the field: its enumeration's members, the edges of ranges, anything."""
    low, high = _RANGES[field.code]
    members = [int(m) for m in field.enum] if field.enum else []
    edges = [x for x in EDGES if low <= x <= high]
    return hy.one_of(hy.sampled_from(members or edges), hy.sampled_from(edges), hy.integers(low, high))


@hy.composite
def packets(
    draw: hy.DrawFn, *, kinds: Sequence[str] = ("TC", "TM"), roles: Sequence[str] = tuple(t.ROLES)
) -> bytes:
    """A right packet of the table, PEC included: any role, message type, field values, sequence count and time."""
    known = [
        (p, role)
        for p in (*t.TC_PACKETS, *t.TM_PACKETS)
        for role in p.roles
        if p.kind in kinds and role in roles
    ]
    packet, role = draw(hy.sampled_from(known))
    values = {f.name: draw(field_values(f)) for f in packet.fields if f.fixed is None}
    sequence = draw(hy.one_of(hy.sampled_from((0, 1, 0x3FFF)), hy.integers(0, 0x3FFF)))
    peer = draw(hy.integers(0, 65535))
    apid = int(t.ROLES[role])
    if packet.kind == "TC":
        head = host.encode_tc(packet, apid, sequence, values, ack=draw(hy.integers(0, 15)), source=peer)
    else:
        day, ms = draw(hy.integers(0, 65535)), draw(hy.integers(0, t.DAY_MS - 1))
        head = host.encode_tm(packet, apid, sequence, day, ms, values, peer)
    made: bytes = head + host.crc16(head).to_bytes(2, "big")
    return made


def _framed(packet: bytes) -> bytes:
    return b"\0" + bytes(cobs.encode(packet)) + b"\0"


def frames(**bounds: Any) -> hy.SearchStrategy[bytes]:
    """A right frame, delimiters included; ``bounds`` as of `packets`."""
    return packets(**bounds).map(_framed)


@hy.composite
def damaged(draw: hy.DrawFn, right: hy.SearchStrategy[bytes]) -> bytes:
    """A frame with one thing wrong: an octet changed, lost, put in or cut off, or zeros after the PEC."""
    frame = draw(right)
    i = draw(hy.integers(0, len(frame) - 1))
    octet = draw(hy.integers(0, 255))
    made: bytes = draw(
        hy.sampled_from(
            (
                frame[:i] + bytes((octet,)) + frame[i + 1 :],
                frame[:i] + frame[i + 1 :],
                frame[:i] + bytes((octet,)) + frame[i:],
                frame[:i],
                b"\0" + cobs.encode(cobs.decode(frame.strip(b"\0")) + b"\0") + b"\0",
            )
        )
    )
    return made


def byte_streams(*, most: int = 6, right: hy.SearchStrategy[bytes] | None = None) -> hy.SearchStrategy[bytes]:
    """A stream of up to ``most`` pieces: right frames, damaged ones, over-long ones, noise, delimiters."""
    sound = frames() if right is None else right
    noise = hy.binary(max_size=20)
    long = hy.integers(58, 300).map(lambda n: b"\x01" * n + b"\0")
    piece = hy.one_of(sound, sound, damaged(sound), noise, long, hy.just(b"\0"))
    return hy.lists(piece, max_size=most).map(b"".join)


@hy.composite
def chunked(draw: hy.DrawFn, data: bytes, *, longest: int = t.RX_MAX) -> list[bytes]:
    """``data`` cut into pieces of 1 to ``longest`` octets; shrinks to few cuts."""
    pieces = []
    while data:
        n = draw(hy.integers(1, longest).map(lambda n: longest + 1 - n))
        pieces.append(data[:n])
        data = data[n:]
    return pieces


def _verbs(safe: bool) -> hy.SearchStrategy[dict[str, Any]]:
    plain = hy.sampled_from(("ping", "report", "hk_on", "acknowledge")).map(lambda do: {"do": do})
    get = hy.sampled_from(t.MONITOR_PARAMETERS).map(lambda p: {"do": "get", "parameter": p.name})
    if safe:
        return hy.one_of(plain, get)
    rest = hy.sampled_from(("hk_off", "restart_detector", "reboot", "defaults")).map(lambda do: {"do": do})
    inhibit = hy.integers(0, t.INHIBIT_MAX_S).map(lambda s: {"do": "inhibit", "argument": s})

    def setting(p: t.Parameter) -> hy.SearchStrategy[dict[str, Any]]:
        near = hy.one_of(hy.sampled_from((p.default, p.low, p.high)), hy.integers(p.low, p.high))
        return near.map(lambda value: {"do": "set", "parameter": p.name, "value": value})

    return hy.one_of(plain, get, rest, inhibit, hy.sampled_from(t.MONITOR_PARAMETERS).flatmap(setting))


def telecommands(*, within: Bounds = (0.0, 3600.0), safe: bool = False) -> hy.SearchStrategy[Telecommand]:
    """A right telecommand at a time within ``within`` (s).

    ``safe``: only those after which the monitor watches as before (no reboot, inhibit, parameter, restart, silence).
    """
    return hy.tuples(moments(within), _verbs(safe)).map(
        lambda x: Telecommand.model_validate({"at": x[0], **x[1]})
    )


@hy.composite
def raw_telecommands(
    draw: hy.DrawFn, *, within: Bounds = (0.0, 3600.0), harmless: bool = True
) -> RawTelecommand:
    """A wrong or badly timed telecommand within ``within`` (s): some of its fields are not what they should be.

    ``harmless``: none that a right monitor would obey to its cost (service 8, or setting a parameter).
    """
    services = (1, 3, 5, 17, 20, 255) if harmless else (1, 3, 5, 8, 17, 20, 255)
    wrong: dict[str, hy.SearchStrategy[Any]] = {
        "apid": hy.sampled_from((0xA1, 0xA2, 0xA3, 0, 0x7FF, 0x1A1)),
        "type": hy.just(0),
        "packet_version": hy.integers(1, 7),
        "secondary": hy.just(0),
        "sequence_flags": hy.integers(0, 2),
        "sequence": hy.integers(0, 0x3FFF),
        "pus_version": hy.sampled_from((0, 1, 3, 15)),
        "ack": hy.integers(0, 15),
        "service": hy.sampled_from(services),
        "subtype": hy.sampled_from(
            (0, 1, 2, 5, 6, 27, 128, 255) if not harmless else (0, 1, 2, 27, 128, 255)
        ),
        "source": hy.integers(0, 65535),
        "data": hy.sampled_from(("", "01", "0101", "0001", "0102", "01ff", "010100000000", "00" * 40)),
        "length_off": hy.sampled_from((-1, 1, 2, 255, 256)),
        "pec_xor": hy.sampled_from((1, 0x8000, 0xFFFF)),
        "zeros": hy.sampled_from((1, 2, 40)),
        "cut": hy.sampled_from((1, 2, 10)),
        "octets": hy.binary(max_size=40).map(bytes.hex),
        "times": hy.integers(2, 4),
        "gap_ms": hy.sampled_from((1, 5, 1000)),
    }
    names = draw(hy.lists(hy.sampled_from(sorted(wrong)), max_size=3, unique=True))
    values = {name: draw(wrong[name]) for name in names}
    return RawTelecommand.model_validate({"at": draw(moments(within)), **values})
