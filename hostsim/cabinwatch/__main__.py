"""The command, also as ``python -m cabinwatch``: it can be stopped from its first moment, while it still imports."""

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130
"""As `cabinwatch.cli.net` has it; to import that takes what is made short here."""


def _leave(number: int, frame: FrameType | None) -> None:
    """Nothing is begun yet that would have to be ended, and an exception could be lost in somebody's import."""
    os._exit(INTERRUPTED)


def main() -> None:
    """Entry point of the ``cabinwatch`` command."""
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGTERM, _leave)
    if before != signal.SIG_IGN:  # a shell has what it starts in the background ignore Ctrl-C
        signal.signal(signal.SIGINT, _leave)
    from cabinwatch.cli.main import main as command_line

    try:
        signal.signal(signal.SIGINT, before)
        command_line()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
