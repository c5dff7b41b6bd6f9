"""Cases of SPEC.md's sections 8 to 13 for the monitor: reports, functions, events, polling, judging samples."""

from itertools import pairwise

from cabinwatch.verify.conform.bench import TM, Bench, Heard
from cabinwatch.verify.conform.case import boot_event, case, expect, expect_titles, failure
from cabinwatch.verify.conform.cases_packets import sequence
from cabinwatch.verify.conform.emulated import virtual
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

P = {p.name: p.id for p in t.MONITOR_PARAMETERS}
LOST, FOUND, RETURNED = t.Event.SENSOR_LOST, t.Event.SENSOR_FOUND, t.Event.SENSOR_RETURNED


def set_all(b: Bench, **values: int) -> None:
    """Set parameters by name."""
    for name, value in values.items():
        b.set(P[name], value)


def events(heard: list[Heard], *kinds: t.Event) -> list[Heard]:
    """The events of these kinds."""
    return [h for h in heard if h.title.startswith("TM[5,") and h["event"] in kinds]


def hush(b: Bench) -> None:
    """Let no poll come for an hour but the one of the running period, which any sample of the next minute answers."""
    set_all(b, reply_timeout=60_000, poll_period=3_600_000)


def polls(heard: list[Heard], role: str = "transducer") -> list[Heard]:
    """The polls of an instrument."""
    return [h for h in heard if h.decoded and h.decoded.packet.name == "report_hk" and h.decoded.role == role]


def reports(heard: list[Heard]) -> list[Heard]:
    """The periodic housekeeping reports."""
    return [h for h in heard if h.name == "housekeeping" and h.decoded and not h.decoded.peer]


REPLY_MS = 5
"""How long the bench's transducer takes to answer a poll."""


def answering(b: Bench, ms: int, stamp_ms: int = 0) -> list[Heard]:
    """Let time pass and answer each poll with a sample of its own; what the monitor sent."""
    end, heard = b.now_ms + ms, []
    while b.now_ms < end:
        new = b.next(end - b.now_ms)
        heard += new
        if polls(new):
            heard += b.run(REPLY_MS)
            heard += b.sample(stamp_ms + b.now_ms, 10132500 + 10 * (b.now_ms % 7))
    return heard


def apart(b: Bench, times: list[int], period: int, what: str) -> None:
    """Times follow each other with this period."""
    expect(len(times) > 1, f"several {what}, {period} ms apart", times, timing=True)
    for one, two in pairwise(times):
        near = abs(two - one - period) <= b.slack_ms
        expect(near, f"{what} {period} ms apart", f"{two - one} ms, at {times}", timing=not b.emulated)


# -- housekeeping


@case("HKP-02/period")
def hk_period(b: Bench) -> None:
    """Periodic reports come every hk_period, unasked, the first one such period after boot."""
    if b.emulated:
        heard = b.restart()
        boot = heard[0].at_ms
        times = [h.at_ms - boot for h in reports(heard + b.run(41_000))]
        expect(times == [10_000, 20_000, 30_000, 40_000], "reports 10, 20, 30, 40 s after boot", times)
    set_all(b, hk_period=1000)
    apart(b, [h.at_ms for h in reports(b.run(3300))], 1000, "reports")


@case("HKP-03/off-and-on")
def hk_off_on(b: Bench) -> None:
    """TC[3,6] stops the reports; TC[3,5] starts them again in their old cadence."""
    set_all(b, hk_period=1000)
    first = b.wait_for(reports, 1500)
    b.done("disable_hk")
    expect(not reports(b.run(2300)), "no periodic report while they are off", "some")
    at_once = reports(b.ask(b.tc("enable_hk")))
    again = at_once[0] if at_once else b.wait_for(reports, 1500)
    off = (again.at_ms - first.at_ms) % 1000
    expect(min(off, 1000 - off) <= b.slack_ms, "the old cadence", f"{off} ms off", timing=not b.emulated)


