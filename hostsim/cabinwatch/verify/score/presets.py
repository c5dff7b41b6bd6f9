"""The detector's parameters as the packet table has them, and the two presets that are scored."""

from typing import Final

from cabinwatch_protocol.table import MONITOR_PARAMETERS

FIRST: Final = next(p.id for p in MONITOR_PARAMETERS if p.name == "breath")
"""The parameters before this one are the monitor's own."""

TUNABLES: Final = MONITOR_PARAMETERS[FIRST:]
INDEX: Final = {t.name: t.id for t in TUNABLES}


def parameters(**changes: int) -> list[int]:
    """The default parameter list, with changes by name. Raises KeyError for an unknown name."""
    values = [t.default for t in MONITOR_PARAMETERS]
    for name, value in changes.items():
        values[INDEX[name]] = value
    return values


CABIN_PRESET: Final[dict[str, int]] = {}
BENCH_PRESET: Final = {"breath": 0, "step": 2_000, "hold": 10, "fast": 60_000}
