"""The requirements of SPEC.md as data, so that a failed case quotes what the specification says: requirements.json."""

import json
import re

from cabinwatch_protocol.generate import PACKAGE
from cabinwatch_protocol.generate.spec import spec

REQUIREMENTS = PACKAGE / "requirements.json"
_ITEM = re.compile(
    r"^- \*\*\[(?P<id>[A-Z]{3}-\d\d)\]\*\* \((?P<role>\w+)\) (?P<text>.+(?:\n  .+)*)", re.MULTILINE
)
_SECTION = re.compile(r"^## (?P<title>\d+\. .+)$", re.MULTILINE)


def requirements() -> str:
    """Every requirement of the specification, in its order. Raises ValueError for an ID that stands twice."""
    text = spec()
    heads = [(m.start(), m["title"]) for m in _SECTION.finditer(text)]
    found: dict[str, dict[str, object]] = {}
    for m in _ITEM.finditer(text):
        if m["id"] in found:
            raise ValueError(f"{m['id']} stands twice in SPEC.md")
        words = " ".join(m["text"].split())
        found[m["id"]] = {
            "role": m["role"],
            "text": words,
            "must": " should " not in words,
            "section": [title for at, title in heads if at < m.start()][-1],
        }
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"
