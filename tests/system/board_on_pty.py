"""A development board for flashing, as far as one can be had without one: the MicroPython VM behind a raw
pty.

Real: the interpreter and its prompt, raw and raw-paste mode, its file system (a directory), loading of .mpy
files, Ctrl-C, the start of main.py after a soft reset, a serial device that others can hold open. Not real:
USB, and the ``machine`` module (see tests/firmware/ports/fake_board/machine.py).
"""

import contextlib
import fcntl
import os
import pty
import select
import signal
import socket
import subprocess
import threading
import tty
from pathlib import Path

FAKES = Path(__file__).resolve().parents[1] / "firmware" / "ports" / "fake_board"
CTRL_C = 3


class BoardOnPty:
    """The board; `port` is its serial device. A thread carries the octets, and may pull the cable.

    The VM itself is on a socket: on a terminal it discards what came in whenever it changes between its
    prompt and a program, as no UART does. `cut_after` octets from the host the cable is pulled: the device is
    gone.
    """

    def __init__(self, vm: str, disk: Path, *, cut_after: int | None = None) -> None:
        self.vm = vm
        self.disk = disk
        self.cut_after = cut_after
        self.starts = 0
        self._host, self._device = pty.openpty()
        tty.setraw(self._device)
        self.port = os.ttyname(self._device)
        self._power_on()
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _power_on(self) -> None:
        """Start the interpreter: main.py if there is one, then the prompt."""
        self.starts += 1
        script = ["main.py"] if (self.disk / "main.py").exists() else []
        self._wire, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [self.vm, "-i", *script],
            cwd=self.disk,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "MICROPYPATH": f"{FAKES}:.:lib", "BOARD_LOG": str(self.disk.parent / "log")},
        )
        theirs.close()

    def _carry(self) -> None:
        from_host = 0
        while True:
            ready, _, _ = select.select([self._host, self._wire, self._stopped], [], [])
            if self._stopped in ready:
                return
            if self._wire in ready:
                try:
                    data = self._wire.recv(4096)
                except ConnectionResetError:  # ended with input unread
                    data = b""
                if not data:
                    # Ctrl-D or machine.reset ended the interpreter: the board starts again.
                    self._wire.close()
                    self._process.wait()
                    data = b"MPY: soft reboot\r\n"
                    self._power_on()
                os.write(self._host, data)
            if self._host in ready:
                data = os.read(self._host, 256)
                from_host += len(data)
                if self.cut_after is not None and from_host >= self.cut_after:
                    os.close(self._device)
                    os.close(self._host)
                    self._host = self._device = -1
                    return
                self._hand_over(data)

    def _hand_over(self, data: bytes) -> None:
        """Octets to the board; its interrupt handler sees Ctrl-C at once, if a program has one installed."""
        for octet in data:
            if octet == CTRL_C and self._interruptible():
                self._process.send_signal(signal.SIGINT)
            else:
                with contextlib.suppress(BrokenPipeError):  # it has just ended, as a resetting board is deaf
                    self._wire.send(bytes((octet,)))

    def _interruptible(self) -> bool:
        """Whether the VM catches SIGINT just now: it does while it runs a program, and not at its prompt."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
        return bool(int(caught, 16) >> signal.SIGINT - 1 & 1)

    def hold(self) -> int:
        """Have the port open elsewhere, as a terminal would; returns the descriptor."""
        fd = os.open(self.port, os.O_RDWR | os.O_NOCTTY)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return fd

    def close(self) -> None:
        """Power off."""
        self._stop.send(b"x")
        self._thread.join()
        self._process.kill()
        self._process.wait()
        for end in (self._wire, self._stop, self._stopped):
            end.close()
        for fd in (self._host, self._device):
            if fd >= 0:
                os.close(fd)
