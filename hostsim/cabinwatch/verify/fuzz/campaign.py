"""A campaign: many runs of one seed, in one or more processes or on a cluster, and what came of them all."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cabinwatch.errors import ClusterLost
from cabinwatch.verify.cluster import on_cluster
from cabinwatch.verify.fuzz.findings import Finding
from cabinwatch.verify.fuzz.run import Outcome, one
from cabinwatch.verify.fuzz.situations import ENOUGH_RUNS, SITUATIONS
from cabinwatch.verify.parallel import on_cores

YEAR_s = 365.25 * 86_400
WRONGLY_ACCEPTED = (Finding.WRONG, Finding.EXTRA, Finding.CODEC)
"""What comes of a packet that was taken though it should not have been."""
NOT_EVERYWHERE = 1
"""The exit code where nothing is wrong, but a situation was never entered."""
KEPT = 20
"""Failures a campaign keeps in full."""


@dataclass
class Tally:
    """What a campaign counts."""

    runs: int = 0
    steps: int = 0
    simulated_s: float = 0.0
    packets_in: int = 0
    alarms: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    entered: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SITUATIONS, 0))
    not_judged: dict[str, int] = field(default_factory=dict)
    failed: dict[Finding, int] = field(default_factory=dict)
    failures: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count one run."""
        self.runs += 1
        self.steps += outcome.steps
        self.simulated_s += outcome.simulated_s
        self.packets_in += outcome.packets_in
        self.alarms += outcome.alarms
        self.modes[outcome.mode] = self.modes.get(outcome.mode, 0) + 1
        for kind, n in outcome.faults.items():
            self.faults[kind] = self.faults.get(kind, 0) + n
        for situation, n in outcome.entered.items():
            self.entered[situation] += n
        for reason in outcome.not_judged:
            self.not_judged[reason] = self.not_judged.get(reason, 0) + 1
        if outcome.kind:
            self.failed[outcome.kind] = self.failed.get(outcome.kind, 0) + 1
            self.failures.append(outcome)
            # Results come in any order from several processes; what is kept does not depend on it.
            self.failures.sort(key=lambda o: o.run)
            del self.failures[KEPT:]

    @property
    def exit_code(self) -> int:
        """The code of the first failure's class; without any 0, or 1 where so many runs should have been everywhere."""
        kinds = (outcome.kind for outcome in self.failures)
        missed = self.runs >= ENOUGH_RUNS and bool(self.never_entered)
        return next((kind.exit_code for kind in kinds if kind), NOT_EVERYWHERE if missed else 0)

    @property
    def never_entered(self) -> list[str]:
        """The situations in which no run was."""
        return [situation for situation, n in self.entered.items() if not n]

    def as_json(self, wall_s: float) -> dict[str, Any]:
        """The campaign's object."""
        wrong = sum(self.failed.get(k, 0) for k in WRONGLY_ACCEPTED)
        return {
            "runs": self.runs,
            "wall_s": round(wall_s, 2),
            "runs_per_s": round(self.runs / wall_s, 1) if wall_s else 0.0,
            "simulated_years": round(self.simulated_s / YEAR_s, 4),
            "steps": self.steps,
            "packets_received": self.packets_in,
            "packets_wrongly_accepted": wrong,
            "alarms_missed": sum(self.failed.get(k, 0) for k in (Finding.MISSED_ALARM, Finding.LATE_ALARM)),
            "alarms_false": self.failed.get(Finding.FALSE_ALARM, 0),
            "state_after_healing_wrong": self.failed.get(Finding.STATE, 0),
            "faults_injected": dict(sorted(self.faults.items())),
            "modes": dict(sorted(self.modes.items())),
            "failed": {str(kind): n for kind, n in sorted(self.failed.items())},
            "not_judged": dict(sorted(self.not_judged.items())),
            "situations": dict(self.entered),
            "never_entered": self.never_entered,
            "failures": [
                {"run": o.run, "class": o.kind, "text": o.text, "sha256": o.sha256} for o in self.failures
            ],
        }


def outcomes(
    seed: str,
    runs: Iterable[int],
    target: str,
    jobs: int = 1,
    scheduler: str | None = None,
) -> Iterator[Outcome]:
    """The outcomes of ``runs``, in whatever order they are done: in processes, or on a Dask cluster."""
    work = partial(one, seed, target=target)
    return on_cluster(scheduler, work, runs) if scheduler else on_cores(jobs, work, runs, chunk=8)


class UntilLost:
    """Results up to where the cluster is lost; ``error`` then says why."""

    def __init__(self, results: Iterable[Outcome]) -> None:
        self._results = results
        self.error: ClusterLost | None = None

    def __iter__(self) -> Iterator[Outcome]:
        try:
            yield from self._results
        except ClusterLost as error:
            self.error = error


def campaign(
    results: Iterable[Outcome],
    seconds: float | None = None,
    progress: Callable[[Tally], None] = lambda tally: None,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Tally, bool]:
    """Count results until they end, until ``seconds`` of wall time have passed, or until Ctrl-C (then True)."""
    tally = Tally()
    end = None if seconds is None else clock() + seconds
    try:
        for outcome in results:
            tally.add(outcome)
            progress(tally)
            if end is not None and clock() >= end:
                break
    except KeyboardInterrupt:
        return tally, True
    return tally, False
