"""On the MicroPython VM the steady loop allocates nothing: it runs with the heap locked."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from cabinwatch.sources import import_path

SCRIPT = Path(__file__).with_name("heap_locked.py")
STEPS = 10_000


@pytest.mark.parametrize(
    ("fall", "keyed"),
    [(0, False), (300, False), (20_000, False), (300, True)],
    ids=["quiet", "leak", "burst", "keyed"],
)
def test_ten_thousand_steps_with_the_heap_locked(vm, fall, keyed):
    """Samples, reports, telecommands of every kind, noise, and in two of the runs alarms that come and go."""
    command = [vm, str(SCRIPT), str(STEPS), str(fall), *(["keyed"] if keyed else [])]
    environment = {**os.environ, "MICROPYPATH": import_path()}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    assert done.returncode == 0, (
        f"{done.stdout}{done.stderr}\n{' '.join(command)} with MICROPYPATH={import_path()}"
    )
    figures = {k: int(v) for k, v in re.findall(r"([a-z]+) (\d+)", done.stdout.splitlines()[0])}
    assert figures["frames"] > STEPS / 3
    assert figures["reports"] >= STEPS * 250 / 10_000
    assert figures["commands"] > STEPS / 7
    assert figures["health"] == 0
    if fall:
        assert figures["alarm"] > 0
    if keyed:
        assert figures["accepted"] > STEPS / 8
        assert figures["refused"] > STEPS / 7 / 32
