"""The integrator against equations whose solutions are known."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinwatch.world.cabin import ode
from cabinwatch.world.cabin.ode import Trajectory


def test_the_tableau_is_consistent():
    assert pytest.approx(0, abs=1e-15) == ode.E1 + ode.E3 + ode.E4 + ode.E5 + ode.E6 + ode.E7
    assert pytest.approx(0, abs=1e-13) == ode.D1 + ode.D3 + ode.D4 + ode.D5 + ode.D6 + ode.D7


def test_one_step_is_of_fifth_order():
    def error(h):
        return abs(ode.stages(lambda t, y: [y[0]], 0.0, [1.0], [1.0], h)[0][0] - math.exp(h))

    assert math.log2(error(0.04) / error(0.02)) == pytest.approx(6, abs=0.1)  # local error: order + 1


def oscillator(end=math.inf):
    return Trajectory(lambda t, y: [y[1], -y[0]], 0.0, [1.0, 0.0], end, [1e-10, 1e-10])


@given(st.floats(0, 60))
def test_dense_output_is_as_good_as_the_steps(t):
    x, v = oscillator().at(t)
    assert x == pytest.approx(math.cos(t), abs=1e-7)
    assert v == pytest.approx(-math.sin(t), abs=1e-7)


@given(st.lists(st.floats(0, 60), max_size=20), st.floats(0, 60))
def test_a_look_up_does_not_depend_on_those_before(others, t):
    asked, fresh = oscillator(), oscillator()
    for other in others:
        asked.at(other)
    assert asked.at(t) == fresh.at(t)


def test_the_end_is_met_exactly_and_the_solution_is_continuous_across_steps():
    path = oscillator(end=math.pi)
    assert path.at(math.pi) == pytest.approx([-1, 0], abs=1e-8)
    for start in path.starts[1:]:
        assert path.at(start * (1 - 1e-13)) == pytest.approx(path.at(start), abs=1e-10)


def test_stiff_decay_stays_stable():
    path = Trajectory(lambda t, y: [-50 * (y[0] - math.cos(t))], 0.0, [0.0], math.inf, [1e-10])
    exact = (2500 * math.cos(20) + 50 * math.sin(20)) / 2501
    assert path.at(20)[0] == pytest.approx(exact, abs=1e-7)


def test_a_swing_cannot_hide_in_a_long_step():
    """Quiet at first, so the steps would grow past the pulse but for the longest step."""
    path = Trajectory(lambda t, y: [math.sin(t / 10) ** 8], 0.0, [0.0], math.inf, [1e-9], longest=4.0)
    assert path.at(10 * math.pi * 40)[0] == pytest.approx(10 * math.pi * 40 * 35 / 128, rel=1e-8)
