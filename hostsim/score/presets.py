"""The detector's parameters: units, ranges, defaults and the reason for each; and the two presets."""

from dataclasses import dataclass
from typing import Final

FIRST: Final = 8


@dataclass(frozen=True)
class Tunable:
    """One parameter of the detector; `index` is its place in the parameter list."""

    index: int
    name: str
    unit: str
    low: int
    high: int
    default: int
    reason: str


TUNABLES: Final = tuple(
    Tunable(FIRST + i, *row)
    for i, row in enumerate(
        (
            ("breath", "cPa/d", 0, 200_000, 45_000, "six people: 410 Pa/d of total pressure, and a margin"),
            (
                "loss",
                "cPa/d",
                0,
                200_000,
                2_500,
                "planned loss of 0.6 lb/d from 916 m3, nitrogen's share, rounded up",
            ),
            ("threshold", "1/8 MAD", 40, 100, 64, "false-alarm interval: a year and more at 1 Hz"),
            (
                "step",
                "cPa",
                10_000,
                1_000_000,
                100_000,
                "airlock, hatch and docking move less; 3 % of the reserve",
            ),
            ("hold", "s", 10, 7_200, 1_200, "airlock and docking falls end sooner"),
            ("fast", "cPa/min", 60, 60_000, 600, "no slow wander is quicker than 6 Pa a minute"),
            ("lag", "s", 0, 120, 60, "lag of the temperature sensor behind the gas"),
            (
                "floor",
                "cPa",
                10,
                10_000,
                500,
                "a sample-to-sample change below 5 Pa is left to the slow watch",
            ),
            ("emergency", "s", 0, 1 << 29, 3_600, "T-reserve below an hour: leave"),
            ("warning", "s", 0, 1 << 29, 86_400, "below a day: act now"),
            ("caution", "s", 0, 1 << 29, 2_592_000, "below thirty days: act this shift"),
            ("reserve", "cPa", 0, 12_000_000, 6_532_800, "490 mmHg: evacuation"),
            ("wander", "cPa", 10, 100_000, 1_000, "spread of a quiet real cabin, believed until learned"),
        )
    )
)
INDEX: Final = {t.name: t.index for t in TUNABLES}


def parameters(**changes: int) -> list[int]:
    """The default parameter list, with changes by name. Raises KeyError for an unknown name."""
    values = [0] * FIRST + [t.default for t in TUNABLES]
    for name, value in changes.items():
        values[INDEX[name]] = value
    return values


CABIN_PRESET: Final[dict[str, int]] = {}
BENCH_PRESET: Final = {"breath": 0, "step": 2_000, "hold": 10, "fast": 60_000}
