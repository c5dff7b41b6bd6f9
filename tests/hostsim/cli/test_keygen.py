"""The owner's key: made once, read by nobody else, shown nowhere."""

import json
import os
import stat
from contextlib import nullcontext
from pathlib import Path

import pytest
import typer

from cabinwatch import key_file
from cabinwatch.cli import board
from cabinwatch.cli.main import main
from cabinwatch.errors import UsageError
from cabinwatch.run.play import Order, play, replay
from cabinwatch.run.result import as_json, summary
from cabinwatch.run.transcript import read
from cabinwatch.scenario import load as scenarios
from cabinwatch.world.ground import Commanded, Ground
from cabinwatch.world.keying import Keying
from cabinwatch_protocol import table as t
from keyed_peer import OTHER

SCENARIO = """
title = "commands to a keyed monitor"
duration = "100s"
[cabin.compartments.c]
volume = 100.0
[[telecommands]]
at = 20
do = "inhibit"
argument = 60
[[telecommands]]
at = 40
do = "reboot"
[[telecommands]]
at = 70
do = "reboot"
[[telecommands]]
at = 90
do = "inhibit"
argument = 60
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("key") / "owner.key"
    key_file.generate(path)
    return path


def keyed_run(path, target="cpython", record=None, unkeyed=frozenset(), scenario=SCENARIO):
    model = scenarios.parse(scenario, "keyed.toml")
    keying = Keying(key_file.read(path), 1, unkeyed)
    order = Order("keyed", model, scenario, target, 1, model.duration_ms, record, keying=keying)
    return play(order)


@pytest.fixture(scope="module")
def recorded(path):
    record = path.with_name("run.jsonl")
    world, run = keyed_run(path, record=record)
    return world, run, record


def test_a_key_file_is_ones_own_and_is_never_overwritten(path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    with pytest.raises(UsageError, match="there already"):
        key_file.generate(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(("role", "octets"), [("transducer", 32), ("analyser", 32), ("monitor", 48)])
def test_a_node_is_given_its_own_keys(path, tmp_path, capsys, monkeypatch, role, octets):
    node = tmp_path / "node.key"
    words = ["cabinwatch", "keygen", str(node), "--of", str(path), "--role", role]
    for code in (0, 2):
        monkeypatch.setattr("sys.argv", words)
        with pytest.raises(SystemExit) as done:
            main()
        assert done.value.code == code, "a second time it is there already"
    said = capsys.readouterr()
    assert stat.S_IMODE(node.stat().st_mode) == 0o600
    given, owner = node.read_bytes(), key_file.read(path).octets
    assert len(given) == octets
    assert owner not in given
    assert given[:16].hex() not in said.out + said.err


def test_keys_are_for_nodes_that_there_are(path, tmp_path):
    with pytest.raises(UsageError, match="monitor, transducer, analyser"):
        key_file.write_node(tmp_path / "x", key_file.read(path), "cook")


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_can_reach_is_not_used(tmp_path, mode):
    path = tmp_path / "k"
    key_file.generate(path)
    path.chmod(mode)
    with pytest.raises(UsageError, match="chmod 600"):
        key_file.read(path)


@pytest.mark.skipif(os.name != "posix", reason="devices are POSIX's")
@pytest.mark.parametrize(
    ("name", "words"),
    [("/dev/null", "holds no key"), ("/dev/zero", "holds no key"), (os.sep, "Is a directory")],
)
def test_what_is_no_file_is_no_key_and_its_mode_is_left_alone(name, words):
    with pytest.raises(UsageError, match=words) as refused:
        key_file.read(Path(name))
    assert "chmod" not in str(refused.value)


@pytest.mark.parametrize("role", key_file.NODES)
def test_the_keys_of_a_node_are_told_from_an_owners(path, tmp_path, role):
    node = tmp_path / "node.key"
    key_file.write_node(node, key_file.read(path), role)
    with pytest.raises(UsageError, match="the keys of one node"):
        key_file.read(node)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_half_a_key_is_not_left_behind(tmp_path, monkeypatch):
    created = os.open

    def full(path, *more):
        os.close(created(path, *more))
        return created("/dev/full", os.O_WRONLY)

    monkeypatch.setattr(key_file.os, "open", full)
    with pytest.raises(UsageError, match="cannot write"):
        key_file.generate(tmp_path / "k")
    assert not [*tmp_path.iterdir()]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_what_holds_keys_is_for_nobody_else(tmp_path):
    image = tmp_path / "image.hex"
    for before in (None, "an image that is longer"):
        if before:
            image.write_text(before)
            image.chmod(0o644)
        key_file.write_holding(image, "an image")
        assert image.read_text() == "an image"
        assert stat.S_IMODE(image.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "00" * 15, "00" * 17, "no key at all", "0g" * 16, "é" * 16])
def test_what_is_no_key_is_refused_and_not_quoted(tmp_path, text):
    path = tmp_path / "k"
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        key_file.read(path)
    assert "holds no key" in str(refused.value)
    assert not text or text not in str(refused.value)


def test_no_link_is_followed_and_no_key_leads_to_a_traceback(tmp_path, capsys, monkeypatch):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    for words in (["keygen", str(link)], ["run", "ms09", "--key", str(tmp_path / "none")]):
        monkeypatch.setattr("sys.argv", ["cabinwatch", *words])
        with pytest.raises(SystemExit) as done:
            main()
        assert done.value.code == 2
        assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "elsewhere").exists()


def test_the_ground_signs_what_the_node_obeys(recorded):
    world, _, _ = recorded
    verdicts = [(c.words, c.verdict) for c in world.ground.commands]
    assert verdicts == [
        ("inhibit 60", "done"),
        ("reboot", "refused: early"),
        ("reboot", "done"),
        ("inhibit 60", "done"),
    ]
    assert world.ground.health == 0, "its transducer answers every challenge"
    assert world.ground.session["keyed"] == 3


def test_the_same_transcript_on_both_virtual_machines(recorded, vm, path):
    _, run, _ = recorded
    assert keyed_run(path, "micropython")[1].transcript_sha256 == run.transcript_sha256


def test_a_recording_is_replayed_with_its_key_and_with_no_other(recorded, path):
    transcript = read(recorded[2])
    assert not replay(transcript, "cpython", key_file.read(path)).differs
    assert replay(transcript, "cpython", OTHER).differs
    with pytest.raises(UsageError, match="keyed node"):
        replay(transcript, "cpython")


QUIET = """
title = "nobody commands"
duration = "200s"
resets = [60, 120]
[cabin.compartments.c]
volume = 100.0
"""


def test_what_is_cut_out_of_a_recording_is_not_obeyed_by_another_run(recorded, path):
    """Each packet of the ground and each sample, at its own time and behind each of two resets, with the same seed."""
    steps = read(recorded[2]).steps
    frames = [(s.t_ms, b"\0" + octets + b"\0") for s in steps for octets in s.rx.split(b"\0") if octets]
    raw = "".join(
        f'[[raw]]\nat = {t_ms / 1000 + later_s}\noctets = "{octets.hex()}"\n'
        for t_ms, octets in frames
        for later_s in (0, 60.5, 120.5)
        if t_ms / 1000 + later_s < 199
    )
    world, _ = keyed_run(path, scenario=QUIET + raw)
    assert not [e for e in world.ground.events if e.event == t.Event.COMMANDED]
    told = [e for e in world.ground.events if e.event == t.Event.REFUSED]
    assert len(told) >= 3
    assert world.ground.health == 0, "and the true samples are believed between them"


def test_the_key_is_in_nothing_that_is_shown_or_written(recorded, path):
    world, _, record = recorded
    master = key_file.read(path)
    keys = [master.octets, *(master.of_monitor()[i : i + 16] for i in (0, 16, 32))]
    shown = record.read_text() + repr((world.ground.signer, world.instruments, Keying(master, 1)))
    shown += json.dumps([c.text() for c in world.ground.commands])
    for key in keys:
        assert key.hex() not in shown.lower()
        assert repr(key)[2:-1] not in shown


def test_unkeyed_instruments_are_believed(path):
    world, run = keyed_run(path, unkeyed=frozenset({"transducer", "analyser"}))
    assert world.ground.health == 0
    assert world.ground.session["keyed"] == 0
    assert "transducer UNKEYED" in "\n".join(summary(world, run))
    assert as_json(world, run)["keyed"]["instruments"] == []


def test_a_role_without_an_owner_is_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["cabinwatch", "keygen", str(tmp_path / "new.key"), "--role", "monitor"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "new.key").exists()


@pytest.mark.parametrize(
    ("key", "words"), [(False, "The monitor is keyed"), (True, "does not know this key")]
)
def test_a_command_without_a_right_tag_ends_with_what_to_do(path, monkeypatch, capsys, key, words):
    ground = Ground(lambda frame: None)
    ground.counts.frames = 1
    ground.commands = [Commanded(0, "inhibit 60", "refused: tag")]
    monkeypatch.setattr(board, "open_port", lambda *line: nullcontext())
    monkeypatch.setattr(board, "watch", lambda *more: ground)
    with pytest.raises(typer.Exit):
        board.monitor("port", ["inhibit 60"], key=path if key else None)
    assert words in capsys.readouterr().out
