"""Transcripts: JSON Lines, a header, one line a step, and a last line that says how many steps and their hash.

The hash is the SHA-256 of the step lines. Without that last line nothing tells a whole recording from one cut short.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cabinwatch.errors import UsageError
from cabinwatch.files import Whole
from cabinwatch.models.node_faults import PowerLoss

LAST_MS = 1 << 53
"""Where the milliseconds of a step end: what JSON's numbers carry exactly."""
FORMAT = "cabinwatch-transcript-2"
OLDER = "cabinwatch-transcript-1"
"""It had no last line."""


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
    However the run ended, its last line is written then.
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
                self._file.write(_end(self.steps, self.sha256))
                self._file.commit()
            else:
                self._file.discard()


def _end(steps: int, sha256: str) -> bytes:
    return f'{{"steps":{steps},"sha256":"{sha256}"}}\n'.encode()


@dataclass(frozen=True)
class Transcript:
    """A recording read back. ``cut`` says why it is no proof of a whole run, or is empty."""

    header: dict[str, Any]
    steps: list[Step]
    cut: str

    @property
    def sha256(self) -> str:
        """The hash of its steps."""
        return hashlib.sha256(b"".join(step.line() for step in self.steps)).hexdigest()


def read(path: Path) -> Transcript:
    """Read a recording. What is wrong with its end is told; damage further up raises UsageError with the line."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    lines = data.split(b"\n")
    ragged = lines.pop()
    header = _header(path, lines[0] if lines else ragged)
    body, end = lines[1:], b""
    if header["format"] == FORMAT and body and body[-1].startswith(b'{"steps":'):
        end = body.pop() + b"\n"
    transcript = Transcript(header, list(_steps(path, body)), "")
    return replace(transcript, cut=_cut(transcript, end, len(data) - len(ragged) if ragged else None))


def _cut(transcript: Transcript, end: bytes, ragged_at: int | None) -> str:
    """What keeps the recording from proof."""
    steps = len(transcript.steps)
    if ragged_at is not None:
        return f"the recording ends in mid-line at byte {ragged_at}; {steps} whole steps before it"
    if not steps:
        return "there is no step in the recording"
    if transcript.header["format"] == OLDER:
        return f"a recording of format 1 does not say how many steps it had; {steps} are there"
    if not end:
        return f"the recording is cut short: no last line says how many steps it had; {steps} are there"
    if end != _end(steps, transcript.sha256):
        return f"the {steps} steps of the recording are not those that its last line tells of"
    return ""


def _header(path: Path, line: bytes) -> dict[str, Any]:
    try:
        header = json.loads(line)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict) or header.get("format") not in (FORMAT, OLDER):
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
