"""A node that cannot have its keys does not start as one that obeys everybody."""

import errno
import os

import pytest

from cabinwatch_firmware.keyed_monitor import KeyedMonitor
from cabinwatch_firmware.keyed_transducer import KeyedTransducer
from cabinwatch_firmware.monitor import Monitor
from cabinwatch_firmware.ports import key_file
from cabinwatch_firmware.ports.steady import Steady
from cabinwatch_firmware.transducer import Transducer
from keyed_peer import MASTER

ROLES = {
    "monitor": (lambda: key_file.make_monitor(len), Monitor, KeyedMonitor, MASTER.of_monitor()),
    "transducer": (
        lambda: key_file.make_transducer(len, Steady()),
        Transducer,
        KeyedTransducer,
        MASTER.of_instrument("transducer"),
    ),
}


@pytest.fixture(params=ROLES)
def role(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return (tmp_path / f"{request.param}.key", *ROLES[request.param])


def test_a_node_is_keyed_where_its_keys_are(role):
    path, make, plain, keyed, octets = role
    assert type(make()) is plain
    path.write_bytes(octets)
    assert type(make()) is keyed
    assert make().key == octets


def test_no_node_starts_with_a_file_that_holds_none(role):
    path, make, _, _, octets = role
    for wrong in (b"", octets[:-1], octets + b"\0", octets.hex().encode()):
        path.write_bytes(wrong)
        with pytest.raises(ValueError, match="no key"):
            make()


@pytest.mark.parametrize("error", [errno.EIO, errno.EACCES])
def test_nor_where_it_cannot_be_told_whether_there_is_one(role, monkeypatch, error):
    def fails(name):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(key_file.os, "stat", fails)
    with pytest.raises(OSError, match=os.strerror(error)):
        role[1]()
