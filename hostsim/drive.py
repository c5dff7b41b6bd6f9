"""Drive a target through a world in lock-step: the host owns time, nothing sleeps, a run is its transcript."""

from collections.abc import Callable

from hostsim.targets.base import Answer, Target
from hostsim.targets.lockstep import TargetDied
from hostsim.transcript import Recorder, Step
from hostsim.world import World
from protocol.table import RX_MAX

STALL_STEPS = 1000
"""A target that wants to be woken at once more often than this, with no time passing, is broken."""


class LockStep:
    """One run of ``target`` in ``world``; every step goes to ``recorder``."""

    def __init__(self, world: World, target: Target, recorder: Recorder) -> None:
        self._world = world
        self._target = target
        self._recorder = recorder
        self._device_ms = 0
        self._wake_ms = 0
        self._stalled = 0
        self.steps = 0
        world.on_reset = self._reset

    def run(self, until_ms: int, tick: Callable[[], None] = lambda: None) -> None:
        """Start the target and play up to ``until_ms`` of the world; ``tick`` is called after every step."""
        self._take(Step(0, b"", *self._target.start()))
        world = self._world
        while True:
            happens = world.next_ms()
            t_ms = self._wake_ms if happens is None else min(happens, self._wake_ms)
            if t_ms > until_ms:
                break
            rx = world.advance(t_ms)
            if rx or t_ms >= self._wake_ms:
                self._step(t_ms, rx)
                tick()
        world.advance(until_ms)

    def _step(self, t_ms: int, rx: bytes) -> None:
        """Hand over ``rx``, in pieces that the step interface takes."""
        for i in range(0, len(rx) or 1, RX_MAX):
            piece = rx[i : i + RX_MAX]
            elapsed_ms = t_ms - self._device_ms
            self._stalled = 0 if elapsed_ms or rx else self._stalled + 1
            if self._stalled > STALL_STEPS:
                raise TargetDied(f"the monitor asks to be woken at once without end, at {t_ms / 1000} s")
            self._device_ms = t_ms
            self._take(Step(t_ms, piece, *self._target.step(elapsed_ms, piece)))

    def _reset(self) -> None:
        answer: Answer = self._target.reset()
        self._device_ms = self._world.now_ms
        self._take(Step(self._device_ms, b"", *answer, reset=True))

    def _take(self, step: Step) -> None:
        self.steps += 1
        self._recorder.add(step)
        self._wake_ms = step.t_ms + step.wake_ms
        self._world.from_monitor(step.tx)
