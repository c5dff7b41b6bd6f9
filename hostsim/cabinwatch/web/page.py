"""The page: what an engine has seen, and what a person may do to the world. Figures and charts, no logic of its own."""

import secrets
from collections.abc import Callable
from typing import Any

from nicegui import app, events, ui
from pydantic import ValidationError

from cabinwatch.errors import CabinwatchError
from cabinwatch.models.commands import MONITOR_PARAMETERS
from cabinwatch.models.leak_tables import Leak
from cabinwatch.models.line_faults import Stuck as StuckLine
from cabinwatch.models.node_faults import BrownOut
from cabinwatch.models.sensors import Warming
from cabinwatch.text import duration, shown
from cabinwatch.web import charts, words
from cabinwatch.web.engine import Engine
from cabinwatch.web.sources import Played
from cabinwatch.world.cabin.actions import Close, Open, Patch

REFRESH_S = 0.5
SPEEDS = {float(n): f"{n:,} x" for n in (1, 10, 60, 600, 2000)}
FIGURES = {"pressure": "pressure", "rate": "rate", "reserve": "T-reserve", "health": "sensor"}
CLASSES = {0: "every class", 1: "Advisory and above", 2: "Caution and above", 3: "Warning and above"}
GONE = """
<style>
body:has(#popup[aria-hidden=false]) .live { filter: grayscale(1) opacity(.4) }
.lamp { font-size: 1.8rem; font-weight: 800; letter-spacing: .04em; color: #fff; padding: .4rem 1rem;
        border-radius: .5rem; text-align: center; border: 3px solid rgba(0,0,0,.35) }
.figure { font-size: clamp(1.05rem, 2.2vw, 1.6rem); font-weight: 600; font-variant-numeric: tabular-nums;
          overflow-wrap: anywhere }
</style>
"""
"""When the server is gone, what it said last is shown as what it is: grey."""


