"""What can go wrong on a serial line, as small parts that compose: each has a direction and a time window.

A part is a value of the scenario file. What it needs to remember (its random stream, the state of a burst, its
count) is in a `Line`, one for each part and direction, so that one scenario can be played any number of times.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from cabinwatch.models.fields import Table, Window

BITS = 10
"""Bit times of an octet on the line: start, eight data bits, stop (8N1)."""
Unit = Literal["octet", "send"]


class Piece(NamedTuple):
    """Octets that arrive together, ``late_ms`` after they would on a sound line; in order unless told otherwise."""

    data: bytes
    late_ms: int = 0
    ordered: bool = True


@dataclass(slots=True)
class Line:
    """The state of one part in one direction. ``hits`` counts what it did: its unit is the part's own."""

    rng: Random
    baud: int
    t_ms: int = 0
    hits: int = 0
    bad: bool = False
    used: int = 0
    echo: Callable[[bytes], None] = lambda data: None

    def chances(self, n: int, rate: float) -> list[int]:
        """Which of n independent trials of probability ``rate`` succeed; counted as hits.

        Draws the gaps between successes (geometric), so a low rate costs one draw a send.
        """
        if rate <= 0 or n <= 0:
            return []
        if rate >= 1:
            self.hits += n
            return list(range(n))
        scale = 1 / math.log1p(-rate)
        if not math.isfinite(scale):
            return []
        random = self.rng.random
        found = []
        at = math.log(1 - random()) * scale
        while at < n:
            found.append(int(at))
            at = int(at) + 1 + math.log(1 - random()) * scale
        self.hits += len(found)
        return found

    def happens(self, rate: float) -> bool:
        """Whether one trial of probability ``rate`` succeeds; counted."""
        if self.rng.random() < rate:
            self.hits += 1
            return True
        return False


class LinkFault(Window):
    """What every link fault has."""

    direction: Literal["up", "down", "both"] = Field(
        "both", description="'up' from the monitor, 'down' to it, or 'both'"
    )

    def act(self, sent: list[Piece], line: Line) -> list[Piece]:
        """What becomes of one send, whose pieces the parts before have left."""
        return [piece._replace(data=self.damage(piece.data, line)) for piece in sent]

    def damage(self, data: bytes, line: Line) -> bytes:
        """What becomes of octets that arrive together, for a part that leaves time alone."""
        return data

    def uninvited(self, line: Line) -> Iterator[tuple[bytes, int]]:
        """What arrives although nobody sent it: octets and time in ms, in order of time; perhaps without end."""
        return iter(())


class Flip(LinkFault):
    """Bits turn over. Counts bits."""

    kind: Literal["flip"] = "flip"
    rate: float = Field(ge=0, le=1, description="probability for each bit")

    def damage(self, data: bytes, line: Line) -> bytes:
        hits = line.chances(len(data) * 8, self.rate)
        if not hits:
            return data
        out = bytearray(data)
        for bit in hits:
            out[bit >> 3] ^= 1 << (bit & 7)
        return bytes(out)


class Burst(LinkFault):
    """Bursts of damage: the Gilbert-Elliott channel, good or bad by turns. Counts bits and octets.

    E. N. Gilbert, Bell System Technical Journal 39 (1960), and E. O. Elliott, the same, 42 (1963).
    """

    kind: Literal["burst"] = "burst"
    enter: float = Field(ge=0, le=1, description="probability of good to bad, for each octet")
    leave: float = Field(gt=0, le=1, description="probability of bad to good, for each octet")
    rate: float = Field(0.5, ge=0, le=1, description="probability of a turned bit in the bad state")
    loss: float = Field(0.0, ge=0, le=1, description="probability of a lost octet in the bad state")
    good_rate: float = Field(0.0, ge=0, le=1, description="probability of a turned bit in the good state")

    def damage(self, data: bytes, line: Line) -> bytes:
        out = bytearray()
        random = line.rng.random
        for octet in data:
            if random() < (self.leave if line.bad else self.enter):
                line.bad = not line.bad
            if line.bad and self.loss and line.happens(self.loss):
                continue
            for bit in line.chances(8, self.rate if line.bad else self.good_rate):
                octet ^= 1 << bit
            out.append(octet)
        return bytes(out)


