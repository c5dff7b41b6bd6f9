"""A cabin model taken apart into what the solver needs: rooms, ways, holes, flows, and a list of timed
actions.

Vehicles and airlock cycles are no more than these: a vehicle is a compartment, a vestibule, two valves and
a hatch.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from cabinwatch.models.background import Weather
from cabinwatch.models.cabin import (
    Air,
    AirlockCycle,
    CabinModel,
    CO2Removal,
    Compartment,
    Crew,
    Humidity,
    OxygenGeneration,
    Repress,
    Transfer,
)
from cabinwatch.models.cabin import Thermal as ThermalModel
from cabinwatch.models.curve import Curve, Term, ThermalCurve
from cabinwatch.models.leak_tables import Leak
from cabinwatch.models.leaks import Law
from cabinwatch.models.units import DAY_s, LeakSize
from cabinwatch.world.cabin import gas
from cabinwatch.world.cabin.actions import Action, Close, Empty, Open, Patch, Resize
from cabinwatch.world.cabin.gas import Moles
from cabinwatch.world.cabin.laws import coefficient, orifice_area

BREATH_kg_d = {"O2": -0.82, "CO2": 1.0, "H2O": 1.9}
"""What one person takes (-) and gives a day at the mean activity, kg (NASA BVAD, NASA/TP-2015-218570,
rounded). Of the water only breath and perspiration count."""
ACTIVITY = {"sleep": 0.6, "rest": 0.8, "mean": 1.0, "work": 1.25, "exercise": 4.0}


GROWTH_POWER: dict[Law, float] = {"orifice": 2.0, "crack": 4.0, "linear": 2.0}
"""How a leak follows the length of the crack it comes through (see `curve.Piece`)."""


@dataclass(slots=True)
class Room:
    """A compartment: what it is, and what it holds at the start."""

    name: str
    volume: float
    adiabatic: bool
    thermal: ThermalCurve
    start: Moles


@dataclass(slots=True)
class Way:
    """A hatch (``area`` None) or a valve of one or two edges in a row, opened and closed by one name.

    ``seal``: the area through which a hatch leaks while it is shut.
    """

    edges: list[tuple[int, int]]
    area: float | None
    seal: float | None = None


@dataclass(slots=True)
class Hole:
    """A leak to space. ``coefficient`` is settled when it sets in: a pressure rate needs the volume open to
    it."""

    name: str
    room: int
    law: Law
    size: LeakSize
    cd: float
    onset: float
    curve: Curve
    reference: tuple[float, float, float]  # pressure, temperature, molar mass
    coefficient: float | None = None

    def settle(self, volume_m3: float) -> float:
        if self.coefficient is None:
            self.coefficient = coefficient(self.law, self.size, *self.reference, volume_m3, self.cd)
        return self.coefficient


@dataclass(slots=True)
class Source:
    """Gases let in (or used up, negative) at constant rates, mol/s, in [t0, t1).

    ``rise``: the rates come to this many pascal in all, and are settled when it begins (``rates`` are then
    shares).
    """

    room: int
    rates: tuple[float, float, float, float]
    t0: float
    t1: float
    rise: float | None = None
    settled: float | None = None

    def settle(self, room_per_K: float) -> tuple[float, float, float, float]:
        if self.rise is None:
            return self.rates
        if self.settled is None:
            self.settled = self.rise * room_per_K / gas.R
        a, b, c, d = self.rates
        return a * self.settled, b * self.settled, c * self.settled, d * self.settled


@dataclass(slots=True)
class Sink:
    """A stream of air brought down to a partial pressure of one gas, m3/s, in [t0, t1)."""

    room: int
    species: int
    flow: float
    keep: float
    t0: float
    t1: float


@dataclass(slots=True)
class Pump:
    """Air moved at a volume rate from one room into another, or to space, m3/s, in [t0, t1)."""

    room: int
    into: int | None
    flow: float
    t0: float
    t1: float


@dataclass
class Network:
    """The station, with every time at which something changes."""

    rooms: list[Room] = field(default_factory=list)
    index: dict[str, int] = field(default_factory=dict)
    ways: dict[str, Way] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)
    holes: dict[str, Hole] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    sinks: list[Sink] = field(default_factory=list)
    pumps: list[Pump] = field(default_factory=list)
    timed: list[tuple[float, Action]] = field(default_factory=list)

    def room(self, name: str | None) -> int:
        return 0 if name is None else self.index[name]

    def act(self, t: float, action: Action) -> None:
        """Put an action on the list. One that bends a leak's curve does so now; later ones of that leak
        bend it again."""
        self.timed.append((t, action))
        self.timed.sort(key=lambda entry: entry[0])
        for when, later in self.timed:
            if when >= t and isinstance(later, (Patch, Resize)):
                self._bend(when, later)

    def _bend(self, t: float, action: Patch | Resize) -> None:
        hole = self.holes[action.leak]
        if isinstance(action, Patch):
            hole.curve.go(t, 0.0)
        else:
            hole.curve.go(t, action.to, action.over_s, action.shape, GROWTH_POWER[hole.law])

    def forget_after(self, t: float) -> None:
        """Unsettle what sets in at t or later: the hatches may stand otherwise by then."""
        for hole in self.holes.values():
            if hole.onset >= t:
                hole.coefficient = None
        for source in self.sources:
            if source.t0 >= t:
                source.settled = None

    def corners(self) -> set[float]:
        """Every time at which a rate, its slope, a temperature's slope or a hatch may change."""
        found = {t for t, _ in self.timed}
        for hole in self.holes.values():
            found.update(hole.curve.corners())
        for room in self.rooms:
            found.update(room.thermal.corners())
        flows: list[Source | Sink | Pump] = [*self.sources, *self.sinks, *self.pumps]
        for flow in flows:
            found.update((flow.t0, flow.t1))
        return {t for t in found if t < math.inf}

    def add_room(self, name: str, air: Air, adiabatic: bool = False, terms: list[Term] | None = None) -> None:
        self.index[name] = len(self.rooms)
        start = gas.fill(air.pressure, air.volume, air.temperature, air.o2, air.co2, air.h2o)
        self.rooms.append(
            Room(name, air.volume, adiabatic, ThermalCurve(air.temperature, terms or ()), start)
        )

    def add_hole(self, name: str, leak: Leak, now: float = 0.0) -> None:
        """A leak whose times count from ``now``."""
        index = self.room(leak.compartment)
        room = self.rooms[index]
        total = sum(room.start)
        pressure = leak.points[0][1] if leak.points else total * gas.R * room.thermal.base / room.volume
        reference = (pressure or 101325.0, room.thermal.base, gas.molar_mass(room.start))
        curve = leak.curve(GROWTH_POWER[leak.law], now)
        self.holes[name] = Hole(name, index, leak.law, leak.size, leak.cd, now + leak.at, curve, reference)

    def add_repress(self, flow: Repress, now: float = 0.0) -> None:
        shares = {"O2": Moles(0, 1, 0, 0), "N2": Moles(1, 0, 0, 0), "air": gas.dry_air(1.0)}[flow.gas]
        amount = 1.0 if flow.mass is None else flow.mass / gas.mass_kg(shares)
        a, b, c, d = (share * amount / flow.over for share in shares)
        at = now + flow.at
        self.sources.append(Source(self.room(flow.compartment), (a, b, c, d), at, at + flow.over, flow.rise))


