"""The report card's parts, each against an independent computation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cabinwatch.errors import UsageError
from cabinwatch.verify.score import card, page, picture, sensitivity
from cabinwatch.verify.score.alarms import Spell, figures
from cabinwatch.verify.score.background import CABIN, CABIN_ALLAN_PA, BackgroundWander, Noise
from cabinwatch.verify.score.grounds import Ground
from cabinwatch.verify.score.optimum import first_order_s
from cabinwatch.verify.score.presets import FIRST, TUNABLES, parameters
from cabinwatch.verify.score.rivals import Cusum, FixedRate, PageHinkley, threshold
from conftest import missing

try:
    from river import drift
except ImportError:
    drift = None


def allan(x, m):
    means = x[: len(x) // m * m].reshape(-1, m).mean(axis=1)
    return math.sqrt(0.5 * np.mean(np.diff(means) ** 2))


@pytest.mark.parametrize("tau", CABIN_ALLAN_PA)
def test_cabin_has_the_allan_deviations_of_a_real_one(tau):
    assert CABIN.allan(tau) == pytest.approx(CABIN_ALLAN_PA[tau], rel=0.2)


@pytest.mark.parametrize("tau", CABIN_ALLAN_PA)
def test_noise_has_the_allan_deviation_that_it_states(tau):
    x = Noise(CABIN, np.random.default_rng(1)).take(4_000_000)
    assert allan(x, tau) == pytest.approx(CABIN.allan(tau), rel=0.1)


def test_noise_does_not_depend_on_how_it_is_taken_apart_from_its_draws():
    whole = Noise(BackgroundWander(0.0, 0.35), np.random.default_rng(2)).take(300_000)
    a = math.exp(-1 / 7200)
    rng = np.random.default_rng(2)
    level = 0.35 * 60 * rng.standard_normal()
    kicks = np.empty(300_000)
    rng.standard_normal(300_000)  # the white part, of size nought
    kicks[:] = 0.35 * 60 * math.sqrt(1 - a * a) * rng.standard_normal(300_000)
    for i, kick in enumerate(kicks.tolist()):
        level = a * level + kick
        kicks[i] = level
    assert np.allclose(whole, kicks, atol=1e-6)


records = st.lists(st.floats(-5, 5), min_size=1, max_size=300).map(np.array)


@given(x=records, cut=st.integers(0, 300))
def test_cusum_is_pages_recursion(x, cut):
    s, expected = 0.0, []
    for v in x:
        s = max(0.0, s - v / 2 - 0.5)
        expected.append(s)
    rival = Cusum(2.0)
    out = np.concatenate([rival.run(part) for part in (x[:cut], x[cut:]) if len(part)])
    assert np.allclose(out, expected)


@given(x=records, cut=st.integers(0, 300))
def test_page_hinkley_is_rivers(x, cut):
    if drift is None:
        missing("river", 'pip install "cabinwatch[score]"')
    theirs = drift.PageHinkley(min_instances=1, threshold=1e18, mode="down")
    expected = []
    for v in x:
        theirs.update(float(v) / 2)
        expected.append(theirs._max_decrease - theirs._sum_decrease)
    rival = PageHinkley(2.0)
    out = np.concatenate([rival.run(part) for part in (x[:cut], x[cut:]) if len(part)])
    assert np.allclose(out, expected)


@given(x=records, cut=st.integers(0, 300))
def test_fixed_rate_is_the_fall_of_window_means(x, cut):
    padded = np.concatenate((np.zeros(8), x))
    expected = [padded[i + 1 : i + 5].mean() - padded[i + 5 : i + 9].mean() for i in range(len(x))]
    rival = FixedRate(4)
    out = np.concatenate([rival.run(part) for part in (x[:cut], x[cut:]) if len(part)])
    assert np.allclose(out, expected)


def test_threshold_is_crossed_at_the_wanted_rate():
    peaks = np.random.default_rng(3).permutation(np.arange(520.0))
    assert np.sum(peaks > threshold(peaks, 52)) in (9, 10)


@given(calls=st.integers(0, 40))
def test_interval_of_a_false_alarm_rate_is_the_exact_poisson_one(calls):
    low, high = card.Exposure("life", "default", 1000.0, calls).interval_d
    if calls:
        assert 1000 / low == pytest.approx(stats.chi2.ppf(0.975, 2 * calls + 2) / 2)
        assert 1000 / high == pytest.approx(stats.chi2.ppf(0.025, 2 * calls) / 2)
    else:
        assert 1000 / low == pytest.approx(-math.log(0.05))
        assert math.isinf(high)


def test_parameters_are_in_their_ranges_and_places():
    assert [t.id for t in TUNABLES] == list(range(FIRST, FIRST + len(TUNABLES)))
    assert all(t.low <= t.default <= t.high for t in TUNABLES)
    settable = {t.name: range(t.low, t.high + 1) for t in TUNABLES}
    assert all(value in settable[name] for preset in card.PRESETS.values() for name, value in preset.items())
    assert parameters(breath=7)[FIRST] == 7
    with pytest.raises(KeyError):
        parameters(nonsense=1)


def test_trials_repeat_from_their_seed():
    first, again = (card.nitrogen_delays(5, 2) for _ in range(2))
    assert first == again
    assert first != card.nitrogen_delays(6, 2)


def test_page_shows_what_was_measured():
    measured = card.Card(1, 1, 365, 2)
    measured.exposures = [
        card.Exposure("life", "default", 365.0, 0),
        card.Exposure("bench", "quiet", 365.0, 2),
    ]
    measured.delays = [
        card.DelayFigure("bench", "detector, quiet", "hose", 100.0, (90.0, 150.0)),
        card.DelayFigure("bench", "CUSUM, k = 0.5", "hose", 100.0, (math.inf, math.inf)),
    ]
    measured.alarms = {"bench": figures([Spell(0, 30, 2), Spell(900, 1000, 1)], 365 * 86_400)}
    measured.smallest_Pa_d = {"white": {"1 h": 86.4, "1 d": math.inf}}
    measured.nitrogen_d = {"hose": (0.25, 0.5)}
    measured.nitrogen_optimum_d = {"hose": 0.2}
    text = page.render(measured, "cabinwatch score --seed 1", "picture.svg")
    assert "](picture.svg)" in text
    assert "| hose | 100 s | 90 s / 150 s (0.90x) | - / - |" in text
    assert "| 365 | 0 | more than 122 d |" in text
    assert "| 0.0055 | 1 | 0 | 1 | 0 | 1 | 1 | 0 | 0 |" in text
    assert "| 86.4 (0.93 kg/d); " in text
    assert "| -; " in text
    assert "| rate, median |" not in text, "nothing was reported"
    assert "| hose | 0.20 | 0.25 | 0.50 |" in text
    assert measured.as_json()["delays"][1]["delays_s"] == [None, None]


def test_a_whole_run_in_small_says_what_it_does(monkeypatch):
    """On four of the grounds, with the optimum's first order in its place: that one has tests of its own."""
    grounds = {name: card.GROUNDS[name] for name in ("cabin", "white", "crew", "coarse")}
    monkeypatch.setattr(card, "GROUNDS", grounds)
    monkeypatch.setattr(Ground, "optimum_s", lambda ground, Pa_s: first_order_s(ground.wander, Pa_s))
    monkeypatch.setattr(sensitivity, "STEPS_MOST", 8)
    said = []
    small = card.run(3, jobs=1, years=1, days=1, trials=1, progress=lambda *step: said.append(step))
    assert [done for done, _, _ in said] == list(range(1, said[0][1] + 1))
    assert {e.ground for e in small.exposures} == {*grounds, "nitrogen"}
    assert {e.days for e in small.exposures} == {1.0}
    assert sum(e.calls for e in small.exposures) == 0
    assert {d.method for d in small.delays} == {"detector, quiet", "detector, default"}
    assert all(d.delays_s[0] < 5 for d in small.delays if d.leak == "Soyuz 11")
    assert any(d.reports for d in small.delays)
    assert page.render(small, "x").count("\n| ") > 40
    assert small.smallest_Pa_d["white"]["1 h"] < small.smallest_Pa_d["coarse"]["1 h"]


