"""Flatten a tree of firmware modules into one namespace, as the board needs it.

A micro:bit has neither the heap for import machinery nor for names. This pass follows the project's own imports
from the entry modules, drops them, gives every module-level name one meaning in the whole, folds UPPERCASE integer
constants into literals, leaves out what nothing refers to, and renames locals to a few names shared by all
functions. The result computes exactly what the modules compute: tests run both.
"""

import ast
import operator
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cabinwatch.errors import CabinwatchError
from cabinwatch.sources import PACKAGES, module_path

LOCAL = "_l{}"  # the shared names of locals, until cabinwatch.board.build.names gives them shorter ones

_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9]*(_[A-Z0-9]+)*(_x\d+)?(_(ms|s|cK|cPa|cPa_s|cPa_h))?\Z")
_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
}
_NESTED = (
    ast.FunctionDef,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.ClassDef,
)


class BuildError(CabinwatchError):
    """The firmware uses something that the image builder cannot carry to the board; the message says where."""


@dataclass
class Module:
    """One source module: its dotted name, its top-level statements, and what its global names stand for.

    ``binds`` maps a name to (module, name) for a project import, to (module, "") for a project module itself.
    """

    name: str
    body: list[ast.stmt]
    binds: dict[str, tuple[str, str]] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)
    flat: dict[str, str] = field(default_factory=dict)


def flatten(entries: Sequence[str], root: Path | None) -> list[Module]:
    """Return the modules that ``entries`` need, dependencies first, rewritten for one common namespace.

    :param entries: dotted names of the modules to start from, found under ``root``.
    :raises BuildError: a project import that is not a plain top-level one, or a missing module.
    """
    modules: dict[str, Module] = {}
    for entry in entries:
        _load(entry, root, modules, ())
    _name_globals(modules)
    for module in modules.values():
        module.body = [_Resolver(module, modules).visit(stmt) for stmt in module.body]
    _shake(modules, entries)
    for module in modules.values():
        for function in _functions(module.body):
            _rename_locals(function)
    return list(modules.values())


def _load(name: str, root: Path | None, modules: dict[str, Module], waiting: tuple[str, ...]) -> None:
    if name in modules:
        return
    if name in waiting:
        raise BuildError(f"{name} imports itself by way of {' and '.join(waiting)}")
    path = module_path(name, root)
    if not path.is_file():
        raise BuildError(f"no module {name} (looked for {path})")
    module = Module(name, [])
    for stmt in ast.parse(path.read_text("utf-8"), str(path)).body:
        if not _bind_import(stmt, module, root):
            module.body.append(stmt)
    for target, _ in module.binds.values():
        _load(target, root, modules, (*waiting, name))
    _check_imports(module, path)
    _take_constants(module, modules)
    modules[name] = module


def _ours(name: str | None) -> bool:
    return name is not None and name.split(".")[0] in PACKAGES


def _bind_import(stmt: ast.stmt, module: Module, root: Path | None) -> bool:
    """Record a project import; True if it was one and so is to be dropped."""
    if isinstance(stmt, ast.ImportFrom) and _ours(stmt.module):
        assert stmt.module is not None
        for alias in stmt.names:
            inner = f"{stmt.module}.{alias.name}"
            whole = module_path(inner, root).is_file()
            module.binds[alias.asname or alias.name] = (inner, "") if whole else (stmt.module, alias.name)
        return True
    if isinstance(stmt, ast.Import) and any(_ours(alias.name) for alias in stmt.names):
        for alias in stmt.names:
            if not alias.asname or not _ours(alias.name):
                raise BuildError(
                    f"{module.name}:{stmt.lineno}: write 'import {alias.name} as name', on its own"
                )
            module.binds[alias.asname] = (alias.name, "")
        return True
    return False


def _check_imports(module: Module, path: Path) -> None:
    for node in ast.walk(ast.Module(module.body, [])):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        relative = isinstance(node, ast.ImportFrom) and node.level
        names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        if relative or any(_ours(name) for name in names):
            raise BuildError(
                f"{path}:{node.lineno}: a project import must be absolute and at the top of the module"
            )


