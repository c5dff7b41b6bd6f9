"""Run by the MicroPython VM: a monitor and a transducer talk to each other with the heap locked: no step allocates.

Prints what was done, or at which step and of what kind an allocation was tried. Argument: the number of steps.
"""

import gc
import sys

import micropython

from cabinwatch_firmware.keyed_monitor import KeyedMonitor
from cabinwatch_firmware.keyed_transducer import KeyedTransducer
from cabinwatch_firmware.monitor import Monitor
from cabinwatch_firmware.transducer import Transducer
from cabinwatch_protocol.device.consts import (
    APID_MONITOR,
    ASSOCIATION_COMMAND,
    COMMAND_TRAILER,
    PERFORM_ARGUMENT,
    PERFORM_FUNCTION,
    REPORT_HK_N,
    REPORT_HK_SID,
    SET_PARAMETER_N,
    SET_PARAMETER_PARAMETER,
    SET_PARAMETER_VALUE,
    TC_MIN,
    TC_SOURCE,
    TM_LENGTH,
)
from cabinwatch_protocol.device.node import Node
from cabinwatch_protocol.device.siphash import siphash

STEP_MS = 250
COMMANDS = bytes((17, 1, 0, 3, 27, 2, 20, 1, 2, 20, 3, 6, 8, 1, 3, 3, 5, 2, 3, 6, 2))
"""Service, subtype, octets of data of the ground's telecommands, in turn."""


class Queue:
    """Octets on their way, in a buffer made once."""

    def __init__(self):
        self.buf = bytearray(512)
        self.n = 0

    def put(self, buf, n):
        i = 0
        while i < n:
            self.buf[self.n] = buf[i]
            self.n += 1
            i += 1


class Sensor:
    def __init__(self):
        self.pressure_cPa = 10132500
        self.temperature_cK = 29500
        self.status = 0
        self.fall = 0
        self.k = 0

    def read(self):
        self.k = self.k * 1103 + 12345 & 0xFFFF
        self.pressure_cPa += (self.k >> 8) - 128 - self.fall
        if self.pressure_cPa < 6000000:
            self.pressure_cPa = 10132500


KEY = bytes(range(48))


def renew(vault):
    """One session will do here."""


class World:
    def __init__(self, keyed):
        self.up = Queue()
        self.down = Queue()
        self.sent = 0
        self.kinds = [0] * 256
        self.sensor = Sensor()
        self.keyed = keyed
        self.tag = bytearray(8)
        if keyed:
            self.monitor = KeyedMonitor(self.from_monitor, KEY, renew)
            self.transducer = KeyedTransducer(self.from_transducer, self.sensor, KEY[:32], renew)
        else:
            self.monitor = Monitor(self.from_monitor)
            self.transducer = Transducer(self.from_transducer, self.sensor)
        self.ground = Node(self.from_ground, APID_MONITOR, b"", (), 0)
        self.k = 0
        self.n = 0

    def from_monitor(self, buf, n):
        self.sent += 1
        self.kinds[n] += 1
        self.up.put(buf, n)

    def from_transducer(self, buf, n):
        self.down.put(buf, n)

    def from_ground(self, buf, n):
        self.down.put(buf, n)

    def command(self):
        k = self.k
        g = self.ground
        g.begin(0x1800 | APID_MONITOR, self.n & 0x3FFF, 0x29, COMMANDS[k], COMMANDS[k + 1])
        self.n += 1
        g.set(TC_SOURCE, 0)
        service = COMMANDS[k]
        if service == 8:
            g.set(PERFORM_FUNCTION, 1)
            g.set(PERFORM_ARGUMENT, 0)
        elif service == 20:
            g.set(SET_PARAMETER_N, 1)
            g.set(SET_PARAMETER_PARAMETER, 3)
            if COMMANDS[k + 1] == 3:
                g.set(SET_PARAMETER_VALUE, 10000)
        elif COMMANDS[k + 2] == 2:
            g.set(REPORT_HK_N, 1)
            g.set(REPORT_HK_SID, 1)
        size = TC_MIN + COMMANDS[k + 2]
        # One in sixteen has no trailer.
        if self.keyed and self.n & 15 and (service == 8 or COMMANDS[k + 1] in (3, 5, 6)):
            size = self.sign(size)
        g.send(size)
        self.k = (k + 3) % 21

    def sign(self, size):
        """Put a trailer behind the packet; its size with it."""
        tx = self.ground.tx
        counter = self.n
        self.ground.set(TM_LENGTH, size + COMMAND_TRAILER - 7)
        tx[size] = ASSOCIATION_COMMAND
        for i in range(4):
            tx[size + 4 - i] = counter & 255
            counter >>= 8
        tag = size + COMMAND_TRAILER - 8
        for i in range(8):
            tx[tag + i] = self.monitor.vault[i]
        siphash(KEY, 0, tx, 2, tag + 8, self.tag)
        for i in range(8):
            tx[tag + i] = self.tag[i]
        return size + COMMAND_TRAILER

    def feed(self, node, queue, ms):
        """Hand over what is queued; the step interface takes 48 octets at most, so long trains go in parts."""
        n = queue.n
        queue.n = 0
        if n <= 48:
            node.step(ms, queue.buf, n)
            return
        node.step(ms, queue.buf, 48)
        i = 48
        while i < n:
            queue.buf[i - 48] = queue.buf[i]
            i += 1
        node.step(0, queue.buf, n - 48 if n < 97 else 48)

    def run(self, steps):
        i = 0
        while i < steps:
            self.i = i
            if i % 7 == 0:
                self.command()
            if i % 50 == 0:
                self.from_ground(NOISE, len(NOISE))
            self.feed(self.monitor, self.down, STEP_MS)
            self.feed(self.transducer, self.up, STEP_MS)
            i += 1


NOISE = b"\x00\x05abc\x00\x03\x11\x12\x13\x00"


def main(steps, fall, keyed):
    w = World(keyed)
    w.monitor.boot(0)
    w.transducer.boot(0)
    # Warm-up: every path once, then long enough that the detector knows what quiet is.
    w.run(400)
    w.sensor.fall = 20000
    w.run(200)
    w.sensor.fall = 0
    w.run(8000)
    w.sensor.fall = fall
    before = w.sent
    gc.collect()
    micropython.heap_lock()
    try:
        w.run(steps)
    finally:
        micropython.heap_unlock()
    m = w.monitor
    print(
        "frames",
        w.sent - before,
        "reports",
        w.kinds[63],
        "commands",
        w.n,
        "alarm",
        m.cabin.cls,
        "health",
        m.health,
        "accepted",
        m.counter if keyed else 0,
        "refused",
        m.refused if keyed else 0,
    )
    print("counts", m.count)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] == ["keyed"])
