"""Lock-step port for a keyed transducer on the micro:bit in QEMU, as microbit_lockstep_keyed.py."""

from cabinwatch_firmware.keyed_transducer import KEYS, KeyedTransducer
from cabinwatch_firmware.ports.microbit_lockstep import serve, sink
from cabinwatch_firmware.ports.steady import Steady

key = open("key", "rb").read()  # here, as in microbit_keyed.py


def held(vault):
    """As in microbit_lockstep_keyed.py, whose monitor would have no room beside this node."""


def run():
    node = KeyedTransducer(sink, Steady(), key, held)
    i = 8
    while i:
        i -= 1
        node.vault[i] = key[KEYS + i]
    serve(node)
