"""The same driver on the real MicroPython VM: same registers, same results, and not one byte allocated."""

import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from cabinwatch.sources import folder
from cabinwatch.targets.micropython import INSTALL, find_vm
from cabinwatch.world.chips.bmp280 import Bmp280Chip
from cabinwatch.world.chips.i2c import FakeI2C
from cabinwatch_firmware.drivers.bmp280 import BMP280
from conftest import missing

FIRMWARE = folder("cabinwatch_firmware").parent

# Plays recorded register dumps to the driver. The loop runs with the heap locked: an allocation is a
# MemoryError.
PLAYER = """
import sys, micropython
sys.path.insert(0, %r)
from cabinwatch_firmware.drivers.bmp280 import BMP280

DUMPS = [%s]

class Bus:
    def __init__(self):
        self.dump = None
    def readfrom_mem_into(self, address, register, buffer):
        if self.dump is None:
            raise NACK
        i = 0
        while i < len(buffer):
            buffer[i] = self.dump[register + i]
            i += 1
    def writeto_mem(self, address, register, buffer):
        pass

NACK = OSError(19)
bus = Bus()
driver = BMP280(bus, 0x76)
results = [0] * (3 * len(DUMPS))

def play():
    i = 0
    while i < len(DUMPS):
        bus.dump = DUMPS[i]
        driver.read()
        results[3 * i] = driver.status
        results[3 * i + 1] = driver.pressure_cPa
        results[3 * i + 2] = driver.temperature_cK
        i += 1

micropython.heap_lock()
try:
    play()
finally:
    micropython.heap_unlock()
print(results)
"""


class Recorder(FakeI2C):
    """Keeps what the whole register file was at each reading."""

    def dump(self) -> bytes:
        return bytes(self.chips[0x76].read_register(r) for r in range(256))


class Player:
    """The VM's bus once more, for CPython."""

    def __init__(self, dump: bytes | None) -> None:
        self.dump = dump

    def readfrom_mem_into(self, address: int, register: int, buffer: bytearray) -> None:
        if self.dump is None:
            raise OSError(19)
        buffer[:] = self.dump[register : register + len(buffer)]

    def writeto_mem(self, address: int, register: int, buffer: bytes) -> None:
        pass


def micropython() -> str:
    found = find_vm()
    if found is None:
        missing("the MicroPython VM", INSTALL)
    assert found
    return found


def on_cpython(dumps: list[bytes | None]) -> list[int]:
    bus = Player(None)
    driver = BMP280(bus, 0x76)
    results = []
    for bus.dump in dumps:
        driver.read()
        results += [driver.status, driver.pressure_cPa, driver.temperature_cK]
    return results


def on_micropython(dumps: list[bytes | None]) -> list[int]:
    script = PLAYER % (str(FIRMWARE), ",".join(repr(d) for d in dumps))
    run = subprocess.run([micropython(), "-X", "heapsize=4m", "-c", script], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr + run.stdout
    return [int(n) for n in run.stdout.strip()[1:-1].split(",")]


def record(seed: int, truths: list[tuple[float, float] | None]) -> list[bytes | None]:
    """Register dumps of a chip set up as the driver would, at true (Pa, K); `None` is a chip that is away."""
    chip = Bmp280Chip(seed=seed)
    bus = Recorder({0x76: chip})
    driver = BMP280(bus, 0x76)
    dumps: list[bytes | None] = []
    for truth in truths:
        bus.shorted = truth is None
        if truth is not None:
            chip.pressure_Pa, chip.temperature_K = truth
        chip.advance(1000)
        dumps.append(None if truth is None else bus.dump())
        driver.read()
    return dumps


TRUTHS = st.none() | st.tuples(st.floats(20000.0, 120000.0), st.floats(230.0, 360.0))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1 << 30), st.lists(TRUTHS, min_size=1, max_size=60))
def test_the_vm_gives_what_cpython_gives(seed: int, truths: list[tuple[float, float] | None]) -> None:
    dumps = record(seed, [(101325.0, 295.0), *truths])
    assert on_micropython(dumps) == on_cpython(dumps)


def test_the_datasheet_s_example_on_the_vm() -> None:
    registers = bytearray(256)
    registers[0xD0] = 0x58
    registers[0xF4:0xF6] = b"\x57\x08"
    registers[0x88:0xA0] = Bmp280Chip().calibration.registers()
    registers[0xF7:0xFD] = (415148 << 4).to_bytes(3, "big") + (519888 << 4).to_bytes(3, "big")
    assert on_micropython([bytes(registers)] * 2)[3:] == [0, 10065325, 29823]
