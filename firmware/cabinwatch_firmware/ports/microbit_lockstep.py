"""Lock-step port for the micro:bit in QEMU: the host owns time, this board only answers.

As ports/lockstep.py, and one thing more: to 81 the board answers with its free heap, 4 octets.
"""

import gc

from microbit import uart

from cabinwatch_firmware.monitor import Monitor
from cabinwatch_protocol.device.consts import RESET_POWER_ON, RX_MAX

RESET = 0x80
RECORD = 0x80
PART = 0x82
SLOT = 0x83
SESSION = 0x84
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


def store(data, n):
    one[0] = RECORD
    uart.write(one)
    sink(data, n)
    return True


def get():
    """The next octet from the host."""
    while not uart.readinto(one, 1):
        pass
    return one[0]


def take(at, n):
    """Put the next n octets from the host into ``buf``, from index ``at`` on."""
    n += at
    while at < n:
        buf[at] = get()
        at += 1


def answer(wake):
    one[0] = 0
    uart.write(one)
    put(wake)


def boot(cause):
    m.boot(cause)
    return m.step(0, buf, 0)


def run():
    serve(Monitor(sink))


def serve(node):
    """Serve a node for ever."""
    global m, one, out, buf
    m = node
    m.store = store
    one = bytearray(1)
    out = bytearray(4)
    uart.init(115200)
    buf = bytearray(max(RX_MAX, m.record))
    answer(boot(RESET_POWER_ON))
    k = 0
    while True:
        n = get()
        if n == RESET:
            answer(boot(get()))
        elif n == PART:
            n = get()
            take(k, n)
            k += n
            one[0] = 0
            uart.write(one)
        elif n == SLOT:
            m.recall(buf, k)
            k = 0
        elif n == SESSION:
            take(0, 8)
            n = 8
            while n:
                n -= 1
                m.vault[n] = buf[n]
        elif n == HEAP:
            gc.collect()
            put(gc.mem_free())
        else:
            take(0, TIMER)
            elapsed = buf[0] << 24 | buf[1] << 16 | buf[2] << 8 | buf[3]
            take(0, n)
            wake = m.step(elapsed, buf, n)
            if m.rebooting:
                wake = -1
            answer(wake)
