"""Lock-step port for the micro:bit in QEMU: the host owns time, this board only answers.

Host to board: b0 < 80 hex: 4 octets elapsed_ms, then b0 octets received from the link; 80: reset; 81: report free
heap. Board to host: each frame as length and octets, then 00 and 4 octets wake_ms. To 81, 4 octets alone. All big-
endian.
"""

import gc

from microbit import uart

from firmware.monitor import Monitor
from protocol.device.consts import RESET_COMMANDED, RESET_EXTERNAL, RESET_POWER_ON, RX_MAX

RESET = 0x80
HEAP = 0x81
TIMER = 4  # octets of elapsed time before the received ones


def put(word):
    """Send 4 octets, big-endian."""
    out[0] = word >> 24 & 255
    out[1] = word >> 16 & 255
    out[2] = word >> 8 & 255
    out[3] = word & 255
    uart.write(out)


def sink(buf, n):
    one[0] = n
    uart.write(one)
    uart.write(buf[:n])


def take(n):
    """Fill ``buf`` with the next n octets from the host."""
    i = 0
    while i < n:
        if uart.readinto(one, 1):
            buf[i] = one[0]
            i += 1


def answer(wake):
    one[0] = 0
    uart.write(one)
    put(wake)


def boot(cause):
    m.boot(cause)
    return m.step(0, buf, 0)


def run():
    global m, one, out, buf
    one = bytearray(1)
    out = bytearray(4)
    buf = bytearray(RX_MAX)
    uart.init(115200)
    m = Monitor(sink)
    answer(boot(RESET_POWER_ON))
    while True:
        take(1)
        n = buf[0]
        if n == RESET:
            answer(boot(RESET_EXTERNAL))
        elif n == HEAP:
            gc.collect()
            put(gc.mem_free())
        else:
            take(TIMER)
            elapsed = buf[0] << 24 | buf[1] << 16 | buf[2] << 8 | buf[3]
            take(n)
            wake = m.step(elapsed, buf, n)
            if m.rebooting:
                wake = boot(RESET_COMMANDED)
            answer(wake)
