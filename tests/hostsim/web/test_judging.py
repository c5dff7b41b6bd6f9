"""What a page judges: case by case with a failure's octets, a campaign with what it found, both stopped at will."""

import pytest

from cabinwatch.verify.conform.emulated import EmulatedBench
from cabinwatch.verify.conform.targets import emulated
from cabinwatch.verify.fuzz.campaign import outcomes
from cabinwatch.verify.fuzz.findings import Finding
from cabinwatch.verify.fuzz.run import Outcome
from cabinwatch.web import judging
from cabinwatch.web.judging import Campaign, Conformance
from cabinwatch.web.serve import House, Show


class Mute:
    """A transducer whose answers get a wrong check sum."""

    name = "mute"

    def __init__(self):
        self._node = emulated("transducer")["cpython"]()

    def start(self):
        return self._node.start()

    def step(self, elapsed_ms, rx):
        tx, wake = self._node.step(elapsed_ms, rx)
        return (tx[:-3] + bytes((tx[-3] ^ 0x55 or 0x55,)) + tx[-2:] if rx and len(tx) > 3 else tx), wake

    def reset(self):
        return self._node.reset()

    def close(self):
        self._node.close()


def done(work):
    work.start()
    work.join(60)
    assert not work.is_alive()
    return work


def test_cases_come_one_by_one_and_the_verdict_at_the_end():
    run = done(Conformance("host", "transducer", only=["XDR-0"]))
    assert len(run.judged) == len(run.cases) > 3
    assert not any(one.failed for one in run.judged)
    assert f"{len(run.cases)} passed, 0 failed" in run.summary()


def test_a_failure_shows_the_requirement_and_the_octets_decoded(monkeypatch):
    monkeypatch.setattr(judging, "open_bench", lambda *_: EmulatedBench("transducer", make=Mute))
    run = done(Conformance("mute", "transducer", only=["XDR-0"]))
    failed = [one for one in run.judged if one.failed]
    assert failed, [one.line for one in run.judged]
    assert "SPEC.md" in failed[0].details
    assert "report_hk" in failed[0].details, "the octets of the question, decoded"


def test_a_node_that_is_not_there_is_told():
    run = done(Conformance("exec:/no/such/node", "monitor"))
    assert "no/such/node" in run.summary()


def test_a_run_that_is_stopped_ends_at_the_next_case():
    run = Conformance("host", "transducer")
    run.stop()
    assert len(done(run).judged) == 1


def test_a_campaign_counts_and_what_it_finds_is_one_click_from_being_played(monkeypatch):
    monkeypatch.setattr(judging, "shrink", lambda plan, kind, make, tries: plan)

    def results(seed, runs, target):
        for number in runs:
            yield (
                Outcome(number, Finding.FALSE_ALARM, "an alarm", steps=5) if number == 2 else Outcome(number)
            )

    run = done(Campaign("page", 4, results=results))
    assert "4 of 4 runs" in run.summary()
    assert "1 failed" in run.summary()
    (found,) = run.found
    assert "--seed page --only 2" in found.command
    house = House(Show(object(), "cpython", 1), 600.0)
    assert house.play(found) == "/?show=1"
    shown = house.shows[1].engine
    try:
        assert shown.source.title == found.scenario.title
        assert shown.source.session.seed == found.seed
    finally:
        shown.stop()


def test_a_campaign_of_the_firmware_itself_finds_nothing():
    run = done(Campaign("0", 3, results=outcomes))
    assert run.tally.runs == 3
    assert run.summary().endswith("0 failed. Done.")


def test_a_stopped_campaign_says_so():
    run = Campaign("0", 100, results=lambda *_: iter([Outcome(0), Outcome(1)]))
    run.stop()
    assert done(run).summary().endswith("stopped")


@pytest.mark.parametrize("number", [-1, 7])
def test_a_show_that_there_is_not_is_the_first(number):
    first = Show(object(), "cpython", 1)
    assert House(first, 1.0).show(number) is first
