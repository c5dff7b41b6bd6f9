"""The emulated micro:bit as a target: in lock-step with the host's time, or live over its UART."""

from functools import cache

from cabinwatch.board.build.image import Image, build_image
from cabinwatch.board.emulator.qemu import BoardError, Qemu
from cabinwatch.targets.base import Answer
from cabinwatch.targets.lockstep import LockStepStream
from cabinwatch.world.keying import Keying
from cabinwatch_protocol.table import RX_MAX

FREE_HEAP = 0x81


@cache
def _image(port: str, role: str = "monitor") -> Image:
    return build_image(role=role, port=port)


def keyed_image(keying: Keying, port: str = "uart", session: bytes = b"", role: str = "monitor") -> Image:
    """The image of a keyed node; in lock-step it needs its first ``session`` as well."""
    return build_image(role=f"keyed {role}", port=port, data={"key": keying.of_node(role) + session})


class MicrobitTarget(LockStepStream):
    """The firmware on a micro:bit in QEMU, in lock-step: only the image's port chunks differ from a board's.

    The target protocol of :mod:`cabinwatch.targets.base`; also a context manager.
    """

    name = "microbit"

    def __init__(
        self, image: Image | None = None, role: str = "monitor", keying: Keying | None = None
    ) -> None:
        super().__init__()
        self._keying = keying
        self._chosen = image
        self._role = role
        self._qemu: Qemu | None = None

    def start(self) -> Answer:
        """Power the board on; its boot output and wake_ms.

        :raises SetupError: QEMU or the pip extra is missing. :raises BoardError: the firmware did not come up.
        """
        self.close()
        if self._keying:
            self.sessions = self._keying.sessions(self._role)
            image = keyed_image(self._keying, "lockstep", next(self.sessions), self._role)
        else:
            image = self._chosen or _image("lockstep", self._role)
        self._qemu = Qemu(image.hex, explain=image.explain)
        while not (first := self._take(1))[0]:
            pass  # the UART sends an octet 00 when it is switched on; an answer with a boot event never begins so
        self._pending[:0] = first
        return self.answer()

    def step(self, elapsed_ms: int, rx: bytes) -> Answer:
        """Let elapsed_ms pass on the board and give it rx (at most 48 octets); its output and wake_ms."""
        if len(rx) > RX_MAX:
            raise ValueError(f"at most {RX_MAX} octets a step, not {len(rx)}")
        return super().step(elapsed_ms, rx)

    def free_heap(self) -> int:
        """Octets of heap free on the board, after a collection."""
        self.send(bytes([FREE_HEAP]))
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

    def answer(self) -> Answer:
        """The next answer. Raises BoardError with what the board said where it stopped in the middle of one."""
        try:
            return super().answer()
        except BoardError:
            self._board_text()
            raise

    def send(self, data: bytes) -> None:
        self._board.send(data)

    def _receive(self) -> bytes:
        return self._board.receive()

    def _check(self, head: bytes, frame: bytes) -> None:
        if head[0] > 63 or frame[0]:  # not a frame: text, so the REPL
            self._board.check(head + frame + bytes(self._pending))

    def _board_text(self) -> None:
        """A board that stopped in the middle of an answer may have said why."""
        if self._qemu is not None:
            self._qemu.check(bytes(self._frames) + bytes(self._pending))

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
