"""The device codec's constants: device/consts.py."""

from enum import IntEnum

from cabinwatch_protocol import alarms, keyed
from cabinwatch_protocol import table as t
from cabinwatch_protocol.generate import PACKAGE

CONSTS = PACKAGE / "device" / "consts.py"
SHARED = {t.EVENT: "EVENT", t.MONITOR_EVENT: "MONITOR_EVENT"}
"""Layouts of several packets, by their common name."""


def accept_table(role: str) -> bytes:
    """Service, subtype and application data length of every telecommand that ``role`` accepts, three octets each."""
    rows = [(p.service, p.subtype, p.data_size) for p in t.TC_PACKETS if role in p.roles]
    return bytes(octet for row in rows for octet in row)


def keyed_accept_table(role: str) -> bytes:
    """The same of a keyed node, where a guarded telecommand is longer by its trailer."""
    more = {p: keyed.trailer_size("command") for p in keyed.GUARDED}
    taken = [p for p in (*t.TC_PACKETS, keyed.REPORT_SESSION) if role in p.roles]
    return bytes(octet for p in taken for octet in (p.service, p.subtype, p.data_size + more.get(p, 0)))


def _fields(prefix: str, fields: tuple[t.Field, ...], start: int = 0) -> list[str]:
    """Where each field is in its packet: eight times its first octet, and how many octets it has.

    Of a field of one octet also its index in the receive buffer, whose first octet is the frame's own; of one of eight
    only that.
    """
    lines = []
    for f in fields:
        if f.size < 8:
            lines.append(f"{prefix}_{f.name.upper()} = {start << 3 | f.size}")
        if f.size in (1, 8):
            lines.append(f"{prefix}_{f.name.upper()}_AT = {start + 1}")
        start += f.size
    return lines


def layouts() -> list[str]:
    """The fields of the headers and of every packet that a device sends or takes, and the packets' sizes."""
    lines = [line for kind, header in t.HEADERS.items() for line in _fields(kind, header)]
    for p in (*t.TC_PACKETS, *t.TM_PACKETS, *keyed.PACKETS):
        name = SHARED.get(p.fields, p.name.upper())
        if p.roles == ("coolant",) or f"{name}_SIZE = {p.size}" in lines:
            continue
        lines += _fields(name, p.fields, t.size_of(t.HEADERS[p.kind]))
        lines.append(f"{name}_SIZE = {p.size}")
    return lines


def _enum(prefix: str, enum: type[IntEnum]) -> list[str]:
    return [f"{prefix}_{m.name} = {m.value}" for m in enum]


def device_constants() -> str:
    """Source of device/consts.py; the image builder folds the integers into the code that uses them."""
    lines = [
        '"""Constants of the device codec, generated from the packet table: python -m cabinwatch_protocol.generate."""',
        "# fmt: off",
        "# ruff: noqa: E501",
        "",
    ]
    for name in (
        "PACKET_MAX",
        "FRAME_MAX",
        "PEC",
        "TC_MIN",
        "RX_MAX",
        "PUS_VERSION",
        "CDS_P_FIELD",
        "DAY_MS",
        "VERSION",
        "INHIBIT_MAX_S",
        "INHIBIT_CLASS_SHIFT",
        "NOISE_LIMIT",
        "T_CAP",
    ):
        lines.append(f"{name} = {getattr(t, name)}")
    lines += ["", "# Verdicts of the stream decoder; from FRAME_OK on, also indices of the link counters."]
    lines += [
        "FRAME_OK = 1",
        "BAD_CRC = 2",
        "BAD_FRAMING = 3",
        "BAD_SIZE = 4",
        "REJECTED = 5",
        "TIMEOUTS = 6",
        "",
    ]
    for apid in t.Apid:
        lines.append(f"APID_{apid.name} = {apid.value}")
    for prefix, enum in (
        ("ACK", t.Ack),
        ("CAUSE", t.Cause),
        ("HEALTH", t.Health),
        ("LAW", t.Law),
        ("EVENT", t.Event),
        ("RESET", t.Reset),
        ("STORED", t.Stored),
        ("FAIL", t.Failure),
        ("DO", t.Function),
        ("FLAG", t.Flag),
        ("CLASS", t.AlarmClass),
        ("STATE", t.AlarmState),
        ("ENDING", t.Ending),
        ("POINT", alarms.Point),
        ("ON", alarms.Condition),
        ("TOLD", alarms.Transition),
        ("ASSOCIATION", keyed.Association),
    ):
        lines += ["", *_enum(prefix, enum)]
    for role, parameters in t.PARAMETERS.items():
        lines += ["", f"# Parameters of the {role}: default, low, high of each, in the order of their IDs."]
        lines += [f"{'P' if role == 'monitor' else 'X'}_{p.name.upper()} = {p.id}" for p in parameters]
        lines.append(f"{role.upper()}_LIMITS = (")
        lines += [f"    {p.default}, {p.low}, {p.high}," for p in parameters]
        lines.append(")")
    lines += [
        "",
        "# Fields: eight times the place of the first octet, and how many octets; AT: index in the receive buffer.",
    ]
    lines += layouts()
    lines += [
        "",
        "# The alarm table: by state and condition, what is told (high four bits, 0 = nothing) and the next state;",
        "# behind it, from ALARM_EVENTS on, by alarm and transition the event.",
        f"ALARM_CONDITIONS = {len(alarms.Condition)}",
        f"ALARM_TRANSITIONS = {len(alarms.Transition)}",
        f"ALARM_EVENTS = {len(alarms.device_table())}",
        f"ALARM_TABLE = {alarms.device_table() + alarms.device_events()!r}",
    ]
    lines += ["", "# Accepted telecommands: service, subtype, length of the application data."]
    for role in t.PARAMETERS:
        lines.append(f"{role.upper()}_ACCEPTS = {accept_table(role)!r}")
        lines.append(f"KEYED_{role.upper()}_ACCEPTS = {keyed_accept_table(role)!r}")
    lines += ["", "# Keyed nodes: octets of a key, a tag and the trailers; see keyed.py."]
    lines += [
        f"{name} = {getattr(keyed, name)}"
        for name in ("KEY_SIZE", "TAG_SIZE", "COUNTER_END", "COUNTER_LEAP", "EARLY_MS", "TELL_MS")
    ]
    lines += [f"{use.upper()}_TRAILER = {keyed.trailer_size(use)}" for use in keyed.TRAILERS]
    return "\n".join(lines) + "\n"
