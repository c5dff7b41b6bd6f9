"""A ``machine`` module for the MicroPython unix VM, so that the UART port runs there unchanged.

Real: the VM, its streams and their polling, its clock, files and exceptions; the UART is an open descriptor,
non-blocking as a UART with timeout 0 is. Not real: pins, watchdog and reset causes, which are only written to
the log, and the I2C bus, on which a chip's recorded registers are found.

Environment: BOARD_UART (descriptor; none: the octets are dropped), BOARD_CAUSE (number), BOARD_LOG (file),
BOARD_CHIP (file of 256 registers; with no such file nothing answers).
"""

import os
import sys

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3


def log(*words):
    path = os.getenv("BOARD_LOG")
    if path:
        with open(path, "a") as f:
            f.write(" ".join(str(w) for w in words) + "\n")


def reset_cause():
    return int(os.getenv("BOARD_CAUSE") or PWRON_RESET)


def reset():
    log("reset")
    sys.exit(3)


def UART(number, baudrate, timeout=1000, rxbuf=0, tx=None, rx=None):
    log("uart", number, baudrate, "tx", tx and tx.name, "rx", rx and rx.name)
    if timeout or not rxbuf:
        raise ValueError("the port needs timeout 0 and a receive buffer")
    number = os.getenv("BOARD_UART")
    return open(int(number), "r+b") if number else open("/dev/null", "r+b")


class Pin:
    OUT = 1
    OPEN_DRAIN = 2

    def __init__(self, name, mode=0, value=0):
        self.name = name
        self.now = None

    def value(self, now):
        if now != self.now and self.name in ("LAMP", "BUZZER"):
            log(self.name, now)
        self.now = now


class WDT:
    def __init__(self, timeout):
        log("watchdog", timeout)

    def feed(self):
        pass


class I2C:
    def __init__(self, number, freq=400000, sda=None, scl=None):
        log("i2c", number, freq)
        self.mode = bytearray(2)
        self.reads = 0

    def readfrom_mem_into(self, address, register, buffer):
        if address != 0x76:
            raise OSError(19)
        with open(os.getenv("BOARD_CHIP") or "none", "rb") as f:
            registers = bytearray(f.read())
        registers[0xF4:0xF6] = self.mode
        self.reads += 1
        registers[0xFB] ^= self.reads & 1  # as a converter's last bits are never still
        for i in range(len(buffer)):
            buffer[i] = registers[register + i]

    def writeto_mem(self, address, register, buffer):
        if 0xF4 <= register <= 0xF5:
            self.mode[register - 0xF4] = buffer[0]