@case("HKP-04/one-shot-apart")
def one_shot_apart(b: Bench) -> None:
    """TC[3,27] is answered while periodic reports are off, and does not shift their cadence."""
    set_all(b, hk_period=1000)
    b.done("disable_hk")
    b.report()
    b.done("enable_hk")
    first = b.wait_for(reports, 1500)
    b.run(500)
    b.report()
    second = b.wait_for(reports, 1500)
    apart(b, [first.at_ms, second.at_ms], 1000, "reports")


@case("HKP-05/flags")
def hk_flags(b: Bench) -> None:
    """The flags tell periodic reports, inhibit and acknowledgement apart."""
    expect(b.report()["flags"] == 8, "flags 8 after boot", [b.report()])
    b.done("disable_hk")
    expect(b.report()["flags"] == 0, "flags 0 with reports off", [b.report()])
    b.done("perform", {"function": 3, "argument": 100})
    expect(b.report()["flags"] == 2, "flags 2 with alarms inhibited", [b.report()])
    b.done("perform", {"function": 3, "argument": 0})
    expect(b.report()["flags"] == 0, "flags 0 after the inhibit", [b.report()])


@case("HKP-06/zero")
def counters_zero(b: Bench) -> None:
    """After a reset the counters begin at 0: only what came since is counted."""
    b.ask(b"\0\x01\0\x02\x33\0")
    b.restart()
    got = b.report()
    expect(
        got["bad_framing"] == got["bad_crc"] == got["bad_size"] == got["rejected"] == 0,
        "no bad frames",
        [got],
    )
    expect(1 <= got["frames_ok"] <= 3, "frames_ok to count the request only", [got])


@case("HKP-06/modulo")
def counters_wrap(b: Bench) -> None:
    """65 535 bad frames and one more make the counter 0."""
    virtual(b, "65 536 frames would take long")
    before = b.report()["bad_framing"]
    b.ask(b"\0" + b"\x01\0" * (0xFFFF - before))
    now = b.report()["bad_framing"]
    expect(now == 0xFFFF, "bad_framing 65535", now)
    b.ask(b"\x01\0")
    now = b.report()["bad_framing"]
    expect(now == 0, "bad_framing 0", now)


@case("HKP-07/last-sample")
def last_sample(b: Bench) -> None:
    """Pressure and temperature are 0 after boot, and then those of the last plausible sample of status 0."""
    hush(b)
    got = b.report()
    expect(got["pressure_cPa"] == got["temperature_cK"] == 0, "0 cPa and 0 cK", [got])
    for stamp, sample, wanted in (
        (1000, (9876543, 29000, 0), (9876543, 29000)),
        (2000, (5432100, 30100, 3), (9876543, 29000)),
        (3000, (99_999, 30200, 0), (9876543, 29000)),
        (4000, (9876000, 29100, 0), (9876000, 29100)),
    ):
        b.sample(stamp, *sample)
        got = b.report()
        met = (got["pressure_cPa"], got["temperature_cK"]) == wanted
        expect(met, f"{wanted[0]} cPa and {wanted[1]} cK", [got])


@case("PAR-06/hk-period")
def hk_at_once(b: Bench) -> None:
    """A shorter hk_period counts from the moment it is set."""
    set_all(b, hk_period=60_000)
    b.run(1100)
    set_all(b, hk_period=1000)
    got = reports(b.run(1000 + b.slack_ms))
    expect(len(got) == 1, "one report within the new period", got, timing=not b.emulated)


@case("PAR-06/poll-period")
def poll_at_once(b: Bench) -> None:
    """A shorter poll_period counts from the moment it is set."""
    set_all(b, poll_retries=0, reply_timeout=20, poll_period=3_600_000)
    b.run(1200)
    expect(not polls(b.run(1000)), "no poll for an hour", "a poll")
    set_all(b, poll_period=700)
    got = polls(b.run(700 + b.slack_ms))
    expect(len(got) == 1, "one poll within the new period", got, timing=not b.emulated)


# -- events of the link, functions, reset


