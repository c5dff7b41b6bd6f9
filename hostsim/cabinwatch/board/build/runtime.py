"""MicroPython 1.9.2 as the first micro:bit has it in flash: its interned names, and where what we build on is.

The addresses are those of one image, which is told by its hash. On the board ``id(tuple)`` says where a type is, and
``machine.mem32`` what a class or a function is made of: a test has it say so.
"""

import hashlib
from collections.abc import Sequence

from cabinwatch.board.build.flatten import BuildError
from cabinwatch.board.build.names import interned

IMAGE_SHA256 = "8bcc6883956b498908bd1679f77c96613d3eba2a4142edca7d11ee0177bc38ab"
TYPE, TUPLE, BYTES, DICT, INT, FUNCTION = 0x2B58C, 0x2C190, 0x28D50, 0x2C110, 0x2B660, 0x2E7C8
"""The types of what is placed in flash."""
CLASS = (0xBFE1, 0xBC89, 0xC111, 0xBF55, 0xBEF9, 0x24447, 0xBE75, 0x243EF, 0, 0x2451F, 0)
"""What a class has between its name and its base: print, make, call, operators, attributes, subscripts, iteration."""
GLOBALS = 0x20002A5C
"""The namespace of the start script."""


def known_names(flash: bytes) -> Sequence[str]:
    """The strings that are interned in the runtime's flash; the first has index 1.

    :raises BuildError: it is another MicroPython than the one whose addresses are known here.
    """
    if hashlib.sha256(flash).hexdigest() != IMAGE_SHA256:
        raise BuildError(
            "the micro:bit's MicroPython is not the one that images are built for: "
            "pip install micropython-microbit-fs==0.1.2"
        )
    return tuple(interned(flash))
