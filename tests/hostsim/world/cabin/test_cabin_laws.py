"""Leak laws against the plain equations, textbook constants and published blow-downs."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from cabinwatch.models.units import MMHG_Pa, parse_leak_size
from cabinwatch.world.cabin import laws
from cabinwatch.world.cabin.gas import AIR_MOLAR_kg, R

mmHg = MMHG_Pa
pressures = st.floats(1e3, 2e5)


def test_choked_flow_of_air_is_fliegners_formula():
    assert pytest.approx(0.6847, abs=5e-5) == laws.PSI
    for p, T, A in ((101325, 288.15, 1e-4), (5e4, 250, 3e-6)):
        assert laws.orifice_kg_s(A, p, T) == pytest.approx(0.04041 * A * p / math.sqrt(T), rel=3e-4)


def test_decay_constant_of_air_at_295_K():
    assert laws.orifice_k(1.0, 1.0, 295.0) == pytest.approx(199.3, abs=0.05)


@given(st.floats(0, 1))
def test_flow_function_falls_from_choked_to_nothing_at_balance(ratio):
    psi = laws.flow_function(ratio)
    assert 0 <= psi <= laws.PSI
    assert laws.flow_function(min(1.0, ratio + 0.01)) <= psi
    assert laws.flow_function(1.0) == 0


@given(st.floats(laws.CRITICAL_RATIO + 1e-6, laws.LAMINAR_RATIO))
def test_subcritical_flow_is_bernoulli_with_isentropic_density(ratio):
    """Energy: v^2 = 2 cp T (1 - r^((g-1)/g)); mass: rho v with rho = rho0 r^(1/g)."""
    p, T, Rs = 1e5, 300.0, R / AIR_MOLAR_kg
    v = math.sqrt(2 * 3.5 * Rs * T * (1 - ratio ** (2 / 7)))
    expected = p / (Rs * T) * ratio ** (5 / 7) * v
    assert laws.orifice_mol_s(1.0, p, T, AIR_MOLAR_kg, ratio * p) * AIR_MOLAR_kg == pytest.approx(
        expected, rel=1e-9
    )


@given(pressures, st.floats(0, 1e-4), st.floats(0, 1e-9), st.floats(0, 1e5))
def test_blowdown_solves_its_equation(p0, k, c, t):
    solved = solve_ivp(lambda _, p: -k * p - c * p * p, (0, t), [p0], rtol=1e-10, atol=1e-6, method="DOP853")
    assert laws.blowdown(p0, k, c, t) == pytest.approx(solved.y[0, -1], rel=1e-7)


@given(pressures, st.floats(0.05, 0.999), st.floats(1e-8, 1e-3), st.floats(0, 1e-9))
def test_blowdown_time_is_its_inverse(p0, fraction, k, c):
    p1 = p0 * fraction
    for kk, cc in ((k, c), (k, 0.0), (0.0, c + 1e-14)):
        assert laws.blowdown(p0, kk, cc, laws.blowdown_time(p0, p1, kk, cc)) == pytest.approx(p1, rel=1e-9)
    assert laws.blowdown_time(p1, p0, k, c) == 0
    assert laws.blowdown_time(p0, p1, 0.0, 0.0) == math.inf


@given(pressures, st.floats(1e-5, 1e-2), st.floats(0, 1e3))
def test_adiabatic_blowdown_solves_mass_and_energy(p0, k0, t):
    """Moles: n'/n = -k0 sqrt(T/T0); energy: T'/T = (g-1) n'/n; p ~ nT."""

    def slopes(_, y):
        f = k0 * math.sqrt(y[1])
        return [-f * y[0], -0.4 * f * y[1]]

    n, T = solve_ivp(slopes, (0, t), [1.0, 1.0], rtol=1e-10, atol=1e-14).y[:, -1]
    assert laws.adiabatic_pressure(p0, k0, t) == pytest.approx(p0 * n * T, rel=1e-6)
    p1 = laws.adiabatic_pressure(p0, k0, t)
    assert laws.adiabatic_time(p0, p1, k0) == pytest.approx(t, rel=1e-6, abs=1e-4)


def test_t_reserve_at_one_atmosphere_and_one_minute():
    minutes = [laws.t_reserve(law, 760 * mmHg, 60.0) / 60 for law in ("orifice", "linear", "crack")]
    assert minutes == pytest.approx([334, 270, 419], abs=0.5)
    assert laws.t_reserve("crack", 489 * mmHg, 60.0) == 0


@given(st.sampled_from(["orifice", "crack", "linear"]), pressures, st.floats(250, 320), st.floats(1, 1000))
def test_a_size_means_the_same_flow_under_every_law(law, p, T, volume):
    for text in ("2 mm", "1.4 kg/d", "0.8 mbar/h", "T1mm 600 s", "3 mbar l/s", "10 sccm"):
        size = parse_leak_size(text)
        flow = laws.flow_mol_s(law, laws.coefficient(law, size, p, T, AIR_MOLAR_kg, volume), p, T)
        if size.kind == "mass_rate":
            assert flow * AIR_MOLAR_kg * 86400 == pytest.approx(1.4, rel=1e-9)
        elif size.kind == "diameter":
            area = math.pi * 0.001**2 * 0.84
            assert flow * AIR_MOLAR_kg == pytest.approx(0.04041 * area * p / math.sqrt(T), rel=3e-4)
        elif size.kind == "throughput":
            assert flow * R * T == pytest.approx(0.3, rel=1e-9)
        elif size.kind == "molar_rate":
            assert flow == pytest.approx(10 / 22413.969 / 60, rel=1e-7)
        else:
            rate = {"pressure_rate": 80 / 3600, "t1mm": mmHg / 600}[size.kind]
            assert flow * R * T / volume == pytest.approx(rate, rel=1e-9)


def test_soyuz_11_valve():
    """915 to 50 mmHg in 115 s: k of the isothermal law."""
    k = math.log(915 / 50) / 115
    assert k == pytest.approx(0.0253, abs=5e-5)
    assert laws.blowdown_time(915 * mmHg, 50 * mmHg, k, 0) == pytest.approx(115)


def test_ms09_effective_hole():
    """0.8 mbar/h from 916 m3 at one atmosphere is 1.13 mm of effective diameter."""
    size = parse_leak_size("0.8 mbar/h")
    area = laws.coefficient("orifice", size, 101325, 295, AIR_MOLAR_kg, 916)
    assert math.sqrt(4 * area / math.pi) * 1e3 == pytest.approx(1.13, abs=0.005)


def test_prk_blowdowns_follow_the_crack():
    """The two closed-hatch tests: c of a few 1e-4 per mmHg and day."""
    for p1, hours in ((620, 18), (678, 11.5)):
        per_mmHg_d = (1 / p1 - 1 / 730) / (hours / 24)
        assert 2e-4 < per_mmHg_d < 4e-4
        c = per_mmHg_d / mmHg / 86400
        assert laws.blowdown(730 * mmHg, 0.0, c, hours * 3600) / mmHg == pytest.approx(p1, rel=1e-9)
