"""Published figures beside what this package computes for them, matched or not.

Nothing is tuned to make a row match. Where a constant comes from the figure it stands beside, the row says
``fitted``: it shows that the law can carry the figure, and checks no more than that.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from cabinwatch.models.cabin import CabinModel
from cabinwatch.models.units import ATM_Pa, DAY_s, HOUR_s, MMHG_Pa, PSI_Pa
from cabinwatch.world.cabin import laws
from cabinwatch.world.cabin.coolant import CoolantLoop
from cabinwatch.world.cabin.gas import AIR_MOLAR_kg, R
from cabinwatch.world.cabin.station import Station
from cabinwatch.world.cabin.wander import allan_deviation

STATION_m3 = 916.0
"""Pressurised volume of the station (NASA)."""
_T = 295.0


@dataclass(frozen=True, slots=True)
class Row:
    """A published figure and the computed one, in the same unit. ``tolerance``: how far apart still
    matches."""

    what: str
    unit: str
    published: float
    computed: float
    source: str
    tolerance: float = 0.05
    reason: str = ""
    fitted: bool = False

    @property
    def ratio(self) -> float:
        """Computed over published."""
        return self.computed / self.published

    @property
    def matches(self) -> bool:
        return abs(self.ratio - 1) <= self.tolerance

    @property
    def verdict(self) -> str:
        if self.fitted:
            return f"fitted: {self.reason}"
        if self.matches:
            return f"within {self.tolerance:.1%}" + (f": {self.reason}" if self.reason else "")
        return f"does not match: {self.reason}"


_CABIN_kg = 0.21 * 31.9988e-3 + 0.004 * 44.0095e-3 + 0.01 * 18.01528e-3 + 0.776 * 28.0134e-3
"""Molar mass of a model's default air."""


def _station(**tables: object) -> Station:
    tables.setdefault("compartments", {"station": {"volume": STATION_m3}})
    return Station(CabinModel.model_validate(tables))


def _drop(station: Station, name: str, seconds: float) -> float:
    return station.at(name, 0.0).pressure_Pa - station.at(name, seconds).pressure_Pa


def _law_rows() -> list[Row]:
    """Fliegner's formula, and the published blow-downs by the law each is told with."""
    k = math.log(915 / 50) / 115
    area = k * 4.0 / laws.orifice_k(1.0, 1.0, _T, _CABIN_kg)
    soyuz = {"pressure": "915 mmHg", "volume": 4.0}
    valve = {"size": f"{math.sqrt(4 * area / math.pi) * 1e3!r} mm", "cd": 1.0}
    blown = _station(compartments={"station": soyuz}, leaks={"valve": valve}).at("station", 115.0)
    rows = [
        Row("Fliegner's constant for air", "s sqrt(K)/m", 0.04041, laws.orifice_kg_s(1.0, 1.0, 1.0),
            "Fliegner's formula", 0.001),
        Row("Soyuz 11: pressure after 115 s from 915 mmHg", "mmHg", 50.0, blown.pressure_Pa / MMHG_Pa,
            "accounts of the inquiry", fitted=True,
            reason="k = 0.0253/s of an orifice from the same two pressures"),
    ]  # fmt: skip
    for when, end, hours in (("Dec 2020", 620.0, 18.0), ("Mar 2021", 678.0, 11.5)):
        rate = 730.0**2 * (1 / end - 1 / 730.0) / hours
        prk = {"prk": {"volume": 7.0, "pressure": "730 mmHg"}}
        crack = {"cracks": {"size": f"{rate!r} mmHg/h", "law": "crack"}}
        got = _station(compartments=prk, leaks=crack).at("prk", hours * HOUR_s).pressure_Pa / MMHG_Pa
        rows.append(
            Row(f"PrK, hatch closed, {when}: pressure after {hours:g} h from 730 mmHg", "mmHg", end, got,
                "reports of the pressure test", fitted=True,
                reason="c of a crack from the same two pressures; with no figure between them an orifice "
                "would carry them as well")
        )  # fmt: skip
    return rows


