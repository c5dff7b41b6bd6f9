"""Columns: what a chart is given keeps every extreme, however little of it is drawn."""

import math
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from cabinwatch.web.columns import Columns

VALUES = st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan)), min_size=1, max_size=120)


def filled(values, most=1 << 19):
    columns = Columns(("a", "b"), most)
    for i, value in enumerate(values):
        columns.append(float(i), [value, -value])
    return columns


@given(VALUES, st.integers(1, 60))
def test_no_spike_is_lost_and_nothing_is_invented(values, pixels):
    seen = filled(values).window("a", 0, len(values), pixels)
    numbers = [v for v in values if v == v]
    shown = [v for _, v in seen if v is not None]
    assert len(seen) <= max(3 * pixels, 2 * pixels + 2)
    assert all(values[int(t)] == v for t, v in seen if v is not None)
    assert [t for t, _ in seen] == sorted(t for t, _ in seen)
    if numbers:
        assert (min(shown), max(shown)) == (min(numbers), max(numbers))


@given(VALUES, st.integers(1, 60))
def test_two_columns_at_the_same_times_keep_the_extremes_of_each(values, pixels):
    columns = Columns(("a", "b"))
    for i, value in enumerate(values):
        columns.append(float(i), [value, values[-1 - i]])
    seen = columns.windows(("a", "b"), 0, len(values), pixels)
    numbers = [v for v in values if v == v]
    for j in range(2):
        shown = [row[j] for _, row in seen if row[j] is not None]
        assert not numbers or (min(shown), max(shown)) == (min(numbers), max(numbers))


@given(VALUES)
def test_a_gap_stays_a_gap(values):
    seen = filled(values).window("a", 0, len(values), 10_000)
    assert [v is None for _, v in seen] == [v != v for v in values]


@given(st.integers(0, 1 << 32), st.integers(300, 3000))
def test_memory_is_bounded_and_extremes_outlive_the_thinning(seed, count):
    rng = Random(seed)
    values = [rng.gauss(0, 1) for _ in range(count)]
    columns = filled(values, most=256)
    assert len(columns) <= 256
    shown = [v for _, v in columns.window("b", 0, count, 100_000)]
    assert (min(shown), max(shown)) == (min(-v for v in values), max(-v for v in values))


def test_a_window_takes_one_row_more_at_each_end_so_that_lines_reach_the_edge():
    seen = filled([1.0, 2.0, 3.0, 4.0, 5.0]).window("a", 1.5, 2.5, 100)
    assert [t for t, _ in seen] == [1.0, 2.0, 3.0]
