"""The serial link: octets take their time on the wire, and faults act on them on the way."""

from random import Random
from typing import Annotated, Literal

from pydantic import Field

from hostsim.cabin.fields import Table
from hostsim.seeds import stream
from hostsim.sensors import Window

Direction = Literal["up", "down"]
"""``up``: from the monitor; ``down``: to the monitor."""


class LinkFault(Window):
    """What every link fault has."""

    direction: Literal["up", "down", "both"] = Field(
        "both", description="'up' from the monitor, 'down' to it, or 'both'"
    )


class Flip(LinkFault):
    """Bits turn over."""

    kind: Literal["flip"]
    rate: float = Field(ge=0, le=1, description="probability for each bit")

    def act(self, data: bytes, rng: Random) -> tuple[bytes, int]:
        out = bytearray(data)
        for bit in _hits(len(data) * 8, self.rate, rng):
            out[bit >> 3] ^= 1 << (bit & 7)
        return bytes(out), 0


class Drop(LinkFault):
    """Octets are lost."""

    kind: Literal["drop"]
    rate: float = Field(ge=0, le=1, description="probability for each octet")

    def act(self, data: bytes, rng: Random) -> tuple[bytes, int]:
        lost = set(_hits(len(data), self.rate, rng))
        return bytes(b for i, b in enumerate(data) if i not in lost) if lost else data, 0


class Delay(LinkFault):
    """What is sent in one go arrives late; the order is kept."""

    kind: Literal["delay"]
    most_ms: int = Field(ge=0, le=60_000, description="the delay is drawn from 0 to this, ms")

    def act(self, data: bytes, rng: Random) -> tuple[bytes, int]:
        return data, rng.randint(0, self.most_ms)


AnyLinkFault = Annotated[Flip | Drop | Delay, Field(discriminator="kind")]


class LinkModel(Table):
    """The ``[link]`` table."""

    baud: int = Field(
        115_200, ge=300, le=3_000_000, description="line rate; an octet takes ten bit times (8N1)"
    )
    latency_ms: int = Field(0, ge=0, le=10_000, description="fixed delay each way, ms")
    faults: list[AnyLinkFault] = Field(default=[], description="faults, in the order in which they act")


def _hits(n: int, rate: float, rng: Random) -> list[int]:
    """Which of n independent trials of probability ``rate`` succeed."""
    return [i for i in range(n) if rng.random() < rate] if rate else []


class Channel:
    """One direction of the link."""

    def __init__(self, model: LinkModel, direction: Direction, seed: int) -> None:
        self._model = model
        self._free_ms = 0
        self._arrived_ms = 0
        self._faults = [
            (fault, stream(seed, f"link/{direction}/{i}"))
            for i, fault in enumerate(model.faults)
            if fault.direction in (direction, "both")
        ]

    def carry(self, data: bytes, t_ms: int) -> tuple[bytes, int]:
        """Send ``data`` at t_ms: what arrives, and when its last octet is in. In order, whatever the delays."""
        self._free_ms = max(t_ms, self._free_ms) - (-len(data) * 10_000 // self._model.baud)
        late = self._model.latency_ms
        for fault, rng in self._faults:
            if fault.active(t_ms / 1000):
                data, more = fault.act(data, rng)
                late += more
        self._arrived_ms = max(self._arrived_ms, self._free_ms + late)
        return data, self._arrived_ms
