"""A child process that goes when we go, however we go: also by SIGKILL, when nothing of ours runs any more."""

import subprocess
import sys
from pathlib import Path

_WATCH = '''read -r child; read -r _; [ -z "$child" ] || kill -9 "$child"; [ -z "$1" ] || rm -rf -- "$1"'''
"""The second read ends with the pipe, and the pipe ends with us."""


class Tether:
    """Make it, start the child, `hold` it; `release` it before it is ended and its number is another's.

    A shell with nothing to do but to wait: Linux could tell the child itself of our death, but only of the thread's
    that started it, and macOS not at all; and neither removes the child's ``folder``. On Windows it holds nothing.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._watch: subprocess.Popen[bytes] | None = None
        if sys.platform != "win32":
            nowhere = subprocess.DEVNULL
            self._watch = subprocess.Popen(
                ["/bin/sh", "-c", _WATCH, "cabinwatch-tether", str(folder or "")],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=nowhere,
                stderr=nowhere,
                start_new_session=True,
            )

    def hold(self, child: int) -> None:
        """End the process of that number when we are gone."""
        if self._watch is not None and self._watch.stdin is not None:
            self._watch.stdin.write(f"{child}\n".encode())

    def release(self) -> None:
        """Hold nothing any more; does nothing the second time."""
        if self._watch is not None and self._watch.stdin is not None:
            self._watch.kill()
            self._watch.wait()
            self._watch.stdin.close()
        self._watch = None
