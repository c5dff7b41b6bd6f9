"""The bytecode of MicroPython 1.9.2 as the micro:bit runs it: its operations, and an assembler for one function.

Compiled on the board, the firmware would fill the heap twice over; compiled here, its bytecode stays in flash (see
cabinwatch.board.build.place) and costs no RAM. The board's own compiler is the judge of this one: a test has it
compile the same functions, and compares instruction by instruction.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SMALL_INT_MAX = (1 << 30) - 1

LOAD_FALSE, LOAD_NONE, LOAD_TRUE, LOAD_SMALL_INT, LOAD_STRING = 0x10, 0x11, 0x12, 0x14, 0x16
LOAD_NULL, LOAD_FAST, LOAD_GLOBAL, LOAD_ATTR, LOAD_METHOD, LOAD_SUBSCR = 0x18, 0x19, 0x1C, 0x1D, 0x1E, 0x21
STORE_FAST, STORE_GLOBAL, STORE_ATTR, STORE_SUBSCR = 0x22, 0x25, 0x26, 0x27
DUP_TOP, DUP_TOP_TWO, POP_TOP, ROT_TWO, ROT_THREE = 0x30, 0x31, 0x32, 0x33, 0x34
JUMP, JUMP_IF_TRUE, JUMP_IF_FALSE, JUMP_IF_TRUE_OR_POP, JUMP_IF_FALSE_OR_POP = 0x35, 0x36, 0x37, 0x38, 0x39
BUILD_TUPLE, BUILD_LIST, BUILD_SLICE, RETURN, CALL_FUNCTION, CALL_METHOD = 0x50, 0x51, 0x58, 0x5B, 0x64, 0x66
SMALL_INT_0, LOAD_FAST_0, STORE_FAST_0, UNARY, BINARY = 0x80, 0xB0, 0xC0, 0xD0, 0xD7
_SLOTS = {LOAD_FAST: LOAD_FAST_0, STORE_FAST: STORE_FAST_0}
LABEL = -1  # no operation: a place that is jumped to
IN_PLACE = 13  # from a binary operator to its in-place form
END_OF_CELLS = 0xFF
_FILE = "<string>"  # what a traceback says instead of a file

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


@dataclass(frozen=True)
class Operation:
    """One operation, with what it needs of these: an encoded argument, the label of a jump, the slot of a local."""

    opcode: int
    argument: bytes = b""
    label: int = -1
    slot: int = -1

    def octets(self) -> int:
        """Its length."""
        if self.opcode == LABEL:
            return 0
        return 3 if self.label >= 0 else len(self.encoded())

    def encoded(self) -> bytes:
        """Its octets; those of a jump are not known here."""
        if self.opcode in _SLOTS and self.slot < 16:
            return bytes([_SLOTS[self.opcode] + self.slot])
        return bytes([self.opcode]) + (unsigned(self.slot) if self.slot >= 0 else self.argument)


class Assembler:
    """The operations of one function as they grow, with the depth of its stack and its local slots.

    ``names`` maps each name to the index of the interned string.
    """

    def __init__(self, names: Mapping[str, int]) -> None:
        self.names = names
        self.free = 0
        self.out: list[Operation] = []
        self.depth = self.deepest = 0
        self.labels = 0

    def slot(self) -> int:
        self.free += 1
        return self.free - 1

    def name(self, name: str) -> int:
        try:
            return self.names[name]
        except KeyError:
            raise NotCovered(f"the name {name}") from None

    def emit(
        self, effect: int, opcode: int, argument: bytes = b"", *, label: int = -1, slot: int = -1
    ) -> None:
        self.out.append(Operation(opcode, argument, label, slot))
        self.depth += effect
        self.deepest = max(self.deepest, self.depth)

    def label(self) -> int:
        self.labels += 1
        return self.labels - 1

    def here(self, label: int) -> None:
        self.out.append(Operation(LABEL, label=label))

    def jump(self, effect: int, opcode: int, label: int) -> None:
        self.emit(effect, opcode, label=label)

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
        self.emit(1, LOAD_FAST, slot=slot)

    def store_slot(self, slot: int) -> None:
        """Pop into a local."""
        self.emit(-1, STORE_FAST, slot=slot)

    def finish(self, name: str, arguments: list[str], operations: Sequence[Operation]) -> Code:
        """The octets of the operations, with the prelude in front."""
        places: dict[int, int] = {}
        size = 0
        for one in operations:
            if one.opcode == LABEL:
                places[one.label] = size
            size += one.octets()
        out = bytearray()
        for one in operations:
            if one.opcode == LABEL:
                continue
            out += one.encoded()
            if one.label >= 0:
                out += (places[one.label] - len(out) - 2 + 0x8000).to_bytes(2, "little")
        info = unsigned(self.name(name)) + unsigned(self.name(_FILE)) + b"\0"  # no line numbers
        slots = max([len(arguments), *(one.slot + 1 for one in operations)])
        prelude = unsigned(slots + self.deepest) + bytes([0, 0, len(arguments), 0, 0, len(info) + 1]) + info
        words = tuple(name_object(self.name(argument)) for argument in arguments)
        return Code(prelude + bytes([END_OF_CELLS]) + bytes(out), words)
