"""What everybody tries in the first minute."""

import csv
import io
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from html import escape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinwatch.errors import UsageError
from cabinwatch.models.units import TIME_WORDS, parse_duration
from cabinwatch.run.files import COLUMNS
from cabinwatch.scenario.load import load
from cabinwatch.view.panel import Plain
from cabinwatch.view.timeline import LONG_S, LOOK_S, Forecast, Timeline
from cabinwatch.world.events import EventReport
from cabinwatch.world.world import World
from cabinwatch_protocol import table as t

README = Path(__file__).resolve().parents[3] / "README.md"
SHORT = 'title = "short"\nduration = "2min"\n[cabin.compartments.cabin]\nvolume = "10 m3"\n'


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20m", 1200), ("1h30m", 5400), ("90 sec", 90), ("1 hour", 3600), ("90", 90), (" 1.5 ", 1.5),
        ("2d 3h", 183_600), ("2 weeks", 1_209_600), ("1hr 5 mins", 3900),
    ],
)  # fmt: skip
def test_durations_as_people_write_them(text, seconds):
    assert parse_duration(text) == seconds


@given(st.lists(st.tuples(st.integers(0, 999), st.sampled_from(sorted(TIME_WORDS))), min_size=1, max_size=5))
def test_a_duration_is_the_sum_of_its_parts(parts):
    text = " ".join(f"{n}{unit}" for n, unit in parts)
    assert parse_duration(text) == sum(n * TIME_WORDS[unit] for n, unit in parts)


@pytest.mark.parametrize(
    "text", ["", "h", "6 weeks-ish", "1h x", "1 month", "1e999", "9" * 4000, "1h" * 2000, "1,5h"]
)
def test_what_is_no_duration_is_refused_in_a_line(text):
    with pytest.raises(UsageError) as error:
        parse_duration(text)
    assert len(str(error.value)) < 300


def test_bare_seconds_on_the_command_line(cabinwatch):
    code, out, _ = cabinwatch("run", "ms09", "--target", "cpython", "--duration", "90")
    assert code in (0, 1)
    assert "1 min 30 s played" in out


def test_a_near_miss_is_named(cabinwatch):
    code, _, err = cabinwatch("run", "prk2024")
    assert code == 2
    assert err.startswith("cabinwatch: no scenario prk2024: did you mean prk-2024? ")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte-order mark"])
def test_a_scenario_comes_from_standard_input_and_from_windows(cabinwatch, monkeypatch, tmp_path, mark):
    data = (mark + SHORT).replace("\n", "\r\n").encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    code, out, err = cabinwatch("run", "-", "--target", "cpython")
    assert (code, err) == (0, "")
    assert out.startswith("short (firmware on cpython")
    path = tmp_path / "short.toml"
    path.write_bytes(data)
    assert cabinwatch("run", path, "--target", "cpython")[0] == 0


def test_a_wrong_scenario_on_standard_input_is_named_so(cabinwatch, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"title = 3\n")))
    code, _, err = cabinwatch("run", "-")
    assert code == 2
    assert "standard input:1: title: " in err


def test_a_run_as_csv_junit_and_a_page(cabinwatch, tmp_path):
    rows, cases, page = tmp_path / "run.csv", tmp_path / "run.xml", tmp_path / "run.html"
    words = ("run", "soyuz11", "--target", "cpython", "--duration", "20m", "--csv", rows, "--junit", cases)
    code, out, _ = cabinwatch(*words, "--html", page)
    assert code == 0
    assert all(escape(line) in page.read_text() for line in out.splitlines()[-3:])
    assert "cabinwatch run soyuz11 --target cpython --seed 1 --duration 20m" in page.read_text()
    with rows.open() as file:
        table = list(csv.DictReader(file))
    assert tuple(table[0]) == COLUMNS
    assert "emergency" in {row["state"] for row in table}
    low = min(table, key=lambda row: float(row["true_pressure_Pa"]))
    assert float(low["true_pressure_Pa"]) < 0.1 * float(table[0]["true_pressure_Pa"])
    suite = ET.parse(cases).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")


def test_an_unmet_run_is_a_failed_case(cabinwatch, tmp_path):
    path, cases = tmp_path / "s.toml", tmp_path / "run.xml"
    path.write_text(SHORT + '[expect]\nalarm = "emergency"\n')
    assert cabinwatch("run", path, "--target", "cpython", "--junit", cases)[0] == 1
    suite = ET.parse(cases).getroot()
    assert suite.get("failures") == "1"
    assert "emergency was expected" in suite.find("testcase/failure").text


def test_a_file_that_cannot_be_written_is_told_before_the_run(cabinwatch):
    code, out, err = cabinwatch("run", "ms09", "--target", "cpython", "--csv", "/no/such/run.csv")
    assert (code, out) == (2, "")
    assert err == "cabinwatch: cannot write /no/such/run.csv: No such file or directory\n"


@pytest.mark.parametrize("picture", ["/no/such/run.svg", "run.gif"])
def test_a_picture_that_cannot_be_drawn_is_told_before_the_run(cabinwatch, picture):
    code, out, err = cabinwatch("plot", "ms09", "--target", "cpython", "-o", picture)
    assert (code, out, len(err.splitlines())) == (2, "", 1)


