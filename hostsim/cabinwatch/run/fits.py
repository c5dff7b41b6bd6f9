"""Leaks given by published points: what the fit made of them, and what it leaves over."""

from typing import Any

from cabinwatch.models.points import residuals
from cabinwatch.models.scenario import Scenario
from cabinwatch.models.units import HOUR_s
from cabinwatch.text import duration, shown


def as_data(scenario: Scenario) -> list[dict[str, Any]]:
    """Each leak that was given by points: its law, its rate at the first of them, and what is left at each."""
    return [
        {
            "leak": name,
            "law": leak.law,
            "rate_Pa_h": -leak.size.value * HOUR_s,
            "points": [
                {"t_s": t, "pressure_Pa": p, "residual_Pa": round(off, 3)}
                for (t, p), off in zip(
                    leak.points, residuals(leak.law, leak.points, leak.size.value), strict=True
                )
            ],
        }
        for name, leak in scenario.cabin.leaks.items()
        if leak.points
    ]


def fit_lines(scenario: Scenario) -> list[str]:
    """The same for people."""
    lines = []
    for fit in as_data(scenario):
        lines.append(f"Leak {shown(fit['leak'])}, law {fit['law']}, fitted to {len(fit['points'])} points: "
                     f"{fit['rate_Pa_h']:+,.1f} Pa/h at the first. Left over:")  # fmt: skip
        lines += [
            f"  {duration(point['t_s']):>14}  {point['pressure_Pa']:>12,.1f} Pa  {point['residual_Pa']:>+10,.1f} Pa"
            for point in fit["points"]
        ]
    return lines
