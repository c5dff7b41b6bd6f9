"""Cases of SPEC.md's sections 6, 7, 9 and 12: verification, connection test, parameters, boot."""

import time

from cabinwatch.verify.conform.alone import left_alone
from cabinwatch.verify.conform.bench import TC, Bench, Impossible, sealed_service
from cabinwatch.verify.conform.case import boot_event, case, expect, expect_titles, failure
from cabinwatch.verify.conform.tour import SETTING, commands, values
from cabinwatch_protocol import table as t


@case("VER-01/acceptance-flag", "VER-02")
def acceptance_flag(b: Bench) -> None:
    """Flag 1 alone draws TM[1,1]; no flag at all draws neither TM[1,1] nor TM[1,7]."""
    expect_titles(b.command("ping", ack=1), "TM[1,1]", "TM[17,2]", after="a ping with flag 1")
    expect_titles(b.command("ping", ack=0), "TM[17,2]", after="a ping without flags")


@case("VER-02/completion-flag", "VER-01")
def completion_flag(b: Bench) -> None:
    """Flag 8 alone draws TM[1,7]; both draw both."""
    expect_titles(b.command("ping", ack=8), "TM[17,2]", "TM[1,7]", after="a ping with flag 8")
    expect_titles(
        b.command("ping", ack=9), "TM[1,1]", "TM[17,2]", "TM[1,7]", after="a ping with flags 1 and 8"
    )


@case("VER-03/other-flags")
def other_flags(b: Bench) -> None:
    """Flags 2 and 4 draw nothing, alone and with the others."""
    for ack in (2, 4, 6):
        expect_titles(b.command("ping", ack=ack), "TM[17,2]", after=f"a ping with flags {ack}")
    expect_titles(b.command("ping", ack=15), "TM[1,1]", "TM[17,2]", "TM[1,7]", after="a ping with all flags")


@case("VER-04/whatever-the-flags")
def failures_always(b: Bench) -> None:
    """A refusal and a failure are reported with every combination of flags."""
    for ack in range(16):
        got = b.answers(b.ask(sealed_service(b, 99, 1, ack=ack)))
        failure(got, "TM[1,2]", t.Failure.SERVICE, f"service 99 with flags {ack}")
        got = b.command("set_parameter", {"parameter": 0, "value": -(1 << 31)}, ack=ack)
        failure(got, "TM[1,8]", t.Failure.RANGE, f"a TC[20,3] that fails, with flags {ack}")
        expect((len(got) == 2) == bool(ack & 1), "TM[1,1] with flag 1 only", got)


@case("VER-05/destination")
def destination(b: Bench) -> None:
    """Every answer to a telecommand carries its source ID as destination, for several source IDs."""
    for source in (1, 0x00A1, 0x1234, 0xFFFF):
        for name in ("ping", "report_parameter", "report_hk"):
            got = b.answers(b.ask(b.tc(name, values(name, b.role), source=source)))
            expect_titles(got[:1] + got[2:], "TM[1,1]", "TM[1,7]", after=TC[name].title)
            for h in got:
                expect(h.packet[11:13] == source.to_bytes(2, "big"), f"destination ID {source:04x}", [h])
        got = b.answers(b.ask(b.tc("set_parameter", {"parameter": 255, "value": 0}, source=source)))
        for h in got:
            expect(h.packet[11:13] == source.to_bytes(2, "big"), f"destination ID {source:04x}", [h])


@case("VER-05/unasked")
def unasked_destination(b: Bench) -> None:
    """Events and periodic reports carry destination ID 0, also after a telecommand of another source."""
    b.ask(b.tc("ping", source=0xABCD))
    heard = b.restart() if b.emulated else []
    if b.role == "monitor":
        b.ask(b.tc("ping", source=0xABCD))
        heard += b.sample(1000) + b.run(12_000 if b.emulated else 1)
    for h in heard:
        if h.title.startswith("TM[5,") or h.name == "housekeeping":
            expect(h.packet[11:13] == b"\0\0", "destination ID 0", [h])
    expect(bool(heard) or not b.emulated, "a boot event", heard)


