"""Put compiled functions into the board's flash, and tell the board where they are.

A MicroPython function is four words: its type, its globals, the address of its bytecode, the address of its
constants. The start script makes such an object from an empty function and, with machine.mem32, points it at flash;
after that nothing differs from a function that was compiled on the board. The octets live at the end of the file
system's region, below its last page. The file system takes whatever starts a chunk of 128 octets for a marker; any
but the few that mean "free" or "file" make it leave the chunk alone.
"""

import ast
from collections.abc import Sequence

from cabinwatch.board.build.bytecode import NotCovered
from cabinwatch.board.build.compiler import Compiler
from cabinwatch.board.build.program import PlacedFunction

MAKE = "function"  # the start script's maker of functions: MAKE(bytecode address, constants address)
PAGE = 1024
CHUNK = 128
_TELLING = (0, 253, 254, 255)  # freed, persistent page, start of a file, unused
_FILL = 1  # reads as a later chunk of some file


class Flash:
    """Octets placed upwards from ``base``, which is the start of a page."""

    def __init__(self, base: int) -> None:
        self.base = base
        self.octets = bytearray()

    def place(self, data: bytes, align: int = 1) -> int:
        """Place ``data`` at the next address where no octet of it that starts a chunk is a telling one."""
        while len(self.octets) % align or self._tells(data):
            self.octets.append(_FILL)
        address = self.base + len(self.octets)
        self.octets += data
        return address

    def _tells(self, data: bytes) -> bool:
        first = -len(self.octets) % CHUNK
        return any(octet in _TELLING for octet in data[first::CHUNK])

    def pages(self) -> bytes:
        """All octets, filled up to whole pages."""
        return bytes(self.octets) + bytes([_FILL]) * (-len(self.octets) % PAGE)


class Placer:
    """Replaces function definitions by assignments of functions in flash, and says which it had to leave."""

    def __init__(self, flash: Flash, compiler: Compiler) -> None:
        self.flash, self.compiler = flash, compiler
        self.left: dict[str, str] = {}
        self.bare = ""

    def body(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        """The same top-level statements, with functions and methods taken from flash where they can be."""
        program = self.compiler.program
        out: list[ast.stmt] = []
        for stmt in body:
            if isinstance(stmt, ast.FunctionDef):
                out += self._function(program.functions[stmt.name], ast.Name(stmt.name, ast.Store()))
            elif isinstance(stmt, ast.ClassDef):
                out += self._class(stmt)
            else:
                out.append(stmt)
        return out

    def _class(self, node: ast.ClassDef) -> list[ast.stmt]:
        kept: list[ast.stmt] = []
        late: list[ast.stmt] = []
        for inner in node.body:
            if isinstance(inner, ast.FunctionDef):
                method = self.compiler.program.classes[node.name].methods[inner.name]
                target = ast.Attribute(ast.Name(node.name, ast.Load()), inner.name, ast.Store())
                placed = self._function(method, target)
                (kept if inner in placed else late).extend(placed)
            else:
                kept.append(inner)
        if not (kept or late or node.bases):
            # Nothing is left of it but that it has objects: any other of that kind will do, and spares 144 octets.
            if self.bare:
                return [ast.Assign([ast.Name(node.name, ast.Store())], ast.Name(self.bare, ast.Load()))]
            self.bare = node.name
        return [ast.ClassDef(node.name, node.bases, node.keywords, kept or [ast.Pass()], []), *late]

    def _function(self, function: PlacedFunction, target: ast.expr) -> list[ast.stmt]:
        """``target = MAKE(...)``; nothing where all callers contain it; the definition where it is not covered."""
        try:
            code = self.compiler.compile(function)
        except NotCovered as reason:
            self.left[function.node.name] = str(reason)
            return [function.node]
        if not self.compiler.program.needed(function, self.compiler.dissolved(function) is not None):
            return []
        words = b"".join(word.to_bytes(4, "little") for word in code.constants)
        constants = self.flash.place(words, 4) if words else 0
        addresses: list[ast.expr] = [ast.Constant(self.flash.place(code.bytecode)), ast.Constant(constants)]
        return [ast.Assign([target], ast.Call(ast.Name(MAKE, ast.Load()), addresses, []))]
