"""The air of a station between two corners of time: zones, and the clusters of zones that gas flows between.

Rooms joined by open hatches are one zone: one pressure, one mixture, each room at its own temperature.
Zones joined by an open valve or a pump are one cluster, and are solved together; the others are solved
alone, in closed form where one exists (see `laws`), else with `ode.Trajectory`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from math import sqrt
from typing import Protocol

from cabinwatch.models.curve import CurvePiece
from cabinwatch.models.leaks import Law
from cabinwatch.world.cabin import gas, laws
from cabinwatch.world.cabin.gas import GAMMA, MOLAR_kg, R
from cabinwatch.world.cabin.laws import PSI
from cabinwatch.world.cabin.ode import Trajectory

Contents = list[float]
"""Moles of the four gases and, for an adiabatic zone, its temperature, K."""
ANOXIA_Pa = 1000.0
"""Breathing, and whatever else uses a gas up, fades in proportion to its partial pressure below this."""
FASTEST_per_s = 20.0
"""Where other gas flows too, a zone loses no more than this share a second: emptied in 50 ms or faster looks the same
to every instrument, and the integrator's steps need not be shorter than that."""
_M0, _M1, _M2, _M3 = MOLAR_kg


@dataclass(slots=True)
class Opening:
    """A leak in a zone: law, coefficient, factor (or the piece that gives it), and temperature where it
    is."""

    law: Law
    coefficient: float
    factor: float
    piece: CurvePiece | None
    temperature: float
    temperature_at: Callable[[float], float] | None

    def strength(self, t: float) -> float:
        return self.coefficient * (self.factor if self.piece is None else self.piece.at(t))

    def strength_integral(self, t0: float, t: float) -> float:
        """The integral of `strength` from t0 to t."""
        if self.piece is None:
            return self.coefficient * self.factor * (t - t0)
        return self.coefficient * (self.piece.integral(t) - self.piece.integral(t0))


@dataclass(slots=True)
class Zone:
    """Rooms of one pressure and what flows in and out of them (rates as in `network`)."""

    rooms: list[int]
    volume: float
    adiabatic: bool
    start: Contents
    room_per_K: float  # sum of V/T
    room_per_K_at: Callable[[float], float] | None = None
    longest: float = math.inf
    openings: list[Opening] = field(default_factory=list)
    sources: list[tuple[float, float, float, float]] = field(default_factory=list)
    sinks: list[tuple[int, float, float]] = field(default_factory=list)
    vents: list[float] = field(default_factory=list)  # m3/s to space

    def per_mol(self, t: float, contents: Contents) -> float:
        """Pressure of one mole in the zone, Pa/mol."""
        if self.adiabatic:
            return R * contents[4] / self.volume
        return R / (self.room_per_K if self.room_per_K_at is None else self.room_per_K_at(t))

    def leak_mol_s(self, t: float, contents: Contents, p: float | None = None) -> float:
        """Flow through the leaks, mol/s; at another pressure p if given."""
        n = gas.Moles(*contents[:4])
        if p is None:
            p = sum(n) * self.per_mol(t, contents)
        molar, total = gas.molar_mass(n), 0.0
        for o in self.openings:
            T = o.temperature if o.temperature_at is None else o.temperature_at(t)
            total += laws.flow_mol_s(o.law, o.strength(t), p, contents[4] if self.adiabatic else T, molar)
        return total


class Solution(Protocol):
    """The contents of the zones of a cluster over time."""

    def at(self, t: float, zone: int) -> Contents: ...


class Still:
    """Nothing flows."""

    def __init__(self, zone: Zone) -> None:
        self._contents = zone.start

    def at(self, t: float, zone: int) -> Contents:
        return self._contents


class Blowdown:
    """One zone of held temperature that leaks by orifices and cracks: dp/dt = -k p - c p^2."""

    def __init__(self, zone: Zone, t0: float) -> None:
        self._t0, self._start, self._openings = t0, zone.start, zone.openings
        per_mol = R / zone.room_per_K
        n = gas.Moles(*zone.start[:4])
        self._p0 = sum(n) * per_mol
        molar = gas.molar_mass(n)
        self._k = [
            (o, PSI * per_mol / sqrt(molar * R * o.temperature)) for o in zone.openings if o.law == "orifice"
        ]
        self._c = [(o, per_mol / (R * o.temperature)) for o in zone.openings if o.law == "crack"]
        self._vented = sum(zone.vents) / zone.volume
        self._steady = all(o.piece is None for o in zone.openings)
        self._rates = (self._vented + self._sum(self._k), self._sum(self._c))

    def _sum(self, terms: list[tuple[Opening, float]]) -> float:
        return sum(o.coefficient * o.factor * x for o, x in terms) if self._steady else 0.0

    def at(self, t: float, zone: int) -> Contents:
        t0, p0 = self._t0, self._p0
        if p0 <= 0:
            return self._start
        if self._steady:
            left = laws.blowdown(p0, *self._rates, t - t0) / p0
        elif self._c:
            grown = sum(o.strength_integral(t0, t) * x for o, x in self._c)
            left = laws.blowdown(p0, 0.0, grown, 1.0) / p0
        else:
            grown = sum(o.strength_integral(t0, t) * x for o, x in self._k)
            left = math.exp(-grown - self._vented * (t - t0))
        a, b, c, d, T = self._start
        return [a * left, b * left, c * left, d * left, T]


