"""What can go wrong with the node itself: resets, a clock that is off, a processor or a host that is slow."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cabinwatch.models.fields import Duration, Table, Window

SOUND = -1
"""No octet was written wrongly."""
PowerLoss = tuple[int, int]
"""How many octets of a record reached storage, and which of them the sagging supply wrote wrongly, or SOUND."""


class NodeReset(Table):
    """The node is reset from outside; octets that come while it is down are lost."""

    kind: Literal["reset"] = "reset"
    at: Duration = Field(description="when, s from the start")
    octet: int | None = Field(
        None, ge=0, le=4096, description="wait until so many more octets have been taken; at once if left out"
    )
    down_ms: int = Field(0, ge=0, le=60_000, description="how long it takes to boot, ms")


class BrownOut(Table):
    """The node's supply fails, for good in mid-write: a node without storage is reset, or nothing happens to it."""

    kind: Literal["brown_out"] = "brown_out"
    at: Duration = Field(description="when, s from the start")
    octet: int | None = Field(
        None, ge=0, le=255,
        description="wait for the next write to storage and fail after so many octets of it; at once if left out",
    )  # fmt: skip
    wrong: int | None = Field(
        None, ge=0, le=255, description="octet of that write that the sagging supply writes wrongly; none if left out"
    )  # fmt: skip
    down_ms: int = Field(0, ge=0, le=60_000, description="how long it takes to boot, ms")

    @property
    def loss(self) -> PowerLoss:
        """How it breaks off a write."""
        return self.octet or 0, SOUND if self.wrong is None else self.wrong


class ClockDrift(Window):
    """The node's clock runs fast or slow."""

    kind: Literal["drift"] = "drift"
    ppm: int = Field(
        ge=-100_000, le=100_000, description="parts per million; an RC oscillator is off by 10,000"
    )


class Jump(Table):
    """The node's clock jumps. Back: what passed since its last step is lost, as no node lets time be negative."""

    kind: Literal["jump"] = "jump"
    at: Duration = Field(description="when, s from the start")
    by_ms: int = Field(ge=-86_400_000, le=86_400_000, description="by how much, ms")


class Stall(Window):
    """The node's processor is busy elsewhere: it takes no step, and its receive ring overflows."""

    kind: Literal["stall"] = "stall"

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.until is None:
            raise ValueError("a stall needs until: a node that never comes back is a reset")
        return self


class SlowHost(Window):
    """The instruments and the ground answer late."""

    kind: Literal["slow_host"] = "slow_host"
    by_ms: int = Field(ge=1, le=60_000, description="how late, ms")


AnyDeviceFault = Annotated[
    NodeReset | BrownOut | ClockDrift | Jump | Stall | SlowHost, Field(discriminator="kind")
]


class DeviceModel(Table):
    """The ``[device]`` table: the node under test; on a live target only what the host can do to it is done."""

    faults: list[AnyDeviceFault] = Field(default=[], description="faults of the node and its clock")