@case("VER-06/request-id")
def request_id(b: Bench) -> None:
    """Each ST[01] report begins with packet ID and sequence control of its telecommand."""
    for count in (0, 1, 0x155, 0x3FFF):
        for name in ("ping", "set_parameter"):
            octets = b.tc(name, {"parameter": 0, "value": -(1 << 31)}, count=count)
            if name == "ping":
                octets = b.tc(name, count=count)
            got = b.answers(b.ask(octets, fence=False))
            reports = [h for h in got if h.title.startswith("TM[1,")]
            expect(len(reports) == 2, "two ST[01] reports", got)
            wanted = bytes((0x18 | b.apid >> 8, b.apid & 255, 0xC0 | count >> 8, count & 255))
            for h in reports:
                expect(h.packet[20:24] == wanted, f"request ID {wanted.hex(' ')}", [h])
    octets = sealed_service(b, 99, 1)
    wanted = bytes((0x18 | b.apid >> 8, b.apid & 255, 0xC0 | b.count >> 8, b.count & 255))
    got = b.answers(b.ask(octets))
    expect(bool(got) and got[0].packet[20:24] == wanted, f"request ID {wanted.hex(' ')}", got)


REPORTS = {
    "ping": "TM[17,2]", "report_parameter": "TM[20,2]", "report_hk": "TM[3,25]",
    "report_event": "TM[128,2]", "report_alarms": "TM[128,4]",
}  # fmt: skip
"""What a telecommand asks for."""


@case("VER-07/order")
def order(b: Bench) -> None:
    """Acceptance comes first, then the report, completion or failure last; a refusal comes alone."""
    for name in commands(b.role):
        report = REPORTS.get(name)
        got = b.command(name, values(name, b.role))
        middle = (report,) if report else ()
        expect_titles(got, "TM[1,1]", *middle, "TM[1,7]", after=TC[name].title)
    got = b.command("set_parameter", {"parameter": 0, "value": -(1 << 31)})
    expect_titles(got, "TM[1,1]", "TM[1,8]", after="TC[20,3] out of bounds")
    expect_titles(b.answers(b.ask(sealed_service(b, 99, 1))), "TM[1,2]", after="service 99")


def refused(b: Bench, octets: bytes, code: int, what: str) -> None:
    """The octets are a telecommand that is refused with this code."""
    failure(b.answers(b.ask(octets)), "TM[1,2]", code, what)


@case("VER-08/pus-version")
def pus_version(b: Bench) -> None:
    """A ping of PUS version 0, 1, 3 or 15 is refused with code 1, before its service is looked at."""
    for number in (0, 1, 3, 15):
        refused(b, sealed_service(b, 17, 1, version=number), 1, f"PUS version {number}")
    for service, subtype, data in ((99, 99, b"\1"), (17, 99, b""), (17, 1, b"\1"), (20, 3, b"\1")):
        what = f"PUS version 1, [{service},{subtype}] and {len(data)} octets of data"
        refused(b, sealed_service(b, service, subtype, data, version=1), 1, what)


@case("VER-08/service")
def service(b: Bench) -> None:
    """A service that the role does not have is refused with code 2, whatever subtype and length."""
    mine = {p.service for p in t.TC_PACKETS if b.role in p.roles}
    for number in sorted({0, 1, 2, 5, 6, 8, 9, 16, 18, 19, 21, 99, 128, 255} - mine):
        refused(b, sealed_service(b, number, 1), 2, f"service {number}")
    refused(b, sealed_service(b, 99, 1, bytes(30)), 2, "service 99 with 30 octets of data")


@case("VER-08/subtype")
def subtype(b: Bench) -> None:
    """A subtype that the role's service does not have is refused with code 3, whatever its length."""
    mine = {(p.service, p.subtype) for p in t.TC_PACKETS if b.role in p.roles}
    for number in {p[0] for p in mine}:
        for sub in sorted({0, 1, 2, 3, 5, 6, 25, 27, 255}):
            if (number, sub) not in mine:
                refused(b, sealed_service(b, number, sub), 3, f"TC[{number},{sub}]")


@case("VER-08/length")
def length(b: Bench) -> None:
    """Each telecommand with one octet of data too few or too many is refused with code 4."""
    for name in commands(b.role):
        data = b.head(name, values(name, b.role))[11:]
        for wrong in (data[:-1], data + b"\1", data + b"\0"):
            if len(wrong) != len(data):
                packet = TC[name]
                what = f"{packet.title} with {len(wrong)} octets of data"
                refused(b, sealed_service(b, packet.service, packet.subtype, wrong), 4, what)


def counted_requests(b: Bench) -> list[tuple[t.Packet, bytes]]:
    """Telecommands that begin with N, with data that would be right."""
    found = []
    for name in commands(b.role):
        packet = TC[name]
        if packet.fields and packet.fields[0].name == "n":
            found.append((packet, b.head(name, values(name, b.role))[11:]))
    return found


