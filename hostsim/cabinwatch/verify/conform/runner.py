"""Run cases on a bench, one by one; every end of a target, and Ctrl-C, still leaves a result."""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum

from cabinwatch.errors import CabinwatchError, SetupError, UsageError
from cabinwatch.verify.conform import (
    cases_alarm_table,
    cases_alarms,
    cases_blindness,
    cases_boot,
    cases_frames,
    cases_instruments,
    cases_keyed,
    cases_keyed_polls,
    cases_monitor,
    cases_packets,
    cases_services,
    cases_time,
    cases_values,
)
from cabinwatch.verify.conform.bench import Bench, Exchange, Gone, Impossible, Unmet, texts
from cabinwatch.verify.conform.case import CASES, Case
from cabinwatch.verify.conform.greeting import Speechless
from cabinwatch.verify.conform.line import ExecProgram
from cabinwatch.verify.conform.live import AT_A_TIME, LiveBench
from cabinwatch.verify.conform.requirements import SPEC_VERSION, requirements
from cabinwatch.verify.conform.signing import HOLDS_NO_KEY

MODULES = (
    cases_frames,
    cases_packets,
    cases_time,
    cases_services,
    cases_monitor,
    cases_alarms,
    cases_blindness,
    cases_alarm_table,
    cases_boot,
    cases_values,
    cases_instruments,
    cases_keyed,
    cases_keyed_polls,
)
LAST = 4
"""Exchanges that are shown where a case found fewer packets than it takes."""
DEATHS = 3
"""A target that ends, or falls silent, in this many cases in a row is given up."""
AGAIN = 2
"""How often a case is tried again that failed by time alone."""
CODE_14 = "failure=tag"
"""How a failure shows a refusal for a tag."""
FIRST = "first-frames"
"""Case word of what a node gets wrong from its first frame on."""


class CaseVerdict(Enum):
    """How a case ended."""

    PASS = "pass"
    FAIL = "fail"
    SKIP = "skip"
    NOT_RUN = "not run"


@dataclass(slots=True)
class Result:
    """One case's result. ``retried``: it failed by time alone at first and was run again."""

    case: Case
    verdict: CaseVerdict
    expected: str = ""
    got: str = ""
    reason: str = ""
    timing: bool = False
    retried: bool = False
    first_try: str = ""
    seconds: float = 0.0
    log: list[Exchange] = field(default_factory=list)


@dataclass(slots=True)
class SuiteRun:
    """All results of one run. ``stopped`` says why it ended early, ``error`` why it could not be; or they are empty."""

    target: str
    role: str
    seed: int
    strict: bool
    results: list[Result] = field(default_factory=list)
    stopped: str = ""
    error: str = ""
    error_code: int = 2
    interrupted: bool = False
    seconds: float = 0.0
    spec: str = SPEC_VERSION
    baseline: frozenset[str] = frozenset()
    """IDs of the cases that are known to fail."""
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    log: list[Exchange] = field(default_factory=list)
    """What was said before the first case."""

    def against_baseline(self, result: Result) -> Result:
        """The result as it counts beside what is known of the node: an old failure does not, its end does."""
        if result.case.id not in self.baseline:
            return result
        if result.verdict is CaseVerdict.FAIL:
            known = f"fails as the baseline says: {result.got}"
            return replace(result, verdict=CaseVerdict.SKIP, reason=known)
        if result.verdict is CaseVerdict.PASS:
            got = "it passes by now: take it out of the baseline"
            return replace(
                result, verdict=CaseVerdict.FAIL, expected="a failure, as the baseline says", got=got
            )
        return result

    def counts(self, result: Result) -> bool:
        """Whether a failure of that case makes the run fail."""
        return result.verdict is CaseVerdict.FAIL and (result.case.must or self.strict)

    @property
    def failed(self) -> list[Result]:
        """The failures that count."""
        return [r for r in self.results if self.counts(r)]

    @property
    def hint(self) -> str:
        """What many failures have in common, in a sentence, where that is a key; or ""."""
        got = [r.got for r in self.failed]
        if any(HOLDS_NO_KEY in text for text in got):
            return f"{HOLDS_NO_KEY}; without --key it is judged as a node without key"
        if any(CODE_14 in text for text in got) and not any(
            r.case.id.startswith("KEY-") for r in self.failed
        ):
            return (
                "the node seems keyed: it refuses telecommands with code 14 (tag). --key OWNER.key judges it by "
                "section 19; run it without its key for all else"
            )
        return ""

    @property
    def exit_code(self) -> int:
        """0 conforms, 1 does not, 3 the target ended before all cases were run, 130 interrupted, or the error's own."""
        if self.interrupted:
            return 130
        if self.error:
            return self.error_code
        first = any(r.case.id.split("/")[1].startswith(FIRST) for r in self.results)
        return 3 if self.stopped and not first else int(bool(self.failed))


