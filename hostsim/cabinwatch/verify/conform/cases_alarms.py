"""Cases of SPEC.md's section 14: alarms. Samples carry their own stamps, so an hour of them passes in a moment."""

from cabinwatch.verify.conform.bench import Bench, Heard
from cabinwatch.verify.conform.case import case, expect, expect_titles, failure
from cabinwatch.verify.conform.cases_monitor import LOST, P, events, hush, polls, set_all
from cabinwatch.verify.conform.cases_packets import stamp
from cabinwatch_protocol import table as t

ALARM, ENDED, RETURNED = t.Event.ALARM, t.Event.ALARM_ENDED, t.Event.ALARM_RETURNED
INHIBITED, INHIBIT_ENDED = t.Event.INHIBITED, t.Event.INHIBIT_ENDED
NORMAL = 10132500
DEFAULTS = {p.name: p.default for p in t.MONITOR_PARAMETERS}
QUIET_S = 60
"""As much quiet as ALM-02 asks for before a fall."""
IN_A_ROW = 30
"""Samples of a quiet cabin that are given before the monitor is listened to: a second of a line of 9600 baud."""


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
        frames = []
        for _ in range(seconds):
            self.second += 1
            frames.append(self._frame(self.pressure + self.second * 37 % 101))
        for i in range(0, seconds, IN_A_ROW):
            self.heard += self.b.ask(b"".join(frames[i : i + IN_A_ROW]), fence=self.fence)

    def fall(self, seconds: int, share: int = 40, status: int = 0) -> None:
        """Lose one part in ``share`` each second."""
        frames = []
        for _ in range(seconds):
            self.second += 1
            self.pressure -= self.pressure // share
            frames.append(self._frame(self.pressure, status))
        self.heard += self.b.ask(b"".join(frames), fence=self.fence)

    def leak(self) -> None:
        """The fall of ALM-42: its T-reserve is below a minute at its end, and it does not come to `level_warning`."""
        self.fall(15, share=100)

    def fault(self) -> None:
        """One sample of a transducer at fault; the pressure is as it was."""
        self.second += 1
        self.heard += self.b.ask(self._frame(self.pressure, status=3), fence=self.fence)

    def _frame(self, pressure_cPa: int, status: int = 0) -> bytes:
        return self.b.sample_frame(1000 * self.second, pressure_cPa, status=status)

    def events(self, *kinds: t.Event) -> list[Heard]:
        """Events so far."""
        return events(self.heard, *kinds)

    def function(self, number: int, argument: int = 0) -> None:
        """Perform a function; it has to succeed."""
        got = self.b.ask(self.b.tc("perform", {"function": number, "argument": argument}))
        self.heard += got
        expect(any(h.name == "completed" for h in got), f"function {number} to be executed", got)

    def set(self, **values: int) -> None:
        """Set parameters by name, and hear what that draws."""
        for name, value in values.items():
            values_ = {"parameter": P[name], "value": value}
            self.heard += self.b.ask(self.b.tc("set_parameter", values_))


def unhurried(b: Bench) -> None:
    """Let the stamps run faster than the monitor's own time (SEN-14), and no poll go unanswered meanwhile."""
    hush(b)
    set_all(b, stuck_samples=0)


def emergency(b: Bench, fence: bool = True) -> Cabin:
    """A cabin that has just had its emergency."""
    cabin = Cabin(b, fence)
    cabin.quiet(QUIET_S)
    expect(not cabin.events(ALARM), "no alarm in a minute of quiet", cabin.events(ALARM))
    cabin.fall(12)  # not as far as `reserve`: there the level is an Emergency by itself, and stays one
    return cabin


@case("ALM-02/emergency", "ALM-01")
def rapid(b: Bench) -> None:
    """A fall by a fortieth each second raises Emergency, cause rapid, and nothing does before it."""
    got = emergency(b).events(ALARM)
    expect(bool(got) and got[-1].title == "TM[5,4]" and got[-1]["cause"] == 1, "TM[5,4] alarm, cause 1", got)


