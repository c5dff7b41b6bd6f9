"""Play a world live, in real time or faster, to a node on a serial stream; no determinism is claimed here."""

import time
from collections.abc import Callable

import serial

from cabinwatch.board.emulator.prompt import CONSOLE, MARKS, heard_out, is_console, prompt_text
from cabinwatch.errors import SetupError, TargetDied, UsageError
from cabinwatch.models.commands import MONITOR_PARAMETERS
from cabinwatch.models.node_faults import SlowHost
from cabinwatch.models.scenario import Scenario
from cabinwatch.run.transcript import Recorder, Step
from cabinwatch.targets import EMULATED
from cabinwatch.targets.serial_port import PATIENCE_S
from cabinwatch.targets.unframed import Unframed
from cabinwatch.text import apart, quoted, shown
from cabinwatch.world.world import World
from cabinwatch_protocol import host

LEAD = 3
"""Poll periods that the world may be ahead of the last octets heard."""
TAIL = 1000
"""Octets of what was heard last that are searched for MicroPython's prompt."""
SCALED = ("poll_period", "hk_period", "analyser_period")
"""Parameters that are times of the world: at ``speed`` times real time the node is given the shorter ones."""

FASTEST_CLOCK = 2.0
"""Stamps that run faster than this times the node's own clock are a fault to it (SPEC SEN-14): it must not look."""


def check_live(scenario: Scenario, target: str) -> None:
    """Raise UsageError where the scenario does to the node what only an emulated one lets be done to it."""
    kinds = {fault.kind for fault in scenario.device.faults if not isinstance(fault, SlowHost)}
    asked = [f"[[device.faults]] {kind}" for kind in sorted(kinds)] + ["resets"] * bool(scenario.resets)
    if asked:
        raise UsageError(
            f"{', '.join(asked)}: nothing does that to the live node on {shown(target)}. Leave it out of the scenario, "
            f"or play it on {', '.join(EMULATED)}"
        )


def told_of_speed(scenario: Scenario, speed: float) -> list[str]:
    """What a node that keeps to its least periods does more rarely, in the world's time, than the scenario asks."""
    told = []
    for key in SCALED:
        p = MONITOR_PARAMETERS[key]
        asked_s = scenario.parameters.get(key, p.default) / 1000
        least_s = max(p.low, 1) / 1000 * speed
        if 0 < asked_s < least_s:
            every = apart(least_s, asked_s)
            told.append(
                f"At --speed {speed:g} its {key} is {every[0]} of the world, not {every[1]}: {p.low} ms is the least"
            )
    return told


class Live:
    """One live run of ``world`` with the node on ``port``; ``speed`` world seconds pass in one real second.

    A node that is held up, such as an emulated board on a busy machine, holds the world up too: else what happens to
    the air would go by unseen. ``explain`` puts the firmware's own names back into a traceback of the board.
    """

    def __init__(
        self,
        world: World,
        port: serial.Serial,
        recorder: Recorder,
        speed: float = 1.0,
        explain: Callable[[str], str] = str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._world = world
        self._port = port
        self._recorder = recorder
        self._speed = speed
        self._explain = explain
        self._clock = clock
        self._tail = b""
        world.ground.retry_ms = round(world.ground.retry_ms * max(1.0, speed))
        parameters = world.ground.parameters
        for name in SCALED if speed != 1 else ():
            limits = MONITOR_PARAMETERS[name]
            value = round(parameters.get(name, limits.default) / speed)
            parameters[name] = min(max(value, limits.low), limits.high)
        if speed > FASTEST_CLOCK:
            parameters["stuck_samples"] = 0

    def run(
        self, until_ms: int, tick: Callable[[], None] = lambda: None, patience_s: float = PATIENCE_S
    ) -> None:
        """Wait for the node's first good frame, then play up to ``until_ms``. Raises SetupError where none comes."""
        first = self._first_frame(patience_s)
        then = heard = self._clock()
        self._exchange(0, first)
        self._world.ground.configure(0)
        t_s = heard_s = 0.0
        while True:
            tx = self._read()
            now = self._clock()
            lead_s = LEAD * self._quiet_s() * self._speed
            t_s, then = min(t_s + (now - then) * self._speed, heard_s + lead_s, until_ms / 1000), now
            t_ms = round(t_s * 1000)
            if tx:
                self._check(tx, patience_s)
                heard, heard_s = now, t_s
            elif now - heard > patience_s + self._quiet_s():
                raise TargetDied(
                    f"{self._port.name} fell silent at {t_ms / 1000:.1f} s; unplugged, or reset into its REPL?"
                )
            self._exchange(t_ms, tx)
            tick()
            if t_ms >= until_ms:
                break

    def _quiet_s(self) -> float:
        """How long a healthy node may say nothing, s."""
        return self._world.ground.parameters.get("poll_period", 1000) / 1000

    def _exchange(self, t_ms: int, tx: bytes) -> None:
        rx = self._world.advance(t_ms)
        self._world.from_monitor(tx)
        rx += self._world.advance(t_ms)
        if rx:
            try:
                self._port.write(rx)
            except serial.SerialException as error:
                raise TargetDied(f"{self._port.name}: {error}") from None
        if rx or tx:
            self._recorder.add(Step(t_ms, rx, tx, 0))

    def _read(self) -> bytes:
        try:
            data: bytes = self._port.read(max(1, self._port.in_waiting))
        except (serial.SerialException, OSError) as error:
            raise TargetDied(f"{self._port.name} is gone: {error}") from None
        return data

    def _check(self, heard: bytes, patience_s: float) -> None:
        """Raise TargetDied where a board that ran shows its prompt: hear it out, and say what it said."""
        self._tail = (self._tail + heard)[-TAIL:]
        if not any(mark in self._tail for mark in MARKS):
            return
        end = self._clock() + patience_s
        while not heard_out(self._tail) and self._clock() < end:
            self._tail += self._read()
        text = quoted(self._explain(prompt_text(self._tail)))
        raise TargetDied(f"{self._port.name} dropped out of the firmware:\n{text}")

    def _first_frame(self, patience_s: float) -> bytes:
        decoder = host.StreamDecoder()
        unframed = Unframed(str(self._port.name), self._clock)
        heard = b""
        end = self._clock() + patience_s
        while self._clock() < end:
            data = self._read()
            heard += data
            if is_console(heard):
                raise SetupError(CONSOLE.format(port=shown(self._port.name)))
            framed = any(frame.verdict is host.Verdict.OK for frame in decoder.feed(data))
            if words := unframed.hear(data, framed):
                raise SetupError(words)
            if framed:
                return heard
        name = self._port.name
        if not heard:
            raise SetupError(
                f"nothing came from {name} in {patience_s:g} s. Is the monitor flashed and running there?"
            )
        raise SetupError(
            f"{len(heard)} octets came from {name} in {patience_s:g} s and no good frame among them "
            f"(first: {heard[:24].hex(' ')}). Another device, or another baud rate than {self._port.baudrate}?"
        )
