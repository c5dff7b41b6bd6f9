"""The air of a station: what is true at any time, whoever asks and in whatever order."""

import math
from bisect import bisect_right
from typing import NamedTuple

from cabinwatch.errors import UsageError
from cabinwatch.models.cabin import CabinModel
from cabinwatch.models.curve import is_growth
from cabinwatch.models.units import ATM_Pa
from cabinwatch.world.cabin import gas, laws
from cabinwatch.world.cabin.actions import Action, Close, Empty, LetIn, Open, Patch, Resize, StartLeak
from cabinwatch.world.cabin.background import Background
from cabinwatch.world.cabin.coolant import CoolantLoop, CoolantReading
from cabinwatch.world.cabin.gas import GAMMA, Moles
from cabinwatch.world.cabin.laws import EVACUATE_Pa
from cabinwatch.world.cabin.network import build
from cabinwatch.world.cabin.segment import Segment, mass_kg
from cabinwatch.world.cabin.zones import Contents, Zone
from cabinwatch.world.record import Moment, recording


class AirReading(NamedTuple):
    """The air of a compartment at a time."""

    pressure_Pa: float
    temperature_K: float
    ppN2_Pa: float
    ppO2_Pa: float
    ppCO2_Pa: float
    ppH2O_Pa: float


class Station:
    """A station by its model; ``seed`` draws the wander, if the model has one.

    Time is cut at every corner (a hatch, a flow, a leak or a temperature that changes its course). Between
    corners the trajectory is solved once, when first reached, and looked up after that: what is read at a
    time depends on the model, the seed and the actions alone.
    """

    def __init__(self, model: CabinModel, seed: int = 0) -> None:
        self._seed = seed
        self.record = recording(model.record) if model.record else None
        self.rebuild(model)

    def rebuild(self, model: CabinModel) -> None:
        """Be the station of a model from the start on: a vehicle that docks is a compartment more.

        Until it makes a difference, what is read is what was read.
        """
        self.model = model
        self._net = build(_begun(model, self.record[0]) if self.record else model)
        moves = model.wander is not None or model.weather
        self._background = Background(model, self._net, self._seed) if moves else None
        self._loops = {name: CoolantLoop(model, name) for name in model.loops}
        self._applied = 0.0
        self._corners = sorted(t for t in self._net.corners() if t > 0)
        rooms = [[*room.start, room.thermal.base] for room in self._net.rooms]
        self._segments: list[Segment] = []
        self._starts: list[float] = []
        self._begin(0.0, rooms, frozenset(self._net.opened))
        self._here = self._segments[0]

    # -- the trajectory

    def _begin(self, t0: float, before: list[Contents], opened_before: frozenset[str]) -> None:
        """Add the segment from t0 on: do what is due at t0, and go on to the next corner."""
        rooms = [list(contents) for contents in before]
        opened = set(opened_before)
        for t, action in self._net.timed:
            if t == t0:
                self._do(action, rooms, opened)
        i = bisect_right(self._corners, t0)
        t1 = self._corners[i] if i < len(self._corners) else math.inf
        segment = Segment(self._net, t0, t1, rooms, frozenset(opened), before, opened_before)
        if self._background is not None:
            segment.courses = self._background.courses(
                self._segments[-1] if self._segments else None, segment
            )
        self._segments.append(segment)
        self._starts.append(t0)

    def _do(self, action: Action, rooms: list[Contents], opened: set[str]) -> None:
        """The part of an action that moves hatches or gas."""
        if isinstance(action, Open):
            opened.add(action.name)
        elif isinstance(action, Close):
            opened.discard(action.name)
        elif isinstance(action, Empty):
            rooms[self._net.index[action.compartment]][:4] = [0.0] * 4

    def _segment(self, t: float) -> Segment:
        here = self._here
        if here.t0 <= t < here.t1:
            return here
        if not t >= 0:
            raise UsageError(f"time {t} s is not at or after the start")
        while t >= self._segments[-1].t1:
            last = self._segments[-1]
            self._begin(last.t1, last.split(last.t1), last.opened)
        self._here = self._segments[bisect_right(self._starts, t) - 1]
        return self._here

    def _room(self, compartment: str) -> int:
        try:
            return self._net.index[compartment]
        except KeyError:
            raise UsageError(
                f"no compartment {compartment!r}; there is {', '.join(self._net.index)}"
            ) from None

    # -- what is true

    @property
    def compartments(self) -> tuple[str, ...]:
        """Every compartment, vehicles and their vestibules (``NAME.vestibule``) too."""
        return tuple(self._net.index)

    def at(self, compartment: str, t_s: float) -> AirReading:
        """The air of a compartment at t >= 0. Raises `UsageError` for an unknown name or a negative time."""
        segment = self._segment(t_s)
        room = self._net.index.get(compartment)
        if room is None:
            room = self._room(compartment)
        zone, contents = segment.contents(room, t_s)
        a, b, c, d, _ = contents
        x = zone.per_mol(t_s, contents) * self._recorded(t_s)
        if self._background is not None:
            x *= 1 + self._background.at(segment.courses[segment.zone_of[room]], t_s) / ATM_Pa
        T = segment.temperature(room, t_s, contents, zone)
        if self.record is not None:
            T += self.record.at(t_s).temperature_K - self.record[0].temperature_K
        return AirReading((a + b + c + d) * x, T, a * x, b * x, c * x, d * x)

    def zone(self, compartment: str, t_s: float) -> tuple[str, ...]:
        """The compartments that are one with it through open hatches, itself among them."""
        segment = self._segment(t_s)
        zone = segment.zones[segment.zone_of[self._room(compartment)]]
        return tuple(self._net.rooms[r].name for r in zone.rooms)

    def volume_m3(self, compartment: str, t_s: float) -> float:
        """Volume of its zone, m3."""
        return self._zone(compartment, t_s)[0].volume

    def _zone(self, compartment: str, t_s: float) -> tuple[Zone, Contents]:
        zone, contents = self._segment(t_s).contents(self._room(compartment), t_s)
        if self.record is not None:
            part = self._recorded(t_s)
            contents = [*(moles * part for moles in contents[:4]), contents[4]]
        return zone, contents

    def _recorded(self, t_s: float) -> float:
        """What a recorded cabin, its leaks apart, has of the pressure that it began with."""
        if self.record is None or not self.record[0].pressure_Pa:
            return 1.0
        return self.record.at(t_s).pressure_Pa / self.record[0].pressure_Pa

    def mass_kg(self, t_s: float, compartment: str | None = None) -> float:
        """Mass of the air of a compartment, or of all compartments (vehicles too), kg."""
        rooms = self._segment(t_s).split(t_s)
        if compartment is not None:
            return mass_kg(rooms[self._room(compartment)])
        return sum(mass_kg(contents) for contents in rooms)

    def leak_kg_s(self, t_s: float, compartment: str | None = None) -> float:
        """Mass rate of the leaks of a compartment's zone, or of all leaks, kg/s, >= 0."""
        segment = self._segment(t_s)
        total = 0.0
        for z, zone in enumerate(segment.zones):
            if compartment is None or z == segment.zone_of[self._room(compartment)]:
                solution, place = segment.solutions[z]
                contents = solution.at(t_s, place)
                total += zone.leak_mol_s(t_s, contents) * gas.molar_mass(Moles(*contents[:4]))
        return total

    def leak_rate_Pa_h(self, compartment: str, t_s: float) -> float:
        """Rate of the pressure by the leaks alone, Pa/h, <= 0: neither breathing nor temperature counts."""
        zone, contents = self._zone(compartment, t_s)
        flow = zone.leak_mol_s(t_s, contents) * zone.per_mol(t_s, contents)
        return -3600.0 * flow * (GAMMA if zone.adiabatic else 1.0)

    def tres_s(self, compartment: str, t_s: float, floor_Pa: float = EVACUATE_Pa) -> float:
        """T-reserve: time from t until its zone is at 490 mmHg if the leaks stay as they are at t, s.

        By the laws in force, with the temperature held (adiabatic: falling with the pressure), nothing let
        in or used up, and hatches and valves as they are with no flow through valves. 0 below 490 mmHg,
        infinite without a leak.
        """
        zone, contents = self._zone(compartment, t_s)
        p0 = sum(contents[:4]) * zone.per_mol(t_s, contents)
        if p0 <= floor_Pa:
            return 0.0
        if zone.leak_mol_s(t_s, contents) <= 0:
            return math.inf
        whole = _law_sums(zone, t_s, contents, p0)
        if whole and not zone.adiabatic:
            return laws.blowdown_time(p0, floor_Pa, *whole)
        return _by_quadrature(zone, t_s, contents, p0, floor_Pa)

    def coolant(self, loop: str, t_s: float) -> CoolantReading:
        """A coolant loop at t >= 0."""
        if loop not in self._loops:
            raise UsageError(f"no coolant loop {loop!r}; there is {', '.join(self._loops) or 'none'}")
        return self._loops[loop].at(t_s)

    # -- what is done to it

    def apply(self, t_s: float, action: Action) -> None:
        """Do something at t, which may not be before the last thing done. What was read after t is forgotten.

        Raises `UsageError` for an unknown name or a time too early.
        """
        if not t_s >= self._applied:
            raise UsageError(f"action at {t_s} s comes before the last one, at {self._applied} s")
        self._check(t_s, action)
        segment = self._segment(t_s)
        net = self._net
        if isinstance(action, StartLeak):
            net.add_hole(action.name, action.leak, now=t_s)
        elif isinstance(action, LetIn):
            net.add_repress(action.flow, now=t_s)
        else:
            net.act(t_s, action)
        net.forget_after(t_s)
        self._applied = t_s
        self._corners = sorted({t for t in net.corners() if t > 0} | {t_s})
        i = bisect_right(self._starts, t_s) - 1
        if segment.t0 == t_s:
            before, opened = segment.before, segment.opened_before
        else:
            before, opened = segment.split(t_s), segment.opened
            segment.t1 = t_s
            i += 1
        del self._segments[i:], self._starts[i:]
        self._begin(t_s, before, opened)
        self._here = self._segments[-1]

    def _check(self, t: float, action: Action) -> None:
        net = self._net
        if isinstance(action, (Open, Close)) and action.name not in net.ways:
            raise UsageError(f"no hatch or valve {action.name!r}; there is {', '.join(net.ways) or 'none'}")
        if isinstance(action, (Patch, Resize)) and action.leak not in net.holes:
            raise UsageError(f"no leak {action.leak!r}; there is {', '.join(net.holes) or 'none'}")
        if isinstance(action, Resize):
            curved = action.over_s > 0 and action.shape != "linear"
            if action.to < 0 or (curved and not is_growth(net.holes[action.leak].curve.value(t), action.to)):
                raise UsageError(
                    f"a leak cannot go to {action.to:g} of its size by {action.shape} growth here"
                )
        if isinstance(action, StartLeak) and action.name in net.holes:
            raise UsageError(f"there is a leak {action.name!r} already")
        place = None
        if isinstance(action, StartLeak):
            place = action.leak.compartment
        elif isinstance(action, LetIn):
            place = action.flow.compartment
        elif isinstance(action, Empty):
            place = action.compartment
        if place is not None:
            self._room(place)


