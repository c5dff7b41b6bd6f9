"""The image builder: deterministic, one core for every port, chunks that the board can compile, clear errors."""

import importlib
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cabinwatch.board.build import image as images
from cabinwatch.board.build.bytecode import signed, unsigned
from cabinwatch.board.build.chunks import HARD_LIMIT, LIMIT
from cabinwatch.board.build.flatten import BuildError, flatten
from cabinwatch.board.build.image import PORTS, Image, build_image, known_names
from cabinwatch.board.build.place import CHUNK, PAGE, PERSISTENT, Flash
from cabinwatch.errors import SetupError, UsageError

HASH = "import hashlib; from cabinwatch.board.build.image import build_image; " + (
    "i = build_image(); print(hashlib.sha256(i.hex.encode()).hexdigest(), sorted(i.sizes.items()))"
)


def toy(root, port, **modules):
    """A tree of packages with a port and whatever else is given, by dotted name with __ for the dot."""
    for name, text in {"cabinwatch_firmware__ports__toy": port, **modules}.items():
        path = root.joinpath(*name.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return {"root": root, "ports": {"toy": "cabinwatch_firmware.ports.toy"}, "port": "toy"}


@pytest.fixture(scope="module")
def plain():
    return {port: build_image(port=port, in_flash=False) for port in PORTS["monitor"]}


@pytest.fixture(scope="module")
def built():
    return {port: build_image(port=port) for port in PORTS["monitor"]}


def test_same_source_same_octets():
    runs = [
        subprocess.run(
            [sys.executable, "-c", HASH],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] != b""


def test_the_core_is_the_same_with_every_port(built):
    """Each port brings what it needs beside it; of what all have, the source that is compiled is the same."""
    ports = set(PORTS["monitor"].values())
    cores = [
        {module: size for module, size in image.sizes.items() if module not in ports}
        for image in built.values()
    ]
    shared = set(cores[0]).intersection(*cores[1:])
    assert "cabinwatch_firmware.monitor" in shared
    assert len({tuple(core[module] for module in sorted(shared)) for core in cores}) == 1


def test_everything_is_compiled_off_the_board(built):
    transducer = build_image(role="transducer", port="lockstep")
    assert [image.left for image in (*built.values(), transducer)] == [{}] * 4
    assert transducer.sizes["cabinwatch_firmware.detector.detector"] == 0


def test_chunks_are_within_the_limit(plain, built):
    for image in (*plain.values(), *built.values()):
        for name, _ in image.chunks:
            text = image.files[name]
            assert len(text) <= LIMIT or text.count(b"\ndef ") + text.startswith(b"def ") <= 1
    assert all(len(image.files[name]) <= HARD_LIMIT for image in built.values() for name, _ in image.chunks)


def test_every_name_of_ours_is_one_that_the_board_knows(plain):
    image = plain["uart"]
    assert set(image.names.values()) <= set(known_names())
    assert len(set(image.names.values())) == len(image.names)


def test_a_file_takes_whole_chunks_of_what_is_free():
    free = [Image(images._embed({"a": bytes(n)}, 0, b""), {}, {}, (), {}, {}).free() for n in (9, CHUNK)]
    assert free[0] - free[1] == CHUNK


def test_sizes_are_by_module(built):
    sizes = built["uart"].sizes
    assert {
        "cabinwatch_firmware.monitor",
        "cabinwatch_firmware.detector.detector",
        "cabinwatch_protocol.device.node",
    } <= set(sizes)
    assert all(size > 0 for size in sizes.values())


def test_explain_puts_the_names_back(built):
    image = built["uart"]
    board_name = image.names["Monitor"]
    assert image.explain(f"'{board_name}' object") == "'Monitor' object"
    frame = 'File "gc", line 1, in {}'
    assert image.explain(frame.format(image.names["telecommand"])) == frame.format("telecommand")
    prose = "object to in has the of " + " ".join(image.names.values())
    assert image.explain(prose) == prose


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"board": "pico"}, "pico"),
        ({"role": "x"}, "monitor"),
        ({"port": "x"}, "lockstep"),
        ({"role": "transducer"}, "lockstep"),
    ],
)
def test_a_wrong_name_says_what_there_is(arguments, word):
    with pytest.raises(UsageError, match=word):
        build_image(**arguments)


