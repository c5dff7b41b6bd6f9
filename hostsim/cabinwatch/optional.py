"""What comes with an extra: asked for where it is needed, and named with its install command where it is missing."""

import importlib
from typing import Any

from cabinwatch.errors import SetupError


def need(module: str, extra: str = "board") -> Any:
    """Import an optional package late. Raises SetupError that names the extra which brings it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.split(".")[0].replace("_", "-")
        raise SetupError(f'{package} is needed here: pip install "cabinwatch[{extra}]"') from None
