"""What a person may do to a world that is played: the station to click into, and a button for each thing."""

import time
from typing import Any

from nicegui import events, ui

from cabinwatch.kit.session import Session
from cabinwatch.models.cabin import Vehicle
from cabinwatch.models.leak_tables import Leak
from cabinwatch.models.line_faults import Stuck as StuckLine
from cabinwatch.models.node_faults import BrownOut
from cabinwatch.models.sensors import Warming
from cabinwatch.web import charts
from cabinwatch.web.controls import Controls, Telecommands, heading
from cabinwatch.world.cabin.actions import Close, Open, Patch

SHIP = {"volume": 7.6, "pressure": 99_992.0, "temperature": 290.0}
"""A Progress as the scenario of its coming has it: 7.6 m3 at 750 mmHg and 290 K."""
EQUALISE_S = 900.0
LOOK_S = 5.0
CUT_S = 120.0
WARM_K, WARM_S = 9.0, 120.0
"""A board that warms its own sensor, by the reports of the field: 5 to 10 K within minutes."""


class WhatIf:
    """The card of a page on a world that is played; ``number``: of the show, for what is taken away."""

    def __init__(self, controls: Controls, session: Session, number: int = 0) -> None:
        self._number = number
        self._controls = controls
        self._engine = controls.engine
        self._session = session
        self._dark = False
        self._looked = 0.0

    def build(self) -> None:
        """Make the card."""
        with ui.card().classes("w-full"):
            ui.label("What if: click a module, or choose one").classes("font-bold").props(heading(2))
            self._map = ui.echart(self._drawn(), on_point_click=self._clicked).classes("map w-full")
            self._map.props("data-mark='map' role='img' aria-label='the station'")
            rooms = list(self._session.scenario.cabin.compartments)
            with ui.row().classes("items-end gap-x-2 gap-y-1"):
                self._room = (
                    ui.select(rooms, value=rooms[0], label="module")
                    .classes("min-w-24")
                    .props("dense data-mark='module'")
                )
                self._size = ui.input("size", value="3 mm").props("dense data-mark='size'").classes("w-24")
                self._controls.button("Hole", lambda: self._leak("orifice"))
                self._controls.button("Crack", lambda: self._leak("crack"))
                self._controls.button("Patch all", self._patch)
                self._controls.button("Dock a ship", self._dock)
            with ui.row().classes("items-end gap-x-2 gap-y-1"):
                self._ways()
                self._controls.button("Warm the sensor", self._warm)
                self._controls.button("Cut the line for 2 min", self._cut)
                self._controls.button("Reset the node", self._session.reset)
                self._controls.button("Supply fails", self._brown_out)
            Telecommands(self._controls).build()
            self._take_away()

    def _ways(self) -> None:
        """Hatches and valves by name as well: a map cannot be reached by keyboard."""
        cabin = self._session.scenario.cabin
        names = [*cabin.hatches, *cabin.valves]
        if names:
            self._way = ui.select(names, value=names[0], label="hatch or valve").classes("min-w-28")
            self._way.props("dense data-mark='way'")
            self._controls.button("Open", lambda: self._session.do(Open(str(self._way.value))))
            self._controls.button("Close", lambda: self._session.do(Close(str(self._way.value))))

    def _take_away(self) -> None:
        with ui.row().classes("items-center gap-3"):
            for text, where, mark in (
                ("Download the story (TOML)", "/story.toml", "download"),
                ("Download it as a pytest", "/test_story.py", "pytest"),
            ):
                ui.link(text, f"{where}?show={self._number}").props(f"data-mark='{mark}'")
            ui.button("Copy the pytest", on_click=self._copy).props("dense flat no-caps data-mark='copy'")

    def look_again(self) -> None:
        """Something was done: the next `redraw` looks at once."""
        self._looked = 0.0

    def redraw(self, dark: bool) -> None:
        """Draw the station as it is now; what the scenario itself does to it shows within `LOOK_S`."""
        now = time.monotonic()
        if dark == self._dark and now - self._looked < LOOK_S:
            return
        self._dark, self._looked = dark, now
        drawn = self._engine.order(self._drawn)
        if drawn != self._map.options:
            self._map.props["aria-label"] = charts.station_words(drawn)
            self._map.options.clear()
            self._map.options.update(drawn)
            self._map.update()

    # -- what a person does

    def _leak(self, law: str) -> None:
        size, room = str(self._size.value), self._room.value
        self._session.leak(Leak.model_validate({"size": size, "law": law, "compartment": room}))

    def _patch(self) -> None:
        for name in self._leaks():
            self._session.do(Patch(name))

    def _dock(self) -> None:
        ship = {**SHIP, "port": self._room.value, "equalise": EQUALISE_S, "opened": EQUALISE_S}
        self._session.dock(Vehicle.model_validate(ship))

    def _warm(self) -> None:
        now_s = self._session.now_s
        self._session.sensor_fault(Warming(kind="warming", at=now_s, rise=WARM_K, tau=WARM_S))

    def _cut(self) -> None:
        now_s = self._session.now_s
        self._session.link_fault(StuckLine(at=now_s, until=now_s + CUT_S, direction="both"))

    def _brown_out(self) -> None:
        self._session.brown_out(BrownOut(kind="brown_out", at=self._session.now_s))

    def _copy(self) -> None:
        ui.clipboard.write(self._engine.order(self._session.as_test))
        ui.notify("The pytest is in the clipboard.", position="top")

    def _clicked(self, click: events.EChartPointClickEventArguments) -> None:
        """A module opens its leak, a hatch closes or opens."""
        if click.data_type == "edge":
            name = click.data.get("value") if isinstance(click.data, dict) else None
            if name:
                way = Close(name) if name in self._opened() else Open(name)
                self._controls.order(lambda: self._session.do(way))
        elif click.name in self._session.scenario.cabin.compartments:
            self._room.set_value(click.name)
            self._controls.order(lambda: self._leak("orifice"))

    # -- how the station stands

    def _leaks(self) -> dict[str, str]:
        """Where each leak of the story is."""
        story = self._session.story().cabin
        now_s = self._session.now_s + 1
        return {
            name: leak.compartment or story.first for name, leak in story.leaks.items() if leak.at <= now_s
        }

    def _opened(self) -> set[str]:
        story = self._session.story().cabin
        opened = {name for name, hatch in story.hatches.items() if hatch.open}
        opened |= {name for name, valve in story.valves.items() if valve.open}
        for action in sorted(story.actions, key=lambda action: action.at):
            verb, name = action.verb
            if action.at <= self._session.now_s + 1:
                opened = opened | {name} if verb == "open" else opened - {name} if verb == "close" else opened
        return opened

    def _drawn(self) -> dict[str, Any]:
        cabin = self._session.story().cabin
        now_s = self._session.now_s + 1
        patched = {a.verb[1] for a in cabin.actions if a.verb[0] == "patch" and a.at <= now_s}
        leaking = {room for name, room in self._leaks().items() if name not in patched}
        return charts.station_map(cabin, leaking, self._opened(), self._dark)