def test_a_missing_package_names_the_extra(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(images.importlib, "import_module", missing)
    with pytest.raises(SetupError, match=r"pip install 'cabinwatch\[board\]'"):
        build_image()
    assert importlib is images.importlib


def test_a_function_that_is_too_long_for_the_board_is_named(tmp_path):
    body = "".join(f"    try: a.x{i}(i)\n    except OSError: pass\n" for i in range(60))
    with pytest.raises(BuildError, match=r"run: .* split it"):
        build_image(**toy(tmp_path, f"def run(a):\n{body}"))


@pytest.mark.parametrize(
    ("port", "words"),
    [
        ("from .x import y\ndef run():pass", "absolute"),
        ("def run():\n from cabinwatch_firmware.x import y", "top of the module"),
        ("import cabinwatch_firmware.x\ndef run():pass", "import cabinwatch_firmware.x as name"),
        ("from cabinwatch_firmware.gone import y\ndef run():pass", "no module cabinwatch_firmware.gone"),
        ("from cabinwatch_firmware.x import gone\ndef run():gone()", "firmware.x has no gone"),
        ("from cabinwatch_firmware import x\ndef run():x.gone()", "firmware.x has no gone"),
        ("from cabinwatch_firmware.z import y\ndef run():y()", "imports itself"),
    ],
)
def test_an_import_that_cannot_be_flattened_is_named(tmp_path, port, words):
    extra = {
        "cabinwatch_firmware__x": "y = 1",
        "cabinwatch_firmware__z": "from cabinwatch_firmware.ports.toy import run\ny = 1",
    }
    with pytest.raises(BuildError, match=words):
        build_image(**toy(tmp_path, port, **extra))


def run_flat(root, *entries):
    """Flatten, execute, and return the common namespace."""
    import ast

    space = {}
    for module in flatten(entries, root):
        exec(compile(ast.fix_missing_locations(ast.Module(module.body, [])), module.name, "exec"), space)
    return space


def test_flattening_keeps_the_meaning_of_names(tmp_path):
    toy(
        tmp_path,
        "from cabinwatch_firmware.a import A, f as g\nfrom cabinwatch_firmware import b\n"
        "import cabinwatch_firmware.b as c\nK = A * 2\n"
        "def run(A=5):\n    return A, g(), b.f(), c.T[1], K, b.Box().size()\n",
        cabinwatch_firmware__a="A = 3 << 2\n_t = [1]\ndef f():\n    return _t, A\n",
        cabinwatch_firmware__b="from cabinwatch_firmware.a import A\nT = (A, 7)\n_t = [2]\n"
        "def f():\n    _t = 9\n    return _t + A\n"
        "def unused():\n    pass\n"
        "class Box:\n    def size(self):\n        return _t[0], len(T)\n    def gone(self):\n        pass\n",
    )
    space = run_flat(tmp_path, "cabinwatch_firmware.ports.toy")
    assert space["run"]() == (5, ([1], 12), 21, 7, 24, (2, 2))
    assert "A" not in space
    assert "unused" not in space
    assert not hasattr(space["Box"], "gone")


@given(st.integers(-(1 << 30), (1 << 30) - 1))
def test_signed_groups_decode_as_the_virtual_machine_does(value):
    octets = signed(value)
    decoded = -1 if octets[0] & 0x40 else 0
    for octet in octets:
        decoded = decoded << 7 | octet & 0x7F
    assert decoded == value
    assert [octet >> 7 for octet in octets] == [1] * (len(octets) - 1) + [0]
    assert len(octets) <= 5


@given(st.integers(0, 1 << 20))
def test_unsigned_groups_decode(value):
    decoded = 0
    for octet in unsigned(value):
        decoded = decoded << 7 | octet & 0x7F
    assert decoded == value


TELLING = {0, 253, 254, 255}
PIECES = st.binary(min_size=1, max_size=300).filter(lambda data: not set(data) & TELLING)


@given(st.lists(st.tuples(PIECES, st.sampled_from([1, 4])), max_size=40))
def test_each_piece_keeps_a_place_of_its_own_beside_the_last_pages_marker(pieces):
    flash = Flash(0x30000, 0x34000)
    placed = [(flash.place(data, align) - 0x30000, data, align) for data, align in pieces]
    chunks = flash.chunks()
    assert len(chunks) == 0x4000 + PAGE
    assert chunks[0x4000] == PERSISTENT
    assert not set(chunks[::CHUNK]) - {PERSISTENT} & TELLING
    for at, data, align in placed:
        assert at % align == 0
        assert chunks[at:][: len(data)] == data


@given(st.lists(st.binary(min_size=1, max_size=90), max_size=30))
def test_any_short_piece_finds_a_place_and_tells_nothing(pieces):
    flash = Flash(0, 8 * PAGE)
    for data in pieces:
        flash.place(data)
    assert not {*flash.chunks()[::CHUNK]} - {PERSISTENT} & TELLING


def test_the_last_page_is_filled_first_and_short_pieces_fill_what_long_ones_leave():
    flash = Flash(0, 8 * PAGE)
    assert flash.place(bytes([1] * 500)) == 8 * PAGE + 1
    assert flash.place(bytes([1] * 600)) == 0
    assert flash.place(bytes([1] * 520)) == 8 * PAGE + 501
    assert flash.place(bytes([1] * 40 + [0] + [1] * 11)) == 601
    assert flash.place(bytes([0] * 4), 4) == 656
    assert flash.place(bytes([1]), 4) == 600
    assert flash.place(bytes([1] * 3)) == 8 * PAGE + 1021
