"""A transducer with a steady sensor in lock-step, for the bench: on CPython, and as a module on the MicroPython VM."""

from cabinwatch_firmware.ports.steady import Steady
from cabinwatch_firmware.transducer import Transducer


def make_node(sink):
    """The firmware's transducer with that sensor."""
    return Transducer(sink, Steady())


def main():
    """Serve it in lock-step on the VM."""
    import micropython

    from cabinwatch_firmware.ports.lockstep import LockStep

    micropython.kbd_intr(-1)
    LockStep(make_node).run()


if __name__ == "__main__":
    main()
