"""Field types of the cabin's TOML: text with a unit in the file, an SI number on the model."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator

from cabinwatch.errors import UsageError
from cabinwatch.models import units

T = TypeVar("T")


def _reader(parse: Callable[[Any], T]) -> Callable[[Any], T]:
    """A parser whose refusal pydantic reports at the key, beside the other faults of the file."""

    def read(value: Any) -> T:
        if isinstance(value, units.LeakSize):
            return value  # type: ignore[return-value]
        try:
            return parse(value)
        except UsageError as error:
            raise ValueError(str(error)) from None

    return read


def _schema(form: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": ["number", "string"], "description": form, "examples": [example]})


def _parser(table: Any, what: str) -> BeforeValidator:
    return BeforeValidator(_reader(lambda value: units.parse(value, table, what)))


LONGEST_s = 65_536 * units.DAY_s
"""What the days of a CDS-short time can count."""
MOST = 1e15
"""No figure of a cabin is greater, in SI; far beyond it the arithmetic of floats ends."""
LEAST_m3, MOST_m3 = 1e-6, 1e9
"""A millilitre, a cubic kilometre."""
MOST_Pa = 1e9
MOST_m = 1000.0
MOST_kg = 1e9
MOST_PER_s = 1e6
"""Kilograms or cubic metres in a second: a thousand modules of a station."""

Duration = Annotated[
    float,
    BeforeValidator(_reader(units.parse_duration)),
    Field(ge=0, le=LONGEST_s),
    _schema("s, or text", "2d 3h"),
]
Span = Annotated[
    float,
    BeforeValidator(_reader(units.parse_duration)),
    Field(gt=0, le=LONGEST_s),
    _schema("s, or text", "92 min"),
]
Pressure = Annotated[
    float,
    BeforeValidator(_reader(units.parse_pressure)),
    Field(ge=0, le=MOST_Pa),
    _schema("Pa, or text", "745 mmHg"),
]
Volume = Annotated[
    float,
    BeforeValidator(_reader(units.parse_volume)),
    Field(ge=LEAST_m3, le=MOST_m3),
    _schema("m3, or text", "7 m3"),
]
Temperature = Annotated[
    float,
    BeforeValidator(_reader(units.parse_temperature)),
    Field(ge=100, le=1000),
    _schema("K, or text", "22 C"),
]
Length = Annotated[
    float, _parser(units.LENGTHS, "a diameter"), Field(gt=0, le=MOST_m), _schema("m, or text", "12 mm")
]
Mass = Annotated[
    float, _parser(units.MASSES, "a mass"), Field(gt=0, le=MOST_kg), _schema("kg, or text", "5 kg")
]
MassRate = Annotated[
    float,
    _parser(units.MASS_RATES, "a mass rate"),
    Field(ge=0, le=MOST_PER_s),
    _schema("kg/s, or text", "5 kg/d"),
]
VolumeRate = Annotated[
    float,
    _parser(units.VOLUME_RATES, "a volume rate"),
    Field(ge=0, le=MOST_PER_s),
    _schema("m3/s, or text", "40 m3/h"),
]
Size = Annotated[
    units.LeakSize,
    BeforeValidator(_reader(units.parse_leak_size)),
    WithJsonSchema(
        {"type": "string", "description": "size of a leak", "examples": ["2.4 lb/d", "2 mm", "T1mm 60 s"]}
    ),
]
"""A `LeakSize`."""


class Misfit(ValueError):
    """What a table's own check refuses; ``key``: where it stands, counted from that table."""

    def __init__(self, text: str, *key: str | int) -> None:
        super().__init__(text)
        self.key = key


class Table(BaseModel):
    """A table of the file: unknown keys are refused, and nothing changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    @field_validator("*")
    @classmethod
    def _reckonable(cls, value: Any) -> Any:
        if isinstance(value, (int, float)) and not -MOST <= value <= MOST:
            raise ValueError(f"no figure here is beyond {MOST:g}")
        return value


class Window(Table):
    """A fault's time window."""

    at: Duration = Field(0.0, description="when it sets in, s from the start")
    until: Duration | None = Field(None, description="when it ends, s from the start; for good if left out")

    def active(self, t_s: float) -> bool:
        """Whether it is in force at t_s."""
        return self.at <= t_s and (self.until is None or t_s < self.until)
