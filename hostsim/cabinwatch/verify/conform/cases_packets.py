"""Cases of SPEC.md's section 5: packet headers, time, sequence counts."""

from collections.abc import Callable
from itertools import pairwise

from cabinwatch.verify.conform.bench import TM, Bench, Heard, Impossible
from cabinwatch.verify.conform.case import case, expect, expect_silence, expect_titles
from cabinwatch.verify.conform.cases_frames import counted, framed, sealed
from cabinwatch.verify.conform.emulated import virtual
from cabinwatch.verify.conform.tour import SETTING, tour
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t


def changed(b: Bench, at: int, value: int, mask: int = 0xFF) -> bytes:
    """The frame of a ping with an octet changed under ``mask``, and a CRC to match."""
    head = bytearray(b.head("ping"))
    head[at] = head[at] & ~mask & 0xFF | value
    return framed(sealed(bytes(head)))


@case("PKT-01/headers")
def headers(b: Bench) -> None:
    """Every packet of a tour of all services has the primary header that the specification gives it."""
    for h in tour(b):
        pid = int.from_bytes(h.packet[:2], "big")
        polls = b.role == "monitor" and pid in (0x1800 | t.Apid.TRANSDUCER, 0x1800 | t.Apid.ANALYSER)
        expect(polls or pid == 0x0800 | b.apid, f"packet ID {0x0800 | b.apid:04x}", [h])
        expect(h.packet[2] >> 6 == 3, "sequence flags 3", [h])


@case("PKT-02/version")
def version(b: Bench) -> None:
    """A ping of packet version 1, 2, 4 or 7 draws nothing."""
    for number in (1, 2, 4, 7):
        expect_silence(b, changed(b, 0, number << 5, 0xE0), f"a ping of packet version {number}")


@case("PKT-02/secondary-header")
def secondary_header(b: Bench) -> None:
    """A ping without secondary header flag draws nothing."""
    expect_silence(b, changed(b, 0, 0, 0x08), "a ping without secondary header flag")


@case("PKT-02/sequence-flags")
def sequence_flags(b: Bench) -> None:
    """A ping with sequence flags 0, 1 or 2 draws nothing."""
    for flags in (0, 1, 2):
        expect_silence(b, changed(b, 2, flags << 6, 0xC0), f"a ping with sequence flags {flags}")


@case("PKT-03/apid")
def apid(b: Bench) -> None:
    """Pings to each APID that differs in one bit, to the other roles, to 0 and to 7FF draw nothing."""
    others = {b.apid ^ 1 << bit for bit in range(11)} | {*map(int, t.Apid), 0, 0x7FF}
    for other in sorted(others - {b.apid}):
        head = b.head("ping")
        packet = sealed((0x1800 | other).to_bytes(2, "big") + head[2:])
        expect_silence(b, framed(packet), f"a ping to APID {other:03x}")


@case("PKT-04/tc-as-tm")
def tc_as_tm(b: Bench) -> None:
    """A ping sent with the type of telemetry draws nothing, nor does TM[17,1] with a whole telemetry header."""
    expect_silence(b, changed(b, 0, 0, 0x10), "a ping with type 0")
    head = (
        (0x0800 | b.apid).to_bytes(2, "big") + b"\xc0\x05\x00\x0f\x20\x11\x01" + bytes(4) + b"\x40" + bytes(6)
    )
    expect_silence(b, framed(sealed(head)), "TM[17,1]")


@case("PKT-05/rejected")
def rejected(b: Bench) -> None:
    """Good packets that are not for the monitor are counted in rejected, one by one: telemetry of others, too."""
    before = b.report()
    frames = [changed(b, 0, 0x20, 0xE0), changed(b, 0, 0, 0x08), changed(b, 2, 0, 0xC0), changed(b, 1, 0x55)]
    frames.append(changed(b, 0, 0, 0x10))
    for apid in (t.Apid.COOLANT, 0x155, 0x7FF):
        head = host.encode_tm(TM["alive"], apid, 1, 0, 1, {})
        frames.append(host.seal(head))
    for octets in frames:
        b.ask(octets, fence=False)
    got = counted(before, b.report())["rejected"]
    expect(got == len(frames), f"rejected to grow by {len(frames)}", got)


