"""What every target is: the firmware somewhere, stepped by the host in virtual time."""

from typing import Protocol

Answer = tuple[bytes, int]
"""The octets a target sent in one step, and after how many ms it wants the next step if none comes in."""


class Target(Protocol):
    """A node that the host steps. ``start`` first; ``step`` takes at most RX_MAX octets; ``close`` always."""

    name: str

    def start(self) -> Answer:
        """Power the node on; its boot event is in the octets."""
        ...

    def step(self, elapsed_ms: int, rx: bytes) -> Answer:
        """Let ``elapsed_ms`` pass (a day at most, ten for a transducer) and hand over ``rx`` (at most 48 octets)."""
        ...

    def reset(self) -> Answer:
        """Reset the node from outside, as by its reset line."""
        ...

    def close(self) -> None:
        """Free what the target holds; also after an error."""
        ...