def test_rivals_are_held_to_the_same_rate_of_false_alarms():
    peaks = card.weekly_peaks("wander", 3, 0, 28)
    limits = {name: threshold(p, 4) for name, p in peaks.items()}
    beaten = card.rival_delays("wander", limits, 3, 1, 1)
    assert {d.method for d in beaten} == set(limits)
    assert {d.leak for d in beaten} == set(card.GROUNDS["wander"].leaks)
    assert any(math.isfinite(d.delays_s[0]) for d in beaten)


def test_picture_shows_each_method_on_each_ground_with_its_exposure(tmp_path):
    measured = card.Card(1, 1, 365, 3)
    measured.exposures = [card.Exposure("life", "default", 365.0, 0)]
    for ground, method, leak, delay in (
        ("bench", "detector, quiet", "5 mmHg/d", 90.0),
        ("bench", "detector, quiet", "10 mmHg/d", math.inf),
        ("bench", "CUSUM, k = 0.5", "5 mmHg/d", 150.0),
        ("cabin", "detector, default", "5 mmHg/d", 900.0),
        ("cabin", "CUSUM, k = 0.5", "5 mmHg/d", 990.0),
    ):
        measured.delays.append(card.DelayFigure(ground, method, leak, 80.0, (delay,) * 3))
    bench, cabin = picture.figure(measured).axes
    drawn = {line.get_label(): line.get_xydata().tolist() for line in bench.get_lines()}
    assert drawn["optimum"] == [[pytest.approx(5), 80], [pytest.approx(10), 80]]
    assert drawn["detector, quiet"] == [[pytest.approx(5), 90]], "what was not called has no point"
    assert drawn["CUSUM, k = 0.5"] == [[pytest.approx(5), 150]]
    assert [line.get_label() for line in cabin.get_lines()] == [
        "optimum",
        "detector, default",
        "CUSUM, k = 0.5",
    ]
    one, other = (
        next(
            (line.get_color(), line.get_marker()) for line in axis.get_lines() if "CUSUM" in line.get_label()
        )
        for axis in (bench, cabin)
    )
    assert one == other, "a method looks the same on every ground"
    assert "0 false alarms in 365 days" in bench.figure.get_supxlabel()
    bench.figure.canvas.draw()
    told = [[label.get_text() for label in axis.get_ticklabels()] for axis in (bench.xaxis, bench.yaxis)]
    assert {"5", "10"} <= set(told[0]), told[0]
    assert {"1 min", "10 min"} <= set(told[1]), told[1]
    picture.draw(measured, tmp_path / "card.svg")
    assert "<svg" in (tmp_path / "card.svg").read_text()
    picture.draw(measured, tmp_path / "card.html")
    assert "<p>A year aboard" in (tmp_path / "card.html").read_text()
    one, below = picture.figure(measured, narrow=True).axes
    assert one.get_position().y0 > below.get_position().y1, "on a phone a ground stands below the other"
    with pytest.raises(UsageError, match=r"cannot draw \.txt"):
        picture.draw(measured, tmp_path / "card.txt")
