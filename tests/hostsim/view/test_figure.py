"""Pictures: what is marked, what is left out, units that fit, and a page that reads on a phone."""

from html.parser import HTMLParser

import pytest

from cabinwatch.models.scenario import Scenario
from cabinwatch.scenario.load import load
from cabinwatch.view import plot
from cabinwatch.view.figure import figure_of
from cabinwatch.view.story import Story
from cabinwatch.world.events import EventReport
from cabinwatch.world.world import World
from cabinwatch_protocol import table as t

CABIN = {
    "title": "a cabin",
    "duration": "1d",
    "cabin": {
        "compartments": {"cabin": {"volume": "50 m3"}, "lock": {"volume": "5 m3"}},
        "hatches": {"inner": {"a": "cabin", "b": "lock", "open": True}},
    },
}


def story_of(scenario, end_s, alarms=(), reports=()):
    """A story in which the monitor said what is given: alarms as (t_s, class), reports as (t_s, housekeeping)."""
    world = World(Scenario.model_validate(scenario), 1)
    events = [
        EventReport(round(t_s * 1000), t.AlarmClass(severity), t.Event.ALARM, t.Cause.RAPID, -1000)
        for t_s, severity in alarms
    ]
    history = [(round(t_s * 1000), hk) for t_s, hk in reports]
    return Story(world.scenario.title, world, history, events, end_s)


def housekeeping(pressure_Pa, rate_Pa_h=0.0, tres_s=t.T_CAP, alarm=0):
    return {
        "pressure_cPa": round(pressure_Pa * 100), "rate_cPa_h": round(rate_Pa_h * 100), "sigma_cPa_h": 100,
        "tres_s": tres_s, "alarm": alarm,
    }  # fmt: skip


@pytest.fixture
def drawn():
    """Draw a story; returns the axes by the first words of their labels, and the figure."""
    pyplot = plot.pyplot_here()
    figures = []

    def draw(story, narrow=False):
        figure = figure_of(pyplot, story, narrow)
        figures.append(figure)
        figure.canvas.draw()
        return {axis.get_ylabel().split(",")[0]: axis for axis in figure.axes}, figure

    yield draw
    for figure in figures:
        pyplot.close(figure)


def labels(axis):
    return axis.get_legend_handles_labels()[1]


def test_a_valve_open_in_vacuum_is_told_in_seconds_and_its_reserve_ends_at_zero(drawn):
    scenario = load("soyuz11")[0]
    reports = [(s, housekeeping(100_000, -5e6, 0, 4)) for s in range(64, 300)]
    panels, figure = drawn(story_of(scenario, 300, [(63, 4)], reports))
    assert figure.axes[-1].get_xlabel() == "time, seconds"
    assert panels["leak rate"].get_ylabel().endswith("Pa/s")
    assert panels["T-reserve"].get_ylabel().endswith("seconds")
    reported = panels["T-reserve"].lines[1]
    assert set(reported.get_ydata()) == {0.0}
    low, high = panels["T-reserve"].get_ylim()
    assert low < 0 < high, "the line at zero lies within the panel, not on its edge"
    for name in ("pressure", "leak rate", "T-reserve"):
        ticks = [label.get_text() for label in panels[name].get_yticklabels()]
        assert ticks
        assert not panels[name].yaxis.get_offset_text().get_text()
        assert not any("e" in text or "10^" in text or len(text) > 8 for text in ticks), ticks


