"""Whole networks: against an independent solution, and the laws no network may break."""

from itertools import pairwise

import numpy as np
import pytest
from cabin_networks import networks
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from cabinwatch.world.cabin import Close, Open, Station

END = 14_000.0
# On a grid: the oracle's integrator hangs on a stretch of 1e-222 s.
moments = st.integers(0, 8 * int(END)).map(lambda i: i / 8)
# Shrinking a failed network takes minutes; what was drawn is small enough to read.
slow = settings(
    deadline=None,
    max_examples=30,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@slow
@given(networks(), st.lists(moments, min_size=1, max_size=4))
def test_a_network_is_as_an_independent_integration_has_it(network, ask):
    model, oracle, corners = network
    station = Station(model)
    for t, rooms in oracle.solve(corners, [*ask, END]).items():
        for name, partials in rooms.items():
            got = station.at(name, t)
            assert got.pressure_Pa == pytest.approx(partials.sum(), rel=1e-6)
            assert np.array(got[2:]) == pytest.approx(partials, rel=1e-6, abs=1e-6 * partials.sum())
            assert got.temperature_K == pytest.approx(oracle.room(name)["T"](t), rel=1e-12)


@slow
@given(networks(), st.lists(moments, max_size=30), moments)
def test_what_is_read_does_not_depend_on_what_was_read_before(network, others, t):
    model, _, _ = network
    asked, fresh = Station(model), Station(model)
    for other in others:
        asked.at("m0", other)
    for name in asked.compartments:
        assert asked.at(name, t) == fresh.at(name, t)


@slow
@given(networks(breathing=False))
def test_mass_lost_is_mass_leaked(network):
    model, _, corners = network
    station = Station(model)
    edges = sorted({0.0, END, *(c for c in corners if c < END)})
    for a, b in pairwise(edges):
        b -= 1e-6 * (b - a)  # before the corner's hatch moves
        leaked = quad(station.leak_kg_s, a, b, limit=200, epsrel=1e-9)[0]
        lost = station.mass_kg(a) - station.mass_kg(b)
        assert lost == pytest.approx(leaked, rel=1e-6, abs=2e-9 * station.mass_kg(0))


@slow
@given(networks(breathing=False))
def test_a_network_without_leaks_keeps_its_mass_to_rounding(network):
    model, _, _ = network
    station = Station(model.model_copy(update={"leaks": {}}))
    start = station.mass_kg(0)
    for t in np.linspace(0, END, 23):
        assert station.mass_kg(t) == pytest.approx(start, rel=1e-12)


@slow
@given(networks())
def test_pressure_is_never_negative_and_a_leak_never_fills(network):
    station = Station(network[0])
    for t in np.linspace(0, 40 * END, 29):
        for name in station.compartments:
            assert min(station.at(name, t)) >= 0
            assert station.leak_rate_Pa_h(name, t) <= 0
        assert station.leak_kg_s(t) >= 0


@slow
@given(networks(hatch_moves=False, breathing=False, temperatures=False))
def test_flow_never_runs_uphill(network):
    """With no source and no change of temperature the highest pressure only falls; without a leak the
    lowest rises."""
    model, _, _ = network
    leaky, tight = Station(model), Station(model.model_copy(update={"leaks": {}}))
    last_high, last_low = np.inf, 0.0
    for t in np.linspace(0, END, 40):
        high = max(leaky.at(name, t).pressure_Pa for name in leaky.compartments)
        low = min(tight.at(name, t).pressure_Pa for name in tight.compartments)
        assert high <= last_high * (1 + 1e-9)
        assert low >= last_low * (1 - 1e-9)
        last_high, last_low = high, low


@slow
@given(networks(hatch_moves=False, breathing=False), moments, st.data())
def test_closing_a_hatch_never_raises_the_total_leak(network, t, data):
    model, _, _ = network
    assume(model.hatches and model.leaks)
    open_all = {name: hatch.model_copy(update={"open": True}) for name, hatch in model.hatches.items()}
    kept = Station(model.model_copy(update={"hatches": open_all, "valves": {}}))
    closed = Station(kept.model)
    closed.apply(t, Close(data.draw(st.sampled_from(sorted(open_all)))))
    assert closed.leak_kg_s(t) <= kept.leak_kg_s(t) * (1 + 1e-12)


@slow
@given(networks(hatch_moves=False, breathing=False, temperatures=False), st.data())
def test_a_closed_hatch_saves_air_at_any_later_time(network, data):
    """By Jensen's inequality, as what is left is a convex function of the leak over the volume; one
    temperature."""
    model, _, _ = network
    assume(model.hatches and model.leaks)
    rooms = {
        n: r.model_copy(update={"temperature": 295.0, "o2": 0.21, "pressure": 1e5})
        for n, r in model.compartments.items()
    }
    leaks = {n: leak.model_copy(update={"law": "orifice"}) for n, leak in model.leaks.items()}
    hatches = {name: hatch.model_copy(update={"open": True}) for name, hatch in model.hatches.items()}
    model = model.model_copy(update={"compartments": rooms, "leaks": leaks, "hatches": hatches, "valves": {}})
    kept, closed = Station(model), Station(model)
    closed.apply(data.draw(moments), Close(data.draw(st.sampled_from(sorted(hatches)))))
    for t in (END, 5 * END, 50 * END):
        assert closed.mass_kg(t) >= kept.mass_kg(t) * (1 - 1e-9)


@slow
@given(networks(hatch_moves=False), st.lists(moments, max_size=8), st.data())
def test_actions_at_run_time_are_as_those_in_the_file_whatever_was_looked_at(network, looks, data):
    """Looking ahead of an action must leave no trace once it is applied."""
    model, _, _ = network
    assume(model.hatches)
    name = data.draw(st.sampled_from(sorted(model.hatches)))
    times = sorted(data.draw(st.lists(moments.filter(bool), min_size=1, max_size=3, unique=True)))
    nosy, plain = Station(model), Station(model)
    verb = Close if model.hatches[name].open else Open
    for t in times:
        for look in looks:
            nosy.at("m0", look)
        nosy.apply(t, verb(name))
        plain.apply(t, verb(name))
        verb = Open if verb is Close else Close
    verbs = ["close", "open"] if model.hatches[name].open else ["open", "close"]
    doc = [{"at": t, verbs[i % 2]: name} for i, t in enumerate(times)]
    filed = Station(type(model).model_validate({**_plain(model), "actions": doc}))
    for t in (*looks, *times, END):
        for room in nosy.compartments:
            assert nosy.at(room, t) == plain.at(room, t)
            assert nosy.at(room, t) == pytest.approx(filed.at(room, t), rel=1e-8, abs=1e-3)


def _plain(model):
    return {name: getattr(model, name) for name in type(model).model_fields}
