"""A file takes its name when it is whole, has one writer, and leads nowhere else."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinwatch.cli import fuzz
from cabinwatch.errors import UsageError
from cabinwatch.files import UNFINISHED, Whole, writing
from cabinwatch.run.transcript import Recorder, Step

STEP = Step(0, b"", b"\1", 5)


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "run.jsonl"
    path.write_text("precious")
    recorder = Recorder(path, {})
    recorder.add(STEP)
    assert path.read_text() == "precious"
    recorder.close()
    assert b"transcript" in path.read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["run.jsonl"]


def test_two_runs_do_not_record_to_one_file(tmp_path):
    path = tmp_path / "run.jsonl"
    first = Recorder(path, {})
    first.add(STEP)
    with pytest.raises(UsageError, match=r"cannot record to .*: another run is writing it"):
        Recorder(path, {})
    first.close()
    Recorder(path, {}).close()
    assert b"transcript" in path.read_bytes(), "the second had no step"


def test_what_a_killed_run_left_is_taken_over(tmp_path):
    path = tmp_path / "run.jsonl"
    program = "from pathlib import Path; from cabinwatch.files import Whole; import os\n"
    program += f"f = Whole(Path({str(path)!r})); f.write(b'x' * 100_000); os._exit(9)"
    subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert path.with_name(path.name + UNFINISHED).stat().st_size > 0
    assert not path.exists()
    with writing(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_not_followed(tmp_path, there):
    elsewhere = tmp_path / "elsewhere"
    if there:
        elsewhere.write_text("precious")
    link = tmp_path / "run.jsonl"
    link.symlink_to(elsewhere)
    with pytest.raises(UsageError, match="it is a link"):
        Recorder(link, {})
    assert elsewhere.exists() is there


def test_a_link_laid_beside_is_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("precious")
    (tmp_path / f"run.jsonl{UNFINISHED}").symlink_to(elsewhere)
    with pytest.raises(UsageError):
        Whole(tmp_path / "run.jsonl")
    assert elsewhere.read_text() == "precious"


def test_a_pipe_and_a_device_are_written_as_they_are(tmp_path):
    with writing(Path(os.devnull)) as file:
        file.write(b"x")
    assert not Path(os.devnull).is_file()
    read, write = os.pipe()
    with writing(Path(f"/dev/fd/{write}")) as file:
        file.write(b"piped")
    assert os.read(read, 9) == b"piped"
    os.close(read)
    os.close(write)


def test_work_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), writing(tmp_path / "x"):
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_a_file_has_the_permissions_that_the_user_gives_new_files(tmp_path):
    with writing(tmp_path / "x"):
        pass
    (tmp_path / "y").touch()
    assert (tmp_path / "x").stat().st_mode == (tmp_path / "y").stat().st_mode


def test_two_runs_at_once_on_the_command_line(cabinwatch, tmp_path):
    path = tmp_path / "run.jsonl"
    scenario = tmp_path / "s.toml"
    scenario.write_text(QUIET)
    with writing(path) as file:
        file.write(b"the first")
        code, _, err = cabinwatch("run", scenario, "--target", "cpython", "--record", path)
    assert code == 2
    assert err == f"cabinwatch: cannot record to {path}: another run is writing it\n"
    assert path.read_bytes() == b"the first"


QUIET = 'title = "quiet"\nduration = "1min"\n[cabin.compartments.cabin]\nvolume = "10 m3"\n'


@given(st.text(max_size=80))
def test_no_seed_leads_out_of_the_folder(seed):
    assert re.fullmatch(r"[A-Za-z0-9_-]{0,60}", fuzz.file_name(seed))
    assert seed == "" or fuzz.file_name(seed)


@given(st.text(max_size=5), st.text(max_size=5))
def test_two_seeds_have_two_names(one, other):
    assert one == other or fuzz.file_name(one) != fuzz.file_name(other)
