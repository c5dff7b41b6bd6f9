"""The packet table is the one source: two fields change places in it, and every part of the product follows."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("firmware", "hostsim", "protocol")


@pytest.fixture(scope="module")
def swapped(tmp_path_factory) -> dict[str, str]:
    """The environment of a copy of the project whose packets carry the temperature before the pressure."""
    copy = tmp_path_factory.mktemp("swapped")
    for part in PARTS:
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__", "pictures"))
    table = copy / "protocol" / "cabinwatch_protocol" / "table.py"
    lines = table.read_text(encoding="utf-8").split("\n")
    moved = 0
    for i, line in enumerate(lines):
        if '"pressure_cPa"' in line and '"temperature_cK"' in lines[i + 1]:
            lines[i], lines[i + 1] = lines[i + 1], line
            moved += 1
    assert moved == 2, "the housekeeping report and the sample hold the two side by side"
    table.write_text("\n".join(lines), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(copy / part) for part in PARTS)}
    call(environment, "cabinwatch_protocol.generate")
    spec = (copy / "protocol" / "SPEC.md").read_text(encoding="utf-8")
    assert spec != (ROOT / "protocol" / "SPEC.md").read_text(encoding="utf-8")
    return environment


def call(environment: dict[str, str], *words: str) -> str:
    command = [sys.executable, "-m", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def test_the_firmware_and_the_host_still_understand_each_other(vm, swapped):
    assert "Expected, and met." in call(swapped, "cabinwatch", "run", "ms09", "--target", "micropython")


def test_the_monitor_still_conforms(swapped):
    call(swapped, "cabinwatch", "conform", "cpython", "--role", "monitor")
