"""Lock-step port for the transducer on the micro:bit in QEMU, where no sensor is: it reads a steady one."""

from firmware.ports.microbit_lockstep import serve, sink
from firmware.ports.steady import Steady
from firmware.transducer import Transducer


def run():
    serve(Transducer(sink, Steady()))
