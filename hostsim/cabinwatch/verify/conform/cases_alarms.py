"""Cases of SPEC.md's section 14: alarms. Samples carry their own stamps, so an hour of them passes in a moment."""

from cabinwatch.verify.conform.bench import Bench, Heard
from cabinwatch.verify.conform.case import case, expect, failure
from cabinwatch.verify.conform.cases_monitor import events, set_all
from cabinwatch_protocol import table as t

ALARM, ENDED, INHIBIT_ENDED = t.Event.ALARM, t.Event.ALARM_ENDED, t.Event.INHIBIT_ENDED
NORMAL = 10132500


class Cabin:
    """Gives the monitor one sample for each second of a cabin's life; keeps what it sent; ``fence``: see `ask`."""

    def __init__(self, b: Bench, fence: bool = True) -> None:
        self.b = b
        self.fence = fence
        self.second = 0
        self.pressure = NORMAL
        self.heard: list[Heard] = []
        if fence:
            unhurried(b)

    def quiet(self, seconds: int) -> None:
        """Pressure as it is, but for a pascal of unrest."""
        for _ in range(seconds):
            self.second += 1
            self._sample(self.pressure + self.second * 37 % 101)

    def fall(self, seconds: int, share: int = 40, status: int = 0) -> None:
        """Lose one part in ``share`` each second."""
        for _ in range(seconds):
            self.second += 1
            self.pressure -= self.pressure // share
            self._sample(self.pressure, status)

    def _sample(self, pressure_cPa: int, status: int = 0) -> None:
        frame = self.b.sample_frame(1000 * self.second, pressure_cPa, status=status)
        self.heard += self.b.ask(frame, fence=self.fence)

    def events(self, *kinds: t.Event) -> list[Heard]:
        """Events so far."""
        return events(self.heard, *kinds)

    def function(self, number: int, argument: int = 0) -> None:
        """Perform a function; it has to succeed."""
        self.heard += self.b.ask(self.b.tc("perform", {"function": number, "argument": argument}))


def unhurried(b: Bench) -> None:
    """Let the stamps run faster than the monitor's own time: SEN-14."""
    set_all(b, stuck_samples=0)


def emergency(b: Bench, fence: bool = True) -> Cabin:
    """A cabin that has just had its emergency."""
    cabin = Cabin(b, fence)
    cabin.quiet(300)
    expect(not cabin.events(ALARM), "no alarm in 5 min of quiet", cabin.events(ALARM))
    cabin.fall(12)  # not as far as `reserve`: there the level is an Emergency by itself, and stays one
    return cabin


@case("ALM-02/emergency", "ALM-01")
def rapid(b: Bench) -> None:
    """A fall by a fortieth each second raises Emergency, cause rapid, and nothing does before it."""
    got = emergency(b).events(ALARM)
    expect(bool(got) and got[-1].title == "TM[5,4]" and got[-1]["cause"] == 1, "TM[5,4] alarm, cause 1", got)


@case("ALM-01/event")
def alarm_event(b: Bench) -> None:
    """Each rise is told once, in rising classes; the rate is negative; housekeeping shows the class as latched."""
    cabin = emergency(b)
    got = cabin.events(ALARM)
    classes = [int(h.title[5]) for h in got]
    expect(bool(got) and classes == sorted(set(classes)), "each higher class once", got)
    expect(all(h["value"] < 0 for h in got), "a falling rate", got)
    hk = b.report()
    expect(hk["alarm"] == hk["alarm_now"] == classes[-1], f"alarm and alarm_now {classes[-1]}", [hk])
    expect(not hk["flags"] & t.Flag.ACKNOWLEDGED, "not acknowledged", [hk])


@case("ALM-40/level")
def level(b: Bench) -> None:
    """Three samples at `reserve`, or below the range, are an Emergency at boot, plausible or not; two are none."""
    reserve = next(p.default for p in t.MONITOR_PARAMETERS if p.name == "reserve")
    for readings, wanted in (
        ((reserve + 1, reserve + 1, reserve + 1, reserve + 1), 0),
        ((reserve, reserve, NORMAL, reserve, reserve), 0),
        ((reserve, reserve, reserve), 4),
        ((50, 0, 0), 4),
    ):
        for status in (0, 1):
            b.restart()
            for i, pressure in enumerate(readings, 1):
                b.sample(1000 * i, pressure, status=status)
            hk = b.report()
            expect(hk["alarm"] == hk["alarm_now"] == wanted, f"alarm {wanted} after {readings}", [hk])
            if wanted:
                expect(hk["cause"] == t.Cause.LEVEL and not hk["tres_s"], "cause 5, T-reserve 0", [hk])


@case("ALM-03/latched", "ALM-09")
def latched(b: Bench) -> None:
    """When the data no longer justify the alarm it stays, with no alarm ended event."""
    cabin = emergency(b)
    cabin.function(2)
    cabin.quiet(30)
    hk = b.report()
    expect(hk["alarm"] == 4 and hk["alarm_now"] == 0, "alarm 4, alarm_now 0", [hk])
    expect(not cabin.events(ENDED), "no alarm ended event", cabin.events(ENDED))


@case("ALM-04/ends")
def ends(b: Bench) -> None:
    """Once acknowledged, an alarm that the data no longer justify ends with one event, class Advisory, cause 0."""
    cabin = emergency(b)
    cabin.function(1)
    expect(b.report()["alarm"] == 4, "alarm 4 while the data justify it", [b.report()])
    expect(bool(b.report()["flags"] & t.Flag.ACKNOWLEDGED), "the acknowledged flag", [b.report()])
    cabin.function(2)
    cabin.quiet(30)
    got = cabin.events(ENDED)
    met = len(got) == 1 and got[0].title == "TM[5,1]" and got[0]["cause"] == 0
    expect(met, "one TM[5,1] alarm ended, cause 0", got)
    expect(b.report()["alarm"] == 0, "alarm 0", [b.report()])


