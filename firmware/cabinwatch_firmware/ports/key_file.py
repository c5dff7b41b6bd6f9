"""The keys of a node, in a file on its board, and sessions from the system's generator."""

import os

MONITOR = "monitor.key"  # both written by cabinwatch flash
TRANSDUCER = "transducer.key"
ENOENT = 2  # no such file; any other error is none of a node without key


def make_monitor(sink):
    """A monitor; a keyed one where its keys are."""
    if not is_there(MONITOR):
        from cabinwatch_firmware.monitor import Monitor

        return Monitor(sink)
    from cabinwatch_firmware.keyed_monitor import KEYS, KeyedMonitor

    return KeyedMonitor(sink, read(MONITOR, KEYS), draw)


def make_transducer(sink, sensor):
    """A transducer, likewise."""
    if not is_there(TRANSDUCER):
        from cabinwatch_firmware.transducer import Transducer

        return Transducer(sink, sensor)
    from cabinwatch_firmware.keyed_transducer import KEYS, KeyedTransducer

    return KeyedTransducer(sink, sensor, read(TRANSDUCER, KEYS), draw)


def is_there(name):
    """Whether a file is there. Where that cannot be told, no node must start that obeys everybody."""
    try:
        os.stat(name)
        return True
    except OSError as error:
        if error.args[0] != ENOENT:
            raise
        return False


def read(name, size):
    """The keys in a file. One that is there and holds none must not make a node that obeys everybody."""
    with open(name, "rb") as f:
        key = f.read()
    if len(key) != size:
        raise ValueError("no key: " + name)
    return key


def draw(vault):
    """A new session at the vault's beginning."""
    fresh = os.urandom(8)
    for i in range(8):
        vault[i] = fresh[i]