def _begun(model: CabinModel, first: Moment) -> CabinModel:
    """The model with its rooms as the log begins, where the file does not say otherwise."""
    start = {"pressure": first.pressure_Pa, "temperature": first.temperature_K}
    rooms = {
        name: room.model_copy(
            update={key: value for key, value in start.items() if key not in room.model_fields_set}
        )
        for name, room in model.compartments.items()
    }
    return model.model_copy(update={"compartments": rooms})


def _law_sums(zone: Zone, t: float, contents: Contents, p: float) -> tuple[float, float] | None:
    """k and c of dp/dt = -k p - c p^2 for a zone as it is, or None if a linear leak is among its own."""
    if any(opening.law == "linear" for opening in zone.openings):
        return None
    per_mol = zone.per_mol(t, contents)
    full, half = (zone.leak_mol_s(t, contents, x) * per_mol for x in (p, p / 2))
    # full = k p + c p^2 and half = k p/2 + c p^2/4
    only = {opening.law for opening in zone.openings}
    if only == {"orifice"}:
        return full / p, 0.0
    if only == {"crack"}:
        return 0.0, full / p**2
    return (4 * half - full) / p, 2 * (full - 2 * half) / p**2


def _by_quadrature(zone: Zone, t: float, contents: Contents, p0: float, floor: float) -> float:
    """The time from p0 to the floor as the integral of dp/(-dp/dt), by Simpson's rule in log p."""
    n = 256
    step = math.log(p0 / floor) / n
    heat = GAMMA if zone.adiabatic else 1.0
    total = 0.0
    for i in range(n + 1):
        p = floor * math.exp(step * i)
        now = list(contents)
        if zone.adiabatic:
            now[4] *= (p / p0) ** ((GAMMA - 1) / GAMMA)
        weight = 1 if i in (0, n) else 4 if i % 2 else 2
        total += weight * p / (heat * zone.leak_mol_s(t, now, p) * zone.per_mol(t, now))
    return total * step / 3
