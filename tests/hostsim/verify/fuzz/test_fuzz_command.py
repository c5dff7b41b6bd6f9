"""``cabinwatch fuzz``: replays on the other targets, shrunk files, and the command that plays one."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.hostsim.verify.fuzz.planted import PLANTED, patched

from cabinwatch import targets
from cabinwatch.board.emulator import qemu
from cabinwatch.cli import main as cli
from cabinwatch.targets.cpython import CpythonTarget
from cabinwatch.verify.fuzz.findings import Finding

WRONG = patched(next(p for p in PLANTED if p.name == "housekeeping: temperature has the wrong sign"))


@pytest.fixture
def fuzz(capsys: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Runs the command; its exit code, output and errors."""
    monkeypatch.delenv("CI", raising=False)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["cabinwatch", "fuzz", *words, "--out", str(tmp_path / "found")])
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return run


@pytest.fixture
def qemu_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qemu.shutil, "which", lambda name: None)


def plant(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for name in names:
        monkeypatch.setitem(targets.EMULATED, name, lambda: CpythonTarget(WRONG))


@pytest.mark.usefixtures("vm", "qemu_is_missing")
def test_a_sample_is_replayed_and_what_is_missing_is_said(fuzz: Any) -> None:
    code, out, _ = fuzz("--seed", "replay", "--runs", "6", "--replay", "2")
    assert code == 0
    assert "2 runs replayed on micropython: the same octets" in out
    assert f"not replayed on microbit: {qemu.INSTALL}" in out


@pytest.mark.usefixtures("vm", "qemu_is_missing")
def test_in_ci_a_missing_target_fails(fuzz: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    code, _, err = fuzz("--seed", "replay", "--runs", "2", "--replay", "1")
    assert code == 2
    assert qemu.INSTALL in err


@pytest.mark.usefixtures("qemu_is_missing")
def test_a_target_that_sends_other_octets_is_found(fuzz: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "micropython")
    code, out, _ = fuzz("--seed", "replay", "--runs", "6", "--replay", "6")
    assert code == Finding.DIVERGENCE.exit_code
    assert "DIVERGED run " in out
    assert ": micropython is not cpython: wrong after " in out
    code, out, _ = fuzz("--seed", "replay", "--runs", "6", "--replay", "6", "--json")
    assert code == Finding.DIVERGENCE.exit_code
    assert json.loads(out)["replayed"]["diverged"]


@pytest.mark.usefixtures("qemu_is_missing")
def test_a_shrunk_file_is_played_by_the_command_it_names(fuzz: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, "cpython", "micropython")
    code, out, _ = fuzz("--seed", "replay", "--runs", "2", "--replay", "0")
    assert code == Finding.WRONG.exit_code
    assert "runs replayed on micropython: the same octets" in out, "each shrunk failure is"
    command = next(line for line in out.splitlines() if line.startswith("shrunk to ")).partition(": ")[2]
    words = shlex.split(command)
    assert words[:2] == ["cabinwatch", "fuzz"]
    path = Path(words[words.index("--file") + 1])
    assert len([line for line in path.read_text().splitlines() if line]) < 12
    assert command in path.read_text()
    code, out, _ = fuzz(*words[2:])
    assert code == Finding.WRONG.exit_code
    assert "FAILED wrong" in out
    monkeypatch.setitem(targets.EMULATED, "cpython", CpythonTarget)
    code, out, _ = fuzz(*words[2:], "--replay", "0")
    assert code == 0, "the right firmware passes it"


@pytest.mark.usefixtures("qemu_is_missing")
def test_a_failure_as_a_test_fails_alone_and_passes_once_mended(
    fuzz: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plant(monkeypatch, "cpython", "micropython")
    fuzz(
        "--seed",
        'it\'s \\ a"""gain',
        "--runs",
        "1",
        "--replay",
        "0",
        "--emit-pytest",
        str(tmp_path / "tests"),
    )
    (path,) = (tmp_path / "tests").iterdir()
    space: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(path.read_text(), str(path), "exec"), space)
    (test,) = (thing for name, thing in space.items() if name.startswith("test_"))
    assert path.name == f"{test.__name__}.py"
    with pytest.raises(AssertionError, match="wrong: "):
        test()
    monkeypatch.setitem(targets.EMULATED, "cpython", CpythonTarget)
    test()


def test_wrong_words_for_a_file_are_told(fuzz: Any, tmp_path: Path) -> None:
    assert fuzz("--file", "no.toml", "--seed", "1")[0] == 2
    code, _, err = fuzz("--file", "ms09", "--seed", "9f3c")
    assert (code, "a number" in err) == (2, True)
    code, _, err = fuzz("--file", "ms09", "--mode", "loud")
    assert (code, "one of quiet, leak, story" in err) == (2, True)


SILENCED = """\
title = "housekeeping off"
duration = 46
[cabin.compartments.cabin]
volume = 7
[[raw]]
at = 1
service = 3
subtype = 6
data = "0101"
"""


@pytest.mark.usefixtures("qemu_is_missing")
def test_housekeeping_switched_off_by_chance_is_no_failure(fuzz: Any, tmp_path: Path) -> None:
    """Octets drawn at random may make the one telecommand that stops the reports; the monitor is right to stop."""
    path = tmp_path / "silenced.toml"
    path.write_text(SILENCED)
    assert fuzz("--file", str(path), "--seed", "1", "--replay", "0")[0] == 0
    path.write_text(SILENCED.replace("subtype = 6", "subtype = 5"))
    assert fuzz("--file", str(path), "--seed", "1", "--replay", "0")[0] == 0


@pytest.mark.usefixtures("vm")
def test_a_file_is_timed_in_whole_and_kept_off_the_slow_board_unless_asked(
    fuzz: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Board(CpythonTarget):
        opened = 0

        def __init__(self) -> None:
            Board.opened += 1
            super().__init__()

    monkeypatch.setitem(targets.EMULATED, "microbit", Board)
    path = tmp_path / "silenced.toml"
    path.write_text(SILENCED.replace("subtype = 6", "subtype = 5"))
    for words, boards, others in (
        ((), 0, ["micropython"]),
        (("--replay", "1"), 1, ["microbit", "micropython"]),
    ):
        _, out, _ = fuzz("--file", str(path), "--seed", "1", "--json", *words)
        found = json.loads(out)
        assert found["replayed"]["targets"] == others
        assert Board.opened == boards
        assert found["wall_s"] > 0
        assert found["runs_per_s"] > 0


@pytest.mark.parametrize(("columns", "width"), [("", 100), ("60", 60)])
def test_its_summary_is_as_wide_as_the_terminal(
    fuzz: Any, monkeypatch: pytest.MonkeyPatch, columns: str, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(sys, "__stdout__", None)
    _, out, _ = fuzz("--runs", "1", "--replay", "0")
    lines = out[out.index("1 runs in") :].splitlines()
    assert width - 30 < max(map(len, lines)) <= width
    assert lines[-1].startswith("    "), "what goes on is set in"
    assert "situations never entered: " in " ".join(lines)
