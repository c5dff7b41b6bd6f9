"""Hypothesis' entry point: tells it how to draw our types, and costs nothing where they are not used.

Hypothesis calls ``register`` when it is imported. Where the scenario model is not loaded by then, nothing is done, and
the model calls it when it is loaded: so neither imports the other for nothing.
"""

import sys
from collections.abc import Callable


def register() -> None:
    """Register the strategies of the scenario's types, once both Hypothesis and the scenario model are loaded."""
    if "hostsim.scenario" not in sys.modules or "hypothesis" not in sys.modules:
        return
    from hypothesis import strategies as hy

    from hostsim import scenario
    from hostsim.cabin.model import CabinModel, Leak
    from hostsim.link import LinkModel
    from hostsim.raw import RawTelecommand

    def lazily(name: str) -> Callable[[type], "hy.SearchStrategy[object]"]:
        def make(asked: type) -> "hy.SearchStrategy[object]":
            from hostsim import strategies

            strategy: hy.SearchStrategy[object] = getattr(strategies, name)()
            return strategy

        return make

    hy.register_type_strategy(scenario.Scenario, lazily("scenarios"))
    hy.register_type_strategy(scenario.Telecommand, lazily("telecommands"))
    hy.register_type_strategy(RawTelecommand, lazily("raw_telecommands"))
    hy.register_type_strategy(LinkModel, lazily("link_models"))
    hy.register_type_strategy(CabinModel, lazily("cabins"))
    hy.register_type_strategy(Leak, lazily("leak_profiles"))
