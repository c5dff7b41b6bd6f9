"""A device that is served over TCP outlives any client; a port has one owner."""

import socket
import struct
import subprocess
import sys
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest

import peer
from cabinwatch.errors import SetupError
from cabinwatch.targets.device import pty
from cabinwatch.targets.serial_port import open_port
from cabinwatch_protocol import host

COMMAND = [sys.executable, "-m", "cabinwatch", "device", "--tcp", "0", "--target"]


@contextmanager
def served(target):
    with subprocess.Popen(
        [*COMMAND, target], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            url = urlsplit(process.stdout.readline().strip())
            yield process, (url.hostname, url.port)
        finally:
            process.terminate()


def flood_and_reset(address):
    """Ask and ask, read no answer until the other end is held up in one, and go without a goodbye (RST)."""
    pings = b"".join(peer.tc("ping", sequence=n) for n in range(64))
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        client.settimeout(60)
        client.connect(address)
        client.settimeout(0.5)
        with suppress(TimeoutError):
            while True:
                client.send(pings)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("target", ["cpython", "micropython"])
def test_a_client_that_floods_and_resets_is_followed_by_the_next(target, request):
    if target == "micropython":
        request.getfixturevalue("vm")
    with served(target) as (process, address):
        flood_and_reset(address)
        with socket.create_connection(address, timeout=60) as client:
            decoder = host.StreamDecoder()
            verdicts = []
            while host.Verdict.OK not in verdicts:
                octets = client.recv(4096)
                assert octets, process.stderr.read()
                verdicts += [frame.verdict for frame in decoder.feed(octets)]
        assert process.poll() is None


def test_a_port_has_one_owner():
    refused = pytest.raises(SetupError, match="is in use by another program")
    with pty() as (_, path), open_port(path, 115_200), refused:
        open_port(path, 115_200)
    with pty() as (_, path):
        open_port(path, 115_200).close()
        open_port(path, 115_200).close()
