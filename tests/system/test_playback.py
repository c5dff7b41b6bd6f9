"""``cabinwatch playback``: a log of somebody's own through the whole serial path, as people and scripts meet it."""

import json
import random
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from cabinwatch.board.emulator.qemu import INSTALL, PROGRAM
from cabinwatch_protocol.table import MONITOR_PARAMETERS, by_name
from conftest import missing

OFF_DELAY_s = by_name(MONITOR_PARAMETERS)["off_delay"].default
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
WORDS = ("--time", "when", "--pressure", "p (hPa)", "--unit", "hPa")
KEYS = {
    "samples", "span_s", "events", "first_call", "final", "rows", "gaps", "not_believed", "target", "transcript_sha256",
    "log", "log_sha256", "interval_s", "wall_s", "steps", "link", "interrupted",
}  # fmt: skip


def write(path, hours, gap=None, swapped=0, unreadable=()):
    """Readings each 5 s in hPa with steps of 0.1; ``gap`` in hours; pairs of rows exchanged; cells without a number."""
    rng = random.Random(1)
    rows = []
    for i in range(hours * 720):
        if gap and gap[0] * 720 <= i < gap[1] * 720:
            continue
        when = (BEGIN + timedelta(seconds=5 * i)).isoformat()
        rows.append([when, f"{1013.2 + rng.gauss(0, 0.3):.1f}", f"{22 + rng.gauss(0, 0.05):.2f}"])
    for k in range(swapped):
        i = 10 + k * (len(rows) // (swapped + 1))
        rows[i], rows[i + 1] = rows[i + 1], rows[i]
    for i, cell in unreadable:
        rows[i][1] = cell
    path.write_text("when,p (hPa),T\n" + "".join(",".join(row) + "\n" for row in rows))
    return path


@pytest.fixture
def play(cabinwatch, tmp_path):
    """Play a log of two hours; exit code, output, errors."""
    log = write(tmp_path / "log.csv", 2)

    def run(*words, target="cpython", columns=WORDS):
        return cabinwatch("playback", str(log), *columns, "--target", target, *words)

    return run


@pytest.mark.usefixtures("vm")
def test_twenty_hours_with_all_that_happens_to_a_log(cabinwatch, tmp_path):
    log = write(tmp_path / "log.csv", 20, (5, 6), 20, ((100, "n/a"), (7000, ""), (9000, "--")))
    code, out, _ = cabinwatch("playback", str(log), *WORDS, "--temperature", "T", "--json")
    told = json.loads(out)
    assert code == 0
    assert set(told) == KEYS
    assert told["rows"] == 19 * 720
    assert told["samples"] == 19 * 720 - 23
    assert told["span_s"] == 20 * 3600 - 5
    assert {why: lines["count"] for why, lines in told["not_believed"].items()} == {
        "out_of_order": 20, "repeated": 0, "unreadable": 3,
    }  # fmt: skip
    assert told["not_believed"]["unreadable"]["lines"] == [102, 7002, 9002]
    (gap,) = told["gaps"]
    assert gap == {"t_s": 5 * 3600 - 5, "length_s": 3605}
    lost, escalated, returned = (e for e in told["events"] if e["code"] in ("sensor_lost", "sensor_returned"))
    assert [e["code"] for e in (lost, escalated, returned)] == [
        "sensor_lost",
        "sensor_lost",
        "sensor_returned",
    ]
    assert 5 * 3600 <= lost["t_s"] <= 5 * 3600 + 20
    assert lost["class"] == "caution"
    assert escalated["class"] == "warning"
    assert 6 * 3600 <= returned["t_s"] - OFF_DELAY_s <= 6 * 3600 + 5
    assert told["first_call"] is None
    assert told["final"]["state"] == "nominal"


def test_every_target_says_the_same(play, vm):
    if shutil.which(PROGRAM) is None:
        missing(PROGRAM, INSTALL)
    told = {}
    for target in ("cpython", "micropython", "microbit"):
        code, out, _ = play("--leak", "20 mbar/h at 1h", "--json", target=target)
        assert code == 0
        told[target] = json.loads(out)
    assert len({json.dumps(one["events"]) for one in told.values()}) == 1
    assert len({one["transcript_sha256"] for one in told.values()}) == 1
    assert told["cpython"]["first_call"]["t_s"] > 3600


def test_a_leak_and_a_parameter_change_what_is_said(play):
    quiet = json.loads(play("--json")[1])
    leaking = json.loads(play("--json", "--leak", "20 mbar/h at 1h")[1])
    deaf = json.loads(
        play("--json", "--leak", "20 mbar/h at 1h", "--set", "hold=7200", "--set", "step=1_000_000")[1]
    )
    assert quiet["first_call"] is None
    call = leaking["first_call"]
    assert set(call) == {"t_s", "class", "cause", "rate_Pa_h", "tres_s"}
    assert 3600 < call["t_s"] < 7200
    assert call["rate_Pa_h"] < -500
    assert call["tres_s"] is None or call["tres_s"] > 0
    assert leaking["final"]["pressure_Pa"] == pytest.approx(quiet["final"]["pressure_Pa"] - 2000, abs=120)
    assert deaf["first_call"] is None or deaf["first_call"]["t_s"] > call["t_s"]


def test_people_read_what_was_read_and_what_was_said(play):
    code, out, _ = play("--leak", "20 mbar/h at 1h")
    assert code == 0
    assert "1,440 readings over 1 h 59 min, one every 5 s, in steps of 10 Pa" in out
    assert "The monitor's first call: " in out
    assert "100%" in out


def test_it_is_drawn(play, tmp_path):
    pytest.importorskip("matplotlib")
    picture = tmp_path / "log.svg"
    assert play("--plot", str(picture))[0] == 0
    assert "<svg" in picture.read_text()


@pytest.mark.parametrize(
    ("words", "columns", "said"),
    [
        (
            (),
            ("--time", "whem", "--pressure", "2", "--unit", "hPa"),
            "no column 'whem'; there are 1 'when', 2 'p (hPa)'",
        ),
        ((), ("--time", "when", "--pressure", "9", "--unit", "hPa"), "no column '9'"),
        ((), ("--time", "when", "--pressure", "2", "--unit", "inHg"), "there are Pa, hPa, kPa, mbar"),
        (("--temperature", "T", "--temperature-unit", "R"), WORDS, "there are K, C, F"),
        (("--leak", "0.8 mbar/h"), WORDS, '"0.8 mbar/h at 6h"'),
        (("--leak", "big at 1h"), WORDS, "is not a leak size"),
        (("--leak", "2 mm at 1h"), WORDS, "--volume"),
        (("--leak", "1 mbar/h at 9h"), WORDS, "the log ends after"),
        (("--volume", "-3 m3", "--leak", "2 mm at 1h"), WORDS, "volume"),
        (("--set", "breth=0"), WORDS, "no parameter 'breth'"),
        (("--set", "breath=much"), WORDS, "a whole number"),
        (("--set", "breath=-1"), WORDS, "out of range"),
        (("--plot", "log.gif"), WORDS, ".png, .svg"),
        (("--duration", "0"), WORDS, "longer than nothing"),
        (
            (),
            (*WORDS[:4], "--unit", "kPa"),
            "no cabin is outside 20,000 to 120,000 Pa; is --unit hPa meant?",
        ),
        ((), (*WORDS[:4], "--unit", "Pa"), "is --unit hPa meant?"),
        (
            ("--set", "pressure_high=10_000_000"),
            (*WORDS[:4], "--unit", "kPa"),
            "the monitor believes nothing outside 1,000",
        ),
        ((), (*WORDS[:2], "--pressure", "T", "--unit", "Pa"), "the unit looks wrong"),
        (("--temperature", "T", "--temperature-unit", "K"), WORDS, "the unit of the temperature looks wrong"),
        (("--temperature", "p (hPa)"), WORDS, "no cabin is outside 200 to 350 K"),
        ((), ("--time", "p (hPa)", "--pressure", "when", "--unit", "hPa"), "100% of 1,440 rows say nothing"),
        (
            (),
            ("--time", "p (hPa)", "--pressure", "T", "--unit", "psi"),
            "is another column meant?",
        ),
    ],
)
def test_wrong_words_are_one_clear_line_and_exit_code_2(play, words, columns, said):
    code, _, err = play(*words, columns=columns)
    assert code == 2
    assert said in err
    assert "Traceback" not in err


def test_a_vacuum_is_played_where_the_parameters_allow_it(play):
    code, out, _ = play("--set", "pressure_low=0", "--json", columns=(*WORDS[:4], "--unit", "Pa"))
    assert (code, json.loads(out)["final"]["pressure_Pa"]) == (0, pytest.approx(1013.2, abs=2))


def test_less_than_the_whole_log_is_played(play):
    whole, part, more = (
        json.loads(play(*w, "--json")[1]) for w in ((), ("--duration", "30min"), ("--duration", "9d"))
    )
    assert part["steps"] == pytest.approx(whole["steps"] / 4, rel=0.02)
    assert more["transcript_sha256"] == whole["transcript_sha256"], (
        "behind the log's end there is nothing to play"
    )


def test_one_row_is_one_row(cabinwatch, tmp_path):
    log = write(tmp_path / "log.csv", 1, unreadable=((100, "n/a"),))
    _, out, _ = cabinwatch("playback", str(log), *WORDS, "--target", "cpython", "--duration", "1min")
    assert "1 row unreadable, not believed: line 102" in out


def test_a_live_target_is_refused(play):
    code, _, err = play(target="/dev/ttyUSB0")
    assert (code, "lock-step" in err) == (2, True)
