"""Lock-step port for the MicroPython unix VM: the host drives virtual time over stdin and stdout.

Host to device: n, elapsed_ms (4 octets, big-endian), n octets; or 80 alone: a reset from outside.
Device to host: each frame after its length, 00, the wake time in ms (4 octets). One such answer comes at start.
"""

import sys

import micropython

from protocol.device.consts import RESET_COMMANDED, RESET_EXTERNAL, RESET_POWER_ON, RX_MAX

RESET = 0x80
ROOM = 1024


class LockStep:
    """Serves one node; every buffer is made once, so the loop allocates nothing."""

    def __init__(self, make_node):
        self.rx = bytearray(RX_MAX)
        self.tx = bytearray(ROOM)
        self.n = 0
        self.source = sys.stdin.buffer
        self.drain = sys.stdout.buffer
        self.node = make_node(self.collect)

    def collect(self, buf, n):
        """The node's sink: frames gather here and leave in one write."""
        if self.n + n + 6 > ROOM:
            self.flush()
        tx = self.tx
        k = self.n
        tx[k] = n
        i = 0
        while i < n:
            k += 1
            tx[k] = buf[i]
            i += 1
        self.n = k + 1

    def flush(self):
        self.drain.write(self.tx, self.n)
        self.n = 0

    def answer(self, wake_ms):
        tx = self.tx
        k = self.n
        tx[k] = 0
        tx[k + 1] = wake_ms >> 24
        tx[k + 2] = wake_ms >> 16 & 255
        tx[k + 3] = wake_ms >> 8 & 255
        tx[k + 4] = wake_ms & 255
        self.n = k + 5
        self.flush()

    def boot(self, cause):
        self.node.boot(cause)
        return self.node.step(0, self.rx, 0)

    def run(self):
        """Serve until the host closes the stream."""
        rx = self.rx
        node = self.node
        read = self.source.readinto
        self.answer(self.boot(RESET_POWER_ON))
        while read(rx, 1):
            n = rx[0]
            if n == RESET:
                wake = self.boot(RESET_EXTERNAL)
            else:
                read(rx, 4)
                elapsed = rx[0] << 24 | rx[1] << 16 | rx[2] << 8 | rx[3]
                if n:
                    read(rx, n)
                wake = node.step(elapsed, rx, n)
                if node.rebooting:
                    wake = self.boot(RESET_COMMANDED)
            self.answer(wake)


def main():
    """Run the monitor; Ctrl-C is data here."""
    from firmware.monitor import Monitor

    micropython.kbd_intr(-1)
    LockStep(Monitor).run()


if __name__ == "__main__":
    main()
