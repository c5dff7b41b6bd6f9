"""Live port for the MicroPython unix VM: the monitor in real time on stdin and stdout (a pty's or a socket's ends).

Argument: where to keep parameters, the beginning of two files' names; without it a reset makes them defaults.
"""

import select
import sys
import time

import micropython

from cabinwatch_protocol.device.consts import RESET_COMMANDED, RESET_POWER_ON, RX_MAX


class Stdio:
    """Serves one node until the stream ends."""

    def __init__(self, make_node, files=None):
        self.files = files
        self.rx = bytearray(RX_MAX)
        self.one = bytearray(1)
        self.source = sys.stdin.buffer
        self.drain = sys.stdout.buffer
        self.poll = select.poll()
        self.poll.register(self.source, select.POLLIN)
        self.open = True
        self.node = make_node(self.send)

    def send(self, buf, n):
        try:
            self.drain.write(buf, n)
        except OSError:
            # The other end is gone; nobody is left to tell.
            self.open = False

    def receive(self, wait_ms):
        """Wait for octets up to wait_ms, then take what is there; the number taken."""
        n = 0
        while n < RX_MAX and self.poll.poll(wait_ms):
            if not self.source.readinto(self.one, 1):
                self.open = False
                break
            self.rx[n] = self.one[0]
            n += 1
            wait_ms = 0
        return n

    def boot(self, cause):
        if self.files:
            self.files.attach(self.node)
        self.node.boot(cause)

    def run(self):
        node = self.node
        self.boot(RESET_POWER_ON)
        then = time.ticks_ms()
        wake = 0
        while self.open:
            n = self.receive(wake)
            now = time.ticks_ms()
            wake = node.step(time.ticks_diff(now, then), self.rx, n)
            then = now
            if node.rebooting:
                self.boot(RESET_COMMANDED)
                wake = 0


def main():
    """Run the monitor; Ctrl-C is data here."""
    from cabinwatch_firmware.ports.files import Files
    from cabinwatch_firmware.ports.key_file import make_monitor

    micropython.kbd_intr(-1)
    Stdio(make_monitor, Files(sys.argv[1]) if len(sys.argv) > 1 else None).run()


if __name__ == "__main__":
    main()
