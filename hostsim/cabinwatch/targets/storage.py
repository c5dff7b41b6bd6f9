"""A node's storage, held by the host for every emulated target, so that power can fail at any octet of a write."""

from typing import Protocol, runtime_checkable

from cabinwatch.models.node_faults import PowerLoss
from cabinwatch.targets.base import Answer, Target
from cabinwatch_protocol.table import Reset


class Storage:
    """Two slots, as a board's two files. ``loss`` waits for the next write; once it struck, ``down`` is true."""

    def __init__(self) -> None:
        self.slots = [b"", b""]
        self.loss: PowerLoss | None = None
        self.down = False

    def erase(self) -> None:
        """As from the factory."""
        self.slots = [b"", b""]

    def write(self, record: bytes) -> None:
        """Put a record into the slot that its sequence number names, or as much of it as the power lasts for."""
        if self.down:
            return
        slot = record[1] & 1
        if self.loss is not None:
            octets, wrong = self.loss
            self.loss, self.down = None, True
            record = bytes(octet ^ 0xFF if i == wrong else octet for i, octet in enumerate(record[:octets]))
        self.slots[slot] = bytes(record)


@runtime_checkable
class Storing(Target, Protocol):
    """A target with storage. Where power fails in a step, that step ends there and goes on with the next power-on."""

    storage: Storage

    def restart(self, cause: Reset) -> Answer:
        """Boot for that cause, with what storage holds."""
        ...
