"""Cases of SPEC.md that judge a node's clock, on a live target by the host's own.

An answer's stamp was made between the moment at which the bench sent its question and that at which the answer was
there. So two answers bound the time between their stamps, however slow the line or busy the host is.
"""

from dataclasses import dataclass

from cabinwatch.verify.conform.bench import Bench, Heard
from cabinwatch.verify.conform.case import case, expect, expect_titles
from cabinwatch.verify.conform.cases_packets import stamp, telemetry

SHARE = 0.01
JITTER_MS = 20
"""The tolerance of TIM-05."""
OLDEST_MS = 250
"""The oldest reading that XDR-07 allows."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A stamp, and the times of the bench between which it was made."""

    after_ms: int
    before_ms: int
    stamp_ms: int
    answer: Heard


def moment(b: Bench, name: str = "ping") -> Moment:
    """The stamp of an answer."""
    after = b.now_ms
    got = b.command(name, ack=0)
    expect_titles([h for h in got if h.title != "TM[3,25]"], *(["TM[17,2]"] * (name == "ping")), after=name)
    return Moment(after, got[0].at_ms, stamp(got[0]), got[0])


def apart(b: Bench, one: Moment, two: Moment) -> None:
    """The stamps are as far apart as their moments, within the tolerance."""
    least = max(0, two.after_ms - one.before_ms)
    most = two.before_ms - one.after_ms
    passed = two.stamp_ms - one.stamp_ms
    met = least * (1 - SHARE) - JITTER_MS <= passed <= most * (1 + SHARE) + JITTER_MS
    span = f"{least}" if least == most else f"{least} to {most}"
    expect(
        met,
        f"stamps {span} ms apart, within 1 % and 20 ms",
        f"{passed} ms{_likeness(passed, least, most)}",
        not b.emulated,
    )


def _likeness(passed: int, least: int, most: int) -> str:
    """What a wrong clock looks like, or ""."""
    for ratio, name in ((1 / 1000, "seconds"), (1000, "microseconds"), (1.024, "1/1024 s"), (0.1, "1/100 s")):
        if least > 200 and least * ratio * 0.995 <= passed <= most * ratio * 1.005:
            return f": a count of {name}?"
    return ""


@case("TIM-02/runs")
def runs(b: Bench) -> None:
    """The stamps of two answers differ by the time between them."""
    first = moment(b)
    b.run(b.lasting(1.5, 12.345))
    apart(b, first, moment(b))


@case("TIM-02/from-boot")
def from_boot(b: Bench) -> None:
    """At boot a node's time is 0, and goes on in real milliseconds from there."""
    for ms in (b.lasting(1.2, 2), b.lasting(0.3, 60)):
        begin, before = b.now_ms, len(b.log)
        b.restart()
        boot = telemetry(b, b.since(before))[0]
        if b.emulated:
            expect(stamp(boot) == 0, "a boot event stamped 0", [boot])
        booted = Moment(begin if begin <= boot.at_ms else boot.at_ms, boot.at_ms, stamp(boot), boot)
        b.run(ms)
        now = moment(b)
        least = (now.after_ms - booted.before_ms) * (1 - SHARE) - JITTER_MS
        expect(
            now.stamp_ms >= least,
            f"a stamp of at least {least:.0f} ms after boot",
            [now.answer],
            not b.emulated,
        )
        if begin <= boot.at_ms:
            apart(b, booted, now)


@case("TIM-05/true", beside=True)
def true(b: Bench) -> None:
    """Stamps, of whatever packet, are true for as long as the case lasts: none goes back, none is too early or late."""
    end = b.now_ms + b.lasting(10, 600)
    first = last = moment(b)
    number = 0
    while b.now_ms < end:
        number += 1
        b.run(30_000 if b.emulated and number % 2 else 50)
        now = moment(b, ("ping", "report_hk")[number // 2 % 2])
        expect(now.stamp_ms >= last.stamp_ms, f"no stamp before {last.stamp_ms} ms", [now.answer])
        apart(b, first, now)
        apart(b, last, now)
        last = now


@case("XDR-01/stamp")
def stamped(b: Bench) -> None:
    """Samples asked for one after the other have stamps that far apart."""
    first = moment(b, "report_hk")
    for _ in range(5):
        b.run(3000 if b.emulated else 300)
        now = moment(b, "report_hk")
        apart(b, first, now)


@case("XDR-07/fresh")
def fresh(b: Bench) -> None:
    """A sample's stamp, its reading's, lies between those of pings before and after it, or little before."""
    b.run(5000 if b.emulated else 1000)
    for _ in range(5):
        before, sample, after = moment(b), moment(b, "report_hk"), moment(b)
        expect(
            before.stamp_ms - OLDEST_MS <= sample.stamp_ms <= after.stamp_ms + JITTER_MS,
            f"a stamp between {before.stamp_ms - OLDEST_MS} and {after.stamp_ms + JITTER_MS} ms",
            [sample.answer],
        )
