"""Scenario files: TOML, checked against one model; a bad file is refused by file, line and key."""

import difflib
import sys
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from cabinwatch.errors import UsageError
from cabinwatch.models.contradictions import contradictions
from cabinwatch.models.fields import Misfit
from cabinwatch.models.scenario import Scenario
from cabinwatch.scenario.bounds import check_bounds
from cabinwatch.scenario.lines import Path as Key
from cabinwatch.scenario.lines import as_written, key_lines
from cabinwatch.text import clipped, shown

DEFAULT = "prk-2024"
STDIN = "-"
LARGEST = 1_250_000
"""Octets of a scenario file: 800 times the longest that is bundled."""
MESSAGE = 1000
"""Characters of what is said of one key: more than the longest list of what is allowed."""
TOLD = 20
"""Faults of a file that are told."""


def bundled() -> dict[str, Path]:
    """The bundled scenario files by name."""
    folder = Path(str(resources.files("cabinwatch.scenario") / "files"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def locate(name: str) -> Path:
    """The file of a bundled name or a path. Raises UsageError that lists the names."""
    names = bundled()
    if name in names:
        return names[name]
    path = Path(name)
    if path.suffix == ".toml" or "/" in name or path.exists():
        if (
            not path.exists() or path.is_dir()
        ):  # a pipe is as good as a file: cabinwatch run <(made by a program)
            raise UsageError(f"no scenario file {shown(name)}")
        return path
    near = difflib.get_close_matches(name, names, n=1)
    missing = f"{shown(name)}: did you mean {near[0]}?" if near else f"{name!r}."
    raise UsageError(
        f"no scenario {missing} Bundled: {', '.join(names)}. Or give the path of a TOML file, or - for standard input."
    )


OTHERS = {
    ".csv": "cabinwatch playback tells what the monitor would have said of a log",
    ".jsonl": "a recording is played again by cabinwatch replay, drawn by plot, and shown by serve",
}
"""By suffix: what plays the other files that this project reads."""


def parse(text: str, origin: str, folder: Path | None = None) -> Scenario:
    """Check the text of a scenario file; ``origin`` names it in errors. Raises UsageError with line and key.

    Files that it names are looked for in ``folder``; by default where the program runs.
    """
    origin = shown(origin)
    check_bounds(text, origin)
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise UsageError(f"{origin}: not TOML that can be read: nested too deeply") from None
    except ValueError as error:  # TOMLDecodeError, or a number of more digits than Python converts
        raise UsageError(f"{origin}: not TOML: {shown(error)}") from None
    _find_record(data, folder or Path())
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        told = error.errors(include_url=False, include_input=False)[:TOLD]
        lines = key_lines(text)
        faults = [_fault(origin, lines, e) for e in told]
        if more := error.error_count() - len(told):
            faults.append(f"{origin}: and {more:,} more")
        raise UsageError("\n".join(faults)) from None
    if found := list(contradictions(scenario)):
        lines = key_lines(text)
        raise UsageError("\n".join(_told(origin, lines, path, words) for path, words in found))
    return scenario


def _find_record(data: dict[str, Any], folder: Path) -> None:
    """A log's name is meant beside the scenario file."""
    cabin = data.get("cabin")
    record = cabin.get("record") if isinstance(cabin, dict) else None
    if isinstance(record, dict) and isinstance(record.get("file"), str):
        record["file"] = str(folder / record["file"])


def _fault(origin: str, lines: dict[Key, int], fault: ErrorDetails) -> str:
    why = fault.get("ctx", {}).get("error")
    path = fault["loc"] + (why.key if isinstance(why, Misfit) else ())
    msg = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        msg = "no such key here"
        if allowed := _allowed(path[:-1]):
            msg += f"; allowed: {', '.join(allowed)}"
    return _told(origin, lines, path, msg, is_missing=fault["type"] == "missing")


def _told(origin: str, lines: dict[Key, int], path: Key, msg: str, is_missing: bool = False) -> str:
    """What is wrong with a key, where it stands (or should), and its name as the file has it."""
    place = as_written(lines, path)
    where = f"{origin}:{lines[place]}" if place else origin
    key = clipped(".".join(shown(part) for part in (*place, *path[-1:] * is_missing))) or "the file"
    return f"{where}: {key}: {clipped(shown(msg), MESSAGE)}"


def _allowed(loc: tuple[str | int, ...]) -> list[str]:
    """The keys a table takes, by its place in the file; empty where the place is a choice of several tables."""
    model: type | None = Scenario
    for part in loc:
        fields = getattr(model, "model_fields", {})
        if part in fields:
            annotation = fields[part].annotation
            inner = [
                a for a in (annotation, *getattr(annotation, "__args__", ())) if hasattr(a, "model_fields")
            ]
            model = inner[0] if inner else None
    return [field.alias or name for name, field in getattr(model, "model_fields", {}).items()]


def load(name: str) -> tuple[Scenario, str]:
    """The scenario of a bundled name, a path, or ``-`` (standard input), and its text. Raises UsageError."""
    origin = "standard input" if name == STDIN else str(locate(name))
    if other := OTHERS.get(Path(origin).suffix):
        raise UsageError(f"{shown(origin)} is no scenario: {other}")
    try:
        with sys.stdin.buffer if name == STDIN else open(origin, "rb") as file:
            data = file.read(LARGEST + 1)
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {shown(origin)}: {error}") from None
    if len(data) > LARGEST:
        raise UsageError(f"{shown(origin)}: more than {LARGEST:,} octets are no scenario")
    return parse(text, origin, None if name == STDIN else Path(origin).parent), text
