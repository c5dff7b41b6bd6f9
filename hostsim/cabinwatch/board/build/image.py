"""Build a complete micro:bit image: MicroPython 1.9.2, the firmware and a start script, in one Intel hex file.

The same source gives the same octets. The core's chunks are the same whichever port is linked, so what the emulator
runs in lock-step is what a board runs, but for the last few chunks.
"""

import ast
import importlib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from cabinwatch.board.build.chunks import HARD_LIMIT, cut
from cabinwatch.board.build.compiler import Compiler
from cabinwatch.board.build.flatten import BuildError, Module, defined, flatten
from cabinwatch.board.build.names import Renamer, choose
from cabinwatch.board.build.place import CHUNK, PAGE, UNUSED, Flash, Placer
from cabinwatch.board.build.program import FlatProgram
from cabinwatch.board.build.runtime import known_names as names_in
from cabinwatch.errors import SetupError, UsageError

PORTS = {
    "monitor": {
        "uart": "cabinwatch_firmware.ports.microbit",
        "lockstep": "cabinwatch_firmware.ports.microbit_lockstep",
        "bench": "cabinwatch_firmware.ports.microbit_bench",
    },
    "keyed monitor": {
        "uart": "cabinwatch_firmware.ports.microbit_keyed",
        "lockstep": "cabinwatch_firmware.ports.microbit_lockstep_keyed",
        "bench": "cabinwatch_firmware.ports.microbit_bench_keyed",
    },
    "transducer": {"lockstep": "cabinwatch_firmware.ports.microbit_lockstep_transducer"},
    "keyed transducer": {"lockstep": "cabinwatch_firmware.ports.microbit_lockstep_transducer_keyed"},
}
START = "main.py"
SMALL = 600
"""Octets up to which chunks of several modules go into one file: well below what the board compiles in one go."""
_NAMED = re.compile(r"(?<=, in )\w+|(?<=')\w+(?=')")  # in a traceback: the function, and what an error quotes

# What the start script uses, and list.append, which a comprehension becomes; none is given to a name of ours.
_NEAR = (
    "abs",
    "len",
    "max",
    "min",
)  # made global: the board seeks a built-in function's name through all of theirs
_START_NAMES = (
    *_NEAR,
    "append", "collect", "exec", "gc", "globals", "i", "id", "kbd_intr", "machine", "mem32", "mem_free",
    "micropython", "opt_level", "open", "print", "read", "update",
)  # fmt: skip


@dataclass(frozen=True)
class Image:
    """An image for the board.

    ``hex`` is the Intel hex text ("" where nothing is compiled here); ``files`` the files in it by name; ``sizes`` the
    octets of minified source by module;
    ``chunks`` names the module of each chunk file in load order; ``names`` maps the firmware's names to the board's;
    ``left`` says of each function that the board has to compile itself, why.
    """

    hex: str
    sizes: dict[str, int]
    files: dict[str, bytes]
    chunks: tuple[tuple[str, str], ...]
    names: dict[str, str]
    left: dict[str, str]

    def explain(self, text: str) -> str:
        """Put the firmware's own names back into a traceback from the board, where such a one names something."""
        back = {new: old for old, new in self.names.items()}
        return _NAMED.sub(lambda word: back.get(word[0], word[0]), text)

    def free(self) -> int:
        """Octets of flash that neither files nor bytecode take."""
        memory = _need("intelhex").IntelHex(io.StringIO(self.hex))
        starts = range(int(_device().fs_start_address), _end(), CHUNK)
        return CHUNK * sum(bool(memory[at] == UNUSED) for at in starts)


