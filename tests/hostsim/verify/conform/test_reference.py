"""The campaign's reference monitor, SPEC.md's requirements and the conformance cases, held together.

Each case is a world: played to the right monitor the reference has nothing to say, and played to a monitor that breaks
the case's requirement the reference sees it. So a rule that the reference has wrong, or does not know, shows here.
"""

from collections.abc import Callable
from typing import Any

import mutants_alarms  # noqa: F401 - adds its own
import mutants_monitor  # noqa: F401 - adds its own
import mutants_survivors  # noqa: F401 - adds its own
import pytest
from mutants import MUTANTS, Mutant, build

from cabinwatch.models.scenario import Scenario
from cabinwatch.run.transcript import Step
from cabinwatch.targets.base import Answer
from cabinwatch.targets.cpython import CpythonTarget, NodeFactory
from cabinwatch.verify.conform.case import Case
from cabinwatch.verify.conform.emulated import EmulatedBench
from cabinwatch.verify.conform.requirements import requirements
from cabinwatch.verify.conform.runner import run_case, select
from cabinwatch.verify.fuzz.findings import Finding
from cabinwatch.verify.fuzz.reference import Reference, Wrong
from cabinwatch.verify.fuzz.run import play
from cabinwatch.verify.fuzz.swarm import Plan
from cabinwatch_firmware.monitor import Monitor

CASES = {case.id: case for case in select("monitor")}


class Judged(CpythonTarget):
    """A monitor with the reference beside it; ``found`` is the first thing that the reference finds wrong."""

    def __init__(self, make_node: NodeFactory) -> None:
        super().__init__(make_node)
        self.reference = Reference()
        self.found: Wrong | None = None
        self._now_ms = 0

    def _judged(self, rx: bytes, answer: Answer, reset: bool = False) -> Answer:
        if self.found is None:
            try:
                self.reference.step(Step(self._now_ms, rx, *answer, reset=reset))
            except Wrong as wrong:
                self.found = wrong
        return answer

    def start(self) -> Answer:
        return self._judged(b"", super().start())

    def step(self, elapsed_ms: int, rx: bytes) -> Answer:
        self._now_ms += elapsed_ms
        return self._judged(rx, super().step(elapsed_ms, rx))

    def reset(self) -> Answer:
        if not any(self.storage.slots):
            self.reference.forget_stored()
        return self._judged(b"", super().reset(), reset=True)


def what_the_reference_says(case: Case, make_node: NodeFactory) -> Wrong | None:
    """Play one case; the case's own verdict is of no interest here."""
    judged: list[Judged] = []

    def make() -> Judged:
        judged.append(Judged(make_node))
        return judged[-1]

    bench = EmulatedBench("monitor", make=make)
    bench.start()
    run_case(bench, case)
    return next((target.found for target in judged if target.found), None)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_reference_agrees_with_the_right_monitor_in_every_case(case: Case) -> None:
    assert what_the_reference_says(case, Monitor) is None


def of_a_monitor(mutant: Mutant) -> bool:
    """Whether the mistake can be made in a monitor: most are in what both roles share."""
    return not any(file == "transducer" for file, _, _ in mutant.edits)


def wrong_node(*edits: tuple[str, str, str]) -> Callable[[Any], Any]:
    """A monitor with these mistakes."""
    return lambda sink: build("monitor", edits)["Monitor"](sink)


MISTAKES = [
    (requirement, mutant)
    for mutant in MUTANTS
    if of_a_monitor(mutant)
    for requirement in dict.fromkeys(CASES[id_].requirement.id for id_ in mutant.caught_by if id_ in CASES)
]
THE_DETECTORS_OWN = {
    "knows no level": "what the air justifies is left to the detector",
    "sleeps": "a missed alarm is seen by the truth, below",
    "stops the detector during an inhibit": "what the detector finds is left to it",
    "waits for a sample after an inhibit": "the class at that moment is the detector's",
    "does not restart the detector": "what the detector finds is left to it",
    "keeps what the detector found over a reboot": "what the detector finds is left to it",
    "has no row for clear while acknowledged": "looks like a detector that still justifies the class",
    "permits a tenth of what it is told to permit": "looks like an end by the level, which is the detector's",
    "believes one reading beyond the permitted fall": "looks like an end by the level, which is the detector's",
    "counts a repeated stamp towards a level": "what the air justifies is left to the detector",
    "counts no repeated stamp that it asked for": "what the air justifies is left to the detector",
    "takes a fault for the third low reading": "what the air justifies is left to the detector",
    "doubles the off-delay without end": "looks like a detector that still justifies the class",
    "calls every leak an Emergency": "the class that the data justify is left to the detector",
    "tells a rate in Pa/h": "a slower leak, for all that the rules say",
    "tells a negative sigma": "what the detector finds is left to it",
    "tells a law that is none": "what the detector finds is left to it",
    "tells the rate of an alarm in Pa/h": "a slower leak, for all that the rules say",
}
"""Mutants that the cases catch and the reference cannot, since it leaves to the detector what the air justifies."""


