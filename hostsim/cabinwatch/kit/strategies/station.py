"""Leaks and cabins."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import strategies as hy

from cabinwatch.kit.strategies.basic import Bounds, decimal, magnitude, moments
from cabinwatch.models.cabin import CabinModel
from cabinwatch.models.leak_tables import Leak
from cabinwatch.models.units import DAY_s

NAMES = ("cabin", "node", "lock", "prk")


def leak_sizes(
    *,
    diameter_mm: Bounds = (0.1, 20.0),
    mass_lb_d: Bounds = (0.1, 10.0),
    fall_mmHg_d: Bounds = (0.5, 100.0),
    t1mm_s: Bounds = (10.0, 3600.0),
    fall_kPa_s: Bounds = (0.1, 100.0),
) -> hy.SearchStrategy[str]:
    """A leak's size as people of the field write it: a hole, a mass rate, a fall of pressure, or T1mm.

    The defaults span what is known: 0.2 lb/d (Zvezda, 2019) to open to space, which empties a cabin within a second.
    """
    return hy.one_of(
        magnitude(diameter_mm).map(lambda x: f"{x:g} mm"),
        magnitude(mass_lb_d).map(lambda x: f"{x:g} lb/d"),
        magnitude(fall_mmHg_d).map(lambda x: f"{x:g} mmHg/d"),
        magnitude(t1mm_s).map(lambda x: f"T1mm {x:g} s"),
        magnitude(fall_kPa_s).map(lambda x: f"{x:g} kPa/s"),
    )


@hy.composite
def leak_profiles(
    draw: hy.DrawFn,
    *,
    within: Bounds = (0.0, 3600.0),
    sizes: hy.SearchStrategy[str] | None = None,
    laws: Sequence[str] = ("orifice", "crack", "linear"),
    changes: int = 3,
    compartments: Sequence[str] | None = None,
) -> Leak:
    """A leak that sets in within ``within`` (s) and grows, shrinks, closes or comes back up to ``changes`` times.

    ``compartments``: where it may be; the cabin's first if None. Shrinks to a leak from the start that stays.
    """
    at = draw(moments(within))
    size = draw(leak_sizes() if sizes is None else sizes)
    profile = []
    last = at
    now = 1.0
    for _ in range(draw(hy.integers(0, changes))):
        last = draw(moments((last, max(last, within[1]))))
        over = draw(hy.sampled_from((0.0, 60.0, 600.0)))
        to = draw(hy.sampled_from((0.0, 0.5, 2.0, 5.0)))
        # The curved shapes grow by a factor, so they cannot start or end at nothing.
        curved = over and now and to
        shape = draw(hy.sampled_from(("linear", "exponential", "fatigue"))) if curved else "linear"
        now = to
        profile.append({"at": last, "to": to, "over": over, "shape": shape})
        last += over
    place = draw(hy.sampled_from(compartments)) if compartments else None
    law = draw(hy.sampled_from(laws)) if not size.endswith((" mm", " kPa/s")) else "orifice"
    return Leak.model_validate({"size": size, "at": at, "law": law, "profile": profile, "compartment": place})


@hy.composite
def growing_leaks(
    draw: hy.DrawFn,
    *,
    lead_in_d: Bounds = (1.0, 90.0),
    over_d: Sequence[float] = (0.0, 2.0, 10.0),
    sizes: hy.SearchStrategy[str] | None = None,
    laws: Sequence[str] = ("orifice", "crack"),
    compartment: str | None = None,
) -> Leak:
    """A leak after ``lead_in_d`` quiet days that grows to its size within one of ``over_d`` days, as a crack does.

    For what learns from quiet days, and must not learn from the leak. Shrinks to a leak that is there at once.
    """
    at = draw(magnitude(lead_in_d)) * DAY_s
    over = draw(hy.sampled_from(over_d)) * DAY_s
    profile = (
        [{"at": at, "to": 0.01}, {"at": at, "to": 1.0, "over": over, "shape": "fatigue"}] if over else []
    )
    size = draw(leak_sizes() if sizes is None else sizes)
    law = draw(hy.sampled_from(laws))
    return Leak.model_validate(
        {"size": size, "at": at, "law": law, "profile": profile, "compartment": compartment}
    )


@hy.composite
def cabins(
    draw: hy.DrawFn,
    *,
    within: Bounds = (0.0, 3600.0),
    compartments: tuple[int, int] = (1, 3),
    volume_m3: Bounds = (5.0, 1000.0),
    pressure_Pa: Bounds | None = None,
    temperature_K: Bounds = (288.0, 303.0),
    leaks: tuple[int, int] = (0, 2),
    leak: hy.SearchStrategy[Leak] | None = None,
    crew: tuple[int, int] = (0, 7),
    actions: int = 4,
    represses: int = 1,
    thermal: int = 1,
    weather: int = 1,
) -> CabinModel:
    """A station: a chain of compartments with hatches, leaks, people, hatch actions, patches, gas let in, temperature.

    All events lie in ``within`` (s). ``actions``, ``represses``, ``thermal`` and ``weather`` are the most of each; 0
    turns them off. ``pressure_Pa`` None: mostly near one atmosphere, now and then any down to vacuum. Shrinks to one
    compartment in which nothing happens.
    """
    names = NAMES[: draw(hy.integers(*compartments))] or NAMES[:1]
    near, any_Pa = (90_000.0, 104_000.0), (0.0, 115_000.0)
    starts = hy.one_of(
        *(decimal(b, -2) for b in ((near, near, any_Pa) if pressure_Pa is None else (pressure_Pa,)))
    )
    rooms: dict[str, Any] = {}
    for name in names:
        rooms[name] = {
            "volume": draw(magnitude(volume_m3)),
            "pressure": draw(starts),
            "temperature": draw(decimal(temperature_K)),
        }
    hatches = {f"{a}-{b}": {"a": a, "b": b, "open": draw(hy.booleans())} for a, b in pairwise(names)}
    for name, hatch in hatches.items():
        if seal := draw(hy.sampled_from((None, None, "0.2 mm", "3 mm"))):
            hatch["seal"] = seal
        if hatch["open"]:  # an open hatch between two pressures cannot be
            a, b = name.split("-")
            rooms[b]["pressure"] = rooms[a]["pressure"]
    leaky = leak_profiles(within=within, compartments=names) if leak is None else leak
    holes = {f"leak{i + 1}": draw(leaky) for i in range(draw(hy.integers(*leaks)))}
    people = draw(hy.integers(*crew))
    model: dict[str, Any] = {"compartments": rooms, "hatches": hatches, "leaks": holes}
    if people:
        activity = draw(hy.sampled_from(("mean", "sleep", "rest", "work", "exercise")))
        model["crew"] = {"crew": {"count": people, "activity": activity}}
    model["actions"] = [draw(_actions(within, list(hatches), holes)) for _ in range(_many(draw, actions))]
    model["actions"] = [a for a in model["actions"] if a]
    model["flows"] = {
        f"repress{i + 1}": {
            "kind": "repress",
            "gas": draw(hy.sampled_from(("N2", "O2", "air"))),
            "rise": draw(magnitude((50.0, 2000.0))),
            "over": draw(hy.sampled_from((60.0, 600.0, 3600.0))),
            "at": draw(moments(within)),
        }
        for i in range(_many(draw, represses))
    }
    model["thermal"] = {
        f"thermal{i + 1}": {
            "kind": draw(hy.sampled_from(("ramp", "swing", "approach"))),
            "size": draw(decimal((-3.0, 3.0))),
            "at": draw(moments(within)),
            "over": draw(hy.sampled_from((600.0, 3600.0))),
        }
        for i in range(_many(draw, thermal))
    }
    model["weather"] = {
        f"weather{i + 1}": draw(
            hy.sampled_from(
                (
                    {"kind": "swing", "size": 50.0},
                    {"kind": "swing", "size": 200.0},
                    {"kind": "ramp", "size": -2000.0},
                )
            )
        )
        for i in range(_many(draw, weather))
    }
    return CabinModel.model_validate(model)


def _many(draw: hy.DrawFn, most: int) -> int:
    return draw(hy.integers(0, most))


@hy.composite
def _actions(
    draw: hy.DrawFn, within: Bounds, hatches: list[str], leaks: dict[str, Leak]
) -> dict[str, Any] | None:
    verbs = [(verb, name) for name in hatches for verb in ("close", "open")]
    verbs += [(verb, name) for name in leaks for verb in ("patch", "reopen")]
    if not verbs:
        return None
    verb, name = draw(hy.sampled_from(verbs))
    first_s = leaks[name].at if name in leaks else 0.0  # nobody patches what does not leak yet
    return {"at": draw(moments((max(within[0], first_s), max(within[1], first_s)))), verb: name}