def _take_constants(module: Module, modules: dict[str, Module]) -> None:
    """Move ``NAME = integer expression`` from the body to ``constants``."""
    resolver = _Resolver(module, modules)
    stores = Counter(n.id for n in _walk_names(module.body) if isinstance(n.ctx, ast.Store))
    kept: list[ast.stmt] = []
    for stmt in module.body:
        target = stmt.targets[0] if isinstance(stmt, ast.Assign) and len(stmt.targets) == 1 else None
        if isinstance(target, ast.Name) and _CONSTANT.match(target.id) and stores[target.id] == 1:
            assert isinstance(stmt, ast.Assign)
            value = integer(resolver.visit(stmt.value))
            if value is not None:
                module.constants[target.id] = value
                continue
        kept.append(stmt)
    module.body = kept


def integer(node: ast.expr) -> int | None:
    """The value of an expression of integer literals, or None."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Invert):
        value = integer(node.operand)
        return None if value is None else -value if isinstance(node.op, ast.USub) else ~value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = integer(node.left), integer(node.right)
        return None if left is None or right is None else _OPERATORS[type(node.op)](left, right)
    return None


def _walk_names(body: Iterable[ast.AST]) -> Iterator[ast.Name]:
    for stmt in body:
        for node in ast.walk(stmt):
            if isinstance(node, ast.Name):
                yield node


def _globals_of(module: Module) -> Iterator[str]:
    """Names that the module's own statements bind at top level, imports from outside the project included."""
    for stmt in module.body:
        if isinstance(stmt, ast.FunctionDef | ast.ClassDef):
            yield stmt.name
        elif isinstance(stmt, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.split(".")[0] for alias in stmt.names)
        else:
            yield from (n.id for n in _walk_names([stmt]) if isinstance(n.ctx, ast.Store))


def _name_globals(modules: dict[str, Module]) -> None:
    """Give each module-level name its name in the common namespace: its own, unless two modules use it."""
    outside = {
        alias.asname or alias.name.split(".")[0]
        for module in modules.values()
        for stmt in module.body
        if isinstance(stmt, ast.Import | ast.ImportFrom)
        for alias in stmt.names
    }
    uses = Counter(name for module in modules.values() for name in set(_globals_of(module)))
    for module in modules.values():
        tail = module.name.replace(".", "_")
        for name in _globals_of(module):
            module.flat[name] = name if name in outside or uses[name] == 1 else f"{tail}_{name}"


