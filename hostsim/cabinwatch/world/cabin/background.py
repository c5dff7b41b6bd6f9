"""What moves the pressures of a station while no gas moves: its weather, and the wander of each zone.

The zone of the first compartment wanders along the station's own path. A zone that is shut off from it leaves that path
where it was, and goes on along one of its own: an Ornstein-Uhlenbeck process forgets where it began as exp(-t/tau), so
its way is a path drawn for that zone plus what is left of the gap between the two.
"""

import math

from cabinwatch.models.cabin import CabinModel
from cabinwatch.models.curve import ThermalCurve
from cabinwatch.world.cabin.network import Network, term
from cabinwatch.world.cabin.segment import Segment
from cabinwatch.world.cabin.wander import Course, Wander


class Background:
    """The background of one station; ``seed`` draws its wander."""

    def __init__(self, model: CabinModel, net: Network, seed: int) -> None:
        self._weather = ThermalCurve(0.0, [term(change) for change in model.weather.values()])
        self._wander = model.wander
        self._seed = seed
        self._net = net
        self._paths: dict[int, Wander] = {}

    def courses(self, before: Segment | None, segment: Segment) -> list[Course]:
        """The course of each zone of a segment: the one it had, or from where it was onto its own path."""
        return [self._course(before, segment.t0, zone.rooms[0]) for zone in segment.zones]

    def _course(self, before: Segment | None, t0: float, lead: int) -> Course:
        if before is None:
            return Course(lead)
        last = before.courses[before.zone_of[lead]]
        if last.lead == lead or self._wander is None:
            return last
        return Course(lead, t0, self._wandered(last, t0) - self._path(lead).at(t0))

    def at(self, course: Course, t_s: float) -> float:
        """What it adds to a zone's pressure at t_s, Pa at one atmosphere."""
        return self._wandered(course, t_s) + self._weather.value(t_s)

    def _wandered(self, course: Course, t_s: float) -> float:
        if self._wander is None:
            return 0.0
        left = course.gap_Pa and course.gap_Pa * math.exp((course.since - t_s) / self._wander.tau)
        return self._path(course.lead).at(t_s) + left

    def _path(self, lead: int) -> Wander:
        path = self._paths.get(lead)
        if path is None:
            assert self._wander is not None
            seed = f"{self._seed}/{self._net.rooms[lead].name}" if lead else self._seed
            path = self._paths[lead] = Wander(seed, self._wander.q, self._wander.tau)
        return path
