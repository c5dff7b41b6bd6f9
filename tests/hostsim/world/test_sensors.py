"""What goes wrong with an instrument: each fault does what its name says, and nothing outside its window."""

import math
from random import Random

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as hy

import worlds
from cabinwatch.kit import strategies as st
from cabinwatch.models.sensors import AnalyserModel, SensorModel
from cabinwatch.world.cabin.station import AirReading as Air
from cabinwatch.world.sensors import GasAnalyser, PLAUSIBLE_cK, PLAUSIBLE_cPa, PressureSensor
from cabinwatch_protocol import table as t

QUIET = {"noise": 0, "temperature_noise": 0}
AIR = Air(101_325.0, 295.0, 78_000.0, 21_000.0, 400.0, 1_000.0)


def sensor(truth=lambda t_s: (101_325.0, 295.0), **model):
    return PressureSensor(SensorModel.model_validate({**QUIET, **model}), truth, Random(1))


def temperatures(instrument, times_s):
    return [instrument.read(round(x * 1000)).values["temperature_cK"] / 100 for x in times_s]


@given(hy.floats(-50, 50), hy.just(0.0) | hy.floats(30, 3600), hy.integers(0, 5000), hy.integers(1, 5000))
def test_a_warm_board_warms_the_thermometer_alone_and_cools_as_it_warmed(rise, tau, at, lasts):
    until = at + lasts
    warm = sensor(faults=[{"kind": "warming", "rise": rise, "tau": tau, "at": at, "until": until}])
    times = sorted({0, at, at + lasts / 2, until - 0.001, until, until + tau, until + 30 * tau + 1})
    got = dict(zip(times, temperatures(warm, times), strict=True))
    assert warm.read(round(times[-1] * 1000)).values["pressure_cPa"] == 10_132_500

    def share(seconds):
        return 1.0 if tau == 0 else 1 - math.exp(-seconds / tau)

    assert got[0] == 295.0 or at == 0
    assert got[at + lasts / 2] == pytest.approx(295 + rise * share(lasts / 2), abs=0.02)
    if tau:
        assert got[until + tau] == pytest.approx(295 + rise * share(lasts) / math.e, abs=0.02)
    assert got[times[-1]] == pytest.approx(295, abs=0.02)


@given(hy.floats(0, 1), hy.floats(250, 320), hy.floats(-20, 20))
def test_a_thermometer_sees_a_share_of_a_change_and_all_of_the_start(sees, start, change):
    part = sensor(lambda t_s: (101_325.0, start + (change if t_s > 0 else 0.0)), sees=sees)
    first, then = temperatures(part, (0, 60))
    assert first == pytest.approx(start, abs=0.006)
    assert then == pytest.approx(start + sees * change, abs=0.006)


CLOCKS = hy.lists(
    hy.tuples(hy.integers(0, 500), hy.integers(1, 500), hy.none() | hy.floats(0, 100)), max_size=4
)


@given(CLOCKS, hy.lists(hy.integers(0, 1_500_000), min_size=2, max_size=10))
def test_a_clock_goes_by_the_product_of_what_ails_it_and_never_back(drawn, times_ms):
    faults = [
        {"kind": "clock_stopped", "at": a, "until": a + n}
        if f is None
        else {"kind": "clock_factor", "factor": f, "at": a, "until": a + n}
        for a, n, f in drawn
    ]
    shown = [sensor(faults=faults).clock_ms(x) for x in sorted(times_ms)]
    assert shown == sorted(shown)
    # An independent account: tick by tick, a tick of a second.
    last_s = max(times_ms) // 1000
    ticks = [math.prod(f or 0.0 for a, n, f in drawn if a <= s < a + n) for s in range(last_s)]
    assert sensor(faults=faults).clock_ms(last_s * 1000) == pytest.approx(1000 * sum(ticks), abs=1)


def test_readings_go_on_while_the_clock_stands_and_the_clock_goes_on_where_it_stood():
    stopped = sensor(
        lambda t_s: (1e5 + t_s, 295.0), faults=[{"kind": "clock_stopped", "at": 10, "until": 30}]
    )
    readings = [stopped.read(x * 1000) for x in (9, 11, 29, 40)]
    assert [r.stamp_ms for r in readings] == [9000, 10_000, 10_000, 20_000]
    assert [r.values["pressure_cPa"] for r in readings] == [10_000_900, 10_001_100, 10_002_900, 10_004_000]


