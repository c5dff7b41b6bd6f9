"""One alarm of a right monitor, played from the protocol's alarm table in absolute times.

Which class is justified is told to it: for blindness it follows from the health (`Blindness`), for the cabin it is the
detector's business, and read off the event.
"""

from cabinwatch_protocol import table as t
from cabinwatch_protocol.alarms import NEXT, Condition, Point, Row, Transition
from cabinwatch_protocol.table import AlarmState as State

DOUBLINGS = 3


class AlarmModel:
    """What is latched, since when. ``moved`` returns the row that was played, None where the table has none."""

    def __init__(self, point: Point) -> None:
        self.point = point
        self.reset()

    def reset(self) -> None:
        """As after a boot that finds nothing stored."""
        self.state = State.NORMAL
        self.latched = self.cause = self.first_cause = self.occurrence = 0
        self.raised_ms = 0
        self.doublings = 0
        self.told_ms = 0
        self.quiet_since_ms = 0
        """Since when nothing at all spoke for the class that is latched: in the clock by which the off-delay goes."""
        self.suppressed_until: int | None = None
        self.inhibited = 0

    def kept(self) -> tuple[int, ...]:
        """What outlasts a reset."""
        return self.state, self.latched, self.cause, self.first_cause, self.occurrence

    def recall(self, kept: tuple[int, ...]) -> None:
        """Take it back after one."""
        self.reset()
        state, self.latched, self.cause, self.first_cause, self.occurrence = kept
        self.state = State(state)
        self.doublings = DOUBLINGS

    @property
    def unacknowledged(self) -> bool:
        """Whether reminders are due."""
        return self.state in (State.UNACKNOWLEDGED, State.RETURNED)

    def off_delay_ms(self, off_delay_s: int) -> int:
        """How long something lower has to be justified."""
        return off_delay_s * 1000 << self.doublings

    def moved(self, condition: Condition, now: int, cause: int, occurrence: int, node_ms: int) -> Row | None:
        """Play one condition; ``occurrence`` is the one that a rise would get, node_ms the time since boot."""
        row = NEXT.get((self.state, condition))
        if row is None:
            return None
        match row.told:
            case Transition.RAISED:
                if self.state is State.NORMAL:
                    self.first_cause, self.raised_ms = cause, node_ms
                self.latched, self.cause, self.occurrence, self.doublings = now, cause, occurrence, 0
            case Transition.AGAIN:
                self.doublings = min(self.doublings + 1, DOUBLINGS)
            case Transition.ENDED:
                self.latched = now
        self.state = row.next
        return row


class Blindness(AlarmModel):
    """The alarm of blindness: knows itself what is justified."""

    def __init__(self) -> None:
        super().__init__(Point.BLIND)

    def reset(self) -> None:
        """As after a boot."""
        super().reset()
        self.blind_x4_ms = 0
        self.now = 0
        self.lower_ms = 0

    def condition(
        self, health: int, elapsed_ms: int, caution_s: int, warning_s: int, off_delay_s: int
    ) -> Condition | None:
        """Let time pass in which that was the health; what holds then."""
        most = 4000 * max(caution_s, warning_s)
        now = 0
        if health:
            self.blind_x4_ms = min(self.blind_x4_ms + 4 * elapsed_ms, most)
            if self.blind_x4_ms >= 4000 * warning_s:
                now = t.AlarmClass.WARNING
            elif self.blind_x4_ms >= 4000 * caution_s:
                now = t.AlarmClass.CAUTION
        else:
            self.blind_x4_ms = max(0, self.blind_x4_ms - elapsed_ms)
        found = None if self.suppressed_until is not None else self._compare(now, elapsed_ms, off_delay_s)
        if found is Condition.CLEAR and not health:
            self.blind_x4_ms = 0
        return found

    def _compare(self, now: int, elapsed_ms: int, off_delay_s: int) -> Condition | None:
        self.lower_ms = self.lower_ms + elapsed_ms if now == self.now and now < self.latched else 0
        self.now = now
        if now > self.latched:
            return Condition.RISE
        if now < self.latched and self.lower_ms >= self.off_delay_ms(off_delay_s):
            return Condition.LOWER if now else Condition.CLEAR
        return Condition.ACTIVE if now else None

    def due_ms(self, health: int, *thresholds_s: int) -> list[int]:
        """Times until its thresholds."""
        left = [s * 1000 - self.blind_x4_ms // 4 for s in thresholds_s] if health else []
        return [ms for ms in left if ms > 0]
