"""Cases of SPEC.md's section 14: the alarm of blindness, counted in the monitor's time."""

from cabinwatch.verify.conform.bench import Bench, Heard
from cabinwatch.verify.conform.case import case, expect
from cabinwatch.verify.conform.cases_alarm_table import alarms
from cabinwatch.verify.conform.cases_alarms import Cabin
from cabinwatch.verify.conform.cases_monitor import FOUND, LOST, events, hush, set_all
from cabinwatch.verify.conform.emulated import virtual
from cabinwatch_protocol import table as t
from cabinwatch_protocol.alarms import EVENTS, Point, Transition


def seeing(b: Bench) -> None:
    """A transducer that is seen, and the silence since boot undone: blindness is never above both thresholds."""
    hush(b)
    b.sample(1000)
    set_all(b, blind_delay=0, blind_escalate=0)
    b.run(20)
    set_all(b, blind_escalate=600)


@case("ALM-14/delay")
def blind_delay(b: Bench) -> None:
    """Blindness is an alarm of class Caution after its delay, with the health, and a Warning when it goes on."""
    seeing(b)
    set_all(b, blind_delay=1, blind_escalate=2)
    b.sample(2000, status=3)
    expect(b.report()["health"] == 3, "health 3", [b.report()])
    began = b.now_ms
    heard = b.run(900 - b.slack_ms)
    expect(not events(heard, LOST), "nothing told before 1 s", events(heard, LOST))
    got = events(b.run(began + 2100 + b.slack_ms - b.now_ms), LOST)
    met = [(h.title, h["cause"]) for h in got] == [("TM[5,2]", 3), ("TM[5,3]", 3)]
    expect(met, "sensor lost as TM[5,2] after 1 s and as TM[5,3] after 2 s", got, timing=not b.emulated)
    expect(bool(b.report()["flags"] & t.Flag.BLIND), "the blind flag", [b.report()])


@case("ALM-14/flaps")
def flaps(b: Bench) -> None:
    """Twenty losses of the transducer, of 10 s in each 40 s, are at most three events."""
    virtual(b, "13 min would be long")
    hush(b)
    heard: list[Heard] = []
    for i in range(40):
        heard += b.sample(1000 * (i + 1), 9_000_000 + i, status=0 if i % 2 else 3)
        heard += b.run(30_000 if i % 2 else 10_000)
    heard += b.sample(50_000) + b.run(700_000)
    got = events(heard, *(EVENTS[told][Point.BLIND] for told in Transition))
    expect(1 <= len(got) <= 3, "one to three events", got)


@case("ALM-14/quarter")
def quarter(b: Bench) -> None:
    """Sight undoes a quarter of its time: a transducer lost for 0.75 s in each 1.5 is an alarm of a delay of 1 s."""
    seeing(b)
    set_all(b, blind_delay=1)
    heard: list[Heard] = []
    for i in range(6):
        heard += b.sample(2000 * (i + 1), 9_000_000 + i, status=0 if i % 2 else 3) + b.run(750)
    got = events(heard, LOST)
    expect(len(got) == 1, "one sensor lost event", got)


@case("ALM-14/undone", beside=True)
def undone(b: Bench) -> None:
    """Sight four times as long undoes blindness: twice 0.6 s, 2.6 s apart, are no alarm where its delay is 1 s."""
    seeing(b)
    set_all(b, blind_delay=1)
    heard: list[Heard] = []
    for i, ms in enumerate((600, 2600, 600)):
        heard += b.sample(2000 * (i + 1), 9_000_000 + i, status=0 if i % 2 else 3) + b.run(ms)
    got = events(heard, LOST)
    expect(not got, "no sensor lost event", got, timing=not b.emulated)


@case("ALM-14/bounded", beside=True)
def bounded(b: Bench) -> None:
    """Blindness is never above the larger threshold nor below 0: where that is 1 s, 6 s of sight make 0 of any."""
    seeing(b)
    set_all(b, blind_delay=1, blind_escalate=1)
    b.done("perform", {"function": t.Function.OUT_OF_SERVICE, "argument": 60})
    b.sample(2000, 9_000_000, status=3)
    b.run(3000)
    b.sample(3000, 9_000_001)
    b.run(6000)
    b.done("perform", {"function": t.Function.OUT_OF_SERVICE, "argument": 0})
    heard = b.sample(4000, 9_000_002, status=3)
    heard += b.run(700)
    expect(not events(heard, LOST), "no sensor lost event yet", events(heard, LOST), timing=not b.emulated)
    heard = b.run(350 + b.slack_ms)
    expect(bool(events(heard, LOST)), "sensor lost after 1 s", heard, timing=not b.emulated)


@case("ALM-14/afresh", beside=True)
def afresh(b: Bench) -> None:
    """Sight for the off-delay that ends the alarm makes blindness 0: the next loss has the whole delay again."""
    seeing(b)
    set_all(b, off_delay=1, blind_delay=1, blind_escalate=2)
    heard = b.sample(2000, 9_000_000, status=3) + b.run(2000 + b.slack_ms)
    expect(len(events(heard, LOST)) == 2, "sensor lost after 1 s and after 2 s", heard, timing=not b.emulated)
    b.done("perform", {"function": t.Function.ACKNOWLEDGE, "argument": 0})
    heard = b.sample(3000, 9_000_001) + b.run(1000 + b.slack_ms) + b.sample(4000, 9_000_002)
    expect(len(events(heard, FOUND)) == 1, "sensor found after 1 s of sight", heard, timing=not b.emulated)
    heard = b.sample(5000, 9_000_003, status=3) + b.run(700)
    expect(not events(heard, LOST), "no sensor lost event yet", events(heard, LOST), timing=not b.emulated)


@case("ALM-10/blind-cause")
def blind_cause(b: Bench) -> None:
    """The cause of blindness is the health when its class was latched, until a rise; the first one is kept too."""
    seeing(b)
    cabin = Cabin(b)
    cabin.set(blind_delay=0)
    cabin.fault()
    cabin.heard += b.sample(3000, status=2)
    expect(b.report()["health"] == 2, "health 2", [b.report()])
    cabin.function(t.Function.ACKNOWLEDGE)
    got = cabin.events(LOST, t.Event.SENSOR_ACKNOWLEDGED)
    met = [h["event"] for h in got] == [LOST, t.Event.SENSOR_ACKNOWLEDGED]
    met = met and all(h["cause"] == h["alarm_cause"] == 3 for h in got)
    expect(met, "sensor lost and acknowledged, both with cause 3", got)
    for escalate, wanted in ((600, 3), (0, 2)):
        cabin.set(blind_escalate=escalate)
        cabin.heard += b.sample(4000, status=2)
        got = [alarms(b)]
        met = (got[0]["blind_cause"], got[0]["blind_first_cause"]) == (wanted, 3)
        expect(met, f"blind_cause {wanted}, blind_first_cause 3", got)
    got = cabin.events(LOST)
    met = len(got) == 2 and got[1]["cause"] == got[1]["alarm_cause"] == 2
    expect(met, "sensor lost once more, as a Warning with cause 2", got)
