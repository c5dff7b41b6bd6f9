"""A keyed device in real time, and ground stations with its key, another, and none."""

import threading

import pytest
import serial

from cabinwatch.targets import device
from cabinwatch.view.monitor import watch
from cabinwatch.world.ground import DONE
from cabinwatch.world.keying import signer_of
from keyed_peer import MASTER, OTHER


@pytest.mark.parametrize("target", device.SERVERS)
def test_only_the_owner_of_the_key_is_obeyed(target, request):
    if target == "micropython":
        request.getfixturevalue("vm")
    verdicts = []
    with device.pty() as (fd, path):
        serve = threading.Thread(
            target=device.SERVERS[target], args=(fd,), kwargs={"key": MASTER.of_monitor()}, daemon=True
        )
        serve.start()
        with serial.Serial(path, timeout=0.05) as port:
            for signer in (signer_of(MASTER), signer_of(OTHER), None):
                ground = watch(port, ["inhibit 60"], None, False, True, signer)
                verdicts += [c.verdict for c in ground.commands]
    assert verdicts == [DONE, "refused: tag", "refused: tag"]
