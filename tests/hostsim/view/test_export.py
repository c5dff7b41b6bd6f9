"""Files that other tools read: what Wireshark, a spreadsheet and a JSON reader find is what `decode` finds."""

import csv
import json
import re
import shutil
import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cabinwatch.cli.main import app
from cabinwatch.run.lockstep import LockStepRun
from cabinwatch.run.transcript import Recorder, read
from cabinwatch.scenario.load import parse
from cabinwatch.targets import open_target
from cabinwatch.view.export.captured import of_recording
from cabinwatch.view.export.waves import write_vcd
from cabinwatch.world.world import World
from cabinwatch_protocol import table as t
from cabinwatch_protocol.generate.lua import LUA
from conftest import missing

VERBS = ("ping", "report", "hk_off", "hk_on", "acknowledge", "restart_detector", "reboot")
STORY = """
title = "every packet of the table that a run can hold"
duration = 240
[cabin.compartments.station]
volume = "100 m3"
[cabin.leaks.hole]
size = "40 mm"
at = 30
[[telecommands]]
at = 9
do = "get"
parameter = "hk_period"
[[telecommands]]
at = 10
do = "set"
parameter = "hk_period"
value = 2000
[[raw]]
at = 20
service = 99
[link]
faults = [{ kind = "flip", rate = 0.0005, at = 100, until = 200 }]
""" + "".join(f'[[telecommands]]\nat = {60 + 10 * i}\ndo = "{verb}"\n' for i, verb in enumerate(VERBS))


@pytest.fixture(scope="module")
def recording(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("export") / "run.jsonl"
    scenario = parse(STORY, "story.toml")
    header = {"scenario": "story", "target": "cpython", "seed": 1, "live": False, "toml": STORY}
    recorder, target = Recorder(path, header), open_target("cpython")
    LockStepRun(World(scenario, 1), target, recorder).run(scenario.duration_ms)
    target.close()
    recorder.close()
    return path


def decode(*words) -> str:
    done = CliRunner().invoke(app, ["decode", *map(str, words)])
    assert done.exit_code in (0, 1), done.output
    return done.output


def test_wireshark_reads_every_packet_and_finds_none_malformed(recording):
    tshark = shutil.which("tshark")
    if not tshark:
        missing("tshark", "apt install tshark")
    pcap = recording.with_suffix(".pcapng")
    said = int(re.search(r"(\d+) packets$", decode(recording, "--pcap", pcap))[1])
    known, unknown = map(int, re.search(r"(\d+) packets, .*, (\d+) unknown", decode(recording)).groups())
    assert (said, unknown) == (known + unknown, 1), (
        "one telecommand of the story is of no service that there is"
    )
    command = [tshark, "-X", f"lua_script:{LUA}", "-r", str(pcap)]
    shown = subprocess.run(
        [*command, "-T", "fields", "-e", "_ws.col.Info"], capture_output=True, text=True, check=True
    )
    lines = shown.stdout.splitlines()
    assert len(lines) == said
    assert sum("unknown" in line for line in lines) == unknown
    malformed = subprocess.run(
        [*command, "-Y", "_ws.malformed || _ws.expert"], capture_output=True, text=True, check=True
    )
    assert malformed.stdout == ""
    values = subprocess.run(
        [*command, "-Y", "cabinwatch.housekeeping.sid", "-T", "fields", "-e", "cabinwatch.housekeeping.pressure_cPa"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    ours = [
        c.decoded.values["pressure_cPa"]
        for c in packets(recording)
        if c.decoded and c.decoded.packet.name == "housekeeping"
    ]
    assert [int(v) for v in values] == ours


def packets(recording):
    return list(of_recording(read(recording), 115_200))


def test_a_damaged_length_is_seen_by_wireshark(recording, tmp_path):
    """Plant the fault: the dissector that finds nothing has to be able to find something."""
    tshark = shutil.which("tshark")
    if not tshark:
        missing("tshark", "apt install tshark")
    pcap = recording.with_suffix(".pcapng")
    decode(recording, "--pcap", pcap)
    octets = pcap.read_bytes()
    ping = next(c.packet for c in packets(recording) if c.decoded and c.decoded.packet.name == "ping")
    assert ping in octets
    damaged = tmp_path / "damaged.pcapng"
    damaged.write_bytes(octets.replace(ping, ping[:5] + bytes((ping[5] + 1,)) + ping[6:], 1))
    command = [tshark, "-X", f"lua_script:{LUA}", "-r", str(damaged), "-Y", "cabinwatch.wrong_length"]
    assert len(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()) == 1


def test_tables_and_lines_hold_every_packet_with_its_values(recording, tmp_path):
    decode(recording, "--csv", tmp_path / "run.csv", "--jsonl", tmp_path / "run.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert len(lines) == len(packets(recording))
    rows = 0
    for path in tmp_path.glob("run-*.csv"):
        with path.open(newline="") as file:
            table = list(csv.DictReader(file))
        rows += len(table)
        name = path.stem.removeprefix("run-")
        fields = next(p.fields for p in (*t.TM_PACKETS, *t.TC_PACKETS) if p.name == name)
        same = [line for line in lines if line["packet"] == name]
        assert [[int(row[f.title]) for f in fields] for row in table] == [
            [line[f.name] for f in fields] for line in same
        ]
    assert rows == sum(line["packet"] is not None for line in lines)


def test_octets_queue_up_at_the_rate_of_the_line(recording):
    for direction in ("up", "down"):
        times = [(c.t_us, len(c.packet)) for c in packets(recording) if c.direction == direction]
        for (before, _), (after, octets) in pairwise(times):
            assert after - before >= octets * 10 * 1_000_000 // 115_200


def test_a_file_that_cannot_be_written_is_one_clear_line(recording):
    done = CliRunner().invoke(app, ["decode", str(recording), "--jsonl", "/nowhere/run.jsonl"])
    assert "cannot write /nowhere/run.jsonl" in str(done.exception)


def test_a_logic_analyser_reads_the_octets_of_both_wires(recording, tmp_path):
    sigrok = shutil.which("sigrok-cli")
    if not sigrok:
        missing("sigrok-cli", "apt install sigrok-cli")
    path = tmp_path / "run.vcd"
    begin = replace(read(recording), steps=read(recording).steps[:150])
    octets = write_vcd(begin, 115_200, path)
    steps = begin.steps
    assert octets == sum(len(step.rx) + len(step.tx) for step in steps) > 2000
    for wire, sent in (
        ("to_monitor", b"".join(step.rx for step in steps)),
        ("from_monitor", b"".join(step.tx for step in steps)),
    ):
        # Pauses are drawn together to two octets: sigrok keeps a sample for every tick.
        seen = subprocess.run(
            [sigrok, "-I", "vcd:compress=2000", "-i", path, "-P", f"uart:baudrate=115200:rx={wire}",
             "-B", "uart=rx"],
            capture_output=True, check=True,
        ).stdout  # fmt: skip
        assert seen == sent, wire


def test_a_capture_without_times_is_no_wave(recording, tmp_path):
    capture = tmp_path / "capture.bin"
    capture.write_bytes(b"".join(step.tx for step in read(recording).steps[:9]))
    done = CliRunner().invoke(app, ["decode", str(capture), "--vcd", str(tmp_path / "x.vcd")])
    assert "does not say when" in str(done.exception)
    assert "octets" in decode(recording, "--vcd", tmp_path / "run.vcd")
