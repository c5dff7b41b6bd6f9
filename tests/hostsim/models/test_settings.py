"""Parameters as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinwatch.errors import UsageError
from cabinwatch.models.settings import parameter, read, written
from cabinwatch_protocol import table as t

values = st.sampled_from(t.MONITOR_PARAMETERS).flatmap(
    lambda p: st.tuples(st.just(p), st.integers(p.low, p.high))
)


@given(values)
def test_what_is_written_is_read_back(pair):
    p, value = pair
    assert read(p, written(p, value)) == value
    assert read(p, str(value)) == value


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("caution", 2_592_000, "30 d"),
        ("emergency", 7200, "2 h"),
        ("emergency", 0, "0 s"),
        ("hold", 1234, "20 min 34 s"),
        ("warning", 600_000, "600000 s"),
        ("poll_period", 1500, "1500 ms"),
        ("poll_period", 250, "250 ms"),
        ("hk_period", 90_000, "1 min 30 s"),
        ("reserve", 6_532_800, "65328 Pa"),
        ("step", 5, "0.05 Pa"),
        ("fast", 600, "6 Pa/min"),
        ("threshold", 50, "50"),
    ],
)
def test_the_unit_is_the_one_that_a_person_writes(name, value, text):
    assert written(parameter(name), value) == text


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("caution", "30d", 2_592_000),
        ("caution", "1h30m", 5400),
        ("reserve", "490 mmHg", 6_532_797),
        ("breath", "410 Pa/d", 41_000),
        ("fast", "0.06 hPa/min", 600),
        ("poll_period", "0.5 s", 500),
    ],
)
def test_other_units_are_taken(name, text, value):
    assert read(parameter(name), text) == value


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("hold", "3 h", "hold = 3 h is out of range: 10 s to 2 h"),
        ("caution", "30 mmHg", "give a number and one of s, min, h, d"),
        ("hold", "10.5 s", "no whole number of s"),
        ("threshold", "5 s", "a whole number from"),
        ("reserve", "5" * 5000, "is not a pressure"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_what_can(name, text, why):
    with pytest.raises(UsageError, match=why):
        read(parameter(name), text)


def test_an_unknown_parameter_names_the_known():
    with pytest.raises(UsageError, match=r"no parameter 'cauton'; there are poll_period, .*caution"):
        parameter("cauton")
