"""The driver's integer compensation against exact arithmetic, and against the 31 bits it promises to stay
in."""

import itertools
from typing import Any

import pytest
from bmp280_oracle import ANY_WORDS, DATASHEET, LIKELY_WORDS, RAW, exact
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cabinwatch_firmware.drivers.bmp280 import ABOVE, BELOW, FAULT, OK, compensate


def test_the_datasheet_s_own_example() -> None:
    out = [0, 0]
    assert compensate(DATASHEET, 415148, 519888, out) == OK
    assert out[0] == pytest.approx(10065327, abs=5)
    assert out[1] == 27315 + 2508


@settings(max_examples=1500)
@given(LIKELY_WORDS, RAW, RAW)
def test_within_a_tenth_of_a_pascal_over_the_whole_range(words: list[int], adc_p: int, adc_t: int) -> None:
    pressure, temperature = exact(words, adc_p, adc_t)
    out = [0, 0]
    status = compensate(words, adc_p, adc_t, out)
    if status == FAULT:
        assert not 233.16 < temperature < 358.14
        return
    assert 233.14 < temperature < 358.16
    assert out[1] / 100 == pytest.approx(temperature, abs=0.006)
    if status == OK:
        assert out[0] / 100 == pytest.approx(pressure, abs=0.08)
    elif status == BELOW:
        assert pressure < 30000.08
        assert out[0] == 3000000
    else:
        assert status == ABOVE
        assert pressure > 109999.92
        assert out[0] == 11000000


class Bits31(int):
    """An integer that refuses to be larger than a MicroPython small int of a 32-bit port."""

    def __new__(cls, value: int) -> "Bits31":
        assert -(1 << 30) < value < 1 << 30, "leaves 31 bits"
        return super().__new__(cls, value)


def _checked(name: str) -> Any:
    plain = getattr(int, name)
    return lambda self, other: Bits31(plain(self, other))


for _operation in ("add", "sub", "mul", "floordiv", "mod", "lshift", "rshift", "and", "or", "xor"):
    for _prefix in ("__", "__r"):
        setattr(Bits31, _prefix + _operation + "__", _checked(_prefix + _operation + "__"))


def test_the_bit_check_itself_bites() -> None:
    with pytest.raises(AssertionError, match="31 bits"):
        (1 << 15) * Bits31(1 << 15)


def _small(words: list[int], adc_p: int, adc_t: int) -> int:
    out = [0, 0]
    status = compensate([Bits31(w) for w in words], Bits31(adc_p), Bits31(adc_t), out)
    assert status == FAULT or (3000000 <= out[0] <= 11000000 and 23315 <= out[1] <= 35816)
    return status


EDGES = st.sampled_from([-32768, -32767, -1, 0, 1, 32767])
EDGE_WORDS = st.tuples(
    *(st.sampled_from([0, 1, 32768, 65535]) if i in (0, 3) else EDGES for i in range(12))
).map(list)


@settings(max_examples=1000)
@given(LIKELY_WORDS | ANY_WORDS | EDGE_WORDS, RAW | st.sampled_from([0, (1 << 20) - 1]), RAW)
@example(DATASHEET, 0, 519888)
@example(DATASHEET, 0xFFFFF, 519888)
def test_no_value_leaves_31_bits_whatever_the_words(words: list[int], adc_p: int, adc_t: int) -> None:
    _small(words, adc_p, adc_t)


def test_nor_at_any_corner_with_a_plausible_temperature() -> None:
    """Random words mostly stop at the temperature. Every step is monotone in each word, so the corners are
    the worst."""
    cold, hot = 313709, 712471  # -40 and +85 deg C with the datasheet's words
    statuses = set()
    for p1 in (1, 36477, 65535):
        for rest in itertools.product((-32768, 32767), repeat=8):
            for adc_p, adc_t in itertools.product((0, (1 << 20) - 1), (cold, 519888, hot)):
                statuses.add(_small([*DATASHEET[:3], p1, *rest], adc_p, adc_t))
    assert statuses == {OK, BELOW, ABOVE}


@settings(max_examples=500)
@given(LIKELY_WORDS, RAW, st.integers(400000, 600000))
def test_more_counts_mean_less_pressure(words: list[int], adc_p: int, adc_t: int) -> None:
    low, high = [0, 0], [0, 0]
    adc_p = min(adc_p, (1 << 20) - 3)
    if compensate(words, adc_p, adc_t, high) == OK == compensate(words, adc_p + 2, adc_t, low):
        assert low[0] < high[0]
