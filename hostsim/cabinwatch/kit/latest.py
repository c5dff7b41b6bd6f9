"""What the test that runs has drawn and played last: where it fails, the smallest failing example comes last."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cabinwatch.kit.session import Session
    from cabinwatch.models.scenario import Scenario

session: "Session | None" = None
scenario: "Scenario | None" = None


def forget() -> None:
    """Before a test."""
    global session, scenario
    session = scenario = None
