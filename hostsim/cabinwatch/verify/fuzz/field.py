"""What the field reports of instruments, air and levels, and what defeated the first detector.

Each kind is drawn alone or with a few others, so that a run shows which of them it was.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from cabinwatch.verify.fuzz import margins
from cabinwatch_protocol import table as t

WARMING_POLLS = 8000
"""A thermometer that warms within hours looks like a slow leak, and is called as one at most after so many seconds."""
TAUS_s = (1.0, 30.0, 300.0, 1800.0, 7200.0, 7200.0)
"""Time constants of a thermometer that warms: a step, a radio, a board, an afternoon."""
TWIN_POLLS = 40
"""A second instrument shows with its first answers."""
WILD_POLLS = 1000
"""At one wild reading in 100, half of them plausible, five of these come in so many polls."""
Data = dict[str, Any]
SHARE = 0.25
"""How likely a run has one of these kinds."""
FACTORS = (0.1, 0.4, 2.5, 10.0, 100.0)
"""Speeds of a clock that no rate can be believed by."""
STUCK_SAMPLES = 10
"""Readings or stamps that stand for so long must be told: the campaign's default is never."""
CLOCK_POLLS = 4 * STUCK_SAMPLES
ANALYSER_POLL_s = 60
ANALYSER_PERIODS_s = (60, 300)
ANALYSER_s = 86_400
"""The fastest scale of nitrogen calls from its sixteenth block on, after 4.6 hours."""
RESERVE_cPa = next(p.default for p in t.MONITOR_PARAMETERS if p.name == "reserve")


def _fault(
    kind: str, draw: Callable[[Random], Data], polls: int, **parameters: int
) -> Callable[[Data, Random, float], None]:
    """A fault for a while, or for good: then the run goes on for so many ``polls`` that it can do its worst."""

    def add(data: Data, rng: Random, unsafe_s: float) -> None:
        data["parameters"] |= parameters
        begin = rng.uniform(0, unsafe_s / 2)
        window = {"at": round(begin, 3), "until": round(rng.uniform(begin, unsafe_s), 3)}
        if not unsafe_s or rng.random() < 0.5:
            longer_s = polls * data["parameters"].get("poll_period", 1000) // 1000
            data["duration"] += longer_s
            window = {"at": round(rng.uniform(0, unsafe_s + longer_s / 2), 3)}
        data["sensor"]["faults"].append({"kind": kind, **window, **draw(rng)})

    return add


def _warming(rng: Random) -> Data:
    return {"rise": round(rng.uniform(2.0, 15.0), 1), "tau": rng.choice(TAUS_s)}


def _twin(rng: Random) -> Data:
    size, lead_s = rng.choice((0.0, 20.0, -150.0)), rng.choice((0.0, 0.3, 3600.0))
    return {"size": size, "lead": lead_s, "delay_ms": rng.choice((5, 15, 100))}


def _sees(data: Data, rng: Random, unsafe_s: float) -> None:
    """A thermometer on the wall, not in the gas."""
    data["sensor"]["sees"] = rng.choice((0.0, 0.3, 0.7))


def _coarse(data: Data, rng: Random, unsafe_s: float) -> None:
    """A flight gauge."""
    data["sensor"]["step"] = 53.0


def _burst(data: Data, rng: Random, unsafe_s: float) -> None:
    """From a quick leak to open to space: the least empties 100 kPa in a minute, the most within a tenth of a second.

    Half of them come when all faults are over, so that nothing but the burst can be to blame; and where the reserve is
    low, the level does not call before the fall must.
    """
    room = data["cabin"]["compartments"]["cabin"]
    room["volume"] = rng.choice((4.0, 7.0, 80.0))
    room["process"] = rng.choice(("held", "held", "adiabatic"))
    leak = data["cabin"]["leaks"]["leak"]
    leak["size"] = f"{10 ** rng.uniform(3.2, 6.0):.3g} Pa/s"
    data["sensor"]["low"] = rng.choice((0.0, 1000.0, 25_000.0))
    data["parameters"]["reserve"] = rng.choice((RESERVE_cPa, 1_000_000))
    if rng.random() < 0.5:
        leak["at"] = round(unsafe_s + margins.CONVERGE_S + rng.uniform(0, 10), 3)
        data["sensor"]["faults"] = []
        data["telecommands"] = [c for c in data["telecommands"] if c["do"] != "inhibit"]


def _level(data: Data, rng: Random, unsafe_s: float) -> None:
    """A start at any pressure down to vacuum."""
    pressure = rng.choice((0.0, round(rng.uniform(0, 66_000.0)), round(rng.uniform(60_000.0, 115_000.0))))
    for room in data["cabin"]["compartments"].values():
        room["pressure"] = pressure


