"""Logs of people's own: what is read, what is not believed, and the cabin that a log becomes."""

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinwatch.cli import main as cli
from cabinwatch.errors import UsageError
from cabinwatch.models.record import RecordModel
from cabinwatch.models.units import PRESSURES
from cabinwatch.run.play import Order, play
from cabinwatch.run.transcript import read
from cabinwatch.scenario.load import load, parse
from cabinwatch.view.story import from_transcript
from cabinwatch.world.record import STALE, recording
from cabinwatch.world.world import World

HEADER = "when,pressure,warmth\n"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Writes a log and reads it; each has a file of its own, since what was read once is kept."""
    folder = tmp_path_factory.mktemp("logs")
    count = iter(range(1_000_000))

    def read(text: str | bytes, **fields: Any) -> Any:
        path = folder / f"{next(count)}.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        asked = {"file": str(path), "time": "when", "pressure": "pressure", "unit": "hPa"} | fields
        return recording(RecordModel(**asked))

    return read


TIMES = st.lists(st.integers(0, 10**6), min_size=2, max_size=60, unique=True).map(sorted)
TENTHS = st.integers(0, 11_000)


@given(data=st.data(), times=TIMES)
def test_what_rises_is_read_as_it_stands(log: Any, data: st.DataObject, times: list[int]) -> None:
    tenths = data.draw(st.lists(TENTHS, min_size=len(times), max_size=len(times)))
    rows = "".join(f"{t},{v / 10:.1f},20\n" for t, v in zip(times, tenths, strict=True))
    read = log(HEADER + rows, temperature="warmth")
    assert [m.t_s for m in read] == [t - times[0] for t in times]
    assert [m.pressure_Pa for m in read] == pytest.approx([v * 10 for v in tenths])
    assert {m.temperature_K for m in read} == {293.15}
    assert not any(read.not_believed.values())
    for moment in read:
        assert read.newest(moment.t_s) == moment
        if read.step_Pa:
            assert moment.pressure_Pa / read.step_Pa == pytest.approx(
                round(moment.pressure_Pa / read.step_Pa), abs=1e-6
            )


@given(data=st.data(), n=st.integers(30, 80))
def test_the_least_that_makes_times_rise_is_not_believed(log: Any, data: st.DataObject, n: int) -> None:
    """Rows put elsewhere, said twice or damaged: just these are named, wherever they are and however far they went."""
    rows = [f"{10 * t},1013.2,20" for t in range(n)]
    chosen = st.lists(st.integers(1, n // 5), min_size=1, max_size=4, unique=True)
    early = [4 * i for i in data.draw(chosen)]
    late = {i: f"{10 * n + 3600 + i},1013.2,20" for i in early[:2]}
    kinds = {
        i: "out of order" if i in late else data.draw(st.sampled_from(("repeated", "unreadable")))
        for i in early
    }
    lines: list[str] = []
    wrong: dict[str, list[int]] = {"out of order": [], "repeated": [], "unreadable": []}
    for i, row in enumerate(rows):
        lines.append(row)
        if i in kinds:
            lines.append({"out of order": late.get(i, ""), "repeated": row, "unreadable": "?,?,?"}[kinds[i]])
            wrong[kinds[i]].append(len(lines) + 1)
    read = log(HEADER + "\n".join(lines))
    assert len(read) == n
    assert {why: list(numbers) for why, numbers in read.not_believed.items()} == wrong


@pytest.mark.parametrize("unit", PRESSURES)
def test_every_unit_of_pressure_is_read(log: Any, unit: str) -> None:
    assert log(HEADER + "0,1.5,0\n1,1.5,0\n", unit=unit)[0].pressure_Pa == pytest.approx(
        1.5 * PRESSURES[unit]
    )


@pytest.mark.parametrize(("unit", "kelvin"), [("K", 50.0), ("C", 323.15), ("F", 283.15)])
def test_every_unit_of_temperature_is_read(log: Any, unit: str, kelvin: float) -> None:
    read = log(HEADER + "0,1013,50\n1,1013,50\n", temperature="warmth", temperature_unit=unit)
    assert read[0].temperature_K == pytest.approx(kelvin)


def test_times_may_be_iso_8601_or_seconds(log: Any) -> None:
    begin = datetime(2026, 3, 29, 0, 59, 50, tzinfo=UTC)
    stamps = [begin + timedelta(seconds=5 * i) for i in range(4)]
    written = {
        "offset": [s.isoformat() for s in stamps],
        "Z": [s.isoformat().replace("+00:00", "Z") for s in stamps],
        "space": [s.strftime("%Y-%m-%d %H:%M:%S") for s in stamps],
        "epoch": [str(s.timestamp()) for s in stamps],
        "elsewhere": [s.astimezone(tz=None).isoformat() for s in stamps],
        "from 0": ["0", "5", "10.0", "1.5e1"],
    }
    for name, column in written.items():
        read = log(HEADER + "".join(f"{cell},1013.2,20\n" for cell in column))
        assert [m.t_s for m in read] == [0, 5, 10, 15], name


def test_columns_are_found_by_name_or_number_with_or_without_a_header(log: Any) -> None:
    rows = "0,x,1013.2\n5,x,1013.3\n"
    expected = [(0.0, 101_320.0), (5.0, 101_330.0)]
    for text, time, pressure in (
        ("t,note,p\n" + rows, "t", "p"), ("T,note, P \n" + rows, "t", "p"), ("t,note,p\n" + rows, 1, "3"),
        (rows, 1, 3), ("# a comment\n\n" + rows, "1", "3"), ("\ufefft,note,p\n" + rows, "t", 3),
        (("t;note;p\n" + rows).replace(",", ";").replace(".", ","), "t", "p"),
        (("t\tnote\tp\n" + rows).replace(",", "\t"), "t", "p"),
    ):  # fmt: skip
        read = log(text, time=time, pressure=pressure)
        assert [(m.t_s, pytest.approx(m.pressure_Pa)) for m in read] == expected, text
        assert not any(read.not_believed.values()), text


@pytest.mark.parametrize(
    ("text", "fields", "said"),
    [
        ("t,p\n0,1\n", {}, "no column 'when'; there are 1 't', 2 'p'"),
        ("a\x1b[2J,p\n0,1\n", {}, r"1 'a\x1b[2J'"),
        ("t,p\n0,1\n", {"time": 3, "pressure": "p"}, "no column '3'"),
        ("", {}, "is empty"),
        (" \n\n", {}, "is empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", {}, "octet 8 is 0"),
        (HEADER, {}, "fewer than two readings"),
        (HEADER + "x,1,1\n5,1,1\n", {}, "cannot be read: 2"),
        (
            HEADER + "x,1,1\ny,1,1\n5,1,1\n6,1,x\n",
            {"temperature": "warmth"},
            "75% of 4 rows say nothing (3 cannot",
        ),
        (HEADER + "3,1,1\n2,1,1\n1,1,1\n", {}, "(0 cannot be read, 2 are out of order)"),
        (
            HEADER + "0,1,1\n5,1,1\n2026-03-01T00:00:10Z,1,1\n15,1,1\n",
            {},
            "line 2 has seconds ('0') and line 4 has a date ('2026-03-01T00:00:10Z'); it has to be one kind",
        ),
    ],
)
def test_what_is_no_log_is_told_so(log: Any, text: str | bytes, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        log(text, **fields)
    assert said in str(refused.value)
    assert "\x1b" not in str(refused.value)


def test_a_log_of_noughts_with_no_step_is_read(log: Any) -> None:
    assert log(HEADER + "0,0,1\n1,0,1\n").step_Pa == 0


def test_one_value_alone_has_the_step_of_its_last_place(log: Any) -> None:
    assert log(HEADER + "0,1013.2,1\n1,1013.20,1\n").step_Pa == pytest.approx(1)
    assert log(HEADER + "0,1013,1\n1,1013,1\n").step_Pa == pytest.approx(100)
    assert log(HEADER + "0,1013.2,1\n1,1013.6,1\n").step_Pa == pytest.approx(40)


# -- as a cabin

TOML = """\
title = "my cabin"
duration = "10min"
[parameters]
poll_period = 5000
[cabin.compartments.cabin]
volume = "100 m3"
[cabin.record]
file = "log.csv"
time = "when"
pressure = "pressure"
unit = "hPa"
temperature = "warmth"
"""
LEAK = """
[cabin.leaks.hole]
size = "100 Pa/h"
at = 300
"""


def rows() -> list[tuple[int, float, float]]:
    """Ten minutes at 5 s, with a step of 30 Pa, steps of 10 Pa, and two minutes that are missing."""
    return [
        (t, 1000.0 + (0.3 if t >= 200 else 0.0) + (t % 15) / 50 // 0.1 / 10, 20.0)
        for t in range(0, 601, 5)
        if not 400 <= t < 520
    ]


@pytest.fixture
def cabin(tmp_path: Any) -> Any:
    """The scenario beside its log."""
    (tmp_path / "log.csv").write_text(HEADER + "".join(f"{t},{p:.1f},{T}\n" for t, p, T in rows()))

    def write(more: str = "") -> Any:
        path = tmp_path / "cabin.toml"
        path.write_text(TOML + more)
        return path

    return write


def samples(world: World, until_s: int) -> list[tuple[int, int, int]]:
    """What the transducer says each five seconds: world time, stamp, cPa; nothing where it is silent."""
    return [
        (t, reading.stamp_ms, reading.values["pressure_cPa"])
        for t in range(0, until_s + 1, 5)
        if not world.sensor.silent(t + 0.01) and (reading := world.sensor.read(t * 1000 + 10))
    ]


def test_a_log_is_played_with_its_own_times_gaps_and_steps(
    cabin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, _ = load(str(cabin()))
    monkeypatch.chdir("/")
    heard = samples(World(model, 1), 600)
    fresh = [(stamp // 1000, cPa) for t, stamp, cPa in heard if stamp == t * 1000]
    assert fresh == [(t, round(p * 10_000)) for t, p, _ in rows()]
    repeats = {t - stamp // 1000 for t, stamp, _ in heard}
    assert repeats == {0, 5}, f"a reading is the newest for {STALE} intervals"
    assert {t for t, _, _ in heard} == set(range(0, 401, 5)) | set(range(520, 601, 5))


def test_a_leak_comes_on_top_by_its_own_law_in_the_steps_of_the_log(cabin: Any) -> None:
    quiet, leaking = (
        {s: p for _, s, p in samples(World(load(str(cabin(m)))[0], 1), 600)} for m in ("", LEAK)
    )
    for stamp_ms, cPa in quiet.items():
        k = 100 / 3600 / 100_000
        left = math.exp(-k * max(0.0, stamp_ms / 1000 - 300))
        assert leaking[stamp_ms] == pytest.approx(cPa * left, abs=501)
        assert leaking[stamp_ms] % 1000 == 0
    world = World(load(str(cabin(LEAK)))[0], 1)
    assert world.station.leak_rate_Pa_h("cabin", 590.0) == pytest.approx(-100, rel=0.01)
    assert world.station.at("cabin", 590.0).pressure_Pa < 100_050


def test_a_recording_names_the_log_and_its_hash_and_every_target_sends_the_same(
    cabin: Any, tmp_path: Any
) -> None:
    path = cabin(LEAK)
    model, text = load(str(path))
    hashes = set()
    for target in ("cpython", "micropython"):
        out = tmp_path / f"{target}.jsonl"
        _, run = play(Order(str(path), model, text, target, 1, model.duration_ms, out))
        header = json.loads(out.read_text().splitlines()[0])
        hashes.add((run.transcript_sha256, header["log"], header["log_sha256"]))
    (one,) = hashes
    assert one[1:] == ("log.csv", World(model, 1).station.record.sha256)  # type: ignore[union-attr]


def test_a_recording_is_drawn_with_its_own_log_and_no_other(cabin: Any, tmp_path: Any) -> None:
    path, out = cabin(LEAK), tmp_path / "run.jsonl"
    model, text = load(str(path))
    play(Order(str(path), model, text, "cpython", 1, model.duration_ms, out))
    assert from_transcript(read(out)).world.station.at("cabin", 0.0).pressure_Pa == pytest.approx(100_000)
    recording.cache_clear()
    (tmp_path / "log.csv").write_text(HEADER + "0,900,20\n5,900,20\n")
    with pytest.raises(UsageError, match="is not the log of this recording"):
        from_transcript(read(out))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[cabin.wander]\n", "stands in place of wander"),
        ("[cabin.crew.all]\ncount = 3\n", "stands in place of crew"),
        ('unit_ = "x"\n', "no such key"),
    ],
)
def test_a_log_stands_alone(more: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse(TOML + more, "cabin.toml")


def test_a_log_that_is_not_there_ends_a_run_with_a_line(tmp_path: Any, monkeypatch: Any, capsys: Any) -> None:
    path = tmp_path / "cabin.toml"
    path.write_text(TOML)
    monkeypatch.setattr("sys.argv", ["cabinwatch", "run", str(path), "--target", "cpython"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert "log.csv" in capsys.readouterr().err
