"""Cases of SPEC.md's sections 8 to 13 for the monitor and its instruments: cadences, waiting, counting, odd reports."""

from cobs import cobs

from cabinwatch.verify.conform.alone import left_alone
from cabinwatch.verify.conform.bench import TM, Bench, Heard
from cabinwatch.verify.conform.case import case, expect, failure
from cabinwatch.verify.conform.cases_frames import framed, ping
from cabinwatch.verify.conform.cases_monitor import (
    FOUND,
    LOST,
    answering,
    cut_frames,
    events,
    health,
    hush,
    noise_events,
    polls,
    reports,
    set_all,
)
from cabinwatch.verify.conform.cases_packets import changed, stamp
from cabinwatch.verify.conform.emulated import virtual
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

DRIFT_MS = 10
"""How far a cadence may seem to drift over a case on a live target: what jitter leaves in the earliest of many."""


# -- cadences


def drift(times: list[float], period: float) -> float:
    """How far the last third of a cadence is behind the first, by the earliest of each."""
    late = [at - times[0] - k * period for k, at in enumerate(times)]
    third = len(late) // 3
    return min(late[-third:]) - min(late[:third])


@case("HKP-02/first", beside=True)
def first_report(b: Bench) -> None:
    """No report comes with the boot: the first one comes hk_period later, by the monitor's own stamps."""
    heard = left_alone(b).heard
    boots = [n for n, h in enumerate(heard) if h.title == "TM[5,1]" and h["event"] == t.Event.BOOT]
    expect(bool(boots), "a boot event", heard)
    boot = boots[-1]
    after = [stamp(h) - stamp(heard[boot]) for h in reports(heard[boot:])]
    met = bool(after) and abs(after[0] - 10_000) <= b.slack_ms
    early = bool(after) and after[0] < 10_000 - b.slack_ms
    expect(met, "the first report 10 s after boot", f"{after} ms", timing=not b.emulated and not early)


def watched(b: Bench) -> list[Heard]:
    """Half a minute of polls every 250 ms and reports every second: one watch of a node for both cadences.

    A node of a busy machine that is late by a whole period may begin a new cadence (POL-06): so no shorter one.
    """

    def keep() -> list[Heard]:
        set_all(b, poll_retries=0, reply_timeout=20, hk_period=1000, poll_period=250)
        b.wait_for(reports, 2000)
        return b.run(b.lasting(30, 120))

    return b.watch("cadences", keep)


@case("HKP-02/cadence", beside=True)
def report_cadence(b: Bench) -> None:
    """Over many periods the reports' own stamps do not drift from hk_period."""
    times = [float(stamp(h)) for h in reports(watched(b))]
    expect(len(times) > 9, "reports every second", times)
    off = drift(times, 1000)
    expect(abs(off) <= (0 if b.emulated else DRIFT_MS), "no drift", f"{off:.0f} ms", timing=not b.emulated)


@case("POL-01/cadence", beside=True)
def poll_cadence(b: Bench) -> None:
    """Over a hundred periods the polls do not drift from poll_period, by the clock of the monitor's own reports."""
    heard = watched(b)
    told, asked = reports(heard), polls(heard)
    expect(len(asked) > 90 and len(told) > 9, "polls every 250 ms", len(asked))
    span = told[-1].at_ms - told[0].at_ms
    third = len(told) // 3
    late = [h.at_ms - stamp(h) for h in told]
    lost = min(late[-third:]) - min(late[:third])  # by its own clock, over two thirds of the span
    off = drift([float(h.at_ms) for h in asked], 250 * (1 + lost / (span * 2 / 3)))
    expect(
        abs(off) <= (0 if b.emulated else 3 * DRIFT_MS), "no drift", f"{off:.0f} ms", timing=not b.emulated
    )


@case("HKP-02/a-day")
def report_day(b: Bench) -> None:
    """With the longest hk_period no report comes for a day less a second, and one with it."""
    bench = virtual(b, "a day has to pass")
    set_all(b, poll_retries=0, poll_period=3_600_000, hk_period=t.DAY_MS)
    first = b.wait_for(reports, 10_000)  # the running period goes on
    early = reports(bench.run(first.at_ms + t.DAY_MS - 1000 - b.now_ms))
    expect(not early, "no report for a day", early)
    got = reports(bench.run(1000))
    expect(len(got) == 1, "one report a day after the first", got)


