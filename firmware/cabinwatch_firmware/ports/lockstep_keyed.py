"""A keyed monitor in lock-step on the MicroPython unix VM: first of all the host sends its keys and a session."""

import sys

import micropython

from cabinwatch_firmware.keyed_monitor import KEYS, KeyedMonitor
from cabinwatch_firmware.ports.lockstep import LockStep

SESSION_SIZE = 8


def held(vault):
    """The session is in place: the host sends one before each boot."""


def take(source, n):
    """The next n octets, which may come in pieces."""
    taken = b""
    while len(taken) < n:
        taken += source.read(n - len(taken))
    return taken


def serve(make_keyed, keys):
    """Serve the node that ``make_keyed(sink, key, renew)`` makes of so many octets of keys; Ctrl-C is data here."""
    micropython.kbd_intr(-1)
    source = sys.stdin.buffer
    key = take(source, keys)
    session = take(source, SESSION_SIZE)

    def make(sink):
        node = make_keyed(sink, key, held)
        for i in range(SESSION_SIZE):
            node.vault[i] = session[i]
        return node

    LockStep(make).run()


if __name__ == "__main__":
    serve(KeyedMonitor, KEYS)