@case("VER-09/entries")
def entries(b: Bench) -> None:
    """Service 3 and 20 requests with N of 0, 2 or 255 fail with code 5."""
    for packet, data in counted_requests(b):
        for n in (0, 2, 255):
            for rest in (data[1:], b"\xff" * (len(data) - 1)):  # with N, all else is wrong too
                octets = sealed_service(b, packet.service, packet.subtype, bytes((n,)) + rest)
                got = b.answers(b.ask(octets))
                failure(got, "TM[1,8]", 5, f"{packet.title} with N {n}")
                expect_titles(got, "TM[1,1]", "TM[1,8]", after=f"{packet.title} with N {n}")


@case("VER-09/structure")
def structure(b: Bench) -> None:
    """Service 3 requests for structure 0, 2 or 255 fail with code 6; with a wrong N as well, with 5."""
    for packet, _ in counted_requests(b):
        if packet.service == 3:
            for n, sid, code in ((1, 0, 6), (1, 2, 6), (1, 255, 6), (2, 2, 5)):
                got = b.answers(b.ask(sealed_service(b, 3, packet.subtype, bytes((n, sid)))))
                what = f"{packet.title} with N {n} and SID {sid}"
                failure(got, "TM[1,8]", code, what)
                expect_titles(got, "TM[1,1]", "TM[1,8]", after=what)


@case("VER-10/nothing-changes")
def failed_changes_nothing(b: Bench) -> None:
    """TC[20,3] that is refused for its length or PUS version, or fails for N or bounds, leaves the parameter."""
    before = b.parameter(0)
    new = (SETTING[b.role]).to_bytes(4, "big")
    b.ask(sealed_service(b, 20, 3, b"\1\0" + new, version=1))
    b.ask(sealed_service(b, 20, 3, b"\1\0" + new + b"\0"))
    b.ask(sealed_service(b, 20, 3, b"\2\0" + new))
    b.ask(sealed_service(b, 20, 3, b"\1\0\x80\0\0\0"))
    now = b.parameter(0)
    expect(now == before, f"parameter 0 still {before}", now)


@case("VER-11/in-time")
def in_time(b: Bench) -> None:
    """Answers to pings and reports are complete within 100 ms."""
    for name in ("ping", "report_hk", "report_parameter"):
        begin = time.monotonic()
        virtual_begin = b.now_ms
        got = b.answers(b.ask(b.tc(name, values(name, b.role))) + (b.run(500) if b.emulated else []))
        expect_titles(got[-1:], "TM[1,7]", after=TC[name].title)
        ms = max(h.at_ms for h in got) - virtual_begin if b.emulated else 1000 * (time.monotonic() - begin)
        expect(ms <= 100, "the whole answer within 100 ms", f"{ms:.0f} ms", timing=True)


@case("TST-01/ping")
def connection_test(b: Bench) -> None:
    """TC[17,1] draws TM[17,2] without data."""
    got = b.command("ping", ack=0)
    expect_titles(got, "TM[17,2]", after="TC[17,1]")
    expect(len(got[0].packet) == t.TM_MIN, "no data", got)


@case("HKP-01/one-shot")
def one_shot(b: Bench) -> None:
    """TC[3,27] draws one TM[3,25] of this role, each time."""
    for _ in range(3):
        got = b.command("report_hk", ack=0)
        expect_titles(got, "TM[3,25]", after="TC[3,27]")
        name = {"monitor": "housekeeping", "transducer": "sample"}[b.role]
        expect(got[0].name == name, f"the {name} report", got)
        expect(got[0]["sid"] == 1, "structure ID 1", got)


# -- parameters


@case("PAR-01/report")
def report_parameters(b: Bench) -> None:
    """TC[20,1] draws TM[20,2] with N 1, this ID, and a value within its bounds, for each parameter."""
    for p in t.PARAMETERS[b.role]:
        got = b.command("report_parameter", {"parameter": p.id}, ack=0)
        expect_titles(got, "TM[20,2]", after=f"TC[20,1] for {p.name}")
        expect(got[0]["n"] == 1 and got[0]["parameter"] == p.id, f"one entry, for parameter {p.id}", got)
        expect(p.low <= got[0]["value"] <= p.high, f"{p.low} to {p.high}", got)


@case("PAR-02/defaults")
def defaults(b: Bench) -> None:
    """After a reset, with nothing stored, each parameter has its default, also one that was set before."""
    for p in t.PARAMETERS[b.role]:
        b.set(p.id, other(p))
    b.fresh()
    for p in t.PARAMETERS[b.role]:
        now = b.parameter(p.id)
        expect(now == p.default, f"{p.name} to be {p.default}", now)


