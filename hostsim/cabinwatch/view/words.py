"""What a report says, in words for people: the page in the browser and the panel on a terminal say the same."""

from dataclasses import dataclass

from cabinwatch.run.result import Newest, tres_s
from cabinwatch.text import duration, name
from cabinwatch_protocol import table as t

NO_DATA = "NO DATA"
NONE_SEEN = "none seen"
"""In place of a leak's rate that is 0 without a doubt: that there is no leak at all would be more than is known."""
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


def titles(known: Newest) -> dict[str, str]:
    """What each figure is called; one that the alarm's event has overtaken is called as old as it is."""
    overtaken = {"pressure", "reserve"} if known.told_cPa_h else {"pressure", "rate", "reserve"}
    return {key: title + known.old if key in overtaken else title for key, title in TITLES.items()}


def figures(known: Newest) -> Figures:
    """The newest that is known, in words; a monitor that is blind, or was never heard, says NO DATA.

    The alarm is that of the newest event or report.
    """
    hk, alarm = known.report, known.alarm
    word = name(t.AlarmClass, alarm).upper()
    rate = known.rate("+,.2f")
    if not hk:
        return Figures(
            word if alarm else NO_DATA,
            NO_DATA,
            rate if known.told_cPa_h else NO_DATA,
            NO_DATA,
            "no report yet",
        )
    health = name(t.Health, known.health or t.Health.OK)
    if known.health:
        return Figures(f"{word} / {NO_DATA}" if alarm else NO_DATA, NO_DATA, NO_DATA, NO_DATA, health)
    left = tres_s(hk)
    reserve = "no leak seen" if left is None else f"{duration(left)} ({LAWS.get(t.Law(hk['law']), '?')})"
    if not known.told_cPa_h and not hk["rate_cPa_h"] and not hk["sigma_cPa_h"]:
        rate = NONE_SEEN
    elif not known.told_cPa_h:
        rate = f"{rate.removesuffix(' Pa/h')} ± {hk['sigma_cPa_h'] / 100:,.2f} Pa/h"
    return Figures(
        word,
        f"{hk['pressure_cPa'] / 100:,.1f} Pa",
        rate,
        reserve,
        health,
    )
