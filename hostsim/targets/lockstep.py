"""The host's end of the lock-step stream that firmware/ports/lockstep.py serves."""

import socket
from collections.abc import Callable

from hostsim.errors import CabinwatchError
from hostsim.targets.base import Answer

RESET = b"\x80"
TIMEOUT_S = 60.0


class TargetDied(CabinwatchError):
    """The target ended or fell silent in mid-run; the message carries what it left behind."""


class Wire:
    """Speaks lock-step over a connected socket; ``why`` tells what happened when the other end is gone."""

    def __init__(self, sock: socket.socket, why: Callable[[], str]) -> None:
        self._sock = sock
        self._why = why
        self._buffer = b""
        sock.settimeout(TIMEOUT_S)

    def step(self, elapsed_ms: int, rx: bytes) -> Answer:
        """One step; see Target.step."""
        self._send(bytes((len(rx),)) + elapsed_ms.to_bytes(4, "big") + rx)
        return self.answer()

    def reset(self) -> Answer:
        """Reset the node; see Target.reset."""
        self._send(RESET)
        return self.answer()

    def answer(self) -> Answer:
        """The next answer: frames, then the wake time."""
        tx = b""
        i = 0
        while True:
            self._need(i + 1)
            n = self._buffer[i]
            if not n:
                break
            self._need(i + 1 + n)
            tx += self._buffer[i + 1 : i + 1 + n]
            i += 1 + n
        self._need(i + 5)
        wake = int.from_bytes(self._buffer[i + 1 : i + 5], "big")
        self._buffer = self._buffer[i + 5 :]
        return tx, wake

    def _send(self, data: bytes) -> None:
        try:
            self._sock.sendall(data)
        except OSError:
            raise TargetDied(self._why()) from None

    def _need(self, n: int) -> None:
        while len(self._buffer) < n:
            try:
                more = self._sock.recv(4096)
            except OSError:
                more = b""
            if not more:
                raise TargetDied(self._why())
            self._buffer += more

    def close(self) -> None:
        """Close the stream."""
        self._sock.close()
