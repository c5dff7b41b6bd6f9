"""Leaks from published points: the fit against the closed forms, against SciPy, and as it is played."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.optimize import minimize_scalar

import worlds
from cabinwatch.errors import UsageError
from cabinwatch.models.leak_tables import Leak
from cabinwatch.models.points import fit, residuals
from cabinwatch.models.units import MMHG_Pa
from cabinwatch.run.fits import as_data, fit_lines
from cabinwatch.run.result import unmet
from cabinwatch.scenario.load import parse
from cabinwatch.scenario.toml_out import to_toml
from cabinwatch.world.cabin import CabinModel, Station, laws

LAWS = ["orifice", "crack", "linear"]
DAY = 86_400.0


def left(law, p0, rate, t):
    """The pressure by the package's own closed forms."""
    if law == "linear":
        return p0 - rate * t
    k, c = (rate / p0, 0.0) if law == "orifice" else (0.0, rate / p0**2)
    return laws.blowdown(p0, k, c, t)


@given(
    st.sampled_from(LAWS),
    st.floats(1e4, 1.2e5),
    st.floats(0.02, 0.9),
    st.lists(st.integers(1, 999), min_size=1),
)
def test_points_of_a_law_give_its_rate_back(law, p0, gone, times):
    times = sorted(set(times))
    rate = p0 * gone / max(times)
    points = [(0.0, p0), *((float(t), left(law, p0, rate, t)) for t in times)]
    assert fit(law, points) == pytest.approx(rate, rel=1e-7)
    assert residuals(law, points, rate) == pytest.approx([0.0] * len(points), abs=1e-6)


@given(st.sampled_from(LAWS), st.lists(st.floats(2e4, 9.5e4), min_size=2, max_size=8))
def test_of_points_that_no_law_goes_through_it_is_the_least_squares(law, later):
    points = [(50.0, 1e5), *((100.0 + 40 * i, p) for i, p in enumerate(later))]

    def misfit(rate):
        return float(np.sum([(left(law, 1e5, rate, t - 50) - p) ** 2 for t, p in points]))

    best = minimize_scalar(misfit, bounds=(0, 2000), method="bounded", options={"xatol": 1e-6})
    assert misfit(fit(law, points)) <= best.fun * (1 + 1e-6) + 1e-3


PRK = {"compartments": {"prk": {"volume": 7}}}
POINTS = [["0 d", "473 mmHg"], ["11 d", "200 mmHg"]]


@pytest.mark.parametrize("law", LAWS)
def test_what_is_played_goes_through_both_of_two_points(law):
    """The compartment has no pressure of its own, so it begins at the first."""
    station = Station(CabinModel.model_validate({**PRK, "leaks": {"l": {"law": law, "points": POINTS}}}))
    assert station.at("prk", 0).pressure_Pa == pytest.approx(473 * MMHG_Pa)
    assert station.at("prk", 11 * DAY).pressure_Pa == pytest.approx(200 * MMHG_Pa, rel=1e-6)


def test_points_on_a_later_day_and_with_a_pressure_of_its_own():
    doc = {
        "compartments": {"prk": {"volume": 7, "pressure": "473 mmHg"}},
        "leaks": {"l": {"law": "crack", "points": [["2 d", "473 mmHg"], ["13 d", "200 mmHg"]]}},
    }
    station = Station(CabinModel.model_validate(doc))
    assert station.at("prk", 2 * DAY).pressure_Pa == pytest.approx(473 * MMHG_Pa)
    assert station.at("prk", 13 * DAY).pressure_Pa == pytest.approx(200 * MMHG_Pa, rel=1e-6)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"points": [["0 d", "473 mmHg"]]}, "at least 2 items"),
        ({"points": [["1 d", "473 mmHg"], ["0 d", "200 mmHg"]]}, "in order of time"),
        ({"points": [["1 d", "473 mmHg"], ["1 d", "200 mmHg"]]}, "each at a time of its own"),
        ({"points": [["0 d", "200 mmHg"], ["1 d", "473 mmHg"]]}, "points must fall"),
        ({"points": [["0 d", "200 mmHg"], ["1 d", "0 mmHg"]]}, "above zero"),
        ({"points": [["0 d", "200 lb"], ["1 d", "0 mmHg"]]}, "is not a pressure"),
        ({"points": POINTS, "size": "1 mm"}, "either size or points"),
        ({"points": POINTS, "at": "1d"}, "either at or points"),
        ({}, "give a size, or points"),
    ],
)
def test_what_is_no_leak_is_refused(given, told):
    with pytest.raises(ValidationError, match=told):
        Leak.model_validate(given)


FILE = """\
title = "PrK, closed"
duration = "12h"
[parameters]
poll_period = 60_000
hk_period = 600_000
[cabin.compartments.prk]
volume = "7 m3"
[cabin.leaks.cracks]
law = "crack"
points = [["0 h", "730 mmHg"], ["6 h", "701 mmHg"], ["11.5 h", "678 mmHg"]]
[expect]
alarm = "caution"
[[expect.pressures]]
at = "11.5 h"
pressure = "678 mmHg"
within = "1 mmHg"
"""


def test_a_run_tells_what_the_fit_leaves_over():
    scenario = parse(FILE, "here")
    (data,) = as_data(scenario)
    assert (data["leak"], data["law"]) == ("cracks", "crack")
    assert [round(p["residual_Pa"] / MMHG_Pa, 1) for p in data["points"]] == [0.0, 0.7, -0.4]
    lines = fit_lines(scenario)
    assert "law crack, fitted to 3 points" in lines[0]
    assert len(lines) == 4
    assert parse(to_toml(scenario), "again") == scenario, "points and all"


def test_a_pressure_at_a_time_can_be_asked_for():
    world, _ = worlds.run(FILE, 1, "cpython")
    assert unmet(world, world.scenario.expect) == []
    wrong = parse(FILE.replace('"678 mmHg"\nwithin', '"685 mmHg"\nwithin'), "here")
    (fault,) = unmet(world, wrong.expect)
    assert fault.startswith("prk was expected at 91,326 Pa (within 133) at 11 h 30 min; it was at 90,3")
    early, _ = worlds.run(FILE, 1, "cpython", 3_600_000)
    assert any("the run ended before" in fault for fault in unmet(early, wrong.expect))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'within = "1 mmHg"',
            'compartment = "rpk"',
            "expect.pressures.0.compartment: no compartment 'rpk'; there is prk",
        ),
        ('at = "11.5 h"', 'at = "13 h"', r"expect.pressures.0.at: 13 h is after the end"),
    ],
)
def test_a_pressure_that_cannot_be_asked_for_is_refused(old, new, told):
    with pytest.raises(UsageError, match=told):
        parse(FILE.replace(old, new), "here")
