"""What a page judges: a node by the conformance suite, the firmware by a campaign. Each a thread; pages look at it.

Nothing here knows of a browser. What is published is only ever added to, by one thread.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from cabinwatch.errors import CabinwatchError
from cabinwatch.models.scenario import Scenario
from cabinwatch.targets import open_target
from cabinwatch.text import shown
from cabinwatch.verify.conform import report
from cabinwatch.verify.conform.runner import CaseVerdict, Result, SuiteRun, run, select
from cabinwatch.verify.conform.targets import open_bench
from cabinwatch.verify.fuzz.campaign import Tally, campaign, outcomes
from cabinwatch.verify.fuzz.run import Outcome
from cabinwatch.verify.fuzz.shrink import shrink
from cabinwatch.verify.fuzz.swarm import draw

SHRUNK = 3
"""Failures of a campaign that are shrunk, as on the command line."""
TRIES = 100
"""Plays that shrinking one may take here: somebody waits."""


class _Work(threading.Thread):
    """Something that takes a while, can be stopped, and tells of its own end."""

    def __init__(self) -> None:
        super().__init__(name="cabinwatch-judge", daemon=True)
        self.error = ""
        self._ending = False

    def stop(self) -> None:
        """End it at the next case or run."""
        self._ending = True

    def _check(self) -> None:
        if self._ending:
            raise KeyboardInterrupt

    def run(self) -> None:
        """Do the work; what goes wrong is shown, never lost with the thread."""
        try:
            self.work()
        except KeyboardInterrupt:
            self.error = "stopped"
        except CabinwatchError as error:
            self.error = shown(str(error))
        except Exception as error:
            self.error = shown(f"{type(error).__name__}: {error}")

    def work(self) -> None:
        """What it is."""
        raise NotImplementedError


@dataclass(frozen=True)
class Judged:
    """One case as it ended: its line, and for a failure the requirement, what came, and the octets decoded."""

    line: str
    failed: bool
    details: str


class Conformance(_Work):
    """The suite on one node, case by case."""

    def __init__(self, target: str, role: str, seed: int = 1, only: Iterable[str] = ()) -> None:
        super().__init__()
        self.done = SuiteRun(target, role, seed, False)
        self.cases = select(role, only)
        self.judged: list[Judged] = []

    def work(self) -> None:
        """Run the cases."""
        bench = open_bench(self.done.target, self.done.role, self.done.seed)
        run(bench, self.cases, self.done, self._tell)

    def _tell(self, result: Result) -> None:
        failed = result.verdict is CaseVerdict.FAIL
        details = "\n".join(report.failure(result)) if failed else ""
        self.judged.append(Judged(report.live(result, self.done), failed, details))
        self._check()

    def summary(self) -> str:
        """How far it is, or the verdict where it has ended."""
        counts = dict.fromkeys(CaseVerdict, 0)
        for result in list(self.done.results):
            counts[result.verdict] += 1
        told = ", ".join(f"{n} {verdict.value}" for verdict, n in counts.items() if n)
        here = f"{len(self.judged)} of {len(self.cases)} cases: {told or 'none yet'}"
        if self.error:
            return f"{here}. {self.error}"
        return here if self.is_alive() else report.verdict(self.done)


@dataclass(frozen=True)
class Found:
    """A failure of a campaign, shrunk: the scenario that still shows it, and what says so on the command line."""

    text: str
    scenario: Scenario
    seed: int
    command: str


class Campaign(_Work):
    """Random worlds against the firmware. ``results`` gives the outcomes of (seed, runs, target)."""

    def __init__(
        self,
        seed: str,
        runs: int,
        target: str = "cpython",
        results: Callable[[str, Iterable[int], str], Iterator[Outcome]] = outcomes,
    ) -> None:
        super().__init__()
        self.seed, self.wanted, self.target = seed, runs, target
        self.tally = Tally()
        self.found: list[Found] = []
        self._results = results

    def work(self) -> None:
        """Run the campaign, and shrink what it finds."""
        self.tally, stopped = campaign(
            self._results(self.seed, range(self.wanted), self.target), progress=self._look
        )
        for outcome in self.tally.failures[:SHRUNK]:
            self.found.append(self._shrunk(outcome))
            if stopped:
                break
        if stopped:
            self.error = "stopped"

    def _look(self, tally: Tally) -> None:
        self.tally = tally
        self._check()

    def _shrunk(self, outcome: Outcome) -> Found:
        assert outcome.kind is not None
        plan = draw(self.seed, outcome.run)
        small = shrink(plan, outcome.kind, lambda: open_target(self.target), TRIES)
        command = f"cabinwatch fuzz --seed {self.seed} --only {outcome.run} --target {self.target}"
        return Found(f"run {outcome.run}, {outcome.kind}: {outcome.text}", small.scenario, plan.seed, command)

    def summary(self) -> str:
        """Counts so far."""
        counted = self.tally
        failed = sum(counted.failed.values())
        days = counted.simulated_s / 86_400
        here = (
            f"{counted.runs} of {self.wanted} runs, {days:,.1f} simulated days, {counted.packets_in:,} packets, "
            f"{counted.alarms:,} alarms; {failed} failed"
        )
        if self.is_alive():
            return here + ("; shrinking" if counted.runs == self.wanted and failed else "")
        return f"{here}. {self.error}" if self.error else f"{here}. Done."
