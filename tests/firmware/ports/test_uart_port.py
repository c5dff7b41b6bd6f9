"""The UART port on the real MicroPython VM, with a fake `machine` module and a socket for the wire.

See fake_board/machine.py for what is real here and what is not. The clock is the real one: nothing here
sleeps, it only waits for octets.
"""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cabinwatch.sources import import_path
from cabinwatch.targets.micropython import INSTALL, find_vm
from cabinwatch.world.chips.bmp280 import Bmp280Chip
from cabinwatch_protocol import table as t
from cabinwatch_protocol.host import Decoded, StreamDecoder, Verdict, decode, encode_tc, encode_tm, seal
from conftest import missing

FAKES = Path(__file__).parent / "fake_board"
PATIENCE_S = 120.0
"""A guard against hanging; no verdict depends on it."""


class Board:
    """One VM with the port's main.py, its wire, and the directory that is its disk."""

    def __init__(self, disk: Path) -> None:
        self.disk = disk
        self.vm: subprocess.Popen[bytes] | None = None
        self.wire: socket.socket | None = None

    def power_on(self, call: str, **environment: str) -> None:
        vm = find_vm()
        if vm is None:
            missing("the MicroPython VM", INSTALL)
        assert vm
        self.wire, theirs = socket.socketpair()
        self.wire.settimeout(PATIENCE_S)
        theirs.setblocking(False)
        self.decoder = StreamDecoder()
        self.got: list[Decoded] = []
        (self.disk / "main.py").write_text(f"from cabinwatch_firmware.ports.uart import run\nrun({call})\n")
        self.vm = subprocess.Popen(
            [vm, "main.py"],
            cwd=self.disk,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={
                **os.environ,
                "MICROPYPATH": f"{FAKES}:{import_path()}",
                "BOARD_UART": str(theirs.fileno()),
                "BOARD_LOG": str(self.disk / "log"),
                **environment,
            },
        )
        theirs.close()

    def wait_for(
        self,
        name: str,
        role: str | None = None,
        meanwhile: Callable[[Decoded], None] = lambda d: None,
        **values: int,
    ) -> Decoded:
        """The next packet of that name (and role, and values); ``meanwhile`` sees those that come before it."""
        assert self.wire
        deadline = time.monotonic() + PATIENCE_S
        seen = []
        while time.monotonic() < deadline:
            while self.got:
                d = self.got.pop(0)
                seen.append(d.text())
                wanted = d.packet.name == name and role in (None, d.role)
                if wanted and all(d.values[k] == v for k, v in values.items()):
                    return d
                meanwhile(d)
            data = self.wire.recv(4096)
            if not data:
                break
            for frame in self.decoder.feed(data):
                assert frame.verdict is Verdict.OK, frame
                self.got.append(decode(frame.packet))
        raise AssertionError(f"no {name} in {seen}; the console has: {self.console()}")

    def send(self, frame: bytes) -> None:
        assert self.wire
        self.wire.sendall(frame)

    def ask(self, name: str, sequence: int, role: str = "monitor", **values: int) -> None:
        packet = next(p for p in (*t.TM_PACKETS, *t.TC_PACKETS) if p.name == name)
        self.send(seal(encode_tc(packet, t.ROLES[role], sequence, values)))

    def log(self) -> list[str]:
        return (self.disk / "log").read_text().splitlines()

    def console(self) -> bytes:
        """What the VM wrote until it ended; ends it."""
        assert self.vm
        assert self.vm.stdout
        self.vm.kill()
        return self.vm.stdout.read()

    def wait_for_reset(self) -> None:
        assert self.vm
        assert self.vm.wait(PATIENCE_S) == 3

    def off(self) -> None:
        if self.vm and self.wire:
            self.wire.close()
            self.vm.kill()
            self.vm.communicate()


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    b = Board(tmp_path)
    yield b
    b.off()


def chip_file(disk: Path, **truth: Any) -> str:
    """The registers of a measuring chip, in a file for the fake bus."""
    chip = Bmp280Chip(noise=0, **truth)
    chip.write_register(0xF5, 0x08)
    chip.write_register(0xF4, 0x57)
    chip.advance(1000)
    path = disk / "chip"
    path.write_bytes(bytes(chip.read_register(r) for r in range(256)))
    return str(path)


def test_a_monitor_boots_polls_answers_and_believes_its_transducer(board: Board) -> None:
    board.power_on("uart=1, tx=4, rx=5")
    assert board.wait_for("event_advisory").values["cause"] == t.Reset.POWER_ON
    sample = t.packet("TM", 3, 25, "transducer")
    assert sample
    values = {"pressure_cPa": 10132500, "temperature_cK": 29500, "status": 0}
    assert set(values) <= {f.name for f in sample.fields}
    polls = 0

    def answer(poll: Decoded) -> None:
        # Each of them: on a busy machine an answer may come after the monitor's patience.
        nonlocal polls
        if poll.packet.name == "report_hk":
            polls += 1
            board.send(seal(encode_tm(sample, t.Apid.TRANSDUCER, polls, 0, 1000 * polls, values)))

    board.wait_for("housekeeping", health=t.Health.OK, meanwhile=answer)
    board.ask("ping", 1)
    board.wait_for("alive")
    assert board.log()[0] == "uart 1 115200 tx 4 rx 5"
    assert "watchdog 8000" in board.log()


def test_the_boot_event_and_nothing_else_is_on_the_console(board: Board) -> None:
    board.power_on("")
    board.wait_for("event_advisory")
    board.wait_for("report_hk")
    frames = StreamDecoder().feed(board.console())
    assert [decode(f.packet).values["event"] for f in frames] == [t.Event.BOOT]


