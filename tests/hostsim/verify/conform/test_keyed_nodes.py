"""The cases of keyed nodes: each of ours passes them all, each wrong one fails at its own; in lock-step and live."""

import os
import random
import selectors
import subprocess
import sys
import threading

import pytest
from c_nodes import FLAGS, build

import cabinwatch_firmware.keyed as firmware
import cabinwatch_firmware.keyed_monitor as monitor
from cabinwatch import key_file
from cabinwatch.errors import UsageError
from cabinwatch.sources import import_path
from cabinwatch.targets import device
from cabinwatch.verify.conform.case import CASES
from cabinwatch.verify.conform.runner import CaseVerdict, SuiteRun, run, select
from cabinwatch.verify.conform.targets import open_bench
from cabinwatch_protocol import host, keyed, keys
from cabinwatch_protocol import table as t
from cabinwatch_protocol.device.consts import FAIL_COUNTER, FAIL_LENGTH, FAIL_TAG, TC_VERSION_AT
from keyed_peer import MASTER, OTHER, KeyedBench


def judged(target, role, only=()):
    done = SuiteRun(target, role, 1, False)
    run(open_bench(target, role, master=MASTER), select(role, only, keyed=True), done, lambda result: None)
    assert done.results
    return {r.case.id: r.verdict for r in done.results}


def failed(target, role, only=()):
    return {id_ for id_, verdict in judged(target, role, only).items() if verdict is not CaseVerdict.PASS}


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


def drawing(draw):
    """Draws sessions by the number of the boot."""

    def make(forget):
        boots = iter(range(1, 100))

        def badly(node):
            forget(node)
            node.vault[:8] = draw(next(boots)).to_bytes(8, "big")

        return badly

    return replaced(monitor, "forget", make)


def loud(refuse):
    def tell(node, code):
        node.quiet_ms = 0
        refuse(node, code)

    return tell


def bare_pass(judge):
    """Obeys without a trailer from the first accepted command on."""

    def careless(node, code):
        judged = judge(node, code)
        return 0 if node.guarded and code == FAIL_LENGTH and node.counter else judged

    return careless


def all_counted(judge):
    """Counts what it refuses for another reason as well."""

    def busy(node, code):
        judged = judge(node, code)
        if judged and not node.guarded:
            firmware.refuse(node, judged)
        return judged

    return busy


def unflagged_pass(holds):
    """Takes any tag where nobody asks for a verdict."""
    return lambda n, k, s: holds(n, k, s) or not n.frame.buf[TC_VERSION_AT] & 9


