"""A transducer with a steady sensor, for the bench: runs on CPython and, as a module, on the MicroPython VM."""


def make_node(sink: object) -> object:
    """The firmware's transducer with that sensor."""
    from firmware.ports.steady import Steady
    from firmware.transducer import Transducer

    return Transducer(sink, Steady())


def main() -> None:
    """Serve it in lock-step on the VM."""
    import micropython  # type: ignore[import-not-found]

    from firmware.ports.lockstep import LockStep

    micropython.kbd_intr(-1)
    LockStep(make_node).run()


if __name__ == "__main__":
    main()
