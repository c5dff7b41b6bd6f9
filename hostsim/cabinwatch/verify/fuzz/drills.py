"""Alarm drills: minutes in which holes come and go, the transducer falls silent, and the ground commands.

Chance alone seldom leads where alarms are hidden, forgotten or acknowledged by mistake (`situations`). A drill
follows the run's own faults on a sound line, with delays so short that its alarms have time to come, go and come again.
"""

from random import Random
from typing import Any

from cabinwatch_protocol import table as t

DRILL_s = 240
SIZES_Pa_s = (0.5, 3, 3, 20)
"""Of holes: a Caution, a Warning and an Emergency by T-reserve at 101 kPa."""
RESERVE = next(p.default for p in t.MONITOR_PARAMETERS if p.name == "reserve")
SETTINGS = (
    ("emergency", 0), ("emergency", t.RESERVE_MAX),
    ("blind_delay", 3600), ("blind_escalate", 1), ("blind_escalate", 3600),
)  # fmt: skip
"""Settings that change at once which class is justified, up and down."""
BUSY = 17
"""Renewals of an inhibit: more events than are recorded."""
Data = dict[str, Any]


def add(data: Data, begin_s: float, rng: Random) -> None:
    """Draw a drill into a scenario's data, from ``begin_s`` on.

    No delay is 0: an alarm's move would be stored in the boot itself, where no target can lose its supply.
    """
    data["duration"] = round(data["duration"] + begin_s + DRILL_s)
    data["parameters"] |= {
        "off_delay": rng.choice((1, 1, 1, 5, 20)), "remind": rng.choice((7, 30, 3600)),
        "blind_delay": rng.choice((1, 3, 10)), "blind_escalate": rng.choice((10, 40)),
        "hold": rng.choice((10, 20, 1200)), "step": rng.choice((3000, 10_000)),
        "fast": rng.choice((600, 600, 60_000)),
        "reserve": rng.choice((RESERVE, RESERVE, RESERVE, 10_000_000)),
    }  # fmt: skip

    # The drill has the cabin to itself: another hole would hold its alarms up.
    data["cabin"] |= {"leaks": {}, "actions": [], "flows": {}}
    for bound in ("pressure_low", "pressure_high"):
        data["parameters"].pop(bound, None)
    rng.choice((_any, _any, _leak_twice, _leak_judged_anew, _blind_twice))(data, begin_s, rng)
    if rng.random() < 0.3:
        _forget_under_inhibit(data, begin_s, rng)


def _any(data: Data, begin_s: float, rng: Random) -> None:
    """Whatever comes together by chance."""

    def moment() -> float:
        return round(begin_s + rng.uniform(0, DRILL_s), 3)

    holes = sorted(rng.choices(SIZES_Pa_s, k=rng.randint(1, 3)), reverse=rng.random() < 0.2)
    for number, rate in enumerate(holes):
        at = begin_s + DRILL_s * number / len(holes) + rng.uniform(0, 20)
        _hole(data, f"drill-{number}", rate, at, rng.uniform(15, 60), rng.choice((1, 1, 0.05, 0.2, 10)))
    for _ in range(rng.randint(0, 3)):
        at = moment()
        _silence(data, at, min(rng.choice((4, 12, 30, 90)), begin_s + DRILL_s - at))
    data["telecommands"] += [{"at": moment(), **_command(rng)} for _ in range(rng.randint(6, 20))]
    if rng.random() < 0.5:
        at, inhibits = moment(), [20] * rng.choice((1, BUSY)) + [0]
        data["telecommands"] += [
            {"at": round(at + i / 2, 3), "do": "inhibit", "argument": seconds}
            for i, seconds in enumerate(inhibits)
        ]
    for _ in range(rng.choice((0, 1, 2))):
        data["device"]["faults"].append(rng.choice(({"kind": "reset"}, _brown_out(rng))) | {"at": moment()})


def _leak_twice(data: Data, begin_s: float, rng: Random) -> None:
    """A hole is patched, and the next one is worse before anybody has acknowledged; or a reset comes between them."""
    data["parameters"] |= {"hold": 10, "step": 3000, "fast": 600, "off_delay": 1, "reserve": RESERVE}
    _hole(data, "first", 3, begin_s, 30)
    _hole(data, "second", 3, begin_s + 120, 60)
    if rng.random() < 0.5:
        data["device"]["faults"].append({"kind": "reset", "at": round(begin_s + rng.uniform(40, 110), 3)})
    else:
        data["telecommands"].append(
            {"at": begin_s + 110, "do": "set", "parameter": "emergency", "value": t.RESERVE_MAX}
        )
    if rng.random() < 0.5:
        data["telecommands"].append({"at": round(begin_s + rng.uniform(40, 200), 3), "do": "acknowledge"})


