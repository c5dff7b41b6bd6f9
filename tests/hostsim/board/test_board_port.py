"""The micro:bit's own port, on stand-ins for the board's modules: display, button, clock, reset reason, watchdog."""

import importlib
import sys
from types import ModuleType, SimpleNamespace

import pytest

from cabinwatch_protocol import host
from cabinwatch_protocol.table import TC_PACKETS, Apid

DOG, FEED, WHY = 0x40010000, 0x40010600, 0x40000400


class Unplugged(Exception):
    """Ends the port's endless loop."""


class Board:
    """A micro:bit: ``script`` is (ticks_ms, octets received, button pressed) for each time round the loop."""

    def __init__(self, script, why=0, sticky=False):
        self.script, self.why, self.sticky = list(script), why, sticky
        self.sent, self.pixels, self.memory, self.feeds = b"", {}, {}, 0
        self.levels = []
        self.now = script[0][0]

    def __getitem__(self, address):
        return self.why if address == WHY else self.memory[address]

    def __setitem__(self, address, value):
        if address == WHY and not self.sticky:
            self.why &= ~value
        self.feeds += address == FEED
        self.memory[address] = value

    def readinto(self, buf, n):
        if not self.script:
            raise Unplugged
        self.now, octets, self.pressed = self.script.pop(0)
        buf[: len(octets)] = octets
        return len(octets) or None

    def write(self, octets):
        self.sent += octets

    def set_pixel(self, x, y, light):
        self.pixels[x, y] = light

    def reset(self):
        raise SystemExit

    def events(self):
        return [p.values for p in host.decode_stream(self.sent) if p.packet.name.startswith("event")]

    def rows(self):
        return [[self.pixels[x, y] for x in range(5)] for y in range(5)]


@pytest.fixture
def run(monkeypatch):
    def start(board, prepare=lambda port: None):
        modules = {
            "machine": {"mem32": board},
            "microbit": {
                "uart": SimpleNamespace(init=lambda baud: None, readinto=board.readinto, write=board.write),
                "display": board,
                "reset": board.reset,
                "pin0": SimpleNamespace(write_digital=lambda level: board.levels.append(level)),
                "button_a": SimpleNamespace(was_pressed=lambda: board.pressed),
            },
            "utime": {"ticks_ms": lambda: board.now, "ticks_diff": lambda a, b: a - b},
        }
        for name, content in modules.items():
            module = ModuleType(name)
            module.__dict__.update(content)
            monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.delitem(sys.modules, "cabinwatch_firmware.ports.microbit", raising=False)
        port = importlib.import_module("cabinwatch_firmware.ports.microbit")
        prepare(port)
        with pytest.raises((Unplugged, SystemExit)) as ended:
            port.run()
        monkeypatch.delitem(sys.modules, "cabinwatch_firmware.ports.microbit")
        return port, ended.type

    return start


@pytest.mark.parametrize(
    ("why", "sticky", "cause"),
    [(0, False, 0), (4, False, 1), (2, False, 2), (8, False, 2), (3, False, 2), (1, False, 3), (1, True, 0)],
)
def test_the_boot_event_tells_why(run, why, sticky, cause):
    board = Board([(0, b"", False)], why, sticky)
    run(board)
    assert board.events()[0]["event"] == 1
    assert board.events()[0]["cause"] == cause


def test_the_watchdog_runs_and_is_fed_each_time_round(run):
    board = Board([(t, b"", False) for t in range(9)])
    run(board)
    assert board.memory[DOG] == 1
    assert board.memory[DOG + 0x504] / 32768 == 8
    assert board.feeds == 10


@pytest.mark.parametrize("alarm", range(5))
@pytest.mark.parametrize(("health", "link"), [(0, "..x.."), (4, "x...x"), (3, "xx.xx"), (6, "xx.xx")])
@pytest.mark.parametrize(("acknowledged", "light"), [(False, 9), (True, 4)])
def test_the_display(run, alarm, health, link, acknowledged, light):
    def prepare(port):
        class Fixed(port.Monitor):
            def step(self, elapsed_ms, rx, n):
                self.cabin.cls, self.health = alarm, health
                self.cabin.state = (2 if acknowledged else 1) if alarm else 0
                return 1000

        port.Monitor = Fixed

    # Acknowledged, the pulses are dark: a little later it is lit.
    board = Board([(16 * 128 if acknowledged and alarm < 4 else 22 * 128 if acknowledged else 0, b"", False)])
    run(board, prepare)
    bar = ["....", "...x", "..xx", ".xxx", "xxxx"][alarm]
    assert board.rows() == [
        [4 if mark == "x" else 0 for mark in link],
        *([light if mark == "x" else 0] * 5 for mark in bar),
    ]


def test_button_a_acknowledges(run):
    calls = []

    def prepare(port):
        class Counted(port.Monitor):
            def acknowledge(self, occurrence):
                assert occurrence == 0
                calls.append(self)

        port.Monitor = Counted

    run(Board([(0, b"", False), (1, b"", True), (2, b"", False)]), prepare)
    assert len(calls) == 1


def test_a_commanded_reboot_resets_the_board(run):
    perform = next(p for p in TC_PACKETS if p.name == "perform")
    frame = host.seal(host.encode_tc(perform, Apid.MONITOR, 0, {"function": 4, "argument": 0}))
    assert run(Board([(0, frame, False), (1, b"", False)]))[1] is SystemExit


def test_an_emulated_board_whose_register_forgets_tells_a_commanded_reboot_all_the_same(run):
    perform = next(p for p in TC_PACKETS if p.name == "perform")
    frame = host.seal(host.encode_tc(perform, Apid.MONITOR, 0, {"function": 4, "argument": 0}))
    board = Board([(0, frame, False), (1, b"", False)], 1, True)
    assert run(board)[1] is Unplugged
    assert [e["cause"] for e in board.events() if e["event"] == 1] == [0, 1]


def test_a_clock_that_is_misread_never_gives_the_monitor_negative_or_lost_time(run):
    given = []

    def prepare(port):
        class Timed(port.Monitor):
            def step(self, elapsed_ms, rx, n):
                given.append(elapsed_ms)
                return 0

        port.Monitor = Timed

    ticks = [0, 10, 86, 30, 50, 90, 24, 95, 100]  # ahead by 66 for a while, then behind
    run(Board([(t, b"\0", False) for t in ticks]), prepare)
    assert min(given) == 0
    assert sum(given) == 100


def test_a_clock_that_leaps_ahead_and_comes_back_does_not_silence_the_board(run):
    """One reading 70 s ahead must not make it wait until that time has come."""
    board = Board([(t, b"", False) for t in (0, 100, 70_100, *range(200, 5000, 50))])
    run(board)
    polls = [p for p in host.decode_stream(board.sent) if p.packet.name == "report_hk"]
    assert len(polls) > 10
