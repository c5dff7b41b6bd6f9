"""The cases of keyed nodes: each of ours passes them all, and each wrong one fails at its own."""

import pytest

import cabinwatch_firmware.keyed as firmware
import cabinwatch_firmware.keyed_monitor as monitor
from cabinwatch.errors import UsageError
from cabinwatch.verify.conform.case import CASES
from cabinwatch.verify.conform.runner import CaseVerdict, SuiteRun, run, select
from cabinwatch.verify.conform.targets import open_bench
from cabinwatch_protocol.device.consts import FAIL_COUNTER, FAIL_TAG
from keyed_peer import MASTER


def failed(target, role, only=()):
    done = SuiteRun(target, role, 1, False)
    run(open_bench(target, role, master=MASTER), select(role, only, keyed=True), done, lambda result: None)
    assert done.results
    return {r.case.id for r in done.results if r.verdict is not CaseVerdict.PASS}


@pytest.mark.parametrize(
    ("target", "role"),
    [("cpython", "monitor"), ("micropython", "monitor"), ("cpython", "transducer"), ("host", "transducer")],
)
def test_ours_pass(target, role, request):
    if target == "micropython":
        request.getfixturevalue("vm")
    assert not failed(target, role)


def replaced(owner, name, make):
    """Puts ``make(original)`` in the place of a function."""
    return lambda m: m.setattr(owner, name, make(getattr(owner, name)))


def counters_pass(judge):
    def careless(node):
        code = judge(node)
        return 0 if code == FAIL_COUNTER and firmware.holds(node, 0, 0) else code

    return careless


def first_octets(holds):
    """Compares half of the tag."""

    def hasty(node, k, secret):
        right = holds(node, k, secret)
        return right or node.tag[:4] == node.vault[firmware.RECEIVED : firmware.RECEIVED + 4]

    return hasty


def once_drawn(forget):
    def keep(node):
        before = bytes(node.vault[:8])
        forget(node)
        if any(before):
            node.vault[:8] = before

    return keep


def loud(refuse):
    def tell(node, code):
        node.quiet_ms = 0
        refuse(node, code)

    return tell


WRONG = {
    "no tag is checked": (replaced(firmware, "holds", lambda _: lambda n, k, s: True), "KEY-03/wrong-tag"),
    "half a tag is checked": (replaced(firmware, "holds", first_octets), "KEY-03/wrong-tag"),
    "no counter is checked": (replaced(firmware, "judge_tag", counters_pass), "KEY-04/old"),
    "the session stays": (replaced(monitor, "forget", once_drawn), "KEY-06/reset"),
    "functions are open": (
        replaced(firmware, "is_guarded", lambda was: lambda b: b[8] != 8 and was(b)),
        "KEY-02/guarded",
    ),
    "nothing is told": (replaced(monitor, "tell", lambda _: lambda node: None), "KEY-08/event"),
    "each refusal is told": (replaced(firmware, "refuse", loud), "KEY-09/count"),
    "a reboot at any time": (replaced(monitor, "EARLY_MS", lambda _: 0), "KEY-10/early"),
    "every sample is believed": (
        replaced(monitor.KeyedMonitor, "answers", lambda _: lambda self, i: True),
        "KEY-12/newest",
    ),
    "an answer counts twice": (
        replaced(
            monitor.KeyedMonitor,
            "answers",
            lambda was: lambda self, i: was(self, i) and not setattr(self, "asked", 3),
        ),
        "KEY-12/newest",
    ),
    "the same failure code for all": (
        replaced(firmware, "judge_tag", lambda was: lambda node: was(node) and FAIL_TAG),
        "KEY-04/old",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_monitor_fails(wrong, monkeypatch):
    plant, case = WRONG[wrong]
    plant(monkeypatch)
    assert case in failed("cpython", "monitor", [case])


def test_they_are_judged_with_a_key_and_not_without():
    assert {c.id for c in select("monitor", keyed=True)} == {
        c.id for c in CASES if "monitor" in c.roles and c.id.startswith("KEY-")
    }
    assert not any(c.id.startswith("KEY-") for c in select("monitor"))
    with pytest.raises(UsageError, match="in lock-step"):
        open_bench("exec:node", "monitor", master=MASTER)
