"""The station: what it reads, what is true of it, and what is done to it."""

import math
import sys

import pytest

from cabinwatch.errors import UsageError
from cabinwatch.models.units import LB_kg, MMHG_Pa
from cabinwatch.world.cabin import (
    CabinModel,
    Close,
    Leak,
    LetIn,
    Open,
    Patch,
    Repress,
    Resize,
    StartLeak,
    Station,
    laws,
)

mmHg, DAY = MMHG_Pa, 86400.0


def station(seed=0, **tables):
    tables.setdefault("compartments", {"cabin": {"volume": 100}})
    return Station(CabinModel.model_validate(tables), seed)


def test_a_lone_orifice_is_its_closed_form():
    s = station(leaks={"hole": {"size": "3 mm", "at": 100}})
    n = s.at("cabin", 0)
    molar = (
        n.ppN2_Pa * 28.0134 + n.ppO2_Pa * 31.9988 + n.ppCO2_Pa * 44.0095 + n.ppH2O_Pa * 18.01528
    ) / n.pressure_Pa
    k = laws.orifice_k(laws.orifice_area(3e-3), 100, 295, molar / 1000)
    assert s.at("cabin", 99.9) == s.at("cabin", 0)
    for t in (100, 5000, 9e5):
        got = s.at("cabin", t)
        assert got.pressure_Pa == pytest.approx(101325 * math.exp(-k * (t - 100)), rel=1e-12)
        assert sum(got[2:]) == pytest.approx(got.pressure_Pa, rel=1e-14)
        assert got.ppO2_Pa / got.pressure_Pa == pytest.approx(0.21)


def test_an_adiabatic_room_cools_as_it_empties():
    s = station(
        compartments={"cabin": {"volume": 5, "process": "adiabatic"}},
        leaks={"valve": {"size": "20 mm", "cd": 1.0}},
    )
    after = s.at("cabin", 60)
    expansion = (after.pressure_Pa / 101325) ** (0.4 / 1.4)
    assert after.temperature_K == pytest.approx(295 * expansion, rel=1e-12)
    assert s.tres_s("cabin", 0) == pytest.approx(_reaches(s, laws.EVACUATE_Pa), rel=1e-6)


def test_an_adiabatic_room_that_is_empty_goes_on_over_a_corner():
    growth = {"at": 0, "to": 1, "over": 172_800, "shape": "fatigue"}
    s = station(
        compartments={"cabin": {"volume": 80, "process": "adiabatic"}},
        leaks={"hole": {"size": "5e4 Pa/s", "at": 0, "profile": [{"at": 0, "to": 0.01}, growth]}},
    )
    assert 0 <= s.at("cabin", 200_000.0).pressure_Pa < 1e-6


@pytest.mark.parametrize("people", [0, 2])
def test_a_constant_leak_goes_on_to_the_floor_and_fades_below_it(people):
    """Alone it has a closed form; with a breath of oxygen let in the integrator must say the same of the others."""
    flows = {"candle": {"kind": "oxygen_generation", "rate": 1e-9}} if people else {}
    rate = 50 * mmHg
    s = station(leaks={"hole": {"size": "50 mmHg/s", "law": "linear", "at": 10}}, flows=flows)
    floor = laws.LINEAR_FLOOR_Pa
    reached = 10 + (101_325 - floor) / rate
    for t in (0, 10, 11, reached - 1, reached, reached + 0.1, reached + 1):
        steady = 101_325 - rate * max(0.0, t - 10)
        expected = steady if t <= reached else floor * math.exp(-rate * (t - reached) / floor)
        assert s.at("cabin", t).pressure_Pa == pytest.approx(expected, rel=1e-7, abs=1e-4)


def test_a_constant_leak_that_grows_owes_the_integral_of_its_profile():
    s = station(
        leaks={
            "hole": {
                "size": "1 kPa/s",
                "law": "linear",
                "at": 5,
                "profile": [{"at": 5, "to": 5, "over": 20}],
            }
        }
    )
    assert s.at("cabin", 25).pressure_Pa == pytest.approx(101_325 - 1000 * (1 + 5) / 2 * 20, rel=1e-9)


