"""What can be done to a station while it runs; a scenario's ``actions`` become the same."""

from dataclasses import dataclass

from cabinwatch.models.cabin import Repress
from cabinwatch.models.curve import Shape
from cabinwatch.models.leak_tables import Leak


@dataclass(frozen=True, slots=True)
class Open:
    """Open a hatch or valve."""

    name: str


@dataclass(frozen=True, slots=True)
class Close:
    """Close a hatch or valve."""

    name: str


@dataclass(frozen=True, slots=True)
class Patch:
    """Stop a leak; its later profile is forgotten."""

    leak: str


@dataclass(frozen=True, slots=True)
class Resize:
    """Bring a leak to a factor of its size (1: as given), at once or within ``over_s``."""

    leak: str
    to: float = 1.0
    over_s: float = 0.0
    shape: Shape = "linear"


@dataclass(frozen=True, slots=True)
class StartLeak:
    """A new leak, under a name not yet used; its ``at`` and profile count from the moment it is applied."""

    name: str
    leak: Leak


@dataclass(frozen=True, slots=True)
class LetIn:
    """Repress; its ``at`` counts from the moment it is applied."""

    flow: Repress


@dataclass(frozen=True, slots=True)
class Empty:
    """Lose all gas of a compartment at once (a vestibule at undocking)."""

    compartment: str


Action = Open | Close | Patch | Resize | StartLeak | LetIn | Empty
