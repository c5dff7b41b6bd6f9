"""Quantities as people of the field write them, turned into SI with the unit checked.

A quantity is text, ``"<number> <unit>"``: ``"2.4 lb/d"``, ``"745 mmHg"``, ``"0.8 mm"``, ``"T1mm 60 s"``,
``"2d 3h"``. A bare number is taken in SI where the reader says so (pascal, kelvin, second, cubic metre).
Every refusal is a `UsageError` that names the units allowed.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from cabinwatch.errors import UsageError
from cabinwatch.text import clipped

MMHG_Pa = 133.322387415
"""One conventional millimetre of mercury, Pa (ISO 80000-4, annex)."""
PSI_Pa = 6894.757293168
ATM_Pa = 101325.0
LB_kg = 0.45359237
HOUR_s = 3600.0
DAY_s = 86400.0

PRESSURES: Mapping[str, float] = {
    "Pa": 1.0, "hPa": 100.0, "kPa": 1000.0, "mbar": 100.0, "bar": 1e5,
    "mmHg": MMHG_Pa, "torr": ATM_Pa / 760.0, "psi": PSI_Pa, "atm": ATM_Pa,
}  # fmt: skip
TIMES: Mapping[str, float] = {"s": 1.0, "min": 60.0, "h": HOUR_s, "d": DAY_s, "w": 7 * DAY_s}
TIME_WORDS: Mapping[str, float] = {
    **TIMES, "ms": 1e-3, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "m": 60.0, "mins": 60.0,
    "minute": 60.0, "minutes": 60.0, "hr": HOUR_s, "hrs": HOUR_s, "hour": HOUR_s, "hours": HOUR_s, "day": DAY_s,
    "days": DAY_s, "week": 7 * DAY_s, "weeks": 7 * DAY_s,
}  # fmt: skip
"""What people write where nothing but a duration can stand."""
MASSES: Mapping[str, float] = {"kg": 1.0, "g": 1e-3, "lb": LB_kg}
LENGTHS: Mapping[str, float] = {"um": 1e-6, "mm": 1e-3, "cm": 1e-2}
VOLUMES: Mapping[str, float] = {"m3": 1.0, "l": 1e-3, "L": 1e-3, "ft3": 0.3048**3}
VOLUME_RATES: Mapping[str, float] = {"m3/s": 1.0, "m3/h": 1 / HOUR_s, "l/s": 1e-3, "ft3/min": 0.3048**3 / 60}


def _rates(amounts: Mapping[str, float]) -> dict[str, float]:
    """Every amount over every time: ``kg/d``, ``mmHg/h`` ..."""
    return {f"{a}/{t}": fa / ft for a, fa in amounts.items() for t, ft in TIMES.items()}


MASS_RATES = _rates(MASSES)
PRESSURE_RATES = _rates(PRESSURES)
THROUGHPUTS: Mapping[str, float] = {"Pa m3/s": 1.0, "mbar l/s": 0.1}
"""Pressure times volume rate, of gas as warm as the compartment is."""
SCCM_mol_s = 1e-6 / 60 * ATM_Pa / (8.314462618 * 273.15)
"""One standard cubic centimetre a minute: standard is 0 degC and 101,325 Pa (SEMI E12-0303); mol/s."""
MOLAR_RATES: Mapping[str, float] = {"sccm": SCCM_mol_s}

LONGEST = 200
"""Characters of a quantity: far more than any needs, and few enough that no pattern takes long over them."""
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*(\S+)\s*\Z")
_BARE = re.compile(rf"\s*{_NUMBER}\s*\Z")
_DURATION = re.compile(rf"\s*({_NUMBER})\s*([a-zA-Z]+)")
_T1MM = re.compile(r"\s*T1mm\s*=?\s*(.+)\Z", re.IGNORECASE)


def _refuse(text: object, what: str, units: Iterable[str]) -> UsageError:
    return UsageError(f"{clipped(repr(text))} is not {what}: give a number and one of {', '.join(units)}")


def _finite(value: float, text: object, what: str) -> float:
    if not math.isfinite(value):
        raise UsageError(f"{clipped(repr(text))} is not {what}: the number is not finite")
    return value


def parse(text: str | float, units: Mapping[str, float], what: str, *, bare: bool = True) -> float:
    """The SI value of ``text`` in one of ``units`` (a factor to SI each); ``what`` names it in the error.

    A bare number is taken as SI when ``bare``. Raises `UsageError` for anything else.
    """
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        if not bare:
            raise _refuse(text, what, units)
        try:
            return _finite(float(text), text, what)
        except OverflowError:
            raise UsageError(f"{clipped(repr(text))} is not {what}: the number is too large") from None
    found = _QUANTITY.match(text) if isinstance(text, str) and len(text) <= LONGEST else None
    if not found or found[2] not in units:
        raise _refuse(text, what, units)
    return _finite(float(found[1]) * units[found[2]], text, what)


def parse_pressure(text: str | float) -> float:
    """Pascal, from text such as ``"14.7 psi"`` or a number of pascal."""
    return parse(text, PRESSURES, "a pressure")


def parse_volume(text: str | float) -> float:
    """Cubic metre, from text such as ``"44 l"`` or a number of cubic metres."""
    return parse(text, VOLUMES, "a volume")


def parse_temperature(text: str | float) -> float:
    """Kelvin, from ``"22 C"``, ``"295 K"`` or a number of kelvin."""
    if isinstance(text, str) and len(text) <= LONGEST:
        found = _QUANTITY.match(text)
        if found and found[2] in ("C", "degC", "°C"):
            return _finite(float(found[1]) + 273.15, text, "a temperature")
    return parse(text, {"K": 1.0, "C": 1.0}, "a temperature")


def parse_duration(text: str | float) -> float:
    """Seconds, from a number of them, bare or as text, or text of one or more parts: ``"90 s"``, ``"1h30m"``, ``"2d
    3h"``."""
    if not isinstance(text, str):
        return parse(text, TIMES, "a duration")
    if len(text) > LONGEST:
        raise _refuse(text, "a duration", TIMES)
    if _BARE.match(text):
        return _finite(float(text), text, "a duration")
    total, position = 0.0, 0
    while found := _DURATION.match(text, position):
        if found[2] not in TIME_WORDS:
            break
        total += float(found[1]) * TIME_WORDS[found[2]]
        position = found.end()
    if position == 0 or text[position:].strip():
        raise _refuse(text, "a duration", TIMES)
    return _finite(total, text, "a duration")


