"""An attack on a keyed monitor finds nothing in ours, and each fault that is planted."""

import json

import pytest

import cabinwatch_firmware.keyed as firmware
import cabinwatch_firmware.keyed_monitor as monitor
from cabinwatch.cli.main import main
from cabinwatch.verify.attack import assaulting
from cabinwatch_protocol.device.consts import FAIL_COUNTER

KINDS = {"forged", "altered", "replayed", "signed otherwise", "truncated", "misled", "samples"}


def assault(attempts):
    with assaulting("cpython", 1) as done:
        done.run(attempts)
    return done


def test_nothing_hostile_is_obeyed_and_all_that_is_honest_is():
    done = assault(1500)
    assert not done.faults
    assert set(done.attempts) == KINDS
    assert done.honest["obeyed"] == done.honest["arrived"] > 50
    assert done.honest["arrived too late"]
    assert done.honest["resets"]
    assert done.honest["samples"]


def untagged(m):
    m.setattr(firmware, "holds", lambda node, k, secret: True)


def uncounted(m):
    judge = firmware.judge_tag

    def careless(node):
        code = judge(node)
        return 0 if code == FAIL_COUNTER and firmware.holds(node, 0, 0) else code

    m.setattr(firmware, "judge_tag", careless)


def forever(m):
    """The session of the first boot stays."""
    forget = monitor.forget

    def keep(node):
        renew, node.renew = node.renew, lambda vault: None if vault[0] else renew(vault)
        forget(node)
        node.renew = renew

    m.setattr(monitor, "forget", keep)


def credulous(m):
    m.setattr(monitor.KeyedMonitor, "answers", lambda self, i: True)


def tireless(m):
    """An answer counts for as long as no other poll was sent."""
    answers = monitor.KeyedMonitor.answers

    def again(self, i):
        good = answers(self, i)
        self.asked |= 1 << i
        return good

    m.setattr(monitor.KeyedMonitor, "answers", again)


def leaping(m):
    """A counter may leap as far as it likes."""
    m.setattr(firmware, "COUNTER_LEAP", 1 << 30)


@pytest.mark.parametrize("plant", [untagged, leaping, uncounted, forever, credulous, tireless])
def test_a_planted_fault_is_found(plant, monkeypatch):
    plant(monkeypatch)
    assert assault(3000).faults


@pytest.mark.parametrize(("plant", "code"), [(lambda m: None, 0), (untagged, 1)])
def test_the_command_says_what_was_obeyed(plant, code, monkeypatch, capsys):
    plant(monkeypatch)
    monkeypatch.setattr("sys.argv", ["cabinwatch", "fuzz", "--attack", "--runs", "300", "--json"])
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == code
    report = json.loads(capsys.readouterr().out)
    assert bool(report["faults"]) == bool(code)
    assert report["attempts"] == sum(report["by_kind"].values())
