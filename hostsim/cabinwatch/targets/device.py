"""Serve the firmware as a live process: a serial device without the device, on a pty or a TCP socket."""

import contextlib
import os
import select
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cabinwatch.errors import SetupError, UsageError
from cabinwatch.sources import import_path
from cabinwatch.targets.micropython import INSTALL, find_vm
from cabinwatch_firmware.monitor import Monitor
from cabinwatch_protocol.table import RX_MAX, Reset


def serve_cpython(fd: int) -> None:
    """Run the monitor in this process on a file descriptor, in real time, until its other end closes or is reset."""
    with contextlib.suppress(OSError):
        _serve_cpython(fd)


def _serve_cpython(fd: int) -> None:
    monitor = Monitor(lambda buf, n: _write(fd, bytes(buf[:n])))
    monitor.boot(Reset.POWER_ON.value)
    then, wake_ms = time.monotonic_ns(), 0
    while True:
        rx = b""
        if select.select([fd], [], [], wake_ms / 1000)[0]:
            rx = os.read(fd, RX_MAX)
            if not rx:
                return
        elapsed_ms, rest = divmod(time.monotonic_ns() - then, 1_000_000)
        then = time.monotonic_ns() - rest
        wake_ms = monitor.step(elapsed_ms, rx, len(rx))
        if monitor.rebooting:
            monitor.boot(Reset.COMMANDED.value)
            wake_ms = 0


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def serve_micropython(fd: int) -> None:
    """Run the monitor in a MicroPython VM on a file descriptor until its other end closes. Raises SetupError."""
    vm = find_vm()
    if vm is None:
        raise SetupError(f"the MicroPython VM is not installed: {INSTALL}, or use --target cpython")
    environment = {**os.environ, "MICROPYPATH": import_path()}
    subprocess.run(
        [vm, "-m", "cabinwatch_firmware.ports.stdio"], stdin=fd, stdout=fd, env=environment, check=False
    )


SERVERS: dict[str, Callable[[int], None]] = {"cpython": serve_cpython, "micropython": serve_micropython}


@contextmanager
def pty() -> Iterator[tuple[int, str]]:
    """A raw pseudo-terminal: the file descriptor of our end and the path of the other. Raises SetupError."""
    try:
        import pty as pseudo
        import tty
    except ImportError:
        raise SetupError("this system has no ptys; serve on a socket: --tcp PORT") from None
    ours, theirs = pseudo.openpty()
    try:
        tty.setraw(theirs)
        yield ours, os.ttyname(theirs)
    finally:
        os.close(ours)
        os.close(theirs)


@contextmanager
def listener(port: int) -> Iterator[socket.socket]:
    """A socket that listens on the loopback interface; port 0 lets the system choose. Raises UsageError."""
    try:
        sock = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise UsageError(f"cannot listen on port {port}: {error.strerror}") from None
    with sock:
        yield sock