def build_image(
    board: str = "microbit",
    role: str = "monitor",
    port: str = "uart",
    *,
    probe: bool = False,
    in_flash: bool = True,
    data: Mapping[str, bytes] | None = None,
    root: Path | None = None,
    ports: Mapping[str, str] | None = None,
) -> Image:
    """Build the image of ``role`` for ``board``, linked to ``port`` ("uart", "lockstep" or "bench").

    :param probe: print the free heap on the UART after each chunk, before the firmware starts.
    :param in_flash: compile here and keep the bytecode in flash; False gives the chunks as source, for whoever reads or
        runs them elsewhere: the board has no room to compile them all.
    :param data: further files to put on the board.
    :param root: where the firmware's packages are, in place of the project's own.
    :param ports: port modules by name, in place of the project's own.
    :raises UsageError: no such board or role, or no such port of that role.
    :raises SetupError: the pip extra ``cabinwatch[board]`` is not installed.
    :raises BuildError: the firmware cannot be cut to fit the board.
    """
    if board != "microbit":
        raise UsageError(f"no image can be built for {board!r}; this builds: microbit")
    if role not in PORTS:
        raise UsageError(f"no role {role!r}: {', '.join(PORTS)}")
    ports = PORTS[role] if ports is None else ports
    if port not in ports:
        raise UsageError(
            f"the {board} as {role} has no port {port!r}, but: {', '.join(ports)} (lockstep is for the emulator)"
        )
    linked = _link(tuple(ports.values()), ports[port], root, in_flash)
    files: dict[str, bytes] = {}
    chunks: list[tuple[str, str]] = []
    imported = {"gc", "micropython"}  # by the start script
    for module in linked.modules:
        body = [stmt for stmt in module.body if _new_names(stmt, imported)]
        for text in cut(body, _printer(), longest=HARD_LIMIT if in_flash else None, names=linked.names):
            octets = text.encode("ascii")
            last = str(len(chunks) - 1)
            if in_flash and chunks and len(files[last]) + 1 + len(octets) <= SMALL:
                # A file takes 128 octets of flash at least, and most modules leave a line or two.
                files[last] += b"\n" + octets
                chunks[-1] = (last, module.name)
                continue
            name = str(len(chunks))
            chunks.append((name, module.name))
            files[name] = octets
    run = next(m for m in linked.modules if m.name == ports[port]).flat["run"]
    start = _start_script(linked, [name for name, _ in chunks], run, probe)
    files[START] = start.encode("ascii")
    files |= data or {}
    return Image(
        _embed(files, linked.base, linked.flash) if in_flash else "",
        linked.sizes,
        files,
        tuple(chunks),
        linked.names,
        linked.left,
    )


@dataclass(frozen=True)
class _Linked:
    """The core and the chosen port, minified and renamed; with their octets for flash, at ``base``, and the address of
    the dictionary that is in them.
    """

    modules: list[Module]
    names: dict[str, str]
    sizes: dict[str, int]
    left: dict[str, str]
    base: int
    flash: bytes
    directory: int


def _start_script(linked: _Linked, chunks: Iterable[str], run: str, probe: bool) -> str:
    """Take what is in flash from the dictionary there, execute the chunks one by one in the same namespace, then call
    the port's ``run`` with nothing else on the stack. As short as can be: each chunk of the file system is 128 octets.
    """
    directory, names = linked.directory, linked.names  # 0 = no directory
    # An object in flash is at hand once a list holds its address: word 3 of a list says where its items are.
    take = (
        f"i=[0]\nmachine.mem32[machine.mem32[id(i)+12]]={directory}\n"
        "globals().update(i[0])\n"
        + "".join(f"{names.get(name, name)}={name}\n" for name in _NEAR)
        + "gc.collect()\n"
    )
    report = "print(i,gc.mem_free())\n" if probe else ""
    return (
        f"import gc,micropython{',machine' if directory else ''}\n"  # in one line: a chunk of the file system less
        "micropython.kbd_intr(-1)\n"  # octet 3 is everywhere in the protocol and must not be a Ctrl-C
        + (f"gc.collect()\ni=-2\n{report}" if probe else "")
        + (take if directory else "")
        + (f"i=-1\n{report}" if probe else "")
        + f"for i in {','.join(map(repr, chunks))},:\n exec(open(i).read())\n gc.collect()\n"
        + (f" {report}" if probe else "")
        + f"{run}()\n"
    )


def _link(entries: tuple[str, ...], port: str, root: Path | None, in_flash: bool) -> _Linked:
    """Process the core and all ports together, so that the core comes out the same whichever port is taken."""
    minifier = _need("python_minifier")
    modules = flatten(entries, root)
    for module in modules:
        source = ast.unparse(ast.fix_missing_locations(ast.Module(module.body, [])))
        text = minifier.minify(
            source, remove_literal_statements=True, combine_imports=False, hoist_literals=False,
            rename_locals=False, rename_globals=False, preserve_shebang=False,
        )  # fmt: skip
        module.body = ast.parse(text).body
    trees = [ast.Module(module.body, []) for module in modules]
    names = choose(trees, known_names(), _START_NAMES, _NEAR if in_flash else ())
    for module, tree in zip(modules, trees, strict=True):
        Renamer(names).visit(tree)
        module.flat = {name: names.get(flat, flat) for name, flat in module.flat.items()}
    needed = _needed(modules, entries, port)
    sizes = {m.name: len(_printer()(ast.Module(m.body, []))) for m in needed}
    base, flash, left, directory = 0, b"", dict[str, str](), 0
    if in_flash:
        program = FlatProgram([m.body for m in modules], set(names.values()))
        chosen = {names.get(name, name): name for name in _NEAR}
        compiler = Compiler(program, {name: i for i, name in enumerate(known_names(), 1)}, chosen)
        base = _base([_needed(modules, entries, entry) for entry in entries], compiler)
        placer = Placer(Flash(base, _last_page()), compiler)
        for module in needed:
            module.body = placer.body(module.body)
        directory = placer.directory()
        flash = placer.flash.chunks()
        left = {function.node.name: reason for function, reason in compiler.left.items()}
    return _Linked(needed, names, sizes, left, base, flash, directory)