def noise_events(b: Bench, octets: bytes) -> list[Heard]:
    """Link noise events of the housekeeping time that follows these octets, up to its report."""
    heard = b.ask(octets, fence=False)
    end = b.now_ms + 2000
    while not reports(heard) and b.now_ms < end:
        heard += b.next(end - b.now_ms)
    return events(heard, t.Event.LINK_NOISE)


def cut_frames(n: int) -> bytes:
    """The shortest bad frames."""
    return b"\0" + b"\x01\0" * n


@case("EVT-02/link-noise")
def link_noise(b: Bench) -> None:
    """10 bad frames in a housekeeping period make a link noise event, 9 none; also with reports off."""
    set_all(b, hk_period=1000)
    b.wait_for(reports, 2000)
    expect(not noise_events(b, cut_frames(9)), "no link noise event for 9 bad frames", "one")
    for n, cause in ((10, 10), (300, 255)) if b.emulated else ((10, 10),):
        got = noise_events(b, cut_frames(n))
        met = len(got) == 1 and (got[0]["cause"], got[0]["value"]) == (cause, n) and got[0].title == "TM[5,1]"
        expect(met, f"one TM[5,1] link noise, cause {cause}, value {n}", got)
    b.done("disable_hk")
    b.ask(cut_frames(11))
    got = events(b.run(1100 + b.slack_ms), t.Event.LINK_NOISE)
    expect(len(got) == 1 and got[0]["value"] == 11, "one link noise event with reports off", got)


@case("FUN-01/unknown")
def unknown_function(b: Bench) -> None:
    """Functions 0, 99 and 255 fail with code 7, with any argument."""
    for function in (0, 99, 255):
        for argument in (0, 1, 0xFFFF):
            got = b.command("perform", {"function": function, "argument": argument})
            failure(got, "TM[1,8]", 7, f"function {function} with argument {argument}")


@case("FUN-02/arguments")
def arguments(b: Bench) -> None:
    """Arguments other than 0 to functions 2, 4, 5, and wrong ones to 3 and 6, fail with code 8 and do nothing."""
    caution = t.AlarmClass.CAUTION << t.INHIBIT_CLASS_SHIFT
    wrong = ((3, 7201), (3, 0xFFFF), (3, caution), (3, caution + 7201), (6, 7201), (6, caution + 60), (7, 14))
    for function, argument in ((2, 0x100), (4, 1), (5, 1), *wrong):
        got = b.command("perform", {"function": function, "argument": argument})
        failure(got, "TM[1,8]", 8, f"function {function} with argument {argument}")
        expect(not b.report()["flags"] & t.Flag.INHIBITED, "no inhibit", [b.report()])
    b.done("perform", {"function": 3, "argument": 7200})
    b.done("perform", {"function": 3, "argument": 0})


@case("FUN-03/reboot", "RST-01")
def reboot(b: Bench) -> None:
    """Function 4 is answered in full, then the node boots with cause 1 and begins its sequence count at 0."""
    heard = b.give(b.tc("perform", {"function": 4, "argument": 0}))
    end = b.now_ms + 5000
    while not events(heard, t.Event.BOOT) and b.now_ms < end:
        heard += b.next(end - b.now_ms)
    own = [h for h in heard if not polls([h]) and h.name != "housekeeping"]
    expect_titles(own[:2], "TM[1,1]", "TM[1,7]", after="function 4")
    boot_event(own[2:], t.Reset.COMMANDED)
    expect(sequence(own[2]) == 0, "sequence count 0 in the boot event", own[2:3])


@case("FUN-04/defaults")
def set_to_defaults(b: Bench) -> None:
    """Function 5 makes each parameter its default, also one that was set before."""
    set_all(b, poll_retries=5, hk_period=5000, wander=10)
    b.done("perform", {"function": 5, "argument": 0})
    for p in t.MONITOR_PARAMETERS:
        now = b.parameter(p.id)
        expect(now == p.default, f"{p.name} to be {p.default}", now)


# -- polling