@case("ALM-04/late-acknowledgement")
def late(b: Bench) -> None:
    """An alarm that is acknowledged when the data no longer justify it ends too."""
    cabin = emergency(b)
    cabin.function(2)
    cabin.quiet(5)
    cabin.function(1)
    cabin.quiet(5)
    expect(len(cabin.events(ENDED)) == 1, "one alarm ended event", cabin.events(ENDED))
    expect(b.report()["alarm"] == 0, "alarm 0", [b.report()])


@case("ALM-05/anew")
def anew(b: Bench) -> None:
    """A class above an acknowledged one is latched with a new event, and is not acknowledged."""
    set_all(b, emergency=0)
    cabin = emergency(b)
    expect(b.report()["alarm"] == 3, "a Warning while the Emergency threshold is 0", [b.report()])
    cabin.function(1)
    set_all(b, emergency=3600)
    before = len(cabin.events(ALARM))
    cabin.fall(10)
    got = cabin.events(ALARM)[before:]
    expect(len(got) == 1 and got[0].title == "TM[5,4]", "one TM[5,4] alarm", got)
    expect(not b.report()["flags"] & t.Flag.ACKNOWLEDGED, "not acknowledged", [b.report()])


@case("ALM-06/no-alarm")
def no_alarm(b: Bench) -> None:
    """Acknowledging where there is no alarm fails with code 11."""
    failure(
        b.command("perform", {"function": 1, "argument": 0}), "TM[1,8]", 11, "function 1 without an alarm"
    )


def inhibited(b: Bench, seconds: int) -> Cabin:
    """A cabin that falls while alarms are inhibited."""
    cabin = Cabin(b)
    cabin.quiet(300)
    cabin.function(3, seconds)
    cabin.fall(12)
    return cabin


@case("ALM-07/inhibit")
def inhibit(b: Bench) -> None:
    """While alarms are inhibited none is latched or sent, and the detector goes on."""
    cabin = inhibited(b, 600)
    expect(not cabin.events(ALARM), "no alarm event", cabin.events(ALARM))
    hk = b.report()
    expect(hk["alarm"] == 0 and hk["alarm_now"] == 4, "alarm 0, alarm_now 4", [hk])


@case("ALM-08/ended-by-zero")
def ended_by_zero(b: Bench) -> None:
    """Function 3 with argument 0 ends an inhibit with no event, and the next sample raises the alarm."""
    cabin = inhibited(b, 600)
    cabin.function(3, 0)
    cabin.fall(10)
    expect(not cabin.events(INHIBIT_ENDED), "no inhibit ended event", cabin.events(INHIBIT_ENDED))
    expect(len(cabin.events(ALARM)) == 1, "one alarm event", cabin.events(ALARM))


@case("ALM-08/ends")
def inhibit_ends(b: Bench) -> None:
    """When its time is over an inhibit ended event comes with the class that the data justify, then the alarm."""
    seconds = 20 if b.emulated else 4
    cabin = Cabin(b)
    cabin.quiet(300)
    cabin.function(3, seconds + 5)
    cabin.function(3, seconds)
    begin = b.now_ms
    cabin.fall(12)
    cabin.heard += b.run(max(0, begin + seconds * 1000 - b.now_ms - b.slack_ms - 10))
    expect(not cabin.events(INHIBIT_ENDED, ALARM), "no event yet", cabin.events(INHIBIT_ENDED, ALARM))
    cabin.heard += b.run(2 * b.slack_ms + 20)
    got = cabin.events(INHIBIT_ENDED, ALARM)
    met = [h["event"] for h in got] == [INHIBIT_ENDED, ALARM] and got[0]["cause"] == 4
    expect(met, "inhibit ended with cause 4, then the alarm", got, timing=not b.emulated)


@case("ALM-09/forgets")
def forgets(b: Bench) -> None:
    """Function 2 takes back the class that the data justify, not the latched one."""
    cabin = emergency(b)
    cabin.function(2)
    hk = b.report()
    wanted = {"alarm": 4, "alarm_now": 0, "cause": 0, "tres_s": t.T_CAP}
    expect(all(hk[n] == v for n, v in wanted.items()), str(wanted), [hk])


@case("SEN-08/not-believed")
def not_believed(b: Bench) -> None:
    """Falling pressures of samples with a fault raise no alarm."""
    cabin = Cabin(b)
    cabin.quiet(300)
    cabin.fall(20, status=3)
    expect(not cabin.events(ALARM), "no alarm", cabin.events(ALARM))
    hk = b.report()
    expect(hk["alarm"] == hk["alarm_now"] == 0, "alarm and alarm_now 0", [hk])


@case("SEQ-05/verdict", role="monitor")
def same_verdict(b: Bench) -> None:
    """TC[8,1] acknowledge without an alarm fails, and its repetition fails likewise, though there is one by then."""
    unhurried(b)
    count = b.next_count()
    acknowledge = {"function": t.Function.ACKNOWLEDGE, "argument": 0}

    def refused(what: str) -> None:
        got = b.command("perform", acknowledge, count=count, fence=False)
        failure(got, "TM[1,8]", t.Failure.NO_ALARM, what)

    refused("an acknowledgement without an alarm")
    got = emergency(b, fence=False).events(ALARM)
    expect(bool(got), "an alarm", got)
    refused("the same packet after an alarm")