@case("ALM-10/event", "ALM-11")
def alarm_event(b: Bench) -> None:
    """Each rise is told once, in rising classes, each a new occurrence; housekeeping shows the class as latched."""
    cabin = emergency(b)
    got = cabin.events(ALARM)
    classes = [int(h.title[5]) for h in got]
    expect(bool(got) and classes == sorted(set(classes)), "each higher class once", got)
    expect([h["alarm"] for h in got] == classes, "the latched class in each", got)
    first = got[0]["occurrence"]
    counted = [h["occurrence"] for h in got] == list(range(first, first + len(got)))
    expect(counted, "occurrences one after the other", got)
    expect(all(h["value"] < 0 for h in got), "a falling rate", got)
    hk = b.report()
    expect(hk["alarm"] == hk["alarm_now"] == classes[-1], f"alarm and alarm_now {classes[-1]}", [hk])
    expect(not hk["flags"] & t.Flag.ACKNOWLEDGED, "not acknowledged", [hk])


@case("ALM-42/classes")
def classes(b: Bench) -> None:
    """A leak is of the class whose threshold its T-reserve is below, the highest of them, with cause rapid."""
    cabin = Cabin(b)
    for name, wanted in (("caution", 2), ("warning", 3), ("emergency", 4)):
        cabin.set(**dict.fromkeys(("emergency", "warning", "caution"), 0) | {name: t.RESERVE_MAX})
        cabin.function(t.Function.RESTART_DETECTOR)
        cabin.pressure = NORMAL
        cabin.quiet(QUIET_S)
        cabin.leak()
        hk = b.report()
        met = hk["alarm"] == hk["alarm_now"] == wanted and hk["cause"] == t.Cause.RAPID
        expect(met, f"alarm {wanted} with cause 1 where only `{name}` is above T-reserve", [hk])


@case("ALM-40/level")
def level(b: Bench) -> None:
    """Three samples at `reserve`, or below the range, are an Emergency at boot, plausible or not; two are none."""
    reserve = DEFAULTS["reserve"]
    _level(
        b,
        ((reserve, reserve, NORMAL, reserve, reserve), t.AlarmClass.NOMINAL),
        ((reserve + 1, reserve + 1, reserve + 1, reserve + 1), t.AlarmClass.WARNING),
        ((reserve, reserve, reserve), t.AlarmClass.EMERGENCY),
        ((50, 0, 0), t.AlarmClass.EMERGENCY),
    )


@case("ALM-41/level")
def level_warning(b: Bench) -> None:
    """Three samples at `level_warning` are a Warning; one more than it, or two, are none."""
    warning = DEFAULTS["level_warning"]
    _level(
        b,
        ((warning + 1, warning + 1, warning + 1, warning + 1), t.AlarmClass.NOMINAL),
        ((warning, warning, NORMAL, warning, warning), t.AlarmClass.NOMINAL),
        ((warning, warning, warning), t.AlarmClass.WARNING),
    )


@case("ALM-40/row")
def level_row(b: Bench) -> None:
    """No third of a row at `reserve`: after a leap by more than `step`, of another status, a stamp repeated unasked."""
    reserve = DEFAULTS["reserve"]
    for what, readings in (
        ("a leap", ((1, reserve - 200_000, 0), (2, reserve - 50_000, 0), (3, reserve - 50_000, 0))),
        ("status 2", tuple((n, reserve, 2) for n in (1, 2, 3, 4))),
        ("a fault as the third", ((1, reserve, 0), (2, reserve, 0), (3, reserve, 3))),
        ("a repeated stamp", tuple((1, reserve, 0) for _ in range(4))),
    ):
        b.restart()
        unhurried(b)
        for second, pressure, status in readings:
            b.sample(1000 * second, pressure, status=status)
        hk = b.report()
        expect(
            hk["cause"] != t.Cause.LEVEL or hk["alarm_now"] < 4, f"no Emergency by level with {what}", [hk]
        )


@case("ALM-40/asked")
def level_asked(b: Bench) -> None:
    """A sample that answers a poll counts, also with the stamp of the last one: three at `reserve` are an Emergency."""
    set_all(b, poll_period=1000, reply_timeout=60_000)
    heard = b.sample(1000, DEFAULTS["reserve"])
    for _ in range(2):
        if not polls(heard):
            b.wait_for(polls, 1000)
        heard = b.sample(1000, DEFAULTS["reserve"])
    hk = b.report()
    met = hk["alarm_now"] == t.AlarmClass.EMERGENCY and hk["cause"] == t.Cause.LEVEL
    expect(met, "alarm_now 4, cause 5", [hk])


