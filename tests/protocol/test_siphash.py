"""SipHash-2-4 of the device and of the host: the authors' vectors, and an independent library as oracle."""

import subprocess

import pytest
import siphash24
from hypothesis import given
from hypothesis import strategies as st

from cabinwatch.sources import import_path
from cabinwatch.targets.micropython import find_vm
from cabinwatch_protocol import keys
from cabinwatch_protocol.device import siphash as device

KEY = bytes(range(16))
PUBLISHED = {0: "310e0edd47db6f72", 1: "fd67dc93c539f874", 15: "e545be4961ca29a1", 63: "724506eb4c328a95"}
"""Tags of 00 01 02 ... under KEY, by length, as in the reference implementation's vectors.h; 15 is the paper's."""


def on_device(key, message, before=0):
    """The device's tag of a message that stands in the middle of a buffer, under a key that does too."""
    out = bytearray(8)
    buf = bytes(before) + message + b"\xa5" * 8
    device.siphash(b"\x5a" + key, 1, buf, before, before + len(message), out)
    return bytes(out)


@pytest.mark.parametrize("length", PUBLISHED)
def test_published_vectors(length):
    message = bytes(range(length))
    assert on_device(KEY, message).hex() == keys.siphash(KEY, message).hex() == PUBLISHED[length]


@given(st.binary(min_size=16, max_size=16), st.binary(max_size=300), st.integers(0, 9))
def test_both_agree_with_an_independent_library(key, message, before):
    tag = siphash24.siphash24(message, key=key).digest()
    assert on_device(key, message, before) == tag
    assert keys.siphash(key, message) == tag


PROGRAM = """
from cabinwatch_protocol.device.siphash import siphash
import micropython
key, buf, out, state = bytearray(16), bytearray(64), bytearray(8), bytearray(8)
def fill(b, n):
    i = 0
    while i < n:
        b[i] = state[0] ^ i * 7 & 255
        state[0] = state[0] * 5 + 1 & 255
        i += 1
def work():
    n = 0
    while n < 64:
        fill(key, 16)
        fill(buf, n)
        micropython.heap_lock()
        siphash(key, 0, buf, 0, n, out)
        micropython.heap_unlock()
        print(bytes(key).hex(), bytes(buf[:n]).hex() or "-", bytes(out).hex())
        n += 1
work()
"""


def test_the_virtual_machine_agrees_and_allocates_nothing():
    vm = find_vm()
    if vm is None:
        pytest.skip("no MicroPython VM here")
    done = subprocess.run(
        [vm, "-c", PROGRAM], env={"MICROPYPATH": import_path()}, capture_output=True, text=True, timeout=60
    )
    assert not done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == 64
    for key, message, tag in lines:
        data = bytes.fromhex(message.strip("-"))
        assert siphash24.siphash24(data, key=bytes.fromhex(key)).digest().hex() == tag
