"""Put the firmware's functions, classes and tables into the board's flash as the objects that they are.

Compiled on the board, they would fill the heap twice over; from flash they take none of it. MicroPython keeps objects
of its own there in just this form, and the collector leaves alone whatever lies outside the heap. The start script
takes one dictionary from there, of all that is placed by name; after that nothing differs from what the board makes.

The octets live at the end of the file system's region. The file system takes whatever starts a chunk of 128 octets for
a marker; any but the few that mean "free" or "file" make it leave the chunk alone. Its last page it keeps for data of
its own, of which there are none but the marker: that is filled first, whatever is placed below it.
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
UNUSED = 255  # that of a chunk that is free
_TELLING = {0, PERSISTENT, 254, UNUSED}  # freed, persistent page, start of a file, unused
_FILL = 1  # reads as a later chunk of some file
_DIGIT = 16  # bits of a digit of an integer that is an object


class Flash:
    """Octets placed in the last page, behind its marker, while there is room, the others from ``base`` upwards.

    ``base`` is the start of a chunk. What is left out on the way is room for later ones.
    """

    def __init__(self, base: int, last_page: int) -> None:
        self.base, self.last_page = base, last_page
        self.end = base
        self.holes = [range(last_page + 1, last_page + PAGE)]
        self.placed: list[tuple[int, bytes]] = [(last_page, bytes([PERSISTENT]))]

    def place(self, data: bytes, align: int = 1) -> int:
        """Place ``data`` at the first address where no octet of it that starts a chunk is a telling one."""
        for i, hole in enumerate(self.holes):
            address = self._address(data, align, hole.start)
            if address is not None and address + len(data) <= hole.stop:
                rest = range(hole.start, address), range(address + len(data), hole.stop)
                self.holes[i : i + 1] = [hole for hole in rest if hole]
                break
        else:
            address = self._address(data, align, self.end)
            if address is None:
                raise BuildError(
                    f"{len(data)} octets have no place in flash: they mark a chunk wherever they begin"
                )
            if address > self.end:
                self.holes.append(range(self.end, address))
            self.end = address + len(data)
        self.placed.append((address, data))
        return address

    def can_place(self, data: bytes, align: int) -> bool:
        """Whether ``data`` can be placed anywhere."""
        return self._address(data, align, 0) is not None

    def _address(self, data: bytes, align: int, first: int) -> int | None:
        """The next address from ``first`` on that will do."""
        addresses = range(first + -first % align, first + CHUNK + align, align)
        return next((at for at in addresses if not _TELLING & {*data[-at % CHUNK :: CHUNK]}), None)

    def chunks(self) -> bytes:
        """All octets from ``base`` to the end of the last page."""
        out = bytearray([_FILL]) * (self.last_page + PAGE - self.base)
        for address, data in self.placed:
            out[address - self.base : address - self.base + len(data)] = data
        return bytes(out)


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

    def functions(self, codes: Sequence[Code], named: bool) -> list[int]:
        """Functions, their octets in front, where none has to begin at a word; the names of a function's arguments, its
        last word, are looked at in calls by keyword only.
        """
        octets = [self.flash.place(code.bytecode) for code in codes]
        names = [[self.words(*code.constants)] if named else [] for code in codes]
        return [self.words(FUNCTION, GLOBALS, at, *last) for at, last in zip(octets, names, strict=True)]

    def klass(self, name: str, base: int, methods: Mapping[str, int]) -> int:
        return self.words(TYPE, self.names[name], *CLASS, base, self.table(methods) if methods else 0)

    def table(self, entries: Mapping[str, int], sought: bool = True) -> int:
        """A dictionary from names to objects: a hash table, with more free where it can be placed nowhere.

        Where something is sought in it, a third is free: what is not there is sought up to the next free entry.
        """
        size = len(entries) + (len(entries) + 1) // 2 * sought
        while not self.flash.can_place(data := _entries(entries, self.names, size), 4):
            size += 1
        # 3: all keys are names, and it is fixed
        return self.words(DICT, len(entries) << 3 | 3, size, self.flash.place(data, 4))


class Placer:
    """Takes functions, classes and tables out of the firmware and puts them into flash, where they can be."""

    def __init__(self, flash: Flash, compiler: Compiler) -> None:
        self.flash, self.compiler = flash, compiler
        self.objects = Objects(flash, compiler.names)
        self.placed: dict[str, int] = {}
        self.classes: dict[str, int] = {}
        self.methods: dict[str, dict[str, int]] = {}
        self.bare = 0

    def body(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        """What of these top-level statements the board has to execute itself."""
        left = [stmt for stmt in body if not self._place(stmt)]
        placed = [stmt for stmt in body if isinstance(stmt, ast.FunctionDef) and stmt not in left]
        self._functions(self.placed, [self.compiler.program.functions[stmt.name] for stmt in placed])
        return left

    def directory(self) -> int:
        """The dictionary of all that is placed."""
        return self.objects.table(self.placed, sought=False)

    def _place(self, stmt: ast.stmt) -> bool:
        """Whether the statement is done with."""
        program = self.compiler.program
        match stmt:
            case ast.FunctionDef(name=name):
                return program.functions[name] not in self.compiler.left
            case ast.ClassDef(name=name) if name not in self.compiler.left_classes:
                self.classes[name] = self._class(name)
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
        base = self.classes.get(found.base, 0)
        if name not in self.compiler.program.made:
            # A mere base, whose methods stand again in the tables of what has objects.
            sought = self.compiler.program.of_base[name]
            methods = {method: at for method, at in methods.items() if method in sought}
            if not methods:
                return base
        if methods or base:
            self.placed[name] = self.objects.klass(name, base, methods)
        else:
            # Nothing is left of it but that it has objects: any other of that kind will do.
            self.bare = self.bare or self.objects.klass(name, 0, {})
            self.placed[name] = self.bare
        return self.placed[name]

    def _functions(self, into: dict[str, int], functions: Iterable[PlacedFunction]) -> None:
        """Place those that are not compiled into all of their callers."""
        program, compiler = self.compiler.program, self.compiler
        needed = [f for f in functions if program.needed(f, compiler.dissolved(f) is not None)]
        placed = self.objects.functions([compiler.compile(f) for f in needed], program.by_keyword)
        into.update(zip((f.node.name for f in needed), placed, strict=True))

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
