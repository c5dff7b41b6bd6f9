"""Storage: whatever breaks a write off, the parameters are those before or those after the change."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as hy

from cabinwatch.kit import strategies as st
from cabinwatch.kit.session import Session
from cabinwatch.models.scenario import Scenario
from cabinwatch.run.play import replay
from cabinwatch.run.transcript import Recorder, read
from cabinwatch.targets.cpython import CpythonTarget
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t
from peer import PID, Bench, do, failure, set_parameter

SIZE = 7 + 4 * len(t.MONITOR_PARAMETERS)
changes = hy.sampled_from(t.MONITOR_PARAMETERS).flatmap(
    lambda p: hy.tuples(hy.just(p.name), hy.integers(p.low, p.high))
)
breaks = hy.tuples(hy.integers(0, SIZE), hy.integers(-1, SIZE - 1))


def stored(packets: list[host.Decoded]) -> int:
    """What the boot event among the packets says of storage."""
    (boot,) = (p for p in packets if p.packet.service == 5 and p.values["event"] == t.Event.BOOT)
    return boot.values["value"] >> 24


@settings(max_examples=100, deadline=None)
@given(hy.lists(hy.tuples(changes, hy.none() | breaks), min_size=1, max_size=6))
def test_power_that_fails_at_any_octet_of_any_write_leaves_all_as_before_or_all_as_after(
    story: list[tuple[tuple[str, int], tuple[int, int] | None]],
) -> None:
    b = Bench()
    for i, ((name, value), loss) in enumerate(story):
        before = list(b.node.p)
        after = [value if k == PID[name] else v for k, v in enumerate(before)]
        b.target.storage.loss = loss
        said = b.step(0, set_parameter(name, value, i))
        if after == before:
            assert b.target.storage.loss == loss, "nothing was written"
            b.target.storage.loss = None
            continue
        whole = loss is None or (loss[0] == SIZE and loss[1] < 0)
        assert list(b.node.p) == (after if whole else before)
        assert any(p.packet.name == "completed" for p in said) == (loss is None)
        if loss is not None:
            broken = not whole and loss[0] > 0
            assert bool(stored(said) & t.Stored.BROKEN) == broken
        kept = list(b.node.p)
        b._take(b.target.reset())
        assert list(b.node.p) == kept


@settings(max_examples=100, deadline=None)
@given(hy.lists(hy.binary(max_size=120), min_size=2, max_size=2), hy.data())
def test_whatever_is_in_storage_each_parameter_is_within_its_bounds(slots: list[bytes], data: Any) -> None:
    b = Bench()
    for i, slot in enumerate(slots):
        body = slot[: SIZE - 2]
        if data.draw(hy.booleans()):  # a right CRC, length and version around values that nobody checked
            body = (
                (body + bytes(SIZE))[:2] + t.VERSION.to_bytes(3, "big") + (body + bytes(SIZE))[5 : SIZE - 2]
            )
        b.target.storage.slots[i] = body + host.crc16(body).to_bytes(2, "big")
    b._take(b.target.reset())
    for p in t.MONITOR_PARAMETERS:
        assert p.low <= b.node.p[p.id] <= p.high
    assert failure(b.step(0, do(t.Function.DEFAULTS))) == t.Failure.NONE
    assert list(b.node.p) == [p.default for p in t.MONITOR_PARAMETERS]


def test_the_sequence_number_wraps() -> None:
    for stored_last in (0x7FFD, 0xFFFD, 0xFFFE):
        b = Bench()
        b.node.stored = stored_last
        for i in (1, 2, 3, 4):
            b.step(0, set_parameter("poll_retries", i, i))
            b._take(b.target.reset())
            assert b.node.p[PID["poll_retries"]] == i


STORY: dict[str, Any] = {
    "title": "storage",
    "duration": 60,
    "cabin": {"compartments": {"cabin": {"volume": "100 m3"}}},
    "parameters": {"stuck_samples": 0},
    "telecommands": [{"at": 10 + i, "do": "set", "parameter": "loss", "value": i} for i in range(30)]
    + [{"at": 45, "do": "reboot"}, {"at": 50, "do": "defaults"}],
}


@pytest.mark.usefixtures("vm")
@settings(max_examples=10, deadline=None)
@given(hy.lists(st.device_faults(within=(1, 55), kinds=("brown_out", "reset")), max_size=6))
def test_the_reference_agrees_and_the_real_vm_keeps_the_same(faults: list[Any]) -> None:
    scenario = Scenario.model_validate({**STORY, "device": {"faults": faults}})
    hashes = set()
    for target in ("cpython", "micropython"):
        session = Session(scenario, target=target, judge=True)
        session.play_all()
        session.close()
        hashes.add(session.watch.sha256)
    assert len(hashes) == 1


def test_a_run_with_power_failures_is_replayed(tmp_path: Path) -> None:
    from cabinwatch.run.lockstep import LockStepRun
    from cabinwatch.world.world import World

    faults = [
        {"kind": "brown_out", "at": 12.5, "octet": 40},
        {"kind": "brown_out", "at": 20, "octet": 91, "wrong": 3},
        {"kind": "brown_out", "at": 30},
    ]
    scenario = Scenario.model_validate({**STORY, "device": {"faults": faults}})
    path = tmp_path / "run.jsonl"
    recorder = Recorder(path, {})
    LockStepRun(World(scenario, 1), CpythonTarget(), recorder).run(scenario.duration_ms)
    recorder.close()
    transcript = read(path)
    assert sum(step.power is not None for step in transcript.steps) == 3
    again = replay(transcript, "cpython")
    assert not again.differs
    assert again.sha256 == recorder.sha256
