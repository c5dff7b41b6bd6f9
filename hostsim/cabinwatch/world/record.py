"""A recorded cabin: a log of somebody's own read into moments, and what in it cannot be believed."""

import csv
import hashlib
import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from io import StringIO
from itertools import pairwise
from pathlib import Path
from statistics import median

from cabinwatch.errors import UsageError
from cabinwatch.models.record import Column, RecordModel
from cabinwatch.models.units import PRESSURES
from cabinwatch.text import clipped, shown

STALE = 1.5
"""A reading is the newest one for so many intervals; after that the instrument is silent."""
ROOM_K = 295.0
"""Temperature where nobody logged one."""
MOST_Pa = 1e7
"""The wire's field, as a node with 31-bit integers holds it, ends there."""
MOST_WRONG = 0.5
"""Of all rows, those that are not readings or go back in time; a log with more is not what it was taken for."""
SEPARATORS = ",;\t|"
KELVIN: dict[str, Callable[[float], float]] = {
    "K": lambda value: value,
    "C": lambda value: value + 273.15,
    "F": lambda value: (value + 459.67) / 1.8,
}


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of the log: seconds since its first, Pa, K."""

    t_s: float
    pressure_Pa: float
    temperature_K: float


@dataclass(frozen=True)
class Recording:
    """A log that has been read. What is not believed stands by its reason, as line numbers of the file."""

    name: str
    sha256: str
    rows: int
    times_s: "array[float]"
    pressures_Pa: "array[float]"
    temperatures_K: "array[float]"
    not_believed: dict[str, tuple[int, ...]]
    interval_s: float
    """The median time between two readings."""
    step_Pa: float
    """Every pressure is a whole multiple of it."""

    def __len__(self) -> int:
        return len(self.times_s)

    def __getitem__(self, i: int) -> Moment:
        return Moment(self.times_s[i], self.pressures_Pa[i], self.temperatures_K[i])

    @property
    def span_s(self) -> float:
        """From the first reading to the last."""
        return self.times_s[-1]

    def newest(self, t_s: float) -> Moment | None:
        """The reading that an instrument has at t_s; None where the last one is too old to be one."""
        i = bisect_right(self.times_s, t_s) - 1
        fresh = i >= 0 and t_s - self.times_s[i] <= STALE * self.interval_s
        return self[i] if fresh else None

    def at(self, t_s: float) -> Moment:
        """The last reading before t_s, however old; the first where there is none."""
        return self[max(0, bisect_right(self.times_s, t_s) - 1)]

    def gaps(self) -> list[tuple[float, float]]:
        """Where polls at the interval find nothing: when the last reading was, and how long until the next."""
        longest = (STALE + 1) * self.interval_s
        return [(a, b - a) for a, b in pairwise(self.times_s) if b - a > longest]


@lru_cache(maxsize=2)
def recording(model: RecordModel) -> Recording:
    """Read the log. Raises UsageError: no such file or column, not text, no readings."""
    path = Path(model.file)
    origin = shown(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {origin}: {error.strerror or error}") from None
    if not data.strip():
        raise UsageError(f"{origin} is empty: a log has a row for each reading")
    if (zero := data.find(b"\0")) >= 0:
        raise UsageError(f"{origin} is no text: octet {zero} is 0; give a log as CSV, in UTF-8")
    text = data.decode("utf-8-sig", errors="replace")
    rows = _rows(text)
    first = next(rows, (1, []))
    places, is_header = _places(model, first[1], origin)
    found = _Found(model, places, decimal_comma=_separator(text) == ";")
    if not is_header:
        found.take(*first)
    for number, cells in rows:
        found.take(number, cells)
    return found.recording(path.name, hashlib.sha256(data).hexdigest(), origin)


def _separator(text: str) -> str:
    """What separates columns: whichever the first line has most of."""
    line = text.lstrip().partition("\n")[0]
    return max(SEPARATORS, key=line.count)


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not empty and no comment, with the number of its line."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=_separator(text))
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            row = [""]
        else:
            if not any(cell.strip() for cell in row) or row[0].startswith("#"):
                continue
        yield reader.line_num, row


def _places(model: RecordModel, first: list[str], origin: str) -> tuple[list[int], bool]:
    """Where the columns of time, pressure and temperature are, and whether the first row is the header."""
    names = [cell.strip() for cell in first]
    wanted = [model.time, model.pressure, *([] if model.temperature is None else [model.temperature])]
    places = [_place(column, names, origin) for column in wanted]
    by_name = any(str(column) in names for column in wanted)
    return places, by_name or _time_s(names[places[0]]) is None


def _place(column: Column, names: list[str], origin: str) -> int:
    """A column's index: by its name, whatever the case, or by its number from 1."""
    for seen in (names, [name.casefold() for name in names]):
        word = str(column) if seen is names else str(column).casefold()
        if word in seen:
            return seen.index(word)
    if str(column).isdecimal() and 1 <= int(column) <= len(names):
        return int(column) - 1
    listed = ", ".join(f"{i} '{shown(name)}'" for i, name in enumerate(names, 1))
    raise UsageError(f"{origin}: no column '{shown(column)}'; there are {clipped(listed, 400)}")


def _time_s(cell: str) -> float | None:
    """Seconds, from seconds or ISO 8601 (UTC where it does not say); None where it is neither."""
    value = _number(cell)
    if value is None:
        try:
            moment = datetime.fromisoformat(cell)
        except ValueError:
            return None
        value = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return value if math.isfinite(value) else None


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


