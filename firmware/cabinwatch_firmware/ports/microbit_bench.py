"""Timing port for the micro:bit in QEMU: takes steps from the UART and prints how long each took.

A step comes in before it is timed, so under a counted clock the figures are the same in every run. To the board, when
it has printed "end": n, elapsed_ms (4 octets, big-endian), n octets. Printed for each step: microseconds, octets sent.
Every string here is one that the board knows, so that this port too is compiled off the board. Sending is not
part of the time: the line's pace is added by the host.
"""

from microbit import uart
from utime import ticks_diff, ticks_us

from cabinwatch_firmware.monitor import Monitor
from cabinwatch_protocol.device.consts import RESET_POWER_ON, RX_MAX

HEAD = 5


def sink(buf, n):
    global sent
    sent += n


def take(buf, n):
    """Take n octets from the host."""
    k = 0
    while k < n:
        if uart.readinto(one, 1):
            buf[k] = one[0]
            k += 1


def run():
    play(Monitor(sink))


def play(m):
    """Time that monitor's steps."""
    global sent, one
    sent = 0
    one = bytearray(1)
    head = bytearray(HEAD)
    rx = bytearray(RX_MAX)
    uart.init(115200)
    m.boot(RESET_POWER_ON)
    m.step(0, rx, 0)
    print("end")
    while True:
        take(head, HEAD)
        take(rx, head[0])
        elapsed = head[1] << 24 | head[2] << 16 | head[3] << 8 | head[4]
        sent = 0
        then = ticks_us()
        m.step(elapsed, rx, head[0])
        then = ticks_diff(ticks_us(), then)
        print("", then, sent)
