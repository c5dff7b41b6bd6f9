"""Recordings: whole at any moment, refused where damaged, replayed octet for octet on every target."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import worlds
from cabinwatch.errors import UsageError
from cabinwatch.run.play import replay
from cabinwatch.run.transcript import FORMAT, Recorder, Step, read
from cabinwatch.scenario.toml_out import toml_text
from cabinwatch_protocol import table as t

steps = st.builds(
    Step,
    st.integers(0, 1 << 40),
    st.binary(max_size=60),
    st.binary(max_size=200),
    st.integers(0, t.DAY_MS),
    st.booleans(),
)


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """A short run with a reset and a telecommand, recorded."""
    path = tmp_path_factory.mktemp("recording") / "run.jsonl"
    text = toml_text(
        {
            "title": "short",
            "duration": 90,
            "resets": [40],
            "cabin": {
                "compartments": {"station": {"volume": "50 m3"}},
                "leaks": {"hole": {"size": "60 mm", "at": 20}},
            },
            "telecommands": [{"at": 30, "do": "acknowledge"}, {"at": 70, "do": "reboot"}],
        }
    )
    recorder = Recorder(path, {"scenario": "short", "toml": text})
    _, sha256 = worlds.run(text, 7, "cpython", recorder=recorder)
    recorder.close()
    return path, sha256


@given(st.lists(steps, max_size=20))
def test_what_is_written_is_read_back(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("t") / "t.jsonl"
    recorder = Recorder(path, {"seed": 3})
    for step in written:
        recorder.add(step)
    recorder.close()
    if not written:
        assert not list(path.parent.iterdir()), "a run that never began leaves nothing"
        return
    lines = path.read_bytes().splitlines(keepends=True)
    assert json.loads(lines[0]) == {"format": FORMAT, "seed": 3}
    assert json.loads(lines[-1]) == {"steps": len(written), "sha256": recorder.sha256}
    for step, line in zip(written, lines[1:-1], strict=True):
        shown = json.loads(line)
        assert set(shown) - {"reset"} == {"t_ms", "rx", "tx", "wake_ms"}
        assert bytes.fromhex(shown["tx"]) == step.tx
    back = read(path)
    assert back.steps == written
    assert not back.cut
    assert back.sha256 == recorder.sha256 == hashlib.sha256(b"".join(lines[1:-1])).hexdigest()


def test_an_older_recording_stays_until_the_new_one_has_a_step(tmp_path):
    path = tmp_path / "old.jsonl"
    path.write_text("precious\n")
    recorder = Recorder(path, {})
    assert path.read_text() == "precious\n"
    recorder.add(Step(0, b"", b"\1", 5))
    recorder.close()
    assert b"precious" not in path.read_bytes()
    assert len(read(path).steps) == 1


@pytest.mark.parametrize("target", ["cpython", "micropython"])
def test_replay_gives_the_same_bytes(recording, target, request):
    if target == "micropython":
        request.getfixturevalue("vm")
    path, sha256 = recording
    transcript = read(path)
    assert sum(step.reset for step in transcript.steps) == 1
    done = replay(transcript, target)
    assert (done.differs, done.sha256, done.steps) == ("", sha256, len(transcript.steps))


@given(st.floats(0.02, 1))
def test_a_cut_recording_is_told_and_its_whole_steps_replay(recording, tmp_path_factory, part):
    path, _ = recording
    data = path.read_bytes()
    header = data.index(b"\n") + 1
    size = header + int(part * (len(data) - header))
    cut = tmp_path_factory.mktemp("cut") / "cut.jsonl"
    cut.write_bytes(data[:size])
    transcript = read(cut)
    whole = min(data[:size].count(b"\n") - 1, data.count(b"\n") - 2)
    assert len(transcript.steps) == whole
    assert bool(transcript.cut) == (size < len(data)), "the last line alone makes it whole"
    if data[size - 1 : size] != b"\n":
        assert f"{whole} whole steps" in transcript.cut
    assert replay(transcript, "cpython").differs == ""


def test_a_changed_octet_is_found_at_its_step(recording, tmp_path):
    path, _ = recording
    lines = path.read_text().splitlines()
    step = json.loads(lines[20])
    step["tx"] = ("00" if step["tx"][:2] != "00" else "01") + step["tx"][2:]
    lines[20] = json.dumps(step)
    other = tmp_path / "other.jsonl"
    other.write_text("\n".join(lines) + "\n")
    done = replay(read(other), "cpython")
    assert "line 21 of the file" in done.differs
    assert done.steps == 20


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda d: b"", "not a cabinwatch recording"),
        (lambda d: d[:20], "not a cabinwatch recording"),
        (lambda d: b"{}\n" + d, "not a cabinwatch recording"),
        (lambda d: b"[1]\n" + d, "not a cabinwatch recording"),
        (lambda d: b"\xff\xfe\0\0", "not a cabinwatch recording"),
        (lambda d: d.replace(b'"rx":"', b'"rx":"zz', 1), ":2: not a step"),
        (lambda d: d.replace(b'"t_ms":0', b'"t_ms":"soon"', 1), ":2: not a step"),
        (lambda d: d + b"\n\n", "not a step"),
        (lambda d: d + b"17\n", "not a step"),
        (lambda d: d + d.splitlines(keepends=True)[-1], "not a step"),
    ],
)
def test_damage_is_refused_by_line(recording, tmp_path, damage, says):
    path = tmp_path / "damaged.jsonl"
    path.write_bytes(damage(recording[0].read_bytes()))
    with pytest.raises(UsageError, match=says):
        read(path)


@pytest.mark.parametrize(
    "step",
    [Step(-1, b"", b"", 0), Step(10**12, b"", b"", 0), Step(100, bytes(49), b"", 0)],
    ids=["back", "far", "long"],
)
def test_a_step_that_no_run_makes_is_refused(recording, step):
    transcript = read(recording[0])
    transcript.steps.insert(3, step)
    with pytest.raises(UsageError, match="line 5 of the recording"):
        replay(transcript, "cpython")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda lines: lines[:1], "no step in the recording"),
        (lambda lines: lines[:1] + lines[-1:], "no step in the recording"),
        (lambda lines: lines[:-1], "cut short: no last line"),
        (lambda lines: lines[:5] + lines[6:], "not those that its last line tells of"),
        (lambda lines: [*lines[:-1], b'{"steps":0}\n'], "not those that its last line tells of"),
        (lambda lines: [lines[0].replace(b"transcript-2", b"transcript-1"), *lines[1:-1]], "of format 1"),
    ],
)
def test_a_recording_that_is_not_whole_says_so(recording, tmp_path, change, says):
    path = tmp_path / "cut.jsonl"
    path.write_bytes(b"".join(change(recording[0].read_bytes().splitlines(keepends=True))))
    assert says in read(path).cut


def test_places_that_cannot_be_written_or_read(tmp_path):
    with pytest.raises(UsageError, match="cannot record to"):
        Recorder(tmp_path / "no" / "such" / "folder", {})
    with pytest.raises(UsageError, match="cannot record to"):
        Recorder(tmp_path, {})
    with pytest.raises(UsageError, match="cannot read"):
        read(tmp_path / "nothing.jsonl")


def test_a_full_disk_is_one_clear_error():
    recorder = Recorder(Path("/dev/full"), {})
    long = Step(0, bytes(48), bytes(60_000), 5)  # more than any buffer holds
    with pytest.raises(UsageError, match="recording ends here"):
        recorder.add(long)
    recorder.close()
