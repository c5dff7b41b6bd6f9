"""A failure of a campaign as a test of its own: it fails until the firmware is mended, wherever it is."""

from cabinwatch.scenario.toml_out import to_toml
from cabinwatch.text import quotable, shown
from cabinwatch.verify.fuzz.run import Outcome
from cabinwatch.verify.fuzz.swarm import Plan

TEST = '''"""{kind}: {words}

Found by: {command}
"""

from cabinwatch.scenario.load import parse
from cabinwatch.targets import open_target
from cabinwatch.verify.fuzz.run import play
from cabinwatch.verify.fuzz.swarm import Plan

SCENARIO = """\\
{toml}"""


def test_{name}():
    plan = Plan(parse(SCENARIO, "SCENARIO"), {seed}, {mode!r}, 0.0, {{}})
    outcome = play(plan, lambda: open_target({target!r}))
    assert outcome.kind is None, f"{{outcome.kind}}: {{outcome.text}}"
'''


def as_test(plan: Plan, outcome: Outcome, command: str, target: str, name: str) -> str:
    """The source of a module with one test, which plays the plan and has nothing found."""
    return TEST.format(
        kind=outcome.kind,
        words=quotable(shown(outcome.text)),
        command=quotable(shown(command)),
        toml=quotable(to_toml(plan.scenario)),
        name=name,
        seed=plan.seed,
        mode=plan.mode,
        target=target,
    )
