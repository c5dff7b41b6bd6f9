"""Scenario files: TOML, checked against one model; a bad file is refused by file, line and key."""

import sys
import tomllib
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from hostsim.cabin.fields import Duration, Span, Table
from hostsim.cabin.model import CabinModel
from hostsim.device_faults import DeviceModel
from hostsim.errors import UsageError
from hostsim.link import LinkModel
from hostsim.raw import RawTelecommand
from hostsim.sensors import AnalyserModel, SensorModel
from hostsim.toml_lines import find_line, key_lines
from protocol import table as t

DEFAULT = "prk-2024"
PACKETS = {p.name: p for p in t.TC_PACKETS}
MONITOR_PARAMETERS = {p.name: p for p in t.MONITOR_PARAMETERS}

Verb = Literal[
    "ping",
    "report",
    "hk_on",
    "hk_off",
    "acknowledge",
    "restart_detector",
    "inhibit",
    "reboot",
    "defaults",
    "set",
    "get",
]
_VERBS: dict[str, tuple[str, dict[str, int]]] = {
    "ping": ("ping", {}),
    "report": ("report_hk", {}),
    "hk_on": ("enable_hk", {}),
    "hk_off": ("disable_hk", {}),
    "acknowledge": ("perform", {"function": t.Function.ACKNOWLEDGE, "argument": 0}),
    "restart_detector": ("perform", {"function": t.Function.RESTART_DETECTOR, "argument": 0}),
    "inhibit": ("perform", {"function": t.Function.INHIBIT}),
    "reboot": ("perform", {"function": t.Function.REBOOT, "argument": 0}),
    "defaults": ("perform", {"function": t.Function.DEFAULTS, "argument": 0}),
    "set": ("set_parameter", {}),
    "get": ("report_parameter", {}),
}


def check_parameter(name: str, value: int | None) -> int | None:
    """``value`` if the table allows it for the monitor's parameter ``name``; ValueError that says what is allowed."""
    if name not in MONITOR_PARAMETERS:
        raise ValueError(f"no parameter {name!r}; there are {', '.join(MONITOR_PARAMETERS)}")
    p = MONITOR_PARAMETERS[name]
    if value is not None and not p.low <= value <= p.high:
        raise ValueError(f"{name} = {value} is out of range: {p.low} to {p.high} {p.unit}".rstrip())
    return value


class Telecommand(Table):
    """A telecommand that the ground sends at a time."""

    at: Duration = Field(description="when, s from the start")
    do: Verb = Field(description="what: " + ", ".join(_VERBS))
    argument: int = Field(0, ge=0, le=65535, description="seconds of an inhibit, 0 to 7200")
    parameter: str | None = Field(None, description="parameter of 'set' and 'get', by name")
    value: int | None = Field(None, description="new value of 'set'")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.do in ("set", "get"):
            if self.parameter is None:
                raise ValueError(f"{self.do!r} needs parameter")
            check_parameter(self.parameter, self.value)
        if self.do == "set" and self.value is None:
            raise ValueError("'set' needs value")
        return self

    @property
    def at_ms(self) -> int:
        """When, ms."""
        return round(self.at * 1000)

    @property
    def packet(self) -> t.Packet:
        """The packet of the table."""
        return PACKETS[_VERBS[self.do][0]]

    @property
    def values(self) -> dict[str, int]:
        """Its fields."""
        values = dict(_VERBS[self.do][1])
        if self.do == "inhibit":
            values["argument"] = self.argument
        if self.parameter is not None:
            values["parameter"] = MONITOR_PARAMETERS[self.parameter].id
        if self.value is not None:
            values["value"] = self.value
        return values


class Expect(Table):
    """The ``[expect]`` table: what the monitor should report. No table: nothing is expected, and the run is met."""

    alarm: Literal["none", "advisory", "caution", "warning", "emergency"] = Field(
        description="class that must be reached; 'none': no alarm at all"
    )
    after: Duration = Field(0.0, description="no alarm may come before, s from the start")
    by: Duration | None = Field(
        None, description="the class must be reached by then, s; by the end if left out"
    )
    at_most: Literal["advisory", "caution", "warning", "emergency"] | None = Field(
        None, description="no alarm may be of a higher class"
    )
    coolant_by: Duration | None = Field(None, description="the coolant loop must have been called by then, s")
    rate_within: float | None = Field(
        None, gt=0, description="|reported - true rate| at the end, as a part of the true"
    )
    tres_within: float | None = Field(
        None, gt=0, description="|reported - true T-reserve| at the end, likewise"
    )


