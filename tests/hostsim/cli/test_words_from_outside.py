"""A stranger's words (a title, a key, a header, what a program or a board says) reach people as text alone."""

import io
import json
import re
import sys
import xml.etree.ElementTree as ET

import pytest
from rich.console import Console

from cabinwatch.board.emulator.qemu import BoardError, Qemu
from cabinwatch.board.flash.ports import list_boards
from cabinwatch.run.transcript import FORMAT
from cabinwatch.scenario.load import parse
from cabinwatch.verify.conform.bench import Gone
from cabinwatch.verify.conform.live import ExecProgram
from cabinwatch.view.panel import Panels
from cabinwatch.world.world import World

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
"""Control characters but for tab and line end, and what turns the reading direction."""
TITLES = {
    "escape": "\x1b]0;renamed\x07 a title with a terminal escape",
    "markup": "[/bold] and $x^{2$ in a title",
    "forged line": "a title\ncabinwatch: all is well",
    "turned": "\u202eeltit\u2028-- <&]]>",
}


def scenario(title: str) -> str:
    return f'title = {json.dumps(title)}\nduration = "1min"\n[cabin.compartments.cabin]\nvolume = "10 m3"\n'


@pytest.fixture(params=TITLES.values(), ids=TITLES)
def title(request):
    return request.param


@pytest.fixture
def file(title, tmp_path):
    path = tmp_path / "titled.toml"
    path.write_text(scenario(title))
    return path


def test_a_title_is_shown_in_a_run_and_in_a_replay(cabinwatch, file, tmp_path):
    recording = tmp_path / "run.jsonl"
    code, out, err = cabinwatch("run", file, "--target", "cpython", "--record", recording)
    assert code == 0
    assert not CONTROL.search(out + err)
    assert "(firmware on cpython" in out.splitlines()[0], "the title takes one line"
    code, out, err = cabinwatch("replay", recording, "--target", "cpython")
    assert code == 0
    assert not CONTROL.search(out + err)


def test_a_title_is_shown_on_the_panel(title):
    world = World(parse(scenario(title), "here"), 1)
    out = io.StringIO()
    panels = Panels(world, 60_000, title, "socket://[::1]:5000", Console(file=out, width=120))
    panels.close()
    assert not CONTROL.search(out.getvalue())
    assert "[::1]" in out.getvalue()
    assert "[/bold]" not in title or "[/bold]" in out.getvalue()


@pytest.mark.parametrize("ending", ["svg", "html", "png"])
def test_a_title_is_drawn(cabinwatch, file, tmp_path, ending):
    picture = tmp_path / f"picture.{ending}"
    code, _, err = cabinwatch("plot", file, "--target", "cpython", "-o", picture)
    assert (code, err) == (0, "")
    if ending == "svg":
        ET.parse(picture)
    elif ending == "html":
        assert not CONTROL.search(picture.read_text())


def test_a_key_is_shown(cabinwatch, tmp_path):
    path = tmp_path / "keyed.toml"
    path.write_text(
        scenario("t") + '"\\u001b[2J\\ncabinwatch: fine" = 1\n[[link.faults]]\nkind = "\\u009b2J"\n'
    )
    code, out, err = cabinwatch("run", path)
    assert code == 2
    assert not CONTROL.search(out + err)
    assert all(line.startswith(f"cabinwatch: {path}") for line in err.splitlines())
    assert r"\x1b[2J\ncabinwatch: fine" in err


def test_a_recordings_header_is_shown(cabinwatch, tmp_path):
    path = tmp_path / "headed.jsonl"
    header = {"format": FORMAT, "scenario": "\x1b[2J\nSame bytes", "toml": scenario("t"), "seed": 1}
    path.write_text(json.dumps(header) + "\n")
    _, out, err = cabinwatch("replay", path, "--target", "cpython")
    assert not CONTROL.search(out + err)
    assert not any(line.startswith("Same bytes transcript") for line in out.splitlines())


def test_what_a_program_says_is_marked_as_its_own():
    said = r"\033]0;renamed\007\n\n0 failed\n"
    program = ExecProgram(f"""{sys.executable} -c "import sys; sys.stderr.write('{said}'); sys.exit(3)" """)
    program.open()
    try:
        with pytest.raises(Gone) as gone:
            program.read(60)
    finally:
        program.close()
    assert not CONTROL.search(str(gone.value))
    assert all(line.startswith("  | ") for line in str(gone.value).splitlines()[1:])


def test_what_a_board_says_is_marked_as_its_own():
    board = Qemu.__new__(Qemu)
    board._explain = str
    said = b'Traceback (most recent call last):\n  File "x"\nE\x1brror: \x9b2J\ncabinwatch: fine\n>>> '
    with pytest.raises(BoardError) as error:
        board.check(said)
    assert not CONTROL.search(str(error.value))
    assert all(line.startswith("  | ") for line in str(error.value).splitlines()[1:])


def test_what_a_usb_device_calls_itself_is_shown():
    class Port:
        vid, pid, product, description = 1, 2, "\x1b[2Ja board\nanother", ""
        device, serial_number = "/dev/ttyX", "\x07"

    (board,) = list_boards([Port()])
    assert not CONTROL.search(board.text())
    assert len(board.text().splitlines()) == 1