def _station_rows() -> list[Row]:
    rate = -_station(leaks={"hole": {"size": "2 mm"}}).leak_rate_Pa_h("station", 0.0) / 100
    crew = {
        "crew": {"six": {"count": 6}},
        "flows": {"bed": {"kind": "co2_removal", "flow": "34.8 m3/h"},
                  "condenser": {"kind": "humidity", "flow": "300 m3/h", "keep": "800 Pa"}},
    }  # fmt: skip
    breath = _drop(_station(**crew), "station", 8 * HOUR_s) / 8
    return [
        Row("rate of a 2 mm hole in the station (Soyuz MS-09)", "mbar/h", 0.8, rate,
            "one report of the rate", 0.25,
            "0.8 mbar/h is an effective 1.13 mm; either the hole was partly stopped by what lies behind "
            "the panel, or one of the two figures is wrong"),
        Row("fall by six people's breathing, O2 not replaced", "Pa/h", 17.0, breath,
            "a station pressure record without a leak", 0.1),
    ]  # fmt: skip


def _incident_rows() -> list[Row]:
    lost = (730 - 620) * MMHG_Pa * 7.0 / (R * _T) * AIR_MOLAR_kg / (18 * HOUR_s / DAY_s)
    lab = {"leaks": {"hose": {"size": "0.038 psi/d", "law": "linear"}}}
    profile = [{"at": 0, "to": 0}, {"at": 0, "to": 1, "over": "11d"}]
    grown = {"leaks": {"hose": {"size": "0.038 psi/d", "law": "linear", "profile": profile}}}
    even, ramp = (_drop(_station(**tables), "station", 11 * DAY_s) / MMHG_Pa for tables in (lab, grown))
    return [
        Row("loss of the closed PrK, 730 to 620 mmHg in 18 h, 7 m3 (Dec 2020)", "kg/d", 1.4, lost,
            "peak rate published for Aug-Sep 2020", 0.2, "the volume is remembered, the months differ"),
        Row("window hose: its rate in mmHg", "mmHg/d", 2.0, 0.038 * PSI_Pa / MMHG_Pa,
            "NASA status reports, 2004"),
        Row("window hose: eleven days at that rate", "mmHg", 11.0, even, "NASA status reports, 2004", 0.1,
            "the rate published is the last one; it cannot have leaked so all along"),
        Row("window hose: grown evenly from nothing to that rate", "mmHg", 11.0, ramp,
            "NASA status reports, 2004", 0.1, "an assumption of the scenario"),
        Row("Soyuz MS-22: hours to lose 44 l through 0.8 mm at 3 atm", "h", 3.0, _ms22_hours(),
            "Roscosmos (hole); 'more than three hours' of venting", 0.25,
            "44 l, 3 atm and the gas volume are weakly sourced; liquid that boils off in the hole is slower"),
    ]  # fmt: skip


def _ms22_hours() -> float:
    """Time for the reserve to run out, by the loop's own closed form."""
    loop = {"pressure": 3 * ATM_Pa, "gas": "22 l", "reserve": "44 l", "leak": {"size": "0.8 mm"}}
    coolant = CoolantLoop(
        CabinModel.model_validate({"compartments": {"c": {"volume": 1}}, "loops": {"l": loop}}), "l"
    )
    low, high = 0.0, DAY_s
    while high - low > 1:
        middle = (low + high) / 2
        low, high = (low, middle) if coolant.at(middle).level == 0 else (middle, high)
    return high / HOUR_s


def _background_rows() -> list[Row]:
    rows = []
    for seconds, measured in ((30, 1.6), (300, 3.0), (1800, 9.0), (3600, 10.0)):
        rows.append(
            Row(f"Allan deviation of a quiet cabin at {seconds} s", "Pa", measured, allan_deviation(seconds),
                "a station pressure record", 0.1, fitted=True,
                reason="two parameters for four figures; the process has no gauge noise and no plateau")
        )  # fmt: skip
    return rows


def rows() -> list[Row]:
    """Every row of the table, computed now."""
    return [*_law_rows(), *_station_rows(), *_incident_rows(), *_background_rows()]


def markdown() -> str:
    """The table in Markdown."""
    lines = [
        "| figure | unit | published | computed | ratio | verdict | source |",
        "|---|---|--:|--:|--:|---|---|",
    ]
    for row in rows():
        numbers = f"{row.published:.4g} | {row.computed:.4g} | {row.ratio:.2f}"
        lines.append(f"| {row.what} | {row.unit} | {numbers} | {row.verdict} | {row.source} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """The whole page PUBLISHED.md."""
    return (
        "# Published figures beside what the emulator computes\n\n"
        "Generated by `python -m cabinwatch.world.cabin.published`; do not edit. What does not match says\n"
        "why; what says `fitted` took its constant from that very figure and is no check of it.\n\n"
        + markdown()
    )


if __name__ == "__main__":
    Path(__file__).with_name("PUBLISHED.md").write_text(page(), encoding="utf-8")
