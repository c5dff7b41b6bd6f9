"""What the test suite promises about itself."""

import conftest
import pytest

from hostsim.targets.micropython import INSTALL


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_without_the_vm_a_test_skips_and_in_ci_it_fails(monkeypatch, ci, outcome):
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match=INSTALL):
        conftest.missing("the MicroPython VM", INSTALL)
