"""Whole sessions as test vectors: what a node is given, and every frame that it has to send, from boot on."""

from collections.abc import Iterable
from typing import Any

from cabinwatch_protocol import host, version
from cabinwatch_protocol import table as t

ALL = t.by_name((*t.TC_PACKETS, *t.TM_PACKETS))
READING = {"pressure_cPa": 10132500, "temperature_cK": 29515, "status": 0}
SOURCE = 1
Answer = tuple[str, dict[str, int]]


class Script:
    """Writes one session down: counts and clock as the node under test has to keep them."""

    def __init__(self, name: str, role: str, note: str = "") -> None:
        self.role = role
        self.apid = t.ROLES[role]
        made_with = {"boot_cause": t.Reset.POWER_ON, "version": version.TEXT}
        self.text: dict[str, Any] = {"name": name, "role": role, **made_with, "note": note, "steps": []}
        self.time_ms = 0
        self.count = 0
        self.boot(t.Reset.POWER_ON)

    def tm(self, name: str, values: dict[str, int], destination: int = 0) -> str:
        """The next telemetry frame of the node, in hex."""
        day, ms = divmod(self.time_ms, t.DAY_MS)
        frame = host.seal(host.encode_tm(ALL[name], self.apid, self.count, day, ms, values, destination))
        self.count = (self.count + 1) & 0x3FFF
        return frame.hex()

    def boot(self, cause: t.Reset) -> None:
        """The boot event, unasked."""
        values = {"event": t.Event.BOOT, "cause": cause, "value": t.VERSION}
        if self.role == "monitor":
            nothing = dict.fromkeys((f.name for f in (*t.LATCHED, t.NUMBER)), 0)
            values = {**values, **nothing, "value": t.Stored.VOLATILE << 24 | t.VERSION}
            self.step(0, b"", [self.tm("event_advisory", values)])
        else:
            self.step(0, b"", [self.tm("instrument_event_advisory", values)])

    def step(self, elapsed_ms: int, give: bytes, expect: list[str]) -> None:
        """Give the node these octets; it has to send these frames."""
        self.text["steps"].append({"elapsed_ms": elapsed_ms, "give": give.hex(), "expect": expect})

    def command(
        self,
        name: str,
        count: int,
        values: dict[str, int] | None = None,
        report: Answer | None = None,
        failure: t.Failure = t.Failure.NONE,
        ack: int = 9,
        elapsed_ms: int = 10,
    ) -> None:
        """A telecommand, its verification and the report that it asks for."""
        head = host.encode_tc(ALL[name], self.apid, count, values, ack=ack, source=SOURCE)
        request = {"request_packet": 0x1800 | self.apid, "request_sequence": 0xC000 | count}
        self.time_ms += elapsed_ms
        answers = [("accepted", request)] if ack & t.Ack.ACCEPTANCE else []
        if report:
            answers.append(report)
        if failure:
            answers.append(("failed", {**request, "failure": failure}))
        elif ack & t.Ack.COMPLETION:
            answers.append(("completed", request))
        self.step(elapsed_ms, host.seal(head), [self.tm(n, v, SOURCE) for n, v in answers])

    def octets(self, give: bytes, elapsed_ms: int = 10) -> None:
        """Octets that draw nothing."""
        self.time_ms += elapsed_ms
        self.step(elapsed_ms, give, [])


def value(parameter: int, number: int) -> Answer:
    """The report of a parameter's value."""
    return "parameter_value", {"parameter": parameter, "value": number}


def _first_contact() -> Script:
    s = Script(
        "first contact", "transducer", "the sensor reads 101325.00 Pa and 295.15 K, status 0, throughout"
    )
    s.command("ping", 0, report=("alive", {}))
    s.command("report_hk", 1, report=("sample", READING), ack=0)
    s.command("report_hk", 2, report=("sample", READING), ack=15, elapsed_ms=990)
    s.octets(b"\0\0\0")
    s.octets(bytes.fromhex("55aa") * 40)
    s.command("ping", 3, report=("alive", {}), ack=0)
    return s


def _parameters() -> Script:
    p = t.TRANSDUCER_PARAMETERS[0]
    s = Script("parameters", "transducer", "the sensor reads 101325.00 Pa and 295.15 K, status 0, throughout")
    s.command("report_parameter", 0, {"parameter": 0}, value(0, p.default))
    for count, number in ((1, p.low), (3, p.high), (5, -2500)):
        s.command("set_parameter", count, {"parameter": 0, "value": number})
        s.command("report_parameter", count + 1, {"parameter": 0}, value(0, number))
    for count, number in ((7, p.low - 1), (8, p.high + 1), (9, (1 << 31) - 1), (10, -(1 << 31))):
        s.command("set_parameter", count, {"parameter": 0, "value": number}, failure=t.Failure.RANGE, ack=0)
    s.command("set_parameter", 11, {"parameter": 1, "value": 0}, failure=t.Failure.PARAMETER)
    s.command("report_hk", 12, report=("sample", {**READING, "pressure_cPa": 10130000}))
    return s


def _repetition() -> Script:
    s = Script(
        "repetition",
        "transducer",
        "a repeated telecommand is answered again; another with its count is another",
    )
    s.command("set_parameter", 7, {"parameter": 0, "value": 100})
    s.command("set_parameter", 7, {"parameter": 0, "value": 100})
    s.command("set_parameter", 7, {"parameter": 0, "value": 200})
    s.command("report_parameter", 8, {"parameter": 0}, value(0, 200))
    s.command("set_parameter", 9, {"parameter": 0, "value": 999_999}, failure=t.Failure.RANGE)
    s.command("set_parameter", 9, {"parameter": 0, "value": 999_999}, failure=t.Failure.RANGE)
    s.command("report_parameter", 10, {"parameter": 0}, value(0, 200))
    s.command("set_parameter", 9, {"parameter": 0, "value": 300})
    s.command("report_parameter", 16383, {"parameter": 0}, value(0, 300))
    s.command("report_parameter", 0, {"parameter": 0}, value(0, 300))
    return s


def _commands() -> Script:
    """A monitor between its first poll and its first time-out, so that nothing but answers comes."""
    s = Script(
        "commands", "monitor", "all within 200 ms of boot; the poll of the transducer is left unanswered"
    )
    poll = host.encode_tc(ALL["report_hk"], t.Apid.TRANSDUCER, 0, ack=0, source=t.Apid.MONITOR)
    s.text["steps"][0]["expect"].append(host.seal(poll).hex())
    s.command("ping", 0, report=("alive", {}))
    s.command("report_parameter", 1, {"parameter": 0}, value(0, t.MONITOR_PARAMETERS[0].default))
    s.command("set_parameter", 2, {"parameter": 19, "value": 6_000_000})
    s.command("report_parameter", 3, {"parameter": 19}, value(19, 6_000_000), ack=1)
    s.command("perform", 4, {"function": t.Function.ACKNOWLEDGE, "argument": 0}, failure=t.Failure.NO_ALARM)
    s.command("perform", 5, {"function": t.Function.INHIBIT, "argument": 7201}, failure=t.Failure.ARGUMENT)
    s.command("perform", 6, {"function": 99, "argument": 0}, failure=t.Failure.FUNCTION)
    s.command("disable_hk", 7)
    s.command("perform", 8, {"function": t.Function.RESTART_DETECTOR, "argument": 0}, ack=0)
    return s


def sessions() -> Iterable[dict[str, Any]]:
    """Every session, as it stands in vectors/sessions.json."""
    return [make().text for make in (_first_contact, _parameters, _repetition, _commands)]
