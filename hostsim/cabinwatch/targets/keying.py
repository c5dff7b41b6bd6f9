"""What makes an emulated node a keyed one: its keys, and sessions that repeat with the run's seed."""

from collections.abc import Iterator
from dataclasses import dataclass

from cabinwatch.world.seeds import stream
from cabinwatch_protocol.keys import MasterKey

SESSION_SIZE = 8


@dataclass(frozen=True)
class Keying:
    """``unkeyed`` names the instruments whose reports are believed without a tag."""

    master: MasterKey
    seed: int
    unkeyed: frozenset[str] = frozenset()

    def of_monitor(self) -> bytes:
        """What the monitor is given."""
        return self.master.of_monitor(self.unkeyed)

    def sessions(self) -> Iterator[bytes]:
        """A session for each boot. A board draws its own; in lock-step the host does, so that runs repeat."""
        rng = stream(self.seed, "session")
        while True:
            yield rng.randbytes(SESSION_SIZE)
