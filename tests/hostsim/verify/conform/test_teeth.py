"""The suite has teeth: every wrong node is caught by the case that should catch it, every case catches one."""

import shutil
import subprocess
from pathlib import Path

import mutants_monitor  # noqa: F401 - adds its own
import mutants_survivors  # noqa: F401 - adds its own
import pytest
from matrix import catchers
from mutants import MUTANTS

from cabinwatch.board.emulator.qemu import INSTALL, PROGRAM
from cabinwatch.verify.conform.bench import Reference
from cabinwatch.verify.conform.case import CASES, UNTESTED
from cabinwatch.verify.conform.emulated import READING
from cabinwatch.verify.conform.requirements import requirements
from cabinwatch.verify.conform.runner import Run, Verdict, run, select
from cabinwatch.verify.conform.targets import open_bench
from conftest import missing

HERE = Path(__file__).parent
LONG = {"monitor": ("SEQ-02", "TIM", "HKP-06/modulo"), "transducer": ("SEQ-02", "TIM")}
"""Cases of thousands of steps: one target, in process, is enough for every test run."""


def failures(done):
    return {
        r.case.id: (r.expected, r.got) for r in done.results if r.verdict not in (Verdict.PASS, Verdict.SKIP)
    }


def test_every_requirement_has_a_case_or_a_reason():
    judged = {c.requirement.id for c in CASES} | {i for c in CASES for i in c.also}
    assert judged | set(UNTESTED) == set(requirements())
    assert not {c.requirement.id for c in CASES} & set(UNTESTED)
    assert len({c.id for c in CASES}) == len(CASES)
    for c in CASES:
        assert c.text, c.id
        assert c.requirement.role in ("any", *c.roles), c.id


@pytest.mark.parametrize("m", MUTANTS, ids=lambda m: m.name.replace(" ", "-"))
def test_wrong_node_is_caught(m):
    verdicts = catchers(m, m.caught_by)
    assert set(verdicts.values()) == {Verdict.FAIL}, verdicts


def test_every_case_catches_a_wrong_node():
    assert {i for m in MUTANTS for i in m.caught_by} == {c.id for c in CASES}
    assert len({m.name for m in MUTANTS}) == len(MUTANTS) >= 40


@pytest.mark.parametrize(
    ("target", "role"),
    [
        ("cpython", "monitor"),
        ("cpython", "transducer"),
        ("host", "transducer"),
        ("micropython", "monitor"),
        ("micropython", "transducer"),
        ("microbit", "monitor"),
        ("microbit", "transducer"),
    ],
)
def test_ours_conform(target, role):
    if target == "microbit" and shutil.which(PROGRAM) is None:
        missing(PROGRAM, INSTALL)
    cases = select(role, skip=LONG[role] if target.startswith("micro") else ())
    done = run(open_bench(target, role), cases, Run(target, role, 1, True))
    assert not failures(done)
    assert sum(r.verdict is Verdict.PASS for r in done.results) == len(cases)


@pytest.fixture(scope="module")
def c_transducer(tmp_path_factory):
    program = tmp_path_factory.mktemp("c") / "transducer"
    flags = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["cc", *flags, "-o", program, HERE / "transducer.c"], check=True)
    return program


def test_a_transducer_in_c_conforms(c_transducer):
    """Written from SPEC.md alone; live, in real time, and strict."""
    bench = open_bench(f"exec:{c_transducer}", "transducer")
    bench.reference = Reference(**READING)
    done = run(bench, select("transducer"), Run("c", "transducer", 1, True))
    assert not failures(done)
    skipped = {r.case.id for r in done.results if r.verdict is Verdict.SKIP}
    assert skipped == {"TIM-03/day", "TIM-04/days", "RST-04/external"}


# ruff: noqa: E501 - one mistake a line
C_MISTAKES = {
    "reads the flags from the other end": ("enum { ACCEPTANCE = 1, COMPLETION = 8 };", "enum { ACCEPTANCE = 8, COMPLETION = 1 };", "VER-01/acceptance-flag"),
    "does not check the CRC": ("if (crc(packet, n) != 0)", "if (0)", "FRM-11/bit-flips"),
    "starts afresh in an over-long frame": ("filled++;", "filled = filled == STUFFED_MAX ? 0 : filled + 1;", "FRM-07/very-long"),
    "does not look at the length": (" || n != get(packet + 4, 2) + 7", "", "FRM-10/length-field"),
    "takes one count for a repetition": (" && check == last_check;", ";", "SEQ-04/content"),
    "crashes on a parameter it has not": ("        return BAD_PARAMETER;", "        _exit(7);", "PAR-05/unknown"),
}  # fmt: skip


@pytest.mark.parametrize("name", C_MISTAKES)
def test_a_wrong_transducer_in_c_is_caught(name, tmp_path):
    old, new, id_ = C_MISTAKES[name]
    source = (HERE / "transducer.c").read_text(encoding="utf-8")
    assert source.count(old) == 1
    (tmp_path / "wrong.c").write_text(source.replace(old, new), encoding="utf-8")
    subprocess.run(["cc", "-std=c11", "-o", tmp_path / "wrong", tmp_path / "wrong.c"], check=True)
    cases = select("transducer", only=[id_])
    done = run(open_bench(f"exec:{tmp_path / 'wrong'}", "transducer"), cases, Run("c", "transducer", 1, True))
    assert [r.verdict for r in done.results] == [Verdict.FAIL]
