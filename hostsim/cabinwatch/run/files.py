"""A run as files that other tools read: CSV of what reached the ground beside the truth, JUnit XML of what was met."""

import csv
import io
import xml.etree.ElementTree as ET

from cabinwatch.run.result import Run, tres_s, unmet
from cabinwatch.text import name, shown
from cabinwatch.world.world import World
from cabinwatch_protocol import table as t

COLUMNS = (
    "t_s", "state", "health", "pressure_Pa", "temperature_K", "rate_Pa_h", "sigma_Pa_h", "tres_s", "true_pressure_Pa",
    "true_rate_Pa_h",
)  # fmt: skip


def as_csv(world: World) -> str:
    """A row for each housekeeping report: when it reached the ground, what it says, the truth at that time.

    Behind them what the scenario's gauges in other rooms read then.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    gauges = [f"{gauge.name}_{value}" for gauge in world.gauges for value in ("pressure_Pa", "temperature_K")]
    rows.writerow([*COLUMNS, *gauges])
    for t_ms, hk in world.ground.history:
        t_s = t_ms / 1000
        reserve = tres_s(hk)
        rows.writerow(
            [
                t_s,
                name(t.AlarmClass, hk["alarm"]),
                name(t.Health, hk["health"]),
                *(
                    hk[field] / 100
                    for field in ("pressure_cPa", "temperature_cK", "rate_cPa_h", "sigma_cPa_h")
                ),
                "" if reserve is None else reserve,
                round(world.station.at(world.compartment, t_s).pressure_Pa, 3),
                round(world.station.leak_rate_Pa_h(world.compartment, t_s), 3),
                *(round(value, 3) for gauge in world.gauges for value in gauge.at(t_s)),
            ]
        )
    return text.getvalue()


def as_junit(world: World, run: Run) -> str:
    """One test case: failed by what was expected and did not happen, skipped where Ctrl-C left that open."""
    faults = [] if run.interrupted else unmet(world, world.scenario.expect)
    time = f"{run.wall_s:.3f}"
    suite = ET.Element(
        "testsuite",
        name="cabinwatch run",
        tests="1",
        failures=str(int(bool(faults))),
        skipped=str(int(run.interrupted)),
        time=time,
    )
    label = shown(f"{run.scenario} on {run.target}, seed {run.seed}")
    case = ET.SubElement(suite, "testcase", classname="cabinwatch.run", name=label, time=time)
    if faults:
        ET.SubElement(case, "failure", message=shown(faults[0])).text = "\n".join(map(shown, faults))
    elif run.interrupted:
        ET.SubElement(case, "skipped", message="interrupted")
    ET.indent(suite)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suite, encoding="unicode")}\n'
