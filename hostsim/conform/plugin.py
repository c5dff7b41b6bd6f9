"""pytest plugin: ``pytest --cabin-conform TARGET [--cabin-role ROLE]`` adds the suite's cases to a test run.

Each case is a test item of its own, ``cabin-conform::FRM-02/shared``; -k and -m work on them as on any other.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from hostsim.conform import report
from hostsim.conform.bench import Bench, Gone
from hostsim.conform.case import ROLES, Case
from hostsim.conform.runner import Result, Verdict, judge, select
from hostsim.conform.targets import open_bench
from hostsim.errors import CabinwatchError


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("cabinwatch")
    group.addoption("--cabin-conform", metavar="TARGET", help="judge TARGET by the conformance suite")
    group.addoption(
        "--cabin-role", choices=ROLES, default="transducer", help="what the target is (default: transducer)"
    )
    group.addoption(
        "--cabin-strict", action="store_true", help="recommendations of the specification count as well"
    )


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


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", "cabin_conform: a case of the cabinwatch conformance suite")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the cases where a target is given."""
    if config.getoption("--cabin-conform"):
        collector = ConformCollector.from_parent(session, name="cabin-conform")
        items += list(collector.collect())
