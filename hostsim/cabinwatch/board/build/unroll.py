"""Work out beforehand what a function does with constant arguments: a field's place and length, say, are in the call.

Loops whose end the constants decide become straight lines; what is left is compiled in the place of the call.
"""

import ast
from collections import Counter
from collections.abc import Mapping, Sequence

from cabinwatch.board.build.bytecode import SMALL_INT_MAX
from cabinwatch.board.build.flatten import integer

STATEMENTS_MAX = 8
"""Enough for a field of two octets; one of four takes 50 octets of flash in each place."""
_COMPARED = {ast.Lt: int.__lt__, ast.Gt: int.__gt__, ast.NotEq: int.__ne__}


class NotUnrolled(Exception):
    """The constants do not decide the function's course, or too much would be left."""


def unroll(body: Sequence[ast.stmt], known: Mapping[str, int]) -> list[ast.stmt]:
    """What ``body`` still has to do where these names are known. :raises NotUnrolled: see there."""
    if not any(isinstance(stmt, ast.While) for stmt in body):
        raise NotUnrolled
    evaluated = _Evaluated(known)
    evaluated.block(body)
    return _without_idle(evaluated.left)


class _Evaluated(ast.NodeTransformer):
    """``left`` are the statements that are not worked out."""

    def __init__(self, known: Mapping[str, int]) -> None:
        self.known = dict(known)
        self.left: list[ast.stmt] = []

    def block(self, body: Sequence[ast.stmt]) -> None:
        for stmt in body:
            if self.left and isinstance(self.left[-1], ast.Return):
                raise NotUnrolled
            self.statement(stmt)
            if len(self.left) > STATEMENTS_MAX:
                raise NotUnrolled

    def statement(self, stmt: ast.stmt) -> None:
        match stmt:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.assign(name, self.folded(value))
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                now = ast.BinOp(ast.Name(name, ast.Load()), op, value)
                self.assign(name, self.folded(now))
            case ast.Assign(targets=[ast.Subscript(value=owner, slice=index)], value=value):
                target = ast.Subscript(self.folded(owner), self.folded(index), ast.Store())
                self.left.append(ast.Assign([target], self.folded(value)))
            case ast.Return(value=ast.expr() as value):
                self.left.append(ast.Return(self.folded(value)))
            case ast.While(test=test, body=body, orelse=[]):
                while self.holds(test):
                    self.block(body)
            case _:
                raise NotUnrolled

    def assign(self, name: str, value: ast.expr) -> None:
        number = integer(value)
        if number is not None and abs(number) <= SMALL_INT_MAX:
            self.known[name] = number
        else:
            self.known.pop(name, None)
            self.left.append(ast.Assign([ast.Name(name, ast.Store())], value))

    def holds(self, test: ast.expr) -> bool:
        match self.folded(test):
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARED:
                one, other = integer(left), integer(right)
                if one is not None and other is not None:
                    return bool(_COMPARED[type(op)](one, other))
            case ast.expr() as value if (number := integer(value)) is not None:
                return number != 0
        raise NotUnrolled

    def folded(self, node: ast.expr) -> ast.expr:
        """A copy of an expression with what is known in it."""
        found = self.visit(ast.parse(ast.unparse(node), mode="eval").body)
        assert isinstance(found, ast.expr)
        return found

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self.known[node.id]) if node.id in self.known else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        number = integer(node)
        if number is not None and abs(number) <= SMALL_INT_MAX:
            return ast.Constant(number)
        if isinstance(node.op, ast.BitOr) and integer(node.left) == 0:
            return node.right  # an integer, as all here are
        return node


def _without_idle(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Without values that nothing takes; an attribute that is taken once is taken where it is needed."""
    out = list(body)
    while True:
        loads = Counter(
            node.id
            for stmt in out
            for node in ast.walk(stmt)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        )
        for at, stmt in enumerate(out):
            match stmt:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    later = out[at + 1 :]
                    taken = any(_loads(one, name) for one in later)
                    if not taken and not any(isinstance(node, ast.Call) for node in ast.walk(value)):
                        del out[at]
                        break
                    if isinstance(value, ast.Attribute) and loads[name] == 1:
                        out[at:] = [_Replaced(name, value).visit(one) for one in later]
                        break
        else:
            return out


def _loads(stmt: ast.stmt, name: str) -> bool:
    return any(
        isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in ast.walk(stmt)
    )


class _Replaced(ast.NodeTransformer):
    """Puts an expression in the place of a name that is read."""

    def __init__(self, name: str, value: ast.expr) -> None:
        self.name, self.value = name, value

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.value if node.id == self.name and isinstance(node.ctx, ast.Load) else node