def _needed(modules: Sequence[Module], entries: Iterable[str], port: str) -> list[Module]:
    """That port and the modules that it imports, one by way of the other: of another port's, all but its ``run``."""
    by_name = {module.name: module for module in modules}
    found = [port]
    for name in found:
        found += {target for target, _ in by_name[name].binds.values()} - {*found}
    others = {by_name[name].flat["run"] for name in entries if name != port}
    return [
        replace(module, body=[stmt for stmt in module.body if defined(stmt) not in others])
        for module in modules
        if module.name in found
    ]


def _base(ports: Sequence[Sequence[Module]], compiler: Compiler) -> int:
    """The highest address from which there is room for each port; what is left free on the way depends on it."""

    def end(base: int) -> int:
        """Where the longest would end."""
        ends = []
        for modules in ports:
            placer = Placer(Flash(base, _last_page()), compiler)
            for module in modules:
                placer.body(module.body)
            placer.directory()
            ends.append(placer.flash.end)
        return max(ends)

    base = 2 * _last_page() - end(_last_page())
    base -= base % CHUNK
    while end(base) > _last_page():
        base -= CHUNK
    return base


def _new_names(stmt: ast.stmt, imported: set[str]) -> bool:
    """Whether the statement is more than an import of what was imported before; takes out what was."""
    if not isinstance(stmt, ast.Import | ast.ImportFrom):
        return True
    source = f"{stmt.module}." if isinstance(stmt, ast.ImportFrom) else ""
    stmt.names = [alias for alias in stmt.names if source + alias.name not in imported]
    imported.update(source + alias.name for alias in stmt.names)
    return bool(stmt.names)


def _printer() -> Any:
    minifier = _need("python_minifier")

    def printer(tree: ast.Module) -> str:
        return str(minifier.unparse(tree))

    return printer


def _need(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise SetupError(f"building an image needs {name}: pip install 'cabinwatch[board]'") from error


@cache
def _base_hex() -> str:
    """MicroPython 1.9.2 for the first micro:bit."""
    return str(_need("micropython_microbit_fs").get_bundled_hex(1).content)


@cache
def known_names() -> Sequence[str]:
    """The strings that the board's MicroPython has interned in flash; the first has index 1."""
    memory = _need("intelhex").IntelHex(io.StringIO(_base_hex()))
    return names_in(bytes(memory.tobinarray(start=0, end=_runtime_end() - 1)))


@cache
def _device() -> Any:
    return _need("micropython_microbit_fs").get_device_info(_base_hex())


def _runtime_end() -> int:
    return int(_device().runtime_end_address)


def _end() -> int:
    """Where the file system's region ends for us: the page behind its last one is the board's, for calibration data."""
    return int(_device().fs_end_address) - PAGE


def _last_page() -> int:
    return _end() - PAGE


def _embed(files: Mapping[str, bytes], base: int, flash: bytes) -> str:
    """The hex text with the files, and with ``flash`` from the address ``base`` on."""
    fs = _need("micropython_microbit_fs")
    try:
        text = str(fs.add_files(_base_hex(), [fs.File(name, content) for name, content in files.items()]))
    except fs.StorageFullError as error:
        raise BuildError(f"the files do not fit into the board's flash: {error}") from error
    if not flash:
        return text
    memory = _need("intelhex").IntelHex(io.StringIO(text))
    free = memory[base : base + len(flash)]
    taken = [at for at, octet in free.todict().items() if isinstance(at, int) and octet != 0xFF]
    if any(free[at] != flash[at - base] for at in taken):  # the last page's marker is in both
        raise BuildError(
            f"the files and {len(flash)} octets of bytecode do not fit into the board's flash together"
        )
    memory.puts(base, flash)
    out = io.StringIO()
    memory.write_hex_file(out)
    return out.getvalue()
