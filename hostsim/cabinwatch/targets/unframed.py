"""A line that brings octets and no frame: most often another baud rate, and worth saying at once."""

import time
from collections.abc import Callable

HEARD_S = 1.5
"""How long it is heard: a node that polls once a second has sent whole frames by then."""
SHOWN = 12


class Unframed:
    """Told of all that comes on a line; speaks once, where for a while nothing of it was a good frame."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._first = b""
        self._octets = 0
        self._since = 0.0
        self._settled = False

    def hear(self, octets: bytes, framed: bool) -> str:
        """``framed``: a good frame has ended in these octets. What is to be said, or ""."""
        if self._settled or not octets:
            return ""
        if not self._octets:
            self._since = self._clock()
        self._octets += len(octets)
        self._first = (self._first + octets)[:SHOWN]
        self._settled = framed or self._clock() - self._since >= HEARD_S
        return "" if framed or not self._settled else self.text()

    def text(self) -> str:
        """What came, and what it may be."""
        return (
            f"{self._name}: {self._octets:,} octets, no frame among them: another baud rate? "
            f"(first: {self._first.hex(' ')})"
        )
