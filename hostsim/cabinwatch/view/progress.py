"""How far a long command has come: a line kept current on a terminal, elsewhere one every ten seconds."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

TERMINAL_S = 0.2
"""Between two looks of a person."""
ELSEWHERE_S = 10.0
"""Between two lines of a log, in which nothing is ever taken back."""
WIDTH = 78


class Progress:
    """``show`` is called as often as one likes; ``quiet``: says nothing."""

    def __init__(
        self, quiet: bool, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out = sys.stderr if out is None else out
        self._quiet = quiet
        self._kept = self._out.isatty()
        self._clock = clock
        self.begin = self._told = clock()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        if self._kept and not self._quiet:
            self._write(" " * WIDTH + "\r")

    def show(self, words: Callable[[], str]) -> None:
        """Say ``words`` where it is time to say something."""
        now = self._clock()
        if self._quiet or now - self._told < (TERMINAL_S if self._kept else ELSEWHERE_S):
            return
        self._told = now
        text = words()[:WIDTH]
        self._write(f"{text:<{WIDTH}}\r" if self._kept else f"{text}\n")

    def note(self, words: str) -> None:
        """Say ``words`` at once, on a line that stays."""
        if not self._quiet:
            self._write(f"{words:<{WIDTH}}\n" if self._kept else f"{words}\n")

    @property
    def wall_s(self) -> float:
        """Since it began."""
        return self._clock() - self.begin

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
