"""An I2C bus in memory: the calls of ``machine.I2C`` that drivers use, and the faults of a real one."""

from errno import EIO, ENODEV, ETIMEDOUT
from typing import Protocol


class Chip(Protocol):
    """A device with 8-bit registers and auto-increment."""

    def read_register(self, register: int) -> int: ...

    def write_register(self, register: int, value: int) -> None: ...

    def advance(self, elapsed_ms: float) -> None: ...


class FakeI2C:
    """A bus master with chips by 7-bit address; drivers take it for a ``machine.I2C``.

    Faults, all settable at any time: `nacks` is how many of the next transfers go unanswered; while `stuck`
    is set a chip holds SDA low and every transfer times out, until `clock_out` has given it the nine clocks
    it waits for (or for ever, if `shorted`); `flip_bits` has XOR masks for the next bytes read, as noise on
    the lines would. `transfers` counts what was tried. A transfer takes its time, at `kHz`.
    """

    def __init__(self, chips: dict[int, Chip] | None = None) -> None:
        self.chips: dict[int, Chip] = dict(chips or {})
        self.nacks = 0
        self.stuck = False
        self.shorted = False
        self.flip_bits: list[int] = []
        self.transfers = 0
        self.kHz = 100.0

    def clock_out(self) -> None:
        """The usual rescue: nine clock pulses let a chip finish the byte it was sending, and release SDA."""
        self.stuck = False

    def _select(self, address: int) -> Chip:
        self.transfers += 1
        if self.stuck or self.shorted:
            raise OSError(ETIMEDOUT, "bus held low")
        if address not in self.chips:
            raise OSError(ENODEV, "no answer")
        if self.nacks:
            self.nacks -= 1
            raise OSError(EIO, "not acknowledged")
        return self.chips[address]

    def scan(self) -> list[int]:
        """The addresses that answer."""
        return [] if self.stuck or self.shorted or self.nacks else sorted(self.chips)

    def readfrom_mem_into(self, address: int, register: int, buffer: bytearray) -> None:
        """Fill `buffer` from consecutive registers. Raises `OSError` as the real call does."""
        chip = self._select(address)
        for i in range(len(buffer)):
            mask = self.flip_bits.pop(0) if self.flip_bits else 0
            buffer[i] = chip.read_register((register + i) & 0xFF) ^ mask
        self._pass(chip, 3 + len(buffer))

    def writeto_mem(self, address: int, register: int, buffer: bytes | bytearray) -> None:
        """Write `buffer`. Raises `OSError` as the real call does.

        One byte a call: Bosch chips take register-value pairs in a longer write, not consecutive values.
        """
        if len(buffer) != 1:
            raise ValueError("one register a write")
        chip = self._select(address)
        chip.write_register(register, buffer[0])
        self._pass(chip, 3)

    def _pass(self, chip: Chip, octets: int) -> None:
        """Let the time of a transfer pass: nine clocks an octet, addresses and register among them."""
        chip.advance(9 * octets / self.kHz)
