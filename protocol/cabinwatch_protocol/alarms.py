"""The alarm table: which state an alarm is in, what moves it to which, and the event that tells of it.

The words are those of ISA-18.2 (IEC 62682): an alarm is normal, active and unacknowledged, active and acknowledged, or
returned to normal unacknowledged. Suppression is a state beside these, as in OPC UA Part 9: what is latched when it
begins stays latched, and shown. SPEC.md's section 14, the device's constants, the reference monitor and the conformance
cases are made from the two tables, or checked against them.
"""

from dataclasses import dataclass
from enum import IntEnum

from cabinwatch_protocol.table import AlarmState as State
from cabinwatch_protocol.table import Ending, Event


class Point(IntEnum):
    """The monitor's alarms: of the cabin's pressure, and of its own blindness."""

    CABIN = 0
    BLIND = 1


class Condition(IntEnum):
    """What can move an alarm."""

    RISE = 0
    ACTIVE = 1
    LOWER = 2
    CLEAR = 3
    ACKNOWLEDGE = 4
    REMIND = 5


CONDITION_TEXT = {
    Condition.RISE: "a class above the latched one is justified",
    Condition.ACTIVE: "a class up to the latched one is justified",
    Condition.LOWER: "a lower class than the latched one, but some, has been justified for the off-delay",
    Condition.CLEAR: "no class has been justified for the off-delay",
    Condition.ACKNOWLEDGE: "function 1 with its occurrence, or with 0",
    Condition.REMIND: "`remind` has passed since it was last told aloud",
}


class Transition(IntEnum):
    """What an event tells; up to ``REMINDED`` aloud, in the alarm's class, the others as Advisory."""

    RAISED = 1
    AGAIN = 2
    REMINDED = 3
    RETURNED = 4
    ACKNOWLEDGED = 5
    ENDED = 6
    SUPPRESSED = 7
    RELEASED = 8


@dataclass(frozen=True)
class Row:
    """In ``state``, on ``condition``: the next state, and what is told."""

    state: State
    condition: Condition
    next: State
    told: Transition


TABLE = (
    Row(State.NORMAL, Condition.RISE, State.UNACKNOWLEDGED, Transition.RAISED),
    Row(State.UNACKNOWLEDGED, Condition.RISE, State.UNACKNOWLEDGED, Transition.RAISED),
    Row(State.UNACKNOWLEDGED, Condition.CLEAR, State.RETURNED, Transition.RETURNED),
    Row(State.UNACKNOWLEDGED, Condition.ACKNOWLEDGE, State.ACKNOWLEDGED, Transition.ACKNOWLEDGED),
    Row(State.UNACKNOWLEDGED, Condition.REMIND, State.UNACKNOWLEDGED, Transition.REMINDED),
    Row(State.ACKNOWLEDGED, Condition.RISE, State.UNACKNOWLEDGED, Transition.RAISED),
    Row(State.ACKNOWLEDGED, Condition.LOWER, State.ACKNOWLEDGED, Transition.ENDED),
    Row(State.ACKNOWLEDGED, Condition.CLEAR, State.NORMAL, Transition.ENDED),
    Row(State.RETURNED, Condition.RISE, State.UNACKNOWLEDGED, Transition.RAISED),
    Row(State.RETURNED, Condition.ACTIVE, State.UNACKNOWLEDGED, Transition.AGAIN),
    Row(State.RETURNED, Condition.LOWER, State.UNACKNOWLEDGED, Transition.AGAIN),
    Row(State.RETURNED, Condition.ACKNOWLEDGE, State.NORMAL, Transition.ENDED),
    Row(State.RETURNED, Condition.REMIND, State.RETURNED, Transition.REMINDED),
)
"""Every other pair of state and condition changes nothing and tells nothing."""

NEXT = {(row.state, row.condition): row for row in TABLE}

EVENTS: dict[Transition, tuple[Event, Event]] = {
    Transition.RAISED: (Event.ALARM, Event.SENSOR_LOST),
    Transition.AGAIN: (Event.ALARM_AGAIN, Event.SENSOR_AGAIN),
    Transition.REMINDED: (Event.ALARM_REMINDER, Event.SENSOR_REMINDER),
    Transition.RETURNED: (Event.ALARM_RETURNED, Event.SENSOR_RETURNED),
    Transition.ACKNOWLEDGED: (Event.ALARM_ACKNOWLEDGED, Event.SENSOR_ACKNOWLEDGED),
    Transition.ENDED: (Event.ALARM_ENDED, Event.SENSOR_FOUND),
    Transition.SUPPRESSED: (Event.INHIBITED, Event.OUT_OF_SERVICE),
    Transition.RELEASED: (Event.INHIBIT_ENDED, Event.IN_SERVICE),
}
"""The event of each transition, by point."""

TELLS = {
    event: (point, told) for told, pair in EVENTS.items() for point, event in zip(Point, pair, strict=True)
}


ENDING_TEXT = {
    Ending.TIME: "its time is over",
    Ending.COMMANDED: "function 3 or 6 with argument 0, or function 2",
    Ending.FALL: "the pressure fell further than `permit`, or to `reserve`",
    Ending.CLASS: "a class above those inhibited was justified",
}


def device_table() -> bytes:
    """One octet for each state and condition: what is told in the high four bits (0 = nothing), the next state."""
    rows = [NEXT.get((state, condition)) for state in State for condition in Condition]
    return bytes(row.told << 4 | row.next if row else 0 for row in rows)


def device_events() -> bytes:
    """The event of each transition, in their order, for one point after the other."""
    return bytes(EVENTS[told][point] for point in Point for told in Transition)