@case("PKT-06/pus-header")
def pus_header(b: Bench) -> None:
    """All telemetry of a tour of all services has PUS version 2, time reference status 0, type counter 0."""
    for h in tour(b):
        if not h.packet[0] & 0x10:
            expect(h.packet[6] == 0x20 and h.packet[9:11] == b"\0\0", "octet 6 20 and octets 9-10 00 00", [h])


@case("PKT-07/layout")
def layout(b: Bench) -> None:
    """Every packet of a tour of all services is one of this role's, exactly as long as its table."""
    for h in tour(b):
        expect(h.decoded is not None, "a packet of section 15", [h])


# -- time


def stamp(h: Heard) -> int:
    """A packet's time stamp, ms since its clock's zero."""
    expect(h.decoded is not None and len(h.packet) >= t.TM_MIN, "telemetry with a time stamp", [h])
    return int.from_bytes(h.packet[14:16], "big") * t.DAY_MS + int.from_bytes(h.packet[16:20], "big")


def alive(b: Bench) -> Heard:
    """The answer to a ping."""
    got = b.command("ping", ack=0)
    expect_titles(got, "TM[17,2]", after="a ping")
    return got[0]


@case("TIM-01/format")
def time_format(b: Bench) -> None:
    """All telemetry of a tour of all services has P-field 40 and a millisecond of day below 86 400 000."""
    for h in tour(b):
        if not h.packet[0] & 0x10:
            ms = int.from_bytes(h.packet[16:20], "big")
            expect(h.packet[13] == 0x40 and ms < t.DAY_MS, "CDS short with P-field 40", [h])


@case("TIM-03/day")
def day_rolls_over(b: Bench) -> None:
    """A day later the day has grown by one and the millisecond is again what it was."""
    bench = virtual(b, "a day has to pass")
    if b.role == "monitor":
        b.set(0, 3_600_000)
        b.set(2, 0)
        b.set(3, t.DAY_MS)
    first = stamp(alive(b))
    begin = b.now_ms
    bench.run(t.DAY_MS)
    got = alive(b)
    expect(stamp(got) - first == b.now_ms - begin, f"a stamp {t.DAY_MS} ms later", f"{stamp(got) - first} ms")
    expect(got.packet[14:16] == b"\0\1", "day 1", got.packet[14:16].hex())
    ms = int.from_bytes(got.packet[16:20], "big")
    bench.run(t.DAY_MS - ms - 5 - 1)
    stamps = []
    for _ in range(3):
        stamps.append(stamp(alive(b)) - 2 * t.DAY_MS)
    expect(stamps[0] < 0 <= stamps[-1], "stamps on both sides of midnight", stamps)


@case("TIM-04/days", role="transducer")
def days_wrap(b: Bench) -> None:
    """After day 65 535 comes day 0."""
    bench = virtual(b, "65 536 days have to pass")
    bench.days(65_535)
    expect(alive(b).packet[14:16] == b"\xff\xff", "day 65 535", alive(b).packet[14:16].hex())
    bench.days(1)
    expect(alive(b).packet[14:16] == b"\0\0", "day 0", alive(b).packet[14:16].hex())


# -- sequence counts


def sequence(h: Heard) -> int:
    """A packet's sequence count."""
    return int.from_bytes(h.packet[2:4], "big") & 0x3FFF


def telemetry(b: Bench, heard: list[Heard]) -> list[Heard]:
    """The node's own telemetry, without the polls."""
    return [h for h in heard if h.packet and not h.packet[0] & 0x10]


