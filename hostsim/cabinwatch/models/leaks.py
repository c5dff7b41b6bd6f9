"""What a scenario may say of a leak's law."""

from typing import Literal

Law = Literal["orifice", "crack", "linear"]


SHARP_EDGE_CD = 0.84
"""Discharge coefficient of a sharp-edged hole into vacuum (Perry, Trans. ASME 71 (1949) 757)."""