class Scenario(Table):
    """A whole scenario file."""

    title: str = Field(description="one line: what happened")
    story: str = Field("", description="what happened, in a sentence or two")
    sources: list[str] = Field(default=[], description="where the figures come from")
    measured: str = Field("", description="what was measured")
    assumed: str = Field("", description="what is assumed")
    duration: Span = Field(description="how long it plays")
    parameters: dict[str, int] = Field(
        default={}, description="monitor parameters that the ground sets at boot, by name"
    )
    cabin: CabinModel = Field(description="the station")
    sensor: SensorModel = Field(SensorModel(), description="the pressure transducer")
    analyser: AnalyserModel | None = Field(None, description="the constituent analyser, if there is one")
    link: LinkModel = Field(LinkModel(), description="the serial link")
    device: DeviceModel = Field(
        DeviceModel(), description="the node under test: faults of its clock and processor"
    )
    onset: Duration | None = Field(
        None, description="when what matters begins (the leak, its growth), s from the start"
    )
    resets: list[Duration] = Field(
        default=[], description="when the monitor is reset from outside, s from the start"
    )
    telecommands: list[Telecommand] = Field(default=[], description="what the ground sends, and when")
    raw: list[RawTelecommand] = Field(
        default=[], description="wrong or badly timed telecommands, octet by octet"
    )
    expect: Expect | None = Field(None, description="what should come of it")

    @field_validator("parameters")
    @classmethod
    def _parameters(cls, values: dict[str, int]) -> dict[str, int]:
        for name, value in values.items():
            check_parameter(name, value)
        return values

    @cached_property
    def duration_ms(self) -> int:
        """How long it plays, ms."""
        return round(self.duration * 1000)


def bundled() -> dict[str, Path]:
    """The bundled scenario files by name."""
    folder = Path(str(resources.files("hostsim") / "scenarios"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def locate(name: str) -> Path:
    """The file of a bundled name or a path. Raises UsageError that lists the names."""
    names = bundled()
    if name in names:
        return names[name]
    path = Path(name)
    if path.suffix == ".toml" or "/" in name or path.exists():
        if not path.is_file():
            raise UsageError(f"no scenario file {name}")
        return path
    raise UsageError(f"no scenario {name!r}. Bundled: {', '.join(names)}. Or give the path of a TOML file.")


def parse(text: str, origin: str) -> Scenario:
    """Check the text of a scenario file; ``origin`` names it in errors. Raises UsageError with line and key."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{origin}: not TOML: {error}") from None
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        lines = key_lines(text)
        faults = [_fault(origin, lines, e["loc"], e["msg"], e["type"]) for e in error.errors()]
        raise UsageError("\n".join(faults)) from None


def _fault(
    origin: str, lines: dict[tuple[str | int, ...], int], loc: tuple[str | int, ...], msg: str, kind: str
) -> str:
    line = find_line(lines, loc)
    where = f"{origin}:{line}" if line else origin
    key = ".".join(str(part) for part in loc) or "the file"
    msg = msg.removeprefix("Value error, ")
    if kind == "extra_forbidden":
        msg = "no such key here"
        allowed = _allowed(loc[:-1])
        if allowed:
            msg += f"; allowed: {', '.join(allowed)}"
    return f"{where}: {key}: {msg}"


def _allowed(loc: tuple[str | int, ...]) -> list[str]:
    """The keys a table takes, by its place in the file; empty where the place is a choice of several tables."""
    model: type | None = Scenario
    for part in loc:
        fields = getattr(model, "model_fields", {})
        if part in fields:
            annotation = fields[part].annotation
            inner = [
                a for a in (annotation, *getattr(annotation, "__args__", ())) if hasattr(a, "model_fields")
            ]
            model = inner[0] if inner else None
    return list(getattr(model, "model_fields", {}))


def load(name: str) -> tuple[Scenario, str]:
    """The scenario of a bundled name or a path, and its text. Raises UsageError."""
    path = locate(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from None
    return parse(text, str(path)), text


if "hypothesis" in sys.modules:
    from hostsim.hypothesis_hook import register

    register()
