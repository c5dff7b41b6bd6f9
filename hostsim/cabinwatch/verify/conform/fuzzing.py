"""``conform --fuzz`` and ``--play``: sequences against a node, the verdict as a result among the others."""

from collections.abc import Callable
from pathlib import Path

from cabinwatch.errors import UsageError
from cabinwatch.verify.conform import odd
from cabinwatch.verify.conform.bench import Bench
from cabinwatch.verify.conform.case import Case
from cabinwatch.verify.conform.runner import CaseVerdict, Result, SuiteRun, running
from cabinwatch.verify.conform.targets import open_bench

OURS = {"transducer": "host", "monitor": "cpython"}
"""The node that says what is right: for the transducer that of the other codec."""


def _result(done: SuiteRun, requirement: str, word: str, text: str) -> Result:
    return Result(Case(f"{requirement}/{word}", (), (done.role,), text, lambda b: None), CaseVerdict.PASS)


def _judge(b: Bench, ours: Bench, steps: list[odd.Step], result: Result, found: odd.Difference) -> Result:
    """The failure, with the octets of the sequence."""
    id_ = f"{found.requirement}/{result.case.id.split('/')[1]}"
    case = Case(id_, (), result.case.roles, result.case.text, result.case.run)
    return Result(case, CaseVerdict.FAIL, found.expected, found.got, log=list(b.log))


def fuzz(
    bench: Bench, done: SuiteRun, runs: int, folder: Path, tell: Callable[[Result], None]
) -> Path | None:
    """Play ``runs`` drawn sequences; the first that shows a difference is shrunk and written, and its path returned."""
    ours, written = open_bench(OURS[done.role], done.role, done.seed), None
    with running(bench, done, tell):
        ours.start()
        text = f"{runs} sequences of good, damaged and odd frames are answered as our own {done.role} answers them."
        result = _result(done, "FRM-13", "fuzz", text)
        for number in range(runs):
            steps = odd.draw(done.seed, number, bench)
            if found := odd.compare(bench, ours, steps):
                steps, found = odd.shrink(bench, ours, steps, found)
                # Once more, for the log: a difference that does not come again would be no proof.
                found = odd.compare(bench, ours, steps) or found
                result = _judge(bench, ours, steps, result, found)
                written = folder / f"conform-{done.role}-{done.seed}-{number}.json"
                odd.write(written, done.role, done.seed, number, steps, found)
                break
        done.results.append(result)
        tell(result)
    ours.close()
    return written


def play(bench: Bench, done: SuiteRun, file: Path, tell: Callable[[Result], None]) -> None:
    """Play a sequence that ``fuzz`` wrote once more."""
    steps = odd.read(file, done.role)
    if not steps:
        raise UsageError(f"{file} has no steps")
    ours = open_bench(OURS[done.role], done.role, done.seed)
    with running(bench, done, tell):
        ours.start()
        result = _result(
            done, steps[-1].requirement, "play", f"The sequence of {file.name} is answered as ours does."
        )
        if found := odd.compare(bench, ours, steps):
            result = _judge(bench, ours, steps, result, found)
        done.results.append(result)
        tell(result)
    ours.close()
