"""The alarms as their events tell them: each move must be one of the alarm table. Needs no view into the monitor."""

from collections.abc import Sequence

from cabinwatch.world.events import EventReport
from cabinwatch.world.ground import UNNUMBERED
from cabinwatch_protocol import table as t
from cabinwatch_protocol.alarms import TABLE, TELLS, Point, Transition
from cabinwatch_protocol.table import AlarmState


class AlarmTrail:
    """Follows what the ground hears; where an event was lost, the state before the next one is not known."""

    def __init__(self) -> None:
        self._heard = 0
        self._number = -1
        self._states: dict[Point, AlarmState] = {}

    def follow(self, events: Sequence[EventReport]) -> None:
        """Take what has come since; AssertionError at the first move that the table does not have."""
        for event in events[self._heard :]:
            if event.number is not None and event.event not in UNNUMBERED:
                self._take(event, event.number)
        self._heard = len(events)

    def _take(self, event: EventReport, number: int) -> None:
        gap = event.late_ms or number != (self._number + 1) % 256
        self._number = number
        if gap or event.event is t.Event.BOOT:
            self._states.clear()
        if event.event is t.Event.BOOT:
            self._states[Point.CABIN] = AlarmState(event.state)
        if event.event not in TELLS:
            return
        point, told = TELLS[event.event]
        before = self._states.get(point)
        if told in (Transition.SUPPRESSED, Transition.RELEASED):
            may_be = {event.state if before is None else before}
        else:
            may_be = {row.next for row in TABLE if row.told is told and before in (None, row.state)}
        was = "an unknown state" if before is None else before.name
        assert event.state in may_be, (
            f"from {was} to {event.state} is no move of the alarm table: {event.text()}"
        )
        self._states[point] = AlarmState(event.state)
