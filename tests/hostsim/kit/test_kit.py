"""Strategies, device faults, saved stories and the campaign: deterministic, in range, and able to fail."""

import io
import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as hy

from cabinwatch.cli.fuzz import Told
from cabinwatch.kit import strategies as st
from cabinwatch.kit.session import Session
from cabinwatch.models.cabin import Vehicle
from cabinwatch.models.node_faults import DeviceModel
from cabinwatch.models.raw_telecommands import RawTelecommand
from cabinwatch.models.scenario import Scenario
from cabinwatch.scenario.load import parse
from cabinwatch.scenario.toml_out import to_toml
from cabinwatch.targets.cpython import CpythonTarget
from cabinwatch.verify.fuzz.campaign import KEPT, campaign, outcomes
from cabinwatch.verify.fuzz.findings import Finding
from cabinwatch.verify.fuzz.reference import Reference, Wrong
from cabinwatch.verify.fuzz.run import Outcome, one
from cabinwatch.verify.fuzz.shrink import shrink
from cabinwatch.verify.fuzz.swarm import draw
from cabinwatch.view.progress import Progress
from cabinwatch.world.cabin.actions import Close
from cabinwatch.world.node_clock import Clock
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

QUICK = settings(max_examples=20, database=None, derandomize=True, **st.settings_for_worlds)


@QUICK
@given(hy.from_type(Scenario))
def test_a_scenario_survives_its_file(scenario: Scenario) -> None:
    assert parse(to_toml(scenario), "here") == scenario


@QUICK
@given(st.scenarios(duration_s=(20, 90)))
def test_the_right_monitor_pleases_the_reference_in_any_story(scenario: Scenario) -> None:
    session = Session(scenario, judge=True)
    session.play_all()
    assert session.watch.reference is not None
    assert session.watch.reference.boots


@QUICK
@given(st.packets())
def test_packets_are_right(packet: bytes) -> None:
    assert host.crc16(packet) == 0
    assert host.decode(packet)
    assert len(packet) <= t.PACKET_MAX


@QUICK
@given(st.byte_streams().flatmap(lambda data: hy.tuples(hy.just(data), st.chunked(data))))
def test_chunks_are_the_stream(pair: tuple[bytes, list[bytes]]) -> None:
    data, pieces = pair
    assert b"".join(pieces) == data
    assert all(0 < len(piece) <= t.RX_MAX for piece in pieces)


@QUICK
@given(
    hy.lists(st.device_faults(kinds=("drift", "jump")), max_size=4),
    hy.integers(0, 3_600_000),
    hy.integers(0, 100_000),
)
def test_a_clock_shows_a_time_when_it_says_so(faults: list[Any], now_ms: int, wait_ms: int) -> None:
    forward = [f for f in faults if getattr(f, "by_ms", 0) >= 0]
    clock = Clock(DeviceModel(faults=forward))
    due = clock.at(now_ms) + wait_ms
    when = clock.when(due, now_ms)
    assert when >= now_ms
    assert clock.at(when) >= due
    assert when == now_ms or clock.at(when - 1) < due


def test_bounds_are_kept_and_unknown_kinds_refused() -> None:
    with pytest.raises(ValueError, match="no kind flop; there is"):
        st.link_faults(kinds=("flop",))

    @QUICK
    @given(st.cabins(compartments=(1, 1), leaks=(0, 0), crew=(0, 0), actions=0, represses=0, thermal=0))
    def quiet(cabin: Any) -> None:
        assert len(cabin.compartments) == 1
        assert not cabin.leaks
        assert not cabin.crew

    quiet()


def test_a_default_raw_telecommand_is_the_hosts_own() -> None:
    ping = next(p for p in t.TC_PACKETS if p.name == "ping")
    assert RawTelecommand(at=0).frame() == host.seal(host.encode_tc(ping, t.Apid.MONITOR, 0x3FFF))


@pytest.mark.usefixtures("vm")
def test_a_sample_of_the_campaign_is_the_same_on_the_real_vm() -> None:
    for run in range(6):
        assert one("sample", run, "cpython") == one("sample", run, "micropython")


