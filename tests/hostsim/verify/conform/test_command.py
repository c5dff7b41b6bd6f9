"""The command, end to end: reports, exit codes, and targets that are silent, slow, flooding, dying or gone."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import typer
from c_nodes import build
from cobs import cobs
from typer.testing import CliRunner

from cabinwatch.cli import conform as cli
from cabinwatch.errors import CabinwatchError
from cabinwatch.verify.conform import line, live
from cabinwatch.verify.conform.decode import decode
from cabinwatch_firmware.ports.steady import Steady
from cabinwatch_firmware.transducer import Transducer
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

HERE = Path(__file__).parent
app = typer.Typer()
app.command("conform")(cli.conform)
app.command("decode")(cli.decode)


def command(*words):
    done = CliRunner().invoke(app, [str(w) for w in words])
    if isinstance(done.exception, CabinwatchError):
        return done.exception.exit_code, str(done.exception)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def test_list_names_every_requirement_of_the_role():
    code, out = command("conform", "--list", "--role", "monitor")
    assert code == 0
    assert "FRM-02/shared" in out
    assert "VER-11/in-time               SHOULD" in out
    assert "LNK-01" in out
    assert "XDR-" not in out


def test_dry_run_opens_nothing():
    code, out = command("conform", "/dev/none-such", "--dry-run", "--only", "FRM", "--skip", "FRM-13")
    assert code == 0
    assert "cases would be run on /dev/none-such" in out
    assert "FRM-13" not in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("conform", "nowhere"), "no transducer target 'nowhere'"),
        (("conform", "cpython", "--only", "FOO-1"), "no transducer case 'FOO-1'"),
        (("conform", "cpython", "--role", "cook"), "no role 'cook'"),
        (("conform", "cpython", "--only", "FRM-01", "--skip", "FRM"), "no case is left"),
        (("conform", "exec:/none/such"), "cannot run '/none/such': No such file or directory"),
        (("conform", "exec:"), "names no program"),
        (("conform", "socket://127.0.0.1:9"), "cannot open"),
        (("conform", "cpython", "--only", "FRM-01", "--junit", "/none/such/x.xml"), "cannot write"),
        (("decode", "/none/such"), "cannot read"),
    ],
)
def test_wrong_words(words, said):
    code, out = command(*words)
    assert code == 2
    assert said in out


def served(*words):
    """The command as a process."""
    return subprocess.Popen(
        [sys.executable, "-m", "cabinwatch", *map(str, words)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
    )


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """Write a Python program that wraps a node gone wrong; its exec: target."""
    folder = tmp_path_factory.mktemp("targets")

    def make(name, body):
        path = folder / f"{name}.py"
        head = "import os, sys, time\nread, write = lambda: os.read(0, 99), lambda b: os.write(1, b)\n"
        path.write_text(head + textwrap.dedent(body))
        return f"exec:{sys.executable} {path}"

    return make


NODE = """
    sys.path[:0] = {root!r}
    from cabinwatch_firmware.transducer import Transducer
    from cabinwatch_firmware.ports.steady import Steady
    node = Transducer(lambda buf, n: write(bytes(buf[:n])), Steady())
    node.boot(0)
    then = time.monotonic()
    count = 0
    while data := read():
        for i in range(0, len(data), 48):
            ms = int(1000 * (time.monotonic() - then))
            then += ms / 1000
            count += 1
            {mishap}
            node.step(ms, data[i:i + 48], len(data[i:i + 48]))
