"""The host's end of the lock-step stream that firmware/cabinwatch_firmware/ports/lockstep.py serves."""

import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

from cabinwatch.errors import TargetDied
from cabinwatch.targets.base import Answer
from cabinwatch.targets.storage import Storage
from cabinwatch_protocol.table import RX_MAX, Reset

RESET = RECORD = 0x80
PART = 0x82
SLOT = 0x83
SESSION = 0x84
WANTS_RESET = 0xFFFFFFFF
"""As a wake time: the node has been told to boot."""
TIMEOUT_S = 60.0
BOOTS = 8
"""Boots in a row, of which each ends in the next; a failing supply and a command make two."""
RECORD_LEAST = 2
"""Octets of a record to its sequence number, which names its slot."""


class LockStepStream(ABC):
    """Speaks lock-step over a stream of octets, and holds the node's storage."""

    def __init__(self) -> None:
        self.storage = Storage()
        self.sessions: Iterator[bytes] | None = None
        """Of a keyed node: one for each boot after the first."""
        self._pending = bytearray()
        self._frames = bytearray()
        self._boots = 0

    @abstractmethod
    def send(self, data: bytes) -> None:
        """Send all of it."""

    @abstractmethod
    def _receive(self) -> bytes:
        """What comes next, at least one octet. Raises where nothing will."""

    @abstractmethod
    def _check(self, head: bytes, frame: bytes) -> None:
        """Raise where what came in place of a frame after its length ``head`` is none."""

    def step(self, elapsed_ms: int, rx: bytes) -> Answer:
        """One step; see Target.step."""
        self.send(bytes((len(rx),)) + elapsed_ms.to_bytes(4, "big") + rx)
        return self.answer()

    def reset(self) -> Answer:
        """Reset the node; see Target.reset."""
        return self.restart(Reset.EXTERNAL)

    def restart(self, cause: Reset) -> Answer:
        """Boot the node; see Storing.restart. It gets what storage holds in parts that its receive ring takes."""
        self.storage.down = False
        for slot in filter(None, self.storage.slots):
            for i in range(0, len(slot), RX_MAX):
                part = slot[i : i + RX_MAX]
                self.send(bytes((PART, len(part))) + part)
                self._take(1)
            self.send(bytes((SLOT,)))
        if self.sessions:
            self.send(bytes((SESSION,)) + next(self.sessions))
        self.send(bytes((RESET, cause)))
        return self.answer()

    def answer(self) -> Answer:
        """The next answer: frames and what is to be stored, then the wake time; and those of a boot that is due."""
        self._frames.clear()
        while (head := self._take(1))[0]:
            if head[0] == RECORD:
                self._store(self._take(self._take(1)[0]))
                continue
            frame = self._take(head[0])
            self._check(head, frame)
            if not self.storage.down:
                self._frames += frame
        wake = int.from_bytes(self._take(4), "big")
        tx = bytes(self._frames)
        if not self.storage.down and wake != WANTS_RESET:
            self._boots = 0
            return tx, wake
        self._boots += 1
        if self._boots > BOOTS:
            raise TargetDied(f"the node boots and boots: {BOOTS} times without an answer")
        boot, wake = self.restart(Reset.POWER_ON if self.storage.down else Reset.COMMANDED)
        return tx + boot, wake

    def _store(self, record: bytes) -> None:
        if len(record) < RECORD_LEAST:
            raise TargetDied(f"the node stores {len(record)} octets: no record of ours is so short")
        self.storage.write(record)

    def _take(self, n: int) -> bytes:
        while len(self._pending) < n:
            self._pending += self._receive()
        taken = bytes(self._pending[:n])
        del self._pending[:n]
        return taken


class Wire(LockStepStream):
    """Lock-step over a connected socket; ``why`` tells what happened when the other end is gone."""

    def __init__(self, sock: socket.socket, why: Callable[[], str]) -> None:
        super().__init__()
        self._sock = sock
        self._why = why
        sock.settimeout(TIMEOUT_S)

    def send(self, data: bytes) -> None:
        try:
            self._sock.sendall(data)
        except OSError:
            raise TargetDied(self._why()) from None

    def _receive(self) -> bytes:
        try:
            more = self._sock.recv(4096)
        except OSError:
            more = b""
        if not more:
            raise TargetDied(self._why())
        return more

    def _check(self, head: bytes, frame: bytes) -> None:
        """A VM that fails ends the stream, so whatever comes is a frame."""

    def close(self) -> None:
        """Close the stream."""
        self._sock.close()
