"""Nodes in C, right and wrong: transducer.c, and what small changes make of it."""

import socket
import subprocess
from functools import cache
from pathlib import Path

from cabinwatch.targets.lockstep import Wire
from cabinwatch.verify.conform.emulated import EmulatedBench

HERE = Path(__file__).parent
FLAGS = ("-std=c11", "-O1", "-Wall", "-Wextra", "-Werror")


@cache
def source(name):
    return (HERE / name).read_text(encoding="utf-8")


def build(folder, *edits, name="transducer.c", flags=("-std=c11",)):
    """The program that ``edits``, pairs of old and new, make of the source; each old stands there exactly once."""
    text = source(name)
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    program = folder / "node"
    subprocess.run(["cc", *flags, "-o", program, folder / name], check=True)
    return f"exec:{program}"


class LockStepMonitor:
    """A monitor in C as a target in lock-step; ``program`` is a build of monitor_lockstep.c."""

    name = "c"

    def __init__(self, program):
        ours, theirs = socket.socketpair()
        self._process = subprocess.Popen([program], stdin=theirs, stdout=theirs, start_new_session=True)
        theirs.close()
        self._wire = Wire(ours, lambda: f"the program ended with code {self._process.wait(5)}")

    def start(self):
        return self._wire.answer()

    def step(self, elapsed_ms, rx):
        return self._wire.step(elapsed_ms, rx)

    def reset(self):
        return self._wire.reset()

    def close(self):
        self._wire.close()
        self._process.kill()
        self._process.wait()


def build_lockstep(folder, *edits, flags=("-std=c11",)):
    """What ``edits`` make of monitor.c, in lock-step."""
    build(folder, *edits, name="monitor.c", flags=flags)
    wanted = f'-DMONITOR="{folder / "monitor.c"}"'
    program = folder / "lockstep"
    subprocess.run(["cc", *flags, wanted, "-o", program, HERE / "monitor_lockstep.c"], check=True)
    return program


def lockstep_bench(program):
    """The bench for it."""
    return EmulatedBench("monitor", make=lambda: LockStepMonitor(program))
