"""Alarm statistics in the words of ISA-18.2 and EEMUA 191: how many, how bunched, how brief, how long, which class."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

CLASSES: Final = ("nominal", "advisory", "caution", "warning", "emergency")
TEN_MINUTES_S: Final = 600.0
CHATTER: Final = (3, 60.0)
"""An alarm chatters that is raised three times within a minute (ISA-18.2)."""
FLEETING_S: Final = 60.0
"""One that is over sooner than a person can act is fleeting."""
STALE_S: Final = 86_400.0
"""One that stands for a day is stale."""


@dataclass(frozen=True)
class Spell:
    """One alarm, from when it was raised to when it returned to normal; the worst class that it had."""

    start_s: float
    end_s: float
    cls: int


@dataclass(frozen=True)
class AlarmFigures:
    """What an operator had to bear."""

    a_day: float
    worst_ten_minutes: int
    chattering: int
    fleeting: int
    stale: int
    classes: dict[str, int]


def figures(spells: Sequence[Spell], span_s: float) -> AlarmFigures:
    """Of the spells of one span of time, in the order of their starts."""
    starts = [s.start_s for s in spells]
    most, within_s = CHATTER
    chattering: set[int] = set()
    for i in range(len(starts) - most + 1):
        if starts[i + most - 1] - starts[i] <= within_s:
            chattering.update(range(i, i + most))
    lengths = [s.end_s - s.start_s for s in spells]
    counted = Counter(CLASSES[s.cls] for s in spells)
    return AlarmFigures(
        a_day=len(spells) * 86_400 / span_s,
        worst_ten_minutes=max(
            (bisect_left(starts, t + TEN_MINUTES_S) - i for i, t in enumerate(starts)), default=0
        ),
        chattering=len(chattering),
        fleeting=sum(length < FLEETING_S for length in lengths),
        stale=sum(length >= STALE_S for length in lengths),
        classes={name: counted[name] for name in CLASSES[1:]},
    )
