"""``cabinwatch monitor`` without a board: the firmware in this process behind a port that needs no clock."""

import json

import pytest

from cabinwatch.errors import SetupError, UsageError
from cabinwatch.targets.cpython import CpythonTarget
from cabinwatch.view import monitor
from cabinwatch.world.ground import DONE
from cabinwatch_protocol import table as t
from peer import PID


class Port:
    """A running monitor on a serial port. ``deaf`` drops what is written."""

    name = "fake"

    def __init__(self, deaf=False):
        self.target = CpythonTarget()
        self.out = self.target.start()[0]
        self.target.step(1000, b"")
        self.deaf = deaf
        self.asked = 0

    @property
    def in_waiting(self):
        return len(self.out)

    def read(self, n):
        out, self.out = self.out or self.target.step(1000, b"")[0], b""
        return out

    def write(self, data):
        self.asked += 1
        if not self.deaf:
            for i in range(0, len(data), t.RX_MAX):
                self.out += self.target.step(1, data[i : i + t.RX_MAX])[0]

    def value(self, name):
        return self.target.node.p[PID[name]]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr(monitor, "SETTLE_S", 0.0)


def send(port, *commands):
    return monitor.watch(port, list(commands), None, False)


def test_two_and_three_calls_and_the_same_one_twice(capsys):
    port = Port()
    for words, name, value in (
        ("set emergency 7200", "emergency", 7200),
        ("set caution 100", "caution", 100),
        ("set warning 1h30m", "warning", 5400),
        ("set warning 1h30m", "warning", 5400),
    ):
        ground = send(port, words)
        assert port.value(name) == value
        assert [c.verdict for c in ground.commands] == [DONE]
        assert f"{words}: done" in capsys.readouterr().out


def test_the_same_command_twice_on_purpose_draws_two_events(capsys):
    port = Port()
    for _ in range(2):
        send(port, "reboot")
        out = capsys.readouterr().out
        assert "reboot: done" in out
        assert out.count("booted (commanded)") == 1


def test_values_are_shown_with_the_unit_that_a_person_writes(capsys):
    send(Port(), "set caution 30 d", "get caution", "get reserve")
    out = capsys.readouterr().out
    assert "caution = 30 d" in out
    assert "reserve = 65328 Pa" in out


def test_a_refused_command_is_told_in_its_own_words(capsys):
    ground = send(Port(), "acknowledge", "ping")
    assert [c.verdict for c in ground.commands] == ["refused: no alarm", DONE]
    assert "acknowledge: refused: no alarm" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("", "no command ''.*ping .*set PARAMETER VALUE"),
        ("sett caution 3", "no command 'sett'.*set PARAMETER VALUE"),
        ("set caution", "is not understood: set PARAMETER VALUE"),
        ("set", "is not understood: set PARAMETER VALUE"),
        ("ping twice", "is not understood: ping"),
        ("set cauton 3", "no parameter 'cauton'; there are"),
        ("set caution x", "give a number and one of s, min, h, d"),
        ("inhibit 3 h", "whole seconds, from 0 to 2 h"),
        ("inhibit 0.5", "whole seconds, from 0 to 2 h"),
        ("inhibit", "is not understood: inhibit DURATION"),
    ],
)
def test_what_is_not_understood_names_what_is_and_sends_nothing(words, why):
    port = Port()
    with pytest.raises(UsageError, match=why):
        send(port, "ping", words)
    assert not port.asked


@pytest.mark.parametrize("verb", [form.split()[0] for form in monitor.VERBS])
def test_every_command_of_the_help_is_one(verb):
    rest = {
        "inhibit": " 2 min",
        "out_of_service": " 1 h",
        "test_signals": " 5",
        "get": " caution",
        "set": " caution 30 d",
    }.get(verb, "")
    assert monitor.telecommand(verb + rest).do == verb


def test_the_manual_names_every_parameter():
    text = "\n".join(monitor.manual())
    assert all(p.name in text and p.doc in text for p in t.MONITOR_PARAMETERS)


class Console:
    """A board's console: a prompt, once a key is pressed (or after a while, where ``speaks``)."""

    name = "console"

    def __init__(self, speaks):
        self.said = b"\r\nMicroPython v1.29 on 2026-01-01; Pico with RP2040\r\n>>> " if speaks else b""
        self.keys = b""

    in_waiting = 1

    def read(self, n):
        said, self.said = self.said, b""
        return said

    def write(self, data):
        self.keys += data


def test_a_console_is_refused_and_the_right_port_named():
    port = Console(speaks=True)
    with pytest.raises(
        SetupError, match=r"console is a board's console .* give the port of the serial adapter"
    ):
        send(port, "reboot")
    assert not port.keys, "what is sent there restarts the firmware"


def test_nothing_is_sent_where_nobody_is_heard(monkeypatch):
    monkeypatch.setattr(monitor, "HEAR_S", 0.0)
    port = Console(speaks=False)
    ground = send(port, "reboot", "set caution 30 d")
    assert not port.keys
    assert [c.verdict for c in ground.commands] == [monitor.NOT_SENT] * 2


def test_a_watch_for_programs_prints_packets_and_nothing_else(capsys):
    monitor.watch(Port(), ["report", "ping"], None, False, jsonl=True)
    packets = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    by_name = {packet["packet"]: packet for packet in packets}
    assert {"housekeeping", "alive", "completed"} <= set(by_name), sorted(by_name)
    assert by_name["housekeeping"]["role"] == "monitor"
    assert isinstance(by_name["housekeeping"]["pressure_cPa"], int)
