"""Serve the firmware as a live process: a serial device without the device, on a pty or a TCP socket."""

import contextlib
import os
import secrets
import select
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cabinwatch.errors import SetupError, UsageError
from cabinwatch.sources import import_path
from cabinwatch.targets.micropython import INSTALL, find_vm
from cabinwatch.tether import Tether
from cabinwatch.world.keying import SESSION_SIZE
from cabinwatch_firmware.keyed_monitor import KeyedMonitor
from cabinwatch_firmware.monitor import Monitor
from cabinwatch_protocol.table import RX_MAX, Reset


def serve_cpython(fd: int, key: bytes = b"") -> None:
    """Run the monitor in this process on a file descriptor, in real time, until its other end closes or is reset.

    With ``key``, what a monitor is given, it is a keyed one.
    """
    with contextlib.suppress(OSError):
        _serve_cpython(fd, key)


def _serve_cpython(fd: int, key: bytes) -> None:
    def sink(buf: bytearray, n: int) -> None:
        _write(fd, bytes(buf[:n]))

    def renew(vault: bytearray) -> None:
        vault[:SESSION_SIZE] = secrets.token_bytes(SESSION_SIZE)

    monitor = KeyedMonitor(sink, key, renew) if key else Monitor(sink)
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


def serve_micropython(fd: int, key: bytes = b"") -> None:
    """Likewise in a MicroPython VM. Raises SetupError."""
    vm = find_vm()
    if vm is None:
        raise SetupError(f"the MicroPython VM is not installed: {INSTALL}, or use --target cpython")
    environment = {**os.environ, "MICROPYPATH": import_path()}
    # A keyed one finds its keys where a board has them: in a file of the folder that it runs in.
    with tempfile.TemporaryDirectory() as folder:
        if key:
            (Path(folder) / "monitor.key").write_bytes(key)
        command = [vm, "-m", "cabinwatch_firmware.ports.stdio"]
        tether = Tether(Path(folder))
        process = subprocess.Popen(
            command,
            stdin=fd,
            stdout=fd,
            env=environment,
            cwd=folder if key else None,
            start_new_session=True,  # Ctrl-C is for us, and no traceback of the VM's
        )
        tether.hold(process.pid)
        try:
            process.wait()
        finally:
            tether.release()
            process.kill()
            process.wait()


SERVERS: dict[str, Callable[..., None]] = {"cpython": serve_cpython, "micropython": serve_micropython}


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