"""


def node(mishap):
    return NODE.format(root=sys.path, mishap=mishap)


def run_limited(*words, limit_s=300):
    begin = time.monotonic()
    found = command(*words)
    assert time.monotonic() - begin < limit_s
    return found


@pytest.mark.usefixtures("impatient")
def test_silent_target(program):
    code, out = run_limited("conform", program("silent", "while read():\n    pass\n"))
    assert code == 2
    assert "nothing came from exec:" in out


@pytest.mark.usefixtures("impatient")
def test_babbling_target(program):
    code, out = run_limited(
        "conform", program("babble", "write(b'login: ')\nwhile read():\n    write(b'?')\n")
    )
    assert code == 2
    assert "no answer to a ping of APID 0a2" in out
    assert "6c 6f 67 69 6e" in out


def test_flooding_target(program):
    body = "while True:\n    write(b'\\x01\\x02\\x00' * 1000)\n"
    code, out = run_limited("conform", program("flood", body))
    assert code in (1, 2, 3)
    assert "flood" in out


def test_target_that_floods_later(program, tmp_path):
    body = node("count < 60 or [write(bytes((1, 2, 0)) * 1000) for _ in range(60)]")
    code, out = run_limited(
        "conform", program("flood_later", body), "--only", "FRM-13/noise", "--timeout", 10
    )
    assert code == 1
    assert "floods the line" in out


def test_target_that_dies_at_once(program):
    code, out = run_limited("conform", program("dead", "sys.exit('out of memory')\n"))
    assert code == 2
    assert "ended with code 1" in out
    assert "out of memory" in out


def test_target_that_dies_in_the_middle(program, tmp_path):
    """It is started again for each case; the report says where it died and what it said."""
    body = node("count < 40 or sys.exit('stack overflow')")
    words = ("--only", "FRM-0", "--only", "FRM-13/noise", "--json", tmp_path / "r.json")
    code, out = run_limited("conform", program("dies", body), *words)
    data = json.loads((tmp_path / "r.json").read_text())
    verdicts = {c["id"]: c["verdict"] for c in data["cases"]}
    assert code == 1
    assert verdicts["FRM-13/noise"] == "fail"
    assert verdicts["FRM-02/shared"] == "pass"
    assert "stack overflow" in out


def test_a_target_without_boot_event_is_judged_in_all_else(program):
    body = (
        node("pass")
        .replace("node.boot(0)", "count = -1; node.boot(0)")
        .replace("lambda buf, n: write(", "lambda buf, n: count < 0 or write(")
    )
    code, out = run_limited("conform", program("shy", body), "--only", "RST-01", "--only", "VER-01")
    assert code == 1
    assert "expected: TM[5,1] boot first\n  got:      nothing" in out
    assert "1 passed, 1 failed" in out


@pytest.fixture
def server():
    """Serve a right transducer at a socket, until ``ends`` of the number of octets that came says so; its URL."""
    threads = []

    def serve(listener, ends):
        sock, _ = listener.accept()
        with listener, sock:
            node = Transducer(lambda buf, n: sock.sendall(buf[:n]), Steady())
            node.boot(0)
            came = 0
            while (data := sock.recv(48)) and not ends(came := came + len(data)):
                node.step(1, data, len(data))

    def make(ends):
        listener = socket.create_server(("127.0.0.1", 0))
        threads.append(threading.Thread(target=serve, args=(listener, ends)))
        threads[-1].start()
        return f"socket://127.0.0.1:{listener.getsockname()[1]}"

    yield make
    for thread in threads:
        thread.join(10)


def test_a_line_that_is_cut_ends_the_run(server, tmp_path):
    url = server(lambda came: came > 2000)
    code, out = run_limited("conform", url, "--only", "FRM", "--json", tmp_path / "r.json")
    verdicts = [c["verdict"] for c in json.loads((tmp_path / "r.json").read_text())["cases"]]
    assert code == 3
    assert verdicts == sorted(verdicts, key=["pass", "fail", "not run"].index)
    assert verdicts.count("pass") > verdicts.count("fail") == 1 < verdicts.count("not run")
    assert "is gone" in out
    assert "nobody listens there" in out


def test_a_line_that_falls_silent_ends_the_run(server, monkeypatch):
    monkeypatch.setattr(live, "PATIENCE_S", 0.6)
    judged = threading.Event()
    code, out = run_limited(
        "conform", server(lambda came: came > 2000 and judged.wait(60)), "--only", "FRM-1"
    )
    judged.set()
    assert code == 3
    assert "has fallen silent: no answer to a ping" in out
    assert "was given up: socket://" in out


def test_the_true_values_are_compared_where_they_are_known(tmp_path):
    right = build(tmp_path)
    for state, wanted in (
        ("101325 Pa 295 K", 0),
        ("1013 hPa 22 C", 0),
        ("95 kPa 295 K", 1),
        ("101325 Pa 310 K", 1),
    ):
        assert command("conform", right, "--only", "XDR-06/ref", "--reference", state)[0] == wanted, state
    code, out = command("conform", right, "--reference", "101325")
    assert (code, 'such as "101325 Pa 295 K"' in out) == (2, True)


def test_a_node_that_closes_its_input_is_told_so(program):
    code, out = run_limited("conform", program("deaf", "os.close(0)\ntime.sleep(60)\n"), "--only", "TST")
    assert code == 2
    assert "closed its input and runs on" in out


def test_a_node_that_is_slow_to_answer_is_given_its_time(tmp_path):
    """200 ms before each answer: slow, not wrong, for every must; and it is said how long it will take."""
    late = (
        "    int failure = acceptable(tc, n);",
        "    nanosleep(&(struct timespec){0, 200000000}, NULL);\n    int failure = acceptable(tc, n);",
    )
    target = build(tmp_path, late)
    code, out = run_limited("conform", target, "--only", "FRM-13/cut,VER-11,XDR-01", "--timeout", 2)
    assert code == 0, out
    assert "a question takes 2" in out
    assert "should   VER-11/in-time" in out


@pytest.mark.usefixtures("impatient")
def test_a_node_that_starts_slowly_has_no_mistake(tmp_path):
    """It answers all that was tried meanwhile at once, in whatever way that was said."""
    late = (
        "    boot_event();\n",
        "    nanosleep(&(struct timespec){2, 800000000}, NULL);\n    boot_event();\n",
    )
    code, out = command("conform", build(tmp_path, late), "--only", "TST-01")
    assert code == 0, out
    assert "first-frames" not in out


def test_a_slow_line_is_slow_and_not_wrong(tmp_path):
    """250 octets a second, both ways."""
    wait = "nanosleep(&(struct timespec){0, 4000000}, NULL)"
    inward = ("read(STDIN_FILENO, in, sizeof in)) > 0", f"read(STDIN_FILENO, in, 1)) > 0 && {wait} == 0")
    outward = (
        "write(STDOUT_FILENO, frame + done, out - done)",
        f"{wait} + write(STDOUT_FILENO, frame + done, 1)",
    )
    code, out = run_limited("conform", build(tmp_path, inward, outward), "--only", "TST-01,FRM-14")
    assert code == 0, out
    assert "2 passed, 0 failed" in out


def test_slow_target_is_retried_visibly(program):
    """Slower than its first answers were: fails by time alone, is tried once more, and the report says so."""
    body = node("count < 30 or time.sleep(3)")
    words = ("--only", "FRM-04/any-chunks", "--timeout", 8)
    code, out = run_limited("conform", program("slow", body), *words)
    assert code == 1
    assert "tried again" in out
    assert "by time alone" in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_end_from_outside_still_writes_the_reports(number, program, tmp_path):
    target = program("right", node("pass"))
    words = [
        "--only",
        "SEQ-01",
        "--only",
        "SEQ-02",
        "--json",
        tmp_path / "r.json",
        "--junit",
        tmp_path / "r.xml",
    ]
    with served("conform", target, *words) as process:
        assert b"pass     SEQ-01" in process.stdout.readline()
        process.send_signal(number)
        out, _ = process.communicate(timeout=120)
    data = json.loads((tmp_path / "r.json").read_text())
    assert process.returncode == data["exit_code"] == 130
    assert data["interrupted"]
    assert [c["verdict"] for c in data["cases"]] == ["pass", "not run"]
    assert ET.parse(tmp_path / "r.xml").getroot().tag == "testsuite"
    assert b"1 not run (interrupted)" in out


# -- decode

PING = next(p for p in t.TC_PACKETS if p.name == "ping")
ALIVE = next(p for p in t.TM_PACKETS if p.name == "alive")


def alive(count):
    return host.seal(host.encode_tm(ALIVE, t.Apid.MONITOR, count, 0, 1500, {}))


def test_decode_shows_packets_and_names_the_damage():
    frame = host.seal(host.encode_tc(PING, t.Apid.MONITOR, 3))
    packet = host.judge(frame[1:-1]).packet
    wrong = bytearray(frame)
    wrong[-2] ^= 1
    appended = b"\0" + cobs.encode(packet + b"\0") + b"\0"
    capture = (
        alive(1)
        + b"MicroPython"
        + frame
        + bytes(wrong)
        + appended
        + b"\x55" * 70
        + b"\0"
        + alive(4)
        + frame[:7]
    )
    text = "\n".join(decode(capture))
    for said in (
        "TM[17,2] alive",
        "TC[17,1] ping",
        "wrong CRC",
        "1 zero octets appended to a packet of 13",
        "over-long",
        "2 packets of the monitor missing",
        "6 octets at the end without closing 00",
        "3 packets, 4 damaged frames",
    ):
        assert said in text, said


def test_decode_takes_hex_raw_and_our_recording(tmp_path):
    from cabinwatch.run.transcript import Recorder, Step

    raw = alive(1) + alive(2)
    (tmp_path / "raw").write_bytes(raw)
    (tmp_path / "hex").write_text(raw.hex(" ") + "\n")
    recorder = Recorder(tmp_path / "recording", {"scenario": "x"})
    recorder.add(Step(1000, host.seal(host.encode_tc(PING, t.Apid.MONITOR, 3)), raw, 5))
    recorder.close()
    for name, packets in (("raw", 2), ("hex", 2), ("recording", 3)):
        code, out = command("decode", tmp_path / name)
        assert code == 0, out
        assert f"{packets} packets, 0 damaged frames" in out


@pytest.mark.parametrize("form", ["raw", "hex", "table", "page"])
def test_decode_says_of_text_that_it_is_text(tmp_path, capsys, form):
    path = tmp_path / form
    octets = {
        "raw": alive(1),
        "hex": alive(1).hex().encode(),
        "table": b"t,p\n0,\xc2\xb5\n",
        "page": b"<html>\r\n",
    }
    path.write_bytes(octets[form])
    with pytest.raises(typer.Exit) as end:
        cli.decode(str(path), 115_200, None, None, None, None)
    is_text = form in ("table", "page")
    assert end.value.exit_code == is_text
    assert ("is text, not packets" in capsys.readouterr().err) == is_text


def test_decode_of_a_cut_recording_says_so(tmp_path):
    from cabinwatch.run.transcript import Recorder, Step

    path = tmp_path / "recording"
    recorder = Recorder(path)
    recorder.add(Step(1000, b"", alive(1), 5))
    recorder.add(Step(2000, b"", alive(2), 5))
    recorder.close()
    path.write_bytes(path.read_bytes()[:-20])
    code, out = command("decode", path)
    assert code == 1
    assert "ends in mid-line" in out


def test_decode_of_a_line_goes_on_to_its_end(monkeypatch):
    opened, open_port = threading.Event(), line.open_port

    def open_and_tell(*words):
        port = open_port(*words)  # which throws away what is there already
        opened.set()
        return port

    monkeypatch.setattr(line, "open_port", open_and_tell)
    frame = alive(7)
    capture = alive(1) + b"login: \0" + alive(4) + frame[:5]
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:

        def serve():
            with listener.accept()[0] as sock:
                opened.wait(10)
                for octet in capture:
                    sock.sendall(bytes((octet,)))

        serving = pool.submit(serve)
        code, out = command("decode", f"socket://127.0.0.1:{listener.getsockname()[1]}")
        serving.result()
    assert code == 1
    assert [line for line in out.splitlines() if "-- socket://" not in line] == list(decode(capture))
    assert "is gone" in out


@pytest.mark.skipif(sys.platform == "win32", reason="has no pty")
def test_decode_of_a_port_goes_on_until_ctrl_c():
    import tty

    ours, theirs = os.openpty()
    tty.setraw(theirs)
    with served("decode", os.ttyname(theirs)) as process:
        # What is there already when the port is opened, pyserial throws away: so until something is shown.
        count = 0
        while not select.select([process.stdout], [], [], 0.05)[0]:
            os.write(ours, alive(count := count + 1))
        os.write(ours, b"\x11\x22\0" + alive(9000))
        while b"#9000 " not in (line := process.stdout.readline()):
            assert line
        process.send_signal(signal.SIGINT)
        out = process.stdout.read()
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 130
    assert b" 0 damaged frames" not in out


@pytest.fixture
def pytest_run(tmp_path):
    """Run pytest with the plugin in an empty folder."""
    # Where the package is installed, pytest has the plugin already; from a bare checkout it has to be named.
    installed = any(e.name == "cabinwatch-conform" for e in entry_points(group="pytest11"))
    head = [] if installed else ["-p", "cabinwatch.kit.conform_plugin"]

    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "pytest", *head, *words, "-q", "-rs", "--rootdir", tmp_path, tmp_path],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True, text=True, cwd=tmp_path,
        )  # fmt: skip

    return run


def test_plugin_runs_the_cases_in_a_test_run(pytest_run):
    done = pytest_run("--cabin-conform", "cpython", "--cabin-role", "monitor", "-k", "VER or first-frames")
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_plugin_has_one_error_for_a_program_that_is_not_there(pytest_run):
    done = pytest_run("--cabin-conform", "exec:/none/such")
    assert "1 failed, " in done.stdout
    assert "cannot run '/none/such'" in done.stdout
    assert "Traceback" not in done.stdout


def test_plugin_says_what_is_wrong_with_the_first_frames(pytest_run, tmp_path):
    wrong = build(tmp_path, ("uint16_t r = 0xFFFF;", "uint16_t r = 0x1D0F;"))
    done = pytest_run("--cabin-conform", wrong, "-k", "first-frames or PEC-01 or TST-01", "--maxfail", "2")
    assert "CRC is 1D0F-preset" in done.stdout
    assert "1 failed, 1 passed, 1 skipped" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [(["-n", "2"], "add --dist loadfile"), (["-n", "2", "--dist", "loadfile"], "4 passed")],
)
def test_plugin_gives_one_node_to_one_worker_or_refuses(words, said, program, pytest_run, tmp_path):
    """The node bears no second one of its kind at a time."""
    lock = (
        f"import fcntl\nfcntl.flock(os.open({str(tmp_path)!r}, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
    )
    alone = program("alone", lock + textwrap.dedent(node("pass")))
    done = pytest_run("--cabin-conform", alone, "-k", "TST-01 or FRM-01 or FRM-05 or FRM-06", *words)
    assert said in done.stdout + done.stderr
    assert len((done.stdout + done.stderr).splitlines()) < 12


def test_the_plugin_loads_no_suite_where_none_is_asked_for(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import sys\n\ndef test_it():\n    assert 'cabinwatch.kit.conform_plugin' in sys.modules\n"
        "    assert not {'cabinwatch.verify.conform.case', 'pydantic', 'cobs'} & set(sys.modules)\n"
    )
    environment = {
        **os.environ,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "cabinwatch.kit.conform_plugin", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr
