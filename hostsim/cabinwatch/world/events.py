"""Events as they reach the ground: in words for people, and which of them are still missing."""

from dataclasses import dataclass, field

from cabinwatch.text import duration, name
from cabinwatch_protocol import table as t

RECORDED = 16
"""Events that a monitor can report once more."""


RATE_FULL_cPa_h = 596_523 * 900 * 999 // 1000
"""Where the firmware's rates stop (``per_hour`` of its detector), less what its averages are still off by."""


def rate_text(rate_cPa_h: int, form: str, sigma_cPa_h: int = 0) -> str:
    """A reported rate, its number in the given form; one that has come to where they stop is a bound.

    What is then averaged, and less by what a hole loses meanwhile, comes there with its deviation, which is twice that.
    """
    least = "at least " if abs(rate_cPa_h) + sigma_cPa_h >= RATE_FULL_cPa_h else ""
    return f"{least}{rate_cPa_h / 100:{form}} Pa/h"


@dataclass(frozen=True, slots=True)
class EventReport:
    """An event: world time at which it reached the ground, class, event, cause and value as the table defines them.

    Of a monitor also the alarm's state after it, its number, and how late it came where it had to be asked for.
    """

    t_ms: int
    severity: t.AlarmClass
    event: t.Event
    cause: int
    value: int
    occurrence: int = 0
    alarm: int = 0
    alarm_cause: int = 0
    state: int = 0
    number: int | None = None
    late_ms: int = 0

    def text(self) -> str:
        """One line for people."""
        late = f" (recorded {duration(self.late_ms / 1000)} before)" if self.late_ms else ""
        return self._words() + late

    def _words(self) -> str:
        match self.event:
            case t.Event.BOOT:
                return self._boot()
            case t.Event.ALARM:
                return f"{self._severity()}: {self._why()}"
            case t.Event.ALARM_AGAIN:
                return f"{self._severity()} again: {self._why()}"
            case t.Event.ALARM_REMINDER:
                return f"{self._severity()} is not acknowledged: {self._why()}"
            case t.Event.ALARM_RETURNED:
                return f"{self._latched()} is over, and not acknowledged"
            case t.Event.ALARM_ACKNOWLEDGED:
                return f"{self._latched()} acknowledged"
            case t.Event.ALARM_ENDED:
                return f"alarm over, now {name(t.AlarmClass, self.cause)}"
            case t.Event.INHIBITED:
                return f"alarms up to {name(t.AlarmClass, self.cause)} inhibited for {duration(self.value)}"
            case t.Event.INHIBIT_ENDED:
                return f"alarm inhibit ended: {ENDINGS.get(self.value, '?')}"
            case t.Event.LINK_NOISE:
                return f"link noise: {self.value} bad frames in one housekeeping period"
            case t.Event.COOLANT_LOW:
                left = f"{self.value / 10_000:.0f} % left"
                return f"coolant loop low, {left} (its own channel, not a cabin alarm)"
            case t.Event.COMMANDED:
                return f"commanded by {self.value}: {_commanded(self.cause)}"
            case t.Event.REFUSED:
                return f"refused for want of a valid tag or counter: {self.value} telecommands and answers since boot"
            case t.Event.NOT_KEPT:
                return "parameters or alarms changed, but not stored: a reset will undo it"
            case _:
                return self._sensor()

    def _sensor(self) -> str:
        health = name(t.Health, self.cause)
        match self.event:
            case t.Event.SENSOR_LOST:
                return f"transducer lost ({health})"
            case t.Event.SENSOR_AGAIN:
                return f"transducer lost again ({health})"
            case t.Event.SENSOR_REMINDER:
                return f"the transducer's loss is not acknowledged ({health})"
            case t.Event.SENSOR_RETURNED:
                return "transducer answers; its loss is not acknowledged"
            case t.Event.SENSOR_ACKNOWLEDGED:
                return "loss of the transducer acknowledged"
            case t.Event.OUT_OF_SERVICE:
                return f"transducer out of service for {duration(self.value)}"
            case t.Event.IN_SERVICE:
                return f"transducer in service again: {ENDINGS.get(self.value, '?')}"
            case _:
                return "transducer answers"

    def _boot(self) -> str:
        version = f"{self.value >> 16 & 255}.{self.value >> 8 & 255}.{self.value & 255}"
        kept = f"; {self._latched()} still latched" if self.alarm else ""
        stored = STORED[self.value >> 24 & 7]
        return f"monitor {version} booted ({name(t.Reset, self.cause)}{stored}{kept})"

    def _severity(self) -> str:
        return self.severity.name

    def _latched(self) -> str:
        return name(t.AlarmClass, self.alarm).capitalize()

    def _why(self) -> str:
        """The cause, and the rate where the cause has one: a level and a permitted fall have none."""
        cause = CAUSES.get(self.cause, "?")
        if self.cause == t.Cause.LEVEL and self.alarm == t.AlarmClass.WARNING:
            cause = "pressure at its level of warning"
        return f"{cause}, {rate_text(self.value, '+.1f')}" if self.value else cause


def _commanded(cause: int) -> str:
    """What a commanded event says was done."""
    if cause >= SET_PARAMETER:
        known = next((p.name for p in t.MONITOR_PARAMETERS if p.id == cause - SET_PARAMETER), "?")
        return f"set {known}"
    if cause >= SERVICE_3:
        return "periodic reports " + ("on" if cause == SERVICE_3 + 5 else "off")
    return name(t.Function, cause)


SERVICE_3, SET_PARAMETER = 64, 128
"""Where in a commanded event's cause the subtypes of service 3 and the parameters begin."""
STORED = {
    0: "",
    1: "; parameters kept",
    2: "; stored parameters and alarms lost, defaults",
    3: "; last change of parameters or alarms lost, the rest kept",
    4: "; no storage: alarms may be lost",
    **dict.fromkeys((5, 6, 7), "; storage contradicts itself"),
}
"""What a boot event says of storage, by its `Stored` bits."""
CAUSES: dict[int, str] = {
    t.Cause.RAPID: "rapid depressurisation",
    t.Cause.SLOW: "slow leak on total pressure",
    t.Cause.NITROGEN: "slow leak on nitrogen",
    t.Cause.COOLANT: "coolant loop",
    t.Cause.LEVEL: "pressure at its reserve",
    t.Cause.GAP: "pressure fell while nothing was heard",
    t.Cause.PERMIT: "fall beyond what the inhibit permits",
}
ENDINGS: dict[int, str] = {
    t.Ending.TIME: "its time is over",
    t.Ending.COMMANDED: "commanded",
    t.Ending.FALL: "the air fell too far",
    t.Ending.CLASS: "a class above it",
}


@dataclass
class EventLog:
    """The numbers of a monitor's events since its boot: which were heard, and which can still be asked for."""

    _known: set[int] = field(default_factory=set)
    _last: int = -1
    """The newest, counted on beyond the numbers' 256."""

    def restart(self) -> None:
        """The monitor has booted: it counts from 0."""
        self._known.clear()
        self._last = -1

    def newest(self, number: int) -> None:
        """The monitor's last event has this number."""
        self._last += (number - self._last) % 256

    def heard(self, number: int) -> bool:
        """That event has come, or is known to be gone; whether that is news."""
        whole = self._last - (self._last - number) % 256
        news = whole not in self._known
        self._known.add(whole)
        return news

    def missing(self) -> int | None:
        """The oldest event that can be asked for and was not heard."""
        for whole in range(max(0, self._last - RECORDED + 1), self._last + 1):
            if whole not in self._known:
                return whole % 256
        return None