def _leak_judged_anew(data: Data, begin_s: float, rng: Random) -> None:
    """An acknowledged alarm whose class is raised and lowered again by the bound of Emergency; or a reset under it."""
    data["parameters"] |= {"hold": 10, "step": 3000, "fast": 600, "off_delay": 1, "reserve": RESERVE}
    _hole(data, "hole", 3, begin_s, 160)
    data["telecommands"] += [{"at": begin_s + after, "do": "acknowledge"} for after in (50, 80)]
    if rng.random() < 0.3:
        data["device"]["faults"].append({"kind": "reset", "at": round(begin_s + rng.uniform(60, 70), 3)})
    data["telecommands"] += [
        {"at": begin_s + after, "do": "set", "parameter": "emergency", "value": value}
        for after, value in ((65, t.RESERVE_MAX), (95, 0))
    ]


def _blind_twice(data: Data, begin_s: float, rng: Random) -> None:
    """The transducer is lost for a moment, and again for long: a Warning at once, acknowledged, and made a Caution."""
    data["parameters"] |= {"blind_delay": 3, "blind_escalate": 10, "off_delay": 1}
    _silence(data, begin_s, 8)
    _silence(data, begin_s + 40, rng.choice((20, 60)))
    later: list[Data] = [{"at": begin_s + 30, "do": "set", "parameter": "blind_delay", "value": 3600}]
    if rng.random() < 0.5:
        later = [{"at": begin_s + 75, "do": "set", "parameter": "blind_escalate", "value": 3600}]
    data["telecommands"] += [{"at": round(begin_s + rng.uniform(45, 75), 3), "do": "acknowledge"}, *later]


def _forget_under_inhibit(data: Data, begin_s: float, rng: Random) -> None:
    """At its end: a hole under an inhibit, and the detector restarted as soon as the ground has seen what is hidden."""
    at = round(begin_s + DRILL_s - rng.uniform(45, 60), 3)
    restart = round(at + rng.uniform(15, 25), 3)
    _hole(data, "hidden", 20, at, 40)
    data["telecommands"] += [
        {"at": at, "do": "inhibit", "argument": 40},
        {"at": restart, "do": "report"},
        {"at": restart, "do": "restart_detector"},
    ]


def _hole(data: Data, name: str, rate: float, at: float, open_s: float, grows: float = 1) -> None:
    """A hole, patched after ``open_s``; half way it grows by that factor."""
    cabin, at = data["cabin"], round(at, 3)
    growth = [{"at": round(at + open_s / 2, 3), "to": grows}]
    cabin["leaks"][name] = {"size": f"{rate} Pa/s", "at": at, "profile": growth}
    cabin["actions"].append({"at": round(at + open_s, 3), "patch": name})


def _silence(data: Data, at: float, seconds: float) -> None:
    until = round(at + seconds, 3)
    data["sensor"]["faults"].append({"kind": "silent", "at": round(at, 3), "until": until})


def _command(rng: Random) -> Data:
    """What an operator may send: an acknowledgement most of the time, of what was heard, of anything, or too late."""
    do = rng.choice(
        ("acknowledge",) * 6
        + ("inhibit", "out_of_service") * 2
        + ("restart_detector", "test_signals", "set", "set", "set")
    )
    match do:
        case "acknowledge":
            occurrence = rng.choice((None, None, 0, 0, 1, 2))
            return {"do": do} | ({} if occurrence is None else {"argument": occurrence})
        case "inhibit":
            highest = rng.choice((0, 0, 1, 2, 3)) << t.INHIBIT_CLASS_SHIFT
            return {"do": do, "argument": rng.choice((0, highest | 10, highest | 60))}
        case "out_of_service":
            return {"do": do, "argument": rng.choice((0, 10, 60))}
        case "set":
            parameter, value = rng.choice(SETTINGS)
            return {"do": do, "parameter": parameter, "value": value}
        case _:
            return {"do": do}


def _brown_out(rng: Random) -> Data:
    return {"kind": "brown_out", "octet": rng.randint(0, 140), "down_ms": 0}
