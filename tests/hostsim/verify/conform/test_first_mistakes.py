"""The first mistakes of a first node, live: each has its own sentence and its requirement, and the rest is judged."""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from c_nodes import HERE, build
from hypothesis import given
from hypothesis import strategies as st
from test_command import command

from cabinwatch.verify.conform import dialect as d
from cabinwatch.verify.conform.runner import CaseVerdict, SuiteRun, run, select
from cabinwatch.verify.conform.targets import open_bench
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

# ruff: noqa: E501 - one mistake a line
CRC_OF = "    put(p, crc(p->octet, p->n), 2);"
LENGTH = "(uint8_t)(p->n + 2 - 7)"
PRESET = "uint16_t r = 0xFFFF;"
CHECK = "if (crc(packet, n) != 0)"
READ = "while ((n = read(STDIN_FILENO, in, sizeof in)) > 0) {"
WRITE = "        ssize_t k = write(STDOUT_FILENO, frame + done, out - done);"
VERSION = "    put(&p, 0x20, 1);"
BACK = "if (get(packet + n - 2, 2) != (crc(packet, n - 2) {} & 0xFFFF))"
UTF8_OUT = """        uint8_t two[2] = {frame[done] < 0x80 ? frame[done] : 0xC0 | frame[done] >> 6, 0x80 | (frame[done] & 0x3F)};
        ssize_t k = write(STDOUT_FILENO, two, frame[done] < 0x80 ? 1 : 2) > 0;"""
UTF8_IN = (
    READ
    + """
        ssize_t m = 0;
        for (ssize_t i = 0; i < n; i++) {
            uint8_t first = in[i];
            if (first >= 0xC0 && i + 1 == n)
                n += read(STDIN_FILENO, in + n, 1);
            in[m++] = first < 0x80 ? first : first < 0xC4 ? (uint8_t)(first << 6 | (in[i + 1] & 0x3F)) : '?';
            i += first >= 0xC0;
        }
        n = m;"""
)