class _Found:
    """The rows as they are read."""

    def __init__(self, model: RecordModel, places: list[int], decimal_comma: bool) -> None:
        self._factor = PRESSURES[model.unit]
        self._kelvin = KELVIN[model.temperature_unit]
        self._places = places
        self._comma = decimal_comma
        self._lines = array("q")
        self._times_s, self._pressures_Pa, self._temperatures_K = array("d"), array("d"), array("d")
        self._written: set[str] = set()
        self._unreadable: list[int] = []
        self._kinds: dict[str, tuple[int, str]] = {}

    def take(self, line: int, cells: list[str]) -> None:
        """One row: its values, or a line that cannot be read."""
        try:
            row = [cells[place].strip() for place in self._places]
        except IndexError:
            self._unreadable.append(line)
            return
        words = [word.replace(",", ".") for word in row[1:]] if self._comma else row[1:]
        t_s = _time_s(row[0])
        try:
            values = [float(word) for word in words]
        except ValueError:
            values = [math.nan]
        pressure_Pa = values[0] * self._factor
        temperature_K = self._kelvin(values[1]) if len(values) > 1 else ROOM_K
        if t_s is None or not 0 <= pressure_Pa <= MOST_Pa or not 0 <= temperature_K < math.inf:
            self._unreadable.append(line)
            return
        kind = "a date" if _number(row[0]) is None else "seconds"
        self._kinds.setdefault(kind, (line, row[0]))
        self._written.add(words[0])
        self._lines.append(line)
        self._times_s.append(t_s)
        self._pressures_Pa.append(pressure_Pa)
        self._temperatures_K.append(temperature_K)

    def recording(self, name: str, sha256: str, origin: str) -> Recording:
        """What is to be believed: the longest run of rows whose times rise. Raises UsageError."""
        self._check_times(origin)
        kept = _rising(self._times_s)
        left = _others(kept, len(self._lines))
        known = {self._times_s[i] for i in left} & {self._times_s[i] for i in kept} if left else set()
        repeated = [i for i in left if self._times_s[i] in known]
        astray = [i for i in left if self._times_s[i] not in known]
        self._check_share(len(astray), origin)
        if len(kept) < 2:
            lines = (
                f"; lines that cannot be read: {told(tuple(self._unreadable))}" if self._unreadable else ""
            )
            raise UsageError(f"{origin}: fewer than two readings whose times rise{lines}")
        begin = self._times_s[kept[0]]
        times_s = array("d", (self._times_s[i] - begin for i in kept))
        return Recording(
            name,
            sha256,
            len(self._lines) + len(self._unreadable),
            times_s,
            array("d", (self._pressures_Pa[i] for i in kept)),
            array("d", (self._temperatures_K[i] for i in kept)),
            {
                "out of order": tuple(self._lines[i] for i in astray),
                "repeated": tuple(self._lines[i] for i in repeated),
                "unreadable": tuple(self._unreadable),
            },
            median(b - a for a, b in pairwise(times_s)),
            _step(self._written) * self._factor,
        )

    def _check_times(self, origin: str) -> None:
        if len(self._kinds) > 1:
            one, other = (
                f"line {line} has {kind} ('{clipped(shown(cell))}')"
                for kind, (line, cell) in sorted(self._kinds.items(), key=lambda item: item[1])
            )
            raise UsageError(f"{origin}: in the column of the time {one} and {other}; it has to be one kind")

    def _check_share(self, astray: int, origin: str) -> None:
        """Columns exchanged or taken for others leave few rows that say anything, or none."""
        rows, unreadable = len(self._lines) + len(self._unreadable), len(self._unreadable)
        if unreadable + astray > MOST_WRONG * rows:
            raise UsageError(
                f"{origin}: {(unreadable + astray) / rows:.0%} of {rows:,} rows say nothing ({unreadable:,} cannot be "
                f"read, {astray:,} are out of order): are these the columns of time and pressure?"
            )


def _rising(times: "array[float]") -> "array[int]":
    """The places of a longest strictly rising subsequence (patience sorting): one wild time costs one row."""
    tops = array("d")
    at, before, chain = array("q"), array("q"), array("q")
    for i, t in enumerate(times):
        pile = bisect_left(tops, t)
        before.append(at[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(t)
            at.append(i)
        elif t < tops[pile]:
            tops[pile], at[pile] = t, i
    i = at[-1] if at else -1
    while i >= 0:
        chain.append(i)
        i = before[i]
    return chain[::-1]


def _others(kept: "array[int]", n: int) -> list[int]:
    """The places up to n that are not among ``kept``, which rise."""
    wanted = iter(kept)
    following = next(wanted, n)
    others = []
    for i in range(n):
        if i == following:
            following = next(wanted, n)
        else:
            others.append(i)
    return others


def _step(written: set[str]) -> float:
    """The greatest step that every number is a whole multiple of, as they are written down."""
    try:
        values = [Decimal(word) for word in written]
    except InvalidOperation:
        return 0.0
    places = max(-int(value.as_tuple().exponent) for value in values)
    if not 0 <= places <= 12:
        return 0.0
    if len(set(values)) == 1 and values[0]:  # its whole multiples tell nothing; its last place does
        return float(10**-places)
    return float(math.gcd(*(int(value.scaleb(places)) for value in values)) / 10**places)


def told(lines: tuple[int, ...], most: int = 5) -> str:
    """Line numbers for people."""
    return ", ".join(map(str, lines[:most])) + (" ..." if len(lines) > most else "")