@case("ALM-12/doubles", "ALM-41", "ALM-09")
def doubles(b: Bench) -> None:
    """A level ends with three samples above it by its 512th; the off-delay doubles with each return, up to thrice."""
    low, high = 9_990_000, 10_000_000 + 10_000_000 // 512 + 500
    set_all(b, level_warning=10_000_000, off_delay=10, remind=0)
    cabin = Cabin(b)
    for delay in (10, 20, 40, 80, 80):
        cabin.pressure = low
        cabin.quiet(4)
        cabin.pressure = high - 1000
        cabin.quiet(4)
        expect(b.report()["alarm_now"] == t.AlarmClass.WARNING, "a Warning up to a 512th above", [b.report()])
        cabin.pressure = high
        cabin.quiet(3)
        before = len(cabin.heard)
        cabin.quiet(delay - 1)
        got = events(cabin.heard[before:], RETURNED)
        expect(not got, f"no return within {delay} s", got)
        cabin.quiet(1)
        got = events(cabin.heard[before:], RETURNED)
        expect(len(got) == 1, f"a return after {delay} s", got)
    cabin.pressure = low
    cabin.quiet(4)
    cabin.function(2)
    expect(b.report()["alarm_now"] == 0, "no class by a level that function 2 made it forget", [b.report()])


def _level(b: Bench, *stories: tuple[tuple[int, ...], t.AlarmClass]) -> None:
    """Readings from a boot on, and the class that they justify, plausible or below the range: low classes first.

    What is latched outlasts the boots between them.
    """
    for readings, wanted in stories:
        for status in (0, 1):
            b.restart()
            for i, pressure in enumerate(readings, 1):
                b.sample(1000 * i, pressure, status=status)
            hk = b.report()
            if wanted:
                expect(hk["alarm"] == hk["alarm_now"] == wanted, f"alarm {wanted} after {readings}", [hk])
            # Where no level is called the detector may make of such leaps what it likes.
            met = (hk["cause"] == t.Cause.LEVEL) == bool(wanted)
            expect(met, f"cause {'5' if wanted else 'other than 5'} after {readings}", [hk])
            if wanted == t.AlarmClass.EMERGENCY:
                expect(not hk["tres_s"], "T-reserve 0", [hk])


@case("ALM-09/kept")
def latched(b: Bench) -> None:
    """Function 2 takes back the class that the data justify, and tells nothing; what is latched stays."""
    cabin = emergency(b)
    before = len(cabin.events(ALARM, ENDED, RETURNED))
    cabin.function(2)
    hk = b.report()
    wanted = {"alarm": 4, "alarm_now": 0, "cause": 0, "tres_s": t.T_CAP}
    expect(all(hk[n] == v for n, v in wanted.items()), str(wanted), [hk])
    cabin.quiet(30)
    got = cabin.events(ALARM, ENDED, RETURNED)[before:]
    expect(not got and b.report()["alarm"] == 4, "alarm 4, and no event", got)


@case("ALM-12/off-delay", "ALM-09")
def off_delay(b: Bench) -> None:
    """The alarm returns when nothing has been justified for the off-delay in the samples' time, not sooner."""
    cabin = emergency(b)
    cabin.function(2)
    set_all(b, off_delay=10)
    cabin.quiet(80)
    expect(not cabin.events(RETURNED), "no return within 80 s, eight times 10", cabin.events(RETURNED))
    cabin.quiet(2)
    got = cabin.events(RETURNED)
    expect(len(got) == 1 and got[0].title == "TM[5,1]", "one TM[5,1] alarm returned", got)
    expect(bool(b.report()["flags"] & t.Flag.RETURNED), "the returned flag", [b.report()])


@case("ALM-04/ends")
def ends(b: Bench) -> None:
    """Once acknowledged, an alarm that the data no longer justify ends with one event, cause 0."""
    cabin = emergency(b)
    cabin.function(1)
    expect(bool(b.report()["flags"] & t.Flag.ACKNOWLEDGED), "the acknowledged flag", [b.report()])
    set_all(b, off_delay=0)
    cabin.function(2)
    cabin.quiet(30)
    got = cabin.events(ENDED)
    met = len(got) == 1 and got[0].title == "TM[5,1]" and got[0]["cause"] == 0
    expect(met, "one TM[5,1] alarm ended, cause 0", got)
    expect(b.report()["alarm"] == 0, "alarm 0", [b.report()])


@case("ALM-06/no-alarm")
def no_alarm(b: Bench) -> None:
    """Acknowledging where there is no alarm fails with code 11, with any occurrence."""
    for occurrence in (0, 1, 0xFFFF):
        got = b.command("perform", {"function": 1, "argument": occurrence})
        failure(got, "TM[1,8]", t.Failure.NO_ALARM, f"function 1 with {occurrence}, without an alarm")


