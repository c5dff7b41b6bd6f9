"""Compile functions of the firmware's subset to the bytecode of MicroPython 1.9.2 as the micro:bit runs it.

Compiled on the board, the firmware would fill the heap twice over; compiled here, its bytecode stays in flash (see
hostsim.board.place) and costs no RAM. Only what the firmware uses is covered: integers, attributes, subscripts, calls by
position, if, while, for over a range, list comprehensions over a range. A function with anything else is left to the board's own compiler, which is
also the judge of this one: a test has the board compile the same functions and compares octets.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hostsim.board.flatten import integer, local_names
from hostsim.board.program import Function, Program

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

_BINARY: dict[type[ast.operator], int] = {
    ast.BitOr: 0, ast.BitXor: 1, ast.BitAnd: 2, ast.LShift: 3, ast.RShift: 4, ast.Add: 5, ast.Sub: 6, ast.Mult: 7,
    ast.FloorDiv: 8, ast.Mod: 10,
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], int] = {
    ast.Lt: 25, ast.Gt: 26, ast.Eq: 27, ast.LtE: 28, ast.GtE: 29, ast.NotEq: 30, ast.In: 31, ast.Is: 32,
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], int] = {ast.UAdd: 3, ast.USub: 4, ast.Invert: 5, ast.Not: 6}


class NotCovered(Exception):
    """The function uses something that this compiler does not know; the board has to compile it."""


@dataclass(frozen=True)
class Code:
    """A compiled function: its bytecode with the prelude, and the words of its constant table (the argument names)."""

    bytecode: bytes
    constants: tuple[int, ...]


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


class Compiler:
    """Compiles the functions of one program; ``names`` maps each name to the index of the interned string.

    :param dissolve: compile functions into their callers where the program says so.
    """

    def __init__(self, program: Program, names: Mapping[str, int], dissolve: bool = True) -> None:
        self.program, self.names, self.dissolve = program, names, dissolve
        self._codes: dict[Function, Code | NotCovered] = {}
        self._open: list[Function] = []

    def compile(self, function: Function) -> Code:
        """The function's code. :raises NotCovered: it uses something else than the subset above."""
        if function not in self._codes:
            args = function.node.args
            self._open.append(function)
            try:
                if args.posonlyargs or args.kwonlyargs or args.vararg or args.kwarg or args.defaults:
                    raise NotCovered("the arguments")
                if function.node.decorator_list:
                    raise NotCovered("a decorator")
                self._codes[function] = _Body(self, function).code()
            except NotCovered as reason:
                self._codes[function] = reason
            self._open.pop()
        found = self._codes[function]
        if isinstance(found, NotCovered):
            raise found
        return found

    def dissolved(self, function: Function | None) -> Function | None:
        """``function``, if it is to be compiled into its callers."""
        if function is None or not self.dissolve:
            return None
        if function in self._open:
            if function.node.name == "__init__":
                raise NotCovered("a class whose objects make objects of it")
            return None
        try:
            size = len(self.compile(function).bytecode)
        except NotCovered:
            return None
        if not self.program.dissolves(function, size):
            return None
        base = self.program.base_init(function)
        return None if base and self.dissolved(base) is None else function


