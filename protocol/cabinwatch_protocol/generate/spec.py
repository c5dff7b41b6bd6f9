"""The tables of SPEC.md, made from the packet table and put between their marks."""

import re
from collections.abc import Callable, Iterable
from enum import IntEnum

from cabinwatch_protocol import alarms, host, keyed, keys, version
from cabinwatch_protocol import table as t
from cabinwatch_protocol.generate import PROTOCOL
from cabinwatch_protocol.generate.vectors import CHALLENGE, KEY, SESSION
from cabinwatch_protocol.keyed import Association

SPEC = PROTOCOL / "SPEC.md"
MARK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

ACK_TEXT = {
    t.Ack.ACCEPTANCE: "report acceptance: TM[1,1]",
    t.Ack.START: "report the start of execution; never answered",
    t.Ack.PROGRESS: "report progress of execution; never answered",
    t.Ack.COMPLETION: "report completion: TM[1,7]",
}
FAILURE_TEXT = {
    t.Failure.PUS_VERSION: "PUS version is not 2",
    t.Failure.SERVICE: "the role has no such service",
    t.Failure.SUBTYPE: "the role's service has no such subtype",
    t.Failure.LENGTH: "the data are not as long as this message's",
    t.Failure.COUNT: "number of entries is not 1",
    t.Failure.STRUCTURE: "no such structure ID",
    t.Failure.FUNCTION: "no such function",
    t.Failure.ARGUMENT: "argument out of bounds",
    t.Failure.PARAMETER: "no such parameter",
    t.Failure.RANGE: "value out of bounds",
    t.Failure.NO_ALARM: "there is no alarm to acknowledge",
    t.Failure.STALE: "that occurrence is not, or no longer, latched",
    t.Failure.NO_EVENT: "that event is not, or no longer, recorded",
    t.Failure.TAG: "keyed nodes: no valid tag",
    t.Failure.COUNTER: "keyed nodes: a counter that KEY-04 refuses",
    t.Failure.EARLY: "keyed nodes: the last boot was less than 60 s ago",
}
EVENT_TEXT = {
    t.Event.BOOT: (
        "any",
        "1",
        "reset cause",
        "version: major, minor, patch in the low three octets; storage (section 9) in the high one",
    ),
    t.Event.ALARM: ("monitor", "the alarm's", "alarm cause", "rate of pressure, cPa/h"),
    t.Event.ALARM_ENDED: ("monitor", "1", "class that is left", "rate of pressure, cPa/h"),
    t.Event.SENSOR_LOST: (
        "monitor, transducer",
        "the alarm's; transducer: 2",
        "new health",
        "last pressure, cPa",
    ),
    t.Event.SENSOR_FOUND: (
        "monitor, transducer",
        "1",
        "class that is left; transducer: old health",
        "last pressure, cPa",
    ),
    t.Event.LINK_NOISE: ("monitor", "1", "frames discarded, at most 255", "frames discarded"),
    t.Event.INHIBIT_ENDED: ("monitor", "1", "class that the data justify", "how it ended (section 14)"),
    t.Event.COOLANT_LOW: ("coolant", "2 or 3", "4", "accumulator fill, millionths"),
    t.Event.NOT_KEPT: ("monitor, transducer", "1", "0", "0"),
    t.Event.ALARM_RETURNED: ("monitor", "1", "0", "rate of pressure, cPa/h"),
    t.Event.ALARM_AGAIN: ("monitor", "the alarm's", "alarm cause", "rate of pressure, cPa/h"),
    t.Event.ALARM_ACKNOWLEDGED: ("monitor", "1", "alarm cause", "rate of pressure, cPa/h"),
    t.Event.ALARM_REMINDER: ("monitor", "the alarm's", "alarm cause", "rate of pressure, cPa/h"),
    t.Event.SENSOR_RETURNED: ("monitor", "1", "0", "last pressure, cPa"),
    t.Event.SENSOR_AGAIN: ("monitor", "the alarm's", "health", "last pressure, cPa"),
    t.Event.SENSOR_ACKNOWLEDGED: ("monitor", "1", "health when it was latched", "last pressure, cPa"),
    t.Event.SENSOR_REMINDER: ("monitor", "the alarm's", "health when it was latched", "last pressure, cPa"),
    t.Event.INHIBITED: ("monitor", "1", "highest class inhibited", "its time, s"),
    t.Event.OUT_OF_SERVICE: ("monitor", "1", "3", "its time, s"),
    t.Event.IN_SERVICE: ("monitor", "1", "health", "how it ended (section 14)"),
    t.Event.COMMANDED: (
        "keyed monitor, transducer",
        "1",
        "function; 64 more than the subtype of service 3; 128 more than a parameter that was set",
        "source ID of the telecommand",
    ),
    t.Event.REFUSED: (
        "keyed monitor, transducer",
        "1",
        "failure code; of an answer 14",
        "how many since boot, modulo 65536",
    ),
}
FUNCTION_TEXT = {
    t.Function.ACKNOWLEDGE: (
        "occurrence",
        "acknowledge the alarm whose occurrence that is; 0: whatever is latched",
    ),
    t.Function.RESTART_DETECTOR: ("0", "let the detector forget all data"),
    t.Function.INHIBIT: (
        f"s, 0 to {t.INHIBIT_MAX_S}, and {1 << t.INHIBIT_CLASS_SHIFT} times a class, 0 to 4",
        "inhibit the cabin's alarm for this time, up to that class (0: all); 0 ends it",
    ),
    t.Function.REBOOT: ("0", "boot"),
    t.Function.DEFAULTS: ("0", "set every parameter to its default"),
    t.Function.OUT_OF_SERVICE: (
        f"s, 0 to {t.INHIBIT_MAX_S}",
        "take the transducer out of service: its loss is no alarm for this time; 0 ends it",
    ),
    t.Function.TEST_SIGNALS: (
        f"0 to {t.TEST_MAX}",
        "show on lamp and buzzer for 12 s a class (1 to 4) or blindness (5), 8 more as acknowledged",
    ),
}