def local_names(function: ast.FunctionDef | ast.Lambda) -> list[str]:
    """Arguments and assigned names of a function, in order of appearance."""
    args = function.args
    names = [a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
    names += [a.arg for a in (args.vararg, args.kwarg) if a]
    free: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Global | ast.Nonlocal):
            free.update(node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            names.append(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.append(node.name)
    return [name for name in dict.fromkeys(names) if name not in free]


class _Resolver(ast.NodeTransformer):
    """Replace a module's global names by what they stand for in the common namespace."""

    def __init__(self, module: Module, modules: dict[str, Module]) -> None:
        self.module, self.modules = module, modules
        self.hidden: list[set[str]] = []

    def resolve(self, module: Module, name: str, node: ast.expr) -> ast.expr:
        if name in module.constants:
            return ast.copy_location(ast.Constant(module.constants[name]), node)
        if name in module.flat:
            ctx = node.ctx if isinstance(node, ast.Name | ast.Attribute) else ast.Load()
            return ast.copy_location(ast.Name(module.flat[name], ctx), node)
        target, inner = module.binds.get(name, ("", ""))
        if inner and target in self.modules:
            found = self.resolve(self.modules[target], inner, node)
            if found is node:
                raise BuildError(f"{self.module.name}:{node.lineno}: {target} has no {inner}")
            return found
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if any(node.id in names for names in self.hidden):
            return node
        return self.resolve(self.module, node.id, node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if isinstance(node.value, ast.Name) and not any(node.value.id in names for names in self.hidden):
            target, inner = self.module.binds.get(node.value.id, ("", ""))
            if target and not inner:
                found = self.resolve(self.modules[target], node.attr, node)
                if found is node:
                    raise BuildError(f"{self.module.name}:{node.lineno}: {target} has no {node.attr}")
                return found
        self.generic_visit(node)
        return node

    def visit_Global(self, node: ast.Global) -> ast.Global:
        node.names = [self.module.flat.get(name, name) for name in node.names]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        if not self.hidden:
            node.name = self.module.flat.get(node.name, node.name)
        self.hidden.append(set(local_names(node)))
        self.generic_visit(node)
        self.hidden.pop()
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        node.name = self.module.flat.get(node.name, node.name)
        node.bases = [self.visit(base) for base in node.bases]
        stores = {n.id for s in node.body if isinstance(s, ast.Assign) for n in _walk_names(s.targets)}
        own = {name for name in stores if name in self.module.flat or name in self.module.constants}
        if own:
            raise BuildError(f"{self.module.name}: class {node.name} rebinds {', '.join(sorted(own))}")
        self.hidden.append(stores)  # also hides them in methods, where they are not visible anyway
        self.generic_visit(node)
        self.hidden.pop()
        return node


def identifiers(node: ast.AST) -> Iterator[str]:
    """Every name a piece of code refers to or binds, each time it does."""
    for inner in ast.walk(node):
        match inner:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                yield from names
            case ast.keyword(arg=str(name)) | ast.ExceptHandler(name=str(name)):
                yield name
            case ast.alias(name=name, asname=asname):
                yield from (part for part in (*name.split("."), asname) if part)
            case _:
                pass


def _functions(body: Iterable[ast.stmt]) -> Iterator[ast.FunctionDef]:
    for stmt in body:
        if isinstance(stmt, ast.FunctionDef):
            yield stmt
        elif isinstance(stmt, ast.ClassDef):
            yield from _functions(stmt.body)


def defined(stmt: ast.stmt) -> str:
    """The one name that a function, class or plain assignment binds; "" for any other statement."""
    if isinstance(stmt, ast.FunctionDef | ast.ClassDef):
        return stmt.name
    if isinstance(stmt, ast.Assign) and not any(isinstance(node, ast.Call) for node in ast.walk(stmt.value)):
        names = [target.id for target in stmt.targets if isinstance(target, ast.Name)]
        return names[0] if len(stmt.targets) == 1 and names else ""
    return ""


def _shake(modules: dict[str, Module], entries: Sequence[str]) -> None:
    """Leave out functions, classes, methods and data that nothing refers to; the entry modules are kept whole."""
    pending: dict[int, tuple[str, ast.stmt]] = {}
    used: set[str] = set()

    def keep(node: ast.stmt) -> None:
        """Note what a live statement refers to; a class's methods wait for their own turn."""
        if isinstance(node, ast.ClassDef):
            for base in node.bases:
                used.update(identifiers(base))
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("__"):
                    pending[id(inner)] = (inner.name, inner)
                else:
                    used.update(identifiers(inner))
        else:
            used.update(identifiers(node))

    for module in modules.values():
        for stmt in module.body:
            name = defined(stmt)
            if name and module.name not in entries:
                pending[id(stmt)] = (name, stmt)
            else:
                keep(stmt)
    while live := [key for key, (name, _) in pending.items() if name in used]:
        for key in live:
            keep(pending.pop(key)[1])
    for module in modules.values():
        module.body = [stmt for stmt in module.body if id(stmt) not in pending]
        for stmt in module.body:
            if isinstance(stmt, ast.ClassDef):
                stmt.body = [inner for inner in stmt.body if id(inner) not in pending] or [ast.Pass()]


def _rename_locals(function: ast.FunctionDef) -> None:
    """Give the locals of a plain function the shared names; a function with inner scopes keeps its own."""
    if any(isinstance(node, _NESTED) for stmt in function.body for node in ast.walk(stmt)):
        return
    names = {name: LOCAL.format(i) for i, name in enumerate(local_names(function))}
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = names.get(node.arg, node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            node.name = names.get(node.name, node.name)
