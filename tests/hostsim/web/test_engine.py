"""The engine: orders are done between slices, what is done becomes the story, and the story plays to the same hash."""

import gc
import math
import sys
from dataclasses import replace

import pytest

from cabinwatch import key_file
from cabinwatch.errors import UsageError
from cabinwatch.models.scenario import Scenario
from cabinwatch.run.lockstep import LockStepRun
from cabinwatch.run.result import Newest, Run, as_json, at_the_end, summary
from cabinwatch.run.transcript import Recorder, Step, Transcript
from cabinwatch.scenario.load import load, parse
from cabinwatch.scenario.toml_out import to_toml
from cabinwatch.targets import open_target
from cabinwatch.text import duration
from cabinwatch.view import words
from cabinwatch.view.monitor import housekeeping_line
from cabinwatch.view.panel import state_line
from cabinwatch.web import charts
from cabinwatch.web.charts import Conductor
from cabinwatch.web.columns import Columns
from cabinwatch.web.engine import EVENTS_MOST, NOTHING, PACE_S, Engine
from cabinwatch.web.sources import REPORTED, TRUE, Played, Recorded, as_row, open_source
from cabinwatch.world.cabin.actions import Patch
from cabinwatch.world.events import EventReport, rate_text
from cabinwatch.world.ground import Ground
from cabinwatch.world.keying import Keying
from cabinwatch.world.world import World
from cabinwatch_firmware.detector.rates import per_hour
from cabinwatch_protocol import table as t
from cabinwatch_protocol.keys import MasterKey

QUIET = Scenario.model_validate(
    {"title": "a cabin", "duration": "2h", "cabin": {"compartments": {"cabin": {"volume": "50 m3"}}}}
)


