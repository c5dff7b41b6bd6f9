"""Drawn worlds as scenario files, and what a failing run is called so that a person can repeat it."""

from hypothesis import note

from cabinwatch.kit.strategies import scenarios
from cabinwatch.run.lockstep import LockStepRun
from cabinwatch.run.transcript import Recorder
from cabinwatch.scenario.load import parse
from cabinwatch.scenario.toml_out import to_toml
from cabinwatch.targets import open_target
from cabinwatch.world.world import World


def tomls(most_s=600, **bounds):
    """Scenario files as the kit draws them; ``bounds`` as `strategies.scenarios` takes them."""
    return scenarios(duration_s=(20, most_s), **bounds).map(to_toml)


def run(text, seed, target, until_ms=None, recorder=None):
    """Play a scenario's text to a target (by name, or one that is open already); the world and the hash."""
    scenario = parse(text, "drawn.toml")
    world = World(scenario, seed)
    recorder = recorder or Recorder()
    opened = open_target(target) if isinstance(target, str) else target
    try:
        LockStepRun(world, opened, recorder).run(until_ms or scenario.duration_ms)
    finally:
        opened.close()
    return world, recorder.sha256


def tell(text, seed, targets):
    """Say how to repeat this run by hand; pytest shows it where the test fails."""
    note(f"seed {seed}, scenario drawn.toml:\n{text}")
    for target in targets:
        note(f"cabinwatch run drawn.toml --seed {seed} --target {target} --record {target}.jsonl --json")
    note(f"cabinwatch replay {targets[0]}.jsonl --target {targets[-1]}")
