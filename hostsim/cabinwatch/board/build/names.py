"""Names that cost the board nothing.

MicroPython interns every identifier it compiles. One that the image already holds in flash is free; any other takes
heap for good, 8 octets and more. So each name of ours is replaced, one for one, by a name that the image happens to
know (PITCHFORK, ba_ding) and the firmware does not use. A name that the image knows and the firmware uses stays
what it is, which is also why names of the board's own modules (uart.any, sleep_ms) come through untouched. The
names that are used most get the lowest indices: below 128 a reference is one octet shorter.
"""

import ast
import keyword
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from cabinwatch.board.build.flatten import identifiers

_SHORT_INDEX = 128  # a reference to a name below this index is one octet of bytecode, otherwise two
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


def choose(trees: Iterable[ast.AST], known: Sequence[str], reserved: Iterable[str]) -> dict[str, str]:
    """Map each identifier in ``trees`` that the image does not know to one that it does.

    :param known: the image's interned strings in index order, as from :func:`interned`.
    :param reserved: names never to be given away, such as those that the start script uses.
    """
    counts = Counter(name for tree in trees for name in identifiers(tree))
    taken = {*counts, *reserved, *keyword.kwlist}
    free = [name for name in known if _IDENTIFIER.match(name) and name not in taken]
    index = {name: i for i, name in enumerate(known)}
    ours = sorted(
        (n for n in counts if n not in index and not n.startswith("__")), key=lambda n: (-counts[n], n)
    )
    short = [name for name in free if index[name] < _SHORT_INDEX - 1]
    rest = sorted(free[len(short) :], key=lambda n: (len(n), index[n]))
    shared = [name for name in ours if name.startswith("_l")]  # locals: their index is in no bytecode
    lasting = [name for name in ours if not name.startswith("_l")]
    chosen = dict(zip(lasting, short, strict=False))
    left = [*shared, *lasting[len(short) :]]
    return chosen | dict(zip(left, [*rest, *short[len(lasting) :]], strict=False))


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
