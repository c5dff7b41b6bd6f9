"""Every kind of target that the suite can judge, by the name people type."""

from collections.abc import Callable
from functools import partial

from cabinwatch.errors import UsageError
from cabinwatch.targets import EMULATED, KEYED, is_url
from cabinwatch.targets.base import Answer, Target
from cabinwatch.targets.cpython import CpythonTarget, keyed_transducer, steady_transducer
from cabinwatch.targets.microbit import MicrobitTarget
from cabinwatch.targets.micropython import MicropythonTarget
from cabinwatch.verify.conform.bench import Bench
from cabinwatch.verify.conform.emulated import READING, EmulatedBench
from cabinwatch.verify.conform.line import ExecProgram, SerialLine
from cabinwatch.verify.conform.live import LiveBench
from cabinwatch.world.instruments import Instrument
from cabinwatch.world.keying import Guard, Keying, guard_of
from cabinwatch.world.sensors import Reading
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t
from cabinwatch_protocol.keys import MasterKey

IDLE_MS = 60_000


class SteadyElement:
    """An element that always measures the same, and has the bench's clock."""

    def read(self, t_ms: int) -> Reading:
        """The same values, stamped now."""
        return Reading(t_ms, {**READING, "status": 0})

    def silent(self, t_s: float) -> bool:
        """Never."""
        return False


class HostTransducer:
    """The transducer that the emulator plays, as a target: its node is cabinwatch.world.instruments.Instrument."""

    name = "host"

    def __init__(self, guard: Guard | None = None) -> None:
        self._guard = guard
        self._start()

    def _start(self) -> None:
        self._now = 0
        self._decoder = host.StreamDecoder()
        self._node = Instrument("transducer", SteadyElement(), guard=self._guard)

    def _boot(self, cause: t.Reset) -> Answer:
        self._start()
        return self._node.boot(cause), IDLE_MS

    def start(self) -> Answer:
        return self._boot(t.Reset.POWER_ON)

    def step(self, elapsed_ms: int, rx: bytes) -> Answer:
        self._now += elapsed_ms
        out = b""
        for frame in self._decoder.feed(rx):
            if frame.packet[:2] == b"\x18\xa2" and frame.packet[2] >= 0xC0:
                out += self._node.answer(frame.packet, self._now)
        return out, IDLE_MS

    def reset(self) -> Answer:
        return self._boot(t.Reset.EXTERNAL)

    def close(self) -> None:
        """Nothing to free."""


TRANSDUCERS: dict[str, Callable[[], Target]] = {
    "cpython": lambda: CpythonTarget(steady_transducer),
    "micropython": lambda: MicropythonTarget(role="transducer"),
    "microbit": lambda: MicrobitTarget(role="transducer"),
    "host": HostTransducer,
}


def emulated(role: str) -> dict[str, Callable[[], Target]]:
    """The targets in lock-step that have this role."""
    return dict(EMULATED) if role == "monitor" else TRANSDUCERS


def keyed(role: str, keying: Keying) -> dict[str, Callable[[], Target]]:
    """Likewise, with a key."""
    if role == "monitor":
        return {name: partial(make, keying) for name, make in KEYED.items()}
    return {
        "cpython": lambda: CpythonTarget(keyed_transducer(keying)),
        "micropython": lambda: MicropythonTarget(role=role, keying=keying),
        "microbit": lambda: MicrobitTarget(role=role, keying=keying),
        "host": lambda: HostTransducer(guard_of("transducer", keying)),
    }


def open_bench(
    target: str,
    role: str,
    seed: int = 1,
    timeout_s: float = 30.0,
    baud: int = 115_200,
    master: MasterKey | None = None,
) -> Bench:
    """The bench for a target's name, keyed where there is ``master``. Raises UsageError for one that we do not know."""
    known = keyed(role, Keying(master, seed)) if master else emulated(role)
    if target in known:
        return EmulatedBench(role, seed, timeout_s, master=master, make=known[target])
    if target.startswith("exec:"):
        return LiveBench(role, seed, timeout_s, master=master, line=ExecProgram(target[5:]))
    if is_url(target):
        return LiveBench(role, seed, timeout_s, master=master, line=SerialLine(target, baud))
    raise UsageError(
        f"no {role} target {target!r}: {', '.join(known)}, a serial port or pyserial URL "
        "(/dev/ttyUSB0, socket://host:port), or exec:COMMAND for a program that talks on stdin and stdout"
    )
