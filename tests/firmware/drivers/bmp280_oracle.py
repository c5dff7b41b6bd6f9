"""The datasheet's compensation in exact rational arithmetic, and what calibration words real parts have."""

from fractions import Fraction

from hypothesis import strategies as st

DATASHEET = [27504, 26435, -1000, 36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000]
WORD_RANGES = [
    (26000, 29500),
    (24500, 27500),
    (-1500, 100),
    (34000, 40000),
    (-11500, -9500),
    (2800, 3200),
    (-2000, 11000),
    (-600, 600),
    (-20, 20),
    (9000, 16000),
    (-15000, -9000),
    (4000, 6500),
]
LIKELY_WORDS = st.tuples(*(st.integers(low, high) for low, high in WORD_RANGES)).map(list)
ANY_WORDS = st.tuples(
    *(st.integers(0, 65535) if i in (0, 3) else st.integers(-32768, 32767) for i in range(12))
).map(list)
RAW = st.integers(0, (1 << 20) - 1)


def exact(words: list[int], adc_p: int, adc_t: int) -> tuple[float, float]:
    """Pressure in Pa and temperature in K, by the formula in the form in which the datasheet prints it."""
    t1, t2, t3, p1, p2, p3, p4, p5, p6, p7, p8, p9 = (Fraction(w) for w in words)
    a = (Fraction(adc_t) / 16384 - t1 / 1024) * t2
    b = (Fraction(adc_t) / 131072 - t1 / 8192) ** 2 * t3
    fine = a + b
    a = fine / 2 - 64000
    b = a * a * p6 / 32768 + a * p5 * 2
    b = b / 4 + p4 * 65536
    a = (p3 * a * a / 524288 + p2 * a) / 524288
    a = (1 + a / 32768) * p1
    p = (1048576 - adc_p - b / 4096) * 6250 / a
    return float(p + (p9 * p * p / 2147483648 + p * p8 / 32768 + p7) / 16), float(fine / 5120) + 273.15
