"""The conformance suite's cases as pytest items; loaded only where ``--cabin-conform`` asks for them."""

from collections.abc import Iterator
from typing import Any

import pytest

from cabinwatch.errors import CabinwatchError
from cabinwatch.verify.conform import report
from cabinwatch.verify.conform.bench import Bench, Gone
from cabinwatch.verify.conform.case import Case
from cabinwatch.verify.conform.runner import Result, Verdict, judge, select
from cabinwatch.verify.conform.targets import open_bench


class NotMet(Exception):
    """A case failed; the message is its report."""


class ConformItem(pytest.Item):
    """One case."""

    def __init__(self, *, case: Case, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case = case
        self.add_marker("cabin_conform")

    def runtest(self) -> None:
        """Run the case. Raises NotMet with the report, or skips."""
        assert isinstance(self.parent, ConformCollector)
        try:
            result = judge(self.parent.bench(), self.case)
        except Gone as gone:
            self.parent.drop()
            result = Result(self.case, Verdict.FAIL, "a node that goes on", str(gone))
        except CabinwatchError as error:
            raise NotMet(str(error)) from None
        if result.verdict is Verdict.SKIP:
            pytest.skip(result.reason)
        if result.verdict is Verdict.FAIL:
            text = "\n".join(report.failure(result))
            if not self.case.must and not self.config.getoption("--cabin-strict"):
                pytest.skip(f"recommendation not followed: {result.got}")
            raise NotMet(text)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **kwargs: Any) -> Any:
        """The case's report rather than a traceback."""
        return str(excinfo.value) if isinstance(excinfo.value, NotMet) else super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Where it comes from."""
        return self.path, None, self.case.id


class ConformCollector(pytest.Collector):
    """All cases of one role; holds the bench, which the first case opens."""

    _bench: Bench | None = None

    def collect(self) -> Iterator[ConformItem]:
        """The items, in the specification's order."""
        for case in select(self.config.getoption("--cabin-role")):
            yield ConformItem.from_parent(self, name=case.id, case=case)

    def bench(self) -> Bench:
        """The bench, started. Raises SetupError where nothing answers."""
        if self._bench is None:
            target, role = self.config.getoption("--cabin-conform"), self.config.getoption("--cabin-role")
            bench = open_bench(target, role)
            try:
                bench.start()
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
