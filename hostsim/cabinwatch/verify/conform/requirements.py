"""The requirements of SPEC.md, so that a failed case quotes what the specification says."""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

from cabinwatch_protocol import version

SPEC_VERSION = f"{version.PROTOCOL} ({version.TEXT})"
"""The version of SPEC.md that the cases judge by: the protocol's, and that of the package."""
ROLES = ("monitor", "transducer")
"""The roles that can be judged."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement: ``role`` is any, monitor or transducer; ``must`` is False for a recommendation."""

    id: str
    role: str
    text: str
    must: bool
    section: str


@cache
def requirements() -> dict[str, Requirement]:
    """Every requirement of SPEC.md by ID, in its order."""
    text = resources.files("cabinwatch_protocol").joinpath("requirements.json").read_text(encoding="utf-8")
    return {name: Requirement(name, **fields) for name, fields in json.loads(text).items()}
