"""Lock-step port for a keyed monitor on the micro:bit in QEMU: behind the keys in its file stands the first session."""

from cabinwatch_firmware.keyed_monitor import KEYS, KeyedMonitor
from cabinwatch_firmware.ports.microbit_lockstep import serve, sink

key = open("key", "rb").read()  # here, as in microbit_keyed.py


def held(vault):
    """The session is in place: the host sends one before each boot."""


def fill(node):
    """Give it its first session."""
    i = 8
    while i:
        i -= 1
        node.vault[i] = key[KEYS + i]


def run():
    node = KeyedMonitor(sink, key, held)
    fill(node)
    serve(node)
