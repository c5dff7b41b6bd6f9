"""Functions as they are compiled for the board, dissolved into each other and shortened, do what their source does."""

import ast
import operator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cabinwatch.board.build import bytecode as b
from cabinwatch.board.build.compiler import Compiler
from cabinwatch.board.build.program import FlatProgram

NAMES = ["run", "less", "pick", "skip", "<string>", "min", "max", "abs", "x", "a", "b", "c", "i", "o"]
HELPERS = """
def less(a, b):
    return a < b and b != 5
def pick(a, b):
    if less(a, b):
        return a
    if a == b:
        return None
    return b - 1
def skip(o, a):
    for i in range(a & 3):
        if i == b:
            return
        o.x += i
"""

expressions = st.recursive(
    st.sampled_from(["a", "b", "c", "o.x", "0", "1", "-3", "7", "100000"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "&", "|", "^", "<", "<=", "==", "and", "or"]), inner).map(
            lambda parts: f"({' '.join(parts)})"
        ),
        inner.map(lambda one: f"(not {one})"),
        st.tuples(inner, inner).map(lambda two: f"less({two[0]} & 7, {two[1]} & 7)"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda p: f"{p[0]}({p[1]}, {p[2]})"),
        inner.map(lambda one: f"abs({one} - 1)"),
        st.tuples(inner, inner, inner).map(lambda three: f"({three[0]} if {three[1]} else {three[2]})"),
    ),
    max_leaves=6,
)


def indented(lines):
    return [f"    {line}" for line in lines]


def blocks(inner):
    """Statements that hold others."""
    both = st.tuples(expressions, inner, inner)
    return st.one_of(
        both.map(lambda p: [f"if {p[0]}:", *indented(p[1]), "else:", *indented(p[2])]),
        both.map(lambda p: [f"if {p[0]}:", *indented(p[1]), *p[2]]),
        inner.map(lambda lines: ["for i in range(3):", *indented(lines)]),
        st.tuples(expressions, inner, st.sampled_from(["break", "continue"])).map(
            lambda p: ["for i in range(4):", f"    if {p[0]}:", f"        {p[2]}", *indented(p[1])]
        ),
        inner.map(lambda lines: ["while d < 9:", "    d += 3", *indented(lines)]),
    )


simple = st.one_of(
    st.tuples(st.sampled_from(["a", "b", "o.x"]), st.sampled_from(["=", "+=", "-="]), expressions).map(
        lambda parts: [" ".join(parts)]
    ),
    expressions.map(lambda one: [f"c = 1 if {one} else 12"]),
    expressions.map(lambda one: [f"return {one}"]),
    st.tuples(expressions, expressions).map(
        lambda two: [f"b = pick({two[0]} & 7, {two[1]} & 7)", "b = b or 0"]
    ),
    expressions.map(lambda one: [f"skip(o, {one})"]),
)
programs = st.lists(st.recursive(simple, blocks, max_leaves=8), min_size=1, max_size=5).map(
    lambda parts: (
        "def run(o, a, b):\n    c = d = 0\n" + "\n".join(indented([line for part in parts for line in part]))
    )
)

OPERATORS = [operator.or_, operator.xor, operator.and_, None, None, operator.add, operator.sub]
COMPARED = {
    25: operator.lt,
    26: operator.gt,
    27: operator.eq,
    28: operator.le,
    29: operator.ge,
    30: operator.ne,
}


