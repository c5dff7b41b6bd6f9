"""Flashing, end to end: against a real MicroPython on a serial device, and every failure a person meets."""

import ast
import os
import pty
import subprocess
import sys
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import serial
from board_on_pty import BoardOnPty

from cabinwatch.board.flash import flash as flashing
from cabinwatch.board.flash import repl
from cabinwatch.board.flash.files import compiled, device_files, main_source, manifest
from cabinwatch.board.flash.flash import Family, flash, flash_microbit
from cabinwatch.board.flash.ports import SeenBoard, choose, list_boards
from cabinwatch.board.flash.repl import Repl
from cabinwatch.errors import SetupError, UsageError
from cabinwatch.targets.micropython import INSTALL, find_vm
from cabinwatch.targets.serial_port import explain_open_error
from cabinwatch_protocol import table as t
from cabinwatch_protocol.host import encode_tm, seal
from conftest import missing
from keyed_peer import MASTER

ROOT = Path(__file__).parents[2]

VM = Family(
    "vm", "linux", "the MicroPython VM", {"uart": 1, "watchdog_ms": 0}, {"i2c": 0, "sda": 1, "scl": 2}
)

Start = Callable[..., BoardOnPty]


@pytest.fixture(autouse=True)
def _vm_is_a_board(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(flashing.FAMILIES, "vm", VM)
    # A board that will answer is waited for on a busy machine too; tests of one that will not take these back.
    for patience in ("PROMPT_S", "ANSWER_S", "BOOT_S"):
        monkeypatch.setattr(repl, patience, 120)
    monkeypatch.setattr(flashing, "DAPLINK_S", 120)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    path = tmp_path / "disk"
    path.mkdir()
    return path


@pytest.fixture
def start(disk: Path) -> Iterator[Start]:
    """Starts boards on the one disk; powers them off afterwards."""
    vm = find_vm()
    if not sys.platform.startswith("linux"):
        pytest.skip("needs /proc")
    if vm is None:
        missing("the MicroPython VM", INSTALL)
    assert vm
    boards: list[BoardOnPty] = []

    def start_one(**options: Any) -> BoardOnPty:
        boards.append(BoardOnPty(vm, disk, **options))
        return boards[-1]

    yield start_one
    for board in boards:
        board.close()


# -- what works


def test_a_monitor_is_flashed_and_answers(start: Start, disk: Path) -> None:
    board = start()
    told: list[tuple[str, int, int]] = []
    done = flash("vm", board.port, progress=lambda *what: told.append(what))
    assert done.answer.role == "monitor"
    assert done.answer.values["event"] == t.Event.BOOT
    assert done.answer.values["cause"] == t.Reset.EXTERNAL
    assert done.identity
    assert done.identity.name == "micropython"
    assert sorted(done.files) == sorted(
        p.relative_to(disk).as_posix() for p in disk.rglob("*") if p.is_file()
    )
    copied = [(n, total) for what, n, total in told if what.startswith("copying")]
    assert copied == sorted(copied)
    assert copied[-1] == (done.size, done.size)


def test_a_keyed_node_holds_its_own_keys_and_not_the_owners(start: Start, disk: Path) -> None:
    done = flash("vm", start().port, master=MASTER)
    assert done.answer.values["event"] == t.Event.BOOT
    assert (disk / "monitor.key").read_bytes() == MASTER.of_monitor()
    assert not [p for p in disk.rglob("*") if p.is_file() and MASTER.octets in p.read_bytes()]


def test_a_running_monitor_is_flashed_over(start: Start) -> None:
    board = start()
    flash("vm", board.port)
    before = board.starts
    flash("vm", board.port)
    assert board.starts > before >= 2  # once more where a Ctrl-C ends the VM, which just caught it no more


@pytest.mark.parametrize(("role", "sensor"), [("transducer", False), ("monitor", True)])
def test_the_roles_with_a_sensor_are_wired_to_it(start: Start, disk: Path, role: str, sensor: bool) -> None:
    done = flash("vm", start().port, role, sensor=sensor, settings={"scl": 9})
    assert done.answer.role == role
    assert "    i2c=0,\n    sda=1,\n    scl=9,\n" in (disk / "main.py").read_text()


def test_somebody_else_s_main_is_kept_and_ours_is_not(start: Start, disk: Path) -> None:
    (disk / "main.py").write_text("print('mine')\n")
    board = start()
    flash("vm", board.port)
    flash("vm", board.port)
    assert (disk / "main_old.py").read_text() == "print('mine')\n"


def test_sources_that_would_be_preferred_to_the_new_bytecode_are_removed(start: Start, disk: Path) -> None:
    old = disk / "lib" / "cabinwatch_firmware" / "monitor.py"
    old.parent.mkdir(parents=True)
    old.write_text("raise ValueError('stale')\n")
    flash("vm", start().port)
    assert not old.exists()


# -- which port


BOARDS = [
    SeenBoard("/dev/ttyACM0", ("rp2",), "Pico", "E66"),
    SeenBoard("/dev/ttyACM1", ("rp2",), "Pico", "E67"),
    SeenBoard("/dev/ttyUSB0", ("esp32",), "CP210x"),
]


def test_no_board(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flashing, "list_boards", list)
    with pytest.raises(SetupError, match="no rp2 board found; no USB serial port"):
        flash("rp2")


def test_no_board_of_that_kind_names_those_that_are_there() -> None:
    with pytest.raises(SetupError, match=r"no pyboard board found; seen instead:\n  /dev/ttyACM0: Pico"):
        choose("pyboard", BOARDS)


def test_two_boards_are_named_or_asked_about() -> None:
    with pytest.raises(SetupError, match=r"(?s)2 boards.*--port.*ttyACM0.*serial number E66.*ttyACM1"):
        choose("rp2", BOARDS)
    assert choose("rp2", BOARDS, lambda seen: seen[1]).port == "/dev/ttyACM1"
    assert choose("esp32", BOARDS).port == "/dev/ttyUSB0"


def test_boards_are_known_by_their_usb_ids() -> None:
    def info(device: str, vid: int | None, pid: int | None, product: str | None = None) -> SimpleNamespace:
        return SimpleNamespace(
            device=device, vid=vid, pid=pid, product=product, description="n/a", serial_number=None
        )

    seen = list_boards(
        [
            info("/dev/ttyS0", None, None),
            info("/dev/ttyUSB1", 0x1234, 0x5678, "Toaster"),
            info("/dev/ttyACM3", 0x0D28, 0x0204),
            info("/dev/ttyACM0", 0x2E8A, 0x0005),
        ]
    )
    assert [(b.port, b.families) for b in seen] == [
        ("/dev/ttyACM0", ("rp2",)),
        ("/dev/ttyACM3", ("microbit",)),
        ("/dev/ttyUSB1", ()),
    ]
    assert seen[2].text() == "/dev/ttyUSB1: Toaster"


def test_names_that_do_not_exist() -> None:
    with pytest.raises(UsageError, match="rp2, esp32, pyboard"):
        flash("arduino")
    with pytest.raises(UsageError, match="monitor and transducer"):
        flash("rp2", "/dev/null", "pilot")


# -- what a port may answer


def test_a_port_that_is_not_there() -> None:
    with pytest.raises(SetupError, match="/dev/ttyNOTHERE is not there"):
        flash("rp2", "/dev/ttyNOTHERE")


def test_a_port_that_another_program_has_open(start: Start) -> None:
    board = start()
    held = board.hold()
    try:
        with pytest.raises(SetupError, match="is in use by another program"):
            flash("vm", board.port)
    finally:
        os.close(held)
    flash("vm", board.port)


def test_a_port_without_permission_names_the_group(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    board = start()
    group = Path(board.port).group()

    def refuse(*_: Any, **__: Any) -> None:
        # Raised by hand, since nothing is forbidden to root.
        raise serial.SerialException(13, f"could not open port {board.port}: Permission denied")

    monkeypatch.setattr(serial, "serial_for_url", refuse)
    with pytest.raises(SetupError, match=f"no permission.*usermod -aG {group} "):
        flash("vm", board.port)


def test_without_permission_for_a_port_that_cannot_even_be_looked_at() -> None:
    assert "dialout" in explain_open_error("/dev/ttyNOTHERE", PermissionError(13, "Permission denied"))


def test_the_wrong_board_is_refused_untouched(start: Start, disk: Path) -> None:
    with pytest.raises(SetupError, match=r"is not an rp2 board: it is micropython .*cabinwatch flash vm"):
        flash("rp2", start().port)
    assert not list(disk.iterdir())


def test_a_micropython_that_is_too_old_is_refused_untouched(
    start: Start, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flashing, "OLDEST", (99, 1, 0))
    with pytest.raises(SetupError, match=r"too old: 99\.1 or newer.*micropython\.org/download"):
        flash("vm", start().port)
    assert not list(disk.iterdir())


def test_another_python_is_refused() -> None:
    other = repl.Identity("circuitpython", "RP2040", (9, 0, 0), "Pico", 0)
    with pytest.raises(SetupError, match="runs circuitpython, not MicroPython"):
        flashing._check(flashing.FAMILIES["rp2"], "COM3", other)


def test_a_program_that_ignores_ctrl_c(start: Start, disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repl, "PROMPT_S", 0.5)
    loop = "import micropython, sys\nmicropython.kbd_intr(-1)\nwhile True: sys.stdin.buffer.read(1)\n"
    (disk / "main.py").write_text(loop)
    with pytest.raises(SetupError, match="busy with a program that ignores Ctrl-C"):
        flash("vm", start().port)


def test_a_disk_that_is_too_small_is_seen_before_anything_is_copied(
    start: Start, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Repl, "free", lambda self: 4096)
    with pytest.raises(SetupError, match=r"disk is full: .* bytes are needed, 4096 are free"):
        flash("vm", start().port)
    assert not [p for p in disk.rglob("*") if p.is_file()]


# Run on the board beforehand: a disk that fails from one file on, as littlefs (an error) and FAT (silence)
# do.
FAILING_DISK = """
import builtins
class Full:
    def __init__(self, f):
        self.f = f
    def write(self, b):
        {failure}
    def close(self):
        self.f.close()
_open = open
def open(path, mode="r"):
    f = _open(path, mode)
    return Full(f) if path.endswith("/monitor.mpy") and mode == "wb" else f
"""


@pytest.mark.parametrize("failure", ["raise OSError(28)", "return 0"])
def test_a_disk_that_fills_up_halfway(
    start: Start, disk: Path, failure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = start()
    free = Repl.free
    with Repl.open(board.port) as prompt:
        prompt.run(FAILING_DISK.format(failure=failure), "preparing the test")
    if failure == "return 0":
        monkeypatch.setattr(
            Repl,
            "free",
            lambda self: 100 if (disk / "lib/cabinwatch_firmware/monitor.mpy").exists() else None,
        )
    with pytest.raises(
        SetupError, match=r"disk is full, seen while copying lib/cabinwatch_firmware/monitor\.mpy"
    ):
        flash("vm", board.port)
    assert not (disk / "main.py").exists()
    monkeypatch.setattr(Repl, "free", free)
    with Repl.open(board.port) as prompt:
        prompt.run("open = _open", "making room")
    flash("vm", board.port)


def test_a_file_that_arrives_damaged_is_noticed(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    board = start()
    with Repl.open(board.port) as prompt:
        prompt.run(FAILING_DISK.format(failure="return self.f.write(b'?' * len(b))"), "preparing the test")
    with pytest.raises(SetupError, match=r"monitor\.mpy arrived damaged"):
        flash("vm", board.port)


@pytest.mark.parametrize("octets", [1, 200, 2000, 10_000, 30_000])
def test_unplugged_halfway_and_flashed_again(start: Start, disk: Path, octets: int) -> None:
    board = start(cut_after=octets)
    with pytest.raises(SetupError, match=r"went away|stopped answering|no MicroPython prompt"):
        flash("vm", board.port)
    assert not (disk / "main.py").exists()
    assert flash("vm", start().port).answer.values["event"] == t.Event.BOOT


def test_firmware_that_fails_at_its_start_shows_the_board_s_words(start: Start) -> None:
    with pytest.raises(SetupError, match=r"(?s)no boot event.*TypeError"):
        flash("vm", start().port, settings={"no_such_setting": 1})


def test_firmware_that_stays_silent(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repl, "BOOT_S", 0.5)
    monkeypatch.setattr(flashing.files, "main_source", lambda *_: "# cabinwatch\nwhile True: pass\n")
    with pytest.raises(SetupError, match="no boot event"):
        flash("vm", start().port)


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mpremote.transport_serial", None)
    with pytest.raises(SetupError, match=r'mpremote is needed here: pip install "cabinwatch\[board\]"'):
        flash("rp2", "/dev/ttyNOTHERE")


# -- what is flashed


def test_a_board_with_another_bytecode_is_told_so() -> None:
    with pytest.raises(SetupError, match=r"bytecode of version 7.*mpy-cross makes 6"):
        compiled(7)


def test_a_board_without_bytecode_gets_the_sources() -> None:
    assert set(compiled(0)) == {f"lib/{f}" for f in device_files()}


def _imports(path: Path) -> set[str]:
    """The project's modules that a source imports, as paths."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {
        n.replace(".", "/") + ".py"
        for n in names
        if n.split(".")[0] in ("cabinwatch_firmware", "cabinwatch_protocol", "cabinwatch")
    }


def test_exactly_what_the_port_imports_is_flashed() -> None:
    todo, needed = ["cabinwatch_firmware/ports/uart.py"], set()
    while todo:
        f = todo.pop()
        needed.add(f)
        todo += _imports(device_files()[f]) - needed
    assert needed == {f for f in device_files() if not f.endswith("__init__.py")}


def test_the_mip_manifest_is_current() -> None:
    assert (ROOT / "package.json").read_text() == manifest(), "run python -m cabinwatch.board.flash.files"


def test_mip_installs_the_same_files_and_they_run(start: Start, disk: Path) -> None:
    board = start()
    command = [sys.executable, "-m", "mpremote", "connect", board.port, "resume"]
    install = ["mip", "install", "--target", "lib", "package.json"]
    subprocess.run([*command, *install], cwd=ROOT, check=True, capture_output=True, timeout=120)
    installed = {p.relative_to(disk / "lib").as_posix(): p.read_bytes() for p in disk.rglob("*.py")}
    assert installed == {f: path.read_bytes() for f, path in device_files().items()}
    (disk / "main.py").write_text(main_source("monitor", VM.wiring))
    with Repl.open(board.port) as prompt:
        assert prompt.run_main("monitor").values["event"] == t.Event.BOOT


# -- micro:bit: an image on its drive


@pytest.fixture
def microbit(tmp_path: Path) -> Iterator[tuple[str, int, Path]]:
    """A serial device, its other end, and a drive. Real: the copy and the serial line. Not real: the
    board."""
    drive = tmp_path / "MICROBIT"
    drive.mkdir()
    master, device = pty.openpty()
    tty.setraw(device)
    yield os.ttyname(device), master, drive
    os.close(master)
    os.close(device)


def _boot_frame() -> bytes:
    event = t.packet("TM", 5, 1, "monitor")
    assert event
    values = {f.name: 0 for f in event.fields if f.fixed is None}
    values |= {"event": t.Event.BOOT, "cause": t.Reset.POWER_ON, "value": 0x100}
    return seal(encode_tm(event, t.Apid.MONITOR, 0, 0, 0, values))


def test_a_microbit_image_is_copied_and_answers(microbit: tuple[str, int, Path]) -> None:
    port, master, drive = microbit
    image = b":00000001FF\n"

    def program_itself(what: str, done: int, total: int) -> None:
        if what.startswith("waiting"):
            assert (drive / "cabinwatch.hex").read_bytes() == image
            threading.Thread(target=os.write, args=(master, b"\r\nnoise" + _boot_frame())).start()

    done = flash_microbit(image, port, drive=drive, progress=program_itself)
    assert done.answer.values["event"] == t.Event.BOOT


def test_a_microbit_that_refuses_the_image_says_why(microbit: tuple[str, int, Path]) -> None:
    port, _, drive = microbit
    (drive / "FAIL.TXT").write_text("error: 504\r\n")
    with pytest.raises(SetupError, match="refused the image: error: 504"):
        flash_microbit(b":00000001FF\n", port, drive=drive)


def test_a_microbit_whose_drive_is_not_mounted(
    microbit: tuple[str, int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flashing, "find_microbit_drives", list)
    with pytest.raises(SetupError, match=r"MICROBIT drive is needed .none is mounted"):
        flash_microbit(b"", microbit[0])
