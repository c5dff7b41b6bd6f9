"""A parameter's value as a person writes it ("30 d", "490 mmHg"); on the wire it is an integer in the table's unit."""

from cabinwatch.errors import UsageError
from cabinwatch.models import units
from cabinwatch.models.commands import MONITOR_PARAMETERS
from cabinwatch.text import exactly
from cabinwatch_protocol import table as t

MS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
IN_MS = {"ms": 1, "s": 1000}
"""Of the table's units of time, how many milliseconds each has."""
PER_S = {"cPa/d": units.DAY_s, "cPa/min": 60.0}
"""Of its units of rates, what a rate per second is to be multiplied with."""


def written(parameter: t.Parameter, value: int) -> str:
    """The value with the unit that a person would choose; a time in two units at most."""
    if parameter.unit in IN_MS:
        seconds, ms = divmod(value * IN_MS[parameter.unit], 1000)
        parts = exactly(seconds, 0).split(" ") if not ms else [str(value), parameter.unit]
        return " ".join(parts) if len(parts) <= 4 else f"{seconds} s"
    if parameter.unit.startswith("c"):
        return f"{value / 100:.2f}".rstrip("0").rstrip(".") + f" {parameter.unit[1:]}"
    return f"{value} {parameter.unit}".rstrip()


def parameter(name: str) -> t.Parameter:
    """The monitor's parameter of that name. Raises UsageError that names them all."""
    if name not in MONITOR_PARAMETERS:
        raise UsageError(f"no parameter {name!r}; there are {', '.join(MONITOR_PARAMETERS)}")
    return MONITOR_PARAMETERS[name]


def read(p: t.Parameter, text: str) -> int:
    """The value on the wire of ``text``: with a unit, or a bare number in the table's unit. Raises UsageError."""
    try:
        value = int(text)
    except ValueError:
        value = _with_unit(p, text)
    if not p.low <= value <= p.high:
        raise UsageError(
            f"{p.name} = {written(p, value)} is out of range: {written(p, p.low)} to {written(p, p.high)}"
        )
    return value


def _with_unit(p: t.Parameter, text: str) -> int:
    if p.unit in IN_MS:
        ms = units.parse(text, MS, "a time") if text.endswith("ms") else 1000 * units.parse_duration(text)
        value = ms / IN_MS[p.unit]
    elif p.unit == "cPa":
        value = 100 * units.parse_pressure(text)
    elif p.unit in PER_S:
        value = 100 * PER_S[p.unit] * units.parse(text, units.PRESSURE_RATES, "a rate of pressure")
    else:
        raise UsageError(f"{text!r} is not a value of {p.name}: give a whole number from {p.low} to {p.high}")
    if p.unit in IN_MS and value != round(value):
        raise UsageError(f"{p.name} = {text} is no whole number of {p.unit}")
    return round(value)