class Drop(LinkFault):
    """Octets, or whole sends, are lost. Counts them."""

    kind: Literal["drop"] = "drop"
    rate: float = Field(ge=0, le=1, description="probability for each octet or send")
    of: Unit = Field("octet", description="'octet', or 'send': what was sent in one go")

    def act(self, sent: list[Piece], line: Line) -> list[Piece]:
        if self.of == "send":
            return [] if line.happens(self.rate) else sent
        return LinkFault.act(self, sent, line)

    def damage(self, data: bytes, line: Line) -> bytes:
        out = bytearray(data)
        for i in reversed(line.chances(len(data), self.rate)):
            del out[i]
        return bytes(out)


class Repeat(LinkFault):
    """Octets, or whole sends, come twice. Counts them."""

    kind: Literal["repeat"] = "repeat"
    rate: float = Field(ge=0, le=1, description="probability for each octet or send")
    of: Unit = Field("octet", description="'octet', or 'send': what was sent in one go")

    def act(self, sent: list[Piece], line: Line) -> list[Piece]:
        if self.of == "send":
            return sent * 2 if line.happens(self.rate) else sent
        return LinkFault.act(self, sent, line)

    def damage(self, data: bytes, line: Line) -> bytes:
        out = bytearray(data)
        for i in reversed(line.chances(len(data), self.rate)):
            out.insert(i, out[i])
        return bytes(out)


class Swap(LinkFault):
    """An octet changes places with the next one. Counts swaps."""

    kind: Literal["swap"] = "swap"
    rate: float = Field(ge=0, le=1, description="probability for each octet")

    def damage(self, data: bytes, line: Line) -> bytes:
        out = bytearray(data)
        for i in line.chances(len(data) - 1, self.rate):
            out[i], out[i + 1] = out[i + 1], out[i]
        return bytes(out)


class Merge(LinkFault):
    """Two octets arrive as one, as when two drivers collide: a zero bit of either wins. Counts merges."""

    kind: Literal["merge"] = "merge"
    rate: float = Field(ge=0, le=1, description="probability for each octet")

    def damage(self, data: bytes, line: Line) -> bytes:
        out = bytearray(data)
        for i in reversed(line.chances(len(data) - 1, self.rate)):
            out[i] &= out.pop(i + 1)
        return bytes(out)


class Delay(LinkFault):
    """What is sent in one go arrives late. Counts late sends."""

    kind: Literal["delay"] = "delay"
    most_ms: int = Field(ge=0, le=60_000, description="the delay is drawn from 0 to this, ms")
    keep_order: bool = Field(True, description="false: a later send may overtake it")

    def act(self, sent: list[Piece], line: Line) -> list[Piece]:
        late = line.rng.randint(0, self.most_ms)
        line.hits += late > 0
        return [Piece(p.data, p.late_ms + late, p.ordered and self.keep_order) for p in sent]


class Jitter(LinkFault):
    """Octets arrive one by one at the line's own pace, and some of them make the rest wait. Counts pauses."""

    kind: Literal["jitter"] = "jitter"
    rate: float = Field(0.1, ge=0, le=1, description="probability of a pause before an octet")
    most_ms: int = Field(5, ge=0, le=10_000, description="length of a pause, drawn from 0 to this, ms")

    def act(self, sent: list[Piece], line: Line) -> list[Piece]:
        pieces: list[Piece] = []
        for piece in sent:
            n = len(piece.data)
            pauses = set(line.chances(n, self.rate))
            late = piece.late_ms
            for i in range(n):
                if i in pauses:
                    late += line.rng.randint(0, self.most_ms)
                # The send's nominal time is that of its last octet; this one was on the line before.
                due = late - (n - 1 - i) * BITS * 1000 // line.baud
                octet = piece.data[i : i + 1]
                if pieces and pieces[-1].late_ms == due:
                    octet = pieces.pop().data + octet
                pieces.append(Piece(octet, due, piece.ordered))
        return pieces


class Stuck(LinkFault):
    """The line does not move: nothing arrives but one 00 where it is stuck low. Counts lost octets."""

    kind: Literal["stuck"] = "stuck"
    level: Literal["high", "low"] = Field("high", description="'high': idle; 'low': a break without end")

    def damage(self, data: bytes, line: Line) -> bytes:
        line.hits += len(data)
        return b""

    def uninvited(self, line: Line) -> Iterator[tuple[bytes, int]]:
        if self.level == "low":
            yield b"\0", round(self.at * 1000)


