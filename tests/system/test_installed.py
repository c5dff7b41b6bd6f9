"""The wheel in an environment of its own, beside a user's own folders of the names that we once took."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sysconfig.get_path("scripts"))
OURS = {"cabinwatch", "cabinwatch_firmware", "cabinwatch_protocol"}

TESTS = """
from hypothesis import given, settings
from cabinwatch import strategies as st
from cabinwatch.machine import CabinMachine
from firmware import NAME as firmware
from hostsim import NAME as hostsim
from protocol import NAME as protocol


def test_the_folders_are_mine():
    assert (firmware, hostsim, protocol) == ("my firmware", "my hostsim", "my protocol")


def test_a_world(world, ground):
    world.play(30)
    assert ground.housekeeping["health"] == 0


@settings(max_examples=3, database=None, deadline=None)
@given(st.telecommands())
def test_strategies(command):
    assert command.packet.title.startswith("TC[")


def test_the_machine():
    assert CabinMachine.TestCase
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory) -> Path:
    """The interpreter of an environment with the wheel in it; what the wheel needs is borrowed from this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(site),
        str(wheel),
    ]
    subprocess.run(install, capture_output=True, check=True)
    assert {
        p.name for p in site.iterdir() if p.suffix != ".dist-info" and p.name not in ("bin", "__pycache__")
    } == OURS
    # Plain paths of a .pth file: the .pth files in them, which would bring an editable install along, are not read.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "python"


@pytest.fixture(params=[False, True], ids=["plain", "pythonpath"])
def project(request, tmp_path) -> Path:
    for name in ("firmware", "hostsim", "protocol", "tests"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f'NAME = "my {name}"\n')
    (tmp_path / "tests" / "test_mine.py").write_text(TESTS)
    (tmp_path / "tests" / "conftest.py").write_text("import firmware, hostsim, protocol\n")
    paths = 'pythonpath = ["."]\n' if request.param else ""
    (tmp_path / "pyproject.toml").write_text(f"[tool.pytest.ini_options]\n{paths}")
    return tmp_path


def call(python: Path, project: Path, *words: str) -> str:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "PYTHON", "COV_"))}
    done = subprocess.run(
        [str(python), "-m", *words],
        cwd=project,
        env={**inherited, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("run", "soyuz11", "--target", "cpython"),
        ("run", "soyuz11", "--target", "micropython"),
        ("conform", "cpython", "--role", "transducer", "--only", "TST-01"),
        ("soak", "--minutes", "0.1", "--target", "cpython"),
        ("fuzz", "--seed", "wheel", "--runs", "2", "--target", "cpython", "--replay", "0", "--jobs", "1"),
    ],
    ids=lambda words: "-".join(words[:1] + words[2:4]),
)
def test_commands_use_what_is_installed_and_not_what_stands_beside(vm, python, project, words):
    call(python, project, "cabinwatch", *words)


def test_the_kit_and_the_conformance_plugin_beside_folders_of_the_same_names(vm, python, project):
    assert "4 passed" in call(python, project, "pytest", "-q", "tests")
    conform = ("--cabin-conform", "cpython", "--cabin-role", "transducer")
    assert " passed" in call(python, project, "pytest", "-q", *conform, "tests", "-k", "TST")
