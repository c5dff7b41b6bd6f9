"""The live path: the firmware as a process on a pty or a socket, and ports that are silent, mad or unplugged."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading

import pytest
from test_cli import COMMAND, ENVIRONMENT

from cabinwatch.errors import SetupError, TargetDied, UsageError
from cabinwatch.models.scenario import Scenario
from cabinwatch.run.live import LEAD, Live, check_live, told_of_speed
from cabinwatch.run.transcript import Recorder, read
from cabinwatch.scenario import load as scenarios
from cabinwatch.scenario.toml_out import toml_text
from cabinwatch.targets.serial_port import open_port
from cabinwatch.world.world import World
from cabinwatch_firmware.monitor import Monitor

SECONDS = 80
SPEED = 20
POLL_S = 2
HANG_S = 120
"""Guards against hanging; no verdict depends on it."""
LEAK = toml_text(
    {
        "title": "a burst, fast",
        "duration": SECONDS,
        "parameters": {"poll_period": POLL_S * 1000, "hk_period": 20_000},
        "cabin": {
            "compartments": {"station": {"volume": "20 m3"}},
            "leaks": {"hole": {"size": "60 mm", "at": 20}},
        },
        "expect": {"alarm": "emergency", "after": 20},
    }
)


@pytest.fixture
def leak_file(tmp_path):
    path = tmp_path / "leak.toml"
    path.write_text(LEAK)
    return path


def cabinwatch(*words):
    return subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, env=ENVIRONMENT, timeout=600, check=False
    )


@pytest.mark.parametrize("way", ["pty", "socket"])
@pytest.mark.parametrize("target", ["cpython", "micropython"])
def test_a_live_process_plays_the_same_world(leak_file, tmp_path, way, target, request):
    """Real time at 20 world seconds a second: data carry their own time, so the alarm is the same one."""
    if target == "micropython":
        request.getfixturevalue("vm")
    more = ["--tcp", "0"] if way == "socket" else []
    device = subprocess.Popen(
        [*COMMAND, "device", "--target", target, *more], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    try:
        url = device.stdout.readline().strip()
        assert url.startswith("socket://127.0.0.1:" if way == "socket" else "/dev/")
        record = tmp_path / "live.jsonl"
        words = [
            "run",
            str(leak_file),
            "--target",
            url,
            "--speed",
            str(SPEED),
            "--patience",
            str(HANG_S),
            "--record",
            str(record),
            "--json",
        ]
        done = cabinwatch(*words)
        assert done.returncode == 0, done.stderr + done.stdout
        found = json.loads(done.stdout)
        codes = [e["code"] for e in found["events"]]
        assert "boot" in codes
        assert "sensor_lost" not in codes, "a transducer that answers at once is no event: SEN-08"
        assert found["final"]["health"] == "ok"
        assert "emergency" in [e["class"] for e in found["events"] if e["code"] == "alarm"]
        assert found["link"]["frames"] >= SECONDS / POLL_S / LEAD, "the world waits for a slow device"
        assert found["link"]["crc_errors"] == found["link"]["resyncs"] == 0
        assert found["wall_s"] >= SECONDS / SPEED, "in real time"
        transcript = read(record)
        assert transcript.header["live"]
        assert not transcript.cut
        again = cabinwatch("replay", str(record))
        assert again.returncode == 2
        assert "was recorded live" in again.stderr
    finally:
        device.kill()
        device.wait()
        device.stdout.close()


class Peer:
    """Something at the other end of a socket that is no monitor: ``act(connection)`` runs in a thread."""

    def __init__(self, act):
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.url = f"socket://127.0.0.1:{self.sock.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve, args=(act,), daemon=True)
        self.thread.start()

    def _serve(self, act):
        connection, _ = self.sock.accept()
        with connection:
            act(connection)

    def close(self):
        self.thread.join(HANG_S)
        self.sock.close()


def play(port, patience_s=HANG_S, recorder=None, **options):
    world = World(scenarios.parse(LEAK, "leak.toml"), 1)
    Live(world, port, recorder or Recorder(), **options).run(SECONDS * 1000, patience_s=patience_s)


def play_at(url, recorder=None):
    with open_port(url, 115200) as port:
        play(port, recorder=recorder)


class Said:
    """A port on which ``chunks`` come, one a look, and then nothing; its clock ticks at each look."""

    name = "script://"
    baudrate = 115200
    in_waiting = 1

    def __init__(self, *chunks, look_s=0.02):
        self.chunks = list(chunks)
        self.look_s = look_s
        self.now = 0.0

    def clock(self):
        return self.now

    def read(self, n):
        self.now += self.look_s
        return self.chunks.pop(0) if self.chunks else b""

    def write(self, data):
        pass


def boot_frames():
    frames = []
    monitor = Monitor(lambda buf, n: frames.append(bytes(buf[:n])))
    monitor.boot(0)
    monitor.step(0, b"", 0)
    return b"".join(frames)


def say_until_answered(connection, data):
    """Say it again and again: opening a port throws away what came in before."""
    connection.settimeout(0.02)
    while True:
        try:
            connection.sendall(data)
            return connection.recv(10)
        except TimeoutError:
            continue
        except OSError:
            return b""
        finally:
            connection.settimeout(None)


def wait_for_hang_up(connection):
    while connection.recv(1024):
        pass


def test_a_silent_port_is_one_clear_message():
    port = Said()
    with pytest.raises(SetupError, match=r"nothing came from .* in 0.3 s. Is the monitor flashed"):
        play(port, 0.3, clock=port.clock)


def test_a_port_that_speaks_garbage_is_one_clear_message():
    garbage = b"\0login: guest\r\n$ \0\x05abcd\0" * 4
    port = Said(garbage, garbage)
    with pytest.raises(SetupError, match=r"octets came from .* no good frame among them") as refused:
        play(port, 0.5, clock=port.clock)
    assert "(first: " in str(refused.value), "it shows what it heard"


def test_a_device_that_falls_silent_in_mid_run_is_given_up(tmp_path):
    port = Said(boot_frames())
    recorder = Recorder(tmp_path / "r.jsonl", {})
    with pytest.raises(TargetDied, match="fell silent at"):
        play(port, 0.3, recorder, clock=port.clock)
    recorder.close()
    assert boot_frames() in b"".join(step.tx for step in read(tmp_path / "r.jsonl").steps)


def test_a_node_that_is_held_up_holds_the_world_up():
    port = Said(boot_frames(), b"", b"", boot_frames(), look_s=POLL_S)
    with pytest.raises(TargetDied, match=f"fell silent at {(3 + LEAD) * POLL_S}.0 s"):
        play(port, 100, clock=port.clock)


def test_a_board_that_drops_out_of_the_firmware_shows_its_traceback():
    def crash(connection):
        say_until_answered(connection, boot_frames())
        connection.sendall(b'Traceback (most recent call last):\r\n  File "main.py", line 7\r\n')
        connection.sendall(b"MemoryError: \r\nMicroPython v1.9.2; micro:bit\r\n>>> ")
        wait_for_hang_up(connection)

    peer = Peer(crash)
    with pytest.raises(TargetDied, match="dropped out of the firmware") as died:
        play_at(peer.url)
    assert '  | Traceback (most recent call last):\n  |   File "main.py", line 7\n  | MemoryError' in str(
        died.value
    )
    assert str(died.value).count("Traceback") == 1
    peer.close()


def test_a_loop_is_not_a_monitor():
    with (
        open_port("loop://", 115200) as port,
        pytest.raises(SetupError, match=r"nothing came from loop://"),
    ):
        play(port, 0.2)


def test_a_device_that_hangs_up_in_mid_run_keeps_its_recording(tmp_path):
    peer = Peer(lambda connection: say_until_answered(connection, boot_frames()))
    recorder = Recorder(tmp_path / "r.jsonl", {})
    with pytest.raises(TargetDied, match=r"is gone|hung up|refused|Broken|reset"):
        play_at(peer.url, recorder)
    recorder.close()
    assert boot_frames() in b"".join(step.tx for step in read(tmp_path / "r.jsonl").steps)
    peer.close()


def test_a_silent_device_from_the_command_line(tmp_path, leak_file, monkeypatch, capsys):
    """A real pty with nobody behind it."""
    import pty
    import tty

    from cabinwatch.cli import main as cli

    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    try:
        words = ["run", str(leak_file), "--target", os.ttyname(theirs), "--patience", "0.3"]
        monkeypatch.setattr(sys, "argv", ["cabinwatch", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert end.value.code == 2
        err = capsys.readouterr().err
        assert "nothing came from /dev/" in err
        assert "in 0.3 s" in err, "the patience that was asked for"
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            {"device": {"faults": [{"kind": "reset", "at": 20}]}},
            r"\[\[device.faults\]\] reset: nothing does that",
        ),
        ({"resets": [20]}, "resets: nothing does that to the live node"),
        ({"device": {"faults": [{"kind": "slow_host", "by_ms": 5}]}}, ""),
    ],
)
def test_what_nobody_does_to_a_live_node_is_refused(more, says):
    scenario = Scenario.model_validate(
        {"title": "t", "duration": 60, "cabin": {"compartments": {"c": {"volume": 1}}}, **more}
    )
    with pytest.raises(UsageError, match=says) if says else contextlib.nullcontext():
        check_live(scenario, "/dev/ttyACM0")


def test_what_a_speed_makes_rarer_is_said():
    scenario = Scenario.model_validate(
        {"title": "t", "duration": 60, "cabin": {"compartments": {"c": {"volume": 1}}}}
    )
    assert told_of_speed(scenario, 1) == told_of_speed(scenario, 10) == []
    poll, hk = told_of_speed(scenario, 1000)
    assert "At --speed 1000 its poll_period is 1 min 40 s of the world, not 1 s: 100 ms is the least" in poll
    assert "hk_period is 16 min 40 s" in hk


def test_a_run_on_a_console_names_the_right_port():
    port = Said(b"\r\nMicroPython v1.29 on 2026-01-01; Pico\r\n>>> ")
    with pytest.raises(SetupError, match=r"is a board's console .* serial adapter"):
        play(port, 0.3, clock=port.clock)