@pytest.mark.parametrize(
    ("requirement", "mutant"),
    [pytest.param(r, m, id=f"{r}: {m.name}") for r, m in MISTAKES if m.name not in THE_DETECTORS_OWN],
)
def test_the_reference_sees_a_monitor_that_breaks_it(requirement: str, mutant: Mutant) -> None:
    cases = [c for c in CASES.values() if c.requirement.id == requirement and c.id in mutant.caught_by]
    assert any(what_the_reference_says(case, wrong_node(*mutant.edits)) for case in cases)


BROWN_OUT = {
    "device": {"faults": [{"kind": "brown_out", "at": 5, "octet": 40, "wrong": 20}]},
    "telecommands": [
        {"at": 4, "do": "set", "parameter": "loss", "value": 2600},
        {"at": 6, "do": "set", "parameter": "loss", "value": 2700},
    ],
}
LEAK = {
    "cabin": {"compartments": {"cabin": {"volume": 100}}, "leaks": {"hole": {"size": "60 Pa/s", "at": 5}}}
}
WORLDS: dict[str, tuple[dict[str, Any], tuple[str, str, str], Finding]] = {
    "FRM-05": (
        {},
        ("monitor", "self.send(HOUSEKEEPING_SIZE)", "self.send(HOUSEKEEPING_SIZE + 1)"),
        Finding.CODEC,
    ),
    "HKP-01": (
        {"telecommands": [{"at": 5, "do": "report"}]},
        ("monitor", "self.report(self.field(TC_SOURCE))", "pass"),
        Finding.WRONG,
    ),
    "PKT-07": (
        {},
        ("monitor", "self.set(HOUSEKEEPING_TEMPERATURE_CK,", "self.set(HOUSEKEEPING_TEMPERATURE_CK - 8,"),
        Finding.WRONG,
    ),
    "PAR-08": (
        BROWN_OUT,
        ("node", "            self.found |= STORED_BROKEN\n", "            pass\n"),
        Finding.WRONG,
    ),
    "PAR-09": (
        BROWN_OUT,
        ("node", "seq = self.stored + 1 & 0xFFFF", "seq = self.stored + 2 & 0xFFFF"),
        Finding.WRONG,
    ),
    "ALM-02": (
        LEAK,
        ("monitor", "            self.detector.sample(gap, pressure, temperature)\n", ""),
        Finding.MISSED_ALARM,
    ),
}
"""Requirements that no case and mutant of a monitor shows: a world, a mistake in it, and how it is seen."""
NOT_SEEN = {
    "LNK-01": "below the octets: with another setting nothing at all is understood",
    "VER-11": "a node in lock-step answers in no time",
    "TIM-04": "65,536 days of a monitor's polls; the line is the transducer's too, where a case plays it",
    "ALM-40": "what the air justifies is left to the detector; the truth judges it in a cabin below `reserve`",
    "ALM-41": "as ALM-40",
    "ALM-42": "as ALM-40",
    "ALM-04": "when an acknowledged alarm goes lower is the detector's",
    "ALM-11": "the wrap takes 65,534 alarms; that each rise has the next one is ALM-10",
    "ALM-18": "the campaign's monitors have storage",
    "EVT-03": "storage that refuses a write is a board's, and tested with its port",
}
"""Requirements on a monitor that no world of a campaign can show, and why."""


def scenario(changes: dict[str, Any]) -> Scenario:
    """A quiet minute and a half with changes."""
    quiet = {"title": "a world", "duration": 90, "cabin": {"compartments": {"cabin": {"volume": 100}}}}
    return Scenario.model_validate(quiet | changes)


@pytest.mark.parametrize("requirement", WORLDS)
def test_breaking_it_is_seen_in_a_world(requirement: str) -> None:
    changes, mistake, finding = WORLDS[requirement]
    plan = Plan(scenario(changes), 1, "leak" if "cabin" in changes else "story", 0.0, {})
    assert play(plan, CpythonTarget).kind is None
    assert play(plan, lambda: CpythonTarget(wrong_node(mistake))).kind is finding


def test_every_requirement_on_a_monitor_is_seen_or_has_a_reason() -> None:
    unkeyed = [r for r in requirements().values() if not r.id.startswith("KEY-")]  # as a campaign's nodes are
    all_ = {r.id for r in unkeyed if r.role in ("any", "monitor")}
    by_cases = {requirement for requirement, mutant in MISTAKES if mutant.name not in THE_DETECTORS_OWN}
    by_cases &= all_
    assert by_cases | set(WORLDS) | set(NOT_SEEN) == all_
    assert not set(NOT_SEEN) & (by_cases | set(WORLDS))
    assert set(THE_DETECTORS_OWN) <= {mutant.name for _, mutant in MISTAKES}
