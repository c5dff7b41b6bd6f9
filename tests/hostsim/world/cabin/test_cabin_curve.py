"""Curves of leaks and temperatures."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from cabinwatch.models.curve import Curve, CurvePiece, Term, ThermalCurve

shapes = st.sampled_from(["linear", "exponential", "fatigue"])
factors = st.floats(0.05, 20)


@given(shapes, factors, factors, st.sampled_from([2.0, 4.0]), st.floats(0, 1))
def test_a_piece_goes_from_its_start_to_its_end_and_its_integral_is_its_area(shape, v0, v1, power, x):
    piece = CurvePiece(10.0, v0, 110.0, v1, shape, power)
    assert piece.at(10.0) == pytest.approx(v0)
    assert piece.at(110.0) == pytest.approx(v1)
    t = 10 + 100 * x
    assert min(v0, v1) * (1 - 1e-9) <= piece.at(t) <= max(v0, v1) * (1 + 1e-9)
    assert piece.integral(t) == pytest.approx(quad(piece.at, 10, t)[0], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("power", [2.0, 4.0])
def test_fatigue_growth_obeys_the_paris_law(power):
    """a = v^(1/power): da/dt is proportional to a^(m/2), m = 4."""
    piece = CurvePiece(0.0, 1.0, 100.0, 8.0, "fatigue", power)

    def length(t):
        return piece.at(t) ** (1 / power)

    speeds = [(length(t + 1e-3) - length(t - 1e-3)) / 2e-3 / length(t) ** 2 for t in (5.0, 50.0, 95.0)]
    assert speeds == pytest.approx([speeds[0]] * 3, rel=1e-5)


def test_exponential_growth_doubles_in_equal_times():
    piece = CurvePiece(0.0, 1.0, 30.0, 8.0, "exponential")
    assert [piece.at(t) for t in (0, 10, 20, 30)] == pytest.approx([1, 2, 4, 8])


changes = st.lists(
    st.tuples(st.floats(0, 50), st.floats(0, 3), st.sampled_from([0.0, 0.0, 5.0, 20.0])), max_size=6
)


@given(changes, st.floats(0, 400))
def test_a_curve_is_nothing_before_onset_holds_after_and_its_integral_is_its_area(steps, until):
    curve, t = Curve(), 0.0
    for gap, to, over in steps:
        t += gap
        curve.go(t, to, over)
    corners = sorted(curve.corners())
    assert curve.value(-1.0) == 0
    if steps:
        assert curve.value(t + 100) == steps[-1][1]
    edges = [0.0, *[c for c in corners if 0 < c < until], until]
    area = sum(quad(curve.value, a, b)[0] for a, b in itertools.pairwise(edges) if b > a)
    assert curve.integral(until) == pytest.approx(area, rel=1e-6, abs=1e-7)


def test_a_new_course_forgets_the_old_plan():
    curve = Curve()
    curve.go(0, 1.0)
    curve.go(10, 3.0, over=10)
    curve.go(15, 0.0)
    assert [curve.value(t) for t in (5, 12.5, 15, 30)] == [1.0, 1.5, 0.0, 0.0]
    with pytest.raises(ValueError, match="above zero"):
        curve.go(20, 2.0, 5, "exponential")


def test_terms_of_temperature():
    swing = Term("swing", 0, math.inf, 2.0, 100.0)
    heater = Term("approach", 50, 250, -8.0, 30.0)
    ramp = Term("ramp", 10, math.inf, 4.0, 20.0)
    thermal = ThermalCurve(290.0, [swing, heater, ramp])
    assert thermal.value(0) == 290
    assert thermal.value(25) == pytest.approx(290 + 2 + 3)
    assert thermal.value(80) == pytest.approx(290 + 2 * math.sin(1.6 * math.pi) + 4 - 8 * (1 - math.exp(-1)))
    assert thermal.value(300) == pytest.approx(294)
    assert sorted(c for c in thermal.corners() if c < math.inf) == [0, 10, 30, 50, 250]


@given(st.floats(0, 400))
def test_the_stretch_of_a_temperature_is_its_value(t):
    terms = [
        Term("swing", 0, 200, 2.0, 100.0),
        Term("approach", 50, 250, -8.0, 30.0),
        Term("ramp", 10, 300, 4.0, 20.0),
    ]
    thermal = ThermalCurve(290.0, terms)
    start = max(c for c in [0.0, *thermal.corners()] if c <= t)
    fixed, moving = thermal.on(start)
    assert (moving(t) if moving else fixed) == pytest.approx(thermal.value(t), rel=1e-14)