def _kg_d(o2: float = 0.0, co2: float = 0.0, h2o: float = 0.0) -> tuple[float, float, float, float]:
    """Rates in kg a day as mol/s."""
    m = gas.MOLAR_kg
    return 0.0, o2 / m[gas.O2] / DAY_s, co2 / m[gas.CO2] / DAY_s, h2o / m[gas.H2O] / DAY_s


def _people(net: Network, crew: Crew) -> Source:
    heads = crew.count * ACTIVITY[crew.activity]
    rates = _kg_d(BREATH_kg_d["O2"] * heads, BREATH_kg_d["CO2"] * heads, BREATH_kg_d["H2O"] * heads)
    return Source(net.room(crew.compartment), rates, crew.at, _end(crew.until))


def _end(until: float | None) -> float:
    return math.inf if until is None else until


def _terms(model: CabinModel, name: str, every: bool = True) -> list[Term]:
    """The temperature terms that act on a compartment (or a loop, with ``every`` false)."""
    return [
        term(t)
        for t in model.thermal.values()
        if (every if t.compartments is None else name in t.compartments)
    ]


def term(change: ThermalModel | Weather) -> Term:
    """A change of the file as the curve it follows."""
    span = {"swing": change.period, "ramp": change.over, "approach": change.tau}[change.kind]
    return Term(change.kind, change.at, _end(change.until), change.size, span)


def loop_terms(model: CabinModel, name: str) -> list[Term]:
    """The temperature terms that name a coolant loop."""
    return _terms(model, name, every=False)


