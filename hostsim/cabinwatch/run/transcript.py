"""Transcripts: JSON Lines, a header and then one line a step; their hash is the SHA-256 of the step lines."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cabinwatch.errors import UsageError
from cabinwatch.files import Whole
from cabinwatch.models.node_faults import PowerLoss

LAST_MS = 1 << 53
"""Where the milliseconds of a step end: what JSON's numbers carry exactly."""
FORMAT = "cabinwatch-transcript-1"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: at t_ms the node got ``rx`` (or was reset), sent ``tx`` and wants to be woken after ``wake_ms``.

    ``power``: the supply failed in its first write to storage, and how; with ``reset``: between writes.
    """

    t_ms: int
    rx: bytes
    tx: bytes
    wake_ms: int
    reset: bool = False
    power: PowerLoss | None = None

    def line(self) -> bytes:
        """Its line, newline included."""
        reset = ',"reset":true' if self.reset else ""
        power = f',"power":[{self.power[0]},{self.power[1]}]' if self.power else ""
        text = f'{{"t_ms":{self.t_ms},"rx":"{self.rx.hex()}","tx":"{self.tx.hex()}","wake_ms":{self.wake_ms}'
        return f"{text}{reset}{power}}}\n".encode()


class Recorder:
    """Hashes every step and, given a file, writes it down.

    The recording takes its name when it is closed, and only where there was a step: until then what had the name stays.
    """

    def __init__(self, path: Path | None = None, header: dict[str, Any] | None = None) -> None:
        self._hash = hashlib.sha256()
        self.steps = 0
        self._header = json.dumps({"format": FORMAT, **(header or {})}).encode() + b"\n"
        self._file = Whole(path, "record to") if path is not None else None

    def add(self, step: Step) -> None:
        """Take one step down."""
        line = step.line()
        self._hash.update(line)
        if self._file is not None:
            try:
                self._file.write(line if self.steps else self._header + line)
            except UsageError as error:
                raise UsageError(f"the recording ends here: {error}") from None
        self.steps += 1

    @property
    def sha256(self) -> str:
        """The hash so far, in hex."""
        return self._hash.hexdigest()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            if self.steps:
                self._file.commit()
            else:
                self._file.discard()


@dataclass(frozen=True)
class Transcript:
    """A recording read back. ``cut`` says what is wrong with its end, or is empty."""

    header: dict[str, Any]
    steps: list[Step]
    cut: str

    @property
    def sha256(self) -> str:
        """The hash of its steps."""
        return hashlib.sha256(b"".join(step.line() for step in self.steps)).hexdigest()


def read(path: Path) -> Transcript:
    """Read a recording. A cut last line is told and left out; damage further up raises UsageError with the line."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    lines = data.split(b"\n")
    ragged = lines.pop()
    header = _header(path, lines[0] if lines else ragged)
    steps = list(_steps(path, lines[1:]))
    offset = len(data) - len(ragged)
    cut = (
        f"the recording ends in mid-line at byte {offset}; {len(steps)} whole steps before it"
        if ragged
        else ""
    )
    return Transcript(header, steps, cut)


def _header(path: Path, line: bytes) -> dict[str, Any]:
    try:
        header = json.loads(line)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise UsageError(f"{path}: not a cabinwatch recording: its first line is not a {FORMAT} header")
    return header


def _within(number: Any, most: int) -> int:
    """A whole number from 0 to ``most``; ValueError for another."""
    if not 0 <= number <= most:
        raise ValueError
    return int(number)


def _power(pair: list[int] | None) -> PowerLoss | None:
    return None if pair is None else (_within(pair[0], 255), int(pair[1]))


def _steps(path: Path, lines: list[bytes]) -> Iterator[Step]:
    for number, line in enumerate(lines, 2):
        try:
            d = json.loads(line)
            yield Step(
                _within(d["t_ms"], LAST_MS),
                bytes.fromhex(d["rx"]),
                bytes.fromhex(d["tx"]),
                _within(d["wake_ms"], LAST_MS),
                bool(d.get("reset")),
                _power(d.get("power")),
            )
        except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError):
            raise UsageError(f"{path}:{number}: not a step of a transcript: {line[:60]!r}") from None
