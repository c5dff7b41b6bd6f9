"""Results for people and for machines: the live list, the table by section, each failure in full, JUnit, JSON."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

from cabinwatch.verify.conform.bench import Exchange
from cabinwatch.verify.conform.case import UNTESTED, Case
from cabinwatch.verify.conform.decode import Reader, shown
from cabinwatch.verify.conform.requirements import requirements
from cabinwatch.verify.conform.runner import CaseVerdict, Result, SuiteRun

LAST = 12
"""Exchanges of a failed case that are shown: those that led to the failure."""


def live(result: Result, done: SuiteRun) -> str:
    """The line of the live list."""
    word = result.verdict.value.upper() if result.verdict is CaseVerdict.FAIL else result.verdict.value
    if result.verdict is CaseVerdict.FAIL and not done.counts(result):
        word = "should"
    retried = "  (failed by time alone at first, tried again)" if result.retried else ""
    return f"{word:8} {result.case.id:28} {result.reason or result.case.text}{retried}"


def decoded(log: list[Exchange]) -> Iterator[str]:
    """The last exchanges of a case, octets and packets."""
    to, out = Reader(), Reader()
    skip = max(0, len(log) - LAST)
    if skip:
        yield f"({skip} exchanges before these)"
    for i, e in enumerate(log):
        arrow = "->" if e.given else "<-"
        lines = list((to if e.given else out).feed(e.octets, "     "))
        if i >= skip:
            yield f"{e.at_ms / 1000:9.3f} s {arrow} {e.octets.hex(' ') if len(e.octets) <= 128 else shown(e.octets)}"
            yield from lines


def failure(result: Result) -> Iterator[str]:
    """A failure in full: the requirement quoted, expected, got, octets both ways."""
    r = result.case.requirement
    yield f"{result.case.id}: {result.case.text}"
    yield f"  SPEC.md {r.section}: [{r.id}] {r.text}"
    yield f"  expected: {result.expected}"
    yield f"  got:      {result.got}"
    if result.timing:
        yield "  by time alone: something came too late or not at all"
    if result.retried:
        yield f"  first try: {result.first_try}"
    yield "  octets to (->) and from (<-) the node, the last ones:"
    yield from (f"    {text}" for text in decoded(result.log))


def sections(done: SuiteRun) -> list[tuple[str, dict[CaseVerdict, int]]]:
    """How many cases ended how, by section of the specification."""
    found: dict[str, dict[CaseVerdict, int]] = {}
    for result in done.results:
        counts = found.setdefault(result.case.requirement.section, dict.fromkeys(CaseVerdict, 0))
        counts[result.verdict] += 1
    return list(found.items())


def table(done: SuiteRun) -> Iterator[str]:
    """The table by section of the specification."""
    yield f"{'section of SPEC.md':52} {'pass':>5} {'fail':>5} {'skip':>5} {'not run':>8}"
    for section, n in sections(done):
        columns = f"{n[CaseVerdict.PASS]:5} {n[CaseVerdict.FAIL]:5} {n[CaseVerdict.SKIP]:5} {n[CaseVerdict.NOT_RUN]:8}"
        yield f"{section[:52]:52} {columns}"


def summary(done: SuiteRun) -> Iterator[str]:
    """Table, failures, verdict."""
    yield ""
    yield from table(done)
    for result in done.results:
        if result.verdict is CaseVerdict.FAIL:
            yield ""
            yield from failure(result)
    yield ""
    if done.stopped:
        yield done.stopped
    if done.hint:
        yield done.hint
    yield verdict(done)


def verdict(done: SuiteRun) -> str:
    """The last line."""
    n = {v: sum(r.verdict is v for r in done.results) for v in CaseVerdict}
    shoulds = n[CaseVerdict.FAIL] - len(done.failed)
    if done.error:
        return f"{done.target} as {done.role}: not judged: {done.error}"
    text = f"{done.target} as {done.role}: {n[CaseVerdict.PASS]} passed, {len(done.failed)} failed"
    if shoulds:
        text += f", {shoulds} recommendations not followed"
    if n[CaseVerdict.SKIP]:
        text += f", {n[CaseVerdict.SKIP]} skipped"
    if n[CaseVerdict.NOT_RUN]:
        text += f", {n[CaseVerdict.NOT_RUN]} not run" + (" (interrupted)" if done.interrupted else "")
    return f"{text}; {done.seconds:.1f} s, seed {done.seed}"


def listing(cases: list[Case], role: str) -> Iterator[str]:
    """Each case with its level and the requirement that it judges."""
    for c in cases:
        yield f"{c.id:28} {'MUST' if c.must else 'SHOULD':6} {c.text}"
    for id_, reason in UNTESTED.items():
        if requirements()[id_].role in ("any", "ground", role):
            yield f"{id_:28} {'-':6} no case: {reason}"


def as_json(done: SuiteRun) -> dict[str, Any]:
    """One object with everything."""
    return {
        "target": done.target,
        "role": done.role,
        "seed": done.seed,
        "strict": done.strict,
        "spec": done.spec,
        "seconds": round(done.seconds, 3),
        "error": done.error,
        "stopped": done.stopped,
        "interrupted": done.interrupted,
        "exit_code": done.exit_code,
        "cases": [_case_json(r) for r in done.results],
    }


def _case_json(r: Result) -> dict[str, Any]:
    return {
        "id": r.case.id,
        "requirement": r.case.requirement.id,
        "level": "MUST" if r.case.must else "SHOULD",
        "section": r.case.requirement.section,
        "text": r.case.text,
        "verdict": r.verdict.value,
        "reason": r.reason,
        "expected": r.expected,
        "got": r.got,
        "timing": r.timing,
        "retried": r.retried,
        "seconds": round(r.seconds, 3),
        "octets": [[e.at_ms, "to" if e.given else "from", e.octets.hex()] for e in r.log[-LAST:]]
        if r.verdict is CaseVerdict.FAIL
        else [],
    }


def junit(done: SuiteRun) -> str:
    """The results as JUnit XML, as Ant's schema and Jenkins' have it: a run that could not be is an error."""
    skipped = [r for r in done.results if r.verdict is not CaseVerdict.PASS and not done.counts(r)]
    attributes = {
        "name": f"cabinwatch conform {done.target} {done.role}",
        "timestamp": done.began.strftime("%Y-%m-%dT%H:%M:%S"),
        "hostname": "localhost",
        "tests": str(len(done.results) + bool(done.error)),
        "failures": str(len(done.failed)),
        "errors": str(int(bool(done.error))),
        "skipped": str(len(skipped)),
        "time": f"{done.seconds:.3f}",
    }
    suite = ET.Element("testsuite", {k: _clean(v) for k, v in attributes.items()})
    properties = ET.SubElement(suite, "properties")
    for name in ("role", "seed", "spec", "exit_code"):
        ET.SubElement(properties, "property", name=name, value=str(as_json(done)[name]))
    if done.error:
        case = ET.SubElement(suite, "testcase", classname=done.role, name="set-up", time="0")
        ET.SubElement(case, "error", type="SetupError", message=_clean(done.error))
    for r in done.results:
        case = ET.SubElement(suite, "testcase", classname=done.role, name=r.case.id, time=f"{r.seconds:.3f}")
        if done.counts(r):
            text = _clean(f"expected {r.expected}; got {r.got}")
            full = _clean("\n".join(failure(r)))
            ET.SubElement(case, "failure", type=r.case.requirement.id, message=text).text = full
        elif r.verdict is not CaseVerdict.PASS:
            why = r.reason or f"recommendation not followed: {r.got}"
            ET.SubElement(case, "skipped", message=_clean(why))
    ET.SubElement(suite, "system-out").text = _clean(verdict(done))
    ET.SubElement(suite, "system-err").text = _clean(done.error or done.stopped)
    ET.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold (a dying target says what it likes)."""
    return "".join(
        c if c in "\n\t" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" else "?" for c in text
    )


def transcript(done: SuiteRun) -> Iterator[str]:
    """Every octet, case by case, as JSON Lines; a last line says how it ended."""
    parts = [("set-up", "error" if done.error else "done", done.log)]
    parts += [(r.case.id, r.verdict.value, r.log) for r in done.results]
    for name, word, log in parts:
        yield json.dumps({"case": name, "verdict": word})
        for e in log:
            yield json.dumps({"t_ms": e.at_ms, "to" if e.given else "from": e.octets.hex()})
    yield json.dumps({"exit_code": done.exit_code, "error": done.error})
