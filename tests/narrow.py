"""The firmware as on a 32-bit port: every integer that an expression makes is checked against the small-int range.

The device modules are imported a second time, apart from the real ones, with each arithmetic result, comparison
operand, augmented assignment and integer literal wrapped in a check. On MicroPython a small integer of a 32-bit
port has 31 bits; a larger one is an object on the heap, which the steady loop must not make.
"""

import ast
import sys
import types

from cabinwatch.sources import module_path

LOW, HIGH = -(1 << 30), (1 << 30) - 1
MODULES = (
    "cabinwatch_protocol.device.consts",
    "cabinwatch_protocol.device.crc",
    "cabinwatch_protocol.device.frame",
    "cabinwatch_protocol.device.siphash",
    "cabinwatch_protocol.device.node",
    "cabinwatch_firmware.clock",
    "cabinwatch_firmware.detector.rates",
    "cabinwatch_firmware.detector.gate",
    "cabinwatch_firmware.detector.gas",
    "cabinwatch_firmware.detector.level",
    "cabinwatch_firmware.detector.gap",
    "cabinwatch_firmware.detector.fall",
    "cabinwatch_firmware.detector.reserve",
    "cabinwatch_firmware.detector.line",
    "cabinwatch_firmware.detector.slow",
    "cabinwatch_firmware.detector.detector",
    "cabinwatch_firmware.transducer",
    "cabinwatch_firmware.alarms",
    "cabinwatch_firmware.event_ring",
    "cabinwatch_firmware.signals",
    "cabinwatch_firmware.monitor",
    "cabinwatch_firmware.keyed",
    "cabinwatch_firmware.keyed_monitor",
    "cabinwatch_firmware.keyed_transducer",
)


class TooWide(AssertionError):
    """An expression left the small-int range; the message says where."""


def checked(value, where):
    """``value``, if it is no integer outside the range and no float."""
    if isinstance(value, float) or (isinstance(value, int) and not LOW <= value <= HIGH):
        raise TooWide(f"{where}: {value!r}")
    return value


class _Instrument(ast.NodeTransformer):
    def __init__(self, name):
        self.name = name
        self.points = 0

    def _wrap(self, node, original):
        self.points += 1
        where = ast.Constant(f"{self.name}:{original.lineno}: {ast.unparse(original)}")
        call = ast.Call(ast.Name("_checked", ast.Load()), [node, where], [])
        return ast.copy_location(call, original)

    def visit_BinOp(self, node):
        return self._wrap(self.generic_visit(node), node)

    visit_UnaryOp = visit_BinOp

    def visit_Constant(self, node):
        return self._wrap(node, node) if type(node.value) is int and abs(node.value) > 255 else node

    def visit_Call(self, node):
        return self._wrap(self.generic_visit(node), node)

    def visit_AugAssign(self, node):
        """``x op= y`` as ``x = checked(x op y)``; the targets here have no side effects."""
        self.points += 1
        load = ast.parse(ast.unparse(node.target), mode="eval").body
        value = self.generic_visit(ast.Module([ast.Expr(node.value)], [])).body[0].value
        total = ast.BinOp(load, node.op, value)
        where = ast.Constant(f"{self.name}:{node.lineno}: {ast.unparse(node)}")
        call = ast.Call(ast.Name("_checked", ast.Load()), [total, where], [])
        return ast.copy_location(ast.Assign([node.target], call), node)


def load():
    """Instrumented copies of the device modules by name; the real ones in sys.modules stay as they are."""
    real = {name: sys.modules.pop(name, None) for name in MODULES}
    made = {}
    try:
        for name in MODULES:
            path = module_path(name)
            tree = ast.parse(path.read_text(encoding="utf-8"))
            instrument = _Instrument(name)
            tree = ast.fix_missing_locations(instrument.visit(tree))
            module = types.ModuleType(name)
            module.__dict__["_checked"] = checked
            module.__dict__["_points"] = instrument.points
            sys.modules[name] = made[name] = module
            exec(compile(tree, str(path), "exec"), module.__dict__)
    finally:
        for name, module in real.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
    return made
