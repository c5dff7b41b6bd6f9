"""One stretch of time in which no hatch moves, no flow starts or stops, and every rate is smooth."""

from collections.abc import Callable

from cabinwatch.models.curve import CurvePiece
from cabinwatch.world.cabin import gas
from cabinwatch.world.cabin.gas import R
from cabinwatch.world.cabin.network import Network
from cabinwatch.world.cabin.wander import Course
from cabinwatch.world.cabin.zones import Cluster, Contents, Opening, Solution, Zone


class Segment:
    """The station from t0 to t1, from what each room holds at t0.

    ``before`` and ``opened_before`` are the rooms' contents and the open ways as the segment is entered,
    before the actions of t0: a station that is acted on at t0 begins the segment again from them.
    """

    def __init__(
        self, net: Network, t0: float, t1: float, rooms: list[Contents], opened: frozenset[str],
        before: list[Contents], opened_before: frozenset[str],
    ) -> None:  # fmt: skip
        self.t0, self.t1, self.opened = t0, t1, opened
        self.before, self.opened_before = before, opened_before
        self.courses: list[Course] = []
        """How each zone wanders, where anything does (see `background`)."""
        self._net = net
        self.temperatures = [room.thermal.on(t0) for room in net.rooms]
        self.zones: list[Zone] = []
        self.zone_of: list[int] = [0] * len(net.rooms)
        for members in self._joined():
            for r in members:
                self.zone_of[r] = len(self.zones)
            self.zones.append(self._zone(members, rooms))
        self._fill_in()
        self.solutions: list[tuple[Solution, int]] = [None] * len(self.zones)  # type: ignore[list-item]
        for members, cluster in self._clusters():
            solution = cluster.solve(t0, t1)
            for place, z in enumerate(members):
                self.solutions[z] = (solution, place)

    def _joined(self) -> list[list[int]]:
        """Rooms grouped by open hatches, in the order of their first room."""
        edges = [
            e for name in sorted(self.opened) if (way := self._net.ways[name]).area is None for e in way.edges
        ]
        return _groups(len(self._net.rooms), edges)

    def _zone(self, members: list[int], contents: list[Contents]) -> Zone:
        rooms = self._net.rooms
        start = [sum(contents[r][j] for r in members) for j in range(4)]
        adiabatic = all(rooms[r].adiabatic for r in members)
        total = sum(start)
        volume = sum(rooms[r].volume for r in members)
        if adiabatic:
            T = (
                sum(contents[r][4] * sum(contents[r][:4]) for r in members) / total
                if total > 0
                else contents[members[0]][4]
            )
            T = (
                T or self.temperatures[members[0]][0]
            )  # the last of the gas has cooled beyond what a float can tell
            return Zone(members, volume, True, [*start, T], volume / T)
        per_K = sum(rooms[r].volume / self.temperatures[r][0] for r in members)
        zone = Zone(members, volume, False, [*start, volume / per_K], per_K)
        moving = [(rooms[r].volume, f) for r in members if (f := self.temperatures[r][1])]
        if moving:
            zone.room_per_K_at = _room_per_K(
                sum(
                    rooms[r].volume / self.temperatures[r][0]
                    for r in members
                    if self.temperatures[r][1] is None
                ),
                moving,
            )
            zone.longest = min(rooms[r].thermal.longest_step(self.t0) for r in members)
        return zone

    def _fill_in(self) -> None:
        """Give every zone the leaks and flows in force."""
        net, t0 = self._net, self.t0
        for hole in net.holes.values():
            if t0 < hole.onset:
                continue
            zone = self.zones[self.zone_of[hole.room]]
            coefficient, now = hole.settle(zone.volume), hole.curve.piece(t0)
            factor, piece = (1.0, now) if isinstance(now, CurvePiece) else (now, None)
            if factor > 0:
                zone.openings.append(
                    Opening(hole.law, coefficient, factor, piece, *self.temperatures[hole.room])
                )
        for source in net.sources:
            if source.t0 <= t0 < source.t1:
                zone = self.zones[self.zone_of[source.room]]
                zone.sources.append(source.settle(zone.room_per_K))
        for sink in net.sinks:
            if sink.t0 <= t0 < sink.t1:
                self.zones[self.zone_of[sink.room]].sinks.append((sink.species, sink.flow, sink.keep))
        for pump in net.pumps:
            if pump.into is None and pump.t0 <= t0 < pump.t1:
                self.zones[self.zone_of[pump.room]].vents.append(pump.flow)

    def _clusters(self) -> list[tuple[list[int], Cluster]]:
        """Zones grouped by open valves and running pumps."""
        net, zone_of = self._net, self.zone_of
        valves = [
            (zone_of[a], zone_of[b], area)
            for name, way in sorted(net.ways.items())
            if (area := way.area if name in self.opened else way.seal) is not None
            for a, b in way.edges
        ]
        pumps = [
            (zone_of[pump.room], zone_of[pump.into], pump.flow)
            for pump in net.pumps
            if pump.into is not None and pump.t0 <= self.t0 < pump.t1
        ]
        links = [link for link in (*valves, *pumps) if link[0] != link[1]]
        found = []
        for members in _groups(len(self.zones), [link[:2] for link in links]):
            place = {z: i for i, z in enumerate(members)}
            inside = [
                [(place[i], place[j], x) for i, j, x in some if i in place and i != j]
                for some in (valves, pumps)
            ]
            found.append((members, Cluster([self.zones[z] for z in members], *inside)))
        return found

    def contents(self, room: int, t: float) -> tuple[Zone, Contents]:
        """A room's zone and what that holds at t."""
        z = self.zone_of[room]
        solution, place = self.solutions[z]
        return self.zones[z], solution.at(t, place)

    def temperature(self, room: int, t: float, contents: Contents, zone: Zone) -> float:
        if zone.adiabatic:
            return contents[4]
        fixed, moving = self.temperatures[room]
        return fixed if moving is None else moving(t)

    def split(self, t: float) -> list[Contents]:
        """What every room holds at t: its share of the zone, by V/T."""
        rooms: list[Contents] = [[] for _ in self._net.rooms]
        for z, zone in enumerate(self.zones):
            solution, place = self.solutions[z]
            whole = solution.at(t, place)
            left = whole[:4]
            for r in zone.rooms:
                room = self._net.rooms[r]
                T = whole[4] if zone.adiabatic else room.thermal.value(t)
                share = 1.0 if len(zone.rooms) == 1 else room.volume / T * zone.per_mol(t, whole) / R
                mine = left if r == zone.rooms[-1] else [x * share for x in whole[:4]]
                left = [a - b for a, b in zip(left, mine, strict=True)]
                rooms[r] = [*mine, T]
        return rooms


def _room_per_K(
    fixed: float, moving: list[tuple[float, Callable[[float], float]]]
) -> Callable[[float], float]:
    if len(moving) == 1:
        volume, only = moving[0]
        return lambda t: fixed + volume / only(t)
    return lambda t: fixed + sum(volume / f(t) for volume, f in moving)


def _groups(count: int, edges: list[tuple[int, int]]) -> list[list[int]]:
    """Connected components of 0..count-1, each in rising order."""
    root = list(range(count))

    def find(i: int) -> int:
        while root[i] != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    for a, b in edges:
        low, high = sorted((find(a), find(b)))
        root[high] = low
    members: dict[int, list[int]] = {}
    for i in range(count):
        members.setdefault(find(i), []).append(i)
    return list(members.values())


def mass_kg(contents: Contents) -> float:
    return gas.mass_kg(gas.Moles(*contents[:4]))
