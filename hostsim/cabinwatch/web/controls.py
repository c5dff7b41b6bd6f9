"""Buttons that do something: each is an order to the engine, and only who holds the controls may give one."""

from collections.abc import Callable
from typing import Literal

from nicegui import ui
from pydantic import ValidationError

from cabinwatch.errors import CabinwatchError
from cabinwatch.models.commands import MONITOR_PARAMETERS
from cabinwatch.models.settings import parameter, read, written
from cabinwatch.models.units import parse_duration
from cabinwatch.text import shown
from cabinwatch.web.engine import Engine


class Controls:
    """What one page may do to ``engine``: ``allowed`` says whether it may, ``changed`` is told of each act."""

    def __init__(self, engine: Engine, allowed: Callable[[], bool], changed: Callable[[], None]) -> None:
        self.engine = engine
        self._allowed = allowed
        self._changed = changed

    def button(self, text: str, act: Callable[[], object]) -> None:
        """A button that orders ``act``."""
        button = ui.button(text, on_click=lambda: self.order(act))
        button.props("dense no-caps").props(f"data-mark='{text}'")

    def order(self, act: Callable[[], object]) -> None:
        """Have the engine do it, where this page holds the controls; tell a person why it could not be done."""
        if not self._allowed():
            _refused("Somebody else holds the controls: take them first.", "warning")
            return
        try:
            self.engine.order(act)
        except ValidationError as error:
            _refused(error.errors()[0]["msg"].removeprefix("Value error, "), "negative")
        except (CabinwatchError, ValueError) as error:
            _refused(str(error), "negative")
        else:
            self._changed()


def _refused(said: str, kind: Literal["warning", "negative"]) -> None:
    """Tell why something was not done; the newest refusal takes the place of the one before it."""
    ui.notify(shown(said), type=kind, position="top", group="refused", badgeStyle="display: none")


def heading(level: int) -> str:
    """Props that make a label a heading to who listens to the page, or jumps from one to the next."""
    return f"role=heading aria-level={level}"


class Telecommands:
    """What the ground may tell the monitor, wherever that runs."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls
        self._command = controls.engine.source.command

    def build(self) -> None:
        """Make the rows."""
        with ui.row().classes("items-end gap-x-2 gap-y-1"):
            self._controls.button("Acknowledge", lambda: self._command("acknowledge"))
            self._for = ui.input("for", value="10 min").props("dense data-mark='for'").classes("w-24")
            self._controls.button("Inhibit", lambda: self._timed("inhibit"))
            self._controls.button("Out of service", lambda: self._timed("out_of_service"))
        with ui.row().classes("items-end gap-x-2 gap-y-1"):
            names = list(MONITOR_PARAMETERS)
            self._parameter = ui.select(names, value=names[0], label="parameter", on_change=self._chosen)
            self._parameter.props("dense data-mark='parameter'")
            self._value = ui.input("value").props("dense data-mark='value'").classes("w-28")
            self._controls.button("Set", self._set)
        self._bounds = ui.label().classes("text-xs opacity-70")
        self._chosen()

    def _chosen(self) -> None:
        """Say what the chosen parameter is, and its bounds."""
        p = parameter(str(self._parameter.value))
        self._bounds.set_text(
            f"{p.doc}: {written(p, p.low)} to {written(p, p.high)}, at first {written(p, p.default)}"
        )

    def _timed(self, do: str) -> None:
        self._command(do, argument=round(parse_duration(str(self._for.value))))

    def _set(self) -> None:
        name = str(self._parameter.value)
        if not str(self._value.value).strip():
            raise ValueError(f"{name}: no value given")
        self._command("set", parameter=name, value=read(parameter(name), str(self._value.value)))