class LinearBlowdown:
    """One zone of held temperature that leaks at constant rates, which fade below `laws.LINEAR_FLOOR_Pa`."""

    def __init__(self, zone: Zone, t0: float) -> None:
        self._t0, self._start, self._openings = t0, zone.start, zone.openings
        self._mol = sum(zone.start[:4])
        self._floor_mol = laws.LINEAR_FLOOR_Pa * zone.room_per_K / R

    def at(self, t: float, zone: int) -> Contents:
        if self._mol <= 0:
            return self._start
        owed = sum(o.strength_integral(self._t0, t) for o in self._openings)
        steady = max(0.0, self._mol - self._floor_mol)
        mol = self._mol - owed
        if owed > steady:
            mol = min(self._mol, self._floor_mol) * math.exp((steady - owed) / self._floor_mol)
        a, b, c, d, T = self._start
        left = mol / self._mol
        return [a * left, b * left, c * left, d * left, T]


class AdiabaticBlowdown:
    """One adiabatic zone that leaks by orifices of constant size."""

    def __init__(self, zone: Zone, t0: float) -> None:
        self._t0, self._start = t0, zone.start
        area = sum(o.coefficient * o.factor for o in zone.openings)
        self._k = laws.orifice_k(area, zone.volume, zone.start[4], gas.molar_mass(gas.Moles(*zone.start[:4])))

    def at(self, t: float, zone: int) -> Contents:
        left = laws.adiabatic_pressure(1.0, self._k, t - self._t0)
        a, b, c, d, T = self._start
        n = math.pow(left, 1 / GAMMA)
        return [a * n, b * n, c * n, d * n, T * math.pow(left, (GAMMA - 1) / GAMMA)]


class Integrated:
    """A cluster solved by the integrator."""

    def __init__(self, cluster: "Cluster", t0: float, t1: float) -> None:
        zones = cluster.zones
        self._stride = 5 if any(zone.adiabatic for zone in zones) else 4
        y0 = []
        for zone in zones:
            y0 += zone.start[:4]
            if self._stride == 5:
                y0.append(sum(zone.start[:4]) * zone.start[4])
        atol = []
        for zone in zones:
            whole = max(sum(zone.start[:4]), 101325.0 * zone.room_per_K / R)
            atol += [1e-12 * whole] * 4 + [3e-10 * whole] * (self._stride - 4)
        self._empty = [zone.volume / zone.room_per_K for zone in zones]
        longest = min(zone.longest for zone in zones)
        self._trajectory = Trajectory(equations(cluster, self._stride), t0, y0, t1, atol, longest)
        self._temperature = [None if zone.adiabatic else zone.start[4] for zone in zones]

    def at(self, t: float, zone: int) -> Contents:
        y, o = self._trajectory.at(t), zone * self._stride
        # The integrator may undershoot an empty zone by its tolerance; there is no negative gas.
        contents = [max(x, 0.0) for x in y[o : o + 4]]
        T = self._temperature[zone]
        if T is None:
            total = sum(contents)
            T = max(y[o + 4], 0.0) / total if total > 0 else self._empty[zone]
        contents.append(T)
        return contents


@dataclass
class Cluster:
    """Zones that gas flows between: valves (zone, zone, effective area) and pumps (zone, zone, m3/s)."""

    zones: list[Zone]
    valves: list[tuple[int, int, float]] = field(default_factory=list)
    pumps: list[tuple[int, int, float]] = field(default_factory=list)

    def solve(self, t0: float, t1: float) -> Solution:
        """The solution from t0 to t1, in closed form where there is one."""
        if len(self.zones) == 1:
            only = self.zones[0]
            openings = [o for o in only.openings if o.piece is not None or o.factor > 0]
            empty = sum(only.start[:4]) == 0 and not only.sources
            if empty or not (openings or only.sources or only.sinks or only.vents):
                return Still(only)
            kinds = {o.law for o in openings}
            alone = not only.sources and not only.sinks
            held = not only.adiabatic and only.room_per_K_at is None
            if alone and held and kinds == {"linear"} and not only.vents:
                return LinearBlowdown(only, t0)
            alone = alone and "linear" not in kinds
            steady = all(o.piece is None for o in openings)
            if alone and only.adiabatic and steady and "crack" not in kinds and not only.vents:
                return AdiabaticBlowdown(only, t0)
            family = steady or (len(kinds) == 1 and not ("crack" in kinds and only.vents))
            if alone and held and family:
                return Blowdown(only, t0)
        return Integrated(self, t0, t1)


