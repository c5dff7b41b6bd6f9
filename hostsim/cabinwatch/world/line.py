"""The serial link: octets take their time on the wire, and faults act on them on the way."""

from collections.abc import Callable, Iterator
from typing import Literal

from cabinwatch.models.line_faults import BITS, AnyLinkFault, Line, LinkModel, Piece
from cabinwatch.world.seeds import stream

Direction = Literal["up", "down"]
"""``up``: from the monitor; ``down``: to the monitor."""
Delivery = tuple[bytes, int]
"""Octets, and the time in ms at which the last of them is in."""


class Channel:
    """One direction of the link. ``echo`` is given what comes back to the sender, and when."""

    def __init__(
        self,
        model: LinkModel,
        direction: Direction,
        seed: int,
        echo: Callable[[bytes, int], None] = lambda data, t_ms: None,
    ) -> None:
        self._baud = model.baud
        self._latency_ms = model.latency_ms
        self._direction = direction
        self._seed = seed
        self._echo = echo
        self._free_ms = 0
        self._arrived_ms = 0
        self._seen: dict[str, int] = {}
        self._faults: list[tuple[AnyLinkFault, Line]] = []

    def add(self, fault: AnyLinkFault) -> Iterator[Delivery]:
        """Put a fault after those there are; returns what it lets arrive although nobody sent it."""
        # Named by kind and place among its kind: a fault taken away leaves the streams of the others alone.
        place = self._seen[fault.kind] = self._seen.get(fault.kind, -1) + 1
        if fault.direction not in (self._direction, "both"):
            return iter(())
        rng = stream(self._seed, f"link/{self._direction}/{fault.kind}/{place}")
        line = Line(rng, self._baud, echo=lambda data: self._echo(data, self._free_ms))
        self._faults.append((fault, line))
        return fault.uninvited(line)

    def carry(self, data: bytes, t_ms: int) -> list[Delivery]:
        """Send ``data`` at t_ms: what arrives, and when. In order unless a fault says otherwise."""
        self._free_ms = max(t_ms, self._free_ms) - (-len(data) * BITS * 1000 // self._baud)
        due = self._free_ms + self._latency_ms
        if not self._faults:
            self._arrived_ms = max(self._arrived_ms, due)
            return [(data, self._arrived_ms)]
        pieces = [Piece(data)]
        for fault, line in self._faults:
            if fault.active(t_ms / 1000):
                line.t_ms = t_ms
                pieces = fault.act(pieces, line)
        deliveries = []
        for piece in pieces:
            arrival_ms = max(t_ms, due + piece.late_ms)
            if piece.ordered:
                arrival_ms = self._arrived_ms = max(self._arrived_ms, arrival_ms)
            if piece.data:
                deliveries.append((piece.data, arrival_ms))
        return deliveries

    def counts(self) -> dict[str, int]:
        """How often each kind of fault struck; every kind that is in the model is named."""
        counts: dict[str, int] = {}
        for fault, line in self._faults:
            counts[fault.kind] = counts.get(fault.kind, 0) + line.hits
        return counts
