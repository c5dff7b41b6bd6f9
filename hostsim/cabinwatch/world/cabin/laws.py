"""Leak laws: how gas leaves a volume, with the closed forms where they exist.

Notation: p pressure (Pa), V volume (m3), T temperature (K), M molar mass (kg/mol), R molar gas constant, g
= 1.4. An orifice is its effective area Cd*A (m2); a crack is its conductance K (m3/(s Pa)), so that c =
K/V.

Sources: choked and subcritical nozzle flow, Shapiro, *Compressible Fluid Flow* I, ch. 4 (for air in SI it
is Fliegner's 0.04041 p A / sqrt(T)); laminar gas flow through a narrow slit, flow ~ p^2, Knudsen's viscous
limit (Roth, *Vacuum Technology*, ch. 3); time to a floor pressure, integrated from each law.
"""

import math

from cabinwatch.models.leaks import SHARP_EDGE_CD, Law
from cabinwatch.models.units import LeakSize, MMHG_Pa
from cabinwatch.world.cabin.gas import GAMMA, AIR_MOLAR_kg, R

EVACUATE_Pa = 490.0 * MMHG_Pa
"""The pressure at which a crew must have left: 490 mmHg."""
PSI = math.sqrt(GAMMA) * math.pow(2 / (GAMMA + 1), (GAMMA + 1) / (2 * (GAMMA - 1)))
"""Choked-flow function, 0.6847 for g = 1.4."""
CRITICAL_RATIO = math.pow(2 / (GAMMA + 1), GAMMA / (GAMMA - 1))
"""Downstream over upstream pressure below which flow is choked, 0.528."""
LAMINAR_RATIO = 0.995
"""Above this ratio flow through a valve is taken as proportional to the pressure difference. The ideal law
has an infinite slope at balance, which no real valve has: near balance its flow is laminar."""
LINEAR_FLOOR_Pa = 1000.0
"""A linear (constant-rate) leak fades in proportion to the pressure below this, so that no vacuum is ever
owed."""


def orifice_area(diameter_m: float, cd: float = SHARP_EDGE_CD) -> float:
    """Effective area Cd*A of a round hole, m2."""
    return cd * math.pi * diameter_m**2 / 4


def flow_function(ratio: float) -> float:
    """Psi(p2/p1) for 0 <= ratio <= 1: constant when choked, sqrt(2g/(g-1) (r^(2/g) - r^((g+1)/g))) above,
    laminar (linear in 1 - r) from `LAMINAR_RATIO` to balance."""
    if ratio <= CRITICAL_RATIO:
        return PSI
    if ratio > LAMINAR_RATIO:
        return _PSI_LAMINAR * (1 - ratio) / (1 - LAMINAR_RATIO)
    return _subcritical(ratio)


def _subcritical(ratio: float) -> float:
    return math.sqrt(
        2 * GAMMA / (GAMMA - 1) * (math.pow(ratio, 2 / GAMMA) - math.pow(ratio, (GAMMA + 1) / GAMMA))
    )


_NEGLIGIBLE = 1e-18
"""Decay below which exp(-x) = 1 - x to rounding, so that the orifice's term may be left out of a closed
form."""
_PSI_LAMINAR = _subcritical(LAMINAR_RATIO)


def orifice_mol_s(
    area_m2: float, p_Pa: float, T_K: float, molar_kg: float = AIR_MOLAR_kg, downstream_Pa: float = 0.0
) -> float:
    """Flow through an orifice from p to a lower downstream pressure: Cd*A*p*Psi/sqrt(M R T), mol/s."""
    if p_Pa <= 0:
        return 0.0
    return area_m2 * p_Pa * flow_function(downstream_Pa / p_Pa) / math.sqrt(molar_kg * R * T_K)


def orifice_kg_s(area_m2: float, p_Pa: float, T_K: float, molar_kg: float = AIR_MOLAR_kg) -> float:
    """Choked mass flow Cd*A*p*Psi/sqrt(R_s T), R_s = R/M, kg/s."""
    return orifice_mol_s(area_m2, p_Pa, T_K, molar_kg) * molar_kg


def crack_mol_s(conductance: float, p_Pa: float, T_K: float) -> float:
    """Viscous flow to vacuum, K p^2/(R T), mol/s."""
    return conductance * p_Pa * p_Pa / (R * T_K)


def linear_mol_s(rate_mol_s: float, p_Pa: float) -> float:
    """A constant rate, fading below `LINEAR_FLOOR_Pa`, mol/s."""
    return rate_mol_s * min(1.0, p_Pa / LINEAR_FLOOR_Pa) if p_Pa > 0 else 0.0


