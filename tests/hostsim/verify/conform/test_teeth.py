"""The suite has teeth: every wrong node is caught by the case that should catch it, every case catches one."""

import os
import shutil
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mutants_alarms  # noqa: F401 - adds its own
import mutants_monitor  # noqa: F401 - adds its own
import mutants_survivors  # noqa: F401 - adds its own
import pytest
from c_nodes import FLAGS, build, build_lockstep, lockstep_bench
from matrix import UNKEYED, catchers
from mutants import MUTANTS

from cabinwatch.board.emulator.qemu import INSTALL, PROGRAM
from cabinwatch.verify.conform.bench import Reference
from cabinwatch.verify.conform.case import CASES, UNTESTED
from cabinwatch.verify.conform.emulated import READING
from cabinwatch.verify.conform.requirements import requirements
from cabinwatch.verify.conform.runner import CaseVerdict, SuiteRun, run, select
from cabinwatch.verify.conform.targets import open_bench
from conftest import missing

HERE = Path(__file__).parent
LONG = {"monitor": ("SEQ-02", "TIM", "HKP-06/modulo"), "transducer": ("SEQ-02", "TIM")}
"""Cases of thousands of steps: one target, in process, is enough for every test run."""


def failures(done):
    return {
        r.case.id: (r.expected, r.got)
        for r in done.results
        if r.verdict not in (CaseVerdict.PASS, CaseVerdict.SKIP)
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
    assert set(verdicts.values()) == {CaseVerdict.FAIL}, verdicts


def test_every_case_catches_a_wrong_node():
    assert {i for m in MUTANTS for i in m.caught_by} == UNKEYED
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
    done = run(open_bench(target, role), cases, SuiteRun(target, role, 1, True))
    assert not failures(done)
    assert sum(r.verdict is CaseVerdict.PASS for r in done.results) == len(cases)


@pytest.fixture(scope="module")
def c_transducer(tmp_path_factory):
    return build(tmp_path_factory.mktemp("c"), flags=FLAGS)


def test_a_transducer_in_c_conforms(c_transducer):
    """Written from SPEC.md alone; live, in real time, and strict."""
    # Time enough: on a busy host 16,384 packets take longer than a case may as a rule, and would be left out.
    bench = open_bench(c_transducer, "transducer", timeout_s=300.0)
    bench.reference = Reference(**READING)
    done = run(bench, select("transducer"), SuiteRun("c", "transducer", 1, True))
    assert not failures(done)
    skipped = {r.case.id for r in done.results if r.verdict is CaseVerdict.SKIP}
    assert skipped == {"TIM-03/day", "TIM-04/days", "RST-04/external"}


def test_a_transducer_in_javascript_conforms():
    """Likewise; it takes long to start, so without the cases that only wait."""
    if shutil.which("node") is None:
        missing("node", "apt install nodejs")
    bench = open_bench(f"exec:node {HERE / 'transducer.js'}", "transducer")
    bench.reference = Reference(9876543, 29420)
    cases = select("transducer", skip=["SEQ-02,TIM-03,TIM-04,TIM-05,RST-04,RST-06/idle,EVT-01,XDR-04"])
    done = run(bench, cases, SuiteRun("javascript", "transducer", 1, True))
    assert not failures(done)
    assert {r.verdict for r in done.results} == {CaseVerdict.PASS}


def test_a_monitor_in_c_conforms(tmp_path):
    """Likewise, but for the two cases of half a minute."""
    bench = open_bench(build(tmp_path, name="monitor.c", flags=FLAGS), "monitor")
    cases = select("monitor", skip=["HKP-02/cadence,POL-01/cadence"])
    done = run(bench, cases, SuiteRun("c", "monitor", 1, True))
    assert not failures(done)
    skipped = {r.case.id for r in done.results if r.verdict is CaseVerdict.SKIP}
    assert skipped == VIRTUAL


def test_a_monitor_in_c_conforms_in_lock_step(tmp_path):
    """The same source with the host's time for its own: every case, those of hours and days as well."""
    bench = lockstep_bench(build_lockstep(tmp_path, flags=FLAGS))
    done = run(bench, select("monitor", skip=["SEQ-02"]), SuiteRun("c", "monitor", 1, True))
    assert not failures(done)
    assert {r.verdict for r in done.results} == {CaseVerdict.PASS}


VIRTUAL = {
    *("TIM-03/day", "HKP-02/a-day", "HKP-06/modulo", "RST-04/external"),
    *("POL-01/an-hour", "ALM-07/two-hours", "ALM-14/flaps"),
}
"""Cases of a monitor that no live target can be judged by."""


# ruff: noqa: E501 - one mistake a line
C_MISTAKES = {
    "reads the flags from the other end": ("enum { ACCEPTANCE = 1, COMPLETION = 8 };", "enum { ACCEPTANCE = 8, COMPLETION = 1 };", "VER-01/acceptance-flag"),
    "does not check the CRC": ("if (crc(packet, n) != 0)", "if (0)", "FRM-11/bit-flips"),
    "starts afresh in an over-long frame": ("filled++;", "filled = filled == STUFFED_MAX ? 0 : filled + 1;", "FRM-07/very-long"),
    "does not look at the length": (" || n != get(packet + 4, 2) + 7", "", "FRM-10/length-field"),
    "takes one count for a repetition": (" && check == last_check;", ";", "SEQ-04/content"),
    "crashes on a parameter it has not": ("        return BAD_PARAMETER;", "        _exit(7);", "PAR-05/unknown"),
    "tells degrees Celsius": ("put(&p, 29515, 2);", "put(&p, 2200, 2);", "XDR-06/plausible"),
    "tells pascals": ("(uint32_t)(10132500 + offset_cPa)", "(uint32_t)(10132500 + offset_cPa) / 100", "XDR-06/plausible"),
    "tells each boot twice": ("    boot_event();\n", "    boot_event();\n    boot_event();\n", "RST-06/once"),
    "begins its count after the boot event": ("    boot_event();\n", "    boot_event();\n    tm_count = 0;\n", "SEQ-01/counts"),
    "drops a part of a frame after 50 ms": ("        for (ssize_t i = 0; i < n; i++) {", "        static uint64_t then;\n        if (now_ms() - then > 50)\n            filled = 0;\n        then = now_ms();\n        for (ssize_t i = 0; i < n; i++) {", "FRM-04/pauses"),
    "has stamps that are late by 0.7 s": ("uint64_t ms = now_ms();", "uint64_t ms = now_ms() < 700 ? 0 : now_ms() - 700;", "TIM-02/from-boot"),
    "runs 5 % fast": ("uint64_t ms = now_ms();", "uint64_t ms = now_ms() * 105 / 100;", "TIM-05/true"),
    "counts 1/1024 s": ("uint64_t ms = now_ms();", "uint64_t ms = now_ms() * 1024 / 1000;", "TIM-05/true"),
    "goes back now and then": ("uint64_t ms = now_ms();", "uint64_t ms = now_ms() + 50 * (tm_count % 40 > 0);", "TIM-05/true"),
}  # fmt: skip


def failing(targets, role, ids):
    """What fails of one case each on live targets, side by side: they mostly wait."""

    def judge(target, id_):
        done = run(open_bench(target, role), select(role, only=[id_]), SuiteRun(target, role, 1, True))
        return [r.case.id for r in done.results if r.verdict is CaseVerdict.FAIL]

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(judge, targets, ids))