@case("ALM-06/stale")
def stale(b: Bench) -> None:
    """An acknowledgement for an earlier occurrence fails with code 12; one for the latched occurrence succeeds."""
    set_all(b, emergency=0)
    cabin = emergency(b)
    expect(b.report()["alarm"] == 3, "a Warning while the Emergency threshold is 0", [b.report()])
    meant = cabin.events(ALARM)[-1]["occurrence"]
    set_all(b, emergency=3600)
    cabin.fall(10)
    got = b.command("perform", {"function": 1, "argument": meant})
    failure(got, "TM[1,8]", t.Failure.STALE, "an acknowledgement for the Warning")
    expect(not b.report()["flags"] & t.Flag.ACKNOWLEDGED, "not acknowledged", [b.report()])
    cabin.function(1, cabin.events(ALARM)[-1]["occurrence"])
    expect(bool(b.report()["flags"] & t.Flag.ACKNOWLEDGED), "acknowledged", [b.report()])


@case("ALM-06/ended")
def acknowledged_after_its_end(b: Bench) -> None:
    """An alarm that has ended is acknowledged no more: code 11 to its occurrence, 12 while the other is latched."""
    cabin = emergency(b)
    occurrence = cabin.events(ALARM)[-1]["occurrence"]
    cabin.function(1, occurrence)
    cabin.set(off_delay=0)
    cabin.function(2)
    cabin.quiet(30)
    expect(len(cabin.events(ENDED)) == 1, "one alarm ended event", cabin.events(*t.Event))
    ended = {"function": t.Function.ACKNOWLEDGE, "argument": occurrence}
    failure(
        b.command("perform", ended), "TM[1,8]", t.Failure.NO_ALARM, "function 1 for an alarm that has ended"
    )
    cabin.set(blind_delay=0)
    cabin.fault()
    expect(len(cabin.events(LOST)) == 1, "one sensor lost event", cabin.events(*t.Event))
    failure(b.command("perform", ended), "TM[1,8]", t.Failure.STALE, "the same while blindness is latched")


@case("ALM-13/reminder", "ALM-19")
def reminder(b: Bench) -> None:
    """An unacknowledged alarm is told again each ``remind``, an acknowledged one is not."""
    cabin = emergency(b)
    set_all(b, remind=1)
    heard = b.run(2000 + 2 * b.slack_ms)
    got = events(heard, t.Event.ALARM_REMINDER)
    expect(len(got) == 2 and got[0].title == "TM[5,4]", "two TM[5,4] reminders in 2 s", got, timing=True)
    last = cabin.events(ALARM)[-1]["number"]
    expect(all(h["number"] == last for h in got), f"reminders with number {last}, the last event's", got)
    cabin.function(1)
    got = events(b.run(1500), t.Event.ALARM_REMINDER)
    expect(not got, "no reminder once acknowledged", got)


# -- suppression


def inhibited(b: Bench, argument: int, seconds: int = 3, share: int = 2000) -> Cabin:
    """A cabin that falls while alarms are inhibited: by 50 Pa a second unless set otherwise."""
    cabin = Cabin(b)
    cabin.quiet(QUIET_S)
    cabin.function(3, argument)
    cabin.fall(seconds, share)
    return cabin


@case("ALM-07/inhibit", "ALM-08")
def inhibit(b: Bench) -> None:
    """Begin, renewal and end of an inhibit are told; meanwhile the class that the data justify moves nothing."""
    set_all(b, permit=2_000_000, emergency=0)
    cabin = inhibited(b, 600, 15, 100)
    got = cabin.events(INHIBITED, ALARM)
    met = len(got) == 1 and (got[0]["cause"], got[0]["value"]) == (4, 600)
    expect(met, "one inhibited event, class 4, 600 s, and no alarm", got)
    hk = b.report()
    expect(hk["alarm"] == 0 and hk["alarm_now"] > 0, "alarm 0, alarm_now above", [hk])
    expect(bool(hk["flags"] & t.Flag.INHIBITED), "the inhibited flag", [hk])
    cabin.function(3, 500 + (t.AlarmClass.WARNING << t.INHIBIT_CLASS_SHIFT))
    got = cabin.events(INHIBITED)
    met = len(got) == 2 and (got[1]["cause"], got[1]["value"]) == (t.AlarmClass.WARNING, 500)
    expect(met, "the renewal told, class 3, 500 s", got)
    cabin.function(3, 500)
    cabin.function(3, 0)
    cabin.fall(1, 100)
    got = cabin.events(INHIBIT_ENDED, ALARM)
    met = [h["event"] for h in got] == [INHIBIT_ENDED, ALARM] and got[0]["value"] == t.Ending.COMMANDED
    met = met and got[0]["cause"] == got[1]["alarm"] == t.AlarmClass.WARNING
    expect(met, "inhibit ended, value 1, cause 3, then the alarm, a Warning", got)
    before = len(cabin.heard)
    cabin.function(3, 0)
    got = events(cabin.heard[before:], INHIBIT_ENDED)
    expect(not got, "nothing told of an end that was never begun", got)


