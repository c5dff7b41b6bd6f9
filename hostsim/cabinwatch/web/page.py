"""The page: what an engine has seen, over one window of time. Figures and charts, no logic of its own."""

import math
import secrets
import time
from collections.abc import Callable
from typing import Any

from nicegui import events, ui

from cabinwatch.text import duration, shown
from cabinwatch.view import words
from cabinwatch.web import charts
from cabinwatch.web.controls import Controls, Telecommands, heading
from cabinwatch.web.engine import Engine
from cabinwatch.web.sources import Board, Played
from cabinwatch.web.what_if import WhatIf

REFRESH_S = 0.5
SLOWEST_S = 5.0
"""A browser that has not said that it drew is sent new strips all the same after this long."""
SPEEDS = {float(n): f"{n:,} x" for n in (1, 10, 60, 600, 2000)}
SETTLE_S = 0.2
"""Wall time after a zoom or pan by mouse until finer strips are sent: not while the hand still moves."""
CLASSES = {0: "every class", 1: "Advisory and above", 2: "Caution and above", 3: "Warning and above"}
LAMPS = {0: "#2e7d32", 1: "#00838f", 2: "#f9a825", 3: "#ef6c00", 4: "#c62828"}
"""The lamp's colour by class; its word stands in it, so that colour is never the only sign."""
GREY = "#757575"
STYLE = """
<style>
body:has(#popup[aria-hidden=false]) .live { filter: grayscale(1) opacity(.4) }
.nicegui-content { padding: .25rem }
.nicegui-card { padding: .5rem .75rem; gap: .25rem }
.lamp { font-size: 1.5rem; font-weight: 800; letter-spacing: .04em; color: #fff; padding: 0 .75rem;
        border-radius: .5rem; text-align: center; border: 3px solid rgba(0,0,0,.35) }
.lamp[data-class="2"] { color: #212121 }
.figure { font-size: clamp(1.05rem, 2.2vw, 1.6rem); font-weight: 600; font-variant-numeric: tabular-nums;
          overflow-wrap: anywhere }
.strips { height: clamp(22rem, calc(100vh - 20.5rem), 44rem) }
.map { height: clamp(8.5rem, 20vh, 14rem) }
.events { height: clamp(6rem, 14vh, 12rem) }
.lines, .lines * { white-space: pre-wrap !important; overflow-wrap: anywhere }
:focus-visible { outline: 3px solid #ef6c00 !important; outline-offset: 2px }
</style>
"""
"""When the server is gone, what it said last is shown as what it is: grey. Strips and map leave room on a low screen
for what stands below them: at 720 pixels the controls and the newest events are in sight."""
SCHEME = """
const scheme = matchMedia('(prefers-color-scheme: dark)');
const tell = () => emitEvent('scheme', scheme.matches);
scheme.onchange = tell;
tell();
"""
"""Whether the reader's system is dark, now and whenever that changes: charts do not follow by themselves."""
KEYS = {
    " ": "pause",
    "ArrowLeft": "back",
    "ArrowRight": "forward",
    "+": "zoom in",
    "-": "zoom out",
    "f": "follow",
}
"""What a key does where no field has the focus."""


