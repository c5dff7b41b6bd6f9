"""A development board for flashing, as far as one can be had without one: the MicroPython VM on a raw pty.

Real: the interpreter and its prompt, raw and raw-paste mode, its file system (a directory), loading of .mpy
files, Ctrl-C, the start of main.py after a soft reset, a serial device that others can hold open. Not real:
USB, and the ``machine`` module (see tests/firmware/ports/fake_board/machine.py).
"""

import errno
import fcntl
import os
import pty
import select
import signal
import termios
import threading
import tty
from pathlib import Path

FAKES = Path(__file__).resolve().parents[1] / "firmware" / "ports" / "fake_board"


class BoardOnPty:
    """The board; `port` is its serial device. A thread carries the octets, and may pull the cable.

    `cut_after` octets from the host the cable is pulled, once: the device is gone, the board goes on without
    it.
    """

    def __init__(self, vm: str, disk: Path, *, cut_after: int | None = None) -> None:
        self.vm = vm
        self.disk = disk
        self.cut_after = cut_after
        self.starts = 0
        self._host, self._device = pty.openpty()
        tty.setraw(self._device)
        self.port = os.ttyname(self._device)
        self._pid, self._board = self._power_on()
        if not (disk / "main.py").exists():
            # Until its prompt is there, Ctrl-C would end the interpreter and not only what it runs.
            greeting = b""
            while not greeting.endswith(b">>> "):
                greeting += os.read(self._board, 4096)
        self._stop_r, self._stop_w = os.pipe()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _power_on(self) -> tuple[int, int]:
        """Start the interpreter: main.py if there is one, then the prompt."""
        self.starts += 1
        script = ["main.py"] if (self.disk / "main.py").exists() else []
        pid, master = pty.fork()
        if not pid:
            try:
                # As a UART is, but for Ctrl-C while a program runs; at the prompt the VM sees to that itself.
                tty.setraw(0)
                mode = termios.tcgetattr(0)
                mode[3] |= termios.ISIG
                termios.tcsetattr(0, termios.TCSANOW, mode)
                os.chdir(self.disk)
                path = f"{FAKES}:.:lib"
                log = str(self.disk.parent / "log")
                environment = {**os.environ, "MICROPYPATH": path, "BOARD_LOG": log}
                os.execve(self.vm, [self.vm, "-i", *script], environment)
            finally:
                os._exit(127)
        return pid, master

    def _carry(self) -> None:
        from_host = 0
        while True:
            ready, _, _ = select.select([self._host, self._board, self._stop_r], [], [])
            if self._stop_r in ready:
                return
            if self._board in ready:
                try:
                    data = os.read(self._board, 4096)
                except OSError as error:
                    if error.errno != errno.EIO:
                        raise
                    data = b""
                if data:
                    os.write(self._host, data)
                else:
                    # Ctrl-D or machine.reset ended the interpreter: the board starts again.
                    os.close(self._board)
                    os.waitpid(self._pid, 0)
                    os.write(self._host, b"MPY: soft reboot\r\n")
                    self._pid, self._board = self._power_on()
            if self._host in ready:
                data = os.read(self._host, 256)
                from_host += len(data)
                if self.cut_after is not None and from_host >= self.cut_after:
                    os.close(self._device)
                    os.close(self._host)
                    self._host = self._device = -1
                    return
                os.write(self._board, data)

    def hold(self) -> int:
        """Have the port open elsewhere, as a terminal would; returns the descriptor."""
        fd = os.open(self.port, os.O_RDWR | os.O_NOCTTY)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return fd

    def close(self) -> None:
        """Power off."""
        os.write(self._stop_w, b"x")
        self._thread.join()
        for fd in (self._host, self._device, self._stop_r, self._stop_w):
            if fd >= 0:
                os.close(fd)
        os.kill(self._pid, signal.SIGKILL)
        os.close(self._board)
        os.waitpid(self._pid, 0)