@case("POL-01/poll")
def poll_packet(b: Bench) -> None:
    """A poll is TC[3,27] to the transducer: no flags, source 0A1, N 1, SID 1; the first comes at boot."""
    if b.emulated:
        heard = b.restart()
        got = polls(heard)
        expect(len(got) == 1, "one poll at boot", heard)
    else:
        got = [b.wait_for(polls, 5000)]
    wanted = bytes((0x20, 3, 27, 0, 0xA1, 1, 1))
    expect(got[0].packet[6:-2] == wanted, wanted.hex(" "), got[0].packet[6:-2].hex(" "))


@case("POL-01/period")
def poll_period(b: Bench) -> None:
    """Answered polls come every poll_period."""
    set_all(b, poll_period=500)
    answering(b, 600)
    apart(b, [h.at_ms for h in polls(answering(b, 2100))], 500, "polls")


@case("SEQ-08/polls")
def poll_counts(b: Bench) -> None:
    """Polls, repeated ones and those of the analyser included, are counted in one row, from 0 at boot."""
    heard = polls(b.restart())
    if heard and b.emulated:
        expect(sequence(heard[0]) == 0, "poll count 0 at boot", heard)
    heard += polls(b.run(1600))
    new = b.sample(1000)
    rows = heard + polls(new) + polls(new, "analyser") + polls(b.run(1500))
    expect(len(rows) > 4, "polls", rows)
    for one, two in pairwise(rows):
        expect(sequence(two) == sequence(one) + 1, f"poll count {sequence(one) + 1}", [one, two])


@case("POL-02/repeats")
def poll_repeats(b: Bench) -> None:
    """An unanswered poll is repeated after reply_timeout, poll_retries times, and each time-out is counted."""
    set_all(b, poll_period=1600, reply_timeout=300, poll_retries=3)
    answering(b, 1100)
    b.wait_for(polls, 2000)
    got = [h.at_ms for h in polls(b.run(1300))]
    expect(len(got) == 3, "3 repeats of an unanswered poll", got, timing=not b.emulated)
    apart(b, got, 300, "repeats")
    before = b.report()["timeouts"]
    b.wait_for(polls, 2000)
    b.run(1300)
    now = (b.report()["timeouts"] - before) & 0xFFFF
    expect(now == 4, "4 time-outs counted", now, timing=not b.emulated)


@case("POL-02/none")
def no_repeats(b: Bench) -> None:
    """With poll_retries 0 an unanswered poll is not repeated."""
    set_all(b, poll_period=1500, reply_timeout=200, poll_retries=0)
    answering(b, 1600)
    b.wait_for(polls, 3000)
    got = polls(b.run(1300))
    expect(not got, "no repeats", got, timing=not b.emulated)


@case("POL-03/one-at-a-time")
def one_at_a_time(b: Bench) -> None:
    """With a poll_period below reply_timeout no poll comes before the one before it has timed out."""
    set_all(b, reply_timeout=400, poll_retries=1, poll_period=150)
    b.run(1000)
    apart(b, [h.at_ms for h in polls(b.run(2100))], 400, "polls")


@case("POL-03/cadence")
def poll_cadence(b: Bench) -> None:
    """A poll that had to wait for time-outs does not shift the cadence of those after it."""
    set_all(b, poll_period=1000, reply_timeout=400, poll_retries=2)
    answering(b, 1100)
    first = b.wait_for(polls, 1500)
    for after in (400, 800, 1200):
        late = b.wait_for(polls, 600)
        near = abs(late.at_ms - first.at_ms - after) <= b.slack_ms
        expect(
            near,
            f"a poll {after} ms after the first",
            f"{late.at_ms - first.at_ms} ms",
            timing=not b.emulated,
        )
    b.sample(b.now_ms)
    back = b.wait_for(polls, 1500)
    near = abs(back.at_ms - first.at_ms - 2000) <= b.slack_ms
    expect(near, "a poll 2000 ms after the first", f"{back.at_ms - first.at_ms} ms", timing=not b.emulated)