def test_a_plot_without_matplotlib_is_refused_before_the_run(cabinwatch, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = cabinwatch("plot", "ms09", "--target", "cpython", "-o", "ms09.png")
    assert (code, out) == (2, ""), "it has played"
    assert 'pip install "cabinwatch[plot]"' in err


def test_a_scenario_comes_from_a_pipe(cabinwatch):
    read, write = os.pipe()
    os.write(write, SHORT.encode())
    os.close(write)
    try:
        code, *_ = cabinwatch("run", f"/dev/fd/{read}", "--target", "cpython")
    finally:
        os.close(read)
    assert code == 0


def test_a_device_says_what_to_type_next():
    command = [sys.executable, "-m", "cabinwatch", "device", "--target", "cpython", "--tcp", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip()
            assert process.stdout.readline() == f"Next, in another terminal: cabinwatch monitor {url}\n"
        finally:
            process.terminate()


def report(t_ms, event, severity=t.AlarmClass.ADVISORY, cause=0):
    return EventReport(t_ms, severity, event, cause, 0)


def test_a_timeline_folds_what_repeats():
    lines = []
    timeline = Timeline(lines.append)
    for i in range(349):
        timeline.event(report(i * 2000, t.Event.SENSOR_LOST, cause=1))
        timeline.event(report(i * 2000 + 1000, t.Event.SENSOR_FOUND, cause=1))
    assert len(lines) == 2
    timeline.event(report(700_000, t.Event.ALARM, t.AlarmClass.EMERGENCY, t.Cause.RAPID))
    assert len(lines) == 4, "the fold is told before what came after it"
    assert lines[2].endswith("again: transducer lost and found 348 times")
    assert "EMERGENCY" in lines[3]
    timeline.event(report(701_000, t.Event.SENSOR_LOST, cause=1))
    assert "transducer lost" in lines[4], "after something else it is news again"


def test_reminders_are_told_as_a_number_when_something_happens():
    lines = []
    timeline = Timeline(lines.append)
    timeline.event(report(0, t.Event.SENSOR_LOST, t.AlarmClass.CAUTION))
    timeline.event(report(600_000, t.Event.SENSOR_LOST, t.AlarmClass.WARNING))
    assert len(lines) == 2, "another class is news"
    for i in range(30):
        timeline.event(report(3_600_000 * i, t.Event.SENSOR_REMINDER, t.AlarmClass.WARNING))
        timeline.flush()
    assert len(lines) == 2
    timeline.event(report(120_000_000, t.Event.SENSOR_RETURNED))
    assert lines[2].endswith("again: reminded of the transducer's loss 30 times")
    timeline.event(report(121_000_000, t.Event.ALARM_REMINDER))
    timeline.close()
    assert lines[-1].endswith("again: reminded of the alarm 1 time")


def test_reminders_of_a_run_that_is_over_come_before_its_last_line():
    lines, world = [], World(load("ms09")[0], 1)
    plain = Plain(world, 7_200_000, lines.append)
    plain.event(report(3_600_000, t.Event.ALARM_REMINDER))
    for now_ms in (6_480_000, 7_200_000):
        world.now_ms = now_ms
        plain.tick()
    plain.close()
    told = [line.split()[:3] for line in lines if "%" in line or "again" in line]
    assert told == [["1", "h", "48"], ["1", "h", "again:"], ["2", "h", "100%"]]


EVENTS = st.lists(
    st.sampled_from([t.Event.SENSOR_LOST, t.Event.SENSOR_FOUND, t.Event.LINK_NOISE, t.Event.BOOT])
)


@given(EVENTS)
def test_a_fold_loses_no_event(events):
    lines = []
    timeline = Timeline(lines.append)
    for t_ms, event in enumerate(events):
        timeline.event(report(t_ms, event))
    timeline.flush()
    repeats = [line for line in lines if "again: " in line]
    counted = 0
    for line in repeats:
        for both, number in re.findall(r"( and found)? (\d+) time", line):
            counted += int(number) * (2 if both else 1)
    assert counted + len(lines) - len(repeats) == len(events)


@pytest.mark.parametrize(("whole_s", "told"), [(LONG_S - 1, False), (LONG_S + 5, True)])
def test_a_long_run_says_at_the_start_how_long(whole_s, told):
    now_s = 0.0
    forecast = Forecast(round(whole_s * 1000), lambda: now_s)
    words = []
    while now_s < whole_s:
        now_s += 0.125
        words.append(forecast.tick(round(now_s * 1000)))
    spoken = [word for word in words if word]
    assert bool(spoken) is told
    if told:
        assert len(spoken) == 1
        assert words.index(spoken[0]) <= LOOK_S / 0.125
        assert "about 14 s more" in spoken[0]


def test_the_readmes_example_runs_in_seconds(cabinwatch, tmp_path):
    """It polls seldom: its steps, and so its time, are bounded."""
    example = re.search(r"```toml\n(.*?)```", README.read_text(), re.DOTALL)[1]
    path = tmp_path / "hole.toml"
    path.write_text(example)
    code, out, _ = cabinwatch("run", path, "--target", "cpython")
    assert code == 0
    steps = int(re.search(r"([\d,]+) steps", out)[1].replace(",", ""))
    assert steps < 10_000
    assert "Expected, and met." in out


def test_the_shell_completes_scenarios_and_targets():
    for words, names in (
        ("run prk", ["prk-2020", "prk-2024"]),
        ("run --target mi", ["micropython", "microbit"]),
    ):
        environment = {
            **os.environ,
            "_CABINWATCH_COMPLETE": "complete_bash",
            "COMP_WORDS": f"cabinwatch {words}",
            "COMP_CWORD": str(len(words.split())),
        }
        command = [
            sys.executable,
            "-c",
            "import sys; sys.argv[0] = 'cabinwatch'; import cabinwatch.cli.main as m; m.main()",
        ]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert set(names) <= set(done.stdout.split()), done