MISTAKES = {
    "CRC preset 1D0F, both ways": ([(PRESET, "uint16_t r = 0x1D0F;")], "PEC-01", "CRC is 1D0F-preset"),
    "CRC preset 0, both ways": ([(PRESET, "uint16_t r = 0;")], "PEC-01", "CRC is 0000-preset"),
    "CRC preset 0, as a sender only": ([(CRC_OF, "    tx = 1; put(p, crc(p->octet, p->n), 2); tx = 0;"), (PRESET, "uint16_t r = tx ? 0 : 0xFFFF;"), ("static uint16_t crc_table", "static int tx; static uint16_t crc_table")], "PEC-01", "CRC is 0000-preset"),
    "octets of the CRC swapped, both ways": ([(CRC_OF, "    uint16_t c = crc(p->octet, p->n); put(p, (uint16_t)(c << 8 | c >> 8), 2);"), (CHECK, "uint16_t c = crc(packet, n - 2);\n    if (get(packet + n - 2, 2) != (uint16_t)(c << 8 | c >> 8))")], "PEC-01", "octets of the CRC swapped"),
    "final XOR, both ways": ([(CRC_OF, "    put(p, crc(p->octet, p->n) ^ 0xFFFFu, 2);"), (CHECK, BACK.format("^ 0xFFFFu"))], "PEC-01", "CRC has a final XOR with FFFF"),
    "no CRC, both ways": ([(CRC_OF, "    put(p, 0, 2);"), (CHECK, "if (0)")], "PEC-01", "CRC is 0"),
    "PUS version 1, as a sender": ([(VERSION, "    put(&p, 0x10, 1);")], "PKT-06", "PUS version 1"),
    "PUS version 1, both ways": ([(VERSION, "    put(&p, 0x10, 1);"), ("tc[6] >> 4 != 2", "tc[6] >> 4 != 1")], "VER-08", "the telecommand has the same mistake"),
    "another P-field": ([("put(&p, 0x40, 1);", "put(&p, 0x48, 1);")], "TIM-01", "P-field 48"),
    "milliseconds beyond a day": ([("ms % 86400000u", "1764163000000u + ms")], "TIM-01", "milliseconds"),
    "milliseconds from the other end": ([("put(&p, (uint32_t)(ms % 86400000u), 4);", "for (int i = 0; i < 4; i++) put(&p, (uint32_t)(ms + 77777) >> 8 * i & 255, 1);")], "TIM-01", "its octets swapped"),
    "length of the whole packet": ([(LENGTH, "(uint8_t)(p->n + 2)")], "PKT-01", "it counts all octets of the packet"),
    "length without the one less": ([(LENGTH, "(uint8_t)(p->n + 2 - 6)")], "PKT-01", "without taking one away"),
    "length without the CRC, both ways": ([(LENGTH, "(uint8_t)(p->n - 7)"), ("n != get(packet + 4, 2) + 7", "n != get(packet + 4, 2) + 9")], "FRM-10", "the telecommand has the same mistake"),
    "type of a telecommand": ([("put(&p, 0x0800 | APID, 2);", "put(&p, 0x1800 | APID, 2);")], "PKT-01", "type TC, in telemetry"),
    "output in text mode": ([(WRITE, "        if (frame[done] == 10 && write(STDOUT_FILENO, \"\\r\", 1) < 0) _exit(1);\n        ssize_t k = write(STDOUT_FILENO, frame + done, 1);"), ("0x0200, 4", "0x020A, 4")], "LNK-02", "0D put before each 0A"),
    "output as text": ([(WRITE, UTF8_OUT)], "LNK-02", "sent as UTF-8"),
    "input as text": ([(READ, UTF8_IN)], "LNK-02", "the input is read as text"),
    "input by lines": ([(READ, "ssize_t got = 0;\n    while ((n = read(STDIN_FILENO, in + got, 1)) > 0) {\n        got += n;\n        if (in[got - 1] != 10 && got < 256)\n            continue;\n        n = got;\n        got = 0;")], "FRM-02", "the input is read line by line"),
    "0D taken for 0A": ([(READ, READ + "\n        for (ssize_t i = 0; i < n; i++)\n            in[i] = in[i] == 13 ? 10 : in[i];")], "LNK-02", "octet 0d (line end) lost or changed"),
    "Ctrl-C taken by a console": ([(READ, READ + "\n        if (memchr(in, 3, (size_t)n)) { fputs(\"KeyboardInterrupt\", stderr); return 1; }")], "LNK-02", "octet 03 (Ctrl-C) stops the node"),
    "bursts lost": ([("                if (filled)\n                    frame_ended();\n                filled = 0;", "                if (filled) {\n                    frame_ended();\n                    i = n;\n                }\n                filled = 0;")], "FRM-14", "bursts are lost"),
    "the rest of a burst lost": ([(READ, READ + "\n        n = n > 32 ? 32 : n;")], "FRM-14", "only the first and the second answered"),
    "XON taken by a line discipline": ([(READ, READ + "\n        ssize_t m = 0;\n        for (ssize_t i = 0; i < n; i++)\n            if (in[i] != 0x11)\n                in[m++] = in[i];\n        n = m;")], "LNK-02", "octet 11 (XON)"),
    "not stuffed": ([("        if (p->octet[i]) {", "        if (1) {"), ("    size_t code = 1, out = 2;", "    size_t code = 1, out = 1;"), ("    frame[code] = (uint8_t)(out - code);\n    frame[out++] = 0;", "    (void)code; frame[out++] = 0;")], "FRM-03", "not stuffed with COBS"),
    "never acts": ([(CHECK, "if (crc(packet, n) == 0)")], "TST-01", "no answer to 00 "),
    "output held back": ([(WRITE, "        ssize_t k = fwrite(frame + done, 1, 1, stdout) == 1;")], "RST-01", "flush the output"),
}  # fmt: skip


def judged(targets, role="transducer", only="TST-01,PAR-01"):
    """What the suite says of each target by name, and its exit code; they mostly wait, and so run side by side."""

    def judge(target):
        done = run(open_bench(target, role), select(role, only=[only]), SuiteRun(target, role, 1, False))
        assert done.exit_code == 1, target
        return {r.case.id: r.got for r in done.results if r.verdict is CaseVerdict.FAIL}

    with ThreadPoolExecutor(8) as pool:
        return dict(zip(targets, pool.map(judge, targets.values()), strict=True))


