"""Where the firmware runs: emulated targets that the host steps, and live ones on a serial stream."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cabinwatch.errors import UsageError
from cabinwatch.targets.base import Target
from cabinwatch.targets.cpython import CpythonTarget, keyed_monitor
from cabinwatch.targets.microbit import MicrobitLive, MicrobitTarget, keyed_image
from cabinwatch.targets.micropython import MicropythonTarget
from cabinwatch.world.keying import Keying

EMULATED: dict[str, Callable[[], Target]] = {
    "cpython": CpythonTarget,
    "micropython": MicropythonTarget,
    "microbit": MicrobitTarget,
}
"""Targets in lock-step by name; on each of them the same run gives the same bytes."""


KEYED: dict[str, Callable[[Keying], Target]] = {
    "cpython": lambda keying: CpythonTarget(keyed_monitor(keying)),
    "micropython": lambda keying: MicropythonTarget(keying=keying),
    "microbit": lambda keying: MicrobitTarget(keying=keying),
}
"""The same with a key."""


LIVE = "microbit-live"
"""The unchanged image on the emulated board, in real time."""


def is_live(name: str) -> bool:
    """Whether a target runs in real time: the emulated board's UART, a serial port or a pyserial URL."""
    return name == LIVE or is_url(name)


@contextmanager
def live_node(name: str, keying: Keying | None = None) -> Iterator[tuple[str, Callable[[str], str]]]:
    """The pyserial URL of a live target, and what puts the firmware's own names back into a traceback from it.

    Powered on for as long as the context lasts. Raises SetupError.
    """
    if name != LIVE:
        yield name, str
        return
    with MicrobitLive(keyed_image(keying) if keying else None) as board:
        yield board.url, board.explain


def is_url(name: str) -> bool:
    """Whether a target's name is a pyserial URL or port rather than an emulated target."""
    return "://" in name or name.startswith(("/", "COM"))


def open_target(name: str, keying: Keying | None = None) -> Target:
    """The emulated target ``name``, keyed or not.

    Raises UsageError for another name, SetupError where its parts are missing.
    """
    if name not in EMULATED:
        raise UsageError(
            f"no target {name!r}: {', '.join(EMULATED)}, {LIVE}, or a serial port or pyserial URL (/dev/ttyACM0, socket://host:port)"
        )
    return KEYED[name](keying) if keying else EMULATED[name]()
