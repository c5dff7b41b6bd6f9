"""The classes of failure: one enumeration behind exit codes, counts and the help."""

import pickle

import pytest
from typer.testing import CliRunner

from cabinwatch.cli.main import app
from cabinwatch.verify.fuzz.campaign import campaign
from cabinwatch.verify.fuzz.findings import Finding
from cabinwatch.verify.fuzz.run import Outcome

TAKEN = {0, 1, 2, 70, 130}
"""Exit codes that mean something else in every command."""


def test_exit_codes_are_apart() -> None:
    assert len({finding.exit_code for finding in Finding}) == len(Finding)
    assert not {finding.exit_code for finding in Finding} & TAKEN


@pytest.mark.parametrize("finding", Finding)
def test_a_campaign_ends_with_the_code_of_whatever_was_found(finding: Finding) -> None:
    """Every class, also one that no campaign has found yet; from another process as well."""
    outcome = pickle.loads(pickle.dumps(Outcome(0, finding)))
    tally, _ = campaign(iter([outcome]))
    assert tally.exit_code == finding.exit_code
    assert tally.as_json(1.0)["failed"] == {str(finding): 1}


def test_the_help_names_every_class() -> None:
    shown = " ".join(CliRunner().invoke(app, ["fuzz", "--help"]).output.split())
    for finding in Finding:
        assert f"{finding.exit_code} {finding}:" in shown
