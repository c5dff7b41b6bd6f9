"""A keyed transducer with a steady sensor in lock-step on the MicroPython unix VM."""

from cabinwatch_firmware.keyed_transducer import KEYS, KeyedTransducer
from cabinwatch_firmware.ports.lockstep_keyed import serve
from cabinwatch_firmware.ports.steady import Steady


def make_keyed(sink, key, renew):
    return KeyedTransducer(sink, Steady(), key, renew)


if __name__ == "__main__":
    serve(make_keyed, KEYS)