def test_every_kind_of_thing_that_happened_has_its_line_and_its_words(drawn):
    cabin = {
        **CABIN["cabin"],
        "leaks": {
            "hole": {
                "size": "1 mm", "at": "2h",
                "profile": [{"at": "3h", "to": 2.0}, {"at": "4h", "to": 0.5}, {"at": "5h", "to": 0}],
            }
        },
        "vehicles": {"ship": {"port": "lock", "volume": "7 m3", "opened": "8h", "closed": "9h", "undocked": "10h"}},
        "flows": {"air": {"kind": "repress", "gas": "air", "mass": "1 kg", "at": "11h"}},
        "actions": [{"at": "6h", "close": "inner"}, {"at": "7h", "patch": "hole"}],
    }  # fmt: skip
    scenario = {**CABIN, "cabin": cabin, "device": {"faults": [{"kind": "reset", "at": "12h"}]}}
    panels, _ = drawn(story_of(scenario, 86_400, [(8000, 2)]))
    assert set(labels(panels["pressure"])) >= {
        "alarm: A C W E = class", "leak begins", "leak grows", "leak shrinks", "patch", "hatch or valve",
        "vehicle: hatch or undocking", "gas let in", "reset of the node",
    }  # fmt: skip
    upright = {
        round(line.get_xdata()[0], 3) for line in panels["pressure"].lines if len(line.get_xdata()) == 2
    }
    assert upright >= {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, "hours"


def test_alarms_close_together_show_each_class_in_one_word(drawn):
    panels, _ = drawn(story_of(CABIN, 86_400, [(3600, 3), (3601, 4), (50_000, 4)]))
    assert [text.get_text() for text in panels["pressure"].texts] == ["W E", "E"]


def test_what_leaked_in_a_log_is_not_known_but_for_what_was_put_into_it(drawn, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("t,p\n" + "".join(f"{60 * i},{101_325 - i}\n" for i in range(200)))
    record = {"file": str(log), "time": "t", "pressure": "p", "unit": "Pa"}
    cabin = {"compartments": {"cabin": {"volume": "50 m3"}}, "record": record}
    reports = [(60.0 * i, housekeeping(101_325 - i, -60, 90_000)) for i in range(60)]
    for leaks, known in (({}, False), ({"hole": {"size": "1 mm"}}, True)):
        scenario = {**CABIN, "cabin": {**cabin, "leaks": leaks}}
        panels, _ = drawn(story_of(scenario, 3600, reports=reports))
        assert labels(panels["pressure"])[0] == "the log"
        for panel in ("leak rate", "T-reserve"):
            true = [label for label in labels(panels[panel]) if "truth" in label]
            assert true == ["truth (added leaks alone)"] * known


def test_there_is_no_band_between_two_leaks_that_were_called(drawn):
    called = {*range(10, 20), *range(40, 50)}
    reports = [
        (60.0 * i, housekeeping(101_325 - i, -60, 90_000) if i in called else housekeeping(101_325))
        for i in range(60)
    ]
    panels, _ = drawn(story_of(CABIN, 3600, reports=reports))
    band = panels["leak rate"].collections[0]
    assert len(band.get_paths()) == 2


def test_a_quiet_run_has_no_empty_panel_and_its_noise_is_no_story(drawn):
    reports = [(60.0 * i, housekeeping(101_325 + i % 3)) for i in range(60)]
    panels, _ = drawn(story_of(CABIN, 3600, reports=reports))
    assert list(panels) == ["pressure"]
    low, high = panels["pressure"].get_ylim()
    assert high - low >= 133


def test_a_loop_stands_first(drawn):
    panels, _ = drawn(story_of(load("ms21-coolant")[0], 28_800))
    assert list(panels) == ["loop pressure", "pressure"]
    assert max(panels["loop pressure"].lines[0].get_ydata()) > 200
    assert panels["loop pressure"].lines[0].get_ydata()[-1] < 1


def test_a_loop_s_events_have_letters_a_blind_spell_is_shaded_and_ticks_say_what_they_are(drawn):
    story = story_of(load("ms21-coolant")[0], 28_800)
    said = (
        (600, 2, t.Event.COOLANT_LOW), (7200, 3, t.Event.COOLANT_LOW), (9000, 3, t.Event.SENSOR_LOST),
        (10_800, 3, t.Event.SENSOR_AGAIN), (12_600, 1, t.Event.SENSOR_RETURNED), (14_400, 2, t.Event.LINK_NOISE),
        (18_000, 3, t.Event.SENSOR_LOST),
    )  # fmt: skip
    story.events.extend(EventReport(s * 1000, t.AlarmClass(c), event, 0, 0) for s, c, event in said)
    panels, _ = drawn(story)
    loop = panels["loop pressure"]
    assert [text.get_text() for text in loop.texts] == ["C", "W"]
    assert "no data: transducer lost" in labels(loop)
    spans = [(round(p.get_x(), 2), round(p.get_x() + p.get_width(), 2)) for p in panels["pressure"].patches]
    assert spans == [(2.5, 3.5), (5, 8)], "hours; a loss of another kind does not end the first spell"
    assert "tick: link noise" in labels(panels["pressure"])


def test_what_a_blind_monitor_repeats_is_not_drawn_and_the_run_s_own_boot_is_no_tick(drawn):
    reports = [(60.0 * i, housekeeping(101_325 - i, -60, 90_000)) for i in range(60)]
    story = story_of(CABIN, 3600, reports=reports)
    said = ((0, t.Event.BOOT), (1800, t.Event.SENSOR_LOST), (2400, t.Event.SENSOR_RETURNED))
    story.events.extend(EventReport(s * 1000, t.AlarmClass.ADVISORY, event, 0, 0) for s, event in said)
    panels, figure = drawn(story)
    x_s = 60.0 if "minutes" in figure.axes[-1].get_xlabel() else 3600.0
    told = panels["pressure"].lines[1]
    drawn_s = [x * x_s for x, y in zip(told.get_xdata(), told.get_ydata(), strict=True) if y == y]
    assert drawn_s == pytest.approx([60 * i for i in range(60) if not 30 <= i <= 40])
    rates = panels["leak rate"].lines[1]
    assert len(rates.get_xdata()) == len(drawn_s)
    assert len(panels["leak rate"].collections[0].get_paths()) == 2
    ticks = [label for axis in figure.axes for label in labels(axis) if label.startswith("tick")]
    assert not ticks
    story.events.append(EventReport(3_000_000, t.AlarmClass.ADVISORY, t.Event.BOOT, 0, 0))
    _, figure = drawn(story)
    assert "tick: boot" in labels(figure.axes[-1]), "a restart is told"


def test_legends_and_labels_of_a_narrow_picture_do_not_lie_on_one_another(drawn):
    reports = [(60.0 * i, housekeeping(101_325 - i, -60, 90_000, 2)) for i in range(60)]
    panels, figure = drawn(story_of(CABIN, 3600, [(600, 2)], reports), narrow=True)
    boxes = [figure.axes[-1].xaxis.label.get_window_extent()]
    for axis in panels.values():
        boxes += [axis.get_window_extent(), axis.get_legend().get_window_extent()]
        boxes += [label.get_window_extent() for label in axis.get_xticklabels() if label.get_visible()]
    for i, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[i + 1 :])


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.doctypes, self.words = [], 0, ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_decl(self, decl):
        self.doctypes += 1

    def handle_data(self, data):
        self.words += data


def test_a_page_of_a_run_is_whole_and_fetches_nothing(tmp_path):
    foreign = {**CABIN, "title": "<script>alert(1)</script> & co"}
    story = story_of(foreign, 3600, [(600, 2)], [(60.0, housekeeping(101_325))])
    lines = ["Something came.", "Expected, and met."]
    text = plot.run_page(story, lines, lines[-1:], "cabinwatch run 'my file.toml' --seed 1", "title = '<b>'")
    page = Tags()
    page.feed(text)
    tags = [tag for tag, _ in page.tags]
    assert (page.doctypes, text.count("<?xml"), tags.count("svg")) == (1, 0, 1)
    assert "script" not in tags
    assert ("html", {"lang": "en"}) in page.tags
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in [a for _, a in page.tags]
    assert any(a.get("name") == "description" for tag, a in page.tags if tag == "meta")
    for words in ("Expected, and met.", "CAUTION", "cabinwatch run 'my file.toml' --seed 1", "pressure, Pa"):
        assert words in page.words
    assert text.count('class="verdict"') == 1
    assert 'class="verdict"' not in plot.run_page(story, lines[:1], [], "again", ""), "nothing was expected"
    fetched = [a[k] for _, a in page.tags for k in ("src", "href", "xlink:href") if k in a]
    assert all(link.startswith(("#", "data:")) for link in fetched), fetched
