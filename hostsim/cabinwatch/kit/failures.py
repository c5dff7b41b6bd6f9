"""Where the story of a failed test is kept, one file a test."""

import re
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from cabinwatch.kit.session import Session
    from cabinwatch.models.scenario import Scenario

FOLDER = Path("cabin-failures")
LONGEST = 80
"""Characters of a test's name that are kept: all systems take such a file."""


def path_of(test: str) -> Path:
    """The file of a test by its whole name (its node ID): of no two tests the same."""
    words = re.sub(r"[^A-Za-z0-9_]+", "-", test).strip("-")[:LONGEST]
    return FOLDER / f"{words}-{crc32(test.encode()):08x}.toml"


def save(played: "Session | Scenario", test: str) -> str:
    """Keep the story; the command that plays it again, or why it could not be kept."""
    path = path_of(test)
    try:
        if hasattr(played, "save"):
            return played.save(path)
        from cabinwatch.scenario.toml_out import to_toml

        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(to_toml(played), encoding="utf-8")
        return f"cabinwatch run {quote(str(path))}"
    except OSError as error:
        return f"not kept: {path}: {error.strerror}"
