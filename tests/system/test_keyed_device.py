"""A keyed device in real time, and ground stations with its key, another, and none."""

import subprocess

import pytest
import serial
from test_cli import COMMAND, ENVIRONMENT

from cabinwatch.targets import device
from cabinwatch.view.monitor import watch
from cabinwatch.world.ground import DONE
from cabinwatch.world.keying import signer_of
from keyed_peer import MASTER, OTHER


@pytest.fixture(params=device.SERVERS)
def keyed_device(request, tmp_path):
    """A device in a process of its own, so that nothing of it outlives its pty; the path of that."""
    if request.param == "micropython":
        request.getfixturevalue("vm")
    owner = tmp_path / "owner.key"
    owner.touch(mode=0o600)
    owner.write_text(MASTER.octets.hex())
    words = [*COMMAND, "device", "--target", request.param, "--key", owner]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        yield process.stdout.readline().strip()
        process.terminate()


def test_only_the_owner_of_the_key_is_obeyed(keyed_device):
    verdicts = []
    with serial.Serial(keyed_device, timeout=0.05) as port:
        for signer in (signer_of(MASTER), signer_of(OTHER), None):
            ground = watch(port, ["inhibit 60"], None, False, True, signer)
            verdicts += [c.verdict for c in ground.commands]
    assert verdicts == [DONE, "refused: tag", "refused: tag"]