def select(role: str, only: Iterable[str] = (), skip: Iterable[str] = (), keyed: bool = False) -> list[Case]:
    """The role's cases in the order of SPEC.md, of ``keyed`` nodes or of others.

    ``only`` and ``skip`` are case or requirement IDs, or their beginnings.

    Several may stand in one word, with commas between them. Raises UsageError for one that fits no case.
    """
    order = {id_: i for i, id_ in enumerate(requirements())}
    mine = sorted(
        (c for c in CASES if role in c.roles and c.id.startswith("KEY-") == keyed),
        key=lambda c: order[c.requirement.id],
    )
    picked = [[w.strip() for word in words for w in word.split(",") if w.strip()] for words in (only, skip)]
    for word in (*picked[0], *picked[1]):
        if not any(c.id.startswith(word) for c in mine):
            if any(role in c.roles and c.id.startswith(word) for c in CASES):
                wanted = (
                    "of keyed nodes: give --key" if not keyed else "of nodes without key: leave --key out"
                )
                raise UsageError(f"{word!r} is {wanted} (it chooses the list of cases)")
            raise UsageError(
                f"no {role} case {word!r}; see --list. A case ID (FRM-02/shared) or the beginning of one"
            )
    chosen = [c for c in mine if not picked[0] or any(c.id.startswith(w) for w in picked[0])]
    return [c for c in chosen if not any(c.id.startswith(w) for w in picked[1])]


def run_case(bench: Bench, case: Case) -> Result:
    """Run one case once. Raises Gone where the target ends, KeyboardInterrupt."""
    begin = time.monotonic()
    result = Result(case, CaseVerdict.PASS)
    try:
        bench.begin()
        case.run(bench)
        if odd := bench.strangers():
            raise Unmet("packets of section 15 and no others, unasked ones too", texts(odd[:3]))
    except Unmet as unmet:
        result.verdict = CaseVerdict.FAIL
        result.expected, result.got, result.timing = unmet.expected, unmet.got, unmet.timing
    except (IndexError, StopIteration, ValueError):
        # Only a wrong node brings a case here, with a list that has not what the case goes on to look at.
        result.verdict, result.expected = (
            CaseVerdict.FAIL,
            "the packets that this case looks at, as many as it takes",
        )
        result.got = texts(bench.since(max(0, len(bench.log) - LAST))[-3:])
    except Impossible as impossible:
        result.verdict, result.reason = CaseVerdict.SKIP, str(impossible)
    result.seconds = time.monotonic() - begin
    result.log = list(bench.log)
    return result


class Beside:
    """The cases on nodes of their own, several at a time, as most of a case is waiting; only a program starts twice."""

    def __init__(self, bench: Bench, cases: Iterable[Case]) -> None:
        self._pool = ThreadPoolExecutor(max_workers=AT_A_TIME)
        self._benches: list[LiveBench] = []
        self._results: dict[str, Future[Result | None]] = {}
        if isinstance(bench, LiveBench) and isinstance(bench.line, ExecProgram) and not bench.mistakes:
            for case in sorted(cases, key=lambda c: not c.beside):
                self._results[case.id] = self._pool.submit(self._judge, bench, case)

    def _judge(self, bench: LiveBench, case: Case) -> Result | None:
        twin = bench.twin()
        self._benches.append(twin)
        try:
            return judge(twin, case)
        except CabinwatchError:
            return None
        finally:
            twin.close()

    def result(self, case: Case) -> Result | None:
        """What came of a case; None where it has to be run on the one node that there is."""
        waiting = self._results.get(case.id)
        while waiting is not None and not waiting.done():
            time.sleep(0.01)
        found = waiting.result() if waiting is not None else None
        # Too late beside others on a busy machine may be in time alone.
        return None if found is not None and found.verdict is CaseVerdict.FAIL and found.timing else found

    def close(self) -> None:
        """Stop what still runs."""
        for waiting in self._results.values():
            waiting.cancel()
        for bench in self._benches:
            bench.stopped = True
        self._pool.shutdown()


