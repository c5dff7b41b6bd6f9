"""The pytest plugin, in a pytest of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cabinwatch.errors import TargetDied
from cabinwatch.targets.port import PortTarget
from cabinwatch.verify.soak import node

FAILING = """
import pytest

@pytest.mark.cabin("ms09", seed=7)
def test_it(world, link, ground, target):
    link.add("flip", rate=0.001)
    world.play(120)
    assert target.name == "cpython"
    assert ground.housekeeping["alarm"] == 4
"""


def run(folder: Path, text: str, *more: str) -> str:
    (folder / "test_it.py").write_text(text)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "cabinwatch.kit.pytest_plugin",
        "-p",
        "no:cacheprovider",
        *more,
    ]
    done = subprocess.run(
        command,
        cwd=folder,
        # The plugin is named, so that an installed one is not loaded a second time.
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_a_failure_shows_what_happened_and_how_to_play_it_again(tmp_path: Path) -> None:
    out = run(tmp_path, FAILING)
    assert "cabinwatch: --cabin-target cpython --cabin-seed 1" in out
    for title in ("truth and report", "events", "last frames", "play it again"):
        assert f"cabin: {title}" in out
    assert "cabinwatch run cabin-failures/test_it.toml --seed 7 --target cpython" in out
    assert "monitor TM[3,25] housekeeping" in out
    assert 'kind = "flip"' in (tmp_path / "cabin-failures" / "test_it.toml").read_text()


def test_an_unused_plugin_imports_nothing_heavy(tmp_path: Path) -> None:
    text = "import sys\ndef test_it():\n    assert not {'hypothesis', 'pydantic', 'rich', 'cobs'} & set(sys.modules)\n"
    assert "1 passed" in run(tmp_path, text, "-p", "no:hypothesispytest", "-p", "no:xdist")


def test_an_unknown_scenario_is_one_clear_message(tmp_path: Path) -> None:
    out = run(tmp_path, "import pytest\n@pytest.mark.cabin('nonesuch')\ndef test_it(world): pass\n")
    assert "no scenario 'nonesuch'" in out


LIVE = """
import pytest
from cabinwatch.errors import SetupError

@pytest.mark.cabin(parameters={"poll_period": 200, "hk_period": 1000})
def test_it(world, link, ground, target):
    link.add("drop", rate=0.5, of="send", until=2)
    for _ in range(120):
        world.play(1)
        if ground.housekeeping.get("health") == 0 and len(ground.history) > 2:
            break
    assert ground.housekeeping["pressure_cPa"] / 100 == pytest.approx(world.truth["pressure_Pa"], abs=50)
    assert ground.counts.frames > 3
    with pytest.raises(SetupError, match="cannot be reset from here"):
        target.reset()
    world.command("ping")
"""


@pytest.mark.parametrize("server", ["cpython", "micropython"])
def test_a_live_node_on_a_port_is_the_target(
    tmp_path: Path, server: str, request: pytest.FixtureRequest
) -> None:
    if server == "micropython":
        request.getfixturevalue("vm")
    with node(server) as (url, _):
        out = run(tmp_path, LIVE, "--cabin-port", url)
    assert f"cabinwatch: --cabin-target {url}" in out
    assert "1 passed" in out, out


def test_a_port_where_nothing_is_is_one_clear_message(tmp_path: Path) -> None:
    out = run(tmp_path, "def test_it(world): pass\n", "--cabin-port", "/dev/nowhere")
    assert "/dev/nowhere is not there" in out


def test_a_node_that_goes_away_is_told() -> None:
    with node("cpython") as (url, _):
        target = PortTarget(url, patience_s=120)
        assert target.start()[0]

    def go_on() -> None:
        while True:
            target.step(1, b"\0")

    with pytest.raises(TargetDied, match=url):
        go_on()
    target.close()
