"""The flattened, minified, renamed source computes what the packages compute: on CPython and in the MicroPython VM."""

import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cabinwatch.board.build.image import build_image
from cabinwatch.targets.cpython import CpythonTarget
from cabinwatch.targets.lockstep import Wire
from cabinwatch.targets.micropython import INSTALL, find_vm
from cabinwatch_protocol import host
from cabinwatch_protocol.table import RX_MAX, TC_PACKETS, Apid
from conftest import missing

# The board's modules, as far as the lock-step port uses them, on the process's own streams.
MICROBIT = """
import sys
class uart:
    def init(baud): pass
    def readinto(buf, n): return sys.stdin.buffer.readinto(memoryview(buf)[:n]) or sys.exit()
    def write(data):
        sys.stdout.buffer.write(data)
        if hasattr(sys.stdout.buffer, 'flush'): sys.stdout.buffer.flush()
"""
MICROPYTHON = "def kbd_intr(n): pass\ndef opt_level(n): pass\n"


@contextmanager
def served(command, folder):
    """The image's files run by ``command``: the host's end of the lock-step stream."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [*command, "main.py"], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, cwd=folder
    )
    theirs.close()
    wire = Wire(ours, lambda: process.communicate(timeout=5)[1].decode())
    try:
        yield wire
    finally:
        wire.close()
        process.kill()
        process.communicate()


@pytest.fixture(scope="module", params=["cpython", "micropython"])
def wire(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("flat")
    for name, content in build_image(port="lockstep", in_flash=False).files.items():
        (folder / name).write_bytes(content)
    (folder / "microbit.py").write_text(MICROBIT)
    command = [sys.executable]
    if request.param == "micropython":
        if find_vm() is None:
            missing("the MicroPython VM", INSTALL)
        command = [find_vm()]
    else:
        (folder / "micropython.py").write_text(MICROPYTHON)
    with served(command, folder) as end:
        end.answer()
        yield end


RANGES = {"B": (0, 255), "H": (0, 65535), "I": (0, 2**32 - 1), "i": (-(2**31), 2**31 - 1)}


@st.composite
def telecommands(draw):
    """Any telecommand, mostly a sensible one."""
    packet = draw(st.sampled_from(TC_PACKETS))
    values = {f.name: draw(st.integers(0, 40) | st.integers(*RANGES[f.code])) for f in packet.fields}
    return host.seal(
        host.encode_tc(
            packet, Apid.MONITOR, draw(st.integers(0, 3)), values, ack=draw(st.sampled_from([9, 15]))
        )
    )


rx = st.one_of(st.binary(max_size=RX_MAX), telecommands())


@given(st.lists(st.tuples(st.integers(0, 90_000), rx), max_size=30))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_flat_source_gives_the_bytes_of_the_packages(wire, steps):
    packages = CpythonTarget()
    packages.start()
    wire.storage.erase()
    assert wire.reset() == packages.reset()
    for elapsed_ms, octets in steps:
        assert wire.step(elapsed_ms, octets) == packages.step(elapsed_ms, octets)
