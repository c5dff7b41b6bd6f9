"""Named sub-seeds: one seed feeds every random stream of a run, and no stream depends on how much another drew."""

from random import Random


def stream(seed: int, name: str) -> Random:
    """The random stream ``name`` of the run ``seed``; equal in every process and on every supported Python."""
    return Random(f"cabinwatch/{seed}/{name}")
