"""The keyed image as a board runs it, in real time: its own random sessions, its keys from a file."""

import shutil

from cabinwatch.board.emulator.qemu import INSTALL, PROGRAM
from cabinwatch.targets import LIVE, live_node
from cabinwatch.targets.serial_port import open_port
from cabinwatch.view.monitor import watch
from cabinwatch.world.ground import DONE
from cabinwatch.world.keying import Keying, signer_of
from conftest import missing
from keyed_peer import MASTER, OTHER


def boot_and_command(signer):
    """The verdicts on two commands after a power-on, and the session."""
    with live_node(LIVE, Keying(MASTER, 1)) as (url, _), open_port(url, 115_200) as port:
        ground = watch(port, ["inhibit 60", "set hk_period 5000"], None, False, False, signer)
    return [c.verdict for c in ground.commands], ground.session.get("session")


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
