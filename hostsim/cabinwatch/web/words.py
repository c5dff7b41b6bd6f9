"""The words of the page: what a report says, for people. The panel and the page say the same."""

from dataclasses import dataclass

from cabinwatch.run.result import tres_s
from cabinwatch.text import duration, name
from cabinwatch_protocol import table as t

LAWS = {t.Law.UNKNOWN: "law unknown", t.Law.ORIFICE: "orifice", t.Law.CRACK: "crack", t.Law.LINEAR: "linear"}
COLOURS = {0: "#2e7d32", 1: "#00838f", 2: "#f9a825", 3: "#ef6c00", 4: "#c62828"}
"""The lamp's colour by class; its word stands in it, so that colour is never the only sign."""
GREY = "#757575"


@dataclass(frozen=True)
class Board:
    """What stands large at the top of the page."""

    lamp: str
    colour: str
    pressure: str
    rate: str
    reserve: str
    health: str


def board(hk: dict[str, int]) -> Board:
    """The newest report in words; a monitor that is blind, or was never heard, says NO DATA."""
    if not hk:
        return Board("NO DATA", GREY, "NO DATA", "NO DATA", "NO DATA", "no report yet")
    alarm = hk["alarm"]
    health = name(t.Health, hk["health"])
    blind = hk["health"] != t.Health.OK
    word = name(t.AlarmClass, alarm).upper()
    if blind:
        lamp = f"{word} / NO DATA" if alarm else "NO DATA"
        return Board(
            lamp,
            COLOURS.get(alarm, GREY) if alarm else GREY,
            "NO DATA",
            "NO DATA",
            "NO DATA",
            f"transducer {health}",
        )
    left = tres_s(hk)
    return Board(
        word,
        COLOURS.get(alarm, GREY),
        f"{hk['pressure_cPa'] / 100:,.1f} Pa",
        f"{hk['rate_cPa_h'] / 100:+,.2f} ± {hk['sigma_cPa_h'] / 100:,.2f} Pa/h",
        "no leak seen" if left is None else f"{duration(left)} ({LAWS.get(t.Law(hk['law']), '?')})",
        f"transducer {health}",
    )
