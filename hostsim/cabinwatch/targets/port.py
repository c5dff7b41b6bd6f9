"""A live node on a serial stream, stepped like the others: time passes on the wall clock, and nothing repeats."""

import time

import serial

from cabinwatch.errors import SetupError, TargetDied
from cabinwatch.targets.base import Answer
from cabinwatch.targets.serial_port import PATIENCE_S, open_port

LOOK_MS = 20
"""How often the stream is looked at."""


class PortTarget:
    """The node on a pyserial URL. Raises SetupError where nothing is there; it cannot be reset from here."""

    def __init__(self, url: str, baud: int = 115_200, patience_s: float = PATIENCE_S) -> None:
        self.name = url
        self._port = open_port(url, baud)
        self._patience_s = patience_s

    def start(self) -> Answer:
        """Wait for the node's first octets."""
        end = time.monotonic() + self._patience_s
        while time.monotonic() < end:
            if data := self._read():
                return data, LOOK_MS
        raise SetupError(
            f"nothing came from {self.name} in {self._patience_s:g} s. Is the monitor running there?"
        )

    def step(self, elapsed_ms: int, rx: bytes) -> Answer:
        """Let the time pass in earnest, hand over ``rx``, take what has come."""
        time.sleep(elapsed_ms / 1000)
        try:
            self._port.write(rx)
        except serial.SerialException as error:
            raise TargetDied(f"{self.name}: {error}") from None
        return self._read(wait=False), LOOK_MS

    def _read(self, wait: bool = True) -> bytes:
        try:
            data: bytes = self._port.read(max(int(wait), self._port.in_waiting))
        except (serial.SerialException, OSError) as error:
            raise TargetDied(f"{self.name} is gone: {error}") from None
        return data

    def reset(self) -> Answer:
        """Not possible here."""
        raise SetupError(
            f"{self.name} cannot be reset from here; press its button, or use an emulated target"
        )

    def close(self) -> None:
        """Close the stream."""
        self._port.close()
