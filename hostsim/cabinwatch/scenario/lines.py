"""Where a key stands in a TOML text, so that an error can name its line (no TOML library keeps that)."""

import re

_HEADER = re.compile(r"^\s*(\[\[?)([^\]]+)\]")
_KEY = re.compile(r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")

Path = tuple[str | int, ...]


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in _PART.findall(dotted)]


def key_lines(text: str) -> dict[Path, int]:
    """Line number (from 1) of each table header and key of a TOML text, by path; [[x]] counts its entries from 0."""
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = ()
            *parents, last = _parts(header[2])
            for part in parents:
                table += (part,)
                if table in counts:
                    table += (counts[table],)
            table += (last,)
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                lines.setdefault(table, number)
                table += (counts[table],)
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault(table + tuple(_parts(key[1])), number)
    return lines


def find_line(lines: dict[Path, int], path: Path) -> int | None:
    """The line of ``path``, or of the nearest parent that has one; parts the file does not spell are passed over."""
    found: Path = ()
    for part in path:
        longer = (*found, part)
        if any(known[: len(longer)] == longer for known in lines):
            found = longer
    while found and found not in lines:
        found = found[:-1]
    return lines.get(found)
