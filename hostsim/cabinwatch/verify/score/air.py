"""Leaks by mass and leaks by pressure: dry air at the cabin's temperature."""

from typing import Final

from cabinwatch.world.cabin.gas import AIR_MOLAR_kg, R

CABIN_K: Final = 295.0


def kg_a_Pa(volume_m3: float) -> float:
    """The mass of air that one pascal more is in a volume."""
    return volume_m3 * AIR_MOLAR_kg / (R * CABIN_K)
