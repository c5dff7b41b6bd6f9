"""Drawn worlds as scenario files, and what a failing run is called so that a person can repeat it."""

import json
from typing import get_args

from hypothesis import note
from hypothesis import strategies as st

from cabinwatch.models.commands import Verb
from cabinwatch.run.lockstep import LockStep
from cabinwatch.run.transcript import Recorder
from cabinwatch.scenario import load as scenarios
from cabinwatch.targets import open_target
from cabinwatch.world.world import World
from cabinwatch_protocol import table as t


def toml(tree, prefix=""):
    """A nested dict as TOML; lists of dicts become arrays of tables."""
    plain, tables = [], []
    for key, value in tree.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict):
            tables.append(f"[{path}]\n{toml(value, path + '.')}")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            tables += [f"[[{path}]]\n{toml(entry, path + '.')}" for entry in value]
        else:
            plain.append(f"{key} = {json.dumps(value)}\n")
    return "".join(plain) + "".join(tables)


def window(most_s):
    at = st.integers(0, most_s)
    return st.one_of(
        st.fixed_dictionaries({"at": at}),
        st.tuples(at, st.integers(1, most_s)).map(lambda w: {"at": w[0], "until": sum(w)}),
    )


@st.composite
def link_faults(draw, most_s):
    kind = draw(st.sampled_from(["flip", "drop", "delay"]))
    fault = {"kind": kind, "direction": draw(st.sampled_from(["up", "down", "both"])), **draw(window(most_s))}
    if kind == "delay":
        fault["most_ms"] = draw(st.sampled_from([5, 300, 3000]))
    else:
        fault["rate"] = draw(st.sampled_from([0.0005, 0.01, 0.2]))
    return fault


@st.composite
def sensor_faults(draw, most_s):
    kind = draw(st.sampled_from(["stuck", "bias", "drift", "spikes", "silent", "broken"]))
    extra = {"bias": {"size": 900}, "drift": {"rate": -4000}, "spikes": {"size": 5000, "rate": 0.2}}.get(
        kind, {}
    )
    return {"kind": kind, **extra, **draw(window(most_s))}


@st.composite
def telecommands(draw, most_s):
    do = draw(st.sampled_from(get_args(Verb)))
    tc = {"at": draw(st.integers(0, most_s)), "do": do}
    if do == "inhibit":
        tc["argument"] = draw(st.sampled_from([0, 60, 7200, 7201]))
    if do in ("get", "set"):
        p = draw(st.sampled_from(t.MONITOR_PARAMETERS))
        tc["parameter"] = p.name
        if do == "set":
            tc["value"] = draw(st.one_of(st.integers(p.low, p.high), st.sampled_from([p.low, p.high])))
    return tc


@st.composite
def tomls(draw, most_s=600, lossless=False):
    """A scenario file: a leak or none, a noisy sensor with faults, a faulty link, telecommands, resets."""
    seconds = draw(st.integers(20, most_s))
    cabin = {"compartments": {"station": {"volume": draw(st.sampled_from(["7 m3", "100 m3", "916 m3"]))}}}
    leak = draw(st.sampled_from([None, "1 mm", "20 mm", "80 mm", "3.7 lb/d", "T1mm 20 s"]))
    if leak:
        law = draw(st.sampled_from(["orifice", "crack", "linear"]))
        cabin["leaks"] = {"hole": {"size": leak, "law": law, "at": draw(st.integers(0, seconds))}}
    sensor = {"noise": draw(st.sampled_from([0, 1, 40])), "step": draw(st.sampled_from([0, 53]))}
    sensor["clock_ppm"] = draw(st.sampled_from([0, -1000, 300]))
    sensor["faults"] = draw(st.lists(sensor_faults(seconds), max_size=2))
    link = {"baud": draw(st.sampled_from([1200, 115200])), "latency_ms": draw(st.sampled_from([0, 40, 600]))}
    if not lossless:
        link["faults"] = draw(st.lists(link_faults(seconds), max_size=3))
    tree = {
        "title": "drawn",
        "duration": seconds,
        "resets": draw(st.lists(st.integers(0, seconds), max_size=2)),
        "parameters": {
            "poll_period": draw(st.sampled_from([100, 1000, 10_000])),
            "hk_period": draw(st.sampled_from([1000, 9000])),
        },
        "cabin": cabin,
        "sensor": sensor,
        "link": link,
        "telecommands": draw(st.lists(telecommands(seconds), max_size=6)),
    }
    return toml(tree)


def run(text, seed, target, until_ms=None, recorder=None):
    """Play a scenario's text to a target (by name, or one that is open already); the world and the hash."""
    scenario = scenarios.parse(text, "drawn.toml")
    world = World(scenario, seed)
    recorder = recorder or Recorder()
    opened = open_target(target) if isinstance(target, str) else target
    try:
        LockStep(world, opened, recorder).run(until_ms or scenario.duration_ms)
    finally:
        opened.close()
    return world, recorder.sha256


def tell(text, seed, targets):
    """Say how to repeat this run by hand; pytest shows it where the test fails."""
    note(f"seed {seed}, scenario drawn.toml:\n{text}")
    for target in targets:
        note(f"cabinwatch run drawn.toml --seed {seed} --target {target} --record {target}.jsonl --json")
    note(f"cabinwatch replay {targets[0]}.jsonl --target {targets[-1]}")