@settings(max_examples=25)
@given(hy.sampled_from((0.0, 0.02, 0.5, 1.0)), hy.integers(0, 99))
def test_wild_readings_are_so_many_and_half_of_them_plausible(rate, seed):
    wild = PressureSensor(
        SensorModel.model_validate({**QUIET, "faults": [{"kind": "wild", "rate": rate, "at": 1}]}),
        lambda t_s: (101_325.0, 295.0),
        Random(seed),
    )
    n = 500
    assert wild.read(0).values["pressure_cPa"] == 10_132_500
    drawn = [wild.read(1000 + i).values for i in range(n)]
    odd = [v for v in drawn if (v["pressure_cPa"], v["temperature_cK"]) != (10_132_500, 29_500)]
    assert len(odd) == pytest.approx(rate * n, abs=6 * math.sqrt(rate * (1 - rate) * n) + 0.1)
    assert all(v["status"] == t.Health.OK for v in odd)
    plausible = [
        v
        for v in odd
        if PLAUSIBLE_cPa[0] <= v["pressure_cPa"] <= PLAUSIBLE_cPa[1]
        and PLAUSIBLE_cK[0] <= v["temperature_cK"] <= PLAUSIBLE_cK[1]
    ]
    assert len(plausible) == pytest.approx(len(odd) / 2, abs=6 * math.sqrt(len(odd) / 4) + 0.1)
    if rate == 1.0:
        assert max(v["pressure_cPa"] for v in odd) > 2**31, "the whole word, not a part of it"


def test_an_analyser_has_the_same_ailments():
    model = {
        "noise": 0,
        "temperature_noise": 0,
        "faults": [
            {"kind": "warming", "rise": 5, "tau": 0, "at": 10},
            {"kind": "clock_stopped", "at": 10},
            {"kind": "wild", "rate": 1, "at": 20},
        ],
    }
    analyser = GasAnalyser(AnalyserModel.model_validate(model), lambda t_s: AIR, Random(1))
    before, ill, wild = (analyser.read(x) for x in (9_000, 15_000, 21_000))
    assert (before.stamp_ms, ill.stamp_ms) == (9_000, 10_000)
    assert (before.values["temperature_cK"], ill.values["temperature_cK"]) == (29_500, 30_000)
    assert all(wild.values[name] != ill.values[name] for name in ill.values if name != "status")


TWO = """\
title = "two"
duration = 20
[cabin.compartments.cabin]
volume = 100
[sensor]
noise = 0
[[sensor.faults]]
kind = "twin"
size = 500
lead = 7200
at = 5
until = 15
"""


def test_a_twin_answers_each_poll_of_its_window_by_its_own_clock_and_element():
    from cabinwatch.run.transcript import Recorder
    from cabinwatch_protocol import host

    class Heard(Recorder):
        def __init__(self):
            super().__init__()
            self.rx = b""

        def add(self, step):
            super().add(step)
            self.rx += step.rx

    heard = Heard()
    worlds.run(TWO, 1, "cpython", recorder=heard)
    samples = [tm for tm in host.decode_stream(heard.rx) if tm.packet.name == "sample"]
    mine = [tm.values["pressure_cPa"] for tm in samples if tm.time_ms < 7_000_000]
    twin = [(tm.time_ms, tm.values["pressure_cPa"]) for tm in samples if tm.time_ms >= 7_000_000]
    assert set(mine) == {10_132_500}
    assert {pressure for _, pressure in twin} == {10_182_500}
    assert 9 <= len(twin) <= 11
    assert min(ms for ms, _ in twin) >= 7_205_000
    assert max(ms for ms, _ in twin) < 7_215_000


@pytest.mark.parametrize("kind", ["warming", "wild", "clock_stopped", "clock_factor", "twin"])
def test_a_kind_is_drawn_and_shrinks_to_that_one_fault(kind):
    least = find(
        hy.lists(st.sensor_faults(), max_size=3),
        lambda faults: kind in {f.kind for f in faults},
        settings=settings(phases=[Phase.generate, Phase.shrink]),
    )
    assert [f.kind for f in least] == [kind]
    assert least[0].at == 0


@pytest.mark.parametrize("days", [1.0, 90.0])
def test_a_growing_leak_comes_after_its_quiet_days(days):
    leak = find(st.growing_leaks(lead_in_d=(days, days)), lambda leak: bool(leak.profile))
    assert leak.at == days * 86_400
    curve = leak.curve()
    assert curve.value(leak.at - 1) == 0
    grown = [curve.value(leak.at + leak.profile[-1].over * part / 4) for part in range(5)]
    assert grown == sorted(grown)
    assert grown[0] == pytest.approx(0.01)
    assert grown[-1] == pytest.approx(1.0)


def test_drawn_cabins_reach_vacuum_open_space_weather_and_seals():
    def some(wanted):
        find(
            st.cabins(), wanted, settings=settings(phases=[Phase.generate], max_examples=1000)
        )  # raises where none is drawn

    some(lambda c: c.compartments["cabin"].pressure < 1000)
    some(lambda c: any((leak.size.pressure_rate() or 0) >= 10_000 for leak in c.leaks.values()))
    some(lambda c: any(change.size == -2000 for change in c.weather.values()))
    some(lambda c: any(hatch.seal for hatch in c.hatches.values()))
