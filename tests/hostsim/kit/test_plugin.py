"""The pytest plugin, in a pytest of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cabinwatch.errors import TargetDied
from cabinwatch.kit.session import DEFAULT, Session
from cabinwatch.scenario.load import parse
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
    (kept,) = (tmp_path / "cabin-failures").iterdir()
    assert f"cabinwatch run cabin-failures/{kept.name} --seed 7 --target cpython" in out
    assert "monitor TM[3,25] housekeeping" in out
    assert 'kind = "flip"' in kept.read_text()


TWICE = """
import pytest

class TestOne:
    def test_it(self, world):
        world.play(1)
        assert False

class TestTwo:
    @pytest.mark.parametrize("x", ["a/b", "a-b"])
    def test_it(self, world, x):
        world.play(2)
        assert False
"""


def test_each_test_has_its_own_file(tmp_path: Path) -> None:
    out = run(tmp_path, TWICE)
    kept = list((tmp_path / "cabin-failures").iterdir())
    assert len(kept) == 3
    assert all(f"cabinwatch run cabin-failures/{path.name} " in out for path in kept)
    assert sorted(path.read_text().count("duration = 2") for path in kept) == [0, 1, 1]


@pytest.mark.parametrize("more", [(), ("-W", "error")])
def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path: Path, more: tuple[str, ...]) -> None:
    (tmp_path / "cabin-failures").write_text("a file")
    out = run(tmp_path, FAILING, *more)
    assert "INTERNALERROR" not in out
    assert "not kept: cabin-failures" in out
    assert "1 failed" in out


DRAWN = """
from hypothesis import HealthCheck, Phase, given, settings
from cabinwatch import strategies as st
from cabinwatch.kit.session import Session

settings.register_profile(
    "quick", deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
settings.load_profile("quick")

@given(st.scenarios(raw_most=0))
def test_played(scenario):
    session = Session(scenario, seed=5)
    session.play(1)
    session.close()
    assert not session.world.now_ms

@given(st.scenarios(raw_most=0))
def test_by_hand(scenario):
    assert not scenario.cabin.leaks
"""
MACHINE = """
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import invariant, rule
from cabinwatch.machine import CabinMachine

class Mine(CabinMachine):
    @invariant()
    def never_an_hour(self):
        assert self.session.now_s < 1, "mine"

class MyRule(CabinMachine):
    @rule()
    def mine(self):
        assert self.session.now_s < 1, "my rule"

TestMine = Mine.TestCase
TestMyRule = MyRule.TestCase
TestMine.settings = TestMyRule.settings = settings(
    deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
"""


def test_a_drawn_scenario_that_fails_is_shown_and_kept(tmp_path: Path) -> None:
    out = run(tmp_path, DRAWN)
    assert "2 failed" in out
    kept = {path.name.split("-")[2]: path.read_text() for path in (tmp_path / "cabin-failures").iterdir()}
    assert "duration = 1\n" in kept["test_played"]
    assert "[cabin.leaks." in kept["test_by_hand"]
    for text in kept.values():
        assert text.strip() in out
    assert "-test_played-" in out
    assert "--seed 5 --target cpython" in out
    assert out.count("cabin: last frames") == 1, "nobody played the other"
    for path in (tmp_path / "cabin-failures").iterdir():
        assert parse(path.read_text(), path.name)


def test_a_failing_rule_or_invariant_of_a_users_own_tells_its_story(tmp_path: Path) -> None:
    out = run(tmp_path, MACHINE)
    assert "2 failed" in out
    for title in ("story", "last frames", "play it again"):
        assert out.count(f"-- {title}") == 2, title
    assert 'title = "CabinMachine"' in out
    assert out.count("cabinwatch run cabin-failures/") == 2
    assert len(list((tmp_path / "cabin-failures").iterdir())) == 2


def test_met_is_what_run_would_say() -> None:
    expect = {"alarm": "emergency", "by": "30 s"}
    for size, is_met in (("60 mm", True), ("0.1 mm", False)):
        leak = {"hole": {"size": size, "at": 5}}
        session = Session({**DEFAULT, "cabin": {**DEFAULT["cabin"], "leaks": leak}, "expect": expect})
        assert not session.met, "not yet"
        session.play(40)
        session.close()
        assert session.met == is_met == (not session.unmet)


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
