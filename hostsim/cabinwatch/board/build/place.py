"""Put the firmware's functions, classes and tables into the board's flash as the objects that they are.

Compiled on the board, they would fill the heap twice over; from flash they take none of it. MicroPython keeps objects
of its own there in just this form, and the collector leaves alone whatever lies outside the heap. The start script
takes one dictionary from there, of all that is placed by name; after that nothing differs from what the board makes.

The octets live at the end of the file system's region. The file system takes whatever starts a chunk of 128 octets for
a marker; any but the few that mean "free" or "file" make it leave the chunk alone. Its last page it keeps for data of
its own, of which there are none but the marker.
"""

import ast
from collections.abc import Iterable, Mapping, Sequence

from cabinwatch.board.build.bytecode import SMALL_INT_MAX, Code, name_object
from cabinwatch.board.build.compiler import Compiler
from cabinwatch.board.build.flatten import BuildError, integer
from cabinwatch.board.build.names import string_hash
from cabinwatch.board.build.program import PlacedFunction
from cabinwatch.board.build.runtime import BYTES, CLASS, DICT, FUNCTION, GLOBALS, INT, TUPLE, TYPE

PAGE = 1024
CHUNK = 128
PERSISTENT = 253  # the marker of that page
_TELLING = (0, PERSISTENT, 254, 255)  # freed, persistent page, start of a file, unused
_FILL = 1  # reads as a later chunk of some file
_DIGIT = 16  # bits of a digit of an integer that is an object


class Flash:
    """Octets placed upwards from ``base``, which is the start of a chunk, and around the marker of the last page."""

    def __init__(self, base: int, last_page: int) -> None:
        self.base, self.marker = base, last_page - base
        self.octets = bytearray()

    def place(self, data: bytes, align: int = 1) -> int:
        """Place ``data`` at the next address where no octet of it that starts a chunk is a telling one."""
        if len(self.octets) <= self.marker < len(self.octets) + CHUNK + len(data):
            self.octets += bytes([_FILL]) * (self.marker - len(self.octets)) + bytes([PERSISTENT])
        gap = self.gap(data, align)
        if gap is None:
            raise BuildError(
                f"{len(data)} octets have no place in flash: they mark a chunk wherever they begin"
            )
        self.octets += bytes([_FILL]) * gap
        address = self.base + len(self.octets)
        self.octets += data
        return address

    def gap(self, data: bytes, align: int) -> int | None:
        """Octets to leave out before ``data``; None where it can be placed nowhere."""
        end = len(self.octets)
        gaps = range(-end % align, CHUNK + align, align)
        return next((gap for gap in gaps if not self._tells(data, -(end + gap) % CHUNK)), None)

    def _tells(self, data: bytes, first: int) -> bool:
        return any(octet in _TELLING for octet in data[first::CHUNK])

    def chunks(self) -> bytes:
        """All octets, filled up to whole chunks."""
        return bytes(self.octets) + bytes([_FILL]) * (-len(self.octets) % CHUNK)


def _entries(entries: Mapping[str, int], names: Mapping[str, int], size: int) -> bytes:
    """The hash table of that many entries."""
    found: list[tuple[int, int]] = [(0, 0)] * size
    for name, address in entries.items():
        at = string_hash(name.encode()) % size
        while found[at][0]:
            at = (at + 1) % size
        found[at] = name_object(names[name]), address
    return b"".join(word.to_bytes(4, "little") for entry in found for word in entry)