class Page:
    """One client's page on ``engine``; one client at a time holds the controls."""

    holder: str | None = None
    """The client that holds the controls, of all pages on the engine."""

    def __init__(self, engine: Engine, target: str, seed: int) -> None:
        self.engine = engine
        self.target = target
        self.seed = seed
        self.me = secrets.token_hex(8)
        self.conductor = charts.Conductor()
        self.least = 0
        self.drawn_events = -1
        self.played = engine.source if isinstance(engine.source, Played) else None
        if Page.holder is None:
            Page.holder = self.me

    # -- what stands on it

    def build(self) -> None:
        """Make the page."""
        ui.add_head_html(GONE)
        self.dark = ui.dark_mode(None)
        with ui.column().classes("live w-full max-w-screen-2xl mx-auto gap-3 p-2"):
            self._head()
            self._figures()
            with ui.row().classes("w-full gap-3 items-start flex-nowrap max-md:flex-wrap"):
                with ui.column().classes("w-full md:w-2/3 gap-1"):
                    self._conductor()
                    options = charts.strips(self.engine.columns, self.conductor, 0.0, False)
                    self.strips = (
                        ui.echart(options)
                        .classes("w-full")
                        .style("height: 34rem")
                        .props("data-mark='strips'")
                    )
                with ui.column().classes("w-full md:w-1/3 gap-2"):
                    self._what_if()
                    self._log()
        ui.timer(REFRESH_S, self.refresh)
        app.on_disconnect(self._left)
        self.refresh()

    def _head(self) -> None:
        with ui.row().classes("w-full items-center gap-3"):
            ui.label(shown(self.engine.source.title)).classes("text-lg font-bold")
            ui.label(f"firmware on {shown(self.target)}, seed {self.seed}").classes("opacity-70")
            ui.space()
            self.time = ui.label().classes("font-mono").props("data-mark='time'")
            self.holds = ui.button("Take the controls", on_click=self._take).props("dense outline no-caps")
            ui.button(icon="contrast", on_click=self._toggle_dark).props(
                "flat dense aria-label='dark or light'"
            )
        self.trouble = ui.label().classes("w-full text-negative font-bold").props("data-mark='trouble'")

    def _figures(self) -> None:
        with ui.row().classes("w-full gap-3 items-stretch"):
            with ui.card().classes("grow"):
                ui.label("alarm").classes("opacity-70")
                self.lamp = ui.label("NO DATA").classes("lamp w-full").props("data-mark='lamp'")
            self.figures: dict[str, ui.label] = {}
            for key, title in (
                ("pressure", "pressure"),
                ("rate", "rate"),
                ("reserve", "T-reserve"),
                ("health", "sensor"),
            ):
                with ui.card().classes("grow"):
                    ui.label(title).classes("opacity-70")
                    self.figures[key] = ui.label("NO DATA").classes("figure").props(f"data-mark='{key}'")

    def _conductor(self) -> None:
        with ui.row().classes("items-center gap-1"):
            self.pause = (
                ui.button("Pause", on_click=self._pause).props("dense no-caps").props("data-mark='pause'")
            )
            if self.played is not None:
                speed = self.engine.speed
                speeds = dict(sorted({speed: f"{speed:,g} x", **SPEEDS}.items()))
                ui.select(speeds, value=speed, on_change=self._speed, label="speed").props(
                    "dense data-mark='speed'"
                )
            ui.separator().props("vertical")
            for text, label, act in (
                ("◀", "back", lambda: self.conductor.pan(-0.5, self.now_s)),
                ("▶", "forward", lambda: self.conductor.pan(0.5, self.now_s)),
                ("+", "zoom in", lambda: self.conductor.zoom(0.5, self.now_s)),
                ("-", "zoom out", lambda: self.conductor.zoom(2.0, self.now_s)),
                ("All", "everything", lambda: self.conductor.everything(self.now_s)),
                ("Follow", "follow the newest", self.conductor.follow),
            ):
                ui.button(text, on_click=self._moved(act)).props(
                    f"dense outline no-caps aria-label='{label}'"
                ).props(f"data-mark='{label}'")
            self.shown_span = ui.label().classes("opacity-70")

    def _what_if(self) -> None:
        if self.played is None:
            return
        with ui.card().classes("w-full"):
            ui.label("What if: click a module, or choose one").classes("font-bold")
            self.map = (
                ui.echart(self._map(), on_point_click=self._clicked).classes("w-full").style("height: 14rem")
            )
            self.map.props("data-mark='map'")
            rooms = list(self.played.session.scenario.cabin.compartments)
            with ui.row().classes("items-end gap-2"):
                self.room = ui.select(rooms, value=rooms[0], label="module").props("data-mark='module'")
                self.size = (
                    ui.input("size", value="3 mm").props("dense").classes("w-24").props("data-mark='size'")
                )
                self._do("Hole", lambda: self._leak("orifice"))
                self._do("Crack", lambda: self._leak("crack"))
                self._do("Patch all", self._patch)
            with ui.row().classes("gap-2"):
                self._do("Warm the sensor", self._warm)
                self._do("Cut the line for 2 min", self._cut)
                self._do("Reset the node", lambda: self._session().reset())
                self._do(
                    "Supply fails",
                    lambda: self._session().brown_out(BrownOut(kind="brown_out", at=self.now_s)),
                )
            with ui.row().classes("gap-2"):
                self._do("Acknowledge", lambda: self._session().command("acknowledge"))
                self._do("Inhibit 10 min", lambda: self._session().command("inhibit", argument=600))
                ui.link("Download the story (TOML)", "/story.toml", new_tab=False).props(
                    "data-mark='download'"
                )
            with ui.row().classes("items-end gap-2"):
                self.parameter = ui.select(list(MONITOR_PARAMETERS), value="poll_period", label="parameter")
                self.value = ui.input("value").props("dense").classes("w-28")
                self._do("Set", self._set)

    def _log(self) -> None:
        with ui.card().classes("w-full"):
            with ui.row().classes("items-center"):
                ui.label("Events").classes("font-bold")
                ui.select(CLASSES, value=0, on_change=self._filter).props("dense")
            self.events = ui.log(max_lines=200).classes("w-full h-40 text-xs").props("data-mark='events'")
            ui.label("Telecommands").classes("font-bold")
            self.commands = ui.log(max_lines=100).classes("w-full h-20 text-xs").props("data-mark='commands'")
            self.drawn_commands: list[str] = []
            self.link = ui.label().classes("text-xs opacity-70").props("data-mark='link'")

    # -- what changes

    @property
    def now_s(self) -> float:
        """How far the source has been played, s."""
        return self.engine.state.now_s

    def refresh(self) -> None:
        """Show the engine's newest state."""
        state = self.engine.state
        board = words.board(dict(state.housekeeping))
        self.lamp.set_text(board.lamp)
        self.lamp.style(f"background: {board.colour}")
        for key, label in self.figures.items():
            label.set_text(getattr(board, key))
        self.time.set_text(duration(state.now_s) + (" (the end)" if state.over else ""))
        self.pause.set_text("Pause" if state.running else "Play")
        late = f"behind by {duration(state.behind_s)}: this machine cannot keep up" if state.behind_s else ""
        self.trouble.set_text(state.error or late)
        mine = Page.holder == self.me
        self.holds.set_text("You hold the controls" if mine else "Take the controls")
        begin, end = self.conductor.window(state.now_s)
        self.shown_span.set_text(
            f"{duration(end - begin)} shown" + ("" if self.conductor.end_s is None else ", held")
        )
        self._draw()
        self._tell()
        self.link.set_text(f"link: {state.frames:,} frames, {state.damaged:,} damaged, {state.lost:,} lost")

    def _draw(self) -> None:
        options = charts.strips(self.engine.columns, self.conductor, self.now_s, bool(self.dark.value))
        self.strips.options.clear()
        self.strips.options.update(options)
        self.strips.update()

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

    def _session(self) -> Any:
        assert self.played is not None
        return self.played.session

    def _do(self, text: str, act: Callable[[], object]) -> None:
        ui.button(text, on_click=lambda: self._ordered(act)).props("dense no-caps").props(
            f"data-mark='{text}'"
        )

    def _ordered(self, act: Callable[[], object]) -> None:
        """Have the engine do it, where this page holds the controls; tell a person why it could not be done."""
        if Page.holder != self.me:
            ui.notify("Somebody else holds the controls: take them first.", type="warning")
            return
        try:
            self.engine.order(act)
        except ValidationError as error:
            ui.notify(shown(error.errors()[0]["msg"].removeprefix("Value error, ")), type="negative")
        except (CabinwatchError, ValueError) as error:
            ui.notify(shown(str(error)), type="negative")
        else:
            if self.played is not None:
                self.map.options.clear()
                self.map.options.update(self._map())
                self.map.update()

    def _leak(self, law: str) -> None:
        size, room = str(self.size.value), self.room.value
        self._session().leak(Leak.model_validate({"size": size, "law": law, "compartment": room}))

    def _patch(self) -> None:
        for name in self._leaks():
            self._session().do(Patch(name))

    def _warm(self) -> None:
        self._session().sensor_fault(Warming(kind="warming", at=self.now_s, rise=9.0, tau=120.0))

    def _cut(self) -> None:
        self._session().link_fault(StuckLine(at=self.now_s, until=self.now_s + 120, direction="both"))

    def _set(self) -> None:
        try:
            value = int(str(self.value.value))
        except ValueError:
            raise ValueError(f"{self.parameter.value}: a whole number is needed") from None
        self._session().command("set", parameter=self.parameter.value, value=value)

    def _clicked(self, click: events.EChartPointClickEventArguments) -> None:
        """A module opens its leak, a hatch closes or opens."""
        if click.data_type == "edge":
            name = click.data.get("value") if isinstance(click.data, dict) else None
            if name:
                way = Close(name) if name in self._opened() else Open(name)
                self._ordered(lambda: self._session().do(way))
            return
        if click.name in self._session().scenario.cabin.compartments:
            self.room.set_value(click.name)
            self._ordered(lambda: self._leak("orifice"))

    def _leaks(self) -> dict[str, str]:
        """Where each leak of the story is."""
        story = self._session().story().cabin
        first = next(iter(story.compartments))
        return {
            name: leak.compartment or first for name, leak in story.leaks.items() if leak.at <= self.now_s + 1
        }

    def _opened(self) -> set[str]:
        story = self._session().story().cabin
        opened = {name for name, way in {**story.hatches, **story.valves}.items() if way.open}
        for action in story.actions:
            verb, name = action.verb
            if action.at <= self.now_s + 1:
                opened = opened | {name} if verb == "open" else opened - {name} if verb == "close" else opened
        return opened

    def _map(self) -> dict[str, Any]:
        cabin = self._session().story().cabin
        patched = {a.verb[1] for a in cabin.actions if a.verb[0] == "patch" and a.at <= self.now_s + 1}
        leaking = {room for name, room in self._leaks().items() if name not in patched}
        return charts.station_map(cabin, leaking, self._opened(), bool(self.dark.value))

    def _take(self) -> None:
        Page.holder = self.me
        self.refresh()

    def _left(self) -> None:
        if Page.holder == self.me:
            Page.holder = None

    def _pause(self) -> None:
        self.engine.running = not self.engine.running

    def _speed(self, change: events.ValueChangeEventArguments[Any]) -> None:
        self.engine.speed = float(change.value)

    def _filter(self, change: events.ValueChangeEventArguments[Any]) -> None:
        self.least, self.drawn_events = int(change.value), -1

    def _moved(self, act: Callable[[], None]) -> Callable[[], None]:
        def moved() -> None:
            act()
            self.refresh()

        return moved

    def _toggle_dark(self) -> None:
        self.dark.value = not self.dark.value
        self.refresh()
