"""Values in the words that people read: durations, the names of the packet table, and words from outside as text."""

import math
import unicodedata
from collections.abc import Callable
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


def exactly(seconds: float, digits: int) -> str:
    """A duration in all its units, those left out that are nothing; so many digits of a second."""
    left, parts = round(seconds, digits), []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if whole := int(left // size):
            parts.append(f"{whole} {unit}")
        left -= whole * size
    return " ".join([*parts, f"{left:.{digits}f} s"] if left or digits or not parts else parts)


MOST_DIGITS = 6


def distinct(values: tuple[float, ...], write: Callable[[float, int], str]) -> tuple[str, ...]:
    """The values as text, each with the fewest digits that tell those apart that differ."""
    texts: tuple[str, ...] = ()
    for digits in range(MOST_DIGITS + 1):
        texts = tuple(write(value, digits) for value in values)
        if len(set(texts)) == len(set(values)):
            break
    return texts


def apart(*seconds: float) -> tuple[str, ...]:
    """Durations as people read them, but with as many digits as tell them apart."""
    told = tuple(duration(s) for s in seconds)
    return told if len(set(told)) == len(set(seconds)) else distinct(seconds, exactly)


def name(enum: type[IntEnum], value: int) -> str:
    """The member's name in words, or the number where there is no such member."""
    try:
        return enum(value).name.lower().replace("_", " ")
    except ValueError:
        return str(value)


def shown(words: object) -> str:
    """What comes from outside (a file, a board, a program, the wire) as one line of text, whatever it holds.

    What has no shape of its own is escaped: control characters, line ends, lone surrogates, marks that turn the reading
    direction. So it can neither command a terminal nor forge a line.
    """
    return "".join(
        c if c.isprintable() or unicodedata.category(c) == "Zs" else _escaped(c) for c in str(words)
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


def clipped(text: str, most: int = 80) -> str:
    """``text``, or its two ends where it is longer than a line of a message should be."""
    return (
        text
        if len(text) <= most
        else f"{text[: most // 2]} ... {text[-most // 4 :]} ({len(text):,} characters)"
    )


def quoted(words: str) -> str:
    """Several lines from outside, each marked as theirs: a traceback of a board, the standard error of a program."""
    return "\n".join(f"  | {shown(line)}" for line in words.strip().splitlines())


def quotable(text: str) -> str:
    """As it stands between three quotes of Python's."""
    return text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