def _rows(head: str, rows: Iterable[Iterable[object]]) -> str:
    columns = head.count("|") + 1
    lines = [f"| {head} |", "|---" * columns + "|"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _words(member: IntEnum) -> str:
    return member.name.lower().replace("_", " ")


def apids() -> str:
    """Application process identifiers and the packet IDs that follow from them."""
    rows = [(_words(a), f"{a:03X}", f"`{0x0800 | a:04x}`", f"`{0x1800 | a:04x}`") for a in t.Apid]
    return _rows("role | APID | packet ID of its TM | packet ID of TC to it", rows)


def ack() -> str:
    """The acknowledgement flags."""
    return _rows("flag | meaning", ((f.value, ACK_TEXT[f]) for f in t.Ack))


def failures() -> str:
    """Failure codes and the report that carries them."""
    rows = (
        (f.value, "TM[1,2]" if f in t.NOT_ACCEPTED else "TM[1,8]", FAILURE_TEXT[f]) for f in t.Failure if f
    )
    return _rows("code | in | meaning", rows)


def events() -> str:
    """Events: who sends them, in which class, with what."""
    rows = ((e.value, _words(e), *EVENT_TEXT[e]) for e in t.Event)
    return _rows("event | name | sent by | class (subtype) | cause field | value field", rows)


def functions() -> str:
    """The functions of service 8."""
    return _rows(
        "function | name | argument | effect", ((f.value, _words(f), *FUNCTION_TEXT[f]) for f in t.Function)
    )


TYPES = {"B": "unsigned 8", "H": "unsigned 16", "I": "unsigned 32", "i": "signed 32", "Q": "8 octets"}


def _field_doc(f: t.Field) -> str:
    text = f.doc
    if f.fixed is not None:
        text += f"; always {f.fixed}"
    if f.enum is not None and f.enum not in (t.Failure, t.Event, t.Function):
        text += ": " + ", ".join(f"{m.value} {_words(m)}" for m in f.enum if m in f.of or not f.of)
    return text.lstrip("; ")


def _packet(p: t.Packet) -> str:
    who = "sent by" if p.kind == "TM" else "taken by"
    text = f"**{p.title} {p.name}** ({who} {', '.join(p.roles)}): {p.doc}."
    if not p.fields:
        return text + " No data.\n"
    rows, at = [], 0
    for f in p.fields:
        rows.append((at, f"`{f.name}`", TYPES[f.code], f.unit, _field_doc(f)))
        at += f.size
    return f"{text} {at} octets of data.\n\n" + _rows("octet | field | type | unit | meaning", rows)


def packets() -> str:
    """The field table of every packet."""
    return "\n".join(_packet(p) for p in (*t.TC_PACKETS, *t.TM_PACKETS, *keyed.PACKETS))


def parameters() -> str:
    """The parameters of every role that has some."""
    parts = []
    for role, own in t.PARAMETERS.items():
        rows = ((p.id, f"`{p.name}`", p.unit, p.default, p.low, p.high, p.doc) for p in own)
        parts.append(
            f"{role.capitalize()}:\n\n" + _rows("ID | name | unit | default | low | high | meaning", rows)
        )
    return "\n".join(parts)


def versions() -> str:
    """The protocol's number and the firmware's version."""
    return (
        f"Protocol {version.PROTOCOL}, as firmware {version.TEXT} speaks it. A boot event tells the firmware's.\n"
        f"(The PUS version in every packet, {t.PUS_VERSION}, is the standard's.)\n"
    )


def alarm_table() -> str:
    """The alarm table, with the events of both alarms."""
    rows = (
        (
            _words(row.state),
            alarms.CONDITION_TEXT[row.condition],
            _words(row.next),
            *(f"{event.value} {_words(event)}" for event in alarms.EVENTS[row.told]),
        )
        for row in alarms.TABLE
    )
    head = "state | when | next state | event of the cabin's alarm | event of the blindness alarm"
    states = _rows("state | number", ((_words(s), s.value) for s in t.AlarmState))
    endings = _rows("value | how a suppression ended", ((e.value, alarms.ENDING_TEXT[e]) for e in t.Ending))
    return "\n".join((states, _rows(head, rows), endings))


def trailers() -> str:
    """The trailers of keyed nodes, and what each packet with one comes to."""
    parts = []
    for use, fields in keyed.TRAILERS.items():
        rows, at = [], 0
        for f in fields:
            rows.append((at, f"`{f.name}`", f.size, _field_doc(f)))
            at += f.size
        parts.append(
            f"Trailer of {TRAILER_TEXT[use]}, {at} octets:\n\n"
            + _rows("octet | field | octets | meaning", rows)
        )
    longer = (*keyed.GUARDED, t.packet("TC", 3, 27, "transducer"), *keyed.POLLED)
    sizes = (
        (f"{p.title} {p.name}", p.size, p.size + keyed.trailer_size(keyed.trailer_of(p)))
        for p in longer
        if p is not None
    )
    parts.append(_rows("packet | octets | with its trailer", sizes))
    return "\n".join(parts)


TRAILER_TEXT = {
    "command": "a guarded telecommand",
    "poll": "a poll",
    "answer": "the answer to such a poll",
}


def keyed_example() -> str:
    """A signed command, a poll with a challenge and its answer, with the keys and what their tags cover besides."""
    owner, every = keys.MasterKey(KEY), t.by_name((*t.TC_PACKETS, *t.TM_PACKETS))
    command = owner.derived("transducer", Association.COMMAND)
    answer = owner.derived("transducer", Association.ANSWER)
    offset = {"parameter": 0, "value": -2500}
    reading = {"pressure_cPa": 10_132_500, "temperature_cK": 29_515, "status": 0}
    there, monitor = t.Apid.TRANSDUCER, t.Apid.MONITOR
    set_ = host.encode_tc(every["set_parameter"], there, 1, offset, source=1)
    poll = host.encode_tc(every["report_hk"], there, 7, ack=0, source=monitor)
    sample = host.encode_tm(every["sample"], there, 8, 1, 1000, reading, monitor)
    lines = (
        ("owner's key", KEY),
        ("command key", command),
        ("session", SESSION),
        ("keyed set", _whole(keys.sign_command(set_, command, 1, SESSION))),
        ("answer key", answer),
        ("keyed poll", _whole(keys.add_challenge(poll, CHALLENGE))),
        ("keyed sample", _whole(keys.sign_answer(sample, answer, CHALLENGE))),
    )
    return "```text\n" + "".join(f"{name:<14}{octets.hex(' ')}\n" for name, octets in lines) + "```\n"


def _whole(head: bytes) -> bytes:
    pec: bytes = host.crc16(head).to_bytes(t.PEC, "big")
    return head + pec


TABLES: dict[str, Callable[[], str]] = {
    "version": versions,
    "apids": apids,
    "ack": ack,
    "failures": failures,
    "events": events,
    "functions": functions,
    "packets": packets,
    "alarms": alarm_table,
    "parameters": parameters,
    "trailers": trailers,
    "keyed_example": keyed_example,
}


def spec() -> str:
    """SPEC.md with its tables as the packet table has them."""
    return MARK.sub(lambda m: m[1] + "\n" + TABLES[m[2]]() + "\n" + m[3], SPEC.read_text(encoding="utf-8"))
