"""Where the firmware's sources are: in a checkout, in an editable install, and in an installed package."""

import sys
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("cabinwatch_firmware", "cabinwatch_protocol")
JUDGED_BY = (".py", ".toml", ".json")
"""What of a package's files decides what comes of a run."""


@cache
def folder(package: str) -> Path:
    """The folder of one of `PACKAGES`, found without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"no package {package}: the installation of cabinwatch is not whole")
    return Path(spec.submodule_search_locations[0])


def import_path() -> str:
    """What MICROPYPATH takes: the folders in which the packages lie."""
    return ":".join(dict.fromkeys(str(folder(package).parent) for package in PACKAGES))


def module_path(name: str, root: Path | None = None) -> Path:
    """The file in which a module of one of `PACKAGES` would be, under ``root`` where the packages are given there."""
    package, *rest = name.split(".")
    base = root / package if root else folder(package)
    return base.joinpath(*rest).with_suffix(".py")


@cache
def fingerprint() -> str:
    """Two installations that have the same one give the same results: a hash of the three packages' sources."""
    digest = sha256(f"Python {sys.version_info.major}.{sys.version_info.minor}\n".encode())
    for package in ("cabinwatch", *PACKAGES):
        root = folder(package)
        for path in sorted(root.rglob("*")):
            if path.suffix in JUDGED_BY:
                digest.update(f"{package}/{path.relative_to(root).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
