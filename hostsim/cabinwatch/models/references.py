"""Names in a cabin model: every one used must exist, and none may stand for two things."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cabinwatch.models.cabin import CabinModel


def _known(where: str, name: str | None, names: Collection[str], what: str) -> None:
    if name is not None and name not in names:
        raise ValueError(f"{where}: no {what} {name!r}; there is {', '.join(sorted(names)) or 'none'}")


def _apart(names: Iterable[str], what: str) -> set[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"two {what} are called {name!r}")
        seen.add(name)
    return seen


def check(model: "CabinModel") -> None:
    """Raises ValueError naming the table, the unknown name and the names there are."""
    rooms = _apart([*model.compartments, *model.vehicles], "compartments or vehicles")
    ways = _apart([*model.hatches, *model.valves, *model.vehicles], "hatches, valves or vehicles")
    for kind, doors in (("hatches", model.hatches), ("valves", model.valves)):
        for name, door in doors.items():
            for side in (door.a, door.b):
                _known(f"{kind}.{name}", side, rooms, "compartment")
            if door.a == door.b:
                raise ValueError(f"{kind}.{name}: both sides are {door.a!r}")
    for kind, things in (("leaks", model.leaks), ("crew", model.crew), ("flows", model.flows)):
        for name, thing in things.items():
            _known(f"{kind}.{name}", thing.compartment, rooms, "compartment")
            _known(f"{kind}.{name}", getattr(thing, "into", None), rooms, "compartment")
            _known(f"{kind}.{name}", getattr(thing, "hatch", None), model.hatches, "hatch")
    for name, vehicle in model.vehicles.items():
        _known(f"vehicles.{name}", vehicle.port, model.compartments, "compartment")
    for name, term in model.thermal.items():
        for target in term.compartments or ():
            _known(f"thermal.{name}", target, [*rooms, *model.loops], "compartment or loop")
    for i, action in enumerate(model.actions):
        verb, name = action.verb
        where, names = ("hatch or valve", ways) if verb in ("open", "close") else ("leak", set(model.leaks))
        _known(f"actions[{i}]", name, names, where)
