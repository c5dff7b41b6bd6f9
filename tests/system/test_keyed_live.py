"""The keyed image as a board runs it, in real time: its own random sessions, its keys from a file."""

import io
import shutil
from types import SimpleNamespace

from intelhex import IntelHex

from cabinwatch.board.build.image import Image
from cabinwatch.board.emulator.qemu import INSTALL, PROGRAM
from cabinwatch.board.flash.flash import Flashed
from cabinwatch.cli import board
from cabinwatch.targets import LIVE, live_node
from cabinwatch.targets.serial_port import open_port
from cabinwatch.view.monitor import watch
from cabinwatch.world.ground import DONE
from cabinwatch.world.keying import Keying, signer_of
from conftest import missing
from keyed_peer import MASTER, OTHER

FLASH_MIN = 250
"""Octets of flash that the fullest image leaves for what is to come."""


def boot_and_command(signer):
    """The verdicts on two commands after a power-on, and the session."""
    with live_node(LIVE, Keying(MASTER, 1)) as (url, _), open_port(url, 115_200) as port:
        ground = watch(port, ["inhibit 60", "set hk_period 5000"], None, False, False, signer)
    return [c.verdict for c in ground.commands], ground.session.get("session")


def test_what_is_flashed_holds_the_nodes_keys_and_not_the_owners(tmp_path, monkeypatch, capsys):
    path = tmp_path / "owner.key"
    path.touch(mode=0o600)
    path.write_text(MASTER.octets.hex())
    flashed = []

    def catch(image, port, role, **more):
        flashed.append(image)
        return Flashed("a port", None, ["cabinwatch.hex"], len(image), SimpleNamespace(text=lambda: "boot"))

    monkeypatch.setattr(board, "flash_microbit", catch)
    board.flash_("microbit", key=path)
    told = capsys.readouterr().out
    assert "Keys of the node are in the board" in told
    octets = IntelHex(io.StringIO(flashed[0].decode())).tobinstr(start=0, end=0x3FFFF)
    assert MASTER.of_monitor() in octets
    assert MASTER.octets not in octets
    assert MASTER.octets.hex() not in told
    free = Image(flashed[0].decode(), {}, {}, (), {}, {}).free()
    assert FLASH_MIN <= free < len(octets)


def test_the_board_draws_its_sessions_and_obeys_its_owner():
    if shutil.which(PROGRAM) is None:
        missing(PROGRAM, INSTALL)
    mine, first = boot_and_command(signer_of(MASTER))
    theirs, second = boot_and_command(signer_of(OTHER))
    assert mine == [DONE, DONE]
    assert theirs == ["refused: tag", "refused: tag"]
    assert first
    assert second
    assert first != second
