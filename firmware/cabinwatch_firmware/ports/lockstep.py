"""Lock-step port for the MicroPython unix VM: the host drives virtual time over stdin and stdout.

Host to device: n, elapsed_ms (4 octets, big-endian), n octets; or 80 and the cause of a reset. Before a reset, of each
used slot of storage in parts of at most RX_MAX octets: 82, n, n octets, to which the device answers 00; then 83. Before
a reset of a keyed node: 84 and its session, 8 octets.
Device to host: each frame after its length, each record to be stored after 80 and its length, then 00, the wake time
in ms (4 octets; -1 = it wants a reset). One such answer comes at start.
"""

import sys

import micropython

from cabinwatch_protocol.device.consts import RESET_POWER_ON, RX_MAX

RESET = 0x80
RECORD = 0x80
PART = 0x82
SLOT = 0x83
SESSION = 0x84
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
        self.node.store = self.store
        self.slot = bytearray(self.node.record)
        self.k = 0

    def store(self, buf, n):
        """The node's storage is the host's."""
        if self.n + n + 7 > ROOM:
            self.flush()
        self.tx[self.n] = RECORD
        self.n += 1
        self.collect(buf, n)
        return True

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
        tx[k + 1] = wake_ms >> 24 & 255
        tx[k + 2] = wake_ms >> 16 & 255
        tx[k + 3] = wake_ms >> 8 & 255
        tx[k + 4] = wake_ms & 255
        self.n = k + 5
        self.flush()

    def boot(self, cause):
        self.node.boot(cause)
        return self.node.step(0, self.rx, 0)

    def part(self):
        """Take a part of what a slot holds."""
        k = self.k
        read = self.source.readinto
        read(self.rx, 1)
        n = self.rx[0]
        while n:
            read(self.rx, 1)
            self.slot[k] = self.rx[0]
            k += 1
            n -= 1
        self.k = k
        self.tx[0] = 0
        self.drain.write(self.tx, 1)

    def run(self):
        """Serve until the host closes the stream."""
        rx = self.rx
        node = self.node
        read = self.source.readinto
        self.answer(self.boot(RESET_POWER_ON))
        while read(rx, 1):
            n = rx[0]
            if n == PART:
                self.part()
                continue
            if n == SLOT:
                node.recall(self.slot, self.k)
                self.k = 0
                continue
            if n == SESSION:
                read(rx, 8)
                n = 8
                while n:
                    n -= 1
                    node.vault[n] = rx[n]
                continue
            if n == RESET:
                read(rx, 1)
                wake = self.boot(rx[0])
            else:
                read(rx, 4)
                elapsed = rx[0] << 24 | rx[1] << 16 | rx[2] << 8 | rx[3]
                if n:
                    read(rx, n)
                wake = node.step(elapsed, rx, n)
                if node.rebooting:
                    wake = -1
            self.answer(wake)


def main():
    """Run the monitor; Ctrl-C is data here."""
    from cabinwatch_firmware.monitor import Monitor

    micropython.kbd_intr(-1)
    LockStep(Monitor).run()


if __name__ == "__main__":
    main()