def unsaid(verdicts, wanted):
    """The mistakes whose sentence does not stand at its requirement, with what was said."""
    return {
        name: verdicts[name]
        for name, (requirement, sentence) in wanted.items()
        if not any(sentence in got for i, got in verdicts[name].items() if f"{requirement}/first-frames" in i)
    }


@pytest.mark.usefixtures("impatient")
def test_each_first_mistake_has_its_sentence(tmp_path):
    targets = {
        name: build(tmp_path / str(i), *edits) for i, (name, (edits, _, _)) in enumerate(MISTAKES.items())
    }
    assert unsaid(judged(targets), {name: rest for name, (_, *rest) in MISTAKES.items()}) == {}


def test_a_first_mistake_stands_in_the_report(tmp_path):
    path = tmp_path / "r.json"
    code, out = command(
        "conform", build(tmp_path, (PRESET, "uint16_t r = 0;")), "--only", "TST-01", "--json", path
    )
    data = json.loads(path.read_text())
    assert code == data["exit_code"] == 1, out
    assert data["cases"][0]["id"] == "PEC-01/first-frames"
    assert "[PEC-01]" in out


@pytest.mark.usefixtures("impatient")
def test_a_node_that_says_nothing_of_its_boot_is_understood_too(tmp_path):
    """It has told nothing by which its mistake could be known, and is asked in the common wrong ways."""
    silent, wrong = ("    boot_event();\n", "    (void)boot_event;\n"), (PRESET, "uint16_t r = 0x1D0F;")
    said = judged({"silent": build(tmp_path, silent, wrong)}, only="TST-01")["silent"]
    assert said["PEC-01/first-frames"] == "CRC is 1D0F-preset (AUG-CCITT)"
    assert "the same mistake" in said["FRM-11/first-frames"]


OF_A_MONITOR = {
    "presets the CRC with 0": ("PEC-01", "CRC is 0000-preset"),
    "exchanges the octets of the CRC": ("PEC-01", "octets of the CRC swapped"),
    "sends PUS version 1": ("PKT-06", "PUS version 1"),
    "takes one frame a chunk": ("FRM-14", "only the first answered"),
}


def test_each_first_mistake_of_a_monitor_has_its_sentence(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), *sys.path]))
    targets = {
        name: f"exec:{sys.executable} {HERE / 'live_node.py'} '{name}' monitor" for name in OF_A_MONITOR
    }
    verdicts = judged(targets, "monitor", "TST-01")
    assert unsaid(verdicts, OF_A_MONITOR) == {}
    assert not any("TST-01/ping" in said for said in verdicts.values()), verdicts


@st.composite
def telemetry(draw):
    """Any telemetry of the transducer."""
    packet = draw(st.sampled_from([p for p in t.TM_PACKETS if "transducer" in p.roles]))
    values = {f.name: draw(st.integers(0, 100)) for f in packet.fields}
    count, ms, peer = (
        draw(st.integers(0, 0x3FFF)),
        draw(st.integers(0, t.DAY_MS - 1)),
        draw(st.integers(0, 0xFFFF)),
    )
    head = host.encode_tm(packet, t.Apid.TRANSDUCER, count, 0, ms, values, peer)
    return head + host.crc16(head).to_bytes(2, "big")


@given(telemetry(), st.sampled_from(d.checks()), st.sampled_from([*d.LENGTHS]), st.sampled_from([1, 2]))
def test_what_a_dialect_writes_is_read_as_what_was_meant(packet, check, length, version):
    """However the check sum, the length and the PUS version are wrong, alone and together."""
    reading = d.read(d.Dialect("", length, check, version).frame(packet), t.Apid.TRANSDUCER)
    assert reading.packet == packet
    assert {m.requirement for m in reading.mistakes} == {
        *(["PEC-01"] if reading.dialect.check != d.RIGHT.check else []),
        *(["PKT-01"] if length else []),
        *(["PKT-06"] if version == 1 else []),
    }


@given(telemetry())
def test_a_right_frame_has_no_mistake(packet):
    reading = d.read(d.RIGHT.frame(packet), t.Apid.TRANSDUCER)
    assert (reading.packet, reading.mistakes) == (packet, ())
