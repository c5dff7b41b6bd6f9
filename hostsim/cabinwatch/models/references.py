"""Names in a cabin model: every one used must exist, and none may stand for two things."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from cabinwatch.models.fields import Misfit

if TYPE_CHECKING:
    from cabinwatch.models.cabin import CabinModel


Path = tuple[str | int, ...]


def _known(where: Path, name: str | None, names: Collection[str], what: str) -> None:
    if name is not None and name not in names:
        raise Misfit(f"no {what} {name!r}; there is {', '.join(sorted(names)) or 'none'}", *where)


def _apart(names: Iterable[str], what: str) -> set[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"two {what} are called {name!r}")
        seen.add(name)
    return seen


def check(model: "CabinModel") -> None:
    """Raises Misfit with the place of an unknown name, and the names there are."""
    rooms = _apart([*model.compartments, *model.vehicles], "compartments or vehicles")
    ways = _apart([*model.hatches, *model.valves, *model.vehicles], "hatches, valves or vehicles")
    for kind, doors in (("hatches", model.hatches), ("valves", model.valves)):
        for name, door in doors.items():
            for side in ("a", "b"):
                _known((kind, name, side), getattr(door, side), rooms, "compartment")
            if door.a == door.b:
                raise Misfit(f"both sides are {door.a!r}", kind, name, "b")
    for kind, things in (("leaks", model.leaks), ("crew", model.crew), ("flows", model.flows)):
        for name, thing in things.items():
            for key in ("compartment", "into"):
                _known((kind, name, key), getattr(thing, key, None), rooms, "compartment")
            _known((kind, name, "hatch"), getattr(thing, "hatch", None), model.hatches, "hatch")
    for name, vehicle in model.vehicles.items():
        _known(("vehicles", name, "port"), vehicle.port, model.compartments, "compartment")
    for name, term in model.thermal.items():
        for target in term.compartments or ():
            _known(("thermal", name, "compartments"), target, [*rooms, *model.loops], "compartment or loop")
    for i, action in enumerate(model.actions):
        verb, name = action.verb
        what, names = ("hatch or valve", ways) if verb in ("open", "close") else ("leak", set(model.leaks))
        _known(("actions", i, verb), name, names, what)
