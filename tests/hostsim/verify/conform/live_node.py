"""A wrong node of the firmware, live on standard input and output: ``live_node.py NAME``, or ``right monitor``."""

import os
import select
import sys
import time
from dataclasses import replace

import mutants_alarms  # noqa: F401 - adds its own
import mutants_monitor  # noqa: F401 - adds its own
import mutants_survivors  # noqa: F401 - adds its own
from mutants import MUTANTS, Mutant


def main(name: str, role: str = "monitor") -> None:
    """Serve one node until the input ends; ``role`` where the mistake is in what both roles share."""
    mutant = next((m for m in MUTANTS if m.name == name), Mutant(name, role, (), ()))
    mutant = replace(mutant, role=role or mutant.role)
    node = mutant.make_node(lambda buf, n: os.write(1, bytes(buf[:n])))
    node.boot(0)
    then, wake_ms = time.monotonic(), 0
    while True:
        left_s = wake_ms / 1000 - (time.monotonic() - then)
        ready, _, _ = select.select([0], [], [], max(0, left_s))
        octets = os.read(0, 48) if ready else b""
        if ready and not octets:
            return
        elapsed_ms = int(1000 * (time.monotonic() - then))
        then += elapsed_ms / 1000
        wake_ms = node.step(elapsed_ms, octets, len(octets))
        if node.rebooting:
            node.boot(1)
            wake_ms = 0


if __name__ == "__main__":
    main(*sys.argv[1:])
