"""The table of published figures, and the incidents' cabins."""

import tomllib
from importlib import resources

import pytest

from cabinwatch.models.units import LB_kg, MMHG_Pa, parse_duration
from cabinwatch.world.cabin import CabinModel, Station, published

FILES = sorted(f for f in resources.files("cabinwatch.scenario.files").iterdir() if f.name.endswith(".toml"))


def play(name):
    doc = tomllib.loads(resources.files("cabinwatch.scenario.files").joinpath(f"{name}.toml").read_text())
    return Station(CabinModel.model_validate(doc["cabin"]), 1), parse_duration(doc["duration"])


def mmHg(station, room, t):
    return station.at(room, t).pressure_Pa / MMHG_Pa


def test_the_verdicts_are_those_we_know_of():
    no_match = {row.what for row in published.rows() if not row.matches and not row.fitted}
    assert no_match == {
        "rate of a 2 mm hole in the station (Soyuz MS-09)",
        "window hose: eleven days at that rate",
        "Soyuz MS-22: hours to lose 44 l through 0.8 mm at 3 atm",
    }
    assert all(row.reason for row in published.rows() if not row.matches or row.fitted)


def test_the_table_has_a_line_a_row():
    lines = published.markdown().splitlines()
    assert len(lines) == 2 + len(published.rows())
    assert all(line.count("|") == 8 for line in lines)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_every_incident_says_what_is_measured_and_assumed_and_plays_to_its_end(file):
    doc = tomllib.loads(file.read_text())
    assert all(doc[key] for key in ("title", "story", "sources", "measured", "assumed"))
    station = Station(CabinModel.model_validate(doc["cabin"]), 1)
    for room in station.compartments:
        assert station.at(room, parse_duration(doc["duration"])).pressure_Pa >= 0


def test_the_incidents_show_their_published_figures():
    s, _ = play("soyuz11")
    assert mmHg(s, "descent", 60 + 115) == pytest.approx(50, rel=0.005)
    s, _ = play("prk-hatch-dec2020")
    assert mmHg(s, "prk", 19 * 3600) == pytest.approx(620, abs=0.1)
    s, _ = play("prk-hatch-mar2021")
    assert mmHg(s, "prk", 12.5 * 3600) == pytest.approx(678, abs=0.1)
    s, _ = play("ms09")
    assert s.leak_rate_Pa_h("station", 3600) == pytest.approx(-80)
    s, end = play("hose-2004")
    assert s.leak_rate_Pa_h("station", end) * 24 == pytest.approx(-0.038 * 6894.76, rel=0.02)
    assert s.leak_kg_s(0) == 0


def test_spektr_falls_as_told_once_its_hatch_is_shut():
    s, _ = play("spektr-1997")
    shut = 28.6 * 60
    assert mmHg(s, "mir", shut) == pytest.approx(675, abs=1)
    assert mmHg(s, "mir", 3600) == pytest.approx(675, abs=1)
    assert mmHg(s, "spektr", shut + 600) == pytest.approx(480, rel=0.01)


def test_the_default_incident_grows_as_reported():
    s, _ = play("prk-2024")
    assert s.leak_kg_s(0) * 86400 / LB_kg == pytest.approx(0.9, rel=0.01)
    assert s.leak_kg_s(9 * 86400) * 86400 / LB_kg == pytest.approx(2.4, rel=0.02)


@pytest.mark.parametrize(
    "name", ["progress-traffic", "crew8-traffic", "thermal-2020", "poisk-2009", "ms22-coolant"]
)
def test_the_false_alarms_and_the_loops_leak_no_air(name):
    s, end = play(name)
    assert all(s.leak_kg_s(end * x / 20) == 0 for x in range(21))
