"""Objects that are placed in the board's flash, against those that the board makes of the same source."""

import ast
import shutil

import pytest

from cabinwatch.board.build import image as images
from cabinwatch.board.build.compiler import Compiler
from cabinwatch.board.build.image import known_names
from cabinwatch.board.build.place import PAGE, Flash, Placer
from cabinwatch.board.build.program import FlatProgram
from cabinwatch.board.build.runtime import GLOBALS
from cabinwatch.board.emulator.qemu import INSTALL, PROGRAM, Qemu
from conftest import missing

if shutil.which(PROGRAM) is None:
    missing("QEMU", INSTALL)

# In names that the board knows; the second class has methods of its own and its base's. Both are named as what has
# objects: of a mere base less would be placed.
SOURCE = """
group = (0, 1, -2, 1073741823, -1073741824, 1073741824, -4194304000)
text = b"\\x00\\x03\\xfd\\xfe\\xff abc"
address = 1852007989
def add(a, b):
    return a + b
class Facade:
    def on(a, value):
        a.value = value
        return add(value, 1)
    def off(a):
        return a.value
class show(Facade):
    def scroll(a):
        return a.off() + address + (show is Facade)
"""
# Words that are equal in both: type and namespace of a function, and so on; the rest are addresses.
EQUAL = {
    "group": range(6),
    "text": range(3),
    "address": (0, 2),
    "add": range(2),
    "Facade": range(13),
    "show": range(13),
}
MAIN = """
from machine import mem32
i = [0]
mem32[mem32[id(i) + 12]] = {directory}
i = i[0]
print(mem32[id(globals())], id(globals()), len(i))
exec(open('own').read())
for j in {names}:
    a = id(i[j])
    b = id(globals()[j])
    print(j, a < 0x40000 < b, [mem32[a + 4 * k] == mem32[b + 4 * k] for k in range(13)])
for j in 'group', 'text', 'address':
    print(i[j] == globals()[j], hash(i[j]) == hash(globals()[j]))
del group, text, address, add, Facade, show
print('label' in i, 'add' in i)
globals().update(i)
i = show()
print(i.on(5), i.scroll() - address, isinstance(i, Facade), hasattr(i, 'label'), [a for a in group] == list(group))
print('en' + 'd')
while True:
    pass
"""


@pytest.fixture(scope="module")
def heard():
    body = ast.parse(SOURCE).body
    flash = Flash(images._end() - 2 * PAGE, images._end() - PAGE)
    # Compiled one by one: dissolved, the methods would be gone.
    program = FlatProgram([body], set())
    placer = Placer(
        flash, Compiler(program, {name: i for i, name in enumerate(known_names(), 1)}, dissolve=False)
    )
    assert placer.body(body) == []
    main = MAIN.format(directory=placer.directory(), names=[*EQUAL])
    files = {"own": SOURCE.encode(), "main.py": main.encode()}
    with Qemu(images._embed(files, flash.base, flash.chunks())) as qemu:
        said = b""
        while b"end\r\n" not in said:
            said += qemu.receive()
            qemu.check(said)
    return [line.strip() for line in said.decode().strip("\0").splitlines()]


def test_the_namespace_is_where_functions_seek_it(heard):
    assert heard[0].split()[1:] == [str(GLOBALS), str(len(EQUAL))]


@pytest.mark.parametrize(("line", "name"), [*enumerate(EQUAL, 1)])
def test_an_object_in_flash_is_made_as_one_of_the_boards_own(heard, line, name):
    found, in_flash, words = heard[line].split(" ", 2)
    assert (found, in_flash) == (name, "True")
    assert [ast.literal_eval(words)[word] for word in EQUAL[name]] == [True] * len(EQUAL[name])


def test_values_in_flash_are_the_same(heard):
    assert heard[7:10] == ["True True"] * 3


def test_what_is_in_flash_is_found_and_works(heard):
    assert heard[10:12] == ["False True", "6 5 True False True"]