class Clock:
    """Wall time that goes on by 10 ms at each look."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 0.01
        return self.now


def hash_of(toml: str, seed: int) -> str:
    scenario, recorder, target = parse(toml, "story.toml"), Recorder(), open_target("cpython")
    LockStepRun(World(scenario, seed), target, recorder).run(scenario.duration_ms)
    target.close()
    return recorder.sha256


@pytest.fixture
def engine():
    engine = Engine(Played(QUIET, seed=3), speed=600.0, clock=Clock())
    yield engine
    engine.stop()


def played(engine, until_s):
    """Play in slices as the thread does, without the thread."""
    while engine.source.now_s < until_s:
        engine._play(30.0)
        engine._take_orders()
        engine._publish()


def test_what_is_done_is_the_story_and_plays_to_the_same_hash(engine):
    played(engine, 100)
    session = engine.source.session
    hole = engine.order(lambda: session.leak("20 mm"))
    played(engine, 400)
    engine.order(lambda: session.command("acknowledge"))
    engine.order(lambda: session.do(Patch(hole)))
    played(engine, 700)
    assert engine.state.known.report
    assert any("EMERGENCY" in line or "WARNING" in line for _, line in engine.events)
    toml, sha256 = engine.story()
    assert hash_of(toml, 3) == sha256


def test_a_published_incident_that_was_changed_by_hand_says_so_and_claims_no_sources():
    scenario = load("ms09")[0]
    source = Played(scenario)
    source.advance(3)
    assert parse(source.story()[0], "story.toml").sources == scenario.sources
    source.session.leak("3 mm")
    source.advance(3)
    taken = parse(source.story()[0], "story.toml")
    assert taken.title == scenario.title + ", changed by hand"
    assert not (taken.sources)
    assert not (taken.measured)
    again = Played(taken)
    again.session.reset()
    again.advance(3)
    assert parse(again.story()[0], "story.toml").title == taken.title
    source.close()
    again.close()


def test_an_order_that_cannot_be_done_is_told_to_who_gave_it_and_to_nobody_else(engine):
    engine.start()
    with pytest.raises((UsageError, ValueError)):
        engine.order(lambda: engine.source.session.leak("three apples"))
    assert engine.order(lambda: 42) == 42
    assert not engine.state.error


def test_rows_hold_report_beside_truth(engine):
    played(engine, 300)
    columns = engine.columns
    assert len(columns) > 20
    reported = dict(columns.window("pressure_Pa", 0, 300, 1000))
    true = dict(columns.window("true_pressure_Pa", 0, 300, 1000))
    assert all(abs(reported[t] - true[t]) < 10 for t in reported if reported[t] is not None)


def test_nothing_grows_but_the_columns_and_they_are_bounded():
    cabin = {"compartments": {"cabin": {"volume": "50 m3"}}, "wander": {}}
    model = {"title": "a cabin", "duration": "12h", "parameters": {"poll_period": 10_000}, "cabin": cabin}
    engine = Engine(Played(Scenario.model_validate(model)), speed=6000.0, clock=Clock())

    def blocks():
        gc.collect()
        return sys.getallocatedblocks()

    played(engine, 5000)
    before, rows = blocks(), len(engine.columns)
    played(engine, 25_000)
    more = len(engine.columns) - rows
    assert more > 1900
    # A report that is kept is a dictionary, its key and its numbers, and a number a block: none is.
    assert blocks() - before < more / 4
    engine.source.ground.events *= EVENTS_MOST
    engine._publish()
    assert len(engine.source.ground.events) == EVENTS_MOST
    engine.stop()


class Slow:
    """A source that takes a tenth of a second of the clock for each second of its own."""

    title, about, end_s, channels = "slow", "nothing", math.inf, REPORTED

    def __init__(self, clock):
        self.clock, self.now_s = clock, 0.0
        self.ground = Ground(lambda frame: None)

    def advance(self, seconds):
        self.clock.now += seconds / 10
        self.now_s += seconds

    def frames(self):
        return []

    def close(self):
        pass


@pytest.mark.parametrize(("speed", "pace"), [(1, None), (100, pytest.approx(10, rel=0.4))])
def test_a_run_that_cannot_keep_up_says_how_fast_it_plays(speed, pace):
    clock = Clock()
    slow = Engine(Slow(clock), speed, clock)
    while clock.now < 3 * PACE_S:
        slow._turn()
    assert slow.state.pace == pace


def test_the_band_of_a_rate_stands_between_its_edges_and_has_a_gap_where_there_is_none():
    columns = Columns(tuple(REPORTED | TRUE))
    for i, (low, high) in enumerate(((-9.0, -5.0), (math.nan, math.nan), (-4.0, 3.0))):
        columns.append(float(i), as_row({"rate_low_Pa_h": low, "rate_high_Pa_h": high}, columns.names))
    series = charts.strips(columns, Conductor(), 3.0, False)["series"]
    foot, height = (one["data"] for one in series if one["name"] == "± 2 sigma")
    assert [y for _, y in foot] == [-9, None, -4]
    assert [y for _, y in height] == [4, None, 7]


def test_strips_without_a_report_say_so_and_show_no_range():
    columns = Columns(tuple(REPORTED))
    empty = charts.strips(columns, Conductor(), 300.0, False)
    assert empty["title"]["text"] == "no report yet"
    assert not any(axis["axisLabel"]["show"] for axis in empty["yAxis"])
    columns.append(300.0, as_row({"pressure_Pa": 101_325.0}, REPORTED))
    told = charts.strips(columns, Conductor(), 301.0, False)
    assert told["title"]["text"] == "one report so far"
    assert [one["showSymbol"] for one in told["series"] if one["data"][0][1] is not None] == [True], "a dot"
    columns.append(400.0, as_row({"pressure_Pa": 101_324.0}, REPORTED))
    more = charts.strips(columns, Conductor(), 401.0, False)
    assert more["title"]["text"] == "", "the browser keeps what an update leaves out"
    assert not any(one["showSymbol"] for one in more["series"])
    shown = {axis["name"]: axis["axisLabel"]["show"] for axis in told["yAxis"]}
    assert shown["pressure, Pa"]
    assert not shown["rate, Pa/h"], "nothing is known of it"


def test_a_board_has_no_strip_of_what_nobody_knows_and_a_loop_has_its_own():
    def drawn(channels):
        return charts.strips(Columns(tuple(channels)), Conductor(), 3.0, False)

    board = drawn(REPORTED)
    assert [axis["name"] for axis in board["yAxis"]] == ["pressure, Pa", "rate, Pa/h", "T-reserve, seconds"]
    assert [one["name"] for one in board["legend"]["data"]] == ["reported", "± 2 sigma"]
    source = Played(load("ms22-coolant")[0])
    rows = []
    source.on_row = lambda t_s, values: rows.append(dict(zip(source.channels, values, strict=True)))
    source.advance(4000)
    source.close()
    assert rows[0]["true_loop_Pa"] > rows[-1]["true_loop_Pa"] > 200_000
    assert drawn(source.channels)["yAxis"][0]["name"] == "coolant loop, Pa"


def test_strips_that_were_sent_do_for_what_lies_within_their_margins_and_is_not_much_finer():
    sent = (1000.0, 2000.0)
    assert charts.covers(sent, (700, 1700))
    assert charts.covers(sent, (1300, 1900))
    assert charts.covers((0.0, 1000.0), (0.0, 1400.0)), "there is nothing before the beginning"
    assert not charts.covers(sent, (400, 1400))
    assert not charts.covers(sent, (1800, 2600))
    assert not charts.covers(sent, (1300, 1700))


def test_a_recording_shows_what_the_run_showed(tmp_path):
    steps: list[Step] = []

    class Keeper(Recorder):
        def add(self, step):
            steps.append(step)
            super().add(step)

    target = open_target("cpython")
    asks = [{"at": 50, "do": "ping"}, {"at": 60, "do": "set", "parameter": "poll_period", "value": 2000}]
    told = Scenario.model_validate({**QUIET.model_dump(), "telecommands": asks})
    LockStepRun(World(told, 5), target, Keeper()).run(200_000)
    target.close()
    source = Recorded(Transcript({"toml": to_toml(QUIET), "seed": 5}, steps, ""))
    rows = []
    source.on_row = lambda t_s, values: rows.append(dict(zip(source.channels, values, strict=True)))
    while source.now_s < source.end_s:
        source.advance(7.0)
    assert source.ground.counts.frames >= len(rows) > 15
    asked = [command.text() for command in source.ground.commands]
    assert asked[-1].startswith("set_parameter "), asked
    assert asked[-1].endswith("value=2000: done"), asked
    source.now_s, source.end_s = 0.0, 201.0
    source._steps, source._next = [Step(1, b"", b"\x00\x05abc\x00", 0)], 0
    source.advance(1.0)
    assert source.ground.counts.resyncs + source.ground.counts.crc_errors == 1, "damage is counted"
    assert all(abs(row["pressure_Pa"] - row["true_pressure_Pa"]) < 10 for row in rows[2:])
    with pytest.raises(ValueError, match="a recording takes no telecommands"):
        source.command("ping")


def test_what_is_not_known_is_a_gap_in_its_channel():
    assert all(math.isnan(value) for value in as_row({}, REPORTED))


HK = {
    "alarm": 0, "health": 0, "pressure_cPa": 10_000_000, "rate_cPa_h": -5000, "sigma_cPa_h": 100,
    "tres_s": 3600, "law": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "lamp", "pressure"),
    [
        ({}, "NOMINAL", "100,000.0 Pa"),
        ({"alarm": 4}, "EMERGENCY", "100,000.0 Pa"),
        ({"health": 4}, "NO DATA", "NO DATA"),
        ({"health": 4, "alarm": 3}, "WARNING / NO DATA", "NO DATA"),
    ],
)
def test_a_blind_monitor_says_so_and_hides_no_alarm(change, lamp, pressure):
    hk = {**HK, **change}
    board = words.figures(Newest(hk, 0.0, hk["health"], None))
    assert (board.alarm, board.pressure) == (lamp, pressure)


def test_a_rate_of_no_leak_is_said_in_words_and_one_that_is_in_doubt_in_figures():
    quiet = {**HK, "rate_cPa_h": 0, "sigma_cPa_h": 0}
    assert words.figures(Newest(quiet, 0.0, 0, None)).rate == "none seen"
    assert words.figures(Newest({**quiet, "sigma_cPa_h": 100}, 0.0, 0, None)).rate == "+0.00 ± 1.00 Pa/h"
    alarm = EventReport(5000, t.AlarmClass.CAUTION, t.Event.ALARM, 1, -5000, alarm=2, number=1)
    assert words.figures(Newest(quiet, 0.0, 0, alarm)).rate == "-50.00 Pa/h"


def test_a_monitor_that_was_never_heard_says_so():
    assert words.figures(NOTHING).alarm == "NO DATA"
    alarm = EventReport(5000, t.AlarmClass.CAUTION, t.Event.ALARM, 1, -5000, alarm=2, number=1)
    told = replace(NOTHING, since=alarm)
    assert (words.figures(told).alarm, words.figures(told).rate) == ("CAUTION", "-50.00 Pa/h")
    assert words.titles(told) == words.TITLES, "what was never reported has no age"


def test_the_lamp_follows_an_alarm_between_two_reports_and_older_figures_say_how_old():
    cabin = {"compartments": {"cabin": {"volume": "50 m3"}}, "leaks": {"hole": {"size": "3 mm", "at": "11m"}}}
    model = {"title": "a hole", "duration": "25m", "parameters": {"hk_period": 600_000}, "cabin": cabin}
    engine = Engine(Played(Scenario.model_validate(model)), speed=600.0, clock=Clock())
    played(engine, 16 * 60)
    session, state = engine.source.session, engine.state
    alarm = next(event for event in session.ground.events if event.event is t.Event.ALARM)
    assert not state.known.report["alarm"], "a report has come since: the scenario shows nothing"
    said, old = words.figures(state.known), state.known.old
    assert (said.alarm, old) == (alarm.severity.name, f", {duration(state.known.age_s)} ago")
    assert said.rate == f"{alarm.value / 100:+,.2f} Pa/h"
    called = words.titles(state.known)
    assert [called[key] for key in ("pressure", "rate", "reserve")] == [
        "pressure" + old, "leak rate", "T-reserve" + old,
    ]  # fmt: skip
    line = state_line(session.world)
    assert f"{alarm.severity.name.lower()}, not acknowledged" in line
    assert f"{alarm.value / 100:+.2f} Pa/h" in line
    run = Run("hole", "cpython", 1, 1.0, 1, "", False)
    assert as_json(session.world, run)["final"]["state"] == alarm.severity.name.lower()
    age = duration(session.now_s - session.ground.history[-1][0] / 1000)
    told = f"At the end: {alarm.severity.name.lower()}, {alarm.value / 100:+.1f} Pa/h. The last report is {age} old"
    assert any(words.startswith(told) for words in summary(session.world, run))
    played(engine, 25 * 60)
    assert not engine.state.known.since
    assert words.figures(engine.state.known).alarm == alarm.severity.name, "the report says the same"
    assert words.titles(engine.state.known) == words.TITLES
    engine.stop()


def test_a_reminder_after_the_last_report_is_no_other_alarm_than_the_report_has():
    reminder = EventReport(5000, t.AlarmClass.CAUTION, t.Event.ALARM_REMINDER, 1, -5000, alarm=2, number=1)
    told = at_the_end(Newest({**HK, "alarm": 2}, 530.0, 0, reminder))
    assert told == "At the end: caution, -50.0 Pa/h. The last report is 8 min 50 s old: "
    unknown = at_the_end(Newest(HK, 530.0, 0, reminder))
    assert unknown.endswith("is 8 min 50 s old and does not know of it: ")


def test_an_event_that_was_asked_for_is_no_news_where_a_report_came_after_it():
    ground = Ground(lambda frame: None)
    ground.history.append((60_000, HK))
    late = EventReport(70_000, t.AlarmClass.CAUTION, t.Event.ALARM, 1, -5000, alarm=2, number=1)
    ground._note(replace(late, late_ms=20_000))
    assert ground.since is None
    ground._note(replace(late, late_ms=5000))
    assert ground.since.alarm == 2
    ended = replace(late, t_ms=71_000, alarm=0, number=2)
    ground._note(ended)
    ground._note(replace(late, t_ms=72_000, late_ms=7000))
    assert ground.since is ended, "nor where another event did"


def test_a_blind_monitor_is_grey_before_its_next_report():
    said = words.figures(Newest(HK, 100.0, int(t.Health.SILENT), None))
    assert (said.alarm, said.pressure, said.health) == ("NO DATA", "NO DATA", "silent")


@pytest.mark.parametrize(
    ("span_s", "now_s", "word"),
    [
        (3600, 4 * 3600, "minutes"),
        (3600, 71 * 3600, "hours"),
        (3600, 30 * 86_400, "hours"),
        (60, 86_400, "minutes"),
    ],
)
def test_a_window_that_begins_late_is_told_in_a_coarser_unit(span_s, now_s, word):
    chart = charts.strips(Columns(tuple(REPORTED)), Conductor(span_s=span_s), now_s, False)
    assert chart["xAxis"][-1]["name"] == word
    last = chart["xAxis"][-1]["max"] * {"minutes": 60, "hours": 3600}[word]
    assert last == pytest.approx(now_s), "the axis and its window are told in the same"
    assert chart["dataZoom"][0]["endValue"] == chart["xAxis"][-1]["max"]


@pytest.mark.parametrize(("pressure_cPa", "said"), [(0, "no reading yet"), (10_132_520, "last 101,325.2 Pa")])
def test_a_blind_monitor_that_has_read_nothing_repeats_no_zeros(pressure_cPa, said):
    link = dict.fromkeys(("bad_crc", "bad_framing", "bad_size", "frames_ok", "timeouts", "temperature_cK"), 0)
    line = housekeeping_line({**HK, **link, "pressure_cPa": pressure_cPa, "health": int(t.Health.SILENT)})
    assert line.startswith(f"NO DATA: transducer silent  {said}  alarm none")


@pytest.mark.parametrize("fall_cPa", [594_999, 16_777_215])
def test_a_rate_that_has_stopped_at_its_greatest_is_told_as_a_bound(fall_cPa):
    most_cPa_h = per_hour(fall_cPa, 125)
    assert rate_text(-most_cPa_h, "+.1f") == f"at least {-most_cPa_h / 100:+.1f} Pa/h"
    assert rate_text(-per_hour(fall_cPa, fall_cPa), "+.1f").startswith("-")
    averaged = Newest({**HK, "rate_cPa_h": -509_676_438, "sigma_cPa_h": 27_550_076}, 0.0, 0, None)
    assert words.figures(averaged).rate == "at least -5,096,764.38 ± 275,500.76 Pa/h", (
        "as soyuz11's rate stands"
    )


def test_a_log_of_ones_own_is_played_with_holes_in_it(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("t,p\n" + "".join(f"{60 * i},{1013.25 - 0.01 * (i % 3)}\n" for i in range(200)))
    with pytest.raises(UsageError, match="--time COLUMN"):
        open_source(str(log), target="cpython", seed=1)
    source = open_source(
        str(log), target="cpython", seed=1, log={"time": "t", "pressure": "p", "unit": "hPa"}
    )
    rows = []
    source.on_row = lambda t_s, values: rows.append(dict(zip(source.channels, values, strict=True)))
    source.advance(3600)
    source.session.leak("5 mbar/h")
    source.advance(3600)
    source.close()
    assert abs(rows[2]["pressure_Pa"] - 101_325) < 5
    assert rows[-1]["pressure_Pa"] < 101_000
    assert math.isnan(rows[2]["true_rate_Pa_h"]), "what leaked in the log itself nobody knows"
    assert rows[-1]["true_rate_Pa_h"] == pytest.approx(-500, rel=0.02)
    assert "nitrogen_Pa" not in source.channels
    assert any("sample" in line for line in source.frames())


def test_a_keyed_run_is_commanded_and_nothing_that_is_taken_away_holds_its_key(tmp_path):
    path = tmp_path / "owner.key"
    key_file.generate(path)
    keying = Keying(key_file.read(path), 1)
    source = open_source("ms09", target="cpython", seed=1, keying=keying)
    source.advance(30)
    source.command("inhibit", argument=60)
    source.advance(5)
    assert [c.verdict for c in source.ground.commands] == ["done"]
    assert source.ground.session["keyed"] == 3
    with pytest.raises(ValueError, match="hold the key"):
        source.session.as_test()
    shown = (
        source.story()[0]
        + "\n".join(source.frames())
        + source.about
        + repr(vars(source))
        + repr(source.ground)
    )
    source.close()
    given = keying.of_monitor()
    for secret in (keying.master.octets, given[:16], given[16:32], given[32:]):
        assert secret.hex() not in shown.replace(" ", "")
        assert repr(secret)[2:-1] not in shown


def test_a_recording_is_shown_without_a_key():
    with pytest.raises(UsageError, match="needs no --key"):
        open_source("run.jsonl", target="cpython", seed=1, keying=Keying(MasterKey(bytes(16)), 1))


def test_a_window_that_the_mouse_chose_is_held_until_it_reaches_the_newest():
    conductor = Conductor()
    conductor.hold_parts(0.25, 0.5, 1000.0)
    assert conductor.window(1000.0) == (250.0, 500.0)
    assert conductor.window(2000.0) == (250.0, 500.0), "held while time goes on"
    conductor.hold_parts(0.9, 1.0, 2000.0)
    assert conductor.window(3000.0) == (2800.0, 3000.0), "follows"
