"""Hypothesis strategies for the emulator: ``from cabinwatch import strategies as st``.

Everything drawn is an explicit event or value of a scenario file, so a failure shrinks to the smallest story that
fails, and the story can be saved, read and replayed on any target. Every bound is a keyword: a pair (low, high),
both ends included, or a list of what to choose from. Needs ``pip install "cabinwatch[kit]"``.
"""

from cabinwatch.kit.hypothesis_hook import register
from cabinwatch.kit.strategies.faults import device_faults, link_faults, link_models, sensor_faults
from cabinwatch.kit.strategies.keyed import altered, forged, hostile, truncated
from cabinwatch.kit.strategies.station import cabins, growing_leaks, leak_profiles, leak_sizes
from cabinwatch.kit.strategies.wire import (
    byte_streams,
    chunked,
    frames,
    packets,
    raw_telecommands,
    telecommands,
)
from cabinwatch.kit.strategies.world import scenarios, settings_for_worlds

__all__ = [
    "altered",
    "byte_streams",
    "cabins",
    "chunked",
    "device_faults",
    "forged",
    "frames",
    "growing_leaks",
    "hostile",
    "leak_profiles",
    "leak_sizes",
    "link_faults",
    "link_models",
    "packets",
    "raw_telecommands",
    "scenarios",
    "sensor_faults",
    "settings_for_worlds",
    "telecommands",
    "truncated",
]

register()