class Break(LinkFault):
    """Breaks: the line is low for longer than an octet, which a UART reads as 00. Counts breaks."""

    kind: Literal["break"] = "break"
    every_s: float = Field(3600.0, ge=0.001, le=1e6, description="time between breaks from ``at`` on, s")

    def uninvited(self, line: Line) -> Iterator[tuple[bytes, int]]:
        n = 0
        while self.active(t_s := self.at + n * self.every_s):
            n += 1
            line.hits += 1
            yield b"\0", round(t_s * 1000)


class Baud(LinkFault):
    """The receiver's clock is off: it samples each bit where it believes it to be. Counts damaged sends.

    A start bit that is gone when its middle is looked at is noise; an octet without its stop bit is dropped, as UARTs
    do that keep only good ones.
    """

    kind: Literal["baud"] = "baud"
    error: float = Field(
        ge=-0.9, le=0.9, description="receiver's rate over the sender's, less one; about 0.05 is borne"
    )

    def damage(self, data: bytes, line: Line) -> bytes:
        levels = [1]
        for octet in data:
            levels += [0, *(octet >> i & 1 for i in range(8)), 1]
        end = len(levels)
        bit = 1 / (1 + self.error)
        middles = [(k + 0.5) * bit for k in range(BITS)]
        levels += [1] * (int(middles[-1]) + 2)  # the line rests for as long as the receiver may look at it
        out = bytearray()
        t = 0.0
        while True:
            start = int(t)
            while start < end and levels[start]:
                start += 1
            if start >= end:
                break
            # Inside a bit that was low already the edge is now; else it is where that bit begins.
            edge = max(t, float(start))
            read = [levels[int(edge + middle)] for middle in middles]
            if read[0]:
                t = edge + bit / 2
                continue
            if read[9]:
                out.append(sum(level << i for i, level in enumerate(read[1:9])))
            t = edge + 9.5 * bit
        line.hits += bytes(out) != data
        return bytes(out)


class Echo(LinkFault):
    """What is sent comes back to its sender, as on a half-duplex bus whose receiver stays on. Counts octets."""

    kind: Literal["echo"] = "echo"

    def act(self, sent: list[Piece], line: Line) -> list[Piece]:
        for piece in sent:
            line.hits += len(piece.data)
            line.echo(piece.data)
        return sent


class Babble(LinkFault):
    """A neighbour that talks when it should not: random octets at random times (Poisson). Counts octets."""

    kind: Literal["babble"] = "babble"
    every_s: float = Field(1.0, ge=0.001, le=1e6, description="mean time between its outbursts, s")
    most: int = Field(16, ge=1, le=256, description="octets of an outburst, drawn from 1 to this")

    def uninvited(self, line: Line) -> Iterator[tuple[bytes, int]]:
        t_s = self.at + line.rng.expovariate(1 / self.every_s)
        while self.active(t_s):
            n = line.rng.randint(1, self.most)
            line.hits += n
            yield line.rng.randbytes(n), round(t_s * 1000)
            t_s += max(0.001, line.rng.expovariate(1 / self.every_s))


class Clog(LinkFault):
    """A buffer on the way fills, and lets go at the end: what found no room is lost. Counts octets."""

    kind: Literal["clog"] = "clog"
    room: int = Field(256, ge=0, le=65536, description="octets the buffer holds")

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.until is None:
            raise ValueError("a clog needs until: what it holds is let go then")
        return self

    def act(self, sent: list[Piece], line: Line) -> list[Piece]:
        assert self.until is not None
        kept = []
        wait = max(0, round(self.until * 1000) - line.t_ms)
        for piece in sent:
            data = piece.data[: max(0, self.room - line.used)]
            line.used += len(data)
            line.hits += len(piece.data)
            if data:
                kept.append(Piece(data, max(piece.late_ms, wait), piece.ordered))
        return kept


AnyLinkFault = Annotated[
    Flip
    | Burst
    | Drop
    | Repeat
    | Swap
    | Merge
    | Delay
    | Jitter
    | Stuck
    | Break
    | Baud
    | Echo
    | Babble
    | Clog,
    Field(discriminator="kind"),
]


class LinkModel(Table):
    """The ``[link]`` table."""

    baud: int = Field(
        115_200, ge=300, le=3_000_000, description="line rate; an octet takes ten bit times (8N1)"
    )
    latency_ms: int = Field(0, ge=0, le=10_000, description="fixed delay each way, ms")
    faults: list[AnyLinkFault] = Field(default=[], description="faults, in the order in which they act")
