"""Drawn sequences: our nodes answer alike, a wrong node that every case lets pass does not, a file repeats it."""

import json

import pytest
from c_nodes import build
from matrix import catchers
from mutants import Mutant
from test_command import command

from cabinwatch.targets.cpython import CpythonTarget
from cabinwatch.verify.conform import odd
from cabinwatch.verify.conform.emulated import EmulatedBench
from cabinwatch.verify.conform.requirements import SPEC_VERSION
from cabinwatch.verify.conform.runner import CaseVerdict, select
from cabinwatch.verify.conform.targets import open_bench

OURS = {"transducer": "host", "monitor": "cpython"}
SURVIVOR = Mutant(
    "tells whoever has source ID 1 of a wrong number of entries",
    "transducer",
    (
        (
            "node",
            "self.begin_tm(1, subtype, self.field(TC_SOURCE))",
            "self.begin_tm(1, subtype, 1 if code == FAIL_COUNT else self.field(TC_SOURCE))",
        ),
    ),
    (),
)


def differences(b, role, seed, runs):
    ours = open_bench(OURS[role], role)
    b.start()
    ours.start()
    for number in range(runs):
        steps = odd.draw(seed, number, b)
        if found := odd.compare(b, ours, steps):
            yield number, odd.shrink(b, ours, steps, found)
    b.close()
    ours.close()


@pytest.mark.parametrize(
    ("target", "role", "runs"),
    [("cpython", "transducer", 150), ("micropython", "transducer", 40), ("micropython", "monitor", 40)],
)
def test_our_nodes_answer_alike(target, role, runs):
    assert not list(differences(open_bench(target, role), role, 7, runs))


def test_what_every_case_lets_pass_falls_to_a_drawn_sequence():
    ids = tuple(c.id for c in select("transducer", skip=["SEQ-02,TIM-04"]))
    assert set(catchers(SURVIVOR, ids).values()) == {CaseVerdict.PASS}
    bench = EmulatedBench("transducer", make=lambda: CpythonTarget(SURVIVOR.make_node))
    _, (steps, found) = next(differences(bench, "transducer", 1, 300))
    assert len(steps) == 1
    assert "failure=count" in found.expected
    assert "destination 0001" in found.got


def test_a_drawn_sequence_depends_on_seed_and_number_alone():
    bench = open_bench("cpython", "monitor")
    first = odd.draw(3, 5, bench)
    assert odd.draw(3, 5, bench) == first != odd.draw(3, 6, bench)


def test_a_difference_is_written_and_played_again(tmp_path, monkeypatch):
    """Live: the wrong node fails the file, the right one passes it; what is no such file is refused in a line."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "right").mkdir()
    right, wrong = (
        build(tmp_path / "right"),
        build(tmp_path, ("= request == last_request && check == last_check", "= request == last_request")),
    )
    code, out = command("conform", wrong, "--fuzz", "300", "--seed", "2", "--json", "r.json")
    (file,) = tmp_path.glob("conform-transducer-2-*.json")
    assert code == json.loads((tmp_path / "r.json").read_text())["exit_code"] == 1
    assert f"--play {file.name}" in out
    assert len(json.loads(file.read_text())["steps"]) == 2
    assert command("conform", wrong, "--play", file)[0] == 1
    assert command("conform", right, "--play", file)[0] == 0
    code, out = command("conform", "cpython", "--role", "monitor", "--play", file)
    assert (code, "--role transducer" in out) == (2, True)
    code, out = command("conform", right, "--play", tmp_path / "r.json")
    assert (code, "no file of --fuzz" in out) == (2, True)


def test_a_baseline_lets_known_failures_pass_and_nothing_else(tmp_path):
    """What failed then is known; what is new fails, and so does what passes by now; it is of one role and one SPEC."""
    one, two = ("tc[6] & ACCEPTANCE", "0"), ("tc[6] & COMPLETION", "0")
    for name in ("none", "one", "both"):
        (tmp_path / name).mkdir()
    none, first = build(tmp_path / "none"), build(tmp_path / "one", one)
    both, file = build(tmp_path / "both", one, two), tmp_path / "base.json"
    only = ("--only", "VER-01,VER-02,VER-03/other,TST")
    assert command("conform", first, *only, "--json", file)[0] == 1
    known = {c["id"] for c in json.loads(file.read_text())["cases"] if c["verdict"] == "fail"}
    assert known >= {"VER-01/acceptance-flag", "VER-02/completion-flag"}
    code, out = command("conform", first, *only, "--baseline", file)
    assert (code, "fails as the baseline says" in out) == (0, True)
    code, out = command("conform", none, *only, "--baseline", file)
    assert (code, "it passes by now" in out) == (1, True)
    file.write_text(json.dumps({"spec": SPEC_VERSION, "role": "transducer", "cases": []}))
    assert command("conform", both, *only, "--baseline", file)[0] == 1
    file.write_text(json.dumps({"spec": "0", "role": "transducer", "cases": []}))
    code, out = command("conform", none, *only, "--baseline", file)
    assert (code, "make it anew" in out) == (2, True)