@case("POL-04/any-sample")
def any_sample(b: Bench) -> None:
    """A sample that another asked for ends the waiting too: no repeat, health 0."""
    set_all(b, poll_period=1500, reply_timeout=300)
    answering(b, 1100)
    b.wait_for(polls, 2000)
    values = {"pressure_cPa": 10100000, "temperature_cK": 29500, "status": 0}
    ms = b.now_ms + 60_000
    b.ask(host.seal(host.encode_tm(SAMPLE, t.Apid.TRANSDUCER, 9, 0, ms, values, 0x77)))
    got = polls(b.run(1000))
    expect(not got, "no repeat of an answered poll", got, timing=not b.emulated)
    expect(b.report()["health"] == 0, "health 0", [b.report()])


SAMPLE = next(p for p in t.TM_PACKETS if p.name == "sample")


@case("POL-05/analyser")
def analyser(b: Bench) -> None:
    """The analyser is polled after a sample, not again before analyser_period has passed, and never where that is 0."""
    set_all(b, analyser_period=1500)
    got = polls(b.sample(1000), "analyser")
    expect(len(got) == 1, "a poll of the analyser after the first sample", got)
    wanted = bytes((0x20, 3, 27, 0, 0xA1, 1, 1))
    expect(got[0].packet[6:-2] == wanted, wanted.hex(" "), got[0].packet[6:-2].hex(" "))
    got = polls(b.sample(2000) + b.run(600) + b.sample(3000), "analyser")
    expect(not got, "no poll of the analyser so soon", got)
    got = polls(b.run(900 + b.slack_ms) + b.sample(4000), "analyser")
    expect(len(got) == 1, "a poll of the analyser after its period", got)
    set_all(b, analyser_period=0)
    got = polls(b.run(1600) + b.sample(5000), "analyser")
    expect(not got, "no poll of the analyser with period 0", got)


# -- judging samples


def health(b: Bench, stamp: int, wanted: int, **sample: int) -> list[Heard]:
    """Give a sample and expect this health; what the monitor sent."""
    heard = b.sample(stamp, **sample)
    got = b.report()
    late = not b.emulated and got["health"] in (t.Health.SILENT, t.Health.TIME)  # as a busy host may make it
    what = f"health {wanted} after the sample {sample or ''} stamped {stamp}"
    expect(got["health"] == wanted, what, [got], timing=late)
    return heard


@case("SEN-01/status")
def sample_status(b: Bench) -> None:
    """The status of a sample that is not 0 is the health."""
    hush(b)
    for stamp, status in enumerate((0, 1, 2, 3, 0), 1):
        health(b, 1000 * stamp, status, status=status)
    for stamp, status in ((6000, 2), (7000, 3)):  # whatever the reading is
        health(b, stamp, status, status=status, pressure_cPa=0, temperature_cK=0)


@case("SEN-02/implausible")
def implausible(b: Bench) -> None:
    """Pressures just beyond their bounds and less than 100 K are implausible; the bounds themselves are not."""
    hush(b)
    set_all(b, pressure_low=2_000_000, pressure_high=11_000_000)
    for stamp, (pressure, wanted) in enumerate(
        (
            (5_000_000, 0),
            (1_999_999, 5),
            (2_000_000, 0),
            (11_000_001, 5),
            (11_000_000, 0),
            (0xFFFFFFFF, 5),
            (0, 5),
        ),
        1,
    ):
        health(b, 1000 * stamp, wanted, pressure_cPa=pressure)
    for stamp, kelvin, wanted in (
        (20_000, 10_000, 0),
        (21_000, 9999, 5),
        (22_000, 0, 5),
        (23_000, 65_535, 0),
    ):
        health(b, stamp, wanted, pressure_cPa=5_000_000, temperature_cK=kelvin)


@case("SEN-03/stuck")
def stuck(b: Bench) -> None:
    """The third sample in a row like the one before it is stuck where stuck_samples is 3, and none where it is 0."""
    hush(b)
    set_all(b, stuck_samples=3)
    for wanted, pressure, temperature in (
        *((wanted, 9_000_000, 29515) for wanted in (0, 0, 0, 6, 6)),
        (0, 9_000_001, 29515),
        (0, 9_000_001, 29515),
        (0, 9_000_001, 29516),
    ):
        b.run(200)
        health(
            b, b.now_ms, wanted, pressure_cPa=pressure, temperature_cK=temperature
        )  # SEN-14: as true a clock
    set_all(b, stuck_samples=0)
    later = b.now_ms
    for second in range(1, 8):
        health(b, later + 1000 * second, 0, pressure_cPa=9_000_002)


