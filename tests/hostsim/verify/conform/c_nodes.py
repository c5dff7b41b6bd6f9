"""Nodes in C, right and wrong: transducer.c, and what small changes make of it."""

import subprocess
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
FLAGS = ("-std=c11", "-O1", "-Wall", "-Wextra", "-Werror")


@cache
def source(name):
    return (HERE / name).read_text(encoding="utf-8")


def build(folder, *edits, name="transducer.c", flags=("-std=c11",)):
    """The program that ``edits``, pairs of old and new, make of the source; each old stands there exactly once."""
    text = source(name)
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    program = folder / "node"
    subprocess.run(["cc", *flags, "-o", program, folder / name], check=True)
    return f"exec:{program}"
