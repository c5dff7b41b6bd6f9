"""Values in the words that people read: durations, and the names of the packet table."""

import math
from enum import IntEnum


def duration(seconds: float) -> str:
    """A duration as people read it: two units at most."""
    if not math.isfinite(seconds):
        return "never"
    for unit, size, lesser, part in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= size:
            whole, rest = divmod(int(seconds), size)
            return f"{whole} {unit} {rest // part} {lesser}" if rest // part else f"{whole} {unit}"
    return f"{seconds:.3g} s"


def name(enum: type[IntEnum], value: int) -> str:
    """The member's name in words, or the number where there is no such member."""
    try:
        return enum(value).name.lower().replace("_", " ")
    except ValueError:
        return str(value)