@case("POL-01/an-hour")
def poll_hour(b: Bench) -> None:
    """With the longest poll_period no poll comes for an hour less a second, and one with it."""
    bench = virtual(b, "an hour has to pass")
    set_all(b, poll_retries=0, hk_period=t.DAY_MS, poll_period=3_600_000)
    first = b.wait_for(polls, 1000)  # the running period goes on
    early = polls(bench.run(first.at_ms + 3_600_000 - 1000 - b.now_ms))
    expect(not early, "no poll for an hour", early)
    got = polls(bench.run(1000))
    expect(len(got) == 1, "one poll an hour after the last", got)


@case("ALM-07/two-hours")
def two_hours(b: Bench) -> None:
    """The longest inhibit lasts two hours."""
    bench = virtual(b, "two hours have to pass")
    set_all(b, poll_retries=0, hk_period=t.DAY_MS, poll_period=3_600_000)
    b.done("perform", {"function": t.Function.INHIBIT, "argument": 7200})
    bench.run(7_190_000)
    expect(inhibited(b), "alarms still inhibited after 7190 s", [b.report()])
    got = events(bench.run(11_000), t.Event.INHIBIT_ENDED)
    expect(len(got) == 1, "one inhibit ended event after 7200 s", got)


# -- waiting


@case("POL-04/nothing-else")
def nothing_else(b: Bench) -> None:
    """An event of the transducer, its other telemetry or the analyser's report ends no waiting for a sample."""
    set_all(b, poll_period=1500, reply_timeout=500, poll_retries=1, analyser_period=0)
    answering(b, 1100)
    b.wait_for(polls, 2000)
    lost = {"event": LOST, "cause": 3, "value": 0}
    air = {"ppn2_cPa": 7_000_000, "ppo2_cPa": 2_000_000, "ppco2_cPa": 1, "pph2o_cPa": 1}
    others: tuple[tuple[int, str, dict[str, int], int], ...] = (
        (t.Apid.TRANSDUCER, "instrument_event_caution", lost, 0),
        (t.Apid.TRANSDUCER, "alive", {}, t.Apid.MONITOR),
        (t.Apid.ANALYSER, "composition", {**air, "temperature_cK": 29500, "status": 0}, t.Apid.MONITOR),
    )
    for apid, name, values, peer in others:
        b.ask(host.seal(host.encode_tm(TM[name], apid, 1, 0, 1000, values, peer)))
    again = polls(b.run(700 + b.slack_ms))
    expect(len(again) == 1, "the poll once more after reply_timeout", again, timing=not b.emulated)


@case("POL-05/no-waiting")
def no_waiting(b: Bench) -> None:
    """A poll of the analyser that stays unanswered is not repeated, and nothing is counted."""
    set_all(b, poll_period=3_600_000, reply_timeout=100, poll_retries=2)
    b.run(1500)
    before = b.report()["timeouts"]
    asked = b.sample(1000) + b.run(1000)
    got = polls(asked, "analyser")
    expect(len(got) == 1, "one poll of the analyser", got)
    expect(not polls(asked), "no poll of the transducer", polls(asked))
    now = b.report()["timeouts"]
    expect(now == before, f"timeouts still {before}", now)


@case("POL-05/any-sample")
def whatever_it_says(b: Bench) -> None:
    """The analyser is polled after a sample of any health, and after one that says nothing new."""
    set_all(b, analyser_period=500)
    hush(b)
    for what, sample in (
        ("a fault", {"stamp_ms": 2000, "status": 3}),
        ("an implausible pressure", {"stamp_ms": 2000, "pressure_cPa": 1}),
        ("a good sample", {"stamp_ms": 2000}),
        ("the same once more", {"stamp_ms": 2000}),
        ("a stamp before it", {"stamp_ms": 1000}),
    ):
        got = polls(b.sample(**sample), "analyser")
        expect(len(got) == 1, f"a poll of the analyser after {what}", got)
        b.run(500 + b.slack_ms)


