"""Where the firmware's sources are: in a checkout, in an editable install, and in an installed package."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("cabinwatch_firmware", "cabinwatch_protocol")


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
