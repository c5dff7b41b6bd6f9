"""The four gases of a cabin and their mixture, in moles.

Argon is counted as nitrogen: nobody breathes it and both leak alike.
"""

from typing import NamedTuple

R = 8.314462618
"""Molar gas constant, J/(mol K) (SI 2019)."""
SPECIES = ("N2", "O2", "CO2", "H2O")
N2, O2, CO2, H2O = range(4)
MOLAR_kg = (28.0134e-3, 31.9988e-3, 44.0095e-3, 18.01528e-3)
"""Molar masses in the order of `SPECIES`, kg/mol (IUPAC 2021)."""
AIR_MOLAR_kg = 28.9647e-3
"""Dry air, kg/mol (US Standard Atmosphere 1976): 287.05 J/(kg K)."""
GAMMA = 1.4
"""Ratio of specific heats, taken for every cabin mixture: CO2 and vapour are a few per cent of it."""


class Moles(NamedTuple):
    """Amounts of the four gases, mol."""

    N2: float
    O2: float
    CO2: float
    H2O: float


def mass_kg(n: Moles) -> float:
    """Mass of the mixture, kg."""
    return n[0] * MOLAR_kg[0] + n[1] * MOLAR_kg[1] + n[2] * MOLAR_kg[2] + n[3] * MOLAR_kg[3]


def molar_mass(n: Moles) -> float:
    """Mean molar mass, kg/mol; that of air where there is no gas at all."""
    total = n[0] + n[1] + n[2] + n[3]
    return mass_kg(n) / total if total > 0 else AIR_MOLAR_kg


def fill(
    pressure_Pa: float, volume_m3: float, temperature_K: float, o2: float, co2: float, h2o: float
) -> Moles:
    """What a volume holds at a pressure and temperature, by mole fractions; the rest is nitrogen (n =
    pV/RT)."""
    total = pressure_Pa * volume_m3 / (R * temperature_K)
    return Moles(total * (1 - o2 - co2 - h2o), total * o2, total * co2, total * h2o)


def dry_air(mol: float) -> Moles:
    """An amount of dry air, 20.95 % oxygen."""
    return Moles(mol * 0.7905, mol * 0.2095, 0.0, 0.0)
