"""What a run looks like: a live panel on a terminal, plain lines elsewhere."""

import sys
import time
from collections import deque
from collections.abc import Callable

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cabinwatch.run.result import last_read, newest, no_data, tres_s
from cabinwatch.text import duration, name, shown
from cabinwatch.view.timeline import REMINDERS, Forecast, Timeline, command_line, event_line
from cabinwatch.view.words import NO_DATA, figures, titles
from cabinwatch.world.events import EventReport
from cabinwatch.world.ground import Commanded
from cabinwatch.world.world import World
from cabinwatch_protocol import table as t

BARS = "▁▂▃▄▅▆▇█"
CLASS_STYLE = {0: "green", 1: "cyan", 2: "yellow", 3: "bold yellow reverse", 4: "bold red reverse"}
TRACE = 60


def trace(values: list[float]) -> str:
    """The values as a row of bars between their least and greatest."""
    low, high = min(values), max(values)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(BARS[round((v - low) * scale)] for v in values)


class Plain:
    """Lines: every event as it comes, and the state at each tenth of the run."""

    def __init__(self, world: World, until_ms: int, write: Callable[[str], None] = print) -> None:
        self._world = world
        self._until_ms = until_ms
        self._write = write
        self._timeline = Timeline(write)
        self._forecast = Forecast(until_ms)
        self._tenth = 0

    def event(self, event: EventReport) -> None:
        self._timeline.event(event)

    def command(self, command: Commanded) -> None:
        self._timeline.command(command)

    def tick(self) -> None:
        if words := self._forecast.tick(self._world.now_ms):
            self._write(words)
        tenth = self._world.now_ms * 10 // max(1, self._until_ms)
        if tenth > self._tenth:
            self._tenth = tenth
            (self._timeline.close if tenth == 10 else self._timeline.flush)()
            self._write(
                f"{duration(self._world.now_ms / 1000):>12}  {tenth * 10:>8}%  {state_line(self._world)}"
            )
            sys.stdout.flush()

    def close(self) -> None:
        self._timeline.close()


def state_line(world: World) -> str:
    """The monitor's last report in one line, and the alarm as it is since."""
    hk = world.ground.housekeeping
    known = newest(world.ground, world.now_ms / 1000)
    if not hk:
        return "no report yet" + (f"  {name(t.AlarmClass, known.alarm)}" if known.alarm else "")
    tres = tres_s(hk)
    acknowledged = not known.since.state & 1 if known.since else hk["flags"] & t.Flag.ACKNOWLEDGED
    alarm = name(t.AlarmClass, known.alarm) + (
        ", not acknowledged" if known.alarm and not acknowledged else ""
    )
    old = f"  (the report is {duration(known.age_s)} old)" if known.since else ""
    if blind := no_data(known.health):
        latched = f"  {alarm}" if known.alarm else ""
        return f"{blind}  {last_read(hk)}{latched}"
    return (
        f"{hk['pressure_cPa'] / 100:>10,.1f} Pa  {known.rate('>+9.2f')}  "
        f"T-reserve {duration(tres) if tres is not None else 'no leak'}  {alarm}{old}"
    )


class Panels:
    """The live panel; redrawn a few times a second."""

    def __init__(self, world: World, until_ms: int, title: str, target: str, console: Console) -> None:
        self._world = world
        self._until_ms = until_ms
        self._title = title
        self._target = target
        self._pressures: deque[tuple[int, float]] = deque(maxlen=TRACE)
        self._lines: deque[Text] = deque(maxlen=6)
        self._forecast = Forecast(until_ms)
        self._begun = time.monotonic()
        self._drawn = 0.0
        self._live = Live(console=console, auto_refresh=False)
        self._live.start()

    def event(self, event: EventReport) -> None:
        if event.event not in REMINDERS:
            self._lines.append(Text(event_line(event), style=CLASS_STYLE.get(event.severity, "")))

    def command(self, command: Commanded) -> None:
        self._lines.append(Text(command_line(command)))

    def tick(self) -> None:
        if words := self._forecast.tick(self._world.now_ms):
            self._live.console.print(words)
        hk = self._world.ground.housekeeping
        column = self._world.now_ms * TRACE // max(1, self._until_ms)
        if hk and (not self._pressures or self._pressures[-1][0] != column):
            self._pressures.append((column, hk["pressure_cPa"] / 100))
        now = time.monotonic()
        if now - self._drawn > 0.1:
            self._drawn = now
            self._live.update(self._draw(), refresh=True)

    def close(self) -> None:
        self._live.update(self._draw(), refresh=True)
        self._live.stop()

    def _draw(self) -> Panel:
        world = self._world
        hk = world.ground.housekeeping
        counts = world.ground.counts
        now_s = world.now_ms / 1000
        wall_s = time.monotonic() - self._begun
        grid = Table.grid(padding=(0, 2))
        for _ in range(4):
            grid.add_column(min_width=16)
        grid.add_row("time", duration(now_s), "speed", f"{now_s / max(wall_s, 1e-9):,.0f} x real time")
        known = newest(world.ground, now_s)
        if hk or known.alarm:
            said, alarm = figures(known), known.alarm
            style = alarm if alarm or not no_data(known.health) else t.AlarmClass.EMERGENCY
            marked = Text(f" {said.alarm} ", style=CLASS_STYLE.get(style, ""))
            kelvin = f"{hk['temperature_cK'] / 100:.2f} K" if hk else NO_DATA
            called = titles(known)
            grid.add_row(called["pressure"], said.pressure, f"temperature{known.old}", kelvin)
            grid.add_row(called["rate"], said.rate, called["reserve"], said.reserve)
            grid.add_row("alarm", marked, called["health"], said.health)
        damage = f"{counts.crc_errors} CRC, {counts.resyncs} other, {counts.lost} lost"
        grid.add_row("link", f"{counts.frames:,} frames", "damage", damage)
        pressures = [p for _, p in self._pressures]
        rows: list[Text | Table] = [grid]
        if pressures:
            rows.append(
                Text(f"{trace(pressures)}  {min(pressures):,.0f} to {max(pressures):,.0f} Pa", style="cyan")
            )
        bar = Table.grid(padding=(0, 2))
        done = min(100, world.now_ms * 100 // max(1, self._until_ms))
        bar.add_row(ProgressBar(total=100, completed=done, width=TRACE), f"{done} %")
        rows.append(bar)
        rows += self._lines
        # As Text: in a str, Rich reads markup.
        title, subtitle = Text(shown(self._title)), Text(f"firmware on {shown(self._target)}")
        return Panel(Group(*rows), title=title, subtitle=subtitle, width=100)
