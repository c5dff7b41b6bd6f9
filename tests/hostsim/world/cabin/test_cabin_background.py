"""What moves pressures while no gas moves: weather, and the wander of each zone; and what a shut hatch lets through."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinwatch.models.units import ATM_Pa
from cabinwatch.world.cabin import CabinModel, Close, Open, Station, laws
from cabinwatch.world.cabin.wander import Wander

ROOMS = {"compartments": {"zvezda": {"volume": 75}, "prk": {"volume": 7}, "node": {"volume": 50}}}
HATCHES = {"h": {"a": "zvezda", "b": "prk", "open": True}, "n": {"a": "prk", "b": "node"}}


def station(seed=3, **tables):
    return Station(CabinModel.model_validate({**ROOMS, "hatches": HATCHES, **tables}), seed)


def moved(s, room, t):
    """What the background adds, Pa."""
    return s.at(room, t).pressure_Pa - ATM_Pa


def test_rooms_behind_open_hatches_wander_as_one_along_the_station_s_own_path():
    s = station(wander={})
    for t in (0, 7, 5000, 40_000):
        assert moved(s, "zvezda", t) == pytest.approx(Wander(3).at(t))
        assert moved(s, "prk", t) == moved(s, "zvezda", t)
        assert moved(s, "node", t) != moved(s, "zvezda", t)


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.integers(0, 9))
def test_a_zone_shut_off_goes_on_from_where_it_was_and_then_its_own_way(shut, lasts, seed):
    s = station(seed, wander={}, actions=[{"at": shut, "close": "h"}, {"at": shut + lasts, "open": "h"}])
    before, after = moved(s, "prk", shut - 1e-6), moved(s, "prk", shut)
    assert after == pytest.approx(before, abs=1e-3), "no jump as the hatch shuts"
    assert moved(s, "prk", shut + lasts / 2) != pytest.approx(moved(s, "zvezda", shut + lasts / 2), abs=1e-9)
    for t in (shut + lasts, shut + 2 * lasts):
        assert moved(s, "prk", t) == moved(s, "zvezda", t), "one again"
    path = Wander(seed)
    for t in (0, shut, shut + lasts / 2, shut + 2 * lasts):
        assert moved(s, "zvezda", t) == pytest.approx(path.at(t), abs=1e-9), "the first zone is not touched"


def test_the_way_of_a_zone_shut_off_has_the_wander_s_own_statistics():
    """The gap at the hatch is forgotten; what is left has the deviation q sqrt(tau/2) of the process."""
    later = [
        moved(station(seed, wander={}, actions=[{"at": 100, "close": "h"}]), "prk", 40_000)
        for seed in range(400)
    ]
    expected = 0.407 * math.sqrt(3760 / 2)
    assert statistics.pstdev(later) == pytest.approx(expected, rel=0.15)
    first = [moved(station(seed, wander={}), "zvezda", 40_000) for seed in range(400)]
    assert abs(statistics.correlation(first, later)) < 0.2


def test_what_is_asked_between_changes_nothing_and_actions_do_as_the_file_does():
    by_file = station(wander={}, actions=[{"at": 500, "close": "h"}, {"at": 900, "open": "n"}])
    by_hand = station(wander={})
    for t, action in ((500, Close("h")), (900, Open("n"))):
        by_hand.at("prk", t + 300)
        by_hand.apply(t, action)
    for room in ("zvezda", "prk", "node"):
        for t in (499, 500, 700, 900, 3000):
            assert by_hand.at(room, t) == pytest.approx(by_file.at(room, t), rel=1e-12)


def test_days_and_fronts_move_every_zone_and_no_gas():
    s = station(
        weather={
            "day": {"kind": "swing", "size": 100},
            "front": {"kind": "ramp", "size": -2000, "at": 86_400},
        }
    )
    assert moved(s, "node", 21_600) == pytest.approx(100)
    assert moved(s, "prk", 86_400 + 43_200) == pytest.approx(-1000, abs=0.1)
    assert moved(s, "prk", 3 * 86_400) == pytest.approx(-2000, abs=0.1)
    assert s.mass_kg(3 * 86_400) == s.mass_kg(0)
    assert s.leak_rate_Pa_h("prk", 86_400) == 0
    assert s.at("prk", 90_000).ppN2_Pa / s.at("prk", 90_000).pressure_Pa == pytest.approx(0.776)


def test_a_shut_hatch_leaks_by_its_seal_and_an_open_one_has_none():
    rooms = {"zvezda": {"volume": 75}, "prk": {"volume": 7, "pressure": 50_000}, "node": {"volume": 50}}
    hatches = {"h": {"a": "zvezda", "b": "prk", "seal": "0.5 mm"}, "n": {"a": "zvezda", "b": "node"}}
    s = station(compartments=rooms, hatches=hatches, actions=[{"at": 3600, "open": "h"}])
    # Choked: 50 of 101 kPa is below the critical ratio, so the flow is that of the orifice to vacuum.
    lost = laws.orifice_kg_s(laws.orifice_area(0.5e-3), ATM_Pa, 295.0)
    gained = s.mass_kg(600, "prk") - s.mass_kg(0, "prk")
    assert gained == pytest.approx(600 * lost, rel=0.01)
    assert s.mass_kg(600) == pytest.approx(s.mass_kg(0), rel=1e-12)
    assert s.at("zvezda", 3600).pressure_Pa == s.at("prk", 3600).pressure_Pa
    tight = station(compartments=rooms, hatches={"h": {"a": "zvezda", "b": "prk"}})
    assert tight.at("prk", 600) == tight.at("prk", 0)
