"""The last net under every command: whatever ends one, it ends in a line for people and an exit code."""

import contextlib
import errno
import io
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any, NoReturn

import typer

from cabinwatch.errors import CabinwatchError
from cabinwatch.text import clipped, shown

USAGE = 2
OUR_FAULT = 70
"""EX_SOFTWARE of sysexits.h."""
INTERRUPTED = 130
LONGEST = 1200
"""Characters of a line: more than the longest list of what is allowed."""
REFUSED_BY_SYSTEM = {
    errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EPIPE,
}  # fmt: skip
"""What the system has run out of, or lost, is no fault of ours."""

WrongWords: type[Exception] = typer.BadParameter.__mro__[2]
"""ClickException, of the click that this Typer brings or asks for."""


def call(app: typer.Typer) -> NoReturn:
    """Run the command line, and exit."""
    _standard_streams()
    try:
        code = app(standalone_mode=False) or 0
        sys.stdout.flush()
    except WrongWords as error:
        code = _usage(error)
    except (
        SystemExit
    ) as end:  # Click's and Rich's answer to a reader that has gone; completion ends so with others
        code = _tell("the reader of standard output has gone", USAGE) if end.code == 1 else end.code
    except CabinwatchError as error:
        code = _tell(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:
        code = _unforeseen(error)
    _leave(code)


def _standard_streams() -> None:
    """Make sure that there are three, and that no character is one they cannot write."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: SIM115 - lives as long as the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    if sys.stdout is None:
        sys.exit(_tell("standard output is closed: nothing could be said", USAGE))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _tell(message: str, code: int) -> int:
    with contextlib.suppress(OSError):  # standard error may be full or closed as well
        for line in message.splitlines():
            print(f"cabinwatch: {clipped(shown(line), LONGEST)}", file=sys.stderr)
    return code


def _usage(error: Any) -> int:
    path = error.ctx.command_path if getattr(error, "ctx", None) else "cabinwatch"
    return _tell(f"{shown(error.format_message())} ({path} --help tells more)", USAGE)


def _unforeseen(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in REFUSED_BY_SYSTEM:
        where = f" ({shown(error.filename)})" if error.filename else ""
        return _tell(f"the system gives no more: {error.strerror}{where}", USAGE)
    return _tell(f"a fault of ours, please report it: {_summary(error)}; {_kept(error)}", OUR_FAULT)


def _summary(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    at = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {shown(error)[:200]}{at}"


def _kept(error: Exception) -> str:
    """Where the traceback lies."""
    try:
        number, path = tempfile.mkstemp(prefix="cabinwatch-fault-", suffix=".txt")
        with open(number, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{shown(sys.argv)}\n{''.join(traceback.format_exception(error))}")
    except OSError as refused:
        return f"its traceback could not be written ({refused.strerror})"
    return f"its traceback is in {path}"


def _leave(code: Any) -> NoReturn:
    """Exit; what standard output still holds and cannot get rid of is told here, not by the interpreter."""
    try:
        sys.stdout.flush()
    except OSError as error:
        code = _tell(f"standard output takes no more: {error.strerror}", USAGE)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(code)
