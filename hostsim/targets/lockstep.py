"""The host's end of the lock-step stream that firmware/ports/lockstep.py serves."""

import socket
from collections.abc import Callable

from hostsim.errors import CabinwatchError
from hostsim.targets.base import Answer
from hostsim.targets.storage import Storage
from protocol.table import RX_MAX, Reset

RESET = RECORD = 0x80
PART = 0x82
SLOT = 0x83
WANTS_RESET = 0xFFFFFFFF
"""As a wake time: the node has been told to boot."""
TIMEOUT_S = 60.0


class TargetDied(CabinwatchError):
    """The target ended or fell silent in mid-run; the message carries what it left behind."""


def start_over(
    storage: Storage, cause: Reset, send: Callable[[bytes], None], await_octet: Callable[[], object]
) -> None:
    """Hand a node what its storage holds, in parts that its receive ring takes, and tell it to boot."""
    storage.down = False
    for slot in filter(None, storage.slots):
        for i in range(0, len(slot), RX_MAX):
            part = slot[i : i + RX_MAX]
            send(bytes((PART, len(part))) + part)
            await_octet()
        send(bytes((SLOT,)))
    send(bytes((RESET, cause)))


def boot_due(storage: Storage, wake_ms: int) -> Reset | None:
    """Why a node has to be booted after a step, if so."""
    return Reset.POWER_ON if storage.down else Reset.COMMANDED if wake_ms == WANTS_RESET else None


class Wire:
    """Speaks lock-step over a connected socket; ``why`` tells what happened when the other end is gone."""

    def __init__(self, sock: socket.socket, why: Callable[[], str]) -> None:
        self._sock = sock
        self._why = why
        self._buffer = b""
        self.storage = Storage()
        sock.settimeout(TIMEOUT_S)

    def step(self, elapsed_ms: int, rx: bytes) -> Answer:
        """One step; see Target.step."""
        self._send(bytes((len(rx),)) + elapsed_ms.to_bytes(4, "big") + rx)
        return self.answer()

    def reset(self) -> Answer:
        """Reset the node; see Target.reset."""
        return self.restart(Reset.EXTERNAL)

    def restart(self, cause: Reset) -> Answer:
        """Boot the node; see Storing.restart."""
        start_over(self.storage, cause, self._send, self._acknowledged)
        return self.answer()

    def _acknowledged(self) -> None:
        self._need(1)
        self._buffer = self._buffer[1:]

    def answer(self) -> Answer:
        """The next answer: frames and what is to be stored, then the wake time."""
        tx = b""
        i = 0
        while True:
            self._need(i + 1)
            n = self._buffer[i]
            if not n:
                break
            if n == RECORD:
                self._need(i + 2)
                i += 1
                n = self._buffer[i]
                self._need(i + 1 + n)
                self.storage.write(self._buffer[i + 1 : i + 1 + n])
            else:
                self._need(i + 1 + n)
                if not self.storage.down:
                    tx += self._buffer[i + 1 : i + 1 + n]
            i += 1 + n
        self._need(i + 5)
        wake = int.from_bytes(self._buffer[i + 1 : i + 5], "big")
        self._buffer = self._buffer[i + 5 :]
        cause = boot_due(self.storage, wake)
        if cause is None:
            return tx, wake
        boot, wake = self.restart(cause)
        return tx + boot, wake

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
