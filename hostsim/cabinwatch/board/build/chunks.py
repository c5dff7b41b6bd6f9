"""Cut flattened code into pieces that a micro:bit can compile.

What kills a board with 9.4 KB of heap is compiling, not holding: the parse tree of one file of 2.8 KB does not fit.
So each piece is small, and a class too big for one piece is finished by later ones that attach the other methods to
it.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence

from cabinwatch.board.build.flatten import BuildError

LIMIT = 700  # octets of source in a chunk, if it can be cut to that
HARD_LIMIT = (
    1100  # of a single function: beyond this the board cannot compile it beside the rest of the firmware
)


def cut(
    body: Sequence[ast.stmt],
    printer: Callable[[ast.Module], str],
    longest: int | None = HARD_LIMIT,
    names: Mapping[str, str] | None = None,
) -> list[str]:
    """Cut top-level statements into chunks of source of at most LIMIT octets, in order.

    :param longest: the most octets of a chunk that cannot be cut further; None: any.
    :param names: the source's names to those in ``body``, for the message.
    :raises BuildError: one function alone is longer than ``longest``.
    """
    chunks: list[str] = []
    pending: list[ast.stmt] = []
    for unit in _units(body, lambda stmts: len(_print(stmts, printer)) <= LIMIT):
        if pending and len(_print([*pending, *unit], printer)) > LIMIT:
            chunks.append(_print(pending, printer))
            pending = []
        pending += unit
        size = len(_print(unit, printer))
        if longest is not None and size > longest:
            back = {new: old for old, new in (names or {}).items()}
            name = back.get(_name(unit), _name(unit))
            raise BuildError(f"{name}: {size} octets minified, too many for the board to compile; split it")
    if pending:
        chunks.append(_print(pending, printer))
    return chunks


def _print(stmts: Sequence[ast.stmt], printer: Callable[[ast.Module], str]) -> str:
    return printer(ast.fix_missing_locations(ast.Module(list(stmts), [])))


def _name(unit: Sequence[ast.stmt]) -> str:
    return next((s.name for s in unit if isinstance(s, ast.FunctionDef | ast.ClassDef)), "a statement")


def _units(body: Sequence[ast.stmt], fits: Callable[[Sequence[ast.stmt]], bool]) -> Iterator[list[ast.stmt]]:
    """Yield what must stay together: a statement, a class, or its head and then each further method."""
    for stmt in body:
        if not isinstance(stmt, ast.ClassDef) or fits([stmt]):
            yield [stmt]
            continue
        head: list[ast.stmt] = []
        late: list[ast.FunctionDef] = []
        for inner in stmt.body:
            if not head or not isinstance(inner, ast.FunctionDef):
                head.append(inner)
            else:
                late.append(inner)
        yield [ast.ClassDef(stmt.name, stmt.bases, stmt.keywords, head, [])]
        for method in late:
            yield _attach(method, stmt.name)


def _attach(method: ast.FunctionDef, owner: str) -> list[ast.stmt]:
    """``def f(self): ...``, ``Owner.f = f``, ``del f``."""
    target = ast.Attribute(ast.Name(owner, ast.Load()), method.name, ast.Store())
    assign = ast.Assign([target], ast.Name(method.name, ast.Load()))
    return [method, assign, ast.Delete([ast.Name(method.name, ast.Del())])]
