"""One entry of ``[[telecommands]]``: what the ground sends, in the words of a scenario."""

from typing import Literal, Self

from pydantic import Field, model_validator

from cabinwatch.models.fields import Duration, Misfit, Table
from cabinwatch_protocol import table as t

PACKETS = t.by_name(t.TC_PACKETS)


MONITOR_PARAMETERS = t.by_name(t.MONITOR_PARAMETERS)


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
    "alarms",
    "out_of_service",
    "test_signals",
]


_VERBS: dict[str, tuple[str, dict[str, int]]] = {
    "ping": ("ping", {}),
    "report": ("report_hk", {}),
    "hk_on": ("enable_hk", {}),
    "hk_off": ("disable_hk", {}),
    "acknowledge": ("perform", {"function": t.Function.ACKNOWLEDGE}),
    "restart_detector": ("perform", {"function": t.Function.RESTART_DETECTOR, "argument": 0}),
    "inhibit": ("perform", {"function": t.Function.INHIBIT}),
    "reboot": ("perform", {"function": t.Function.REBOOT, "argument": 0}),
    "defaults": ("perform", {"function": t.Function.DEFAULTS, "argument": 0}),
    "set": ("set_parameter", {}),
    "get": ("report_parameter", {}),
    "alarms": ("report_alarms", {}),
    "out_of_service": ("perform", {"function": t.Function.OUT_OF_SERVICE}),
    "test_signals": ("perform", {"function": t.Function.TEST_SIGNALS}),
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
    argument: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="seconds of an inhibit or out of service, 0 to 7200; pattern of a test; occurrence to acknowledge: "
        "0 whatever is latched, none every unacknowledged one that the ground has heard of",
    )
    parameter: str | None = Field(None, description="parameter of 'set' and 'get', by name")
    value: int | None = Field(None, description="new value of 'set'")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.do in ("set", "get"):
            if self.parameter is None:
                raise ValueError(f"{self.do!r} needs parameter")
            try:
                check_parameter(self.parameter, self.value)
            except ValueError as error:
                known = self.parameter in MONITOR_PARAMETERS
                raise Misfit(str(error), "value" if known else "parameter") from None
        if self.do == "set" and self.value is None:
            raise ValueError("'set' needs value")
        return self

    @property
    def at_ms(self) -> int:
        """When, ms."""
        return round(self.at * 1000)

    @property
    def words(self) -> str:
        """What is to be done, as it is typed."""
        rest = (self.parameter, self.value, self.argument if self.do == "inhibit" else None)
        return " ".join([self.do, *(str(word) for word in rest if word is not None)])

    @property
    def packet(self) -> t.Packet:
        """The packet of the table."""
        return PACKETS[_VERBS[self.do][0]]

    @property
    def values(self) -> dict[str, int]:
        """Its fields."""
        values = dict(_VERBS[self.do][1])
        if self.do in ("inhibit", "out_of_service", "test_signals"):
            values["argument"] = self.argument or 0
        elif self.do == "acknowledge" and self.argument is not None:
            values["argument"] = self.argument
        if self.parameter is not None:
            values["parameter"] = MONITOR_PARAMETERS[self.parameter].id
        if self.value is not None:
            values["value"] = self.value
        return values