class Page:
    """One client's page on ``engine``; one client at a time holds the controls."""

    def __init__(self, engine: Engine, number: int = 0) -> None:
        self.engine = engine
        self.me = secrets.token_hex(8)
        self.conductor = charts.Conductor()
        self.is_dark = False
        self.least = 0
        self.drawn_events = -1
        self.seen: object = None
        self.drawing = 0.0
        """When the strips were sent that the browser has not drawn yet; 0: it has."""
        self.controls = Controls(engine, self._may, self._acted)
        self.sent = (0.0, 0.0)
        """The window for which they were sent."""
        self.axis_s = 1.0
        """Where their axis of time ended: the browser tells parts of that."""
        self.zoomed = -math.inf
        """When the mouse last moved the window."""
        self.what_if: WhatIf | None = None
        if isinstance(engine.source, Played):
            self.what_if = WhatIf(self.controls, engine.source.session, number)
        self._may()
        self.moves: dict[str, Callable[[], None]] = {
            "back": lambda: self.conductor.pan(-0.5, self.now_s),
            "forward": lambda: self.conductor.pan(0.5, self.now_s),
            "zoom in": lambda: self.conductor.zoom(0.5, self.now_s),
            "zoom out": lambda: self.conductor.zoom(2.0, self.now_s),
            "everything": lambda: self.conductor.everything(self.now_s),
            "follow": self.conductor.follow,
            "pause": lambda: self.controls.order(self._pause),
        }

    # -- what stands on it

    def build(self) -> None:
        """Make the page."""
        ui.add_head_html(STYLE)
        self.dark = ui.dark_mode(False)
        ui.on("scheme", lambda event: self._darken(bool(event.args)))
        ui.context.client.on_connect(lambda: ui.run_javascript(SCHEME))
        ui.keyboard(self._key)
        with ui.column().classes("live w-full max-w-screen-2xl mx-auto gap-2 p-1"):
            self._head()
            self._figures()
            with ui.row().classes("w-full gap-2 items-start flex-nowrap max-md:flex-wrap"):
                with ui.column().classes("w-full md:w-3/5 gap-1"):
                    self._conductor()
                    options = charts.strips(self.engine.columns, self.conductor, 0.0, False)
                    self.strips = ui.echart(options).classes("strips w-full")
                    self.strips.props("data-mark='strips' role='img' aria-label='strip charts'")
                    self.strips.on("chart:datazoom", self._zoomed)
                    self.strips.on("chart:finished", self._drawn, [])
                    self._log()
                with ui.column().classes("w-full md:w-2/5 gap-2"):
                    if self.what_if is not None:
                        self.what_if.build()
                    self._link()
        ui.timer(REFRESH_S, self.refresh)
        ui.context.client.on_disconnect(self._left)
        self.refresh()

    def _head(self) -> None:
        with ui.row().classes("w-full items-center gap-3"):
            ui.label(shown(self.engine.source.title)).classes("text-lg font-bold").props(heading(1))
            ui.label(shown(self.engine.source.about)).classes("opacity-70")
            ui.space()
            self.time = ui.label().classes("font-mono").props("data-mark='time'")
            self.holds = ui.button("Take the controls", on_click=self._take).props("dense outline no-caps")
            ui.link("Judge", "/judge").props("data-mark='to judge'")
            contrast = ui.button(icon="contrast", on_click=lambda: self._darken(not self.is_dark))
            contrast.props("flat dense aria-label='dark or light'")
        self.trouble = ui.label().classes("w-full text-negative font-bold")
        self.trouble.props("data-mark='trouble' role='alert'")

    def _figures(self) -> None:
        with ui.row().classes("w-full gap-2 items-stretch"):
            with ui.card().classes("grow"):
                ui.label("alarm").classes("opacity-70")
                self.lamp = ui.label(words.NO_DATA).classes("lamp w-full")
                self.lamp.props("data-mark='lamp' role='status'")
            self.figures: dict[str, ui.label] = {}
            self.titles: dict[str, ui.label] = {}
            for key, title in words.TITLES.items():
                with ui.card().classes("grow"):
                    self.titles[key] = ui.label(title).classes("opacity-70").props(f"data-mark='{key} title'")
                    self.figures[key] = ui.label(words.NO_DATA).classes("figure")
                    self.figures[key].props(f"data-mark='{key}'")

    def _conductor(self) -> None:
        with ui.row().classes("items-center gap-1"):
            if math.isfinite(self.engine.source.end_s):
                self.pause = ui.button("Pause", on_click=self.moves["pause"])
                self.pause.props("dense no-caps data-mark='pause'")
                speed = self.engine.speed
                speeds = dict(sorted({speed: f"{speed:,g} x", **SPEEDS}.items()))
                self.speed = ui.select(speeds, value=speed, on_change=self._speed, label="speed")
                self.speed.props("dense data-mark='speed'")
                ui.separator().props("vertical")
            for text, label in (
                ("◀", "back"), ("▶", "forward"), ("+", "zoom in"), ("-", "zoom out"), ("All", "everything"),
                ("Follow", "follow"),
            ):  # fmt: skip
                button = ui.button(text, on_click=self._moved(self.moves[label]))
                button.props(f"dense outline no-caps aria-label='{label}'").props(f"data-mark='{label}'")
            self.shown_span = ui.label().classes("opacity-70")
            keys = ", ".join(f"{'space' if key == ' ' else key} {what}" for key, what in KEYS.items())
            told = ui.button(
                icon="keyboard", on_click=lambda: ui.notify(keys, group="keys", badgeStyle="display: none")
            )
            told.classes("max-md:hidden")  # a phone has none
            told.props("flat dense size=sm aria-label='which keys there are'").tooltip(keys)

    def _log(self) -> None:
        with ui.card().classes("w-full"):
            with ui.row().classes("items-center"):
                ui.label("Events").classes("font-bold").props(heading(2))
                ui.select(CLASSES, value=0, on_change=self._filter).props("dense aria-label='which events'")
            self.events = ui.log(max_lines=200).classes("lines events w-full text-xs")
            self.events.props("data-mark='events' role='log' aria-label='events'")

    def _link(self) -> None:
        with ui.card().classes("w-full"):
            ui.label("Telecommands").classes("font-bold").props(heading(2))
            if isinstance(self.engine.source, Board):
                Telecommands(self.controls).build()
            self.commands = ui.log(max_lines=100).classes("lines w-full h-20 text-xs")
            self.commands.props("data-mark='commands' role='log' aria-label='telecommands'")
            self.drawn_commands: list[str] = []
            self.link = ui.label().classes("text-xs opacity-70").props("data-mark='link'")
            with (
                ui.expansion("Last frames, decoded")
                .classes("w-full")
                .props("data-mark='open frames'") as fold
            ):
                self.frames = ui.label().classes("lines text-xs font-mono").props("data-mark='frames'")
            self.frames_fold = fold

    # -- what changes

    @property
    def now_s(self) -> float:
        """How far the source has been played, s."""
        return self.engine.state.now_s

    def refresh(self) -> None:
        """Show the engine's newest state."""
        state = self.engine.state
        said, alarm = words.figures(state.known), state.known.alarm
        known = bool(alarm) or words.NO_DATA not in said.alarm
        self.lamp.set_text(said.alarm)
        self.lamp.style(f"background: {LAMPS.get(alarm, GREY) if known else GREY}").props(
            f"data-class={alarm}"
        )
        for key, label in self.figures.items():
            label.set_text(getattr(said, key))
        for key, title in words.titles(state.known).items():
            self.titles[key].set_text(title)
        self.time.set_text(duration(state.now_s) + (" (the end)" if state.over else ""))
        if math.isfinite(state.end_s):
            self.pause.set_text("Pause" if state.running else "Play")
            self.pause.set_enabled(not state.over)
            if self.speed.value != self.engine.speed and self.engine.speed in self.speed.options:
                self.speed.set_value(self.engine.speed)  # by another viewer, or refused
        late = "" if state.pace is None else f"plays at {state.pace:,.0f} x: this machine cannot keep up"
        self.trouble.set_text(state.error or late)
        self.holds.set_text("You hold the controls" if self._mine() else "Take the controls")
        begin, end = self.conductor.window(state.now_s)
        held = "" if self.conductor.end_s is None else ", held"
        self.shown_span.set_text(f"{duration(end - begin)} shown{held}")
        self._draw()
        if self.what_if is not None:
            self.what_if.redraw(self.is_dark)
        self._tell()
        self.link.set_text(f"link: {state.frames:,} frames, {state.damaged:,} damaged, {state.lost:,} lost")
        if self.frames_fold.value:
            self.frames.set_text("\n".join(map(shown, state.link)))

    def _draw(self) -> None:
        """Send the strips where something has changed, and not before a slow browser has drawn the last ones."""
        now = time.monotonic()
        seen = (len(self.engine.columns), self.now_s, self.conductor.window(self.now_s), self.is_dark)
        if seen == self.seen or (self.drawing and now - self.drawing < SLOWEST_S):
            return
        if now - self.zoomed < SETTLE_S and charts.covers(self.sent, self.conductor.window(self.now_s)):
            return
        self.seen, self.drawing = seen, now
        self.sent, self.axis_s = self.conductor.window(self.now_s), charts.axis_end(self.now_s)
        options = charts.strips(self.engine.columns, self.conductor, self.now_s, self.is_dark)
        self.strips.options.clear()
        self.strips.options.update(options)
        self.strips.update()

    def _drawn(self) -> None:
        self.drawing = 0.0

    def _tell(self) -> None:
        told = [line for severity, line in list(self.engine.events) if severity >= self.least]
        if len(told) != self.drawn_events:
            begin = 0 if self.drawn_events < 0 or self.drawn_events > len(told) else self.drawn_events
            if begin == 0:
                self.events.clear()
            for line in told[begin:]:
                self.events.push(shown(line))
            self.drawn_events = len(told)
        lines = [f"{duration(c.t_ms / 1000):>12}  {c.text()}" for c in list(self.engine.commands)]
        if lines != self.drawn_commands:
            self.commands.clear()
            for line in lines[-100:]:
                self.commands.push(shown(line))
            self.drawn_commands = lines

    # -- what a person does

    def _darken(self, dark: bool) -> None:
        self.is_dark = dark
        self.dark.set_value(dark)
        self.refresh()

    def _mine(self) -> bool:
        return self.engine.holder == self.me

    def _may(self) -> bool:
        """Whether this page may act; controls that nobody holds are its own from now on."""
        if self.engine.holder is None:
            self.engine.holder = self.me
        return self._mine()

    def _acted(self) -> None:
        if self.what_if is not None:
            self.what_if.look_again()
        self.refresh()

    def _take(self) -> None:
        self.engine.holder = self.me
        self.refresh()

    def _left(self) -> None:
        if self.engine.holder == self.me:
            self.engine.holder = None

    def _pause(self) -> None:
        if math.isfinite(self.engine.source.end_s):
            self.engine.running = not self.engine.running

    def _speed(self, change: events.ValueChangeEventArguments[Any]) -> None:
        if change.value != self.engine.speed:
            self.controls.order(lambda: setattr(self.engine, "speed", float(change.value)))

    def _filter(self, change: events.ValueChangeEventArguments[Any]) -> None:
        self.least, self.drawn_events = int(change.value), -1

    def _key(self, pressed: events.KeyEventArguments) -> None:
        move = KEYS.get(str(pressed.key.name))
        if move and pressed.action.keydown and not (pressed.modifiers.ctrl or pressed.modifiers.alt):
            self._moved(self.moves[move])()

    def _zoomed(self, event: events.GenericEventArguments) -> None:
        """The mouse has dragged or turned its wheel: hold what it chose, and send what is not there at once."""
        chosen = event.args.get("batch", [event.args])[0]
        if "start" in chosen:
            self.conductor.hold_parts(chosen["start"] / 100, chosen["end"] / 100, self.axis_s)
            self.zoomed = time.monotonic()
            self._draw()

    def _moved(self, act: Callable[[], None]) -> Callable[[], None]:
        def moved() -> None:
            act()
            self.refresh()

        return moved
