"""Files that take their name when they are whole: written beside it, and renamed."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from cabinwatch.errors import UsageError
from cabinwatch.text import shown

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be renamed by another program either
    fcntl = None  # type: ignore[assignment]

UNFINISHED = ".part"
"""What a file's name ends with until it is whole; where a run was killed, this is what it leaves."""


class Whole:
    """A file being written: `commit` gives it its name, `discard` leaves what had the name before.

    One writer at a time, and never through a link: what a link points to may be anybody's. A pipe or a device is
    written to as it is. Raises UsageError where it cannot be.
    """

    def __init__(self, path: Path, doing: str = "write") -> None:
        self.path = path
        self._doing = f"cannot {doing} {shown(path)}"
        self._beside = None if self._is_stream() else path.with_name(path.name + UNFINISHED)
        self._file: IO[bytes] | None = None
        with self._explained():
            self._file = self._taken() if self._beside else path.open("wb", buffering=0)

    def write(self, data: bytes) -> None:
        """Add to it."""
        with self._explained():
            if self._file is not None:
                self._file.write(data)

    def commit(self) -> None:
        """It is whole. After a failed `write` it never is: what there is of it stays beside."""
        with self._explained():
            if self._file is None:
                return
            self._file.flush()
            if fcntl is None:
                self._file.close()
            if self._beside is not None:
                os.replace(self._beside, self.path)
            self._file.close()
            self._file = None

    def discard(self) -> None:
        """Nothing of it is wanted."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            self._file.close()
            if self._beside is not None:
                self._beside.unlink()
        self._file = None

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._give_up()
            raise UsageError(f"{self._doing}: {error.strerror or error}") from None

    def _give_up(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
        self._file = None

    def _is_stream(self) -> bool:
        """Whether the name is a pipe's or a device's. Raises UsageError for a folder, and for a link to a file."""
        try:
            mode = self.path.stat().st_mode
        except OSError:
            if self.path.is_symlink():
                raise UsageError(f"{self._doing}: it is a link, and leads nowhere") from None
            return False
        if stat.S_ISDIR(mode):
            raise UsageError(f"{self._doing}: it is a folder")
        if stat.S_ISREG(mode) and self.path.is_symlink():
            raise UsageError(f"{self._doing}: it is a link; give the name of the file itself")
        return not stat.S_ISREG(mode)

    def _taken(self) -> IO[bytes]:
        """The unfinished file, ours alone and empty."""
        assert self._beside is not None
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        while True:
            number = os.open(self._beside, flags, 0o666)
            file = open(number, "r+b")  # noqa: SIM115 - closed with the rest
            try:
                if fcntl is not None:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                raise UsageError(f"{self._doing}: another run is writing it") from None
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(number), os.stat(self._beside)):
                    os.ftruncate(number, 0)
                    return file
            file.close()  # between our two steps its last owner finished it: it has its name now


@contextlib.contextmanager
def writing(path: Path | None) -> Iterator[Whole | None]:
    """A file to be written whole: opened before the work, so that a name that cannot be is told before it, not after.

    Named where the work ends well, gone where it does not. None for no path.
    """
    if path is None:
        yield None
        return
    file = Whole(path)
    try:
        yield file
        file.commit()
    except BaseException:
        file.discard()
        raise
