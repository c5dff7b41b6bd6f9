"""Timing port for the micro:bit in QEMU: plays the steps in the file "step" and prints how long each took.

Nothing comes in from outside, so under a counted clock the figures are the same in every run. The file: for
each step n, elapsed_ms (4 octets, big-endian), n octets. Printed for each step: microseconds, octets sent.
Every string here is one that the board knows, so that this port too is compiled off the board. Sending is not
part of the time: the line's pace is added by the host.
"""

from microbit import uart
from utime import ticks_diff, ticks_us

from cabinwatch_firmware.monitor import Monitor
from cabinwatch_protocol.device.consts import RESET_POWER_ON


def sink(buf, n):
    global sent
    sent += n


def run():
    play(Monitor(sink))


def play(m):
    """Time that monitor's steps."""
    global sent
    sent = 0
    uart.init(115200)
    m.boot(RESET_POWER_ON)
    m.step(0, "", 0)
    steps = open("step", "b")
    while True:
        head = steps.read(5)
        if not head:
            break
        rx = steps.read(head[0])
        elapsed = head[1] << 24 | head[2] << 16 | head[3] << 8 | head[4]
        sent = 0
        then = ticks_us()
        m.step(elapsed, rx, head[0])
        then = ticks_diff(ticks_us(), then)
        print()
        print("", then, sent)
    print("end")
    while True:  # an end would bring up the REPL
        pass
