"""The ``[cabin]`` table of a scenario: what the station is, and what happens to its air.

The simple case is one compartment and one leak::

    [cabin.compartments.station]
    volume = "916 m3"

    [cabin.leaks.hole]
    size = "2 mm"
    at = "1h"

Everything is named by its key. ``compartment`` may be left out where there is one: it is the first in the
file. Times are durations from the start (``"2d 3h"``, or a number of seconds). Numbers without a unit are
SI.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cabinwatch.models.background import WanderModel, Weather
from cabinwatch.models.fields import (
    Duration,
    Length,
    Mass,
    MassRate,
    Pressure,
    Span,
    Table,
    Temperature,
    Volume,
    VolumeRate,
)
from cabinwatch.models.leak_tables import Leak, LoopLeak
from cabinwatch.models.leaks import SHARP_EDGE_CD
from cabinwatch.models.record import RecordModel
from cabinwatch.models.units import ATM_Pa


class Air(Table):
    """What fills a volume at the start."""

    volume: Volume = Field(description="pressurised volume, m3, > 0")
    pressure: Pressure = Field(ATM_Pa, description="pressure at the start, Pa, >= 0")
    temperature: Temperature = Field(295.0, description="temperature at the start, K, 100 to 1000")
    o2: float = Field(0.21, ge=0, le=1, description="mole fraction of oxygen, 0 to 1")
    co2: float = Field(0.004, ge=0, le=1, description="mole fraction of carbon dioxide, 0 to 1")
    h2o: float = Field(
        0.010, ge=0, le=1, description="mole fraction of water vapour, 0 to 1; the rest is nitrogen"
    )

    @model_validator(mode="after")
    def _fractions(self) -> Self:
        if self.o2 + self.co2 + self.h2o > 1:
            raise ValueError("the fractions o2 + co2 + h2o come to more than 1")
        return self


class Compartment(Air):
    """A module, or any closed volume."""

    process: Literal["held", "adiabatic"] = Field(
        "held",
        description="'held': walls and air system keep the temperature; 'adiabatic': gas cools as it expands "
        "(and `thermal` does nothing)",
    )


class Hatch(Table):
    """A hatch: open, it joins two compartments into one pressure and one mixture; closed, only its
    seal leaks."""

    a: str = Field(description="compartment on one side")
    b: str = Field(description="compartment on the other side")
    open: bool = Field(False, description="whether it is open at the start")
    seal: Length | None = Field(
        None, description="bore through which it leaks when it is shut, m; tight if left out"
    )


class Valve(Table):
    """An equalisation valve: an orifice between two compartments."""

    a: str = Field(description="compartment on one side")
    b: str = Field(description="compartment on the other side")
    diameter: Length = Field(description="bore, m, > 0")
    cd: float = Field(SHARP_EDGE_CD, gt=0, le=1, description="discharge coefficient, 0 to 1")
    open: bool = Field(False, description="whether it is open at the start")


class Crew(Table):
    """People in a compartment: they use oxygen and make carbon dioxide and water vapour."""

    count: int = Field(ge=0, le=20, description="heads, 0 to 20")
    activity: Literal["sleep", "rest", "mean", "work", "exercise"] = Field(
        "mean", description="0.6, 0.8, 1, 1.25 or 4 times the daily mean"
    )
    compartment: str | None = Field(None, description="where they are; the first compartment if left out")
    at: Duration = Field(0.0, description="from when, s from the start")
    until: Duration | None = Field(None, description="until when, s from the start; for good if left out")


class Flow(Table):
    """What every flow has."""

    compartment: str | None = Field(None, description="where it acts; the first compartment if left out")
    at: Duration = Field(0.0, description="from when, s from the start")


class Repress(Flow):
    """Gas let in from tanks at a constant rate."""

    kind: Literal["repress"] = "repress"
    gas: Literal["O2", "N2", "air"] = Field("N2", description="which gas")
    mass: Mass | None = Field(None, description="how much in all, kg, > 0")
    rise: Pressure | None = Field(None, description="or the pressure rise it makes with no other flow, Pa")
    over: Span = Field(600.0, description="how long it takes, s, > 0")

    @model_validator(mode="after")
    def _amount(self) -> Self:
        if (self.mass is None) == (self.rise is None):
            raise ValueError("give either mass or rise")
        return self


class OxygenGeneration(Flow):
    """Oxygen from water electrolysis or candles, at a constant rate."""

    kind: Literal["oxygen_generation"]
    rate: MassRate = Field(description="kg/s (text: '5 kg/d')")
    until: Duration | None = Field(None, description="until when, s; for good if left out")


class CO2Removal(Flow):
    """A bed that cleans a stream of cabin air of all its CO2."""

    kind: Literal["co2_removal"]
    flow: VolumeRate = Field(description="stream, m3/s (text: '40 m3/h')")
    until: Duration | None = Field(None, description="until when, s; for good if left out")


class Humidity(Flow):
    """A condenser that brings a stream of cabin air down to a vapour pressure."""

    kind: Literal["humidity"]
    flow: VolumeRate = Field(description="stream, m3/s (text: '200 m3/h')")
    keep: Pressure = Field(1000.0, description="vapour pressure of the dried air, Pa")
    until: Duration | None = Field(None, description="until when, s; for good if left out")


class Transfer(Flow):
    """A pump that moves air of one compartment into another at a constant volume rate."""

    kind: Literal["transfer"]
    into: str = Field(description="compartment it pumps into")
    flow: VolumeRate = Field(description="suction volume rate, m3/s (text: '40 m3/h')")
    until: Duration | None = Field(None, description="until when, s; for good if left out")


class AirlockCycle(Flow):
    """A spacewalk: hatch closed, air pumped back, the rest vented, and the lock filled from the station
    again."""

    kind: Literal["airlock"]
    hatch: str = Field(
        description="hatch between the lock (`compartment`) and the station; open before and after"
    )
    into: str = Field(description="compartment the air is pumped into and comes back from")
    pump: Span = Field(1800.0, description="how long the pump runs, s")
    pump_to: Pressure = Field(10000.0, gt=0, description="pressure the pump reaches, Pa")
    vent: Span = Field(300.0, description="how long the vent takes, s; to a thousandth of `pump_to`")
    outside: Duration = Field(6.5 * 3600, description="time at vacuum, s")
    fill: Span = Field(600.0, description="time from opening the equalisation valve to opening the hatch, s")
    valve: Length = Field(0.02, description="bore of the equalisation valve, m")


AnyFlow = Annotated[
    Repress | OxygenGeneration | CO2Removal | Humidity | Transfer | AirlockCycle, Field(discriminator="kind")
]


class Vehicle(Air):
    """A visiting vehicle: it docks, its hatch opens and joins its volume, and it leaves.

    The vestibule between the hatches is filled from the port when the hatch is about to open, and its air
    is lost at undocking.
    """

    port: str = Field(description="compartment it docks to")
    opened: Duration | None = Field(None, description="hatch opened, s from the start; never if left out")
    closed: Duration | None = Field(None, description="hatch closed, s from the start; never if left out")
    undocked: Duration | None = Field(None, description="undocking, s from the start; never if left out")
    vestibule: Volume = Field(0.4, description="volume between the hatches, m3")
    equalise: Span = Field(
        900.0, description="time from opening the equalisation valves to opening the hatch, s"
    )
    valve: Length = Field(0.012, description="bore of the equalisation valves, m")

    @model_validator(mode="after")
    def _order(self) -> Self:
        times = [t for t in (self.opened, self.closed, self.undocked) if t is not None]
        if times != sorted(times) or (self.opened is not None and self.opened < self.equalise):
            raise ValueError("need equalise <= opened <= closed <= undocked")
        if self.closed is not None and self.opened is None:
            raise ValueError("closed needs opened")
        if self.undocked is not None and self.opened is not None and self.closed is None:
            raise ValueError("undocked needs closed: nobody leaves with the hatch open")
        return self


class Thermal(Table):
    """A change of temperature, added to the others in force."""

    kind: Literal["swing", "ramp", "approach"] = Field(
        description="'swing': a sine; 'ramp': straight (over = 0: a step); 'approach': as a heater fails"
    )
    compartments: list[str] | None = Field(
        None, description="which compartments or loops; all compartments if left out"
    )
    size: float = Field(ge=-200, le=200, description="amplitude or whole change, K, -200 to 200")
    at: Duration = Field(0.0, description="from when, s from the start")
    until: Duration | None = Field(None, description="until when, s; for good if left out")
    period: Span = Field(92.0 * 60, description="period of a swing, s (an orbit: 92 min)")
    over: Duration = Field(0.0, description="length of a ramp, s")
    tau: Span = Field(7200.0, description="time constant of an approach, s")


class Action(Table):
    """Something the crew does at a time: exactly one of the verbs, with the name of what it is done to."""

    at: Duration = Field(description="when, s from the start")
    open: str | None = Field(None, description="hatch or valve to open")
    close: str | None = Field(None, description="hatch or valve to close")
    patch: str | None = Field(None, description="leak to patch; its later profile is forgotten")
    reopen: str | None = Field(None, description="leak to bring back to its full size")

    @property
    def verb(self) -> tuple[str, str]:
        """The verb and its object."""
        given = [
            (verb, name) for verb in ("open", "close", "patch", "reopen") if (name := getattr(self, verb))
        ]
        return given[0] if len(given) == 1 else ("", "")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if not self.verb[0]:
            raise ValueError("give exactly one of open, close, patch, reopen")
        return self


class Loop(Table):
    """A coolant loop: liquid kept under pressure by an accumulator's gas. Its own channel, never cabin
    air."""

    pressure: Pressure = Field(gt=0, description="pressure at the start, Pa")
    gas: Volume = Field(description="gas in the accumulator at the start, m3")
    reserve: Volume = Field(description="liquid that can leave before the accumulator is empty, m3")
    density: float = Field(690.0, gt=0, le=3000, description="of the liquid, kg/m3")
    temperature: Temperature = Field(280.0, description="K")
    vapour: Pressure = Field(0.0, description="pressure left when the accumulator is empty, Pa")
    leak: LoopLeak | None = Field(None, description="its leak")


class CabinModel(Table):
    """The ``[cabin]`` table."""

    compartments: dict[str, Compartment] = Field(min_length=1, description="modules, by name")
    hatches: dict[str, Hatch] = Field(default={}, description="hatches, by name")
    valves: dict[str, Valve] = Field(default={}, description="equalisation valves, by name")
    leaks: dict[str, Leak] = Field(default={}, description="leaks to space, by name")
    flows: dict[str, AnyFlow] = Field(default={}, description="other flows of gas, by name")
    crew: dict[str, Crew] = Field(default={}, description="people, by name of the group")
    vehicles: dict[str, Vehicle] = Field(default={}, description="visiting vehicles, by name")
    thermal: dict[str, Thermal] = Field(default={}, description="changes of temperature, by name")
    actions: list[Action] = Field(default=[], description="what the crew does, in any order of time")
    weather: dict[str, Weather] = Field(
        default={}, description="changes of the pressure by no leak: days, fronts; by name"
    )
    wander: WanderModel | None = Field(None, description="background wander; none if left out")
    record: RecordModel | None = Field(None, description="a recorded cabin; none if left out")
    loops: dict[str, Loop] = Field(default={}, max_length=1, description="the coolant loop, by name")

    @model_validator(mode="after")
    def _recorded(self) -> Self:
        both = [name for name in ("wander", "weather", "crew", "flows") if getattr(self, name)]
        if self.record and both:
            raise ValueError(f"a record stands in place of {', '.join(both)}: give one or the other")
        return self

    @model_validator(mode="after")
    def _references(self) -> Self:
        from cabinwatch.models.references import check

        check(self)
        return self

    @property
    def first(self) -> str:
        """The compartment meant where none is named."""
        return next(iter(self.compartments))
