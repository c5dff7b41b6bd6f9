"""The public strategies: ``from cabinwatch import strategies as st``. They live in `cabinwatch.kit.strategies`."""

from cabinwatch.kit.strategies import *  # noqa: F403
from cabinwatch.kit.strategies import __all__ as __all__
