"""Where a key stands in a TOML text, so that an error can name its line: for a text that is known to be TOML."""

import re
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
    (?P<string> \"{3} (?: [^"\\] | \\. | "{1,2}(?!") )*+ "{3,5} | " (?: [^"\\\n] | \\. )*+ "
              | '{3} (?: [^'] | '{1,2}(?!') )*+ '{3,5} | ' [^'\n]*+ ' )
    | (?P<mark> [\n\[\]{}=,.] )
    | (?P<bare> [^\s"'\#\[\]{}=,.]++ )
    | \#[^\n]*+
    """,
    re.VERBOSE | re.DOTALL,
)
"""Strings of the four kinds, marks, what stands bare (parts of keys, numbers, dates); comments fall away."""

Path = tuple[str | int, ...]


class _Token(NamedTuple):
    text: str
    line: int
    is_string: bool


def _tokens(text: str) -> Iterator[_Token]:
    line, counted = 1, 0
    for found in _TOKEN.finditer(text):
        line += text.count("\n", counted, found.start())
        counted = found.start()
        if found.lastgroup is not None:
            yield _Token(found[0], line, found.lastgroup == "string")


class _Reader:
    """Walks a text once and notes the line of each key, table and entry."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._tokens = list(_tokens(text))
        self._at = 0

    def read(self) -> None:
        entries: dict[Path, int] = {}
        table: Path = ()
        while self._at < len(self._tokens):
            if self._peek("\n"):
                self._at += 1
            elif self._peek("["):
                table = self._header(entries)
            else:
                self._pair(table)

    def _peek(self, *marks: str) -> bool:
        token = self._tokens[self._at] if self._at < len(self._tokens) else _Token("\n", 0, False)
        return not token.is_string and token.text in marks

    def _skip(self, *marks: str) -> None:
        while self._at < len(self._tokens) and self._peek(*marks):
            self._at += 1

    def _note(self, path: Path, line: int) -> None:
        for size in range(len(path), 0, -1):
            if path[:size] in self.lines:
                break
            self.lines[path[:size]] = line

    def _key(self, end: str) -> tuple[Path, int]:
        line = self._tokens[self._at].line
        parts: Path = ()
        while not self._peek(end):
            token = self._tokens[self._at]
            self._at += 1
            if token.is_string:
                parts += (tomllib.loads(f"key = {token.text}")["key"],)
            elif token.text != ".":
                parts += (token.text,)
        return parts, line

    def _header(self, entries: dict[Path, int]) -> Path:
        self._at += 1
        is_entry = self._peek("[")
        self._at += is_entry
        parts, line = self._key("]")
        self._at += 1 + is_entry
        table: Path = ()
        for part in parts[:-1]:
            table += (part,)
            if table in entries:
                table += (entries[table],)
        table += parts[-1:]
        if is_entry:
            entries[table] = entries.get(table, -1) + 1
            table += (entries[table],)
        self._note(table, line)
        return table

    def _pair(self, table: Path) -> None:
        parts, line = self._key("=")
        self._note(table + parts, line)
        self._at += 1
        self._value(table + parts)

    def _value(self, path: Path) -> None:
        if self._peek("["):
            self._at += 1
            self._skip("\n")
            entry = 0
            while not self._peek("]"):
                self._note((*path, entry), self._tokens[self._at].line)
                self._value((*path, entry))
                entry += 1
                self._skip("\n", ",")
            self._at += 1
        elif self._peek("{"):
            self._at += 1
            self._skip("\n")
            while not self._peek("}"):
                self._pair(path)
                self._skip("\n", ",")
            self._at += 1
        else:
            while not self._peek("\n", ",", "]", "}"):
                self._at += 1


def key_lines(text: str) -> dict[Path, int]:
    """Line number (from 1) of each key, table and entry of a text that is TOML, by path; entries count from 0."""
    reader = _Reader(text)
    reader.read()
    return reader.lines


def as_written(lines: dict[Path, int], path: Path) -> Path:
    """``path`` without the parts that the file does not spell, such as the names of a choice of tables."""
    found: Path = ()
    for part in path:
        if (*found, part) in lines:
            found = (*found, part)
    return found