@case("ALM-09/inhibited")
def restarted_under_an_inhibit(b: Bench) -> None:
    """What an inhibit hides is told before function 2 has it forgotten; while nothing is hidden the inhibit goes on."""
    set_all(b, permit=2_000_000)
    cabin = inhibited(b, 600, 0)
    cabin.function(2)
    expect(not cabin.events(INHIBIT_ENDED), "the inhibit goes on", cabin.events(INHIBIT_ENDED))
    cabin.quiet(QUIET_S)
    cabin.fall(15, 100)
    expect(b.report()["alarm_now"] > 0, "alarm_now above 0", [b.report()])
    cabin.function(2)
    got = cabin.events(INHIBIT_ENDED, ALARM)
    met = [h["event"] for h in got] == [INHIBIT_ENDED, ALARM] and got[0]["value"] == t.Ending.COMMANDED
    expect(met, "inhibit ended, value 1, then the alarm", got)
    hk = b.report()
    expect(hk["alarm"] > 0 and not hk["alarm_now"], "an alarm latched, alarm_now 0", [hk])


@case("ALM-07/no-fall")
def no_fall(b: Bench) -> None:
    """While alarms are inhibited, what is latched neither returns nor, acknowledged, ends."""
    cabin = emergency(b)
    set_all(b, off_delay=0)
    cabin.function(2)
    cabin.function(3, 600)
    for state in ("unacknowledged", "acknowledged"):
        cabin.quiet(30)
        got = cabin.events(RETURNED, ENDED)
        expect(not got and b.report()["alarm"] == 4, f"alarm 4, {state} as it was", got or [b.report()])
        cabin.function(1)


@case("ALM-07/goes-on")
def goes_on(b: Bench) -> None:
    """While alarms are inhibited, reminders, acknowledgements and the alarm of blindness go on."""
    cabin = emergency(b)
    cabin.function(3, 600)
    cabin.set(remind=1)
    cabin.heard += b.run(1000 + b.slack_ms)
    got = cabin.events(t.Event.ALARM_REMINDER)
    expect(bool(got), "a reminder", cabin.events(*t.Event), timing=not b.emulated)
    cabin.function(1)
    expect(bool(cabin.events(t.Event.ALARM_ACKNOWLEDGED)), "alarm acknowledged", cabin.events(*t.Event))
    cabin.set(blind_delay=0)
    cabin.fault()
    got = cabin.events(LOST)
    last = cabin.events(ALARM)[-1]["occurrence"]
    expect(len(got) == 1 and got[0]["occurrence"] == last + 1, f"sensor lost, occurrence {last + 1}", got)


@case("ALM-07/cabin-goes-on")
def cabin_goes_on(b: Bench) -> None:
    """While the transducer is out of service the cabin's alarm goes on; what ends it at once is told so."""
    cabin = Cabin(b)
    cabin.function(6, 600)
    cabin.quiet(QUIET_S)
    cabin.fall(12)
    expect(bool(cabin.events(ALARM)), "an alarm", cabin.events(*t.Event))
    for _ in range(2):  # the second one ends nothing
        cabin.function(6, 0)
    got = cabin.events(t.Event.IN_SERVICE)
    met = len(got) == 1 and (got[0]["cause"], got[0]["value"]) == (0, t.Ending.COMMANDED)
    expect(met, "in service, cause 0, value 1", got)