@case("SEN-04/time")
def sample_time(b: Bench) -> None:
    """A stamp before the last one, or no time, is health 7 up to the third later one; over midnight time goes on."""
    hush(b)
    day = t.DAY_MS
    for i, (stamp, wanted) in enumerate(
        (
            *((5000, 0), (4999, 7), (5100, 7), (5100, 7), (5200, 7), (5300, 0), (day - 1, 0), (day, 0)),
            *((65535 * day + 5, 7), (65536 * day - 3, 7), (65536 * day - 2, 7), (65536 * day - 1, 0)),
        ),
        1,
    ):
        health(b, stamp, wanted, pressure_cPa=9_000_000 + i)
    health(b, 3, 0, pressure_cPa=9_100_000)
    health(b, 9000, 1, pressure_cPa=9_100_001, status=1)
    health(b, 8000, 7, pressure_cPa=9_100_002)
    for ms in (day, 0x7FFFFFFF, 0xFFFFFFFF):
        values = {"pressure_cPa": 9_200_000 + (ms & 63), "temperature_cK": 29500, "status": 0}
        head = host.encode_tm(SAMPLE, t.Apid.TRANSDUCER, 1, 1, ms, values, t.Apid.MONITOR)
        b.ask(host.seal(head))
        expect(b.report()["health"] == 7, f"health 7 for millisecond {ms}", [b.report()])


@case("SEN-04/twin", "SEN-07")
def twin(b: Bench) -> None:
    """Two transducers that answer in turn, an hour apart by their clocks, cost one event."""
    hush(b)
    b.sample(3_600_000)
    set_all(b, blind_delay=0, off_delay=0)
    heard: list[Heard] = []
    for i in range(1, 20):
        heard += b.sample(1000 * i, 9_000_000 + i)
        heard += b.sample(3_600_000 + 1000 * i, 9_000_100 + i)
    got = events(heard, LOST, FOUND, RETURNED, t.Event.SENSOR_AGAIN)
    expect(len(got) == 1 and got[0]["cause"] == t.Health.TIME, "one sensor lost event, cause 7", got)


@case("SEN-14/clock")
def clock(b: Bench) -> None:
    """A clock that stands, or runs at a third of the monitor's or at three times it, is told, a right one not."""
    set_all(b, stuck_samples=8, poll_period=1000)
    stamp, then = 0.0, b.now_ms
    for rate, wanted in ((1, 0), (0, 7), (1, 0), (0.33, 7), (1, 0), (3, 7), (1, 0)):
        for _ in range(8):
            b.run(100)
            stamp, then = stamp + rate * (b.now_ms - then), b.now_ms
            b.sample(round(stamp), 9_000_000 + b.sample_count)
        hk = b.report()
        expect(hk["health"] == wanted, f"health {wanted} after 8 stamps at {rate:g} times the time", [hk])


@case("SEN-05/same-stamp")
def same_stamp(b: Bench) -> None:
    """A sample with the stamp of the last one is no fault."""
    hush(b)
    health(b, 5000, 0)
    heard = health(b, 5000, 0) + health(b, 5000, 0, pressure_cPa=10132600)
    expect(not events(heard, *t.Event), "no event", events(heard, *t.Event))


@case("SEN-06/silent")
def silent(b: Bench) -> None:
    """A transducer that does not answer a poll and its repeats is silent from the last time-out to the next sample."""
    set_all(b, poll_period=2000, reply_timeout=300, poll_retries=1)
    answering(b, 2100, 1000)
    set_all(b, blind_delay=0)
    first = b.wait_for(polls, 3000)
    gone = b.wait_for(lambda hs: events(hs, LOST), 2000)
    near = abs(gone.at_ms - first.at_ms - 600) <= b.slack_ms
    expect(near, "sensor lost after 600 ms", f"{gone.at_ms - first.at_ms} ms", timing=not b.emulated)
    expect(gone["cause"] == t.Health.SILENT, "cause 4 (silent)", [gone])
    expect(b.report()["health"] == 4, "health 4", [b.report()])
    health(b, 10**6, 0, pressure_cPa=10_000_000)


