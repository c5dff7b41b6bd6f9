"""Quantities as people write them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinwatch.errors import UsageError
from cabinwatch.models import units


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("2.4 lb/d", "mass_rate", 2.4 * 0.45359237 / 86400),
        ("1.4 kg/d", "mass_rate", 1.4 / 86400),
        ("2 mm", "diameter", 0.002),
        ("0.8 mbar/h", "pressure_rate", 80 / 3600),
        ("1 mmHg/d", "pressure_rate", 133.322387415 / 86400),
        ("0.038 psi/d", "pressure_rate", 0.038 * 6894.757293168 / 86400),
        ("17Pa/h", "pressure_rate", 17 / 3600),
        ("T1mm 60 s", "t1mm", 60.0),
        ("T1mm = 1min 30s", "t1mm", 90.0),
        (" .5 kg/d ", "mass_rate", 0.5 / 86400),
        ("3 mbar l/s", "throughput", 0.3),
        ("2e-4 Pa m3/s", "throughput", 2e-4),
        ("1  Pa  m3/s", "throughput", 1.0),
        # A mole of ideal gas fills 22,413.969 cm3 at 0 degC and 101,325 Pa (CODATA 2018).
        ("22413.969 sccm", "molar_rate", 1 / 60),
    ],
)
def test_every_spelling_of_a_leak_reads_as_its_own_kind_in_SI(text, kind, value):
    size = units.parse_leak_size(text)
    assert size.kind == kind
    assert size.value == pytest.approx(value, rel=1e-7 if size.kind == "molar_rate" else 1e-12)
    assert str(size) == text.strip()


@pytest.mark.parametrize(
    ("text", "Pa"),
    [
        ("14.7 psi", 101352.93),
        ("101.325 kPa", 101325),
        ("1013.25 hPa", 101325),
        ("760 mmHg", 101325.01),
        (5, 5.0),
    ],
)
def test_pressures(text, Pa):
    assert units.parse_pressure(text) == pytest.approx(Pa, rel=1e-7)


@pytest.mark.parametrize(
    ("text", "s"),
    [
        ("6h", 21600),
        ("2d 3h", 183600),
        ("1 d 30min", 88200),
        (90, 90),
        ("1.5 h", 5400),
        ("2w", 1209600),
        ("0 s", 0),
    ],
)
def test_durations(text, s):
    assert units.parse_duration(text) == pytest.approx(s)


def test_temperatures():
    assert units.parse_temperature("22 C") == pytest.approx(295.15)
    assert units.parse_temperature("295 K") == units.parse_temperature(295) == 295.0


@pytest.mark.parametrize(
    "text",
    [
        "2",
        "kg/d",
        "2 kg",
        "2 kg/fortnight",
        "-1 kg/d",
        "2,4 kg/d",
        "T1mm 0 s",
        "T1mm",
        "",
        "2 MM",
        "2 mbar",
        "2 l/s",
        "2 mbar l",
        "-1 sccm",
        "1e999 kg/d",
    ],
)
def test_a_size_that_is_none_is_refused_with_the_forms_allowed(text):
    with pytest.raises(UsageError, match=r"is not a (leak size|duration)"):
        units.parse_leak_size(text)


def test_refusals_name_the_units_allowed():
    with pytest.raises(UsageError, match=r"'5 bananas' is not a pressure.*Pa.*mmHg.*psi"):
        units.parse_pressure("5 bananas")
    with pytest.raises(UsageError, match=r"a duration: .*s, min, h, d"):
        units.parse_duration("6 fortnights")
    with pytest.raises(UsageError, match=r"kg/d, lb/d, mmHg/d"):
        units.parse_leak_size("7 furlong")


@pytest.mark.parametrize("bad", [True, None, [1], math.nan, math.inf, "6h x", "h6"])
def test_a_duration_takes_nothing_else(bad):
    with pytest.raises(UsageError):
        units.parse_duration(bad)


@given(st.sampled_from(sorted(units.PRESSURES)), st.floats(1e-3, 1e6))
def test_a_pressure_written_in_any_unit_reads_back(unit, value):
    assert units.parse_pressure(f"{value!r} {unit}") == pytest.approx(
        value * units.PRESSURES[unit], rel=1e-12
    )


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused_never_worse(text):
    for parse in (units.parse_leak_size, units.parse_pressure, units.parse_duration, units.parse_temperature):
        try:
            value = parse(text)
        except UsageError:
            continue
        assert math.isfinite(value.value if isinstance(value, units.LeakSize) else value)
