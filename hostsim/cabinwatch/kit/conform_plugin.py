"""pytest plugin: ``pytest --cabin-conform TARGET [--cabin-role ROLE]`` adds the suite's cases to a test run.

Each case is a test item of its own, ``cabin-conform::FRM-02/shared``; -k and -m work on them as on any other.
The suite itself is imported only where a target is given: every pytest run of whoever installed us loads this file.
"""

import pytest

from cabinwatch.verify.conform.requirements import ROLES

ONE_WORKER = ("no", "loadfile", "loadscope")
"""Ways of xdist to share out tests that leave all cases to one worker: to those two they come from one file."""


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


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker. Raises UsageError where several workers would share one node."""
    config.addinivalue_line("markers", "cabin_conform: a case of the cabinwatch conformance suite")
    target = config.getoption("--cabin-conform")
    if target and config.getoption("dist", "no") not in ONE_WORKER and _is_one_node(target):
        raise pytest.UsageError(
            f"--cabin-conform {target}: workers cannot share one node; add --dist loadfile, or leave -n away"
        )


def _is_one_node(target: str) -> bool:
    """Whether it is a live node: only an emulated one is made anew for each worker."""
    from cabinwatch.targets import is_url

    return target.startswith("exec:") or is_url(target)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the cases where a target is given."""
    if config.getoption("--cabin-conform"):
        from cabinwatch.kit.conform_items import ConformCollector

        collector = ConformCollector.from_parent(session, name="cabin-conform")
        items += list(collector.collect())
