"""The same run gives the same octets on CPython and in the MicroPython VM, also with a small heap."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import worlds
from cabinwatch.scenario import load as scenarios
from cabinwatch.targets.cpython import CpythonTarget
from cabinwatch.targets.micropython import MicropythonTarget

SMALL_HEAP_KB = 176
"""The monitor needs 168, most of it to compile its source; cells there are of 64 bits, so that a board of 32 bits needs
half of it."""
SHORT_MS = 3600_000
"""How much is played of a scenario that lasts for days."""


@pytest.mark.parametrize("name", scenarios.bundled())
def test_bundled_scenarios(vm, name):
    text = scenarios.load(name)[1]
    until_ms = min(scenarios.load(name)[0].duration_ms, SHORT_MS)
    again = f"cabinwatch run {name} --seed 1 --duration '{until_ms / 1000} s' --target "
    here = worlds.run(text, 1, "cpython", until_ms)[1]
    there = worlds.run(text, 1, "micropython", until_ms)[1]
    assert here == there, f"{again}cpython against {again}micropython"


@settings(max_examples=30)
@given(worlds.tomls(most_s=300), st.integers(0, 1 << 32))
def test_drawn_worlds(vm, text, seed):
    worlds.tell(text, seed, ("cpython", "micropython"))
    world, here = worlds.run(text, seed, CpythonTarget())
    assert here == worlds.run(text, seed, "micropython")[1]
    assert here == worlds.run(text, seed, "cpython")[1], "the same again in the same process"
    assert world.ground.counts.aliens == 0, "every good packet of the monitor is known to the ground"


@settings(max_examples=5)
@given(worlds.tomls(most_s=300), st.integers(0, 1 << 32))
def test_a_small_heap_changes_nothing(vm, text, seed):
    """Were the firmware to grow, this says so before a board does."""
    worlds.tell(text, seed, ("cpython", "micropython"))
    small = MicropythonTarget(heap=f"{SMALL_HEAP_KB}k")
    assert worlds.run(text, seed, small)[1] == worlds.run(text, seed, "cpython")[1]