@pytest.mark.parametrize("process", ["held", "adiabatic"])
@pytest.mark.parametrize("law", ["orifice", "crack", "linear"])
def test_open_to_space_empties_within_a_sample_and_stays_empty(law, process):
    if process == "adiabatic" and law == "linear":
        pytest.skip("goes by the integrator, step by step for ever")
    s = station(
        compartments={"cabin": {"volume": 4, "process": process}},
        leaks={"window": {"size": "7600 mmHg/s", "law": law, "at": 300}},
    )
    assert s.at("cabin", 300).pressure_Pa == pytest.approx(101_325)
    assert s.at("cabin", 301).pressure_Pa < 0.1 * 101_325
    last = s.at("cabin", 301)
    for t in (302, 600, DAY, 90 * DAY):
        now = s.at("cabin", t)
        assert 0 <= now.pressure_Pa <= last.pressure_Pa
        assert math.isfinite(now.temperature_K)
        assert s.tres_s("cabin", t) == 0
        last = now


def test_a_trial_step_may_overdraw_the_gases_of_a_burst():
    """Oxygen let in, breathed and blown out: between two of its steps the integrator held gases of negative mass."""
    s = station(
        compartments={"cabin": {"volume": 500, "pressure": 88_500, "temperature": 288}},
        leaks={
            "window": {
                "size": "20 kPa/s",
                "profile": [
                    {"at": 0, "to": 0.5, "over": 60},
                    {"at": 255, "to": 2, "over": 60},
                    {"at": 315, "to": 0},
                ],
            },
            "hole": {"size": "0.1 mm"},
        },
        flows={"oxygen": {"at": 134, "kind": "repress", "gas": "O2", "rise": 700, "over": 60}},
        crew={"one": {"count": 1}},
    )
    for t in range(450):
        assert 0 <= s.at("cabin", t).pressure_Pa <= 88_501


def test_a_burst_among_other_flows_costs_no_more_steps_than_one_in_50_ms():
    """Two breathing people in open space for an hour: what is left is a trace, and the integrator gets there."""
    s = station(
        compartments={"cabin": {"volume": 4}},
        crew={"two": {"count": 2}},
        leaks={"wall": {"size": "1e5 mmHg/s", "law": "linear", "at": 60}},
    )
    assert s.at("cabin", 59).pressure_Pa > 101_000
    assert s.at("cabin", 61).pressure_Pa < 1
    assert 0 <= s.at("cabin", 3600).pressure_Pa < 1


@pytest.mark.parametrize("pressure", [0, 1e-9, 1.0, 900.0, 30_000.0])
def test_a_start_at_any_pressure_down_to_vacuum(pressure):
    s = station(
        compartments={"cabin": {"volume": 5, "pressure": pressure}, "lock": {"volume": 5}},
        hatches={"h": {"a": "cabin", "b": "lock"}},
        leaks={"hole": {"size": "5 mm", "at": 10}},
        actions=[{"at": 60, "open": "h"}],
    )
    assert s.at("cabin", 0).pressure_Pa == pytest.approx(pressure)
    assert s.tres_s("cabin", 20) == 0
    assert s.at("cabin", 59).pressure_Pa <= pressure
    assert s.at("cabin", 60).pressure_Pa == pytest.approx((pressure + 101_325) / 2, rel=0.01)


def test_an_adiabatic_room_with_a_crack_goes_by_the_integrator_to_the_same_energy():
    """Isentropic expansion does not care which law lets the gas out."""
    s = station(
        compartments={"cabin": {"volume": 5, "process": "adiabatic"}},
        leaks={"valve": {"size": "20 mm"}, "crack": {"size": "200 kg/d", "law": "crack"}},
    )
    after = s.at("cabin", 90)
    assert after.pressure_Pa < 9e4
    assert after.temperature_K == pytest.approx(295 * (after.pressure_Pa / 101325) ** (0.4 / 1.4), rel=1e-8)
    assert s.tres_s("cabin", 0) == pytest.approx(_reaches(s, laws.EVACUATE_Pa), rel=1e-6)


def _reaches(s, pressure, name="cabin"):
    low, high = 0.0, 1e8
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if s.at(name, middle).pressure_Pa > pressure else (low, middle)
    return high


