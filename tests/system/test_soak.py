"""The soak: short and live in every test run; its judge, against monitors with a fault planted in them."""

import json
from dataclasses import replace

import pytest
from test_live import cabinwatch
from tests.hostsim.verify.fuzz.planted import PLANTED, patched

from cabinwatch.run.lockstep import LockStepRun
from cabinwatch.run.transcript import Recorder
from cabinwatch.targets.cpython import CpythonTarget
from cabinwatch.verify.soak import CYCLE_S, Soak, faults


@pytest.mark.parametrize("target", ["cpython", "micropython"])
def test_ten_seconds_on_a_pty_lose_nothing(target, request):
    if target == "micropython":
        request.getfixturevalue("vm")
    done = cabinwatch("soak", "--minutes", "0.17", "--target", target, "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["wrong"]) == (0, [])
    assert found["sound_spells"] == 10 / CYCLE_S
    assert found["lost"] > 0 < found["damaged_down"], "the faults struck"
    assert found["telecommands"] == found["answered"] + found["given_up"]


def test_a_device_that_cannot_be_served_is_one_clear_message():
    done = cabinwatch("soak", "--target", "/dev/nowhere")
    assert done.returncode == 2
    assert "/dev/nowhere is not there" in done.stderr
    assert "Traceback" not in done.stderr


class InOrder(Recorder):
    """In lock-step an answer is in the step of its question; a live judge sees the question first."""

    def __init__(self, judge):
        super().__init__()
        self.judge = judge

    def add(self, step):
        self.judge.add(replace(step, tx=b""))
        self.judge.add(replace(step, rx=b""))


def soaked(monitor=None, seconds=30):
    soak = Soak(1, seconds)
    target = CpythonTarget(monitor) if monitor else CpythonTarget()
    LockStepRun(soak.world, target, InOrder(soak.judge)).run(soak.world.scenario.duration_ms)
    return soak.judged()


def test_the_right_monitor_pleases_the_judge():
    done = soaked()
    assert done.wrong == []
    assert done == soaked(), "and in lock-step it repeats"
    assert set(done.faults) == {fault["kind"] for fault in faults(1, 30)}


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("frame: CRC not checked", "had come"),
        ("frame: no opening delimiter", "the line was sound again and nothing came"),
        ("sequence: wraps a bit early", "counts go from"),
        ("sequence: polls skip one", "counts go from"),
        ("telecommand: lost acknowledgement", "was answered"),
        ("housekeeping: counters out by one", "the node counted"),
    ],
)
def test_a_wrong_monitor_does_not(fault, told):
    wrong = soaked(patched(next(p for p in PLANTED if p.name == fault))).wrong
    assert any(told in text for text in wrong), wrong
