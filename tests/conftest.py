"""What every test shares: reproducible Hypothesis runs, and how a test asks for the MicroPython VM."""

import os
import sys

import pytest
from hypothesis import HealthCheck, Phase, settings

from cabinwatch.cli import main as cli
from cabinwatch.targets.micropython import INSTALL, find_vm

# Same examples in every run and no database: a red test is red again, here and in CI.
settings.register_profile(
    "cabinwatch",
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
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
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "cabinwatch"))


def in_ci() -> bool:
    """Whether this is a CI machine, where a missing tool is a failure and not a reason to skip."""
    return os.environ.get("CI", "").lower() in ("true", "1")


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