def test_a_run_is_the_same_in_another_process() -> None:
    code = "from cabinwatch.verify.fuzz.run import one; print(one('9f3c', 5, 'cpython').sha256)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == one("9f3c", 5, "cpython").sha256


def test_results_of_two_processes_are_those_of_one() -> None:
    two, _ = campaign(outcomes("jobs", range(12), "cpython", 2))
    single, _ = campaign(outcomes("jobs", range(12), "cpython", 1))
    assert two.as_json(1.0) == single.as_json(1.0)
    json.dumps(two.as_json(1.0))


def test_ctrl_c_keeps_what_was_counted() -> None:
    def stopped() -> Any:
        yield Outcome(0, mode="quiet")
        raise KeyboardInterrupt

    tally, interrupted = campaign(stopped())
    assert (tally.runs, interrupted) == (1, True)


def test_a_long_campaign_names_its_failures_as_they_come() -> None:
    stream = io.StringIO()
    results = [Outcome(run, Finding.CRASH if run % 2 else None) for run in range(3 * KEPT)]
    assert list(Told(Progress(False, stream)).naming(results)) == results
    told = stream.getvalue().splitlines()
    assert told == [f"run {run} failed: {Finding.CRASH}" for run in range(1, 2 * KEPT, 2)]


def test_exit_codes_name_the_class() -> None:
    assert len({f.exit_code for f in Finding}) == len(Finding)
    assert not {f.exit_code for f in Finding} & {0, 1, 2, 70, 130}
    tally, _ = campaign(iter([Outcome(3, Finding.CRASH), Outcome(1, Finding.LATCH)]))
    assert tally.exit_code == Finding.LATCH.exit_code


def test_a_failure_is_shrunk_to_a_short_file_that_still_fails() -> None:
    from tests.hostsim.verify.fuzz.planted import PLANTED, hunt, patched

    planted = next(p for p in PLANTED if p.name == "reset: counters survive")
    found = hunt(planted)
    assert found is not None
    assert found.lines < len(to_toml(draw("planted", found.outcome.run).scenario).splitlines())
    monitor = patched(planted)
    again = shrink(found.plan, found.outcome.kind, lambda: CpythonTarget(monitor), 1)
    assert again.scenario.duration <= found.plan.scenario.duration


def test_a_session_by_hand_is_saved_as_a_story_with_the_same_end(tmp_path: Any) -> None:
    session = Session(judge=True)
    session.play(10)
    session.leak("20 mm")
    session.play(100)
    session.reset()
    session.play(60)
    command = session.save(tmp_path / "story.toml")
    assert "--seed 1 --target cpython" in command
    again = Session(parse((tmp_path / "story.toml").read_text(), "story"))
    again.play_all()
    assert again.watch.sha256 == session.watch.sha256


def test_the_reference_refuses_a_silent_monitor() -> None:
    from cabinwatch.run.transcript import Step

    with pytest.raises(Wrong, match="was due and did not come"):
        Reference().step(Step(0, b"", b"", 0))


def test_a_ship_that_docks_is_a_part_of_the_story_which_plays_to_the_same_octets(tmp_path):
    cabin = {
        "compartments": {"station": {"volume": "90 m3"}, "node": {"volume": "10 m3"}},
        "hatches": {"forward": {"a": "station", "b": "node", "open": True}},
        "wander": {},
    }
    session = Session({"title": 'a """ship""" \\ comes', "duration": "2h", "cabin": cabin}, seed=4)
    session.play(600)
    before = session.truth["pressure_Pa"]
    ship = session.dock(Vehicle(port="node", volume=7.6, pressure=90_000, opened=1000, equalise=900))
    assert session.truth["pressure_Pa"] == before, "nothing has flowed yet"
    session.play(1200)
    assert before - session.truth["pressure_Pa"] > 500, (
        "7.6 m3 that are 11 kPa lower took their air from 100 m3"
    )
    session.do(Close(ship))
    session.play(600)
    source = session.as_test()
    session.close()
    (tmp_path / "test_taken.py").write_text(source)
    names: dict[str, Any] = {}
    exec(compile(source, "test_taken.py", "exec"), names)
    names["test_story"]()
    assert f"[cabin.vehicles.{ship}]" in names["STORY"]
