"""Expressions of the firmware's subset: integers, names, attributes, subscripts, operators, calls by position."""

import ast
from collections.abc import Callable

from cabinwatch.board.build.bytecode import (
    BINARIES,
    BINARY,
    BUILD_LIST,
    BUILD_SLICE,
    BUILD_TUPLE,
    CALL_FUNCTION,
    CALL_METHOD,
    COMPARISONS,
    DUP_TOP,
    JUMP,
    JUMP_IF_FALSE,
    JUMP_IF_FALSE_OR_POP,
    JUMP_IF_TRUE,
    JUMP_IF_TRUE_OR_POP,
    LOAD_ATTR,
    LOAD_FALSE,
    LOAD_GLOBAL,
    LOAD_METHOD,
    LOAD_NONE,
    LOAD_STRING,
    LOAD_SUBSCR,
    LOAD_TRUE,
    POP_TOP,
    ROT_THREE,
    ROT_TWO,
    UNARIES,
    UNARY,
    Assembler,
    NotCovered,
    unsigned,
)
from cabinwatch.board.build.flatten import integer


class Expressions(Assembler):
    """Compiles expressions; what is compiled into the place of a call, and loops, are the subclass's."""

    slots: dict[str, int | ast.Constant]

    def dissolve(self, call: ast.Call, wanted: bool) -> bool:
        """Compile the called function here, if that is to be."""
        raise NotImplementedError

    def range_loop(self, target: ast.expr, iterable: ast.expr, body: Callable[[], None]) -> None:
        """Compile a for loop over a range."""
        raise NotImplementedError

    def drop(self, node: ast.expr) -> None:
        """Compile an expression for its effect alone."""
        self.expression(node)
        self.emit(-1, POP_TOP)

    def expression(self, node: ast.expr) -> None:
        value = integer(node)
        if value is not None:
            self.small_int(value)
            return
        match node:
            case ast.Constant(value=None | True | False):
                self.emit(1, {None: LOAD_NONE, True: LOAD_TRUE, False: LOAD_FALSE}[node.value])  # type: ignore[index]
            case ast.Name(id=name) if isinstance(slot := self.slots.get(name), ast.Constant):
                self.expression(slot)
            case ast.Name(id=name) if isinstance(slot := self.slots.get(name), int):
                self.load_slot(slot)
            case ast.Name(id=name):
                self.emit(1, LOAD_GLOBAL, unsigned(self.name(name)))
            case ast.Attribute(value=inner, attr=attr):
                self.expression(inner)
                self.emit(0, LOAD_ATTR, unsigned(self.name(attr)))
            case ast.Subscript(value=inner, slice=ast.Slice(lower=lower, upper=upper, step=None)):
                self.expression(inner)
                self.expression(lower or ast.Constant(None))
                self.expression(upper or ast.Constant(None))
                self.emit(-1, BUILD_SLICE, unsigned(2))
                self.emit(-1, LOAD_SUBSCR)
            case ast.Subscript(value=inner, slice=index):
                self.expression(inner)
                self.expression(index)
                self.emit(-1, LOAD_SUBSCR)
            case ast.Constant(value=str(text)):
                self.emit(1, LOAD_STRING, unsigned(self.name(text)))
            case ast.ListComp():
                self.comprehension(node)
            case ast.UnaryOp(op=op, operand=operand):
                self.expression(operand)
                self.emit(0, UNARY + UNARIES[type(op)])
            case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARIES:
                self.expression(left)
                self.expression(right)
                self.emit(-1, BINARY + BINARIES[type(op)])
            case ast.Compare():
                self.comparison(node)
            case ast.BoolOp(op=op, values=values):
                end = self.label()
                for inner in values[:-1]:
                    self.expression(inner)
                    self.jump(
                        -1, JUMP_IF_TRUE_OR_POP if isinstance(op, ast.Or) else JUMP_IF_FALSE_OR_POP, end
                    )
                self.expression(values[-1])
                self.here(end)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                other, end = self.label(), self.label()
                self.condition(test, False, other)
                self.expression(body)
                self.jump(-1, JUMP, end)
                self.here(other)
                self.expression(orelse)
                self.here(end)
            case ast.Call():
                if not self.dissolve(node, wanted=True):
                    self.call(node)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                for element in elements:
                    self.expression(element)
                opcode = BUILD_LIST if isinstance(node, ast.List) else BUILD_TUPLE
                self.emit(1 - len(elements), opcode, unsigned(len(elements)))
            case _:
                raise NotCovered(type(node).__name__)

    def comparison(self, node: ast.Compare) -> None:
        if any(type(op) not in COMPARISONS for op in node.ops):
            raise NotCovered("a comparison")
        self.expression(node.left)
        fail, end = self.label(), self.label()
        for op, right in zip(node.ops[:-1], node.comparators, strict=False):
            self.expression(right)
            self.emit(1, DUP_TOP)
            self.emit(0, ROT_THREE)
            self.emit(-1, BINARY + COMPARISONS[type(op)])
            self.jump(-1, JUMP_IF_FALSE_OR_POP, fail)
        self.expression(node.comparators[-1])
        self.emit(-1, BINARY + COMPARISONS[type(node.ops[-1])])
        if len(node.ops) > 1:
            self.jump(0, JUMP, end)
            self.here(fail)
            self.depth += 1
            self.emit(0, ROT_TWO)
            self.emit(-1, POP_TOP)
            self.here(end)

    def condition(self, test: ast.expr, when: bool, label: int) -> None:
        """Jump to ``label`` when the truth of ``test`` is ``when``; fall through otherwise."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self.condition(operand, not when, label)
            case ast.BoolOp(op=op, values=values) if isinstance(op, ast.Or) == when:
                for value in values:
                    self.condition(value, when, label)
            case ast.BoolOp(values=values):
                past = self.label()
                for value in values[:-1]:
                    self.condition(value, not when, past)
                self.condition(values[-1], when, label)
                self.here(past)
            case _:
                self.expression(test)
                self.jump(-1, JUMP_IF_TRUE if when else JUMP_IF_FALSE, label)

    def call(self, node: ast.Call) -> None:
        if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            raise NotCovered("a call by keyword")
        count = unsigned(len(node.args))
        method = isinstance(node.func, ast.Attribute)
        if isinstance(node.func, ast.Attribute):
            self.expression(node.func.value)
            self.emit(1, LOAD_METHOD, unsigned(self.name(node.func.attr)))
        else:
            self.expression(node.func)
        for argument in node.args:
            self.expression(argument)
        if method:
            self.emit(-len(node.args) - 1, CALL_METHOD, count)
        else:
            self.emit(-len(node.args), CALL_FUNCTION, count)

    def comprehension(self, node: ast.ListComp) -> None:
        """A list comprehension over a range, as the loop that it stands for."""
        if (
            len(node.generators) != 1
            or node.generators[0].ifs
            or not isinstance(node.generators[0].target, ast.Name)
        ):
            raise NotCovered("a list comprehension of this form")
        generator, before, outer = node.generators[0], self.free, self.slots
        variable, made = node.generators[0].target, ast.Name(f" {self.free}", ast.Load())
        self.emit(1, BUILD_LIST, unsigned(0))
        slot = self.slot()
        self.slots = {**outer, made.id: slot, variable.id: self.slot()}
        self.store_slot(slot)
        append = ast.Call(ast.Attribute(made, "append", ast.Load()), [node.elt], [])
        self.range_loop(variable, generator.iter, lambda: self.drop(append))
        self.expression(made)
        self.slots, self.free = outer, before