@case("POL-06/very-late")
def very_late(b: Bench) -> None:
    """After a poll that had to wait for a period and more, the next one comes poll_period after it."""
    set_all(b, poll_period=500, reply_timeout=600, poll_retries=1)
    answering(b, 1600)
    first = b.wait_for(polls, 1000).at_ms
    b.wait_for(polls, 700)
    late = b.wait_for(polls, 700)
    near = abs(late.at_ms - first - 1200) <= b.slack_ms
    expect(near, "the next poll after 1200 ms", f"{late.at_ms - first} ms", timing=not b.emulated)
    b.sample(b.now_ms)
    after = b.wait_for(polls, 700).at_ms - late.at_ms
    expect(abs(after - 500) <= b.slack_ms, "a poll 500 ms after it", f"{after} ms", timing=not b.emulated)


@case("POL-07/first")
def first_air(b: Bench) -> None:
    """The first sample after each boot draws a poll of the analyser at once."""
    for _ in range(2):
        b.restart()
        got = polls(b.sample(1000), "analyser")
        expect(len(got) == 1, "a poll of the analyser after the first sample", got)


# -- counting


def bad_frames(b: Bench) -> dict[str, bytes]:
    """One frame of each kind that is discarded, by the counter that counts it."""
    packet = ping(b)
    wrong = packet[:-1] + bytes((packet[-1] ^ 1,))
    return {
        "bad_crc": framed(wrong),
        "bad_framing": framed(packet + b"\0"),
        "bad_size": b"\0" + cobs.encode(b"\x55" * 70) + b"\0",
    }


@case("EVT-02/kinds")
def noise_of_every_kind(b: Bench) -> None:
    """Ten discarded frames of whatever kind make a link noise event, and of 300 the cause says 255."""
    set_all(b, hk_period=1000)
    b.wait_for(reports, 2000)
    for kind in bad_frames(b):
        got = noise_events(b, bad_frames(b)[kind] * 10)
        met = len(got) == 1 and (got[0]["cause"], got[0]["value"]) == (10, 10)
        expect(met, f"one link noise event for 10 of {kind}", got)
    got = noise_events(b, changed(b, 1, 0x55) * 12)
    expect(not got, "no link noise event for good packets to others", got)
    got = noise_events(b, cut_frames(300))
    met = len(got) == 1 and (got[0]["cause"], got[0]["value"]) == (255, 300)
    expect(met, "one link noise event, cause 255, value 300", got)


@case("EVT-04/order")
def noise_first(b: Bench) -> None:
    """The link noise event comes before the report of its housekeeping time."""
    set_all(b, hk_period=1500)
    b.wait_for(reports, 2000)
    b.ask(cut_frames(10))
    heard = b.run(1500 + b.slack_ms)
    told = [h for h in heard if h in reports(heard) or h in events(heard, t.Event.LINK_NOISE)]
    met = len(told) > 1 and told[0].title == "TM[5,1]" and told[1].name == "housekeeping"
    expect(met, "link noise, then the report", told)


@case("HKP-06/beyond-an-octet")
def beyond_an_octet(b: Bench) -> None:
    """Each counter counts on beyond 255."""
    frames = {**bad_frames(b), "rejected": changed(b, 1, 0x55), "frames_ok": framed(ping(b))}
    before = b.report()
    for octets in frames.values():
        for _ in range(10):
            b.ask(octets * 30, fence=False)
    after = b.report()
    for name in ("bad_crc", "bad_framing", "bad_size", "rejected"):
        grown = after[name] - before[name]
        expect(grown == 300, f"{name} to grow by 300", grown)
    grown = after["frames_ok"] - before["frames_ok"]
    expect(
        600 <= grown <= 700, "frames_ok to grow by 300 pings, 300 that are rejected, and little else", grown
    )
    set_all(b, reply_timeout=20, poll_retries=5, poll_period=100)
    before = b.report()
    grown, end = 0, b.now_ms + 10_000
    while grown < 300 and b.now_ms < end:
        b.run(500)
        grown = b.report()["timeouts"] - before["timeouts"]
    expect(grown >= 300, "timeouts to grow by 300 in 10 s of polls every 20 ms", grown, not b.emulated)


# -- odd samples, and functions