@case("ALM-08/time")
def inhibit_ends(b: Bench) -> None:
    """When its time is over the end comes with the class that the data justify, then the alarm."""
    set_all(b, permit=2_000_000)
    seconds = 20 if b.emulated else 3 + round(5 * b.rtt_s)
    cabin = Cabin(b)
    cabin.quiet(QUIET_S)
    cabin.function(3, seconds + 5)
    cabin.function(3, seconds)
    begin = b.now_ms
    cabin.leak()
    cabin.heard += b.run(max(0, begin + seconds * 1000 - b.now_ms - b.slack_ms - 10))
    early = cabin.events(INHIBIT_ENDED, ALARM)
    expect(not early, "no event yet", early, timing=not b.emulated)
    cabin.heard += b.run(2 * b.slack_ms + 20)
    got = cabin.events(INHIBIT_ENDED, ALARM)
    met = [h["event"] for h in got] == [INHIBIT_ENDED, ALARM]
    met = met and got[0]["cause"] == got[1]["alarm"] and got[0]["value"] == t.Ending.TIME
    expect(met, "inhibit ended with the class and value 0, then the alarm", got, timing=not b.emulated)


@case("ALM-15/permitted")
def permitted(b: Bench) -> None:
    """An airlock cycle of 470 Pa, down and up again, breaks no inhibit, whatever the data justify."""
    cabin = inhibited(b, 600, 10)
    cabin.pressure = NORMAL - 47_000
    cabin.quiet(30)
    cabin.pressure = NORMAL
    cabin.quiet(30)
    got = cabin.events(INHIBIT_ENDED, ALARM)
    expect(not got, "neither an end nor an alarm", got)


@case("ALM-15/beyond")
def beyond(b: Bench) -> None:
    """The third sample in a row beyond the permitted fall ends the inhibit and raises Emergency, cause 7."""
    set_all(b, permit=50_000)
    cabin = inhibited(b, 600, 0)
    level = cabin.pressure
    cabin.pressure = level - 60_000
    cabin.quiet(2)
    cabin.pressure = level
    cabin.quiet(1)
    cabin.pressure = level - 60_000
    cabin.quiet(2)
    got = cabin.events(INHIBIT_ENDED, ALARM)
    expect(not got, "nothing after two in a row", got)
    cabin.quiet(1)
    got = cabin.events(INHIBIT_ENDED, ALARM)
    met = [h["event"] for h in got] == [INHIBIT_ENDED, ALARM] and got[0]["value"] == t.Ending.FALL
    met = met and (got[1].title, got[1]["cause"]) == ("TM[5,4]", t.Cause.PERMIT)
    expect(met, "inhibit ended, value 2, then TM[5,4] with cause 7", got)


@case("ALM-15/renewed")
def renewed(b: Bench) -> None:
    """A renewal does not move the level from which the permitted fall counts."""
    set_all(b, permit=50_000)
    cabin = inhibited(b, 600, 0)
    level = cabin.pressure
    for fall in (30_000, 60_000):
        cabin.pressure = level - fall
        cabin.quiet(4)
        if fall < 50_000:
            cabin.function(3, 600)
    got = cabin.events(INHIBIT_ENDED)
    expect(len(got) == 1 and got[0]["value"] == t.Ending.FALL, "the inhibit ended by the whole fall", got)


@case("ALM-16/class-above")
def class_above(b: Bench) -> None:
    """An inhibit up to Caution lets an Emergency through as soon as the data justify it."""
    set_all(b, permit=2_000_000, emergency=t.RESERVE_MAX)
    cautions = 600 + (t.AlarmClass.CAUTION << t.INHIBIT_CLASS_SHIFT)
    cabin = inhibited(b, cautions, 15, 100)
    got = cabin.events(INHIBIT_ENDED, ALARM)
    met = [h["event"] for h in got[:2]] == [INHIBIT_ENDED, ALARM] and got[0]["value"] == t.Ending.CLASS
    expect(met and got[1].title == "TM[5,4]", "inhibit ended, value 3, then TM[5,4]", got)


@case("ALM-16/at-begin")
def class_above_at_begin(b: Bench) -> None:
    """An inhibit up to Caution ends as it begins where an Emergency is justified already: no sample is waited for."""
    set_all(b, emergency=t.RESERVE_MAX)
    cabin = Cabin(b)
    cabin.quiet(QUIET_S)
    cabin.leak()
    cabin.function(3, 600 + (t.AlarmClass.CAUTION << t.INHIBIT_CLASS_SHIFT))
    hk = b.report()
    expect(hk["alarm_now"] == 4 and not hk["flags"] & t.Flag.INHIBITED, "alarm_now 4, not inhibited", [hk])
    got = cabin.events(INHIBITED, INHIBIT_ENDED)
    met = [h["event"] for h in got] == [INHIBITED, INHIBIT_ENDED]
    met = met and (got[1]["cause"], got[1]["value"]) == (t.AlarmClass.EMERGENCY, t.Ending.CLASS)
    expect(met, "inhibited, then inhibit ended, class 4, value 3", got)


