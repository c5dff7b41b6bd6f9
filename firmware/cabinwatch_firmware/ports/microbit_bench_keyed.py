"""The timing port for a keyed monitor: behind the keys in its file stands its only session."""

from cabinwatch_firmware.keyed_monitor import KeyedMonitor
from cabinwatch_firmware.ports.microbit_bench import play, sink
from cabinwatch_firmware.ports.microbit_lockstep_keyed import fill, held, key


def run():
    node = KeyedMonitor(sink, key, held)
    fill(node)
    play(node)
