"""What the test suite promises about itself."""

import re
from pathlib import Path

import pytest

import conftest
from cabinwatch.targets.micropython import INSTALL
from cabinwatch.verify.score.presets import TUNABLES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_without_the_vm_a_test_skips_and_in_ci_it_fails(monkeypatch, ci, outcome):
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match=INSTALL):
        conftest.missing("the MicroPython VM", INSTALL)


def test_every_guarantee_of_the_detector_names_a_test_that_exists():
    page = (ROOT / "firmware" / "DETECTOR.md").read_text(encoding="utf-8")
    rows = [row for row in page.splitlines() if re.match(r"\| .* \| `test_.*` \|$", row)]
    named = [re.search(r"`(test_\w+\.py)::(\w+|\*)`", row) for row in rows]
    assert len(rows) > 15
    assert all(named), "a row without its test"
    for match in named:
        file, test = match.groups()
        source = (ROOT / "tests" / "firmware" / file).read_text(encoding="utf-8")
        assert (f"def {test}(" if test != "*" else "def test_") in source, f"{file} has no {test}"


def test_every_parameter_of_the_detector_is_explained():
    page = (ROOT / "firmware" / "DETECTOR.md").read_text(encoding="utf-8")
    explained = {
        name
        for row in page.splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    # From `permit` on they are the alarms': SPEC.md says what they do.
    permit = next(parameter.id for parameter in TUNABLES if parameter.name == "permit")
    assert explained == {parameter.name for parameter in TUNABLES if parameter.id < permit}