@case("SEN-03/both")
def stuck_by_both(b: Bench) -> None:
    """Readings alike in pressure alone, or in temperature alone, are not stuck."""
    hush(b)
    set_all(b, stuck_samples=3)
    for n in range(5):
        b.run(150)
        health(b, b.now_ms, 0, pressure_cPa=9_000_000, temperature_cK=29_500 + n % 2)
    for n in range(5):
        b.run(150)
        health(b, b.now_ms, 0, pressure_cPa=9_000_000 + n % 2)


@case("SEN-11/row")
def stuck_row(b: Bench) -> None:
    """A faulty or implausible sample within a row of equal ones neither ends it nor counts; a repeated stamp counts."""
    hush(b)
    set_all(b, stuck_samples=3)
    equal, at = {"pressure_cPa": 9_000_000}, 0
    for fresh, wanted, sample in (
        (True, 0, equal),
        (True, 0, equal),
        (True, 3, {"status": 3}),
        (True, 5, {"pressure_cPa": 0}),
        (True, 0, equal),
        (False, 6, equal),
    ):
        b.run(150)
        at = b.now_ms if fresh else at
        health(b, at, wanted, **sample)


@case("SEN-12/first")
def first_sample(b: Bench) -> None:
    """The first sample after boot draws no event; without one, the silence since boot becomes the alarm."""
    set_all(b, blind_delay=1)
    for status in (0, 3):
        b.restart()
        got = events(b.sample(1000, status=status), LOST, FOUND)
        expect(not got, "no event of the sensor", got)
        expect(b.report()["health"] == status, f"health {status}", [b.report()])


@case("SEN-13/other-kinds", "SEN-10")
def other_kinds(b: Bench) -> None:
    """A sample of another PUS version, service, subtype, P-field or SID is none: not taken, and not rejected."""
    hush(b)
    b.sample(1000, 9_000_000)
    before = b.report()
    values = {"pressure_cPa": 8_000_000, "temperature_cK": 29_000, "status": 0}
    head = host.encode_tm(TM["sample"], t.Apid.TRANSDUCER, 1, 0, 2000, values, t.Apid.MONITOR)
    for at, value in (
        (6, 0x10),
        (6, 0x30),
        (7, 5),
        (8, 26),
        (13, 0x48),
        (13, 0x2F),
        (13, 0),
        (20, 0),
        (20, 2),
    ):
        b.ask(host.seal(head[:at] + bytes((value,)) + head[at + 1 :]))
        after = b.report()
        for name in ("pressure_cPa", "health", "rejected"):
            expect(after[name] == before[name], f"{name} still {before[name]}", [after])


@case("FUN-05/argument-first")
def argument_first(b: Bench) -> None:
    """An inhibit out of bounds fails with code 8 and neither ends nor renews the one that runs."""
    b.done("perform", {"function": t.Function.INHIBIT, "argument": 100})
    for argument in (t.INHIBIT_MAX_S + 1, 5 << t.INHIBIT_CLASS_SHIFT | 50):
        got = b.command("perform", {"function": t.Function.INHIBIT, "argument": argument})
        failure(got, "TM[1,8]", t.Failure.ARGUMENT, f"function 3 with {argument}")
    (left,) = (h["cabin_suppressed_s"] for h in b.command("report_alarms") if h.title == "TM[128,4]")
    expect(90 < left <= 100, "100 s left", left)


@case("SEQ-03/alike", role="monitor", beside=True)
def alike(b: Bench) -> None:
    """The same function with a count that differs in a single bit is another telecommand: an inhibit begins anew."""
    for bit in range(14) if b.emulated else (0, 13):
        count = b.next_count() & 0x3FFF
        for other in (count, count ^ 1 << bit):
            values = {"function": t.Function.INHIBIT, "argument": 1}
            b.command("perform", values, count=other, fence=False)
            b.run(650)
        expect(
            inhibited(b), f"an inhibit of 1 s begun anew by count {other:04x} after {count:04x}", [b.report()]
        )
        b.done("perform", {"function": t.Function.INHIBIT, "argument": 0})


def inhibited(b: Bench) -> bool:
    """Whether alarms are inhibited."""
    heard: Heard = b.report()
    return bool(heard["flags"] & t.Flag.INHIBITED)
