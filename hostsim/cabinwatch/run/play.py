"""Play a scenario to the firmware wherever it runs: what the run and replay commands do."""

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cabinwatch.errors import UsageError
from cabinwatch.models.scenario import Scenario
from cabinwatch.run.live import Live, check_live
from cabinwatch.run.lockstep import LockStepRun
from cabinwatch.run.observer import Silent, View
from cabinwatch.run.result import Run
from cabinwatch.run.transcript import Recorder, Step, Transcript
from cabinwatch.targets import is_live, live_node, open_target
from cabinwatch.targets.base import Target
from cabinwatch.targets.serial_port import PATIENCE_S, open_port
from cabinwatch.targets.storage import Storing
from cabinwatch.world.keying import Keying
from cabinwatch.world.world import World
from cabinwatch_protocol.keys import MasterKey
from cabinwatch_protocol.table import DAY_MS, RX_MAX, Reset


@dataclass(frozen=True)
class Order:
    """What is to be played: ``name`` as the user gave it, ``text`` the scenario file's own words."""

    name: str
    scenario: Scenario
    text: str
    target: str
    seed: int
    until_ms: int
    record: Path | None = None
    speed: float = 1.0
    patience_s: float = PATIENCE_S
    keying: Keying | None = None


class _Stop:
    """Ctrl-C ends a run between two steps, so that what is recorded, counted and hashed is the same; twice, at once."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._pressed = False
        self._before = None
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._press)

    def _press(self, *_: object) -> None:
        if self._pressed or not self._recorder.steps:
            raise KeyboardInterrupt
        self._pressed = True

    def check(self) -> None:
        if self._pressed:
            raise KeyboardInterrupt

    def close(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)


def play(order: Order, make_view: Callable[[World], View] = lambda world: Silent()) -> tuple[World, Run]:
    """Play to the end, or to Ctrl-C: what has been recorded by then is whole. Raises CabinwatchError."""
    if is_live(order.target):
        check_live(order.scenario, order.target)
    views: list[View] = []
    keying = order.keying.playing(order.text) if order.keying else None
    world = World(order.scenario, order.seed, lambda event: views[0].event(event), keying)
    header = {
        "scenario": order.name,
        "target": order.target,
        "seed": order.seed,
        "live": is_live(order.target),
    }
    if keying:
        header |= {"keyed": keying.header()}
    world.ground.on_command = lambda command: views[0].command(command)
    if log := world.station.record:
        header |= {"log": log.name, "log_sha256": log.sha256}
    recorder = Recorder(order.record, {**header, "toml": order.text})
    begin = time.monotonic()
    interrupted = False

    def tick() -> None:
        views[0].tick()
        stop.check()

    stop = _Stop(recorder)
    try:
        if is_live(order.target):
            with (
                live_node(order.target, keying) as (url, explain),
                open_port(url, order.scenario.link.baud) as port,
            ):
                views.append(make_view(world))
                live = Live(world, port, recorder, order.speed, explain)
                live.run(order.until_ms, tick, order.patience_s)
        else:
            target = open_target(order.target, keying)
            try:
                views.append(make_view(world))
                LockStepRun(world, target, recorder).run(order.until_ms, tick)
            finally:
                target.close()
    except KeyboardInterrupt:
        interrupted = True
    finally:
        stop.close()
        recorder.close()
        for view in views:
            view.close()
    wall_s = time.monotonic() - begin
    return world, Run(
        order.name, order.target, order.seed, wall_s, recorder.steps, recorder.sha256, interrupted
    )


@dataclass(frozen=True)
class Replayed:
    """What came of a replay: ``differs`` describes the first step that was not as recorded, or is empty."""

    steps: int
    sha256: str
    differs: str


def replay(transcript: Transcript, target_name: str, master: MasterKey | None = None) -> Replayed:
    """Feed a recording's octets to ``target_name`` at the recorded times and compare what it sends.

    The recording of a keyed node needs its owner's key ``master``.
    """
    target = open_target(target_name, _keying(transcript, master))
    recorder = Recorder()
    done = 0
    differs = ""
    t_ms = 0
    try:
        for number, step in enumerate(transcript.steps):
            elapsed_ms = step.t_ms - t_ms
            if not 0 <= elapsed_ms <= DAY_MS or len(step.rx) > RX_MAX:
                raise UsageError(
                    f"line {number + 2} of the recording is no step that a run makes: {elapsed_ms} ms after the last, "
                    f"{len(step.rx)} octets; 0 to {DAY_MS} and up to {RX_MAX} are"
                )
            if not number:
                answer = target.start()
            elif step.reset:
                answer = target.reset() if step.power is None else _storing(target).restart(Reset.POWER_ON)
            else:
                if step.power is not None:
                    _storing(target).storage.loss = step.power
                answer = target.step(elapsed_ms, step.rx)
            t_ms = step.t_ms
            got = Step(step.t_ms, step.rx, *answer, reset=step.reset, power=step.power)
            recorder.add(got)
            done += 1
            if got != step:
                differs = _difference(number, step, got)
                break
    finally:
        target.close()
    return Replayed(done, recorder.sha256, differs)


def _keying(transcript: Transcript, master: MasterKey | None) -> Keying | None:
    keyed = transcript.header.get("keyed")
    if keyed is None or master is None:
        if keyed is not None:
            raise UsageError("the recording is of a keyed node: give its --key FILE")
        if master is not None:
            raise UsageError("the recording is of a node without key: leave out --key")
        return None
    try:
        keying = Keying(master, int(transcript.header["seed"]), frozenset(keyed["unkeyed"]))
        return keying.playing(str(transcript.header["toml"]))
    except (KeyError, TypeError, ValueError):
        raise UsageError("the recording does not say how its node was keyed: its header is damaged") from None


def _storing(target: Target) -> Storing:
    if not isinstance(target, Storing):
        raise UsageError(f"{target.name} has no storage that power could fail")
    return target


def _difference(number: int, recorded: Step, got: Step) -> str:
    return (
        f"step {number + 1} at {recorded.t_ms / 1000} s (line {number + 2} of the file) differs:\n"
        f"  recorded tx {recorded.tx.hex() or '-'} wake {recorded.wake_ms} ms\n"
        f"  replayed tx {got.tx.hex() or '-'} wake {got.wake_ms} ms"
    )
