"""Faults of sensors, of the link and of the node."""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as hy
from pydantic import TypeAdapter

from cabinwatch.kit.strategies.basic import Bounds, chosen, decimal, magnitude, moments, windows
from cabinwatch.models.line_faults import AnyLinkFault, LinkModel
from cabinwatch.models.node_faults import AnyDeviceFault, DeviceModel
from cabinwatch.models.sensors import SensorFault

_LINK: TypeAdapter[Any] = TypeAdapter(AnyLinkFault)
_SENSOR: TypeAdapter[Any] = TypeAdapter(SensorFault)
_DEVICE: TypeAdapter[Any] = TypeAdapter(AnyDeviceFault)
Parts = dict[str, hy.SearchStrategy[Any]]
UNITS = hy.sampled_from(("octet", "send"))


def _sensor_parts() -> dict[str, Parts]:
    return {
        "silent": {},
        "stuck": {},
        "broken": {},
        "bias": {"size": decimal((-2000.0, 2000.0), 0)},
        "drift": {"rate": decimal((-2000.0, 2000.0), 0)},
        "spikes": {"size": magnitude((100.0, 50_000.0)), "rate": magnitude((0.001, 0.5))},
        "warming": {"rise": decimal((-15.0, 15.0)), "tau": magnitude((1.0, 3600.0))},
        "wild": {"rate": magnitude((0.001, 0.5))},
        "clock_stopped": {},
        "clock_factor": {"factor": magnitude((0.1, 100.0))},
        "twin": {
            "size": decimal((-200.0, 200.0), 0),
            "lead": hy.sampled_from((0.0, 0.3, 3600.0)),
            "delay_ms": hy.sampled_from((5, 15, 100)),
        },
    }


def _link_parts(worst: float) -> dict[str, Parts]:
    rate = magnitude((1e-5, worst))
    return {
        "flip": {"rate": magnitude((1e-6, worst / 5))},
        "burst": {
            "enter": magnitude((1e-4, worst)),
            "leave": magnitude((0.02, 1.0)),
            "loss": hy.sampled_from((0.0, 0.3)),
        },
        "drop": {"rate": rate, "of": UNITS},
        "repeat": {"rate": rate, "of": UNITS},
        "swap": {"rate": rate},
        "merge": {"rate": rate},
        "delay": {"most_ms": hy.integers(1, 2000), "keep_order": hy.booleans()},
        "jitter": {"rate": rate, "most_ms": hy.integers(1, 200)},
        "stuck": {"level": hy.sampled_from(("high", "low"))},
        "break": {"every_s": magnitude((0.1, 100.0))},
        "baud": {"error": hy.sampled_from((0.02, -0.02, 0.06, -0.06, 0.5, -0.5))},
        "echo": {},
        "babble": {"every_s": magnitude((0.05, 100.0)), "most": hy.integers(1, 80)},
        "clog": {"room": hy.integers(0, 500)},
    }


def _device_parts() -> dict[str, Parts]:
    return {
        "reset": {"octet": hy.none() | hy.integers(0, 60), "down_ms": hy.sampled_from((0, 1, 300))},
        "brown_out": {
            "octet": hy.none() | hy.integers(0, 100),
            "wrong": hy.none() | hy.integers(0, 100),
            "down_ms": hy.sampled_from((0, 1, 300)),
        },
        "jump": {"by_ms": hy.integers(-60_000, 60_000)},
        "drift": {"ppm": hy.integers(-10_000, 10_000)},
        "stall": {},
        "slow_host": {"by_ms": hy.integers(1, 1000)},
    }


def _one(
    kind: str, parts: Parts, check: Callable[[Any], Any], when: hy.SearchStrategy[dict[str, Any]]
) -> hy.SearchStrategy[Any]:
    fixed = hy.fixed_dictionaries(parts)
    return hy.tuples(when, fixed).map(lambda pair: check({"kind": kind, **pair[0], **pair[1]}))


def sensor_faults(
    *, within: Bounds = (0.0, 3600.0), kinds: Sequence[str] | None = None
) -> hy.SearchStrategy[Any]:
    """A fault of the transducer that ends within ``within`` (s); ``kinds`` as in a scenario file."""
    when = windows(within)
    known = {k: _one(k, parts, _SENSOR.validate_python, when) for k, parts in _sensor_parts().items()}
    return hy.one_of(chosen(kinds, known))


def link_faults(
    *,
    within: Bounds = (0.0, 3600.0),
    kinds: Sequence[str] | None = None,
    directions: Sequence[str] = ("up", "down", "both"),
    worst: float = 0.1,
    longest_s: float | None = None,
) -> hy.SearchStrategy[Any]:
    """A link fault that ends within ``within`` (s), no longer than ``longest_s``; ``kinds`` as in a scenario file.

    ``worst`` bounds the rates: share of octets (of bits: a fifth of it).
    """
    when = hy.tuples(windows(within, longest_s), hy.sampled_from(directions)).map(
        lambda pair: {**pair[0], "direction": pair[1]}
    )
    known = {k: _one(k, parts, _LINK.validate_python, when) for k, parts in _link_parts(worst).items()}
    return hy.one_of(chosen(kinds, known))


def link_models(
    *,
    faults: hy.SearchStrategy[Any] | None = None,
    most: int = 4,
    bauds: Sequence[int] = (115_200, 9600, 921_600),
    latency_ms: tuple[int, int] = (0, 50),
) -> hy.SearchStrategy[LinkModel]:
    """A link with up to ``most`` faults; shrinks to a sound one at the first of ``bauds``."""
    return hy.builds(
        LinkModel,
        baud=hy.sampled_from(bauds),
        latency_ms=hy.integers(*latency_ms),
        faults=hy.lists(link_faults() if faults is None else faults, max_size=most),
    )


def device_faults(
    *, within: Bounds = (0.0, 3600.0), kinds: Sequence[str] | None = None
) -> hy.SearchStrategy[Any]:
    """A fault of the node: reset, brown-out, jump or drift of its clock, stall (ten seconds at most), slow host."""
    moment: hy.SearchStrategy[dict[str, Any]] = moments(within).map(lambda at: {"at": at})
    short = windows(within, 10.0)
    known = {
        k: _one(k, parts, _DEVICE.validate_python, moment if k in ("reset", "brown_out", "jump") else short)
        for k, parts in _device_parts().items()
    }
    return hy.one_of(chosen(kinds, known))


def device_models(*, most: int = 2, **bounds: Any) -> hy.SearchStrategy[DeviceModel]:
    """A node with up to ``most`` faults; ``bounds`` as of `device_faults`."""
    return hy.builds(DeviceModel, faults=hy.lists(device_faults(**bounds), max_size=most))
