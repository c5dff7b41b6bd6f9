"""The pytest plugin: fixtures ``world``, ``link``, ``target``, ``ground``, and a report that shows what happened.

Nothing heavy is imported until a test asks for a fixture. A test says what it plays with a marker:
``@pytest.mark.cabin("ms09")``, a path, a Scenario, or keywords of one (``cabin=..., link=...``); ``seed=`` overrides
the option. The default is a quiet cabin of 100 m3.
"""

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cabinwatch.kit.session import Session
    from cabinwatch.targets.base import Target
    from cabinwatch.world.ground import Ground


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("cabinwatch")
    group.addoption("--cabin-target", default="cpython", help="where the firmware runs (default: cpython)")
    group.addoption("--cabin-seed", type=int, default=1, help="seed of every world (default: 1)")
    group.addoption(
        "--cabin-port", default=None, help="a live node: serial port or pyserial URL, instead of a target"
    )


def pytest_configure(config: pytest.Config) -> None:
    """The marker."""
    config.addinivalue_line("markers", "cabin(scenario, seed, **tables): what the fixture ``world`` plays")


def _where(config: pytest.Config) -> str:
    """The port of a live node, or else the target's name."""
    return str(config.getoption("--cabin-port") or config.getoption("--cabin-target"))


def pytest_report_header(config: pytest.Config) -> str:
    """Seed and options, so that a run can be repeated."""
    return f"cabinwatch: --cabin-target {_where(config)} --cabin-seed {config.getoption('--cabin-seed')}"


@pytest.fixture
def world(request: pytest.FixtureRequest) -> "Iterator[Session]":
    """A `cabinwatch.kit.session.Session`: the world and the monitor in it, not yet started."""
    from cabinwatch.kit.session import DEFAULT, Session
    from cabinwatch.models.scenario import Scenario
    from cabinwatch.scenario.load import load

    marker = request.node.get_closest_marker("cabin")
    options: dict[str, Any] = dict(marker.kwargs) if marker else {}
    chosen = marker.args[0] if marker and marker.args else options.pop("scenario", None)
    seed = options.pop("seed", request.config.getoption("--cabin-seed"))
    if isinstance(chosen, str):
        chosen = load(chosen)[0]
    scenario = (
        chosen
        if isinstance(chosen, Scenario)
        else Scenario.model_validate({**DEFAULT, **(chosen or {}), **options})
    )
    session = Session(scenario, seed=seed, target=_where(request.config))
    request.node.stash[_SESSION] = session
    yield session
    session.close()


class LineFixture:
    """The link of a test's world: ``add`` puts a fault on it, ``counts`` says what the faults did."""

    def __init__(self, session: "Session") -> None:
        self._session = session

    def add(self, kind: str, **fields: Any) -> None:
        """A fault by its words in a scenario file; from now on where ``at`` is left out."""
        from pydantic import TypeAdapter

        from cabinwatch.models.line_faults import AnyLinkFault

        adapter: TypeAdapter[AnyLinkFault] = TypeAdapter(AnyLinkFault)
        self._session.link_fault(adapter.validate_python({"at": self._session.now_s, "kind": kind, **fields}))

    @property
    def counts(self) -> dict[str, int]:
        """How often each kind of fault struck."""
        return self._session.world.link_counts()


@pytest.fixture
def link(world: "Session") -> LineFixture:
    """The link of ``world``."""
    return LineFixture(world)


@pytest.fixture
def target(world: "Session") -> "Target":
    """The target that runs the monitor of ``world``."""
    return world.target


@pytest.fixture
def ground(world: "Session") -> "Ground":
    """The ground station of ``world``."""
    return world.ground


_SESSION = pytest.StashKey[Any]()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What earlier tests have played is theirs."""
    if latest := sys.modules.get("cabinwatch.kit.latest"):
        latest.forget()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Where a test with a world failed, or with one that it drew or made: what happened, and how to play it again."""
    report = yield
    latest: Any = sys.modules.get("cabinwatch.kit.latest")
    session = item.stash.get(_SESSION, None) or (latest and latest.session)
    scenario = latest and latest.scenario
    if not report.failed or call.when != "call" or not (session or scenario) or _is_told(call):
        return report
    from cabinwatch.kit.failures import save
    from cabinwatch.scenario.toml_out import to_toml

    sections = session.report() if session else [("scenario", to_toml(scenario))]
    report.sections += [(f"cabin: {title}", text) for title, text in sections]
    command = save(session or scenario, item.nodeid)
    report.sections.append(("cabin: play it again", command))
    if command.startswith("not kept"):
        with contextlib.suppress(pytest.PytestWarning):  # where warnings are errors it stands in the report
            item.warn(pytest.PytestWarning(command))
    return report


def _is_told(call: pytest.CallInfo[None]) -> bool:
    """Whether the exception itself carries the story: a state machine's does."""
    notes = getattr(call.excinfo and call.excinfo.value, "__notes__", ())
    return any("-- play it again" in note for note in notes)
