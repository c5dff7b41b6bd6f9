"""Cases of SPEC.md's alarm table: each row, for both alarms, and each pair of state and condition that has none."""

from collections.abc import Callable
from functools import partial

from cabinwatch.verify.conform.bench import Bench, Heard, Unmet, texts
from cabinwatch.verify.conform.case import case, expect
from cabinwatch.verify.conform.cases_alarms import QUIET_S, Cabin
from cabinwatch.verify.conform.cases_monitor import events, hush
from cabinwatch_protocol import table as t
from cabinwatch_protocol.alarms import EVENTS, NEXT, TELLS, Condition, Point, Transition
from cabinwatch_protocol.table import AlarmClass, AlarmState

NEVER, ALWAYS = 0, t.RESERVE_MAX


def alarms(b: Bench) -> Heard:
    """The state of the alarms, asked for."""
    got = b.command("report_alarms")
    for h in got:
        if h.title == "TM[128,4]":
            return h
    raise Unmet("TM[128,4]", texts(got))


class Played:
    """One alarm under test: brings it into a state, makes a condition hold, hears what is told."""

    def __init__(self, b: Bench, point: Point) -> None:
        self.b = b
        self.point = point
        self.cabin = Cabin(b)
        hush(b)
        self.cabin.quiet(1)
        self.cabin.set(off_delay=0, remind=0, reserve=0, blind_delay=0, blind_escalate=3600)

    def justify(self, cls: AlarmClass) -> None:
        """Have the data justify that class, and no other."""
        if self.point is Point.BLIND:
            self.cabin.set(blind_escalate=0 if cls is AlarmClass.WARNING else 3600)
            self.cabin.fault() if cls else self.cabin.quiet(1)
        elif cls:
            warning = ALWAYS if cls is AlarmClass.WARNING else NEVER
            self.cabin.set(caution=ALWAYS, warning=warning, emergency=NEVER)
            self.cabin.leak()
        else:
            self.cabin.function(t.Function.RESTART_DETECTOR)
            self.cabin.quiet(QUIET_S)

    def reach(self, state: AlarmState, latched: AlarmClass) -> None:
        """From normal, by way of that class."""
        if self.point is Point.CABIN:
            self.cabin.quiet(QUIET_S)
        if state is not AlarmState.NORMAL:
            self.justify(latched)
        if state is AlarmState.ACKNOWLEDGED:
            self.cabin.function(t.Function.ACKNOWLEDGE)
        elif state is AlarmState.RETURNED:
            self.justify(AlarmClass.NOMINAL)
        self.expect_state(state)

    def meet(self, condition: Condition) -> list[Heard]:
        """Make it hold; what was told of this alarm."""
        before = len(self.cabin.heard)
        match condition:
            case Condition.RISE:
                self.justify(AlarmClass.WARNING)
            case Condition.ACTIVE | Condition.LOWER:
                self.justify(AlarmClass.CAUTION)
            case Condition.CLEAR:
                self.justify(AlarmClass.NOMINAL)
            case Condition.ACKNOWLEDGE:
                self.cabin.heard += self.b.ask(self.b.tc("perform", {"function": 1, "argument": 0}))
            case Condition.REMIND:
                self.cabin.set(remind=1)
                self.cabin.heard += self.b.run(1000 + self.b.slack_ms)
                self.cabin.set(remind=0)
        own = [e for e, (point, _) in TELLS.items() if point is self.point]
        return events(self.cabin.heard[before:], *own)

    def expect_state(self, state: AlarmState) -> None:
        """The monitor reports it."""
        got = alarms(self.b)
        met = got[f"{self.point.name.lower()}_state"] == state
        expect(met, f"{self.point.name.lower()} {state.name.lower()}", [got])


def play(b: Bench, point: Point, state: AlarmState, condition: Condition) -> None:
    """Bring an alarm into the state, make the condition hold, and expect what the table says."""
    played = Played(b, point)
    played.reach(state, AlarmClass.WARNING if condition is Condition.LOWER else AlarmClass.CAUTION)
    before = alarms(b)[f"{point.name.lower()}_occurrence"]
    row = NEXT.get((state, condition))
    got = played.meet(condition)
    if row is None:
        expect(not got, f"nothing told: {condition.name.lower()} while {state.name.lower()}", got)
        played.expect_state(state)
        return
    event = EVENTS[row.told][point]
    expect(len(got) == 1 and got[0]["event"] == event, f"one event {event.name.lower()}", got)
    occurrence = before + 1 if row.told is Transition.RAISED else before
    expect(got[0]["occurrence"] == occurrence, f"occurrence {occurrence}", got)
    expect(got[0]["state"] == row.next, f"state {row.next.name.lower()}", got)
    severity = got[0]["alarm"] if row.told <= Transition.REMINDED else AlarmClass.ADVISORY
    expect(got[0].title == f"TM[5,{severity:d}]", f"TM[5,{severity:d}]", got)
    if row.told is Transition.ENDED:
        expect(got[0]["cause"] == got[0]["alarm"], "the class that is left as cause", got)
    played.expect_state(row.next)


IMPOSSIBLE = {(AlarmState.NORMAL, Condition.ACTIVE), (AlarmState.NORMAL, Condition.LOWER)}
"""Where nothing is latched, any class is a rise."""


def _register(point: Point, state: AlarmState, condition: Condition) -> None:
    run: Callable[[Bench], None] = partial(play, point=point, state=state, condition=condition)
    words = f"{point.name}-{state.name}-{condition.name}".lower()
    row = NEXT.get((state, condition))
    told = EVENTS[row.told][point].name.lower().replace("_", " ") if row else "nothing"
    run.__doc__ = f"{point.name.lower()} alarm, {state.name.lower()}, on {condition.name.lower()}: {told}."
    case(f"ALM-01/{words}")(run)


for _point in Point:
    for _state in AlarmState:
        for _condition in Condition:
            if (_state, _condition) not in IMPOSSIBLE:
                _register(_point, _state, _condition)