def flow_mol_s(
    law: Law, coefficient: float, p_Pa: float, T_K: float, molar_kg: float = AIR_MOLAR_kg
) -> float:
    """Flow to vacuum by any law; the coefficient is Cd*A (m2), K (m3/(s Pa)) or mol/s."""
    if law == "orifice":
        return orifice_mol_s(coefficient, p_Pa, T_K, molar_kg)
    if law == "crack":
        return crack_mol_s(coefficient, p_Pa, T_K)
    return linear_mol_s(coefficient, p_Pa)


def coefficient(
    law: Law,
    size: LeakSize,
    p_Pa: float,
    T_K: float,
    molar_kg: float,
    volume_m3: float,
    cd: float = SHARP_EDGE_CD,
) -> float:
    """The coefficient of a law under which the leak is as big as ``size`` says at the reference p, T, M and
    V.

    A diameter is a round hole with the discharge coefficient ``cd``; for the other laws, the leak that
    passes as much as that hole at the reference. A pressure rate or T1mm is a flow by n' = p' V/(R T), a throughput
    Q by n' = Q/(R T).
    """
    rate = size.pressure_rate()
    if size.kind == "diameter":
        flow = orifice_mol_s(orifice_area(size.value, cd), p_Pa, T_K, molar_kg)
    elif rate is not None:
        flow = rate * volume_m3 / (R * T_K)
    elif size.kind == "throughput":
        flow = size.value / (R * T_K)
    elif size.kind == "molar_rate":
        flow = size.value
    else:
        flow = size.value / molar_kg
    return flow / flow_mol_s(law, 1.0, p_Pa, T_K, molar_kg)


def orifice_k(area_m2: float, volume_m3: float, T_K: float, molar_kg: float = AIR_MOLAR_kg) -> float:
    """Decay constant of a held-temperature blow-down, k = Cd*A*Psi*sqrt(R_s T)/V, 1/s."""
    return area_m2 * PSI * math.sqrt(R * T_K / molar_kg) / volume_m3


def blowdown(p0: float, k: float, c: float, t_s: float) -> float:
    """Pressure after t under dp/dt = -k p - c p^2 (orifices and cracks together, temperature held), Pa.

    With u = 1/p it is linear: u = u0 e^(kt) + (c/k)(e^(kt) - 1); c = 0 is p0 e^(-kt), k = 0 is 1/p = 1/p0 +
    c t.
    """
    if p0 <= 0:
        return 0.0
    kt = k * t_s
    span = t_s if kt < _NEGLIGIBLE else -math.expm1(-kt) / k
    return p0 * math.exp(-kt) / (1 + c * p0 * span)


def blowdown_time(p0: float, p1: float, k: float, c: float) -> float:
    """Time from p0 down to p1 under dp/dt = -k p - c p^2, s; infinite when nothing leaks."""
    if p1 >= p0:
        return 0.0
    if p1 <= 0 or k + c * p0 <= 0:
        return math.inf
    slow = (p0 - p1) / (p1 * (k + c * p0))
    return slow if k * slow < _NEGLIGIBLE else math.log1p(k * slow) / k


def adiabatic_pressure(p0: float, k0: float, t_s: float) -> float:
    """Pressure after t of adiabatic choked blow-down, p0 (1 + (g-1)/2 k0 t)^(-2g/(g-1)), Pa; k0 at the
    first T."""
    return p0 * math.pow(1 + (GAMMA - 1) / 2 * k0 * t_s, -2 * GAMMA / (GAMMA - 1))


def adiabatic_time(p0: float, p1: float, k0: float) -> float:
    """Time from p0 to p1 of adiabatic choked blow-down, 2/((g-1)k0) ((p0/p1)^((g-1)/(2g)) - 1), s."""
    if p1 >= p0:
        return 0.0
    if k0 == 0 or p1 <= 0:
        return math.inf
    return 2 / ((GAMMA - 1) * k0) * (math.pow(p0 / p1, (GAMMA - 1) / (2 * GAMMA)) - 1)


def t_reserve(law: Law, p_Pa: float, t1mm_s: float, floor_Pa: float = EVACUATE_Pa) -> float:
    """Time to the floor when the last 1 mmHg took ``t1mm_s``, by each law, s.

    Orifice T1 P ln(P/F), linear T1 (P - F), crack T1 P (P - F)/F, pressures in mmHg.
    """
    if p_Pa <= floor_Pa:
        return 0.0
    p, floor = p_Pa / MMHG_Pa, floor_Pa / MMHG_Pa
    if law == "orifice":
        return t1mm_s * p * math.log(p / floor)
    if law == "crack":
        return t1mm_s * p * (p - floor) / floor
    return t1mm_s * (p - floor)
