"""The one way to open a serial port, and to say why one cannot be opened."""

import contextlib
import errno
import os
from pathlib import Path
from urllib.parse import urlsplit

import serial

from cabinwatch.errors import SetupError

PATIENCE_S = 10.0
"""How long a node may take to its first good frame, s."""


def open_port(url: str, baud: int) -> serial.Serial:
    """Open a pyserial URL for us alone. Raises SetupError that says what to try."""
    check_url(url)
    try:
        port: serial.Serial = serial.serial_for_url(
            url, baudrate=baud, timeout=0.02, write_timeout=5, exclusive=True
        )
    except (serial.SerialException, ValueError, OSError) as error:
        raise SetupError(explain_open_error(url, error)) from None
    return port


def check_url(url: str) -> None:
    """Raise SetupError where a network URL lacks its host or port; pyserial's own words do not say so."""
    parts = urlsplit(url)
    if parts.scheme not in ("socket", "rfc2217"):
        return
    with contextlib.suppress(ValueError):  # a port that is no number, or out of range
        if parts.hostname and parts.port:
            return
    raise SetupError(f"{url}: give a host and a port: {parts.scheme}://127.0.0.1:4000")


def explain_open_error(port: str, error: Exception) -> str:
    """Why ``port`` could not be opened, and what to do about it."""
    code = getattr(error, "errno", None)
    words = str(error)
    denied = code == errno.EACCES or "Permission" in words or "Access is denied" in words
    if code in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in words or (denied and os.name == "nt"):
        return f"{port} is in use by another program (terminal, IDE, another cabinwatch): close that"
    if denied:
        group = _group_of(port)
        return (
            f"no permission for {port}: it belongs to the group {group}. "
            f"Join it with: sudo usermod -aG {group} $USER   and log in again"
        )
    if (
        code in (errno.ENOENT, errno.ENODEV, errno.ENXIO)
        or "FileNotFoundError" in words
        or "No such file" in words
    ):
        return f"{port or 'a nameless port'} is not there: is the board plugged in? cabinwatch ports lists what is"
    if code in (errno.ENOTTY, errno.EISDIR) or "Inappropriate ioctl" in words:
        return f"{port} is no serial port"
    if "Connection refused" in words:
        return (
            f"cannot open {port}: nobody listens there; "
            "`cabinwatch device --tcp PORT` serves the firmware on a socket"
        )
    return f"cannot open {port}: {words}"


def _group_of(port: str) -> str:
    """The group that owns a serial port: dialout on Debian and Fedora, uucp on Arch."""
    try:
        return Path(port).group()
    except (OSError, KeyError, NotImplementedError, ImportError):
        return "dialout"
