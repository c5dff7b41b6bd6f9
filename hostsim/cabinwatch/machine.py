"""The public state machine: ``from cabinwatch.machine import CabinMachine``. It lives in `cabinwatch.kit.machine`."""

from cabinwatch.kit.machine import CabinMachine

__all__ = ["CabinMachine"]
