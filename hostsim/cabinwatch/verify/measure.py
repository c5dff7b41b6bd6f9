"""What the firmware takes of the board: heap by module, and time for a sample under QEMU's counted clock."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from cabinwatch.board.build.image import PORTS, Image, build_image
from cabinwatch.board.emulator.qemu import BoardError, Qemu
from cabinwatch.run.transcript import Step
from cabinwatch.world.keying import Keying

INSTRUCTION_CLOCK = ("-icount", "shift=6")
"""One instruction each 64 ns: 15.6 MHz, the nRF51822's 16 MHz at one instruction a cycle, which is its best case."""

OCTET_US = 10 * 1_000_000 / 115_200
"""Time on the line of one octet at 115,200 baud, 8N1, in microseconds."""

NAMES = "names of what is in flash"


@dataclass(frozen=True)
class Heap:
    """Octets of heap free before the firmware, and what names and then each module's statements took, in load order."""

    at_start: int
    taken: dict[str, int]

    @property
    def after_load(self) -> int:
        """Octets free when everything is loaded; the firmware's own objects are made after that."""
        return self.at_start - sum(self.taken.values())


@dataclass(frozen=True)
class StepTime:
    """One step on the board: microseconds of computing, octets received and sent in it."""

    compute_us: int
    received: int
    sent: int

    @property
    def total_us(self) -> float:
        """From the first octet received to the last one sent: the line's time both ways, and the computing between."""
        return self.compute_us + (self.received + self.sent) * OCTET_US


def heap_by_module(port: str = "uart") -> Heap:
    """Boot the image with ``port`` and measure its heap, module by module.

    :raises SetupError: QEMU or the pip extra is missing. :raises BoardError: the board did not load it.
    """
    image = build_image(port=port, probe=True)
    free: list[int] = []
    with Qemu(image.hex, explain=image.explain) as qemu:
        heard = b""
        while len(free) < len(image.chunks) + 2:
            heard += qemu.receive()
            qemu.check(heard)
            free = [int(m[1]) for m in re.finditer(rb"(?:-2|-1|\d+) (\d+)\r\n", heard)]
    taken = {NAMES: free[0] - free[1]}
    for (_, module), (before, after) in zip(image.chunks, pairwise(free[1:]), strict=True):
        taken[module] = taken.get(module, 0) + before - after
    return Heap(free[0], taken)


def step_times(steps: Sequence[Step], keying: Keying | None = None) -> list[StepTime]:
    """Time the steps of a transcript on the board, after its first one, which is the boot.

    The figures are the same in every run, give or take interrupts of the board's clock: less than 0.1 ms.

    :raises ValueError: a reset among the steps.
    """
    if any(step.reset for step in steps):
        raise ValueError("a transcript to be timed must have no reset in it")
    times: list[StepTime] = []
    image = _bench_image(keying.of_monitor() + next(keying.sessions()) if keying else b"")
    with Qemu(image.hex, INSTRUCTION_CLOCK, image.explain) as qemu:
        _heard(qemu, rb"end\r\n")
        for before, step in pairwise(steps):
            elapsed_ms = step.t_ms - before.t_ms
            qemu.send(bytes([len(step.rx)]) + elapsed_ms.to_bytes(4, "big") + step.rx)
            compute_us, sent = (int(figure) for figure in _heard(qemu, rb" (\d+) (\d+)\r\n"))
            if sent != len(step.tx):
                raise BoardError(f"the board sent {sent} octets at {step.t_ms} ms, not {len(step.tx)}")
            times.append(StepTime(compute_us, len(step.rx), sent))
    return times


@cache
def _bench_image(key: bytes) -> Image:
    """With a file of keys a keyed monitor. Of the ports this one alone, since it takes in what is another's."""
    role = "keyed monitor" if key else "monitor"
    files = {"key": key} if key else {}
    return build_image(role=role, port="bench", data=files, ports={"bench": PORTS[role]["bench"]})


def _heard(qemu: Qemu, pattern: bytes) -> tuple[bytes, ...]:
    """Wait for a line from the board; what is in its brackets."""
    heard = b""
    while not (found := re.search(pattern, heard)):
        heard += qemu.receive()
        qemu.check(heard)
    return found.groups()


def sample_time(steps: Sequence[Step]) -> StepTime:
    """The slowest of a transcript's steps that took something in: a sample, in a run with nothing else on the line."""
    return max((time for time in step_times(steps) if time.received), key=lambda time: time.total_us)
