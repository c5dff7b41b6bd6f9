"""The page's tables of other gauges and of a leak that grows, in small, and what marks a row."""

import math

import numpy as np
import pytest

from cabinwatch.verify.score import card, growth, page
from cabinwatch.verify.score.background import DAY_S
from cabinwatch.verify.score.neighbours import LEAKS_kg_d, Neighbour, Setting, marks, neighbour
from cabinwatch.verify.score.nitrogen import NitrogenWatch
from cabinwatch.verify.score.presets import INDEX


def row(delay_s, optimum_s, axis="noise_Pa"):
    return Neighbour(axis, Setting(), (delay_s,) * 3, (optimum_s,) * 3)


def test_a_row_is_marked_where_the_detector_changes_by_more_than_the_optimum():
    rows = [
        row(600, 600),
        row(1600, 1200),  # 1.33 times as far from the optimum
        row(6000, 2400),  # 1.9 times
        row(6000, 2400, "step_Pa"),  # another axis begins
        row(600, 60, "step_Pa"),  # of one reading, which counts as four
        row(240, 120, "step_Pa"),
    ]
    assert [any(strays) for strays in marks(rows)] == [False, False, True, False, False, True]


def test_a_leak_falls_faster_in_less_air_and_is_called_sooner():
    assert Setting(volume_m3=10).Pa_s(1.0) == pytest.approx(10 * Setting(volume_m3=100).Pa_s(1.0))
    small, large = (neighbour("volume_m3", Setting(volume_m3=v), 1, 2) for v in (50.0, 200.0))
    assert all(a < b for a, b in zip(small.delays_s[:1], large.delays_s[:1], strict=True))
    assert all(delay >= 0.7 * best for delay, best in zip(large.delays_s, large.optima_s, strict=True))
    assert len(small.delays_s) == len(LEAKS_kg_d)


def test_a_standing_leak_is_none_until_it_grows():
    found = growth.grown(7, 0, 1, 3)
    assert found.false <= 1
    assert found.optimum_s < DAY_S
    assert 0.3 * found.optimum_s < np.median(found.delays_s) < 3 * found.optimum_s


def test_the_analyser_shows_a_leak_that_total_pressure_does_not():
    """Until so much is allowed."""
    watch = NitrogenWatch.on(np.random.SeedSequence(1))
    assert watch.quiet(12 * DAY_S) == []
    leak = card.TrialLeak("", 210 / DAY_S / 101_325)
    assert watch.fork(np.random.SeedSequence(2)).delay(leak, 2 * DAY_S) < 2 * DAY_S
    watch.detector.p[INDEX["loss"]] = 100_000
    assert watch.fork(np.random.SeedSequence(2)).delay(leak, 2 * DAY_S) == math.inf


def test_the_page_shows_both_tables():
    measured = card.Card(1, 1, 365, 3)
    measured.exposures = [card.Exposure("life", "default", 365.0, 0, 12.5)]
    measured.grown = [growth.Grown(7, 2, 1.7 * DAY_S, (1.5 * DAY_S, 2.0 * DAY_S, math.inf), 1)]
    measured.neighbours = [row(600, 600), row(6000, 2400)]
    text = page.render(measured, "cabinwatch score")
    assert "| open | 12.5 |" in text
    assert "| 7 | 2 | 1.7 | 2.0 (1.5 to -) | - | 1 |" in text
    assert "| 60 s | 1 Pa | 0 Pa | 100 m3 | 1.7 h / 40.0 min (2.50x) ! |" in text
