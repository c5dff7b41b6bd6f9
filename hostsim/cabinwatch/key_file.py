"""An owner's key in a file: 32 hexadecimal digits, which nobody else may read. Nothing else ever shows them."""

import os
import secrets
import stat
from pathlib import Path

from cabinwatch.errors import UsageError
from cabinwatch.text import shown
from cabinwatch_protocol.keyed import KEY_SIZE
from cabinwatch_protocol.keys import MasterKey

MODE = 0o600
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def generate(path: Path) -> None:
    """Write a new key to a file that is not there yet. Raises UsageError."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), MODE)
        with open(number, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_SIZE) + "\n")
    except FileExistsError:
        raise UsageError(
            f"{shown(path)} is there already, and nodes may hold its key: choose another name, or remove it yourself"
        ) from None
    except OSError as error:
        raise UsageError(f"cannot write {shown(path)}: {error.strerror}") from None


def read(path: Path) -> MasterKey:
    """The key in a file. Raises UsageError, which never quotes what is in it."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(3 * KEY_SIZE)
    except OSError as error:
        raise UsageError(f"cannot read the key {shown(path)}: {error.strerror}") from None
    if os.name == "posix" and mode & OTHERS:
        raise UsageError(f"others can read or change the key {shown(path)} (mode {mode:o}): chmod 600 it")
    try:
        octets = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        octets = b""
    if len(octets) != KEY_SIZE:
        raise UsageError(
            f"{shown(path)} holds no key: {2 * KEY_SIZE} hexadecimal digits are (cabinwatch keygen)"
        )
    return MasterKey(octets)