def test_each_wrong_transducer_in_c_is_caught(tmp_path):
    targets = [build(tmp_path / str(i), m[:2]) for i, m in enumerate(C_MISTAKES.values())]
    ids = [id_ for _, _, id_ in C_MISTAKES.values()]
    assert failing(targets, "transducer", ids) == [[id_] for id_ in ids]


LIVE = {
    "keeps reports off over a reboot": "RST-03/commanded",
    "counts in one octet": "HKP-06/beyond-an-octet",
    "takes an event for the answer": "POL-04/nothing-else",
    "takes wrong lengths for no noise": "EVT-02/kinds",
}


@pytest.fixture
def served(monkeypatch):
    """Serve live nodes at a socket each, by name; their URLs."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), *sys.path]))
    nodes = []

    def serve(listener, name):
        with listener, listener.accept()[0] as sock:
            nodes.append(
                subprocess.Popen([sys.executable, HERE / "live_node.py", name], stdin=sock, stdout=sock)
            )

    def make(names):
        urls = []
        for name in names:
            listener = socket.create_server(("127.0.0.1", 0))
            threading.Thread(target=serve, args=(listener, name), daemon=True).start()
            urls.append(f"socket://127.0.0.1:{listener.getsockname()[1]}")
        return urls

    yield make
    for node in nodes:
        node.kill()
        node.wait()


@pytest.mark.parametrize("way", ["exec", "socket"])
def test_each_wrong_monitor_is_caught_live(way, served):
    programs = [f"exec:{sys.executable} {HERE / 'live_node.py'} '{name}'" for name in LIVE]
    targets = programs if way == "exec" else served(LIVE)
    assert failing(targets, "monitor", LIVE.values()) == [[id_] for id_ in LIVE.values()]


AFTER_BOOT = "    s.health = SILENT;\n    for (int c"
MEMORY = "    memset(&s, 0, sizeof s);\n"


def kept(save, restore):
    """State that a reboot by function 4 leaves as it was."""
    back = f"    s.health = SILENT;\n    if (cause == 1) {{ {restore} }}\n    for (int c"
    return [(MEMORY, f"    {save}\n{MEMORY}"), (AFTER_BOOT, back)]


C_MONITOR_MISTAKES = {
    "keeps its alarm over a reboot": (kept("Alarm was = s.cabin;", "s.cabin.state = was.state; s.cabin.latched = was.latched;"), "RST-03/commanded"),
    "reports with the boot": ([("    s.hk_ms = s.parameter[HK_PERIOD];", "    s.hk_ms = 0;")], "HKP-02/first"),
    "calls a sensor stuck by its pressure alone": ([(" && temperature == s.temperature;", ";")], "SEN-03/both"),
    "takes a P-field that is no time": ([(" && packet[13] == 0x40", "")], "SEN-13/other-kinds"),
    "lets an acknowledged alarm fall during an inhibit": ([("    if (a->suppressed)\n        return;", "    if (a->suppressed && a->state != ACKNOWLEDGED)\n        return;")], "ALM-07/no-fall"),
    "does not cap what it tells of noise": ([("n < 255 ? n : 255, n,", "n, n,")], "EVT-02/kinds"),
    "tells a negative sigma": ([("put(&p, 0, 4); /* sigma", "put(&p, -5, 4); /* sigma")], "HKP-08/terms"),
}  # fmt: skip


def test_each_wrong_monitor_in_c_is_caught(tmp_path):
    made = enumerate(edits for edits, _ in C_MONITOR_MISTAKES.values())
    targets = [build(tmp_path / str(i), *edits, name="monitor.c") for i, edits in made]
    ids = [id_ for _, id_ in C_MONITOR_MISTAKES.values()]
    assert failing(targets, "monitor", ids) == [[id_] for id_ in ids]


AS_OVER_A_LINE = ["TIM-02/from-boot", "SEQ-01/counts", "RST-06/once", "PAR-07/kept", "FUN-03/reboot"]
"""Cases that boot a monitor by function 4, where the bench cannot start it anew."""


def test_the_right_monitor_boots_over_a_line_as_it_should(served):
    (url,) = served(["right"])
    assert failing([url], "monitor", [",".join(AS_OVER_A_LINE)]) == [[]]
