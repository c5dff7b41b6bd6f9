"""The bench for targets in lock-step: it owns the node's time, so no case depends on how fast anything runs."""

from collections.abc import Callable
from dataclasses import dataclass, field

from cabinwatch.errors import TargetDied
from cabinwatch.targets.base import Answer, Target
from cabinwatch.targets.storage import Storing
from cabinwatch.verify.conform.bench import Bench, Gone, Heard, Impossible, Reference, Unmet
from cabinwatch_protocol import table as t

ANSWER_MS = 5
"""Virtual time given to an answer; a node in lock-step answers in the step that brings the octets."""
STALL = 1000
READING = {"pressure_cPa": 10132500, "temperature_cK": 29515}
"""What every emulated transducer measures."""
LEAP = 10
"""Days that a transducer takes in one step: as many as 31 bits of milliseconds hold, its own day's included."""


@dataclass
class EmulatedBench(Bench):
    """``make`` builds the target anew, should it die."""

    make: Callable[[], Target] = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.emulated = True
        if self.role == "transducer":
            self.reference = Reference(**READING)
        self._target: Target | None = None
        self._now = 0
        self._told = 0
        """Up to when the node knows the time: it is told with the next octets, or when it wants to be stepped."""
        self._wake = 0

    @property
    def now_ms(self) -> int:
        return self._now

    def start(self) -> None:
        self._target = self.make()
        self._took(self._call(self._target.start))

    def fresh(self) -> None:
        self._now = 0
        if isinstance(self._target, Storing):
            self._target.storage.erase()
        self.restart()

    def restart(self) -> list[Heard]:
        if self._target is None:
            self.start()
            assert self._target is not None
        self.raw = b""
        return self._took(self._call(self._target.reset))

    def power_up(self) -> list[Heard]:
        if self._target is not None:
            self._target.close()
        self._now = 0
        self.raw = b""
        self._target = self.make()
        return self._took(self._call(self._target.start))

    def _call(self, act: Callable[[], Answer]) -> Answer:
        try:
            return act()
        except TargetDied as died:
            self.close()
            raise Gone(str(died)) from None
        except Exception as error:
            # A node in this process that raises has crashed, as a board would.
            self.close()
            raise Gone(f"the node crashed: {type(error).__name__}: {error}") from error

    def _took(self, answer: Answer) -> list[Heard]:
        octets, wake_ms = answer
        self._told = self._now
        self._wake = self._now + wake_ms
        return self.took(octets, self._now)

    def _step(self, elapsed_ms: int, rx: bytes) -> list[Heard]:
        target = self._target
        if target is None:
            raise Gone("the target is gone")
        self._now += elapsed_ms
        untold_ms = self._now - self._told
        return self._took(self._call(lambda: target.step(untold_ms, rx)))

    def ask(self, octets: bytes, chunk: int = 0, fence: bool = True) -> list[Heard]:
        self.raw = b""
        self.gave(octets)
        size = chunk or t.RX_MAX
        heard: list[Heard] = []
        for i in range(0, len(octets), size):
            heard += self._step(0, octets[i : i + size])
        return heard + self._until(self._now + ANSWER_MS)

    def give(self, octets: bytes) -> list[Heard]:
        return self.ask(octets)

    def run(self, ms: int) -> list[Heard]:
        self.raw = b""
        return self._until(self._now + ms)

    def next(self, ms: int) -> list[Heard]:
        self.raw = b""
        return self._until(min(self._now + ms, max(self._now, self._wake)))

    def _until(self, end: int) -> list[Heard]:
        heard: list[Heard] = []
        stalled = 0
        while (due := min(self._wake, self._told + t.DAY_MS)) <= end:
            stalled = 0 if due > self._now else stalled + 1
            if stalled > STALL:
                raise Unmet("a node that lets time pass", "it asks to be stepped at once, without end")
            heard += self._step(max(0, due - self._now), b"")
        self._now = max(self._now, end)
        return heard

    def days(self, n: int) -> None:
        """Let days pass, several in one step: for a transducer, which does nothing meanwhile."""
        self._step(0, b"")
        for begin in range(0, n, LEAP):
            self._step(min(LEAP, n - begin) * t.DAY_MS, b"")

    def close(self) -> None:
        if self._target is not None:
            self._target.close()
            self._target = None


def virtual(bench: Bench, why: str) -> EmulatedBench:
    """The bench, if it owns time. Raises Impossible with the reason why that is needed."""
    if not isinstance(bench, EmulatedBench):
        raise Impossible(f"needs virtual time: {why}")
    return bench