@pytest.mark.parametrize("law", ["orifice", "crack", "linear"])
@pytest.mark.parametrize("second", [None, "orifice", "crack", "linear"])
def test_t_reserve_is_when_the_pressure_gets_there(law, second):
    leaks = {"a": {"size": "40 kg/d", "law": law}}
    if second:
        leaks["b"] = {"size": "15 kg/d", "law": second}
    s = station(leaks=leaks)
    assert s.tres_s("cabin", 0) == pytest.approx(_reaches(s, laws.EVACUATE_Pa), rel=1e-6)
    assert s.tres_s("cabin", 1e7) == 0
    assert station().tres_s("cabin", 0) == math.inf


@pytest.mark.parametrize("law", ["orifice", "crack", "linear"])
def test_a_leak_has_the_rate_it_was_given(law):
    s = station(leaks={"x": {"size": "2.4 lb/d", "law": law}})
    assert s.leak_kg_s(0) * DAY / LB_kg == pytest.approx(2.4, rel=1e-12)
    by_pressure = station(leaks={"x": {"size": "0.8 mbar/h", "law": law}})
    assert by_pressure.leak_rate_Pa_h("cabin", 0) == pytest.approx(-80, rel=1e-12)


def test_a_pressure_rate_is_for_the_volume_open_to_the_leak_when_it_sets_in():
    rooms = {"a": {"volume": 100}, "b": {"volume": 300}}
    hatch = {"h": {"a": "a", "b": "b", "open": True}}
    leak = {"x": {"size": "100 Pa/h", "at": "2h", "law": "linear"}}
    joined = station(compartments=rooms, hatches=hatch, leaks=leak)
    apart = station(compartments=rooms, hatches=hatch, leaks=leak, actions=[{"at": "1h", "close": "h"}])
    assert joined.leak_rate_Pa_h("b", 7200) == pytest.approx(-100)
    assert apart.leak_rate_Pa_h("a", 7200) == pytest.approx(-100)
    assert joined.leak_kg_s(7200) == pytest.approx(4 * apart.leak_kg_s(7200))
    joined.at("a", 1e5)  # it was settled by a look ahead
    joined.apply(3600, Close("h"))
    assert joined.leak_kg_s(7200) == pytest.approx(apart.leak_kg_s(7200), rel=1e-12)


def test_an_open_hatch_mixes_and_a_closed_one_keeps():
    s = station(
        compartments={
            "a": {"volume": 30, "pressure": "100 kPa", "o2": 0.2},
            "b": {"volume": 10, "pressure": 0},
        },
        hatches={"h": {"a": "a", "b": "b"}},
        actions=[{"at": 100, "open": "h"}, {"at": 200, "close": "h"}],
    )
    assert s.at("b", 99).pressure_Pa == 0
    assert s.zone("a", 150) == ("a", "b")
    assert s.volume_m3("b", 150) == 40
    assert s.at("a", 150).pressure_Pa == s.at("b", 150).pressure_Pa == pytest.approx(75000, rel=1e-12)
    assert s.at("b", 250).ppO2_Pa == pytest.approx(15000, rel=1e-12)
    assert s.mass_kg(250) == pytest.approx(s.mass_kg(0), rel=1e-14)


def test_temperature_moves_pressure_and_not_the_mass():
    s = station(thermal={"heater": {"kind": "ramp", "size": -2.95, "at": 10, "over": 10}})
    assert s.at("cabin", 30).pressure_Pa == pytest.approx(101325 * 0.99, rel=1e-12)
    assert s.leak_rate_Pa_h("cabin", 15) == 0
    assert s.mass_kg(30) == pytest.approx(s.mass_kg(0), rel=1e-14)


def test_people_use_oxygen_make_the_rest_and_leave_nitrogen_alone():
    s = station(crew={"all": {"count": 3}})
    a, b = s.at("cabin", 0), s.at("cabin", DAY)
    per_kg = 8.314462618 * 295 / 100
    assert b.ppN2_Pa == pytest.approx(a.ppN2_Pa, rel=1e-12)
    assert a.ppO2_Pa - b.ppO2_Pa == pytest.approx(3 * 0.82 / 0.0319988 * per_kg, rel=1e-9)
    assert b.ppCO2_Pa - a.ppCO2_Pa == pytest.approx(3 / 0.0440095 * per_kg, rel=1e-9)
    assert s.leak_rate_Pa_h("cabin", DAY) == 0


