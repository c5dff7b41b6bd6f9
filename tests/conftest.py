"""What every test shares: reproducible Hypothesis runs, and how a test asks for the MicroPython VM."""

import os
import sys

import pytest
from hypothesis import HealthCheck, Phase, settings

from cabinwatch.cli import main as cli
from cabinwatch.targets.micropython import INSTALL, find_vm
from cabinwatch.verify.conform import greeting

# Same examples in every run and no database: a red test is red again, here and in CI.
settings.register_profile(
    "cabinwatch",
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
# Where nobody waits for it: a failure as it comes. The same examples fail at a desk, and are shrunk there; here a run
# of a whole system would be shrunk for five minutes.
settings.register_profile(
    "ci",
    settings.get_profile("cabinwatch"),
    phases=[Phase.explicit, Phase.generate, Phase.target],
)
# For a long hunt: HYPOTHESIS_PROFILE=hunt draws new examples each time, and many more of them.
settings.register_profile("hunt", settings.get_profile("cabinwatch"), derandomize=False, max_examples=2000)
# For a quick look while writing: few examples, first failure as it comes.
settings.register_profile(
    "glance",
    settings.get_profile("cabinwatch"),
    max_examples=10,
    phases=[Phase.explicit, Phase.generate],
)


def in_ci() -> bool:
    """Whether this is a CI machine, where a missing tool is a failure and not a reason to skip."""
    return os.environ.get("CI", "").lower() in ("true", "1")


settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if in_ci() else "cabinwatch"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """For ``-n auto``: one more than there are cores, as some tests do nothing but wait for a line in real time."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


def missing(what: str, install: str) -> None:
    """End a test whose tool is not here: it skips, and says how to get the tool; in CI it fails."""
    text = f"{what} is not installed: {install}"
    if in_ci():
        pytest.fail(text, pytrace=False)
    pytest.skip(text)


@pytest.fixture(scope="session")
def vm() -> str:
    """Path of the MicroPython VM."""
    path = find_vm()
    if path is None:
        missing("the MicroPython VM", INSTALL)
    assert path
    return path


@pytest.fixture
def impatient(monkeypatch):
    """A live node that answers no first ping is given up after one second, not five."""
    monkeypatch.setattr(greeting, "PATIENCE_S", 1.0)


@pytest.fixture
def cabinwatch(monkeypatch, capsys):
    """Run the command in this process; its exit code, output and errors."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["cabinwatch", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        out = capsys.readouterr()
        return code, out.out, out.err

    return run
