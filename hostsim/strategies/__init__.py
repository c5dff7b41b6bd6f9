"""Hypothesis strategies for the emulator: ``from hostsim import strategies as st``.

Everything drawn is an explicit event or value of a scenario file, so a failure shrinks to the smallest story that
fails, and the story can be saved, read and replayed on any target. Every bound is a keyword: a pair (low, high),
both ends included, or a list of what to choose from. Needs ``pip install "cabinwatch[kit]"``.
"""

import hostsim.scenario  # noqa: F401 - registered below, whichever of the two was imported first
from hostsim.hypothesis_hook import register
from hostsim.strategies.faults import device_faults, link_faults, link_models, sensor_faults
from hostsim.strategies.station import cabins, leak_profiles, leak_sizes
from hostsim.strategies.wire import byte_streams, chunked, frames, packets, raw_telecommands, telecommands
from hostsim.strategies.world import scenarios, settings_for_worlds

__all__ = [
    "byte_streams",
    "cabins",
    "chunked",
    "device_faults",
    "frames",
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
]

register()
