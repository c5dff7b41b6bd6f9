"""Compile functions: if, while, for over a range, break, continue, return, assignments, and calls dissolved in place.

A function with anything else is left to the board.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from cabinwatch.board.build.bytecode import (
    BINARIES,
    BINARY,
    CALL_FUNCTION,
    COMPARISONS,
    DUP_TOP,
    DUP_TOP_TWO,
    IN_PLACE,
    JUMP,
    JUMP_IF_FALSE,
    JUMP_IF_TRUE,
    LOAD_ATTR,
    LOAD_GLOBAL,
    LOAD_NONE,
    LOAD_SUBSCR,
    POP_TOP,
    RETURN,
    ROT_THREE,
    ROT_TWO,
    STORE_ATTR,
    STORE_GLOBAL,
    STORE_SUBSCR,
    UNARIES,
    UNARY,
    Code,
    NotCovered,
    unsigned,
)
from cabinwatch.board.build.expressions import Expressions
from cabinwatch.board.build.flatten import integer, local_names
from cabinwatch.board.build.program import FlatProgram, PlacedFunction
from cabinwatch.board.build.shorten import shorten
from cabinwatch.board.build.unroll import NotUnrolled, unroll

_PICKS: dict[str, tuple[int, type[ast.cmpop]]] = {"abs": (1, ast.Lt), "max": (2, ast.Lt), "min": (2, ast.Gt)}
"""How many arguments each takes, and how they compare, or the one with 0, where it is not the first as it stands."""


class Compiler:
    """Compiles the functions of one program; ``names`` maps each name to the index of the interned string.

    :param builtins: names in the program that mean a function of the board's; what each is.
    :param dissolve: compile functions into their callers where the program says so.
    """

    def __init__(
        self,
        program: FlatProgram,
        names: Mapping[str, int],
        builtins: Mapping[str, str] = MappingProxyType({}),
        dissolve: bool = True,
    ) -> None:
        self.program, self.names, self.builtins, self.dissolve = program, names, builtins, dissolve
        self._codes: dict[PlacedFunction, Code | NotCovered] = {}
        self._open: list[PlacedFunction] = []
        self.left = dict[PlacedFunction, str]()
        self.left_classes: set[str] = set()
        if dissolve:
            plain = Compiler(program, names, builtins, dissolve=False)
            self.left = {f: reason for f in program.all() if (reason := plain.reason(f))}
            self._leave_classes()
            for function in self.left:
                program.leave(function)

    def _leave_classes(self) -> None:
        """A class is left to the board as a whole, and with it those that are based on it."""
        for name, found in self.program.classes.items():
            reasons = [self.left[method] for method in found.methods.values() if method in self.left]
            if (found.base and found.base not in self.program.classes) or found.base in self.left_classes:
                reasons.append(f"the base {found.base}")
            if reasons or found.more:
                self.left_classes.add(name)
                for method in found.methods.values():
                    self.left.setdefault(method, reasons[0] if reasons else "its class has more than methods")

    def reason(self, function: PlacedFunction) -> str:
        """Why the board has to compile ``function``; "" where it has not."""
        try:
            self.compile(function)
        except NotCovered as reason:
            return str(reason) or "not covered"
        return ""

    def compile(self, function: PlacedFunction) -> Code:
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

    def dissolved(self, function: PlacedFunction | None) -> PlacedFunction | None:
        """``function``, if it is to be compiled into its callers."""
        if function is None or not self.dissolve or function in self.left:
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


class _Body(Expressions):
    """One function being compiled, with whatever is compiled into it."""

    def __init__(self, compiler: Compiler, function: PlacedFunction) -> None:
        super().__init__(compiler.names)
        self.compiler = compiler
        self.function = function
        self.slots = {name: self.slot() for name in local_names(function.node)}
        self.loops: list[tuple[int, int]] = []
        self.held = 0  # values that the open loops of this function keep on the stack
        self.leave: int | None = None  # where a return in a dissolved function goes
        self.wanted = True  # whether its value is wanted

    def code(self) -> Code:
        """Compile the whole function."""
        node = self.function.node
        self.block(node.body)
        if not node.body or not isinstance(node.body[-1], ast.Return):
            self.emit(1, LOAD_NONE)
            self.emit(-1, RETURN)
        arguments = [a.arg for a in node.args.args]
        operations = shorten(self.out, len(arguments)) if self.compiler.dissolve else self.out
        return self.finish(node.name, arguments, operations)

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
        if type(stmt.op) not in BINARIES:
            raise NotCovered(type(stmt.op).__name__)
        target, operation = stmt.target, BINARY + IN_PLACE + BINARIES[type(stmt.op)]
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
        if stmt.orelse and not isinstance(stmt.body[-1], ast.Return):
            self.jump(0, JUMP, end)
        self.here(other)
        self.block(stmt.orelse)
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
        self.emit(-1, BINARY + IN_PLACE + BINARIES[ast.Add])
        self.here(test)
        if kept:
            self.emit(2, DUP_TOP_TWO)
            self.emit(0, ROT_TWO)
        else:
            self.emit(1, DUP_TOP)
            self.expression(last)
        self.emit(-1, BINARY + COMPARISONS[ast.Lt if stride > 0 else ast.Gt])
        self.jump(-1, JUMP_IF_TRUE, top)
        self.here(end)
        self.emit(-1, POP_TOP)
        if kept:
            self.emit(-1, POP_TOP)

    # -- functions compiled into this one

    def dissolve(self, call: ast.Call, wanted: bool) -> bool:
        """Compile the called function here, its value on the stack if ``wanted``; False where that is not to be."""
        if isinstance(call.func, ast.Name) and call.func.id in self.slots:
            return False
        if wanted and self.compiler.dissolve and self.pick(call):
            return True
        called = self.compiler.program.target(call, self.function)
        target = self.compiler.dissolved(called)
        if target is None or call.keywords:
            return self.dissolve_constants(call, called, wanted)
        given = list(call.args)
        if isinstance(call.func, ast.Name) and self.names_class(call.func):
            self.construct(call.func, target, given, wanted)
            return True
        if isinstance(call.func, ast.Attribute) and not self.names_class(call.func.value):
            given.insert(0, call.func.value)
        self.include(target, given, wanted)
        return True

    def pick(self, call: ast.Call) -> bool:
        """Compile min or max of two, or abs, as a comparison: half the time of a call of the board's, which is rather
        slow at it, for three octets more.
        """
        name = self.compiler.builtins.get(call.func.id, "") if isinstance(call.func, ast.Name) else ""
        if name not in _PICKS:
            return False
        count, compared = _PICKS[name]
        if call.keywords or len(call.args) != count:
            return False
        for argument in call.args:
            self.expression(argument)
        end = self.label()
        if name == "abs":
            self.emit(1, DUP_TOP)
            self.small_int(0)
        else:
            self.emit(2, DUP_TOP_TWO)
        self.emit(-1, BINARY + COMPARISONS[compared])
        self.jump(-1, JUMP_IF_FALSE, end)
        self.emit(0, UNARY + UNARIES[ast.USub] if name == "abs" else ROT_TWO)
        self.here(end)
        if name != "abs":
            self.emit(-1, POP_TOP)
        return True

    def dissolve_constants(self, call: ast.Call, called: PlacedFunction | None, wanted: bool) -> bool:
        """Compile a method here in a straight line where its constant arguments decide what it does."""
        if not self.compiler.dissolve or called is None or call.keywords or called in self.compiler.left:
            return False
        if not isinstance(call.func, ast.Attribute) or self.names_class(call.func.value):
            return False
        given = [call.func.value, *call.args]
        names = [a.arg for a in called.node.args.args]
        known = {n: v for n, g in zip(names, given, strict=False) if (v := integer(g)) is not None}
        try:
            body = unroll(called.node.body, known) if known else None
        except NotUnrolled:
            body = None
        if body is None:
            return False
        node = ast.FunctionDef(called.node.name, called.node.args, body, [])
        self.include(PlacedFunction(node, called.owner), given, wanted)
        return True

    def construct(self, kind: ast.Name, target: PlacedFunction, given: list[ast.expr], wanted: bool) -> None:
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

    def include(self, target: PlacedFunction, given: Sequence[ast.expr], wanted: bool) -> None:
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
        self, target: PlacedFunction, names: Sequence[str], given: Sequence[ast.expr]
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
