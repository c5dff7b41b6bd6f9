"""The micro:bit's port with a keyed monitor: keys in a file of the image, sessions from the nRF51's generator."""

from machine import mem32
from microbit import uart

from cabinwatch_firmware.keyed_monitor import KeyedMonitor
from cabinwatch_firmware.ports.microbit import serve, sink

# Registers of the random number generator (nRF51 reference manual 3.0: RNG), as in the port without key.
start = 0x4000D000
ready = 0x4000D100
value = 0x4000D508
correct = 0x4000D504  # its bias, by the generator itself
key = open("key", "rb").read()  # here, and not in run: what the board compiles itself is called too deep


def draw(vault):
    """A new session at the vault's beginning."""
    mem32[correct] = 1
    mem32[start] = 1
    i = 8
    while i:
        i -= 1
        mem32[ready] = 0
        while not mem32[ready]:
            pass
        vault[i] = mem32[value] & 255


def run():
    uart.init(115200)
    serve(KeyedMonitor(sink, key, draw))
