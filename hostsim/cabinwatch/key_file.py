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
NODES = ("monitor", "transducer", "analyser")
"""Roles that have keys of their own."""
OF_NODES = (2 * KEY_SIZE, 3 * KEY_SIZE)
"""Octets of an instrument's keys and of a monitor's."""


def generate(path: Path) -> None:
    """Write a new key to a file that is not there yet. Raises UsageError."""
    _write(path, secrets.token_hex(KEY_SIZE).encode("ascii") + b"\n")


def write_node(path: Path, master: MasterKey, role: str) -> None:
    """Write what one node is given, as it is, to a file that is not there yet. Raises UsageError."""
    if role not in NODES:
        raise UsageError(f"no keys for {role!r}: {', '.join(NODES)}")
    _write(path, master.of_monitor() if role == "monitor" else master.of_instrument(role))


def _write(path: Path, octets: bytes) -> None:
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), MODE)
    except FileExistsError:
        raise UsageError(
            f"{shown(path)} is there already, and nodes may hold its key: choose another name, or remove it yourself"
        ) from None
    except OSError as error:
        raise UsageError(f"cannot write {shown(path)}: {error.strerror}") from None
    try:
        with open(number, "wb") as file:
            file.write(octets)
    except OSError as error:
        path.unlink()  # half a key is none
        raise UsageError(f"cannot write {shown(path)}: {error.strerror}") from None


def write_holding(path: Path, text: str) -> None:
    """Write a file that holds keys among other things: whoever else could read it before can do so no more."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT, MODE)
    with open(number, "w", encoding="ascii") as file:
        if stat.S_ISREG(os.fstat(number).st_mode):
            file.truncate()
            os.chmod(path, MODE)
        file.write(text)


def read(path: Path) -> MasterKey:
    """The key in a file. Raises UsageError, which never quotes what is in it."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(4 * KEY_SIZE)
    except OSError as error:
        raise UsageError(f"cannot read the key {shown(path)}: {error.strerror}") from None
    if os.name == "posix" and mode & OTHERS and stat.S_ISREG(mode):
        raise UsageError(
            f"others can read or change the key {shown(path)} (mode {stat.S_IMODE(mode):o}): chmod 600 it, "
            "and take another key if they may have done so"
        )
    try:
        octets = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        octets = b""
    if len(octets) != KEY_SIZE:
        of_a_node = len(text) in OF_NODES and not text.isascii()
        raise UsageError(
            f"{shown(path)} holds no key: {2 * KEY_SIZE} hexadecimal digits are (cabinwatch keygen)"
            + ("; the keys of one node (keygen --of) are none of an owner's" if of_a_node else "")
        )
    return MasterKey(octets)