class _Body:
    """One function being compiled, with whatever is compiled into it."""

    def __init__(self, compiler: Compiler, function: Function) -> None:
        self.compiler, self.names = compiler, compiler.names
        self.function = function
        self.node = function.node
        self.arguments = [a.arg for a in self.node.args.args]
        self.slots: dict[str, int | ast.Constant] = {}
        self.free = self.most = 0
        self.out = bytearray()
        self.depth = self.deepest = 0
        self.labels: list[int] = []
        self.jumps: list[tuple[int, int]] = []
        self.loops: list[tuple[int, int]] = []
        self.leave: int | None = None  # where a return in a dissolved function goes
        self.held = 0  # values that the open loops of this function keep on the stack
        self.wanted = True  # whether its value is wanted
        for name in local_names(self.node):
            self.slots[name] = self.slot()

    def slot(self) -> int:
        self.free += 1
        self.most = max(self.most, self.free)
        return self.free - 1

    def code(self) -> Code:
        self.block(self.node.body)
        if not self.node.body or not isinstance(self.node.body[-1], ast.Return):
            self.emit(1, LOAD_NONE)
            self.emit(-1, RETURN)
        for at, label in self.jumps:
            self.out[at : at + 2] = (self.labels[label] - at - 2 + 0x8000).to_bytes(2, "little")
        info = (
            unsigned(self.name(self.node.name)) + unsigned(self.name("gc")) + b"\0"
        )  # name, "file", no line numbers
        state = self.most + self.deepest
        prelude = unsigned(state) + bytes([0, 0, len(self.arguments), 0, 0, len(info) + 1]) + info
        words = tuple(self.name(name) << 2 | 2 for name in self.arguments)
        return Code(prelude + bytes([END_OF_CELLS]) + bytes(self.out), words)

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

    # -- statements

    def block(self, body: Sequence[ast.stmt]) -> None:
        for stmt in body:
            self.statement(stmt)

    def statement(self, stmt: ast.stmt) -> None:
        match stmt:
            case ast.Expr(value=ast.Call() as call) if self.dissolve(call, wanted=False):
                pass
            case ast.Expr(value=value):
                self.expression(value)
                self.emit(-1, POP_TOP)
            case ast.Assign(targets=targets, value=value):
                self.expression(value)
                for target in targets[:-1]:
                    self.emit(1, DUP_TOP)
                    self.store(target)
                self.store(targets[-1])
            case ast.AugAssign():
                self.augmented(stmt)
            case ast.Return(value=value):
                self.give_back(value or ast.Constant(None))
            case ast.If():
                self.if_else(stmt)
            case ast.While(orelse=[]):
                self.while_loop(stmt)
            case ast.For(orelse=[], target=ast.Name()):
                self.range_loop(stmt.target, stmt.iter, lambda: self.block(stmt.body))
            case ast.Break():
                self.jump(0, JUMP, self.loops[-1][0])
            case ast.Continue():
                self.jump(0, JUMP, self.loops[-1][1])
            case ast.Pass() | ast.Global():
                pass
            case _:
                raise NotCovered(type(stmt).__name__)

    def give_back(self, value: ast.expr) -> None:
        if self.leave is None:
            self.expression(value)
            self.emit(-1, RETURN)
            return
        if self.wanted:
            self.expression(value)
        elif not isinstance(value, ast.Constant | ast.Name):
            self.statement(ast.Expr(value))
        for _ in range(self.held):  # what the loops around this return keep on the stack
            self.emit(0, ROT_TWO if self.wanted else POP_TOP)
            if self.wanted:
                self.emit(0, POP_TOP)
        self.jump(-1 if self.wanted else 0, JUMP, self.leave)

    def store(self, target: ast.expr) -> None:
        match target:
            case ast.Name(id=name) if isinstance(slot := self.slots.get(name), int):
                self.store_slot(slot)
            case ast.Name(id=name):
                self.emit(-1, STORE_GLOBAL, unsigned(self.name(name)))
            case ast.Attribute(value=value, attr=attr):
                self.expression(value)
                self.emit(-2, STORE_ATTR, unsigned(self.name(attr)))
            case ast.Subscript(value=value, slice=index) if not isinstance(index, ast.Slice):
                self.expression(value)
                self.expression(index)
                self.emit(-3, STORE_SUBSCR)
            case _:
                raise NotCovered(f"assignment to {type(target).__name__}")

    def augmented(self, stmt: ast.AugAssign) -> None:
        if type(stmt.op) not in _BINARY:
            raise NotCovered(type(stmt.op).__name__)
        target, operation = stmt.target, BINARY + IN_PLACE + _BINARY[type(stmt.op)]
        if isinstance(target, ast.Name):
            self.expression(ast.Name(target.id, ast.Load()))
            self.expression(stmt.value)
            self.emit(-1, operation)
            self.store(target)
        elif isinstance(target, ast.Attribute):
            self.expression(target.value)
            self.emit(1, DUP_TOP)
            self.emit(0, LOAD_ATTR, unsigned(self.name(target.attr)))
            self.expression(stmt.value)
            self.emit(-1, operation)
            self.emit(0, ROT_TWO)
            self.emit(-2, STORE_ATTR, unsigned(self.name(target.attr)))
        else:
            self.expression(target.value)
            self.expression(target.slice)
            self.emit(2, DUP_TOP_TWO)
            self.emit(-1, LOAD_SUBSCR)
            self.expression(stmt.value)
            self.emit(-1, operation)
            self.emit(0, ROT_THREE)
            self.emit(-3, STORE_SUBSCR)

    def if_else(self, stmt: ast.If) -> None:
        other, end = self.label(), self.label()
        self.condition(stmt.test, False, other)
        self.block(stmt.body)
        if stmt.orelse:
            if not isinstance(stmt.body[-1], ast.Return):
                self.jump(0, JUMP, end)
            self.here(other)
            self.block(stmt.orelse)
        else:
            self.here(other)
        self.here(end)

    def while_loop(self, stmt: ast.While) -> None:
        end, again, top = self.label(), self.label(), self.label()
        self.loops.append((end, again))
        forever = isinstance(stmt.test, ast.Constant) and bool(stmt.test.value)
        if not forever:
            self.jump(0, JUMP, again)
        self.here(top)
        if forever:
            self.here(again)
        self.block(stmt.body)
        if forever:
            self.jump(0, JUMP, top)
        else:
            self.here(again)
            self.condition(stmt.test, True, top)
        self.loops.pop()
        self.here(end)

    def range_loop(self, target: ast.expr, iterable: ast.expr, body: Callable[[], None]) -> None:
        """``for target in range(...)``: the counter stays on the stack, under it the end where that is no constant."""
        match iterable:
            case ast.Call(func=ast.Name(id="range"), args=[*given], keywords=[]) if 1 <= len(given) <= 3:
                first, last, step = [ast.Constant(0), *given, ast.Constant(1)] if len(given) == 1 else (
                    [*given, ast.Constant(1)][:3]
                )  # fmt: skip
            case _:
                raise NotCovered("for over something else than a range")
        stride, kept = integer(step), integer(last) is None
        if not stride:
            raise NotCovered("a step that is not constant")
        end, again, top, test = (self.label() for _ in range(4))
        if kept:
            self.expression(last)
        self.expression(first)
        self.jump(0, JUMP, test)
        self.here(top)
        self.emit(1, DUP_TOP)
        self.store(target)
        self.loops.append((end, again))
        self.held += 1 + kept
        body()
        self.held -= 1 + kept
        self.loops.pop()
        self.here(again)
        self.expression(step)
        self.emit(-1, BINARY + IN_PLACE + _BINARY[ast.Add])
        self.here(test)
        if kept:
            self.emit(2, DUP_TOP_TWO)
            self.emit(0, ROT_TWO)
        else:
            self.emit(1, DUP_TOP)
            self.expression(last)
        self.emit(-1, BINARY + _COMPARE[ast.Lt if stride > 0 else ast.Gt])
        self.jump(-1, JUMP_IF_TRUE, top)
        self.here(end)
        self.emit(-1, POP_TOP)
        if kept:
            self.emit(-1, POP_TOP)

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
        self.range_loop(variable, generator.iter, lambda: self.statement(ast.Expr(append)))
        self.expression(made)
        self.slots, self.free = outer, before

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

    # -- expressions

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
                if slot < 16:
                    self.emit(1, LOAD_FAST_0 + slot)
                else:
                    self.emit(1, LOAD_FAST, unsigned(slot))
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
                self.emit(0, UNARY + _UNARY[type(op)])
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                self.expression(left)
                self.expression(right)
                self.emit(-1, BINARY + _BINARY[type(op)])
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

    def small_int(self, value: int) -> None:
        if not -SMALL_INT_MAX - 1 <= value <= SMALL_INT_MAX:
            raise NotCovered(f"the integer {value}")
        if -16 <= value <= 47:
            self.emit(1, SMALL_INT_0 + value)
        else:
            self.emit(1, LOAD_SMALL_INT, signed(value))

    def comparison(self, node: ast.Compare) -> None:
        if any(type(op) not in _COMPARE for op in node.ops):
            raise NotCovered("a comparison")
        self.expression(node.left)
        fail, end = self.label(), self.label()
        for op, right in zip(node.ops[:-1], node.comparators, strict=False):
            self.expression(right)
            self.emit(1, DUP_TOP)
            self.emit(0, ROT_THREE)
            self.emit(-1, BINARY + _COMPARE[type(op)])
            self.jump(-1, JUMP_IF_FALSE_OR_POP, fail)
        self.expression(node.comparators[-1])
        self.emit(-1, BINARY + _COMPARE[type(node.ops[-1])])
        if len(node.ops) > 1:
            self.jump(0, JUMP, end)
            self.here(fail)
            self.depth += 1
            self.emit(0, ROT_TWO)
            self.emit(-1, POP_TOP)
            self.here(end)

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

    # -- functions compiled into this one

    def dissolve(self, call: ast.Call, wanted: bool) -> bool:
        """Compile the called function here, its value on the stack if ``wanted``; False where that is not to be."""
        if isinstance(call.func, ast.Name) and call.func.id in self.slots:
            return False
        target = self.compiler.dissolved(self.compiler.program.target(call, self.function))
        if target is None or call.keywords:
            return False
        given = list(call.args)
        if isinstance(call.func, ast.Name) and self.names_class(call.func):
            self.construct(call.func, target, given, wanted)
            return True
        if isinstance(call.func, ast.Attribute) and not self.names_class(call.func.value):
            given.insert(0, call.func.value)
        self.include(target, given, wanted)
        return True

    def construct(self, kind: ast.Name, target: Function, given: list[ast.expr], wanted: bool) -> None:
        """An object of a class whose ``__init__`` is compiled in here, and so does not exist on the board."""
        self.emit(1, LOAD_GLOBAL, unsigned(self.name(kind.id)))
        self.emit(0, CALL_FUNCTION, unsigned(0))
        made = f" {self.free}"  # no identifier of the source
        slot = self.slot()
        self.store_slot(slot)
        self.slots[made] = slot
        self.include(target, [ast.Name(made, ast.Load()), *given], wanted=False)
        if wanted:
            self.expression(ast.Name(made, ast.Load()))
        del self.slots[made]
        self.free = slot

    def include(self, target: Function, given: Sequence[ast.expr], wanted: bool) -> None:
        """Compile the body of ``target`` in this place."""
        names = [a.arg for a in target.node.args.args]
        if len(names) != len(given):
            raise NotCovered(f"{len(given)} arguments for {target.node.name}")
        before = self.free
        slots = self.bind(target, names, given)
        for name in local_names(target.node):
            if name not in slots:
                slots[name] = self.slot()
        outer = self.function, self.slots, self.loops, self.leave, self.wanted, self.held
        end = self.label()
        self.function, self.slots, self.loops, self.leave, self.wanted = target, slots, [], end, wanted
        self.held = 0
        self.block(target.node.body)
        if wanted:
            self.emit(1, LOAD_NONE)
        self.here(end)
        self.function, self.slots, self.loops, self.leave, self.wanted, self.held = outer
        self.free = before

    def names_class(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in self.compiler.program.classes

    def bind(
        self, target: Function, names: Sequence[str], given: Sequence[ast.expr]
    ) -> dict[str, int | ast.Constant]:
        """Slots for the arguments: the caller's own, or a constant, where the callee never assigns to the name."""
        assigned = {
            n.id for n in ast.walk(target.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        slots: dict[str, int | ast.Constant] = {}
        fresh: list[int] = []
        for name, value in zip(names, given, strict=True):
            number = integer(value)
            known = self.slots.get(value.id) if isinstance(value, ast.Name) else None
            if name not in assigned and number is not None:
                slots[name] = ast.Constant(number)
            elif name not in assigned and known is not None:
                slots[name] = known
            else:
                self.expression(value)
                slots[name] = self.slot()
                fresh.append(self.free - 1)
        for slot in reversed(fresh):
            self.store_slot(slot)
        return slots

    def store_slot(self, slot: int) -> None:
        if slot < 16:
            self.emit(-1, STORE_FAST_0 + slot)
        else:
            self.emit(-1, STORE_FAST, unsigned(slot))
