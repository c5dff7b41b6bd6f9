"""Runs of a campaign played again on the other emulated targets, which must send the same octets."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from cabinwatch.errors import SetupError
from cabinwatch.targets import EMULATED
from cabinwatch.verify.fuzz.run import Outcome
from cabinwatch.world.seeds import stream


def sample(seed: str, runs: Iterable[int], n: int) -> list[int]:
    """Which runs of a campaign are played again."""
    return sorted(stream(0, f"replay/{seed}").sample(numbers := list(runs), min(n, len(numbers))))


@dataclass
class Again:
    """What came of playing runs of ``target`` on the others."""

    target: str
    on: tuple[str, ...] = tuple(EMULATED)
    runs: int = 0
    targets: set[str] = field(default_factory=set)
    missing: dict[str, str] = field(default_factory=dict)
    """Targets that cannot be had here, and what to install."""
    diverged: list[str] = field(default_factory=list)

    def check(self, what: str, play_on: Callable[[str], Outcome], expected: Outcome | None = None) -> None:
        """Play it on every other target, and compare with what came of it on the campaign's own."""
        expected = expected or play_on(self.target)
        self.runs += 1
        for name in self.on:
            if name == self.target or name in self.missing:
                continue
            try:
                got = play_on(name)
            except SetupError as error:
                self.missing[name] = str(error)
                continue
            self.targets.add(name)
            if (got.sha256, got.kind) != (expected.sha256, expected.kind):
                self.diverged.append(
                    f"{what}: {name} is not {self.target}: {_told(got)} in place of {_told(expected)}"
                )

    @property
    def unfit(self) -> bool:
        """Whether a target is missing where none may be: in CI."""
        return bool(self.missing) and os.environ.get("CI") == "true"

    def text(self) -> list[str]:
        """For people."""
        where = " and ".join(sorted(self.targets)) or "no other target"
        same = "not the same" if self.diverged else "the same octets"
        return [
            f"{self.runs} runs replayed on {where}: {same}",
            *(f"not replayed on {name}: {why}" for name, why in self.missing.items()),
            *(f"DIVERGED {text}" for text in self.diverged),
        ]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "runs": self.runs,
            "targets": sorted(self.targets),
            "missing": self.missing,
            "diverged": self.diverged,
        }


def _told(outcome: Outcome) -> str:
    return f"{outcome.kind or 'nothing wrong'} after {outcome.steps} steps, {outcome.sha256[:16]}"