@case("ALM-15/reserve")
def at_reserve(b: Bench) -> None:
    """An inhibit from before the first sample permits a fall from that one on, and none to `reserve`."""
    for permit, reserve, pressure in ((50_000, 0, NORMAL - 60_000), (2_000_000, 10_000_000, 9_990_000)):
        b.restart()
        unhurried(b)
        set_all(b, permit=permit, reserve=reserve)
        cabin = Cabin(b)
        cabin.function(3, 600)
        cabin.quiet(2)
        cabin.pressure = pressure
        cabin.quiet(3)
        got = cabin.events(INHIBIT_ENDED)
        met = len(got) == 1 and got[0]["value"] == t.Ending.FALL
        expect(met, f"the inhibit ended, value 2, with permit {permit} and reserve {reserve}", got)


@case("ALM-07/out-of-service")
def out_of_service(b: Bench) -> None:
    """A transducer out of service is no alarm until its time is over; begin and end are told, and the flag shows it."""
    hush(b)
    b.sample(1000)
    set_all(b, blind_delay=0)
    heard = b.ask(b.tc("perform", {"function": 6, "argument": 3}))
    heard += b.sample(2000, status=3)
    expect(bool(b.report()["flags"] & t.Flag.OUT_OF_SERVICE), "the flag", [b.report()])
    heard += b.run(3000 + 2 * b.slack_ms)
    got = events(heard, t.Event.OUT_OF_SERVICE, t.Event.IN_SERVICE, LOST)
    met = [h["event"] for h in got] == [t.Event.OUT_OF_SERVICE, t.Event.IN_SERVICE, LOST]
    expect(met, "out of service, in service, sensor lost", got, timing=not b.emulated)
    expect((got[0]["cause"], got[0]["value"]) == (3, 3), "out of service with cause 3, 3 s", got[:1])
    expect((got[1]["cause"], got[1]["value"]) == (3, 0), "in service with health 3, value 0", got[1:2])


@case("SEN-08/not-believed")
def not_believed(b: Bench) -> None:
    """Falling pressures of samples with a fault raise no alarm."""
    cabin = Cabin(b)
    cabin.quiet(QUIET_S)
    cabin.fall(20, status=3)
    expect(not cabin.events(ALARM), "no alarm", cabin.events(ALARM))
    hk = b.report()
    expect(hk["alarm"] == hk["alarm_now"] == 0, "alarm and alarm_now 0", [hk])


# -- what outlasts a reset, and what can be asked for


@case("ALM-17/kept", "ALM-18")
def kept(b: Bench) -> None:
    """After a reset a latched alarm is as it was, in the boot event too; or that says that it may be lost."""
    cabin = emergency(b)
    before = b.report()
    boot = b.restart()[0]
    stored = boot["value"] >> 24
    if stored & t.Stored.VOLATILE:
        return
    expect(bool(stored & t.Stored.KEPT), "a boot event that tells of storage, or of none", [boot])
    wanted = {
        "alarm": before["alarm"],
        "state": t.AlarmState.UNACKNOWLEDGED,
        "occurrence": cabin.events(ALARM)[-1]["occurrence"],
        "alarm_cause": t.Cause.RAPID,
    }
    expect(all(boot[n] == v for n, v in wanted.items()), str(wanted), [boot])
    expect(b.report()["alarm"] == before["alarm"], f"alarm {before['alarm']}", [b.report()])


@case("ALM-19/numbers")
def numbers(b: Bench) -> None:
    """Events are numbered from 0 at boot; housekeeping shows the last one."""
    heard = b.restart()
    for seconds in (60, 0, 60, 0):
        heard += b.ask(b.tc("perform", {"function": 3, "argument": seconds}))
    got = [h for h in heard if h.name.startswith("event_")]
    met = [h["number"] for h in got] == list(range(len(got))) and len(got) == 5
    expect(met, "five events numbered 0 to 4", got)
    expect(b.report()["last_event"] == 4, "last_event 4", [b.report()])