def judge(bench: Bench, case: Case) -> Result:
    """Run a case; on a live bench again where it failed by time alone, which a busy machine may be to blame for."""
    first = result = run_case(bench, case)
    for _ in range(0 if bench.emulated else AGAIN):
        if not (result.verdict is CaseVerdict.FAIL and result.timing):
            break
        bench.watch_anew()
        seconds = result.seconds
        result = run_case(bench, case)
        result.retried, result.first_try = True, f"expected {first.expected}; got {first.got}"
        result.seconds += seconds
    return result


def _revive(bench: Bench) -> str:
    """Start the target again after it ended; why that cannot be, or ""."""
    bench.close()
    try:
        bench.start()
    except (CabinwatchError, Unmet) as error:
        return str(error)
    return ""


def first_frames(bench: Bench, role: str) -> list[Result]:
    """What the node gets wrong from its first frame on, as failures of the requirements that it breaks."""
    if not isinstance(bench, LiveBench):
        return []
    results: list[Result] = []
    for mistake in bench.mistakes:
        before = sum(r.case.requirement.id == mistake.requirement for r in results)
        word = FIRST + (f"-{before + 1}" if before else "")
        text = "The first frames are right, and the node answers right ones."
        case = Case(f"{mistake.requirement}/{word}", (), (role,), text, lambda b: None)
        results.append(
            Result(
                case, CaseVerdict.FAIL, mistake.expected, mistake.got, log=[] if results else list(bench.log)
            )
        )
    return results


def _start(bench: Bench, done: SuiteRun, tell: Callable[[Result], None]) -> frozenset[str]:
    """Bring the node up; the requirements that it is known to break, so that no case judges them leniently."""
    try:
        bench.start()
    except Unmet as unmet:
        raise SetupError(
            f"{done.target} cannot be judged: expected {unmet.expected}; got {unmet.got}"
        ) from None
    except Speechless as speechless:
        done.stopped = str(speechless)
    finally:
        done.log = list(bench.log)
    for result in map(done.against_baseline, first_frames(bench, done.role)):
        done.results.append(result)
        tell(result)
    return frozenset(bench.lenient) if isinstance(bench, LiveBench) else frozenset()


@contextmanager
def running(bench: Bench, done: SuiteRun, tell: Callable[[Result], None]) -> Iterator[frozenset[str]]:
    """The node up, and down again however it ends; gives the requirements that it is known to break."""
    begin = time.monotonic()
    up = False
    try:
        broken = _start(bench, done, tell)
        up = True
        yield broken
    except KeyboardInterrupt:
        done.interrupted = True
        if not up:  # there is nothing to go on with
            raise
    finally:
        bench.close()
        done.seconds = time.monotonic() - begin


def run(
    bench: Bench,
    cases: list[Case],
    done: SuiteRun,
    tell: Callable[[Result], None] = lambda result: None,
    max_failed: int = 0,
    say: Callable[[str], None] = lambda text: None,
) -> SuiteRun:
    """Run the cases and add the results to ``done``; ``tell`` hears each; no more after ``max_failed`` (0: all).

    ``say`` hears how long it will take, where that is long.

    Raises SetupError where nothing answers.
    """
    deaths = 0
    with running(bench, done, tell) as broken:
        if isinstance(bench, LiveBench) and (text := bench.pace(len(cases) / len(select(done.role)))):
            say(text)
        beside = Beside(bench, [] if done.stopped else cases)
        try:
            for case in cases:
                if done.stopped:
                    result = Result(case, CaseVerdict.NOT_RUN, reason=done.stopped.partition("\n")[0])
                elif 0 < max_failed <= len(done.failed):
                    result = Result(
                        case, CaseVerdict.NOT_RUN, reason=f"{max_failed} failed: enough (--maxfail)"
                    )
                elif case.requirement.id in broken:
                    result = Result(
                        case, CaseVerdict.NOT_RUN, reason=f"fails: see {case.requirement.id}/{FIRST}"
                    )
                else:
                    try:
                        result, deaths = beside.result(case) or judge(bench, case), 0
                    except Gone as gone:
                        deaths += 1
                        result = Result(
                            case, CaseVerdict.FAIL, "a node that goes on", str(gone), log=list(bench.log)
                        )
                        why = "it ended in one case after the other" if deaths >= DEATHS else _revive(bench)
                        done.stopped = f"the target ended in {case.id} and was given up: {why}" if why else ""
                result = done.against_baseline(result)
                done.results.append(result)
                tell(result)
        finally:
            beside.close()
    run_already = {r.case.id for r in done.results}
    done.results += [
        Result(c, CaseVerdict.NOT_RUN, reason="interrupted") for c in cases if c.id not in run_already
    ]
    return done
