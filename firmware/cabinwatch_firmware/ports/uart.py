"""The port for boards with a ``machine.UART``: rp2, esp32, stm32. A board's main.py is one call of `run`.

The link is a UART of its own, so the console stays free and Ctrl-C still works there. The boot event goes to
the console too: whoever flashes the board sees it answer without a cable on the link.
"""

import os
import select
import sys
import time

import machine

from cabinwatch_firmware.ports.files import Files
from cabinwatch_firmware.ports.key_file import make_monitor, make_transducer
from cabinwatch_firmware.signals import ACKNOWLEDGED, BEAT_MS, BEATS, BLIND, lit, pattern, sounds
from cabinwatch_protocol.device.consts import (
    APID_TRANSDUCER,
    RESET_COMMANDED,
    RESET_EXTERNAL,
    RESET_POWER_ON,
    RESET_WATCHDOG,
    RX_MAX,
)

MARK = "reset.cause"  # a file, since no reset keeps RAM on all boards; also written by cabinwatch flash
NAP_MS = 1000  # the longest wait: well within the shortest watchdog


def feed():
    """Feed the watchdog; `run` puts the real one here. cabinwatch flash calls it while it copies."""


class Direct:
    """A monitor and a transducer on one board, on a link in RAM. Their frames go out on the UART as well.

    Steps like one node. Only requests cross over to the transducer, and everything it sends to the monitor,
    so neither queue ever holds more than two frames.
    """

    def __init__(self, sink, sensor):
        self.sink = sink
        self.monitor = make_monitor(self.sent)
        self.transducer = make_transducer(self.measured, sensor)
        self.asked = bytearray(2 * RX_MAX)
        self.told = bytearray(4 * RX_MAX)
        self.part = bytearray(RX_MAX)
        self.n_asked = 0
        self.n_told = 0
        self.rebooting = False

    def sent(self, buf, n):
        self.sink(buf, n)
        # The first two octets of a packet are never zero here, so COBS leaves them as they are.
        if buf[2] == 0x18 and buf[3] == APID_TRANSDUCER & 255:
            self.n_asked = self.add_to(self.asked, self.n_asked, buf, n)

    def measured(self, buf, n):
        self.sink(buf, n)
        self.n_told = self.add_to(self.told, self.n_told, buf, n)

    def add_to(self, queue, k, buf, n):
        """Add a frame behind the k octets in the queue; a frame that does not fit is lost, as on a real
        link."""
        if k + n > len(queue):
            return k
        i = 0
        while i < n:
            queue[k + i] = buf[i]
            i += 1
        return k + n

    def boot(self, cause):
        self.n_asked = 0
        self.n_told = 0
        self.transducer.boot(cause)
        self.monitor.boot(cause)

    def step(self, elapsed_ms, rx, n):
        self.transducer.step(elapsed_ms, rx, n)
        wake = self.monitor.step(elapsed_ms, rx, n)
        while self.n_asked or self.n_told:
            k = self.n_asked
            self.n_asked = 0
            self.give(self.transducer, self.asked, k)
            k = self.n_told
            self.n_told = 0
            wake = self.give(self.monitor, self.told, k)
        self.rebooting = self.monitor.rebooting
        return wake

    def give(self, node, queue, n):
        """Hand the n octets over in parts that a node takes; return its last wake time."""
        part = self.part
        i = 0
        wake = node.step(0, part, 0)
        while i < n:
            k = 0
            while k < RX_MAX and i < n:
                part[k] = queue[i]
                k += 1
                i += 1
            wake = node.step(0, part, k)
        return wake


