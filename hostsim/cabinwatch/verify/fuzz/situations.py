"""The situations in which alarms are hidden, forgotten or acknowledged by mistake: a campaign counts each.

Every move of the alarm table is one, for each alarm; the others are what has to come together from outside. The
reference knows when one is entered, since it plays the rules beside the monitor.
"""

from enum import StrEnum

from cabinwatch_protocol import table as t
from cabinwatch_protocol.alarms import TABLE, Point, Row

ENOUGH_RUNS = 1000
"""A campaign of so many runs has to have been in every situation: the rarest is drawn about ten times in them."""


def move(point: Point, row: Row) -> str:
    """The name of a move; rows that tell the same and lead to the same state are one: nobody outside can tell."""
    return f"{point.name.lower()} alarm {row.told.name.lower()}: {row.state.name.lower()} to {row.next.name.lower()}"


class Situation(StrEnum):
    """What else a campaign must have been in."""

    RAPID = "alarm by a rapid fall"
    LEVEL = "alarm by level"
    GAP = "alarm by a fall across a gap"
    PERMIT = "alarm by a fall beyond what an inhibit permits"
    INHIBIT_OVER_A_LEAK = "a class justified under an inhibit"
    INHIBIT_WHILE_LATCHED = "an inhibit while an alarm is latched"
    INHIBIT_RENEWED = "an inhibit renewed"
    INHIBIT_OVER = "an inhibit ended by time"
    INHIBIT_CALLED_OFF = "an inhibit ended by command"
    INHIBIT_BROKEN = "an inhibit ended by a fall"
    INHIBIT_TOO_LOW = "an inhibit ended by a class above"
    ALARM_AFTER_INHIBIT = "an alarm at the end of an inhibit"
    OUT_OF_SERVICE = "blind while out of service"
    IN_SERVICE = "out of service ended by time"
    NOTHING_TO_ACKNOWLEDGE = "an acknowledgement and nothing latched"
    OVERTAKEN = "an acknowledgement that a rise has overtaken"
    ACKNOWLEDGED_AGAIN = "an acknowledgement received twice"
    ACKNOWLEDGED_ONE = "one of two alarms acknowledged"
    ACKNOWLEDGED_BOTH = "both alarms acknowledged at once"
    BLIND_WHILE_LATCHED = "blind while the cabin's alarm is latched"
    LATCHED_WHILE_BLIND = "the cabin's alarm while blindness is latched"
    RESET_UNACKNOWLEDGED = "a reset while unacknowledged"
    RESET_ACKNOWLEDGED = "a reset while acknowledged"
    RESET_RETURNED = "a reset while returned"
    RESET_BLIND = "a reset while blindness is latched"
    RESET_INHIBITED = "a reset under an inhibit"
    TORN_WRITE = "power lost within the write of an alarm"
    LAST_WRITE = "power lost after the write of an alarm"
    RESTARTED = "the detector restarted while latched"
    FORGOTTEN = "the detector restarted under an inhibit that hides a class"
    SIGNALS_TESTED = "the signals tested while latched"
    TOLD_AFTERWARDS = "a recorded event reported"
    NO_LONGER_RECORDED = "an event asked for that is not recorded"
    RING_FULL = "more events than are recorded"


CAUSES: dict[int, Situation] = {
    t.Cause.RAPID: Situation.RAPID,
    t.Cause.LEVEL: Situation.LEVEL,
    t.Cause.GAP: Situation.GAP,
    t.Cause.PERMIT: Situation.PERMIT,
}
ENDINGS = {
    t.Ending.TIME: Situation.INHIBIT_OVER,
    t.Ending.COMMANDED: Situation.INHIBIT_CALLED_OFF,
    t.Ending.FALL: Situation.INHIBIT_BROKEN,
    t.Ending.CLASS: Situation.INHIBIT_TOO_LOW,
}
RESETS = {
    t.AlarmState.UNACKNOWLEDGED: Situation.RESET_UNACKNOWLEDGED,
    t.AlarmState.ACKNOWLEDGED: Situation.RESET_ACKNOWLEDGED,
    t.AlarmState.RETURNED: Situation.RESET_RETURNED,
}

SITUATIONS = (*dict.fromkeys(move(point, row) for point in Point for row in TABLE), *Situation)
"""All of them, in the order in which they are reported."""