def _airlock(net: Network, name: str, flow: AirlockCycle) -> None:
    lock, into = net.room(flow.compartment), net.index[flow.into]
    room, t = net.rooms[lock], flow.at
    first = sum(room.start) * gas.R * room.thermal.base / room.volume
    pumped, vented = t + flow.pump, t + flow.pump + flow.vent
    back = vented + flow.outside
    speed = room.volume / flow.pump * max(0.0, math.log(first / flow.pump_to)) if first > 0 else 0.0
    net.pumps.append(Pump(lock, into, speed, t, pumped))
    net.pumps.append(Pump(lock, None, room.volume / flow.vent * math.log(1000.0), pumped, vented))
    net.ways[f"{name}.valve"] = Way([(lock, into)], orifice_area(flow.valve))
    net.timed += [
        (t, Close(flow.hatch)), (back, Open(f"{name}.valve")),
        (back + flow.fill, Close(f"{name}.valve")), (back + flow.fill, Open(flow.hatch)),
    ]  # fmt: skip


def _vehicle_rooms(net: Network, model: CabinModel) -> None:
    for name, vehicle in model.vehicles.items():
        net.add_room(name, vehicle, terms=_terms(model, name))
        between = f"{name}.vestibule"
        empty = vehicle.model_copy(update={"volume": vehicle.vestibule, "pressure": 0.0})
        net.add_room(between, empty)
        edges = [(net.index[vehicle.port], net.index[between]), (net.index[between], net.index[name])]
        net.ways[name] = Way(edges, None)
        net.ways[f"{name}.valve"] = Way(edges, orifice_area(vehicle.valve))
        if vehicle.opened is not None:
            net.timed.append((vehicle.opened - vehicle.equalise, Open(f"{name}.valve")))
            net.timed += [(vehicle.opened, Close(f"{name}.valve")), (vehicle.opened, Open(name))]
        if vehicle.closed is not None:
            net.timed.append((vehicle.closed, Close(name)))
        if vehicle.undocked is not None:
            net.timed.append((vehicle.undocked, Empty(between)))


def _flows(net: Network, model: CabinModel) -> Iterator[Source | Sink | Pump]:
    for name, flow in model.flows.items():
        room = net.room(flow.compartment)
        if isinstance(flow, Repress):
            net.add_repress(flow)
        elif isinstance(flow, OxygenGeneration):
            yield Source(room, _kg_d(o2=flow.rate * DAY_s), flow.at, _end(flow.until))
        elif isinstance(flow, CO2Removal):
            yield Sink(room, gas.CO2, flow.flow, 0.0, flow.at, _end(flow.until))
        elif isinstance(flow, Humidity):
            yield Sink(room, gas.H2O, flow.flow, flow.keep, flow.at, _end(flow.until))
        elif isinstance(flow, Transfer):
            yield Pump(room, net.index[flow.into], flow.flow, flow.at, _end(flow.until))
        else:
            _airlock(net, name, flow)


def _begun(model: CabinModel, name: str, room: Compartment) -> Compartment:
    """A compartment; one with no pressure of its own begins at the first point of a leak's, if that is at 0."""
    if "pressure" in room.model_fields_set:
        return room
    begins = [
        leak.points[0][1]
        for leak in model.leaks.values()
        if leak.points and leak.at == 0 and (leak.compartment or model.first) == name
    ]
    return room.model_copy(update={"pressure": begins[0]}) if begins else room


def build(model: CabinModel) -> Network:
    """The network of a model."""
    net = Network()
    for name, room in model.compartments.items():
        room = _begun(model, name, room)
        net.add_room(name, room, room.process == "adiabatic", _terms(model, name))
    _vehicle_rooms(net, model)
    for name, hatch in model.hatches.items():
        seal = None if hatch.seal is None else orifice_area(hatch.seal)
        net.ways[name] = Way([(net.index[hatch.a], net.index[hatch.b])], None, seal)
    for name, valve in model.valves.items():
        net.ways[name] = Way(
            [(net.index[valve.a], net.index[valve.b])], orifice_area(valve.diameter, valve.cd)
        )
    net.opened = {name for name, hatch in model.hatches.items() if hatch.open}
    net.opened |= {name for name, valve in model.valves.items() if valve.open}
    for name, leak in model.leaks.items():
        net.add_hole(name, leak)
    net.sources += [_people(net, crew) for crew in model.crew.values()]
    for flow in _flows(net, model):
        target: list[Source] | list[Sink] | list[Pump]
        target = (
            net.sources if isinstance(flow, Source) else net.sinks if isinstance(flow, Sink) else net.pumps
        )
        target.append(flow)  # type: ignore[arg-type]
    for action in sorted(model.actions, key=lambda action: action.at):
        verb, name = action.verb
        made: dict[str, Action] = {
            "open": Open(name), "close": Close(name), "patch": Patch(name), "reopen": Resize(name),
        }  # fmt: skip
        net.act(action.at, made[verb])
    net.timed.sort(key=lambda entry: entry[0])
    return net