def test_repress_by_rise_and_by_mass():
    rise = station(flows={"o2": {"kind": "repress", "gas": "O2", "rise": "4.4 mmHg", "over": "70 min"}})
    assert rise.at("cabin", 4200).pressure_Pa - 101325 == pytest.approx(4.4 * mmHg, rel=1e-9)
    mass = station(flows={"air": {"kind": "repress", "gas": "air", "mass": "2 kg"}})
    assert mass.mass_kg(1000) - mass.mass_kg(0) == pytest.approx(2, rel=1e-9)


def test_a_vehicle_comes_and_goes():
    s = station(
        compartments={"port": {"volume": 90}},
        vehicles={"ship": {"port": "port", "volume": 10, "pressure": "95 kPa", "opened": "1h", "closed": "5h",
                           "undocked": "6h", "vestibule": 0.5}},
    )  # fmt: skip
    assert s.at("ship", 0).pressure_Pa == 95000
    assert s.at("ship.vestibule", 2000).pressure_Pa == 0
    before = [s.at(room, 3599.9).pressure_Pa for room in ("port", "ship.vestibule", "ship")]
    assert before == pytest.approx([before[0]] * 3, rel=1e-3)
    joined = (90 * 101325 + 10 * 95000) / 100.5
    assert s.at("ship", 7200).pressure_Pa == pytest.approx(joined, rel=1e-9)
    assert s.mass_kg(5 * 3600) == pytest.approx(s.mass_kg(0), rel=1e-9)
    assert s.at("ship.vestibule", 6 * 3600).pressure_Pa == 0
    assert s.at("ship", 7 * 3600).pressure_Pa == pytest.approx(joined, rel=1e-9)


def test_an_airlock_cycle_costs_what_the_pump_leaves():
    s = station(
        compartments={"node": {"volume": 90}, "lock": {"volume": 10}},
        hatches={"h": {"a": "node", "b": "lock", "open": True}},
        flows={"eva": {"kind": "airlock", "compartment": "lock", "into": "node", "hatch": "h", "at": "1h"}},
    )
    pumped = 3600 + 1800
    assert s.at("lock", pumped).pressure_Pa == pytest.approx(10000, rel=1e-6)
    assert s.at("lock", pumped + 300).pressure_Pa == pytest.approx(10, rel=1e-6)
    lost = s.mass_kg(0) - s.mass_kg(10 * 3600)
    assert lost == pytest.approx(s.mass_kg(pumped, "lock") * 0.999, rel=1e-6)
    assert s.at("lock", 10 * 3600).pressure_Pa == s.at("node", 10 * 3600).pressure_Pa
    assert s.leak_kg_s(pumped + 100) == 0


def test_a_test_acts_on_it():
    s = station(
        compartments={"a": {"volume": 50}, "b": {"volume": 50}},
        hatches={"h": {"a": "a", "b": "b", "open": True}},
    )
    s.apply(100, StartLeak("new", Leak.model_validate({"size": "20 kg/d", "compartment": "b", "at": 50})))
    assert s.leak_kg_s(149) == 0
    assert s.leak_kg_s(150) * DAY == pytest.approx(20)
    s.apply(200, Close("h"))
    held = s.at("a", 200)
    s.apply(300, Resize("new", 2.0, over_s=100))
    assert s.leak_kg_s(400) / s.leak_kg_s(300) == pytest.approx(
        2 * s.at("b", 400).pressure_Pa / s.at("b", 300).pressure_Pa
    )
    s.apply(500, Patch("new"))
    assert s.at("a", 900) == held
    assert s.at("b", 900) == s.at("b", 500)
    s.apply(1000, LetIn(Repress(compartment="b", gas="N2", mass=1.0, over=60)))
    s.apply(1100, Open("h"))
    assert s.at("a", 1200) == s.at("b", 1200)