class Objects:
    """Makes objects in flash, each of whole words; what a method returns is the object's address.

    ``names`` maps each name to the index of the interned string.
    """

    def __init__(self, flash: Flash, names: Mapping[str, int]) -> None:
        self.flash, self.names = flash, names

    def words(self, *words: int) -> int:
        return self.flash.place(b"".join(word.to_bytes(4, "little") for word in words), 4)

    def integer(self, value: int) -> int:
        """The value itself where 31 bits hold it, marked by the lowest bit; else an object of digits."""
        if abs(value) <= SMALL_INT_MAX:
            return (value << 1 | 1) & 0xFFFFFFFF
        size = -(-abs(value).bit_length() // _DIGIT)
        digits = self.flash.place(abs(value).to_bytes(2 * size, "little"), 2)
        return self.words(INT, size << 2 | 2 | (value < 0), size, digits)

    def tuple(self, values: Sequence[int]) -> int:
        return self.words(TUPLE, len(values), *(self.integer(value) for value in values))

    def bytes(self, octets: bytes) -> int:
        return self.words(BYTES, string_hash(octets), len(octets), self.flash.place(octets))

    def function(self, code: Code, named: bool) -> int:
        """A function; the names of its arguments are for calls by keyword only."""
        constants = self.words(*code.constants) if named and code.constants else 0
        return self.words(FUNCTION, GLOBALS, self.flash.place(code.bytecode), constants)

    def klass(self, name: str, base: int, methods: Mapping[str, int]) -> int:
        return self.words(TYPE, self.names[name], *CLASS, base, self.table(methods) if methods else 0)

    def table(self, entries: Mapping[str, int]) -> int:
        """A dictionary from names to objects: a hash table with a third of it free, since what is not there is sought
        up to the next free entry; with more, where that one can be placed nowhere.
        """
        size = len(entries) + (len(entries) + 1) // 2
        while self.flash.gap(data := _entries(entries, self.names, size), 4) is None:
            size += 1
        # 3: all keys are names, and it is fixed
        return self.words(DICT, len(entries) << 3 | 3, size, self.flash.place(data, 4))


class Placer:
    """Takes functions, classes and tables out of the firmware and puts them into flash, where they can be."""

    def __init__(self, flash: Flash, compiler: Compiler) -> None:
        self.flash, self.compiler = flash, compiler
        self.objects = Objects(flash, compiler.names)
        self.placed: dict[str, int] = {}
        self.methods: dict[str, dict[str, int]] = {}
        self.bare = 0

    def body(self, body: Iterable[ast.stmt]) -> list[ast.stmt]:
        """What of these top-level statements the board has to execute itself."""
        return [stmt for stmt in body if not self._place(stmt)]

    def directory(self) -> int:
        """The dictionary of all that is placed."""
        return self.objects.table(self.placed)

    def _place(self, stmt: ast.stmt) -> bool:
        """Whether the statement is done with."""
        program = self.compiler.program
        match stmt:
            case ast.FunctionDef(name=name) if program.functions[name] not in self.compiler.left:
                self._functions(self.placed, [program.functions[name]])
            case ast.ClassDef(name=name) if name not in self.compiler.left_classes:
                self.placed[name] = self._class(name)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if program.stores[name] == 1:
                address = self._constant(value)
                if not address:
                    return False
                self.placed[name] = address
            case _:
                return False
        return True

    def _class(self, name: str) -> int:
        found = self.compiler.program.classes[name]
        # A base's methods again: each class on the way to a method is one table more to seek it in.
        methods = dict(self.methods.get(found.base, {}))
        self._functions(methods, found.methods.values())
        self.methods[name] = methods
        if methods or found.base:
            if name not in self.compiler.program.made:
                # A mere base, whose methods stand again in the tables of what has objects.
                sought = self.compiler.program.of_base[name]
                methods = {method: at for method, at in methods.items() if method in sought}
            return self.objects.klass(name, self.placed.get(found.base, 0), methods)
        # Nothing is left of it but that it has objects: any other of that kind will do.
        self.bare = self.bare or self.objects.klass(name, 0, {})
        return self.bare

    def _functions(self, into: dict[str, int], functions: Iterable[PlacedFunction]) -> None:
        """Place those that are not compiled into all of their callers."""
        for function in functions:
            dissolved = self.compiler.dissolved(function) is not None
            if self.compiler.program.needed(function, dissolved):
                code = self.compiler.compile(function)
                into[function.node.name] = self.objects.function(code, self.compiler.program.by_keyword)

    def _constant(self, value: ast.expr) -> int:
        """A table of integers or octets, or a long integer; 0 where it is something else."""
        match value:
            case ast.Constant(value=bytes(octets)):
                return self.objects.bytes(octets)
            case ast.Tuple(elts=elements):
                numbers = [number for element in elements if (number := integer(element)) is not None]
                return self.objects.tuple(numbers) if len(numbers) == len(elements) else 0
        number = integer(value)
        return self.objects.integer(number) if number is not None else 0