@case("ALM-43/whose")
def whose(b: Bench) -> None:
    """Events of the transducer's service tell of the alarm of blindness, those of the inhibit of the cabin's."""
    hush(b)
    b.sample(1000)
    set_all(b, blind_delay=0)
    heard = b.sample(2000, status=3)
    for function, argument in ((6, 60), (3, 60), (1, 0), (6, 0), (3, 0)):
        heard += b.ask(b.tc("perform", {"function": function, "argument": argument}))
    told = {h["event"]: h for h in heard if h.name.startswith("event_")}
    raised = {"occurrence": 1, "alarm": 2, "alarm_cause": 3, "state": t.AlarmState.UNACKNOWLEDGED}
    acknowledged = {**raised, "state": t.AlarmState.ACKNOWLEDGED}
    none = dict.fromkeys(raised, 0)
    for event, wanted in (
        (LOST, raised),
        (t.Event.OUT_OF_SERVICE, raised),
        (INHIBITED, none),
        (t.Event.SENSOR_ACKNOWLEDGED, acknowledged),
        (t.Event.IN_SERVICE, acknowledged),
        (INHIBIT_ENDED, none),
    ):
        met = event in told and all(told[event][n] == v for n, v in wanted.items())
        expect(met, f"an event {event.name.lower()} with {wanted}", [told[event]] if event in told else heard)


@case("ALM-20/recorded")
def recorded(b: Bench) -> None:
    """The last 16 numbered events are reported once more as they were; others fail with code 13."""
    heard = b.restart()
    for i in range(20):
        heard += b.ask(b.tc("perform", {"function": 3, "argument": 0 if i % 2 else 60 + i}))
    sent = {h["number"]: h for h in heard if h.name.startswith("event_")}
    for number in (0, len(sent) - 17, len(sent), 255):
        got = b.command("report_event", {"number": number})
        failure(got, "TM[1,8]", t.Failure.NO_EVENT, f"TC[128,1] for event {number}")
    for number in range(len(sent) - 16, len(sent)):
        got = [h for h in b.command("report_event", {"number": number}) if h.title == "TM[128,2]"]
        expect(len(got) == 1, f"one TM[128,2] for event {number}", got)
        was = sent[number]
        assert was.decoded is not None
        same = {n: v for n, v in was.decoded.values.items() if n != "number"}
        when = (got[0]["day"] * t.DAY_MS + got[0]["ms"]) == was.decoded.time_ms
        met = (
            when and got[0]["severity"] == int(was.title[5]) and all(got[0][n] == v for n, v in same.items())
        )
        expect(met, was.text(), got)


@case("ALM-21/report")
def alarms_report(b: Bench) -> None:
    """TM[128,4] tells state, class, cause, first cause, its time, occurrence, and the time left of a suppression."""
    b.run(20)
    begin = b.report()
    set_all(b, level_warning=10_000_000)
    cabin = Cabin(b)
    cabin.pressure = 9_990_000
    cabin.quiet(QUIET_S)
    expect(b.report()["alarm"] == t.AlarmClass.WARNING, "a Warning by the level", [b.report()])
    end = b.report()
    b.run(20)
    cabin.fall(12)
    cabin.function(3, 100)
    cabin.function(6, 50)
    got = b.command("report_alarms")
    expect_titles(got, "TM[1,1]", "TM[128,4]", "TM[1,7]", after="TC[128,3]")
    alarm = cabin.events(ALARM)
    wanted = {
        "cabin_state": t.AlarmState.UNACKNOWLEDGED, "cabin_class": 4, "cabin_cause": t.Cause.RAPID,
        "cabin_first_cause": t.Cause.LEVEL, "cabin_occurrence": alarm[-1]["occurrence"],
        "inhibited": 4,
    }  # fmt: skip
    expect(all(got[1][n] == v for n, v in wanted.items()), str(wanted), got[1:2])
    expect(99 <= got[1]["cabin_suppressed_s"] <= 100, "cabin_suppressed_s 100", got[1:2])
    expect(49 <= got[1]["blind_suppressed_s"] <= 50, "blind_suppressed_s 50", got[1:2])
    first = got[1]["cabin_day"] * t.DAY_MS + got[1]["cabin_ms"]
    met = stamp(begin) < first <= stamp(end)
    expect(met, f"the time of the Warning, {stamp(begin)} to {stamp(end)} ms", got[1:2])


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
