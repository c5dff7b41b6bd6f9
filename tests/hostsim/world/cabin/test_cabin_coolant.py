"""Coolant loops against the plain equation of their liquid."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from cabinwatch.errors import UsageError
from cabinwatch.world.cabin import CabinModel, Station


def loop(**more):
    tables = {"pressure": "3 atm", "gas": "22 l", "reserve": "44 l", **more}
    return Station(
        CabinModel.model_validate({"compartments": {"cabin": {"volume": 9}}, "loops": {"l": tables}})
    )


@given(st.floats(0.2, 2), st.floats(0, 20_000), st.floats(0.2, 5))
def test_a_leaking_loop_solves_its_equation(hole, t, factor):
    profile = [{"at": 3000, "to": factor, "over": 2000}]
    s = loop(leak={"size": f"{hole!r} mm", "at": 1000, "profile": profile})

    def slope(time, v):
        if v[0] >= 0.044 or time < 1000:
            return [0.0]
        scale = 1 + (factor - 1) * min(1, max(0, (time - 3000) / 2000))
        area = 0.62 * math.pi / 4 * (hole / 1000) ** 2 * scale
        return [area * math.sqrt(2 * 3 * 101325 * 0.022 / (0.022 + v[0]) / 690)]

    lost = min(solve_ivp(slope, (0, t), [0.0], rtol=1e-9, atol=1e-12, max_step=50).y[0, -1], 0.044)
    got = s.coolant("l", t)
    assert got.level == pytest.approx(1 - lost / 0.044, abs=1e-3)
    if got.level > 1e-3:
        assert got.pressure_Pa == pytest.approx(3 * 101325 * 0.022 / (0.022 + lost), rel=1e-3)


def test_an_empty_loop_has_no_pressure_and_leaks_no_more():
    got = loop(leak={"size": "0.8 mm"}, vapour="2 kPa").coolant("l", 86400)
    assert (got.pressure_Pa, got.level, got.leak_kg_s) == (2000, 0, 0)


def test_a_loop_leak_is_no_cabin_leak_and_has_the_rate_it_was_given():
    s = loop(leak={"size": "3.6 kg/h"})
    assert s.coolant("l", 0).leak_kg_s == pytest.approx(0.001)
    assert s.leak_kg_s(0) == 0
    assert s.at("cabin", 1e5) == s.at("cabin", 0)
    with pytest.raises(UsageError, match="no coolant loop 'x'; there is l"):
        s.coolant("x", 0)


def test_a_sound_loop_follows_its_temperature_only_if_named():
    tables = {"compartments": {"cabin": {"volume": 9}}}
    tables["loops"] = {"l": {"pressure": 3e5, "gas": 0.02, "reserve": 0.04, "temperature": 280}}
    tables["thermal"] = {"sun": {"kind": "ramp", "size": 28}}
    assert Station(CabinModel.model_validate(tables)).coolant("l", 10).pressure_Pa == 3e5
    tables["thermal"]["sun"]["compartments"] = ["l"]
    assert Station(CabinModel.model_validate(tables)).coolant("l", 10).pressure_Pa == pytest.approx(3.3e5)