def equations(cluster: Cluster, stride: int) -> Callable[[float, list[float]], list[float]]:
    """The balance of every gas in every zone, for the integrator; and of energy where a zone is adiabatic.

    Energy is carried as moles times temperature: one molar heat capacity does for all, gas that leaves or
    enters carries its enthalpy, g times that.
    """
    zones, valves, pumps = cluster.zones, cluster.valves, cluster.pumps
    places = range(0, stride * len(zones), stride)

    def slopes(t: float, y: list[float]) -> list[float]:
        dy = [0.0] * len(y)
        states = []
        for zone, o in zip(zones, places, strict=True):
            state = total, p, T, root = _state(zone, t, y, o)
            states.append(state)
            if total > 0:
                lost = min(_lost(zone, t, p, T, root) / total, FASTEST_per_s)
                if lost:
                    dy[o : o + 4] = [-lost * x for x in y[o : o + 4]]
            if zone.sources or zone.sinks:
                _used(zone, y, dy, o, total, p, T)
            if zone.adiabatic:
                dy[o + 4] = GAMMA * T * (dy[o] + dy[o + 1] + dy[o + 2] + dy[o + 3])
        for i, j, area in valves:
            if states[i][1] < states[j][1]:
                i, j = j, i
            total, p, T, root = states[i]
            if total > 0:
                rate = area * p * laws.flow_function(states[j][1] / p) / (root * sqrt(T))
                move(y, dy, i, j, rate / total, T)
        for i, j, flow in pumps:
            move(y, dy, i, j, flow / zones[i].volume, states[i][2])
        return dy

    def move(y: list[float], dy: list[float], i: int, j: int, share: float, T: float) -> None:
        """Move a share a second of zone i's gas, at T, into zone j."""
        a, b = i * stride, j * stride
        moved = 0.0
        for s in range(4):
            rate = share * y[a + s]
            moved += rate
            dy[a + s] -= rate
            dy[b + s] += rate
        if zones[i].adiabatic:
            dy[a + 4] -= GAMMA * T * moved
        if zones[j].adiabatic:
            dy[b + 4] += GAMMA * T * moved

    return slopes


def _state(zone: Zone, t: float, y: list[float], o: int) -> tuple[float, float, float, float]:
    """Moles, pressure, temperature and sqrt(M R) of the zone whose state starts at o; an empty one has no
    pressure."""
    a, b, c, d = y[o : o + 4]
    total = a + b + c + d
    mass = a * _M0 + b * _M1 + c * _M2 + d * _M3
    # The last trace, within the tolerance: gases that a trial step has overdrawn can weigh less than nothing.
    if total <= 0 or mass <= 0 or (zone.adiabatic and y[o + 4] <= 0):
        return 0.0, 0.0, zone.volume / zone.room_per_K, 1.0
    root = sqrt(mass / total * R)
    if zone.adiabatic:
        energy = y[o + 4]
        return total, energy * R / zone.volume, energy / total, root
    per_K = zone.room_per_K if zone.room_per_K_at is None else zone.room_per_K_at(t)
    return total, total * R / per_K, zone.volume / per_K, root


def _used(zone: Zone, y: list[float], dy: list[float], o: int, total: float, p: float, T: float) -> None:
    """Add the zone's sources and sinks to its slopes."""
    for source in zone.sources:
        for j, rate in enumerate(source, o):
            if rate < 0:
                partial = p * y[j] / total if total > 0 else 0.0
                rate *= min(1.0, max(0.0, partial / ANOXIA_Pa))
            dy[j] += rate
    for species, flow, keep in zone.sinks:
        excess = y[o + species] / zone.volume - keep / (R * T)
        if excess > 0:
            dy[o + species] -= flow * excess


def _lost(zone: Zone, t: float, p: float, T_zone: float, root: float) -> float:
    """Flow to space through leaks and vents, mol/s; ``root`` is sqrt(M R)."""
    lost = 0.0
    for opening in zone.openings:
        if zone.adiabatic:
            T = T_zone
        else:
            T = opening.temperature if opening.temperature_at is None else opening.temperature_at(t)
        strength = opening.strength(t)
        if opening.law == "orifice":
            lost += strength * PSI * p / (root * sqrt(T))
        elif opening.law == "crack":
            lost += strength * p * p / (R * T)
        else:
            lost += laws.linear_mol_s(strength, p)
    for flow in zone.vents:
        lost += flow * p / (R * T_zone)
    return lost