def _analyser(data: Data, rng: Random, unsafe_s: float) -> None:
    """A constituent analyser, whose board warms or whose readings are wild now and then, for as long as it takes."""
    _poll_seldom(data, max(data["parameters"].get("poll_period", 0) // 1000, ANALYSER_POLL_s))
    data["parameters"]["analyser_period"] = rng.choice(ANALYSER_PERIODS_s) * 1000
    data["duration"] += ANALYSER_s
    at = round(rng.uniform(0, unsafe_s + ANALYSER_s / 2), 3)
    wild = {"kind": "wild", "at": at, "rate": round(rng.uniform(0.002, 0.02), 4)}
    warming = {"kind": "warming", "at": at, **_warming(rng)}
    data["analyser"] = {"faults": rng.choice(([], [wild], [warming]))}


def _days(data: Data, rng: Random, unsafe_s: float) -> None:
    """A vented place: the day's swing."""
    data["cabin"]["weather"] = {"day": {"kind": "swing", "size": rng.choice((50, 100, 200))}}


def _front(data: Data, rng: Random, unsafe_s: float) -> None:
    """A vented place: a front comes through."""
    data["cabin"]["weather"] = {"front": {"kind": "ramp", "size": rng.choice((-2000, 2000))}}


def _seal(data: Data, rng: Random, unsafe_s: float) -> None:
    """Hatches that leak when they are shut."""
    for hatch in data["cabin"]["hatches"].values():
        hatch["seal"] = rng.choice(("0.2 mm", "1 mm", "10 mm"))


def _poll_seldom(data: Data, poll_s: int) -> None:
    """Days on a sound line.

    The faults of the first minutes go: a node that has lost its parameters polls each second, for days.
    """
    data["parameters"] |= {"poll_period": poll_s * 1000, "hk_period": 3_600_000}
    data["link"]["faults"] = data["device"]["faults"] = data["telecommands"] = data["raw"] = []
    data["sensor"]["faults"] = []


def _lead_in(data: Data, rng: Random, unsafe_s: float) -> None:
    """1 to 90 quiet days, polled every ten minutes, before the leak comes: at once, or as cracks grow."""
    poll_s = 600
    _poll_seldom(data, poll_s)
    at = round(86_400 * 10 ** rng.uniform(0, 1.95))
    over = rng.choice((0, 2 * 86_400, 10 * 86_400))
    leak = data["cabin"]["leaks"]["leak"]
    leak["at"] = at
    if over:
        growth = {"at": at, "to": 1.0, "over": over, "shape": "fatigue"}
        leak["profile"] = [{"at": at, "to": 0.01}, growth]
    data["duration"] = at + over + 40 * poll_s


ANY = ("quiet", "leak", "story")
KINDS: dict[str, tuple[tuple[str, ...], Callable[[Data, Random, float], None]]] = {
    "warming": (ANY, _fault("warming", _warming, WARMING_POLLS)),
    "wild": (ANY, _fault("wild", lambda rng: {"rate": round(rng.uniform(0.002, 0.02), 4)}, WILD_POLLS)),
    "clock_stopped": (ANY, _fault("clock_stopped", lambda rng: {}, CLOCK_POLLS, stuck_samples=STUCK_SAMPLES)),
    "clock_factor": (
        ANY,
        _fault(
            "clock_factor",
            lambda rng: {"factor": rng.choice(FACTORS)},
            CLOCK_POLLS,
            stuck_samples=STUCK_SAMPLES,
        ),
    ),
    "twin": (ANY, _fault("twin", _twin, TWIN_POLLS)),
    "sees": (ANY, _sees),
    "coarse": (ANY, _coarse),
    "burst": (("leak",), _burst),
    "days": (("story",), _days),
    "front": (("story",), _front),
    "seal": (("story",), _seal),
    "lead_in": (("leak",), _lead_in),
    "level": (("quiet", "story"), _level),
    "analyser": (("quiet",), _analyser),
}
"""Each kind: in which modes it may be drawn, and what it does to a scenario's data."""


def add(data: Data, mode: str, unsafe_s: float, rng: Random) -> list[str]:
    """Draw some kinds into ``data``; their names."""
    drawn = []
    for name, (modes, do) in KINDS.items():
        # Each kind draws from its own numbers: one more in the table leaves the others as they are.
        own = Random(f"{rng.random()}/{name}")
        if mode in modes and own.random() < SHARE:
            do(data, own, unsafe_s)
            drawn.append(name)
    return drawn
