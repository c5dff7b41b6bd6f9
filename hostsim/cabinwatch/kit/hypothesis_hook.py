"""Hypothesis' entry point: tells it how to draw our types, and costs nothing where they are not used.

Hypothesis calls ``register`` when it is imported. Where the scenario model is not loaded by then nothing is done, and
``cabinwatch.strategies`` calls it when it is imported.
"""

import sys
from collections.abc import Callable


def register() -> None:
    """Register the strategies of the scenario's types where the model is loaded."""
    if "cabinwatch.models.scenario" not in sys.modules:
        return
    from hypothesis import strategies as hy

    from cabinwatch.models.cabin import CabinModel
    from cabinwatch.models.commands import Telecommand
    from cabinwatch.models.leak_tables import Leak
    from cabinwatch.models.line_faults import LinkModel
    from cabinwatch.models.raw_telecommands import RawTelecommand
    from cabinwatch.models.scenario import Scenario

    def lazily(name: str) -> Callable[[type], "hy.SearchStrategy[object]"]:
        def make(asked: type) -> "hy.SearchStrategy[object]":
            from cabinwatch.kit import strategies

            strategy: hy.SearchStrategy[object] = getattr(strategies, name)()
            return strategy

        return make

    hy.register_type_strategy(Scenario, lazily("scenarios"))
    hy.register_type_strategy(Telecommand, lazily("telecommands"))
    hy.register_type_strategy(RawTelecommand, lazily("raw_telecommands"))
    hy.register_type_strategy(LinkModel, lazily("link_models"))
    hy.register_type_strategy(CabinModel, lazily("cabins"))
    hy.register_type_strategy(Leak, lazily("leak_profiles"))