def test_an_action_at_a_corner_of_the_file_comes_after_it_and_keeps_what_stood_open():
    rooms = {name: {"volume": 10, "pressure": p} for name, p in (("a", 1e5), ("b", 9e4), ("c", 8e4))}
    hatches = {"ab": {"a": "a", "b": "b", "open": True}, "bc": {"a": "b", "b": "c"}}
    s = station(compartments=rooms, hatches=hatches, actions=[{"at": 100, "open": "bc"}])
    s.at("a", 500)
    s.apply(100, Close("bc"))
    assert s.zone("a", 100) == ("a", "b")
    assert s.at("c", 200).pressure_Pa == pytest.approx(8e4, rel=1e-12)
    s.apply(100, Open("bc"))
    assert s.zone("a", 100) == ("a", "b", "c")
    assert s.at("c", 200).pressure_Pa == pytest.approx(9e4, rel=1e-12)


def test_an_action_may_not_come_before_the_last_or_name_what_is_not_there():
    s = station(leaks={"x": {"size": "1 mm"}})
    s.apply(10, Patch("x"))
    s.apply(10, Resize("x"))
    assert s.leak_kg_s(10) > 0
    with pytest.raises(UsageError, match="before the last"):
        s.apply(9.9, Patch("x"))
    with pytest.raises(UsageError, match="no hatch or valve 'h'; there is none"):
        s.apply(20, Open("h"))
    with pytest.raises(UsageError, match="no leak 'y'; there is x"):
        s.apply(20, Patch("y"))
    with pytest.raises(UsageError, match="already"):
        s.apply(20, StartLeak("x", Leak.model_validate({"size": "1 mm"})))
    with pytest.raises(UsageError, match="no compartment 'q'; there is cabin"):
        s.at("q", 0)
    with pytest.raises(UsageError, match="start"):
        s.at("cabin", -1)


def test_a_file_s_patch_still_comes_after_an_earlier_action():
    s = station(leaks={"x": {"size": "9 kg/d"}}, actions=[{"at": 500, "patch": "x"}])
    s.at("cabin", 1000)
    s.apply(100, Resize("x", 3.0))
    assert s.leak_kg_s(499) * DAY == pytest.approx(27, rel=1e-2)
    assert s.leak_kg_s(500) == 0


def test_wander_moves_every_pressure_by_its_share_and_no_truth():
    quiet, windy = station(), station(wander={}, seed=5)
    a, b = quiet.at("cabin", 5000), windy.at("cabin", 5000)
    assert a.pressure_Pa != b.pressure_Pa
    assert b.ppO2_Pa / a.ppO2_Pa == pytest.approx(b.pressure_Pa / a.pressure_Pa)
    assert windy.mass_kg(5000) == quiet.mass_kg(5000)
    assert (
        windy.at("cabin", 5000)
        == station(wander={}, seed=5).at("cabin", 5000)
        != station(wander={}).at("cabin", 5000)
    )


def test_a_day_in_one_go_is_the_day_in_86400():
    rooms = {f"m{i}": {"volume": 50 + i} for i in range(4)}
    tables = {
        "compartments": rooms,
        "hatches": {f"h{i}": {"a": f"m{i}", "b": f"m{i + 1}", "open": i != 1} for i in range(3)},
        "leaks": {"x": {"size": "1.4 kg/d", "law": "crack", "compartment": "m3"}},
        "crew": {"all": {"count": 6}},
        "thermal": {"orbit": {"kind": "swing", "size": 0.3}},
        "actions": [{"at": "12h", "open": "h1"}],
    }
    walked, jumped = station(**tables), station(**tables)
    for t in range(0, 86401, 7):
        walked.at("m0", t)
    for name in rooms:
        assert walked.at(name, DAY) == jumped.at(name, DAY)


def test_looking_up_is_cheap():
    """Counted in calls, since time is the machine's: no work may be done at each look that could be done once."""
    s = station(leaks={"hole": {"size": "2 mm"}})
    s.at("cabin", 10_000)
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    for t in range(10_000):
        s.at("cabin", t)
    sys.setprofile(None)
    assert calls / 10_000 < 20
