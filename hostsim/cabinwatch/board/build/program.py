"""Who calls whom: the whole firmware as the image builder sees it, and which calls are worth dissolving.

The board has 1.8 KB of stack, and each call takes 200 to 260 octets of it: seven levels and no more. The firmware
is written in small functions and goes deeper. So the builder compiles a function into its caller where there is one
caller only, or where the function is small enough to repeat.
"""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property

REPEATED_MAX = 95
"""Octets of bytecode that the copies of one function, beyond the first, may take: with 100 no step is quicker."""


@dataclass(eq=False)
class PlacedFunction:
    """A function or method: its definition and the class it belongs to ("" for none)."""

    node: ast.FunctionDef
    owner: str = ""

    @cached_property
    def receiver(self) -> str:
        """The name of its first argument where it is a method, else ""."""
        return self.node.args.args[0].arg if self.owner and self.node.args.args else ""


@dataclass
class Class:
    """A class: its base among the firmware's classes ("" for none), its methods, and whether it has more than those."""

    base: str
    methods: dict[str, PlacedFunction] = field(default_factory=dict)
    more: bool = False


class FlatProgram:
    """``ours`` are the names that only the firmware can mean (see cabinwatch.board.build.names)."""

    def __init__(self, bodies: Iterable[Sequence[ast.stmt]], ours: Set[str]) -> None:
        self.ours = ours
        self.functions: dict[str, PlacedFunction] = {}
        self.classes: dict[str, Class] = {}
        self.loose: list[ast.stmt] = []
        for body in bodies:
            for stmt in body:
                self._add(stmt)
        self.stores = Counter(name for root in self._roots() for name in _bound(root))
        self.by_keyword = any(isinstance(n, ast.keyword) for root in self._roots() for n in ast.walk(root))
        self.of_base: dict[str, set[str]] = {name: set() for name in self.classes}
        self.made = self._made()
        self.holds = self._holds()
        self.sites: Counter[PlacedFunction] = Counter()
        self.mentions: Counter[str] = Counter()
        self._count()

    def _add(self, stmt: ast.stmt) -> None:
        if isinstance(stmt, ast.FunctionDef):
            self.functions[stmt.name] = PlacedFunction(stmt)
        elif isinstance(stmt, ast.ClassDef):
            base = stmt.bases[0].id if stmt.bases and isinstance(stmt.bases[0], ast.Name) else ""
            self.classes[stmt.name] = made = Class(base)
            for inner in stmt.body:
                if isinstance(inner, ast.FunctionDef):
                    made.methods[inner.name] = PlacedFunction(inner, stmt.name)
                elif not isinstance(inner, ast.Pass):
                    self.loose.append(inner)
                    made.more = True
        else:
            self.loose.append(stmt)

    def all(self) -> Iterator[PlacedFunction]:
        """Every function and method."""
        yield from self.functions.values()
        for made in self.classes.values():
            yield from made.methods.values()

    def _roots(self) -> list[ast.AST]:
        """All that is executed."""
        return [*self.loose, *(function.node for function in self.all())]

    def _made(self) -> set[str]:
        """The classes of which there are objects; notes in ``of_base`` what is sought in a class by its name."""
        bases: set[int] = set()  # "Base.method(self)" names a class and makes no object of it
        names: set[str] = set()
        for root in self._roots():
            for node in ast.walk(root):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    bases.add(id(node.value))
                    self.of_base.get(node.value.id, set()).add(node.attr)
                elif isinstance(node, ast.Name) and node.id in self.classes:
                    names.add(node.id) if id(node) not in bases else None
        return names

    def _holds(self) -> dict[str, str]:
        """The class of what an attribute holds, where all that it is ever given are new objects of that class."""
        held: dict[str, set[str]] = {}
        for function in self.all():
            for node in ast.walk(function.node):
                if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
                    held.setdefault(node.attr, set())
                if not isinstance(node, ast.Assign):
                    continue
                value = node.value
                made = (
                    value.func.id if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) else ""
                )
                for target in ast.walk(ast.Tuple(node.targets, ast.Store())):
                    if isinstance(target, ast.Attribute):
                        held.setdefault(target.attr, set()).add(made)
        return {
            name: kind
            for name, kinds in held.items()
            for kind in kinds
            if len(kinds) == 1 and kind in self.classes
        }

    def _lookup(self, owner: str, name: str) -> PlacedFunction | None:
        while owner in self.classes:
            if name in self.classes[owner].methods:
                return self.classes[owner].methods[name]
            owner = self.classes[owner].base
        return None

    def _is_a(self, name: str, owner: str) -> bool:
        while name in self.classes:
            if name == owner:
                return True
            name = self.classes[name].base
        return False

    def target(self, call: ast.Call, caller: PlacedFunction) -> PlacedFunction | None:
        """The one function that a call in ``caller`` can reach, or None where that is not certain."""
        if isinstance(call.func, ast.Name) and call.func.id in self.classes:
            return self._lookup(call.func.id, "__init__")
        if isinstance(call.func, ast.Name):
            return self.functions.get(call.func.id)
        if not isinstance(call.func, ast.Attribute):
            return None
        name, receiver = call.func.attr, call.func.value
        if isinstance(receiver, ast.Name) and receiver.id in self.classes:
            return self._lookup(receiver.id, name)
        if isinstance(receiver, ast.Name) and receiver.id == caller.receiver and caller.receiver:
            kinds = [kind for kind in self.made if self._is_a(kind, caller.owner)]
            found = {self._lookup(kind, name) for kind in kinds}
        elif isinstance(receiver, ast.Attribute) and receiver.attr in self.holds:
            found = {self._lookup(self.holds[receiver.attr], name)}
        elif name in self.ours:
            found = {self._lookup(kind, name) for kind in self.made} - {None}
        else:
            return None
        return found.pop() if len(found) == 1 else None

    def _count(self) -> None:
        for function in self.all():
            seen: set[int] = set()
            for node in ast.walk(function.node):
                if (
                    isinstance(node, ast.Attribute)
                    and isinstance(node.value, ast.Name)
                    and node.value.id in self.classes
                ):
                    seen.add(id(node.value))  # "Base.method": no use of the class as such
                if isinstance(node, ast.Call) and (target := self.target(node, function)):
                    self.sites[target] += 1
                    seen.add(id(node.func))
                elif _name(node) and id(node) not in seen:
                    self.mentions[_name(node)] += 1
        for stmt in self.loose:
            self._mention(stmt)

    def _mention(self, tree: ast.AST) -> None:
        self.mentions.update(
            _name(node) for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute)
        )

    def leave(self, function: PlacedFunction) -> None:
        """Note that the board compiles ``function`` itself, so that whatever it calls has to exist."""
        self._mention(function.node)

    def dissolves(self, function: PlacedFunction, size: int) -> bool:
        """Whether to compile ``function``, of ``size`` octets, into its callers."""
        name = function.node.name
        if name == "__init__":  # then no class that uses it may be called from anywhere else
            return all(
                self._lookup(kind, name) is not function or not self.mentions[kind] for kind in self.made
            )
        return not name.startswith("__") and (self.sites[function] - 1) * size <= REPEATED_MAX

    def base_init(self, function: PlacedFunction) -> PlacedFunction | None:
        """The ``__init__`` that a class would fall back on if it lost this one."""
        if function.node.name != "__init__":
            return None
        return self._lookup(self.classes[function.owner].base, "__init__")

    def needed(self, function: PlacedFunction, dissolved: bool) -> bool:
        """Whether the function has to exist on its own as well."""
        name = function.node.name
        special = name.startswith("__")
        if (
            dissolved
            and function.owner
            and not any(self._lookup(kind, name) is function for kind in self.made)
        ):
            return False  # every object has another method of that name
        return not dissolved or not self.sites[function] or (self.mentions[name] > 0 and not special)


def _bound(root: ast.AST) -> Iterator[str]:
    """The global names to which a top-level statement or a function assigns, each time it may."""
    inside = isinstance(root, ast.FunctionDef)
    for node in ast.walk(root):
        if isinstance(node, ast.Global):
            yield from node.names
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and not inside:
            yield node.id


def _name(node: ast.AST) -> str:
    """The name that a name or attribute refers to; "" for another node."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
