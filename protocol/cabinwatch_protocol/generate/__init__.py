"""What is made from the packet table and SPEC.md: ``python -m cabinwatch_protocol.generate``, in a checkout."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
PROTOCOL = PACKAGE.parent
"""The folder ``protocol/`` of the checkout: the specification, the vectors, the XTCE file."""
