"""A method with constant arguments, worked out beforehand, does what it does with them."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cabinwatch_protocol.device.node as node
from cabinwatch.board.build.unroll import NotUnrolled, unroll

TREE = ast.parse(Path(node.__file__).read_text("utf-8"))
METHODS = {f.name: f for f in ast.walk(TREE) if isinstance(f, ast.FunctionDef)}
fields = st.builds(lambda octet, size: octet << 3 | size, st.integers(0, 54), st.sampled_from([1, 2, 4]))


def body(name):
    """A method's statements, without what only people read."""
    return [stmt for stmt in METHODS[name].body if not isinstance(stmt, ast.Expr)]


def worked_out(name, **known):
    """The method as a function of its other arguments."""
    left = unroll(body(name), known)
    assert not any(isinstance(inner, ast.While) for stmt in left for inner in ast.walk(stmt))
    arguments = [ast.arg(a.arg) for a in METHODS[name].args.args if a.arg not in known]
    function = ast.FunctionDef(
        name, ast.arguments([], arguments, None, [], [], None, []), left or [ast.Pass()], []
    )
    space = {}
    exec(compile(ast.fix_missing_locations(ast.Module([function], [])), name, "exec"), space)
    return space[name], left


class Part:
    pass


@given(
    fields.filter(lambda field: field & 7 < 4),
    st.integers(-(1 << 30), (1 << 30) - 1),
    st.binary(min_size=63, max_size=63),
)
def test_a_field_is_written_as_by_the_loop(field, value, before):
    looped, straight = Part(), Part()
    looped.tx, straight.tx = bytearray(before), bytearray(before)
    node.Node.set(looped, field, value)
    function, left = worked_out("set", field=field)
    function(straight, value)
    assert straight.tx == looped.tx
    assert len(left) == {1: 1, 2: 4}[field & 7]


@given(fields, st.binary(min_size=61, max_size=61))
def test_a_field_is_read_as_by_the_loop(field, octets):
    me = Part()
    me.frame = Part()
    me.frame.buf = octets
    assert worked_out("field", field=field)[0](me) == node.Node.field(me, field)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("put", {"value": 3}),
        ("set", {"value": 3}),
        ("set", {"field": 4}),
        ("tick", {"elapsed_ms": 5}),
        ("acceptable", {}),
        ("send", {"size": 1}),
    ],
)
def test_what_constants_do_not_decide_is_left_alone(name, known):
    with pytest.raises(NotUnrolled):
        unroll(body(name), known)


def test_a_function_that_would_get_long_is_left_alone():
    with pytest.raises(NotUnrolled):
        unroll(ast.parse("while n:\n    b[n] = v\n    n -= 1").body, {"n": 40})