class Port:
    """Serves one node on a stream with the calls of ``machine.UART``; nothing is allocated once it runs.

    The lamp and the buzzer (pins or None) show the state of `shown`: the node, or the monitor in it.
    """

    def __init__(self, uart, lamp, buzzer):
        self.uart = uart
        self.lamp = lamp
        self.buzzer = buzzer
        self.rx = bytearray(RX_MAX)
        self.console = None
        self.node = self.shown = None
        self.alarms = False
        self.poller = select.poll()
        self.poller.register(uart, select.POLLIN)

    def sink(self, buf, n):
        i = 0
        while i < n:
            i += self.uart.write(buf, i, n - i) or 0
        if self.console:
            self.console.write(buf, n)

    def boot(self, cause):
        """Start the node; its boot event is on the link and on the console when this returns."""
        self.console = sys.stdout.buffer
        if self.node is self.shown:
            Files("monitor" if self.alarms else "transducer").attach(self.node)
        else:
            Files("monitor").attach(self.node.monitor)
            Files("transducer").attach(self.node.transducer)
        self.node.boot(cause)
        self.console = None
        self.last = time.ticks_ms()
        self.wake = 0

    def turn(self):
        """Wait for octets or for the node's wake time, and step it once."""
        wait = self.wake if self.wake < NAP_MS else NAP_MS
        if wait > BEAT_MS and self.pattern():
            wait = BEAT_MS
        for _ in self.poller.ipoll(wait):
            pass
        n = self.uart.readinto(self.rx, RX_MAX) or 0
        now = time.ticks_ms()
        self.wake = self.node.step(time.ticks_diff(now, self.last), self.rx, n)
        self.last = now
        feed()
        self.show(now // BEAT_MS % BEATS)
        if self.node.rebooting:
            mark(RESET_COMMANDED)
            machine.reset()

    def pattern(self):
        """What lamp and buzzer show; a transducer has nothing but its own fault."""
        node = self.shown
        if self.alarms:
            return pattern(node)
        return ACKNOWLEDGED + BLIND if node.health else 0

    def show(self, beat):
        shown = self.pattern()
        if self.lamp:
            self.lamp.value(1 if shown and lit(shown, beat) else 0)
        if self.buzzer:
            self.buzzer.value(1 if self.alarms and sounds(self.shown, shown, beat) else 0)


def mark(cause):
    """Leave word for the next boot why there was a reset; a full or read-only disk must not prevent the
    reset."""
    try:
        with open(MARK, "w") as f:
            f.write(str(cause))
    except OSError:
        pass


def why():
    """The cause for the boot event: what was left word of, or else what the hardware knows."""
    try:
        with open(MARK) as f:
            cause = f.read()
        os.remove(MARK)
        return int(cause)
    except (OSError, ValueError):
        pass
    cause = machine.reset_cause()
    if cause == machine.PWRON_RESET:
        return RESET_POWER_ON
    if cause == getattr(machine, "WDT_RESET", -1):
        return RESET_WATCHDOG
    return RESET_EXTERNAL


def open_sensor(number, sda, scl):
    """A BMP280 on hardware I2C, or on the port's default pins where they are None."""
    from cabinwatch_firmware.drivers.bmp280 import BMP280

    pins = {} if sda is None else {"sda": machine.Pin(sda), "scl": machine.Pin(scl)}

    def free():
        # A chip cut off in mid-byte holds SDA until it has seen the rest of its nine clocks.
        if scl is None:
            return
        pin = machine.Pin(scl, machine.Pin.OPEN_DRAIN, value=1)
        for i in range(18):
            pin.value(i & 1)
            time.sleep_us(5)
        sensor.i2c = machine.I2C(number, freq=100000, **pins)

    sensor = BMP280(machine.I2C(number, freq=100000, **pins), 0, free)
    sensor.read()
    time.sleep_ms(50)
    sensor.read()
    return sensor


def run(
    role="monitor",
    uart=1,
    tx=None,
    rx=None,
    i2c=None,
    sda=None,
    scl=None,
    lamp=None,
    buzzer=None,
    watchdog_ms=8000,
):
    """Serve for ever; a power failure, a fault and a command all end in a reset, and this starts again.

    `role`: ``monitor`` (polls its transducer over the link, or samples a BMP280 itself if `i2c` is given) or
    ``transducer`` (needs `i2c`). `i2c` is the bus number or name. Pins are what ``machine.Pin`` takes, None
    is the port's default, or none for lamp and buzzer. `watchdog_ms` 0 is no watchdog.
    """
    global feed
    pins = {} if tx is None else {"tx": machine.Pin(tx), "rx": machine.Pin(rx)}
    port = Port(
        machine.UART(uart, 115200, timeout=0, rxbuf=256, **pins),
        None if lamp is None else machine.Pin(lamp, machine.Pin.OUT),
        None if buzzer is None else machine.Pin(buzzer, machine.Pin.OUT),
    )
    port.alarms = role == "monitor"
    if not port.alarms:
        port.node = port.shown = make_transducer(port.sink, open_sensor(i2c, sda, scl))
    elif i2c is None:
        port.node = port.shown = make_monitor(port.sink)
    else:
        port.node = Direct(port.sink, open_sensor(i2c, sda, scl))
        port.shown = port.node.monitor
    if watchdog_ms and hasattr(machine, "WDT"):
        feed = machine.WDT(timeout=watchdog_ms).feed
    port.boot(why())
    try:
        while True:
            port.turn()
    except Exception as e:
        # Not Ctrl-C, so a fault in the firmware: as good as a watchdog, and sooner.
        sys.print_exception(e)
        mark(RESET_WATCHDOG)
        machine.reset()
