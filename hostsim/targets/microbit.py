"""The emulated micro:bit as a target: in lock-step with the host's time, or live over its UART."""

from functools import cache

from hostsim.board.image import Image, build_image
from hostsim.board.qemu import BoardError, Qemu
from hostsim.targets.lockstep import RECORD, boot_due, start_over
from hostsim.targets.storage import Storage
from protocol.table import RX_MAX, Reset

FREE_HEAP = 0x81


@cache
def _image(port: str, role: str = "monitor") -> Image:
    return build_image(role=role, port=port)


class MicrobitTarget:
    """The firmware on a micro:bit in QEMU, in lock-step: only the image's port chunks differ from a board's.

    The target protocol of :mod:`hostsim.targets.base`; also a context manager.
    """

    name = "microbit"

    def __init__(self, image: Image | None = None, role: str = "monitor") -> None:
        self._chosen = image
        self._role = role
        self._qemu: Qemu | None = None
        self._pending = bytearray()
        self._frames = bytearray()
        self.storage = Storage()

    def start(self) -> tuple[bytes, int]:
        """Power the board on; its boot output and wake_ms.

        :raises SetupError: QEMU or the pip extra is missing. :raises BoardError: the firmware did not come up.
        """
        self.close()
        image = self._chosen or _image("lockstep", self._role)
        self._qemu = Qemu(image.hex, explain=image.explain)
        while not (first := self._take(1))[0]:
            pass  # the UART sends an octet 00 when it is switched on; an answer with a boot event never begins so
        self._pending[:0] = first
        return self._answer()

    def step(self, elapsed_ms: int, rx: bytes) -> tuple[bytes, int]:
        """Let elapsed_ms pass on the board and give it rx (at most 48 octets); its output and wake_ms."""
        if len(rx) > RX_MAX:
            raise ValueError(f"at most {RX_MAX} octets a step, not {len(rx)}")
        self._board.send(bytes([len(rx)]) + elapsed_ms.to_bytes(4, "big") + rx)
        return self._answer()

    def reset(self) -> tuple[bytes, int]:
        """Reset the firmware from outside (boot cause 3); its output and wake_ms."""
        return self.restart(Reset.EXTERNAL)

    def restart(self, cause: Reset) -> tuple[bytes, int]:
        """Boot the firmware for that cause, with what storage holds; its output and wake_ms."""
        start_over(self.storage, cause, self._board.send, lambda: self._take(1))
        return self._answer()

    def free_heap(self) -> int:
        """Octets of heap free on the board, after a collection."""
        self._board.send(bytes([FREE_HEAP]))
        return int.from_bytes(self._take(4), "big")

    def close(self) -> None:
        """Power the board off."""
        if self._qemu is not None:
            self._qemu.close()
        self._qemu = None
        self._pending.clear()

    @property
    def _board(self) -> Qemu:
        if self._qemu is None:
            raise BoardError("the board is not powered: call start()")
        return self._qemu

    def _answer(self) -> tuple[bytes, int]:
        self._frames.clear()
        try:
            while length := self._take(1)[0]:
                if length == RECORD:
                    self.storage.write(self._take(self._take(1)[0]))
                    continue
                frame = self._take(length)
                if length > 63 or frame[0]:  # not a frame: text, so the REPL
                    self._board.check(bytes([length]) + frame + bytes(self._pending))
                if not self.storage.down:
                    self._frames += frame
            wake = int.from_bytes(self._take(4), "big")
        except BoardError:
            self._board_text()
            raise
        cause = boot_due(self.storage, wake)
        tx = bytes(self._frames)
        if cause is None:
            return tx, wake
        boot, wake = self.restart(cause)
        return tx + boot, wake

    def _board_text(self) -> None:
        """A board that stopped in the middle of an answer may have said why."""
        if self._qemu is not None:
            self._qemu.check(bytes(self._frames) + bytes(self._pending))

    def _take(self, count: int) -> bytes:
        while len(self._pending) < count:
            self._pending += self._board.receive()
        taken = bytes(self._pending[:count])
        del self._pending[:count]
        return taken

    def __enter__(self) -> "MicrobitTarget":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class MicrobitLive:
    """The unchanged image in QEMU in real time, to be used like a board on USB: open ``url`` with pyserial.

    The board starts when the port is opened. ``SetupError`` where QEMU or the pip extra is missing.
    """

    name = "microbit-live"

    def __init__(self, image: Image | None = None) -> None:
        image = image or _image("uart")
        self.explain = image.explain
        self._qemu = Qemu(image.hex, explain=image.explain, serve=True)
        self.url = self._qemu.url

    def reset_board(self) -> None:
        """Reset the board from outside, as its reset button does."""
        self._qemu.press_reset()

    def check(self, heard: bytes) -> None:
        """Raise :class:`BoardError` with the text where ``heard`` shows the REPL or a traceback, not frames."""
        self._qemu.check(heard)

    def stderr(self) -> str:
        """What QEMU has said on its standard error."""
        return self._qemu.stderr()

    def close(self) -> None:
        """Power the board off."""
        self._qemu.close()

    def __enter__(self) -> "MicrobitLive":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