@pytest.mark.parametrize(
    ("hardware", "cause"), [("1", t.Reset.POWER_ON), ("2", t.Reset.EXTERNAL), ("3", t.Reset.WATCHDOG)]
)
def test_the_reset_cause_is_in_the_boot_event(board: Board, hardware: str, cause: t.Reset) -> None:
    board.power_on("watchdog_ms=0", BOARD_CAUSE=hardware)
    assert board.wait_for("event_advisory").values["cause"] == cause
    assert not any("watchdog" in line for line in board.log())


def test_a_commanded_reboot_resets_the_board_and_is_told_after_it(board: Board) -> None:
    board.power_on("")
    board.wait_for("event_advisory")
    board.ask("perform", 5, function=t.Function.REBOOT, argument=0)
    board.wait_for_reset()
    assert board.log()[-1] == "reset"
    # rp2 resets through its watchdog, so the hardware's word alone would be the wrong cause.
    board.power_on("", BOARD_CAUSE="3")
    assert board.wait_for("event_advisory").values["cause"] == t.Reset.COMMANDED
    board.off()
    board.power_on("", BOARD_CAUSE="3")
    assert board.wait_for("event_advisory").values["cause"] == t.Reset.WATCHDOG


def test_parameters_are_kept_across_resets_and_a_file_that_is_cut_costs_the_last_change(board: Board) -> None:
    def boot() -> int:
        board.off()
        board.power_on("")
        return board.wait_for("event_advisory", event=t.Event.BOOT).values["value"] >> 24

    def set_retries(value: int) -> None:
        board.ask("set_parameter", value, n=1, parameter=2, value=value)
        board.wait_for("completed", request_sequence=0xC000 | value)

    def retries() -> int:
        board.ask("report_parameter", 9, n=1, parameter=2)
        return board.wait_for("parameter_value").values["value"]

    assert boot() == 0
    set_retries(3)
    set_retries(4)
    assert (boot(), retries()) == (t.Stored.KEPT, 4)
    set_retries(5)
    newest = board.disk / "monitor.1"
    newest.write_bytes(newest.read_bytes()[:-1])
    assert (boot(), retries()) == (t.Stored.KEPT | t.Stored.BROKEN, 4)
    set_retries(1)
    assert (boot(), retries()) == (t.Stored.KEPT, 1)


def test_a_disk_that_cannot_be_written_is_told_and_the_change_is_in_force(board: Board) -> None:
    for slot in "01":
        (board.disk / f"monitor.{slot}").mkdir()
    board.power_on("")
    board.wait_for("event_advisory", event=t.Event.BOOT)
    board.ask("set_parameter", 1, n=1, parameter=2, value=5)
    board.wait_for("event_advisory", event=t.Event.NOT_KEPT)
    board.wait_for("completed")
    board.ask("report_parameter", 2, n=1, parameter=2)
    assert board.wait_for("parameter_value").values["value"] == 5


def test_a_fault_in_the_firmware_ends_in_a_reset_that_says_so(board: Board) -> None:
    board.power_on("")
    board.wait_for("event_advisory")
    assert board.wire
    board.wire.close()
    board.wait_for_reset()
    assert (board.disk / "reset.cause").read_text() == str(int(t.Reset.WATCHDOG))


def test_a_transducer_with_a_bmp280(board: Board) -> None:
    chip = chip_file(board.disk, pressure_Pa=98765.0, temperature_K=294.0)
    board.power_on("'transducer', i2c=0, sda=16, scl=17", BOARD_CHIP=chip)
    board.wait_for("instrument_event_advisory", role="transducer", event=t.Event.BOOT)
    board.ask("report_hk", 7, role="transducer", n=1, sid=1)
    sample = board.wait_for("sample")
    assert sample.values["pressure_cPa"] == pytest.approx(9876500, abs=100)
    assert sample.values["temperature_cK"] == pytest.approx(29400, abs=1)
    assert sample.values["status"] == 0


def test_a_transducer_without_its_chip_says_so_and_finds_it_when_it_is_plugged_in(board: Board) -> None:
    path = board.disk / "chip"
    board.power_on("'transducer', i2c=0, sda=16, scl=17", BOARD_CHIP=str(path))
    board.ask("report_hk", 1, role="transducer", n=1, sid=1)
    assert board.wait_for("sample").values["status"] == t.Health.FAULT
    chip_file(board.disk, pressure_Pa=98765.0)
    for sequence in range(2, 7):
        board.ask("report_hk", sequence, role="transducer", n=1, sid=1)
        status = board.wait_for("sample").values["status"]
    assert status == 0


def test_a_monitor_that_samples_its_own_bmp280_and_tells_the_ground(board: Board) -> None:
    chip = chip_file(board.disk, pressure_Pa=98765.0)
    board.power_on("i2c=0, lamp='LAMP', buzzer='BUZZER'", BOARD_CHIP=chip)
    board.wait_for("event_advisory", role="monitor", event=t.Event.BOOT)
    board.wait_for("sample")
    board.ask("report_hk", 1, n=1, sid=1)
    hk = board.wait_for("housekeeping")
    assert hk.values["pressure_cPa"] == pytest.approx(9876500, abs=100)
    board.ask("ping", 2, role="transducer")
    assert board.wait_for("alive").role == "transducer"


def test_the_lamp_blinks_while_the_sensor_is_lost_and_the_buzzer_is_still(board: Board) -> None:
    board.power_on("lamp='LAMP', buzzer='BUZZER'")
    board.wait_for("report_hk")
    number = next(p.id for p in t.MONITOR_PARAMETERS if p.name == "blind_delay")
    board.ask("set_parameter", 1, n=1, parameter=number, value=0)
    while board.log().count("LAMP 1") < 2:
        board.wait_for("report_hk")
    assert "LAMP 0" in board.log()
    assert "BUZZER 1" not in board.log()