@case("SEQ-01/counts")
def counts(b: Bench) -> None:
    """Telemetry of all types is counted in one row, from 0 at boot where the bench sees the boot."""
    before, booted = len(b.log), True
    try:
        b.restart()
    except Impossible:
        booted = False
    tour(b)
    b.ask(b.tc("ping") + b.tc("report_parameter", {"parameter": 0}))
    rows = telemetry(b, b.since(before))
    if booted:
        expect(bool(rows) and sequence(rows[0]) == 0, "sequence count 0 in the first packet", rows[:1])
    for one, two in pairwise(rows):
        expect(
            sequence(two) == (sequence(one) + 1) & 0x3FFF, f"sequence count {sequence(one) + 1}", [one, two]
        )


@case("SEQ-02/wrap", "TIM-05")
def wraps(b: Bench) -> None:
    """After count 16383 comes 0; and of so many stamps none is before the one before it."""
    # As many at once as a node has to take (FRM-14), the bench's own telecommand on a live line among them.
    pings = t.RX_MAX // len(b.tc("ping")) - (not b.emulated)
    last, seen, was = -1, 0, 0
    begin = b.now_ms
    for i in range(0x4000):
        if (
            i == 50
            and not b.emulated
            and (seconds := (b.now_ms - begin) / max(1, seen) * 16.384) > b.timeout_s * 0.8
        ):
            raise Impossible(
                f"16 384 packets take some {seconds:.0f} s on this line; a larger --timeout allows for them"
            )
        b.ask(b"".join(b.tc("ping") for _ in range(pings)))
        for h in telemetry(b, b.all_heard()):
            now = sequence(h)
            last = now - 1 if last < 0 else last
            expect(now == (last + 1) & 0x3FFF, f"sequence count {(last + 1) & 0x3FFF}", [h])
            expect(stamp(h) >= was, f"no stamp before {was} ms", [h])
            was = stamp(h)
            if last == 0x3FFF:
                return
            last = now
            seen += 1
    expect(False, "a sequence count of 16383", last)


@case("SEQ-03/any-count")
def any_count(b: Bench) -> None:
    """Telecommands are executed whatever their counts: gaps, going back, the wrap from 16383 to 0."""
    value = SETTING[b.role]
    for count in (100, 101, 105, 104, 9000, 99, 100, 16383, 0, 16383, 1):
        value += 1
        b.done("set_parameter", {"parameter": 0, "value": value}, count)
        got = b.command("report_parameter", {"parameter": 0}, count=count + 2000 & 0x3FFF)
        expect(
            any(h.name == "parameter_value" and h["value"] == value for h in got),
            f"parameter 0 to be {value}",
            got,
        )
    b.count = 200


@case("SEQ-04/content")
def another_content(b: Bench) -> None:
    """Two TC[20,3] with one count and different values are two telecommands: each sets its value."""
    value, count = SETTING[b.role], b.next_count()
    for number in (value, value + 1):
        got = b.command("set_parameter", {"parameter": 0, "value": number}, count=count, fence=False)
        expect_titles(got, "TM[1,1]", "TM[1,7]", after="TC[20,3]")
    now = b.parameter(0)
    expect(now == value + 1, f"parameter 0 to be {value + 1}", now)


@case("SEQ-04/same-check")
def same_check(b: Bench) -> None:
    """Two TC[20,3] that have their PEC in common by chance, but not their count, are two telecommands."""
    p = t.PARAMETERS[b.role][0]
    value, count = SETTING[b.role], b.next_count()
    first = b.head("set_parameter", {"parameter": p.id, "value": value}, count=count)
    wanted = host.crc16(first)
    for other in range(p.low, p.high):
        second = b.head("set_parameter", {"parameter": p.id, "value": other}, count=count + 1)
        if host.crc16(second) == wanted:
            break
    for head in (first, second):
        b.ask(host.seal(head), fence=False)
    now = b.parameter(p.id)
    expect(now == other, f"parameter {p.id} to be {other}", now)


