"""Names that cost the board nothing.

MicroPython interns every identifier it compiles. One that the image already holds in flash is free; any other takes
heap for good, 8 octets and more. So each name of ours is replaced, one for one, by a name that the image happens to
know (PITCHFORK, ba_ding) and the firmware does not use. A name that the image knows and the firmware uses stays
what it is, which is also why names of the board's own modules (uart.any, sleep_ms) come through untouched.

A reference to a name whose index is below 128 is one octet shorter: those go to the names used most. An object's
attributes lie in a hash table that is nearly full, and a method is sought there first: so the names of one class are
chosen for places of their own, and those of methods for free ones.
"""

import ast
import keyword
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cabinwatch.board.build.flatten import identifiers

_SHORT_INDEX = 128  # a reference to a name below this index is one octet of bytecode, otherwise two
_TABLE_SIZES = (1, 2, 4, 6, 8, 10, 12, 17, 23, 29, 37, 47, 59, 73, 97, 127, 167, 223)
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z", re.ASCII)


def interned(flash: bytes) -> list[str]:
    """The strings that a MicroPython image holds interned, in index order, found by their shape.

    The table is the longest run of 32-bit pointers to (hash, length, text, 0).
    """
    best: list[str] = []
    at = 0
    while at + 4 <= len(flash):
        run: list[str] = []
        while (text := _interned_at(flash, int.from_bytes(flash[at : at + 4], "little"))) is not None:
            run.append(text)
            at += 4
        best = max(best, run, key=len)
        at += 4
    return best


def _interned_at(flash: bytes, pointer: int) -> str | None:
    if not 0 < pointer < len(flash) - 3:
        return None
    end = pointer + 2 + flash[pointer + 1]
    text = flash[pointer + 2 : end]
    if end >= len(flash) or flash[end] or not text.isascii():
        return None
    return text.decode("ascii") if flash[pointer] == string_hash(text) else None


def string_hash(text: bytes) -> int:
    """The low octet of DJB2 with exclusive or; never 0, which means that it is not known."""
    djb2 = 5381 & 0xFF
    for octet in text:
        djb2 = (djb2 * 33 ^ octet) & 0xFF
    return djb2 or 1


def choose(
    trees: Iterable[ast.AST], known: Sequence[str], reserved: Iterable[str], anew: Iterable[str] = ()
) -> dict[str, str]:
    """Map each identifier in ``trees`` that the image does not know to one that it does.

    :param known: the image's interned strings in index order, as from :func:`interned`.
    :param reserved: names never to be given away, such as those that the start script uses.
    :param anew: names that the image knows, and that get another all the same, as do those of our attributes; a short
        one, since the start script spells it.
    """
    trees, anew = [*trees], {*anew}
    counts = Counter(name for tree in trees for name in identifiers(tree))
    taken = {*counts, *reserved, *keyword.kwlist}
    index = {name: i for i, name in enumerate(known, 1)}
    free = sorted((n for n in known if _IDENTIFIER.match(n) and n not in taken), key=index.__getitem__)
    tables = _tables(trees)
    renamed = anew.union(*(table.attributes for table in tables))
    ours = sorted(
        (n for n in counts if (n not in index or n in renamed) and not n.startswith("__")),
        key=lambda n: (-counts[n], n),
    )
    kinds = (
        [name for name in ours if name in anew],
        [name for name in ours if any(name in table.attributes for table in tables)],
        [name for name in ours if any(name in table.methods for table in tables)],
        ours,
    )
    chosen: dict[str, str] = {}
    shared = [name for name in ours if name.startswith("_l")]  # locals: their index is in no bytecode
    short = sum(index[name] < _SHORT_INDEX for name in free)
    often = {*[name for name in ours if name not in shared][:short]}
    for name in dict.fromkeys(name for kind in kinds for name in kind if name not in shared):
        holding = [table for table in tables if name in table.attributes or name in table.methods]

        def cost(other: str, name: str = name, holding: Sequence[_Table] = holding) -> tuple[int, ...]:
            full = sum(table.place(other) in table.taken for table in holding)
            spelt = len(other) if name in anew else 0
            return (index[other] < _SHORT_INDEX) != (name in often), full, spelt, index[other]

        chosen[name] = best = min(free, key=cost)
        free.remove(best)
        for table in holding:
            if name in table.attributes:
                table.taken.add(table.place(best))
    return chosen | dict(zip(shared, sorted(free, key=lambda n: (len(n), index[n])), strict=False))


@dataclass
class _Table:
    """What the objects of a class keep, by name, in a hash table of ``size`` places; and what is not found there."""

    attributes: set[str]
    methods: set[str]
    taken: set[int] = field(default_factory=set)

    @property
    def size(self) -> int:
        """MicroPython's sizes, from one to the next as a table grows."""
        return next(size for size in _TABLE_SIZES if size >= len(self.attributes))

    def place(self, name: str) -> int:
        return string_hash(name.encode()) % self.size


def _tables(trees: Iterable[ast.AST]) -> list[_Table]:
    """A table for each class on which no other is based."""
    found: dict[str, _Table] = {}
    bases: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        methods = [inner for inner in node.body if isinstance(inner, ast.FunctionDef)]
        table = _Table(set(), {method.name for method in methods})
        for method in methods:
            table.attributes |= {
                n.attr
                for n in ast.walk(method)
                if isinstance(n, ast.Attribute)
                and isinstance(n.ctx, ast.Store)
                and isinstance(n.value, ast.Name)
                and n.value.id == method.args.args[0].arg
            }
        for base in (base.id for base in node.bases if isinstance(base, ast.Name) and base.id in found):
            bases.add(base)
            table.attributes |= found[base].attributes
            table.methods |= found[base].methods
        found[node.name] = table
    return [table for name, table in found.items() if name not in bases and table.attributes]


class Renamer(ast.NodeTransformer):
    """Apply a one-for-one renaming to every identifier."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit(self, node: ast.AST) -> ast.AST:
        names = self.names
        match node:
            case ast.Name():
                node.id = names.get(node.id, node.id)
            case ast.Attribute():
                node.attr = names.get(node.attr, node.attr)
            case ast.arg():
                node.arg = names.get(node.arg, node.arg)
            case ast.FunctionDef() | ast.ClassDef():
                node.name = names.get(node.name, node.name)
            case ast.keyword(arg=str(name)):
                node.arg = names.get(name, name)
            case ast.ExceptHandler(name=str(name)):
                node.name = names.get(name, name)
            case ast.Global() | ast.Nonlocal():
                node.names = [names.get(name, name) for name in node.names]
            case ast.alias(asname=str(name)):
                node.asname = names.get(name, name)
            case _:
                pass
        self.generic_visit(node)
        return node