GOOD = [random.Random(18).getrandbits(32) for _ in range(100)]
"""Draws of four octets that nothing foretells."""
WRONG = {
    "a trailer is needed once": (replaced(monitor, "judge", bare_pass), "KEY-02/bare"),
    "no tag is checked without flags": (replaced(firmware, "holds", unflagged_pass), "KEY-03/forged"),
    "every refusal is counted": (replaced(monitor, "judge", all_counted), "KEY-09/count"),
    "what was accepted passes again": (replaced(firmware, "judge_tag", counters_pass), "KEY-04/played-again"),
    "no tag is checked": (replaced(firmware, "holds", lambda _: lambda n, k, s: True), "KEY-03/wrong-tag"),
    "half a tag is checked": (replaced(firmware, "holds", first_octets), "KEY-03/wrong-tag"),
    "a counter may leap": (replaced(firmware, "COUNTER_LEAP", lambda _: 1 << 30), "KEY-04/future"),
    "no counter is checked": (replaced(firmware, "judge_tag", counters_pass), "KEY-04/old"),
    "the session stays": (replaced(monitor, "forget", once_drawn), "KEY-06/reset"),
    "sessions count": (
        drawing(lambda boot: 0xA1B2C3D4E5F60708 + 0x0123456789ABCDEF * boot),
        "KEY-01/session",
    ),
    "half a session is a clock": (
        drawing(lambda boot: GOOD[boot] << 32 | 0x9E3779B1 * boot % (1 << 32)),
        "KEY-01/session",
    ),
    "sessions of a congruential generator": (
        drawing(lambda boot: (pow(0x5DEECE66D, boot, 1 << 64) * 0xB5026F5AA96619E9 + 11) % (1 << 64)),
        "KEY-01/session",
    ),
    "an octet of a session is a serial number": (drawing(lambda boot: GOOD[boot] << 8 | 5), "KEY-01/session"),
    "functions are open": (
        replaced(firmware, "is_guarded", lambda was: lambda b: b[8] != 8 and was(b)),
        "KEY-02/guarded",
    ),
    "refusals are told too often": (replaced(firmware, "TELL_MS", lambda was: was - 100), "KEY-09/told"),
    "refusals are told too seldom": (replaced(firmware, "TELL_MS", lambda was: was + 100), "KEY-09/told"),
    "nothing is told": (replaced(monitor, "tell", lambda _: lambda node: None), "KEY-08/event"),
    "each refusal is told": (replaced(firmware, "refuse", loud), "KEY-09/told"),
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


# -- a node written from SPEC.md alone, in C


@pytest.fixture
def node_keys(tmp_path):
    """The file that the C node reads, as `keygen --of` writes it."""
    path = tmp_path / "transducer.key"
    key_file.write_node(path, MASTER, "transducer")
    return path


def test_a_keyed_transducer_in_c_conforms(tmp_path, node_keys):
    assert not failed(f"{build(tmp_path / 'c', flags=FLAGS)} {node_keys}", "transducer")


C_MISTAKES = {
    "KEY-01/session": ("fread(session, 1, sizeof session, f)", "fread(session, 1, 0, f) + 8"),
    "KEY-02/guarded": ("keyed && tc[7] == 20 && tc[8] == 3", "keyed && tc[7] == 20 && tc[8] == 4"),
    "KEY-03/wrong-tag": ("        differ |= tag[i]", "        differ = tag[i]"),
    "KEY-03/association": ("|| trailer[0] != COMMAND", "|| trailer[0] > 4"),
    "KEY-04/old": ("its < counter || its - counter > LEAP", "(its > counter && its - counter > LEAP)"),
    "KEY-04/future": (" || its - counter > LEAP", ""),
    "KEY-07/again": ("    *again = its == counter;", "    *again = false && its == counter;"),
    "KEY-08/event": ("(uint8_t)(128 + tc[12])", "tc[12]"),
    "KEY-09/told": ("told_ms == 0 || ms - told_ms >= TELL_MS", "told_ms < ms"),
    "KEY-14/answer": ("sign(tag, keys + 16, p", "sign(tag, keys, p"),
}
LENGTH = "    if (n != TC_OVERHEAD + 6 + COMMAND_TRAILER || trailer[0] != COMMAND)\n"
JUDGED = "    sign(tag, keys, tc, (size_t)(trailer + 5 - tc), session);\n"
DIFFERS = "    if (differ)\n"
SUMMED = "        differ |= tag[i] ^ trailer[5 + i];"
ACCEPTED = "    memcpy(last_tag, tag, 8);\n"
POLLED = "n == TC_OVERHEAD + 2 + POLL_TRAILER && trailer[0] == ANSWER"


def bare_where(condition):
    """Obeys without trailer where that holds."""
    return LENGTH, f"    if (n == TC_OVERHEAD + 6 && ({condition}))\n        return 0;\n{LENGTH}"


def good_where(condition):
    """Takes any tag where that holds."""
    return DIFFERS, f"    if (differ && !({condition}))\n"


C_FORGERS = [
    ("KEY-02/bare", bare_where("counter")),
    ("KEY-02/bare", bare_where("counter && !(tc[6] & 9)")),
    ("KEY-02/bare", bare_where("now_ms() > 3000")),
    ("KEY-02/bare", bare_where("refused > 40")),
    ("KEY-02/bare", bare_where("tc[11] != 1")),
    ("KEY-02/bare", bare_where("tc[12]")),
    ("KEY-02/bare", bare_where("get(tc + 13, 4) == 0")),
    ("KEY-02/open", (POLLED, "n == TC_OVERHEAD + 2 + POLL_TRAILER")),
    (
        "KEY-02/open",
        ("tc[8] != 1 ? BAD_SUBTYPE : n != TC_OVERHEAD ? BAD_LENGTH : 0", "tc[8] != 1 ? BAD_SUBTYPE : 0"),
    ),
    (
        "KEY-03/truncated",
        ("n != TC_OVERHEAD + 6 + COMMAND_TRAILER", "n < TC_OVERHEAD + 6 + COMMAND_TRAILER"),
    ),
    ("KEY-03/wrong-tag", good_where("refused > 60")),
    ("KEY-03/wrong-tag", (SUMMED, "        differ |= (tag[i] ^ trailer[5 + i]) & (i == 4 ? 0xEF : 0xFF);")),
    ("KEY-03/forged", (SUMMED, "        differ ^= tag[i] ^ trailer[5 + i];")),
    ("KEY-03/forged", (SUMMED, "        differ += tag[i] - trailer[5 + i];")),
    ("KEY-03/forged", good_where("!(tc[6] & 9)")),
    ("KEY-03/forged", good_where("its == counter + LEAP")),
    ("KEY-03/forged", good_where("get(tc + 13, 4) == 0")),
    ("KEY-03/forged", good_where("get(trailer + 5, 4) == 0")),
    ("KEY-03/forged", good_where("counter && memcmp(trailer + 5, last_tag, 8) == 0")),
    ("KEY-04/order", (DIFFERS, "    if (differ && its == counter)\n        return BAD_COUNTER;\n" + DIFFERS)),
    ("KEY-07/double", ("    if (!keyed)\n        again =", "    if (!again)\n        again =")),
    ("KEY-08/event", ("!again && !failure)", "!again && !failure && (tc[6] & COMPLETION))")),
    (
        "KEY-08/event",
        ("get(tc + 9, 2));\n    if (failure)", "(uint32_t)(int16_t)get(tc + 9, 2));\n    if (failure)"),
    ),
    ("KEY-09/count", ("static uint16_t refused", "static uint8_t refused")),
    ("KEY-09/told", ("event(REFUSED, (uint8_t)failure, refused)", "event(REFUSED, BAD_TAG, refused)")),
    ("KEY-14/answer", ("has ? trailer", "has && !(tc[6] & 9) ? trailer")),
]
"""Nodes that take one forgery, or say one thing wrong: the case that tells, and the edit."""


def test_each_wrong_one_in_c_fails_at_its_case(tmp_path, node_keys):
    for i, (case, edit) in enumerate([*C_MISTAKES.items(), *C_FORGERS]):
        wrong = f"{build(tmp_path / str(i), edit)} {node_keys}"
        assert failed(wrong, "transducer", [case]) == {case}, edit


def accepted_before(tmp_path):
    """A node in C that executes what it accepted two commands ago."""
    two = "static uint8_t older_tag[8];\n\n/* The failure code of a guarded"
    return build(
        tmp_path,
        ("/* The failure code of a guarded", two),
        (
            "    uint32_t its = get(trailer + 1, 4);\n",
            "    uint32_t its = get(trailer + 1, 4);\n"
            "    if (its < counter && memcmp(older_tag, trailer + 5, 8) == 0)\n"
            "        return 0;\n",
        ),
        (ACCEPTED, "    memcpy(older_tag, last_tag, 8);\n" + ACCEPTED),
    )


def test_one_that_remembers_what_it_accepted_before_the_last_fails(tmp_path, node_keys):
    wrong = f"{accepted_before(tmp_path / 'two')} {node_keys}"
    assert failed(wrong, "transducer", ["KEY-04"]) == {"KEY-04/played-again"}


def said(target, only, master=None):
    """All that failed cases say, and what they have in common."""
    done = SuiteRun(target, "transducer", 1, False)
    bench = open_bench(target, "transducer", master=master)
    run(bench, select("transducer", only, keyed=master is not None), done)
    return " ".join([*(r.got for r in done.failed), done.hint])


SIGNED_AS = {
    "keys swapped": ("sign(tag, keys, tc", "sign(tag, keys + 16, tc"),
    "without the trailer": ("(size_t)(trailer + 5 - tc)", "(size_t)(trailer - tc)"),
    "big-endian": ("result >> 8 * i", "result >> 8 * (7 - i)"),
    "session or challenge first": (
        "memcpy(m, packet, n);\n    memcpy(m + n, unsent, 8);",
        "memcpy(m + 8, packet, n);\n    memcpy(m, unsent, 8);",
    ),
}


def test_a_common_mistake_in_a_tag_is_named(tmp_path, node_keys):
    for i, (name, edit) in enumerate(SIGNED_AS.items()):
        wrong = f"{build(tmp_path / str(i), edit)} {node_keys}"
        assert name in said(wrong, ["KEY-02/right"], MASTER)
    assert "big-endian" in said(
        f"{build(tmp_path / 'b', SIGNED_AS['big-endian'])} {node_keys}", ["KEY-14/answer"], MASTER
    )


def test_a_node_with_the_keys_of_another_is_told_whose_they_are(tmp_path):
    node = build(tmp_path / "c")
    for owner, role, words in (
        (MASTER, "analyser", "of the owner's analyser: it was given that one's keys"),
        (OTHER, "transducer", "or the node holds another owner's keys"),
    ):
        keys_of = tmp_path / f"{role}.key"
        key_file.write_node(keys_of, owner, role)
        assert words in said(f"{node} {keys_of}", ["KEY-02/right"], MASTER)


def test_it_is_told_where_the_key_is_missing_or_one_too_many(tmp_path, node_keys):
    node = build(tmp_path / "c")
    assert "seems keyed" in said(f"{node} {node_keys}", ["PAR-03"])
    assert "it holds no key" in said(node, ["KEY-01", "KEY-14/answer"], MASTER)


def test_the_key_chooses_the_list():
    with pytest.raises(UsageError, match="give --key"):
        select("transducer", ["KEY-03"])
    with pytest.raises(UsageError, match="leave --key out"):
        select("transducer", ["FRM"], keyed=True)


def test_a_node_that_keeps_its_parameters_begins_each_case_with_defaults(tmp_path):
    """PAR-07 holds for it then, and PAR-02 for nothing that was stored."""
    kept = tmp_path / "kept"
    file = f'FILE *f = fopen("{kept}", '
    keeps = build(
        tmp_path / "c",
        ("    put(&p, 0x0200, 4); /* version 0.2.0 */", "    put(&p, stored << 24 | 0x0200, 4);"),
        (
            "    boot_event();\n    while",
            f'    {file}"rb");\n    stored = f && fread(&offset_cPa, 4, 1, f);\n    boot_event();\n    while',
        ),
        ("static void boot_event(void)", "static uint32_t stored;\n\nstatic void boot_event(void)"),
        (
            "        offset_cPa = value;",
            f'        offset_cPa = value;\n        {file}"wb");\n        fwrite(&value, 4, 1, f);\n        fclose(f);',
        ),
    )
    for only in ("PAR-02/defaults", "PAR-07/kept"):
        assert not said(keeps, [only])
    assert kept.exists()


def test_without_its_keys_it_does_not_run(tmp_path):
    program = build(tmp_path / "c").removeprefix("exec:")
    done = subprocess.run([program, tmp_path / "none"], capture_output=True, timeout=5, check=False)
    assert done.returncode == 2
    assert not done.stdout


def test_tags_sessions_and_challenges_are_shown_as_their_octets():
    poll = next(p for p in t.TC_PACKETS if p.name == "report_hk")
    head = keys.add_challenge(host.encode_tc(poll, t.Apid.TRANSDUCER, 1), bytes(range(8)))
    packet = head + host.crc16(head).to_bytes(2, "big")
    assert host.decode(packet).text().endswith("challenge=00 01 02 03 04 05 06 07")


def as_sent(poll):
    """A poll with its challenge, without PEC."""
    head = host.encode_tc(poll.packet, t.Apid.TRANSDUCER, poll.sequence, poll.values, ack=0, source=poll.peer)
    return keys.add_challenge(head, poll.trailer["challenge"].to_bytes(8, "big"))


def say(node, frame, answers):
    """What a program answers to a frame, up to so many packets."""
    node.stdin.write(frame)
    heard, decoder = [], host.StreamDecoder()
    with selectors.DefaultSelector() as ready:
        ready.register(node.stdout, selectors.EVENT_READ)
        while len(heard) < answers:
            assert ready.select(5), "no answer"
            heard += [f.packet for f in decoder.feed(os.read(node.stdout.fileno(), 4096))]
    return heard


@pytest.mark.parametrize(("owner", "health"), [(MASTER, t.Health.OK), (OTHER, t.Health.SILENT)])
def test_our_monitor_believes_the_one_in_c_that_has_its_owners_key(tmp_path, owner, health):
    path = tmp_path / "its.key"
    key_file.write_node(path, owner, "transducer")
    program = build(tmp_path / "c").removeprefix("exec:")
    with subprocess.Popen([program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as node:
        say(node, b"", 1)
        b = KeyedBench()
        poll = b.poll()
        (sample,) = say(node, host.seal(as_sent(poll)), 1)
        b.step(5, host.seal(sample[:-2]))
        node.stdin.close()
    assert b.node.health == health
    assert b.node.refused == bool(health)


# -- live


@pytest.fixture
def owner(tmp_path):
    path = tmp_path / "owner.key"
    path.touch(mode=0o600)
    path.write_text(MASTER.octets.hex())
    return path


@pytest.fixture
def at_a_socket(owner):
    """`device --key` in a process of its own; its URL."""
    words = ["device", "--target", "cpython", "--tcp", "0", "--key", owner]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-m", "cabinwatch", *words], env=environment, stdout=subprocess.PIPE, text=True
    ) as node:
        yield node.stdout.readline().strip()
        node.kill()


def serve(monitor_key):
    """A keyed monitor at a socket, for one connection; its URL."""
    with device.listener(0) as sock:
        url = f"socket://127.0.0.1:{sock.getsockname()[1]}"
        ours = sock.dup()

    def accept():
        with ours, ours.accept()[0] as line:
            device.serve_cpython(line.fileno(), monitor_key)

    threading.Thread(target=accept, daemon=True).start()
    return url


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [({}, "pass"), ({"TELL_MS": 50_000}, "fail"), ({"TELL_MS": 70_000}, "fail")],
    ids=["right", "often", "seldom"],
)
def test_live_the_minute_between_two_refused_events_is_judged_where_time_is_given(
    changes, verdict, monkeypatch
):
    for name, value in changes.items():
        monkeypatch.setattr(firmware, name, value)
    b = open_bench("cpython", "monitor", master=MASTER)
    b.emulated, b.thorough = False, True  # as on a line, in virtual time
    done = SuiteRun("cpython", "monitor", 1, False)
    run(b, select("monitor", ["KEY-09/told"], keyed=True), done, lambda result: None)
    assert [r.verdict.value for r in done.results] == [verdict]


STORED_SESSION = """
import os, sys
from cabinwatch_firmware.ports import key_file, stdio
def draw(vault):
    try:
        vault[:8] = open("session", "rb").read()
    except OSError:
        key_draw(vault)
        with open("session", "wb") as f:
            f.write(vault[:8])
key_draw = key_file.draw
if sys.argv[2] == "wrong":
    key_file.draw = draw
stdio.main()
"""
"""A monitor that keeps parameters in files, and where it is "wrong" its session, too."""


@pytest.mark.parametrize(("how", "fails"), [("right", set()), ("wrong", {"KEY-01/session", "KEY-06/reset"})])
def test_a_program_that_keeps_parameters_over_a_reset_must_keep_no_session(how, fails, tmp_path, vm):
    key_file.write_node(tmp_path / "monitor.key", MASTER, "monitor")
    (tmp_path / "node.py").write_text(STORED_SESSION)
    node = f"exec:sh -c 'cd {tmp_path} && MICROPYPATH={import_path()} exec {vm} node.py kept {how}'"
    assert failed(node, "monitor", ["KEY-01", "KEY-06"]) == fails
    assert any(path.name.startswith("kept.") for path in tmp_path.iterdir())


RESETS = {"KEY-01/session", "KEY-06/reset", "KEY-09/told", "KEY-10/early", "KEY-11/challenge"}
"""Cases that reset the node."""


def test_a_keyed_monitor_on_a_line_is_judged_without_resets(at_a_socket):
    verdicts = judged(at_a_socket, "monitor")
    assert {id_ for id_, verdict in verdicts.items() if verdict is CaseVerdict.SKIP} == RESETS
    assert CaseVerdict.FAIL not in verdicts.values()


def test_and_with_resets_where_it_allows_them(monkeypatch):
    monkeypatch.setattr(monitor, "EARLY_MS", 0)
    monkeypatch.setattr(keyed, "EARLY_MS", 0)
    only = sorted(RESETS - {"KEY-10/early", "KEY-11/challenge"})
    assert not failed(serve(MASTER.of_monitor()), "monitor", only)


def test_a_monitor_with_another_key_fails_live():
    assert failed(serve(OTHER.of_monitor()), "monitor", ["KEY-02/right"]) == {"KEY-02/right"}