@case("SEQ-04/answered-again")
def answered_again(b: Bench) -> None:
    """Repeated requests for reports are answered again, report included."""
    for name, values, title in (
        ("ping", {}, "TM[17,2]"),
        ("report_parameter", {"parameter": 0}, "TM[20,2]"),
        ("report_hk", {}, "TM[3,25]"),
    ):
        count = b.next_count()
        for _ in range(2):
            got = b.command(name, values, count=count, fence=False)
            expect_titles(got, "TM[1,1]", title, "TM[1,7]", after="a request and its repetition")


@case("SEQ-04/last-only")
def last_only(b: Bench) -> None:
    """A telecommand that comes again after another accepted one is no repetition: it sets its value once more."""
    value = SETTING[b.role]
    again = b.tc("set_parameter", {"parameter": 0, "value": value})
    b.ask(again, fence=False)
    b.ask(b.tc("set_parameter", {"parameter": 0, "value": value + 1}), fence=False)
    b.ask(again, fence=False)
    now = b.parameter(0)
    expect(now == value, f"parameter 0 to be {value}", now)


@case("SEQ-04/made-anew")
def made_anew(b: Bench) -> None:
    """A report that is asked for again is made again: with the next count, and the time of its own making."""
    count = b.next_count()
    first = b.command("report_hk", ack=0, count=count, fence=False)
    b.run(1000)
    before = b.since(0)
    second = b.command("report_hk", ack=0, count=count, fence=False)
    expect_titles(first + second, "TM[3,25]", "TM[3,25]", after="TC[3,27] and its repetition")
    later = stamp(second[0]) - stamp(first[0])
    expect(later >= 900, "a report stamped 1000 ms after the first", f"{later} ms after it", not b.emulated)
    expected = sequence(telemetry(b, before)[-1]) + 1 & 0x3FFF
    expect(sequence(second[0]) == expected, f"sequence count {expected}", second)


def ends_on_time(b: Bench, between: Callable[[], object] = lambda: None) -> None:
    """An inhibition of 3 s that is asked for once more after 2 s, in the same packet, ends when it would have."""
    count = b.next_count()
    for pause_ms in (2000, 0):
        got = b.command("perform", {"function": t.Function.INHIBIT, "argument": 3}, count=count, fence=False)
        expect_titles(got, "TM[1,1]", "TM[1,7]", after="TC[8,1]")
        between()
        b.run(pause_ms)

    def ended(heard: list[Heard]) -> list[Heard]:
        return [h for h in heard if h.title == "TM[5,1]" and h["event"] == t.Event.INHIBIT_ENDED]

    b.wait_for(ended, 1000)


@case("SEQ-04/not-executed-again", role="monitor")
def not_again(b: Bench) -> None:
    """An inhibition of 3 s, its packet repeated after 2 s, is verified again and ends 3 s after it began."""
    ends_on_time(b)


@case("SEQ-06/refused-between", role="monitor")
def refused_between(b: Bench) -> None:
    """A telecommand is a repetition also where a refused one with another count came between."""
    ends_on_time(b, lambda: b.ask(changed(b, 7, 99), fence=False))


@case("SEQ-07/boot-forgets")
def boot_forgets(b: Bench) -> None:
    """The last packet before a reset is executed when it comes again after it."""
    count = b.next_count()
    if b.role == "monitor":
        b.done("disable_hk", count=count)
        b.restart()
        b.done("disable_hk", count=count)
        report = b.report()
        expect(not report["flags"] & t.Flag.PERIODIC_HK, "periodic housekeeping off", [report])
    else:
        setting = {"parameter": 0, "value": SETTING[b.role]}
        b.done("set_parameter", setting, count)
        b.restart()
        b.done("set_parameter", setting, count)
        now = b.parameter(0)
        expect(now == setting["value"], f"parameter 0 to be {setting['value']}", now)