def other(p: t.Parameter) -> int:
    """A value of the parameter that is not its default."""
    return p.high if p.default != p.high else p.low


@case("PAR-07/kept", "PAR-08", "PAR-02")
def kept(b: Bench) -> None:
    """Values set before a reset are in force after it, if the boot event says so, and defaults otherwise."""
    for p in t.PARAMETERS[b.role]:
        b.set(p.id, other(p))
    heard = b.restart()
    boot_event(heard, None)
    said = heard[0]["value"] >> 24
    none = t.Stored.VOLATILE if b.role == "monitor" else 0
    expect(said in (none, t.Stored.KEPT), f"a boot event that says {none} or 1 of storage", heard[:1])
    for p in t.PARAMETERS[b.role]:
        now, wanted = b.parameter(p.id), other(p) if said == t.Stored.KEPT else p.default
        expect(now == wanted, f"{p.name} to be {wanted} after a boot event with {said}", now)


@case("PAR-03/bounds")
def bounds(b: Bench) -> None:
    """Each parameter takes its low and its high bound and its default, and keeps them apart from the others."""
    own = t.PARAMETERS[b.role]
    for p in (*own[1:], own[0]):
        for value in (p.low, p.high, p.default):
            b.set(p.id, value)
            now = b.parameter(p.id)
            expect(now == value, f"{p.name} to be {value}", now)


@case("PAR-04/beyond")
def beyond(b: Bench) -> None:
    """Each parameter refuses, with code 10, what lies just and far beyond its bounds."""
    ends = (-(1 << 31), -(1 << 30) - 1, -(1 << 30), (1 << 30) - 1, 1 << 30, (1 << 31) - 1)
    for p in t.PARAMETERS[b.role]:
        for value in (p.low - 1, p.high + 1, *ends):
            if not p.low <= value <= p.high:
                got = b.command("set_parameter", {"parameter": p.id, "value": value})
                failure(got, "TM[1,8]", 10, f"{p.name} = {value}")
        now = b.parameter(p.id)
        expect(now == p.default, f"{p.name} still {p.default}", now)


@case("PAR-05/unknown")
def unknown_parameter(b: Bench) -> None:
    """Reading and setting a parameter that the role does not have fails with code 9."""
    n = len(t.PARAMETERS[b.role])
    for number in (n, n + 1, 128, 255):
        for name, value in (
            ("report_parameter", 0),
            *(("set_parameter", v) for v in (0, 2**31 - 1, -(2**31))),
        ):
            got = b.command(name, {"parameter": number, "value": value})
            failure(got, "TM[1,8]", 9, f"{TC[name].title} for parameter {number}")
            expect_titles(got, "TM[1,1]", "TM[1,8]", after=f"parameter {number}")


@case("EVT-01/quiet", role="transducer", beside=True)
def quiet(b: Bench) -> None:
    """A transducer whose state does not change sends no event."""
    alone = left_alone(b)
    events = [h for h in alone.heard if h.title.startswith("TM[5,") and h["event"] != t.Event.BOOT]
    expect(not events or len(alone.statuses) > 1, "no event", events)


# -- the transducer


@case("XDR-02/status")
def status(b: Bench) -> None:
    """The status of each of 20 samples is 0, 1, 2 or 3."""
    for _ in range(20):
        h = b.report()
        expect(h["status"] in range(4), "status 0 to 3", [h])


@case("XDR-03/offset")
def offset(b: Bench) -> None:
    """Between the two bounds of offset the reading differs by what they differ, within a quarter."""
    p = t.TRANSDUCER_PARAMETERS[0]
    readings = []
    for value in (p.low, p.high):
        b.set(p.id, value)
        h = b.report()
        if h["status"]:
            raise Impossible(
                f"the transducer reports status {h['status']}, and only valid readings have the offset"
            )
        readings.append(h["pressure_cPa"])
    apart, wanted = readings[1] - readings[0], p.high - p.low
    expect(abs(apart - wanted) <= wanted // 4, f"readings {wanted} cPa apart", f"{apart} cPa")


@case("XDR-04/unasked", beside=True)
def sends_nothing(b: Bench) -> None:
    """Left alone for a while, and given telemetry of others, a transducer sends nothing but events."""
    heard = left_alone(b).unasked
    expect(all(h.title.startswith("TM[5,") for h in heard), "nothing but events", heard)