SizeKind = Literal["diameter", "mass_rate", "pressure_rate", "throughput", "molar_rate", "t1mm"]


@dataclass(frozen=True, slots=True)
class LeakSize:
    """How big a leak is, in the terms it was given: m, kg/s, Pa/s, Pa m3/s, mol/s, or the s a 1 mmHg drop takes."""

    kind: SizeKind
    value: float
    text: str

    def __str__(self) -> str:
        return self.text

    def pressure_rate(self) -> float | None:
        """Pa/s for the two kinds that speak of pressure, so need a volume to become a flow; else None."""
        if self.kind == "pressure_rate":
            return self.value
        return MMHG_Pa / self.value if self.kind == "t1mm" else None


_SIZE_WORDS = (
    "mm (hole diameter), kg/d, lb/d, mmHg/d, psi/d, mbar/h, Pa/h (and the like), "
    "mbar l/s, Pa m3/s, sccm, T1mm <time>"
)


_SIZE = re.compile(rf"\s*({_NUMBER})\s*(\S+(?:\s+\S+)?)\s*\Z")
_SIZES: Mapping[SizeKind, Mapping[str, float]] = {
    "diameter": LENGTHS, "mass_rate": MASS_RATES, "pressure_rate": PRESSURE_RATES,
    "throughput": THROUGHPUTS, "molar_rate": MOLAR_RATES,
}  # fmt: skip
_LARGEST: Mapping[SizeKind, float] = {
    "diameter": 100.0, "mass_rate": 1e6, "pressure_rate": 1e9, "throughput": 1e11, "molar_rate": 1e8,
}  # fmt: skip
"""Metre, kg/s, Pa/s, Pa m3/s, mol/s: each leaves no cabin anything after a second."""
_SHORTEST_T1MM_s = 1e-6


def parse_leak_size(text: str) -> LeakSize:
    """The size of a leak: a hole diameter, a mass rate, a pressure rate, a throughput, or ``"T1mm 60 s"``.

    The value must not be negative (T1mm: must be positive). Raises `UsageError` naming the forms allowed.
    """
    if isinstance(text, str) and len(text) <= LONGEST:
        if timed := _T1MM.match(text):
            seconds = parse_duration(timed[1])
            if seconds < _SHORTEST_T1MM_s:
                raise UsageError(f"{text!r} is not a leak size: T1mm must be longer than zero")
            return LeakSize("t1mm", seconds, text.strip())
        found = _SIZE.match(text)
        unit = " ".join(found[2].split()) if found else ""
        for kind, units in _SIZES.items():
            if found and unit in units:
                value = _finite(float(found[1]) * units[unit], text, "a leak size")
                if value < 0:
                    raise UsageError(f"{text!r} is not a leak size: it must not be negative")
                if value > _LARGEST[kind]:
                    raise UsageError(f"{text!r} is not a leak size: it is too large")
                return LeakSize(kind, value, text.strip())
    raise UsageError(f"{clipped(repr(text))} is not a leak size: give a number and one of {_SIZE_WORDS}")