@case("SEN-10/other-telemetry", "PKT-05")
def other_telemetry(b: Bench) -> None:
    """Reports of the instruments cut short or too long, right after a whole one, and their events are no samples."""
    hush(b)
    sample = {"pressure_cPa": 9_000_000, "temperature_cK": 29515, "status": 0}
    air = {"ppn2_cPa": 7_000_000, "ppo2_cPa": 2_000_000, "ppco2_cPa": 1, "pph2o_cPa": 1, **sample}
    b.sample(1000, **sample)
    before = b.report()
    for role, name, values, change in (
        ("transducer", "sample", sample, {"pressure_cPa": 8_000_000}),
        ("analyser", "composition", air, {"ppn2_cPa": 6_000_000}),
    ):
        whole, other = (
            host.encode_tm(TM[name], t.ROLES[role], 1, 0, ms, fields, t.Apid.MONITOR)
            for ms, fields in ((1000, values), (2000, {**values, **change}))
        )
        other += b"\0"
        for size in range(t.TC_MIN - t.PEC, len(other) + 1):
            if size != len(whole):
                b.ask(host.seal(whole))
                b.ask(host.seal(host.resized(other[:size])))
        lost = {"event": LOST, "cause": 3, "value": 0}
        b.ask(host.seal(host.encode_tm(TM["instrument_event_caution"], t.ROLES[role], 2, 0, 3000, lost)))
    after = b.report()
    for field in ("pressure_cPa", "temperature_cK", "health", "alarm", "rejected"):
        expect(after[field] == before[field], f"{field} still {before[field]}", [after])


@case("SEN-07/events", "SEN-05")
def sensor_events(b: Bench) -> None:
    """Health other than 0 raises the alarm of blindness, with the health and the last plausible pressure; no more comes
    of another such value, and sight returns it.
    """
    hush(b)
    b.sample(1000, 9_001_000)
    set_all(b, blind_delay=0, off_delay=0)
    for stamp, status, told in (
        (2000, 2, (LOST, "TM[5,2]", 2, 9_001_000)),
        (3000, 3, None),
        (4000, 0, (RETURNED, "TM[5,1]", 0, 9_004_000)),
    ):
        got = events(b.sample(stamp, 9_000_000 + stamp, status=status), LOST, RETURNED, FOUND)
        said = [(h["event"], h.title, h["cause"], h["value"]) for h in got]
        expect(said == ([told] if told else []), str(told), got)


@case("EVT-01/once", role="monitor")
def once(b: Bench) -> None:
    """A fault that lasts is told once, and so is a silence that lasts."""
    b.sample(1000)
    set_all(b, blind_delay=0)
    heard = []
    for stamp in range(2000, 8000, 1000):
        heard += b.sample(stamp, status=2)
    set_all(b, poll_period=300, reply_timeout=50, poll_retries=0)
    heard += b.run(2000)
    expect(len(events(heard, LOST)) == 1, "one sensor lost event", events(heard, LOST))


@case("SEN-06/never-heard")
def never_heard(b: Bench) -> None:
    """A transducer that never answers after boot is told as lost, once, when ``blind_delay`` has passed."""
    begin = b.restart()[0].at_ms
    set_all(b, blind_delay=1)
    gone = b.wait_for(lambda hs: events(hs, LOST), 2000)
    near = abs(gone.at_ms - begin - 1000) <= b.slack_ms
    expect(near, "sensor lost 1 s after boot", f"{gone.at_ms - begin} ms", timing=not b.emulated)
    expect(gone["cause"] == t.Health.SILENT and gone["value"] == 0, "cause 4, value 0", [gone])
    got = events(b.run(1500), LOST)
    expect(not got, "no second sensor lost event", got)
