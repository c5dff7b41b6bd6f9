"""Gauges off the link: their columns beside the reports, and nothing of them on the wire."""

import csv
import io

import pytest

import worlds
from cabinwatch.errors import UsageError
from cabinwatch.run.files import COLUMNS, as_csv

TWO_ROOMS = """\
title = "two rooms"
duration = "10min"
[cabin.compartments.zvezda]
volume = "75 m3"
[cabin.compartments.prk]
volume = "7 m3"
pressure = "90 kPa"
[cabin.hatches.h]
a = "zvezda"
b = "prk"
[cabin.leaks.crack]
compartment = "prk"
size = "1 mm"
[cabin.wander]
"""
GAUGES = """\
[[gauges]]
compartment = "prk"
noise = 0
step = "53 Pa"
every = "2min"
[[gauges]]
compartment = "zvezda"
name = "wall"
noise = 0
temperature_noise = 0
"""


def test_other_rooms_are_logged_beside_the_reports_and_off_the_link():
    bare, alone = worlds.run(TWO_ROOMS, 1, "cpython")
    world, beside = worlds.run(TWO_ROOMS + GAUGES, 1, "cpython")
    assert beside == alone, "no octet of the link has changed"
    assert as_csv(bare).splitlines()[0].split(",") == list(COLUMNS)
    rows = list(csv.DictReader(io.StringIO(as_csv(world))))
    names = ["prk_pressure_Pa", "prk_temperature_K", "wall_pressure_Pa", "wall_temperature_K"]
    assert list(rows[0]) == [*COLUMNS, *names]
    for row in rows:
        read_s = float(row["t_s"]) // 120 * 120
        true = world.station.at("prk", read_s).pressure_Pa
        assert float(row["prk_pressure_Pa"]) == pytest.approx(round(true / 53) * 53)
        wall_s = float(row["t_s"]) // 60 * 60
        assert float(row["wall_pressure_Pa"]) == pytest.approx(
            world.station.at("zvezda", wall_s).pressure_Pa, abs=1e-3
        )
    assert float(rows[-1]["prk_pressure_Pa"]) < float(rows[0]["prk_pressure_Pa"])


def test_a_gauge_s_noise_is_its_own_and_the_same_in_any_order():
    text = TWO_ROOMS + GAUGES.replace("noise = 0\nstep", "noise = 30\nstep")
    first, _ = worlds.run(text, 1, "cpython", 1000)
    again, _ = worlds.run(text, 1, "cpython", 1000)
    times = [130.0, 599.0, 0.0, 250.0]
    forth = {x: first.gauges[0].at(x) for x in times}
    assert forth == {x: again.gauges[0].at(x) for x in reversed(times)}
    assert first.gauges[0].at(130.0) == first.gauges[0].at(239.9) != first.gauges[0].at(240.0)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (
            GAUGES.replace('"prk"', '"rpk"'),
            "gauges.0.compartment: no compartment 'rpk'; there is prk, zvezda",
        ),
        (GAUGES.replace('"wall"', '"prk"'), "gauges.1: another gauge is called 'prk'"),
    ],
)
def test_a_gauge_where_no_room_is_or_of_another_s_name_is_refused(wrong, told):
    with pytest.raises(UsageError, match=told):
        worlds.run(TWO_ROOMS + wrong, 1, "cpython", 1000)
