"""The requirements of SPEC.md: read from its text, so that a failed case quotes what the specification says."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROLES = ("monitor", "transducer")
"""The roles that can be judged."""

SPEC = Path(__file__).resolve().parents[2] / "protocol" / "SPEC.md"
_ITEM = re.compile(
    r"^- \*\*\[(?P<id>[A-Z]{3}-\d\d)\]\*\* \((?P<role>\w+)\) (?P<text>.+(?:\n  .+)*)", re.MULTILINE
)
_SECTION = re.compile(r"^## (?P<title>\d+\. .+)$", re.MULTILINE)


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
    """Every requirement of SPEC.md by ID, in its order. Raises ValueError for an ID that stands twice."""
    text = SPEC.read_text(encoding="utf-8")
    heads = [(m.start(), m["title"]) for m in _SECTION.finditer(text)]
    found: dict[str, Requirement] = {}
    for m in _ITEM.finditer(text):
        if m["id"] in found:
            raise ValueError(f"{m['id']} stands twice in SPEC.md")
        section = [title for at, title in heads if at < m.start()][-1]
        words = " ".join(m["text"].split())
        found[m["id"]] = Requirement(m["id"], m["role"], words, " should " not in words, section)
    return found
