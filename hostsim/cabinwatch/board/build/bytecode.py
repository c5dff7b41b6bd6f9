"""The bytecode of MicroPython 1.9.2 as the micro:bit runs it: its operations, and an assembler for one function.

Compiled on the board, the firmware would fill the heap twice over; compiled here, its bytecode stays in flash (see
cabinwatch.board.build.place) and costs no RAM. The board's own compiler is the judge of this one: a test has it
compile the same functions, and compares instruction by instruction.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

SMALL_INT_MAX = (1 << 30) - 1

LOAD_FALSE, LOAD_NONE, LOAD_TRUE, LOAD_SMALL_INT, LOAD_STRING = 0x10, 0x11, 0x12, 0x14, 0x16
LOAD_NULL, LOAD_FAST, LOAD_GLOBAL, LOAD_ATTR, LOAD_METHOD, LOAD_SUBSCR = 0x18, 0x19, 0x1C, 0x1D, 0x1E, 0x21
STORE_FAST, STORE_GLOBAL, STORE_ATTR, STORE_SUBSCR = 0x22, 0x25, 0x26, 0x27
DUP_TOP, DUP_TOP_TWO, POP_TOP, ROT_TWO, ROT_THREE = 0x30, 0x31, 0x32, 0x33, 0x34
JUMP, JUMP_IF_TRUE, JUMP_IF_FALSE, JUMP_IF_TRUE_OR_POP, JUMP_IF_FALSE_OR_POP = 0x35, 0x36, 0x37, 0x38, 0x39
BUILD_TUPLE, BUILD_LIST, BUILD_SLICE, RETURN, CALL_FUNCTION, CALL_METHOD = 0x50, 0x51, 0x58, 0x5B, 0x64, 0x66
SMALL_INT_0, LOAD_FAST_0, STORE_FAST_0, UNARY, BINARY = 0x80, 0xB0, 0xC0, 0xD0, 0xD7
IN_PLACE = 13  # from a binary operator to its in-place form
END_OF_CELLS = 0xFF

BINARIES: dict[type[ast.operator], int] = {
    ast.BitOr: 0, ast.BitXor: 1, ast.BitAnd: 2, ast.LShift: 3, ast.RShift: 4, ast.Add: 5, ast.Sub: 6, ast.Mult: 7,
    ast.FloorDiv: 8, ast.Mod: 10,
}  # fmt: skip
COMPARISONS: dict[type[ast.cmpop], int] = {
    ast.Lt: 25, ast.Gt: 26, ast.Eq: 27, ast.LtE: 28, ast.GtE: 29, ast.NotEq: 30, ast.In: 31, ast.Is: 32,
}  # fmt: skip
UNARIES: dict[type[ast.unaryop], int] = {ast.UAdd: 3, ast.USub: 4, ast.Invert: 5, ast.Not: 6}


class NotCovered(Exception):
    """The function uses something that this compiler does not know; the board has to compile it."""


@dataclass(frozen=True)
class Code:
    """A compiled function: its bytecode with the prelude, and the words of its constant table (the argument names)."""

    bytecode: bytes
    constants: tuple[int, ...]


def name_object(index: int) -> int:
    """An interned string as an object: its index, marked by the three lowest bits."""
    return index << 3 | 6


def unsigned(value: int) -> bytes:
    """Big-endian groups of 7 bits, all but the last with the top bit set."""
    out = [value & 127]
    while value := value >> 7:
        out.append(value & 127 | 128)
    return bytes(reversed(out))


def signed(value: int) -> bytes:
    """As :func:`unsigned`, in two's complement: bit 6 of the first group is the sign."""
    out = [value & 127]
    value >>= 7
    while value not in (0, -1) or bool(out[-1] & 64) != (value < 0):
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(reversed(out))


class Assembler:
    """The octets of one function as they grow, with the depth of its stack, its local slots and its jumps.

    ``names`` maps each name to the index of the interned string.
    """

    def __init__(self, names: Mapping[str, int]) -> None:
        self.names = names
        self.free = self.most = 0
        self.out = bytearray()
        self.depth = self.deepest = 0
        self.labels: list[int] = []
        self.jumps: list[tuple[int, int]] = []

    def slot(self) -> int:
        self.free += 1
        self.most = max(self.most, self.free)
        return self.free - 1

    def name(self, name: str) -> int:
        try:
            return self.names[name]
        except KeyError:
            raise NotCovered(f"the name {name}") from None

    def emit(self, effect: int, opcode: int, argument: bytes = b"") -> None:
        self.out.append(opcode)
        self.out += argument
        self.depth += effect
        self.deepest = max(self.deepest, self.depth)

    def label(self) -> int:
        self.labels.append(-1)
        return len(self.labels) - 1

    def here(self, label: int) -> None:
        self.labels[label] = len(self.out)

    def jump(self, effect: int, opcode: int, label: int) -> None:
        self.jumps.append((len(self.out) + 1, label))
        self.emit(effect, opcode, b"\0\0")

    def small_int(self, value: int) -> None:
        """Load an integer; :class:`NotCovered` beyond 31 bits."""
        if not -SMALL_INT_MAX - 1 <= value <= SMALL_INT_MAX:
            raise NotCovered(f"the integer {value}")
        if -16 <= value <= 47:
            self.emit(1, SMALL_INT_0 + value)
        else:
            self.emit(1, LOAD_SMALL_INT, signed(value))

    def load_slot(self, slot: int) -> None:
        """Push a local."""
        if slot < 16:
            self.emit(1, LOAD_FAST_0 + slot)
        else:
            self.emit(1, LOAD_FAST, unsigned(slot))

    def store_slot(self, slot: int) -> None:
        """Pop into a local."""
        if slot < 16:
            self.emit(-1, STORE_FAST_0 + slot)
        else:
            self.emit(-1, STORE_FAST, unsigned(slot))

    def finish(self, name: str, arguments: list[str]) -> Code:
        """Resolve the jumps and put the prelude in front."""
        for at, label in self.jumps:
            self.out[at : at + 2] = (self.labels[label] - at - 2 + 0x8000).to_bytes(2, "little")
        info = unsigned(self.name(name)) + unsigned(self.name("gc")) + b"\0"  # name, "file", no line numbers
        prelude = (
            unsigned(self.most + self.deepest) + bytes([0, 0, len(arguments), 0, 0, len(info) + 1]) + info
        )
        words = tuple(name_object(self.name(argument)) for argument in arguments)
        return Code(prelude + bytes([END_OF_CELLS]) + bytes(self.out), words)
