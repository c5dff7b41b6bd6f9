"""Lock-step port for the transducer on the micro:bit in QEMU, where no sensor is: it reads a steady one."""

from cabinwatch_firmware.ports.microbit_lockstep import serve, sink
from cabinwatch_firmware.ports.steady import Steady
from cabinwatch_firmware.transducer import Transducer


def run():
    serve(Transducer(sink, Steady()))