class Machine:
    """As much of MicroPython's virtual machine as these programs need."""

    def __init__(self, codes, space):
        self.codes, self.space = codes, space

    def call(self, name, arguments):
        if name not in self.codes:
            return self.space[name](*arguments)
        code = self.codes[name]
        state, begin = code[0], 7 + code[6]
        assert code[0] < 128
        assert code[3] == len(arguments)
        return self.run(code[begin:], [*arguments, *[None] * (state - len(arguments))], state)

    def run(self, code, slots, state):
        """``state`` is what the board sets apart for locals and stack."""
        stack, at, highest = [], 0, -1
        while True:
            op = code[at]
            at += 1
            argument = 0
            if op in (b.LOAD_FAST, b.STORE_FAST, b.LOAD_GLOBAL, b.LOAD_ATTR, b.STORE_ATTR, b.CALL_FUNCTION):
                while code[at] & 128:
                    argument = argument << 7 | code[at] & 127
                    at += 1
                argument = argument << 7 | code[at]
                at += 1
            elif op == b.LOAD_SMALL_INT:
                argument = -1 if code[at] & 64 else 0
                while True:
                    argument = argument << 7 | code[at] & 127
                    at += 1
                    if not code[at - 1] & 128:
                        break
            elif b.JUMP <= op <= b.JUMP_IF_FALSE_OR_POP:
                target = at + 2 + int.from_bytes(code[at : at + 2], "little") - 0x8000
                at += 2
            if 0xB0 <= op < 0xD0:
                op, argument = b.STORE_FAST if op >= 0xC0 else b.LOAD_FAST, op & 15
            if op in (b.LOAD_FAST, b.STORE_FAST):
                highest = max(highest, argument)
            if op == b.LOAD_FAST:
                stack.append(slots[argument])
            elif op == b.STORE_FAST:
                slots[argument] = stack.pop()
            elif op in (b.LOAD_NONE, b.LOAD_TRUE, b.LOAD_FALSE):
                stack.append({b.LOAD_NONE: None, b.LOAD_TRUE: True, b.LOAD_FALSE: False}[op])
            elif op == b.LOAD_SMALL_INT:
                stack.append(argument)
            elif 0x70 <= op < 0xB0:
                stack.append(op - b.SMALL_INT_0)
            elif op == b.LOAD_GLOBAL:
                stack.append(NAMES[argument - 1])
            elif op == b.LOAD_ATTR:
                stack.append(getattr(stack.pop(), NAMES[argument - 1]))
            elif op == b.STORE_ATTR:
                owner = stack.pop()
                setattr(owner, NAMES[argument - 1], stack.pop())
            elif op == b.CALL_FUNCTION:
                given = stack[len(stack) - argument :]
                del stack[len(stack) - argument :]
                stack.append(self.call(stack.pop(), given))
            elif op == b.RETURN:
                return stack.pop()
            elif op == b.POP_TOP:
                stack.pop()
            elif op == b.DUP_TOP:
                stack.append(stack[-1])
            elif op == b.DUP_TOP_TWO:
                stack += stack[-2:]
            elif op == b.ROT_TWO:
                stack[-2:] = stack[-1], stack[-2]
            elif op == b.ROT_THREE:
                stack[-3:] = stack[-1], stack[-3], stack[-2]
            elif op == b.JUMP:
                at = target
            elif op in (b.JUMP_IF_TRUE, b.JUMP_IF_FALSE):
                at = target if bool(stack.pop()) == (op == b.JUMP_IF_TRUE) else at
            elif op in (b.JUMP_IF_TRUE_OR_POP, b.JUMP_IF_FALSE_OR_POP):
                if bool(stack[-1]) == (op == b.JUMP_IF_TRUE_OR_POP):
                    at = target
                else:
                    stack.pop()
            elif op in (b.UNARY + 3, b.UNARY + 4, b.UNARY + 5, b.UNARY + 6):
                one = stack.pop()
                stack.append(
                    [operator.pos, operator.neg, operator.invert, operator.not_][op - b.UNARY - 3](one)
                )
            elif op >= b.BINARY:
                right, left = stack.pop(), stack.pop()
                number = op - b.BINARY
                stack.append(
                    COMPARED[number](left, right) if number >= 25 else OPERATORS[number % 13](left, right)
                )
            else:
                raise AssertionError(f"operation {op:02x}")
            assert len(stack) + highest < state


class Thing:
    x = 0


def outcome(call, a, b):
    """What a call returns, and what it left in the object; the type of what it raised instead."""
    thing = Thing()
    try:
        return repr(call(thing, a, b)), thing.x
    except TypeError:
        return "TypeError", thing.x


@given(
    programs,
    st.lists(st.tuples(st.integers(-2, 9), st.integers(-2, 9)), min_size=3, max_size=6),
    st.sets(st.sampled_from(["min", "max", "abs"])),
)
@settings(max_examples=60, deadline=None)
def test_what_is_shortened_does_what_the_source_does(text, inputs, picked):
    source = HELPERS.replace("i == b", "i == 2") + text
    space = {"min": min, "max": max, "abs": abs}
    exec(source, space)
    program = FlatProgram([ast.parse(source).body], set())
    builtins = {name: name for name in picked}
    compiler = Compiler(program, {name: i for i, name in enumerate(NAMES, 1)}, builtins)
    assert not compiler.left
    machine = Machine({f.node.name: compiler.compile(f).bytecode for f in program.all()}, space)
    for a, b_ in inputs:
        expected = outcome(space["run"], a, b_)
        assert outcome(lambda o, a, b: machine.call("run", [o, a, b]), a, b_) == expected


@pytest.mark.parametrize("call", ["min(a, b)", "max(a, b)", "abs(a)", "max(min(a, b), abs(b))"])
def test_what_is_compiled_as_a_comparison_picks_as_the_function_does(call):
    source = f"def run(o, a, b):\n    return {call}"
    program = FlatProgram([ast.parse(source).body], set())
    names = {name: i for i, name in enumerate(NAMES, 1)}
    compiler = Compiler(program, names, {name: name for name in ("min", "max", "abs")})
    code = compiler.compile(program.functions["run"]).bytecode
    machine = Machine({"run": code}, {})  # there is nothing to call
    for a in range(-2, 3):
        for b_ in range(-2, 3):
            picked = eval(call, {"a": a, "b": b_})
            assert machine.call("run", [None, a, b_]) == picked
