"""Only garbage on a line: every command says so within two seconds, and what it may be."""

import os
import random
import re
import socket
import subprocess
import sys
import threading

import pytest

from cabinwatch.targets.unframed import HEARD_S, Unframed

COMMANDS = {
    "run": (["run", "ms09", "--target"], 2),
    "monitor": (["monitor"], 2),
    "soak": (["soak", "--target"], 2),
    "conform": (["conform"], None),
    "decode": (["decode"], None),
}
"""The words before the port, and the exit code; None where the command goes on: that is what it is for."""


@pytest.fixture
def garbage():
    """The URL of a line that brings random octets without end, as a wrong baud rate does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def speak():
            connection, _ = server.accept()
            draw = random.Random(1)
            with connection:
                while not stop.wait(0.02):
                    try:
                        connection.sendall(draw.randbytes(40))
                    except OSError:
                        return

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        yield f"socket://127.0.0.1:{server.getsockname()[1]}"
        stop.set()


@pytest.mark.parametrize("name", COMMANDS)
def test_garbage_is_named(garbage, name):
    words, code = COMMANDS[name]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "cabinwatch", *words, garbage],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    ) as process:
        for line in process.stdout:
            if re.search(r"[\d,]+ octets, no frame among them: another baud rate\?", line):
                break
        else:
            pytest.fail(f"nothing was said; exit code {process.wait()}")
        if code is None:
            process.terminate()
        assert process.wait(60) == (130 if code is None else code)


def heard_at(arrivals, framed=()):
    """When it speaks, of octets that come at these times; None where it does not."""
    now_s = 0.0
    line = Unframed("port", lambda: now_s)
    for now_s in arrivals:
        if line.hear(b"\xa5\x5a", now_s in framed):
            return now_s
    return None


def test_it_speaks_within_two_seconds_once():
    assert heard_at([n / 50 for n in range(200)]) == HEARD_S < 2
    assert heard_at([0.0, 1.0, 2.0]) == 2.0, "bursts a second apart"
    assert heard_at([5.0, 5.1, 7.0]) == 7.0, "from the first octet on"
    assert heard_at([0.0, 1.0, 2.0, 3.0], framed=(1.0,)) is None
    assert heard_at([0.0]) is None, "a line that has said one thing may be slow"
