"""Drive a target through a world in lock-step: the host owns time, nothing sleeps, a run is its transcript."""

from collections.abc import Callable

from cabinwatch.errors import TargetDied
from cabinwatch.models.node_faults import SOUND, BrownOut, NodeReset, PowerLoss, Stall
from cabinwatch.run.transcript import Recorder, Step
from cabinwatch.targets.base import Answer, Target
from cabinwatch.targets.storage import Storing
from cabinwatch.world.node_clock import RING, Clock
from cabinwatch.world.world import World
from cabinwatch_protocol import table as t
from cabinwatch_protocol.table import DAY_MS, RX_MAX

STALL_STEPS = 1000
"""A target that wants to be woken at once more often than this, with no time passing, is broken."""

BETWEEN: PowerLoss = (0, SOUND)
"""A loss of power that breaks off no write."""


class LockStepRun:
    """One run of ``target`` in ``world``; every step goes to ``recorder``, timed by the node's own clock."""

    def __init__(self, world: World, target: Target, recorder: Recorder) -> None:
        self._world = world
        self._target = target
        self._recorder = recorder
        self._clock = Clock(world.scenario.device)
        self._shown_ms = self._clock.at(0)
        self._node_ms = 0
        self._wake_ms = 0
        self._stalled = 0
        self._rx = b""
        self._down_until_ms = 0
        self._storage = target.storage if isinstance(target, Storing) else None
        self._down_ms = 0
        self._pending: NodeReset | None = None
        self._taken = 0
        world.on_reset = self._reset
        faults = world.scenario.device.faults
        self._stalls = [f for f in faults if isinstance(f, Stall)]
        for fault in faults:
            if isinstance(fault, NodeReset):
                world.at(round(fault.at * 1000), self._resetter(fault), first=True)
            elif isinstance(fault, BrownOut):
                self.add_brown_out(fault)

    def run(self, until_ms: int, tick: Callable[[], None] = lambda: None) -> None:
        """Start the target and play up to ``until_ms`` of the world; ``tick`` is called after every step."""
        self.start()
        self.go_on(until_ms, tick)

    def start(self) -> None:
        """Power the target on."""
        self._take(b"", self._target.start())

    def go_on(self, until_ms: int, tick: Callable[[], None] = lambda: None) -> None:
        """Play on up to ``until_ms`` of the world."""
        world = self._world
        while True:
            happens = world.next_ms()
            t_ms = self._wake_ms if happens is None else min(happens, self._wake_ms)
            if t_ms > until_ms:
                break
            rx = world.advance(t_ms)
            if self._stalls and self._held_up(t_ms, rx):
                continue
            if self._rx:
                rx, self._rx = self._rx + rx, b""
            if rx or t_ms >= self._wake_ms:
                self._step(t_ms, rx)
                tick()
        self._rx += world.advance(until_ms)

    def _held_up(self, t_ms: int, rx: bytes) -> bool:
        """Whether the node's processor is busy elsewhere; what comes in meanwhile fills its receive ring."""
        ends = [s.until for s in self._stalls if s.until is not None and s.active(t_ms / 1000)]
        if not ends:
            return False
        self._rx = (self._rx + rx)[:RING]
        self._wake_ms = max(t_ms + 1, -int(-max(ends) * 1000 // 1))
        return True

    def _step(self, t_ms: int, rx: bytes) -> None:
        """Hand over ``rx``, in pieces that the step interface takes."""
        if t_ms < self._down_until_ms:
            rx = b""
        if self._pending is not None:
            rx = self._cut(t_ms, rx)
        for i in range(0, len(rx) or 1, RX_MAX):
            piece = rx[i : i + RX_MAX]
            elapsed_ms = self._elapse(t_ms)
            self._stalled = 0 if elapsed_ms or rx else self._stalled + 1
            if self._stalled > STALL_STEPS:
                raise TargetDied(f"the monitor asks to be woken at once without end, at {t_ms / 1000} s")
            while elapsed_ms > DAY_MS:
                elapsed_ms -= DAY_MS
                self._hand_over(t_ms, DAY_MS, b"")
            if not self._hand_over(t_ms, elapsed_ms, piece):
                break

    def _hand_over(self, t_ms: int, elapsed_ms: int, rx: bytes) -> bool:
        """One step of the target; whether its supply lasted."""
        self._node_ms += elapsed_ms
        loss = self._storage.loss if self._storage else None
        answer = self._target.step(elapsed_ms, rx)
        if loss is None or self._storage is None or self._storage.loss is not None:
            self._take(rx, answer)
            return True
        self._take(rx, answer, power=loss)
        self._down_until_ms = t_ms + self._down_ms
        return False

    def _elapse(self, t_ms: int) -> int:
        """What the node believes to have passed since its last step; a clock that jumped back shows none."""
        shown = t_ms if self._clock.true else self._clock.at(t_ms)
        elapsed_ms = max(0, shown - self._shown_ms)
        self._shown_ms = shown
        return elapsed_ms

    # -- resets and failing supplies

    def add_brown_out(self, fault: BrownOut) -> None:
        """Have the supply fail at its time, or in the first write to storage after it."""

        def strike() -> None:
            if fault.octet is None:
                self._power_cycle()
                self._down_until_ms = self._world.now_ms + fault.down_ms
            elif self._storage:
                self._storage.loss = fault.loss
                self._down_ms = fault.down_ms

        self._world.at(round(fault.at * 1000), strike, first=True)

    def _power_cycle(self) -> None:
        if isinstance(self._target, Storing):
            self._booted(self._target.restart(t.Reset.POWER_ON), BETWEEN)
        else:
            self._reset()

    def _resetter(self, fault: NodeReset) -> Callable[[], None]:
        def strike() -> None:
            if fault.octet is None:
                self._reset()
                self._down_until_ms = self._world.now_ms + fault.down_ms
            else:
                self._pending, self._taken = fault, 0

        return strike

    def _cut(self, t_ms: int, rx: bytes) -> bytes:
        """Give the node what it takes before a reset at a certain octet; return what is left, which is lost."""
        fault = self._pending
        assert fault is not None
        assert fault.octet is not None
        if self._taken + len(rx) < fault.octet:
            self._taken += len(rx)
            return rx
        self._pending = None
        before = rx[: fault.octet - self._taken]
        if before:
            self._step(t_ms, before)
        self._reset()
        self._down_until_ms = t_ms + fault.down_ms
        return b""

    def _reset(self) -> None:
        self._booted(self._target.reset())

    def _booted(self, answer: Answer, power: PowerLoss | None = None) -> None:
        self._node_ms += self._elapse(self._world.now_ms)
        self._take(b"", answer, reset=True, power=power)

    def _take(self, rx: bytes, answer: Answer, reset: bool = False, power: PowerLoss | None = None) -> None:
        tx, wake_ms = answer
        self._recorder.add(Step(self._node_ms, rx, tx, wake_ms, reset, power))
        now_ms = self._world.now_ms
        self._wake_ms = (
            now_ms + wake_ms if self._clock.true else self._clock.when(self._shown_ms + wake_ms, now_ms)
        )
        self._world.from_monitor(tx)
