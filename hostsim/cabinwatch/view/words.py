"""What a report says, in words for people: the page in the browser and the panel on a terminal say the same."""

from dataclasses import dataclass

from cabinwatch.run.result import tres_s
from cabinwatch.text import duration, name
from cabinwatch_protocol import table as t

NO_DATA = "NO DATA"
LAWS = {t.Law.UNKNOWN: "law unknown", t.Law.ORIFICE: "orifice", t.Law.CRACK: "crack", t.Law.LINEAR: "linear"}
TITLES = {"pressure": "pressure", "rate": "leak rate", "reserve": "T-reserve", "health": "transducer"}
"""What each figure is called."""


@dataclass(frozen=True)
class Figures:
    """What stands large: the alarm's word, and what is known of the air."""

    alarm: str
    pressure: str
    rate: str
    reserve: str
    health: str


def figures(hk: dict[str, int]) -> Figures:
    """The newest report in words; a monitor that is blind, or was never heard, says NO DATA."""
    if not hk:
        return Figures(NO_DATA, NO_DATA, NO_DATA, NO_DATA, "no report yet")
    alarm, health = hk["alarm"], name(t.Health, hk["health"])
    word = name(t.AlarmClass, alarm).upper()
    if hk["health"] != t.Health.OK:
        return Figures(f"{word} / {NO_DATA}" if alarm else NO_DATA, NO_DATA, NO_DATA, NO_DATA, health)
    left = tres_s(hk)
    return Figures(
        word,
        f"{hk['pressure_cPa'] / 100:,.1f} Pa",
        f"{hk['rate_cPa_h'] / 100:+,.2f} ± {hk['sigma_cPa_h'] / 100:,.2f} Pa/h",
        "no leak seen" if left is None else f"{duration(left)} ({LAWS.get(t.Law(hk['law']), '?')})",
        health,
    )
