"""Whole worlds."""

from typing import Any

from hypothesis import HealthCheck
from hypothesis import strategies as hy

from cabinwatch.kit import latest
from cabinwatch.kit.strategies.faults import device_models, link_faults, link_models, sensor_faults
from cabinwatch.kit.strategies.station import cabins
from cabinwatch.kit.strategies.wire import raw_telecommands, telecommands
from cabinwatch.models.cabin import CabinModel
from cabinwatch.models.commands import Telecommand
from cabinwatch.models.line_faults import LinkModel
from cabinwatch.models.scenario import Scenario

settings_for_worlds: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
"""Keywords for ``hypothesis.settings``: playing a world is not a unit test's millisecond."""


@hy.composite
def scenarios(
    draw: hy.DrawFn,
    *,
    duration_s: tuple[int, int] = (30, 600),
    cabin: hy.SearchStrategy[CabinModel] | None = None,
    link: hy.SearchStrategy[LinkModel] | None = None,
    sensor_fault: hy.SearchStrategy[Any] | None = None,
    sensor_faults_most: int = 1,
    device_faults_most: int = 1,
    telecommand: hy.SearchStrategy[Telecommand] | None = None,
    telecommands_most: int = 3,
    raw_most: int = 2,
    quiet_s: int = 0,
) -> Scenario:
    """A scenario of ``duration_s``; nothing goes wrong in its last ``quiet_s``. Each part can be given, or bounded.

    Shrinks to half a minute of a cabin in which nothing happens.
    """
    duration = draw(hy.integers(max(duration_s[0], quiet_s + 1), duration_s[1]))
    within = (0.0, float(duration - quiet_s))
    faults = sensor_faults(within=within) if sensor_fault is None else sensor_fault
    commands = telecommands(within=within) if telecommand is None else telecommand
    lines = link_models(faults=link_faults(within=within)) if link is None else link
    scenario = Scenario.model_validate(
        {
            "title": "drawn by Hypothesis",
            "duration": duration,
            "cabin": draw(cabins(within=within) if cabin is None else cabin),
            "link": draw(lines),
            "sensor": {
                "noise": draw(hy.sampled_from((1.0, 0.0, 5.0, 53.0))),
                "step": draw(hy.sampled_from((0.0, 53.0))),
                "sees": draw(hy.sampled_from((1.0, 0.3, 0.0))),
                "faults": draw(hy.lists(faults, max_size=sensor_faults_most)),
            },
            "device": draw(device_models(most=device_faults_most, within=within)),
            "telecommands": draw(hy.lists(commands, max_size=telecommands_most)),
            "raw": draw(hy.lists(raw_telecommands(within=within), max_size=raw_most)),
        }
    )
    latest.scenario = scenario
    return scenario
