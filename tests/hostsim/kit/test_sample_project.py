"""The sample project, run as its owner would."""

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_a_third_partys_transducer_is_tested_with_the_public_kit() -> None:
    installed = any(
        e.value == "cabinwatch.kit.pytest_plugin" for e in importlib.metadata.entry_points(group="pytest11")
    )
    plugin = [] if installed else ["-p", "cabinwatch.kit.pytest_plugin"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *plugin],
        cwd=ROOT / "tests" / "kit_project",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
