"""The pytest plugin, in a pytest of its own."""

import subprocess
import sys
from pathlib import Path

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
    command = [sys.executable, "-m", "pytest", "-p", "hostsim.pytest_plugin", "-p", "no:cacheprovider", *more]
    root = Path(__file__).parents[3]
    done = subprocess.run(
        command,
        cwd=folder,
        # The plugin is named, so that an installed one is not loaded a second time.
        env={"PYTHONPATH": str(root), "PATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
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
