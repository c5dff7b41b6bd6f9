"""The firmware in this process, on CPython: the fastest target, and the one that a debugger can step into."""

from collections.abc import Callable
from typing import Any

from cabinwatch.targets.base import Answer
from cabinwatch.targets.storage import Storage
from cabinwatch.world.keying import SESSION_SIZE, Keying
from cabinwatch_firmware.keyed_monitor import KeyedMonitor
from cabinwatch_firmware.keyed_transducer import KeyedTransducer
from cabinwatch_firmware.monitor import Monitor
from cabinwatch_firmware.ports.lockstep_transducer import make_node as steady_transducer
from cabinwatch_firmware.ports.steady import Steady
from cabinwatch_protocol.table import Reset

__all__ = ["CpythonTarget", "NodeFactory", "keyed_monitor", "keyed_transducer", "steady_transducer"]

NodeFactory = Callable[[Callable[[bytearray, int], None]], Any]


def keyed_monitor(keying: Keying) -> NodeFactory:
    """A keyed monitor, with the run's sessions."""
    renew = _renewing(keying, "monitor")
    return lambda sink: KeyedMonitor(sink, keying.of_monitor(), renew)


def keyed_transducer(keying: Keying) -> NodeFactory:
    """A keyed transducer with a steady sensor, likewise."""
    renew = _renewing(keying, "transducer")
    key = keying.master.of_instrument("transducer")
    return lambda sink: KeyedTransducer(sink, Steady(), key, renew)


def _renewing(keying: Keying, role: str) -> Callable[[bytearray], None]:
    sessions = keying.sessions(role)

    def renew(vault: bytearray) -> None:
        vault[:SESSION_SIZE] = next(sessions)

    return renew


class CpythonTarget:
    """``make_node(sink)`` builds the node to run; the monitor by default."""

    name = "cpython"

    def __init__(self, make_node: NodeFactory = Monitor) -> None:
        self._out = bytearray()
        self.storage = Storage()
        self.node = make_node(self._collect)
        self.node.store = self._store

    def _collect(self, buf: bytearray, n: int) -> None:
        if not self.storage.down:
            self._out += buf[:n]

    def _store(self, buf: bytearray, n: int) -> bool:
        self.storage.write(bytes(buf[:n]))
        return True

    def _boot(self, cause: Reset) -> int:
        self.storage.down = False
        for slot in self.storage.slots:
            if slot:
                self.node.recall(slot, len(slot))
        self.node.boot(cause.value)
        wake: int = self.node.step(0, b"", 0)
        return wake

    def _take(self, wake: int) -> Answer:
        out = bytes(self._out)
        self._out.clear()
        return out, wake

    def start(self) -> Answer:
        return self._take(self._boot(Reset.POWER_ON))

    def step(self, elapsed_ms: int, rx: bytes) -> Answer:
        wake = self.node.step(elapsed_ms, rx, len(rx))
        if self.storage.down:
            wake = self._boot(Reset.POWER_ON)
        elif self.node.rebooting:
            wake = self._boot(Reset.COMMANDED)
        return self._take(wake)

    def reset(self) -> Answer:
        return self.restart(Reset.EXTERNAL)

    def restart(self, cause: Reset) -> Answer:
        return self._take(self._boot(cause))

    def close(self) -> None:
        """Nothing to free."""
