"""A run as lines of time: each event once, what repeats folded, and a word at the start of how long it will take."""

import time
from collections import Counter
from collections.abc import Callable

from cabinwatch.text import duration
from cabinwatch.world.events import EventReport
from cabinwatch.world.ground import Commanded
from cabinwatch_protocol import table as t

REPEATING = {
    t.Event.SENSOR_LOST: "transducer lost",
    t.Event.SENSOR_FOUND: "found",
    t.Event.LINK_NOISE: "link noise",
}
"""What a bad line or a bad gauge says over and over, in the order in which it is told."""
REMINDERS = {
    t.Event.ALARM_REMINDER: "reminded of the alarm",
    t.Event.SENSOR_REMINDER: "reminded of the transducer's loss",
}
"""What says only that nothing has been done: told as a number when something has."""
LONG_S = 10.0
"""A run that takes longer than this says so."""
LOOK_S = 1.0
"""How much of a run shows its pace."""


def event_line(event: EventReport) -> str:
    """An event as a line: when, class, text."""
    return f"{duration(event.t_ms / 1000):>12}  {event.severity.name.capitalize():<9}  {event.text()}"


def command_line(command: Commanded) -> str:
    """A telecommand as a line: when it was asked for, what became of it."""
    return f"{duration(command.t_ms / 1000):>12}  {'Command':<9}  {command.text()}"


class Timeline:
    """Writes events; one that repeats in its class is shown once, and counted until something else has happened."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._shown: set[tuple[t.Event, t.AlarmClass]] = set()
        self._again: Counter[t.Event] = Counter()
        self._last_ms = 0
        self._reminders: Counter[t.Event] = Counter()
        self._reminded_ms = 0

    def event(self, event: EventReport) -> None:
        """Take one event."""
        key = event.event, event.severity
        if event.event in REMINDERS:
            self._reminders[event.event] += 1
            self._reminded_ms = event.t_ms
            return
        if event.event not in REPEATING:
            self.close()
            self._shown.clear()
        elif key in self._shown:
            self._again[event.event] += 1
            self._last_ms = event.t_ms
            return
        self._shown.add(key)
        self._write(event_line(event))

    def command(self, command: Commanded) -> None:
        """Take one telecommand, answered or given up."""
        self.close()
        self._write(command_line(command))

    def flush(self) -> None:
        """Tell what has repeated so far."""
        self._fold(self._last_ms, self._again)

    def close(self) -> None:
        """Tell the reminders, too."""
        self.flush()
        self._fold(self._reminded_ms, self._reminders)

    def _fold(self, last_ms: int, counts: Counter[t.Event]) -> None:
        if counts:
            self._write(f"{duration(last_ms / 1000):>12}  {folded(counts)}")
        counts.clear()


def folded(counts: Counter[t.Event]) -> str:
    """Repeats in words: "transducer lost and found 348 times"."""
    lost, found = (counts[event] for event in (t.Event.SENSOR_LOST, t.Event.SENSOR_FOUND))
    told = [(words, counts[event]) for event, words in (REPEATING | REMINDERS).items() if counts[event]]
    if lost and lost == found:
        told[:2] = [("transducer lost and found", lost)]
    return "again: " + ", ".join(f"{words} {n} time{'s' if n > 1 else ''}" for words, n in told)


class Forecast:
    """How long a run will take, from the pace of its first second; "" but once, and for a short run."""

    def __init__(self, until_ms: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._until_ms = until_ms
        self._clock = clock
        self._begin = clock()
        self._told = False

    def tick(self, now_ms: int) -> str:
        """Called after each step of the run, which has come to ``now_ms``."""
        if self._told or not now_ms or (spent_s := self._clock() - self._begin) < LOOK_S:
            return ""
        self._told = True
        left_s = spent_s * (self._until_ms / now_ms - 1)
        if spent_s + left_s <= LONG_S:
            return ""
        return (
            f"This will take about {duration(left_s)} more; Ctrl-C ends it, and --duration plays less of it."
        )
