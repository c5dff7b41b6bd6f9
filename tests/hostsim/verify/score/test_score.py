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
from cabinwatch.verify.score.confidence import median_interval
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
    low, high = card.Exposure("life", "default", 10 * 365.25, calls).calls_a_year
    assert 10 * high == pytest.approx(stats.chi2.ppf(0.95, 2 * calls + 2) / 2)
    assert 10 * low == pytest.approx(stats.chi2.ppf(0.05, 2 * calls) / 2 if calls else 0)


@pytest.mark.parametrize(
    ("years", "calls", "said"), [(2.9, 0, "open"), (3, 0, "yes"), (8, 3, "yes"), (8, 4, "open"), (1, 4, "no")]
)
def test_one_false_alarm_a_year_is_promised_denied_or_left_open(years, calls, said):
    measured = card.Card(1, 8, 365, 3, exposures=[card.Exposure("wander", "quiet", years * 365.25, calls)])
    [row] = [line for line in page.render(measured, "x").splitlines() if line.startswith("| The wander of")]
    assert row.split(" | ")[5] == said


@given(values=st.lists(st.floats(0, 9) | st.just(math.inf), min_size=1, max_size=30), data=st.data())
def test_the_interval_of_a_median_is_the_closest_that_holds_it_in_nine_of_ten(values, data):
    low, high = median_interval(values)
    ranked, n = sorted(values), len(values)
    out = ranked.index(low)
    assert low <= ranked[(n - 1) // 2] <= high
    rank = int(stats.binom.ppf(0.05, n, 0.5))
    rank = rank if stats.binom.cdf(rank, n, 0.5) <= 0.05 else rank - 1
    assert (low, high) == (ranked[max(rank, 0)], ranked[n - 1 - max(rank, 0)]), out


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
    measured.mostly_Pa_d = {"white": {"1 h": 60.0, "1 d": 1.0}}
    measured.nitrogen_d = {"hose": (0.25, 0.5)}
    measured.nitrogen_optimum_d = {"hose": 0.2}
    text = page.render(measured, "cabinwatch score --seed 1", "picture.svg")
    assert "](picture.svg)" in text
    assert "| hose | 100 s | 90 s / 150 s (0.90x, 0.90 to 1.50) | - / - |" in text
    assert "Values below 1x: 1, and 1 of their intervals hold it." in text
    assert "| 365 d | 0 | 0 (0 to 3) | open |" in text
    assert "no evidence" not in text
    assert "no evidence" in page.render(card.Card(1, 1, 120, 2), "x")
    assert "| 0.0055 | 1 | 0 | 1 | 0 | 1 | 1 | 0 | 0 |" in text
    assert "| 86.4 (0.93 kg/d); 60; " in text
    assert "| -; 1; " in text
    assert "| rate, median |" not in text, "nothing was reported"
    assert "| hose | 0.20 | 0.25 (0.25 to 0.50) | 0.50 |" in text
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
    assert {e.ground for e in small.exposures} == {*grounds, "nitrogen", "record"}
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


def drawn(axis, method):
    """Its points: the delay, and the leak on whose line it lies."""
    leaks = [label.get_text() for label in axis.get_yticklabels()]
    [line] = [line for line in axis.get_lines() if line.get_label() == method]
    return [(delay, leaks[int(row)]) for delay, row in line.get_xydata().tolist()]


def look(axis, method):
    [line] = [line for line in axis.get_lines() if line.get_label() == method]
    return line.get_color(), line.get_marker()


def test_picture_shows_each_method_on_each_ground_with_its_exposure(tmp_path):
    measured = card.Card(1, 1, 365, 3)
    measured.exposures = [card.Exposure("bench", "quiet", 3 * 365.25, 0)]
    for ground, method, leak, delay in (
        ("bench", "detector, quiet", "5 mmHg/d", 90.0),
        ("bench", "detector, quiet", "10 mmHg/d", math.inf),
        ("bench", "CUSUM, k = 0.5", "5 mmHg/d", 150.0),
        ("cabin", "detector, default", "5 mmHg/d", 900.0),
        ("cabin", "CUSUM, k = 0.5", "5 mmHg/d", 990.0),
    ):
        measured.delays.append(card.DelayFigure(ground, method, leak, 80.0, (delay,) * 3))
    figure = picture.figure(measured)
    bench, cabin = figure.axes
    assert drawn(bench, "optimum") == [(80, "5 mmHg/d"), (80, "10 mmHg/d")]
    assert drawn(bench, "detector") == [(90, "5 mmHg/d")], "what was not called has no point"
    assert [note.get_text() for note in bench.texts] == ["1.1x", "not called in time"]
    assert drawn(bench, "CUSUM, k = 0.5") == [(150, "5 mmHg/d")]
    assert drawn(cabin, "detector") == [(900, "5 mmHg/d")]
    looks = {look(axis, "CUSUM, k = 0.5") for axis in (bench, cabin)}
    assert len(looks) == 1, "a method looks the same on every ground"
    assert "0 false alarms in 3.0 years" in bench.get_title(loc="left")
    assert "false" not in cabin.get_title(loc="left"), "none were looked for"
    assert bench.get_xlim() == cabin.get_xlim()
    figure.canvas.draw()
    assert {"1 min", "10 min"} <= {label.get_text() for label in cabin.xaxis.get_ticklabels()}
    [legend] = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["optimum", "detector", "CUSUM, k = 0.5"]
    picture.draw(measured, tmp_path / "card.svg")
    assert "<svg" in (tmp_path / "card.svg").read_text()
    picture.draw(measured, tmp_path / "card.html")
    assert "<p>White noise" in (tmp_path / "card.html").read_text()
    assert picture.figure(measured, narrow=True).get_figwidth() < figure.get_figwidth()
    with pytest.raises(UsageError, match=r"cannot draw \.txt"):
        picture.draw(measured, tmp_path / "card.txt")
