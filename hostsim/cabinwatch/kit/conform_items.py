"""The conformance suite's cases as pytest items; loaded only where ``--cabin-conform`` asks for them."""

from collections.abc import Iterator
from typing import Any

import pytest

from cabinwatch.errors import CabinwatchError
from cabinwatch.verify.conform import report
from cabinwatch.verify.conform.bench import Bench, Gone
from cabinwatch.verify.conform.case import Case
from cabinwatch.verify.conform.greeting import Speechless
from cabinwatch.verify.conform.live import LiveBench
from cabinwatch.verify.conform.runner import CaseVerdict, Result, first_frames, judge, select
from cabinwatch.verify.conform.targets import open_bench


class NotMet(Exception):
    """A case failed; the message is its report."""


class ConformItem(pytest.Item):
    """What the suite's items have in common: the bench, and a report rather than a traceback."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_marker("cabin_conform")

    @property
    def suite(self) -> "ConformCollector":
        """The collector, which holds the bench."""
        assert isinstance(self.parent, ConformCollector)
        return self.parent

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **kwargs: Any) -> Any:
        """The case's report rather than a traceback."""
        return str(excinfo.value) if isinstance(excinfo.value, NotMet) else super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Where it comes from."""
        return self.path, None, self.name


class FirstFramesItem(ConformItem):
    """What the node gets wrong from its first frame on."""

    def runtest(self) -> None:
        """Open the bench. Raises NotMet with what is wrong."""
        if found := first_frames(self.suite.bench(), self.suite.role):
            raise NotMet("\n\n".join("\n".join(report.failure(r)) for r in found))


class CaseItem(ConformItem):
    """One case."""

    def __init__(self, *, case: Case, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case = case

    def runtest(self) -> None:
        """Run the case. Raises NotMet with the report, or skips."""
        bench = self.suite.bench()
        if isinstance(bench, LiveBench) and self.case.requirement.id in bench.lenient:
            pytest.skip("fails: see first-frames")
        try:
            result = judge(bench, self.case)
        except Gone as gone:
            self.suite.drop()
            result = Result(self.case, CaseVerdict.FAIL, "a node that goes on", str(gone))
        except CabinwatchError as error:
            raise NotMet(str(error)) from None
        if result.verdict is CaseVerdict.SKIP:
            pytest.skip(result.reason)
        if result.verdict is CaseVerdict.FAIL:
            if not self.case.must and not self.config.getoption("--cabin-strict"):
                pytest.skip(f"recommendation not followed: {result.got}")
            raise NotMet("\n".join(report.failure(result)))


class ConformCollector(pytest.Collector):
    """All cases of one role; holds the bench, which the first case opens."""

    _bench: Bench | None = None
    _why_not: str = ""

    @property
    def role(self) -> str:
        """What the target is."""
        return str(self.config.getoption("--cabin-role"))

    def collect(self) -> Iterator[ConformItem]:
        """The items, in the specification's order."""
        yield FirstFramesItem.from_parent(self, name="first-frames")
        for case in select(self.role):
            yield CaseItem.from_parent(self, name=case.id, case=case)

    def bench(self) -> Bench:
        """The bench, started. Raises NotMet where nothing answers, once: what comes after is skipped."""
        if self._why_not:
            pytest.skip(self._why_not)
        if self._bench is None:
            bench = open_bench(self.config.getoption("--cabin-conform"), self.role)
            try:
                bench.start()
            except CabinwatchError as error:
                bench.close()
                self._why_not = f"cannot be judged: {str(error).partition(chr(10))[0]}"
                found = first_frames(bench, self.role) if isinstance(error, Speechless) else []
                said = [str(error), *("\n".join(report.failure(r)) for r in found)]
                raise NotMet("\n\n".join(said)) from None
            except BaseException:
                bench.close()
                raise
            self._bench = bench
        return self._bench

    def drop(self) -> None:
        """Close the bench; the next case opens it anew."""
        if self._bench is not None:
            self._bench.close()
            self._bench = None

    def teardown(self) -> None:
        """After the last case."""
        self.drop()
