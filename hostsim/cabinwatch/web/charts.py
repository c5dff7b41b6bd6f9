"""The strip charts and the map of the station, as ECharts options. Plain data: no browser is needed to test them.

A person's words stand in values alone, never in keys: a key that begins with a colon would be run as JavaScript.
"""

from dataclasses import dataclass, field
from typing import Any

from cabinwatch.models.cabin import Air, CabinModel
from cabinwatch.view.figure import PER_SECOND, unit
from cabinwatch.web.columns import Columns

PIXELS = 300
"""Stretches that a chart's extremes are taken from, half of them in its margins: two points each are one for every two
to four pixels of what is shown. To take in all strips anew is a browser's longest frame: 41 ms with 500, 30 so."""
TRUE, REPORTED, BAND = "#2e9e3a", "#2f7fe0", "#9cc3f0"
"""Each to be told from the others on white, on black and in grey; dashes mark the truth as well."""
STRIPS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    ("coolant loop, Pa", (("true_loop_Pa", "true", TRUE),)),
    ("pressure, Pa", (("true_pressure_Pa", "true", TRUE), ("pressure_Pa", "reported", REPORTED))),
    ("nitrogen, Pa", (("nitrogen_Pa", "true", TRUE),)),
    ("rate, Pa/h", (("true_rate_Pa_h", "true", TRUE), ("rate_Pa_h", "reported", REPORTED))),
    ("T-reserve", (("true_tres_s", "true", TRUE), ("tres_s", "reported", REPORTED))),
)
"""Each strip's title, and its lines: channel, what it is called, colour."""
BANDS = {"rate, Pa/h": (("rate_low_Pa_h", "rate_high_Pa_h"), "± 2 sigma")}
"""Strips with a band: its edges, and what it is called."""
MARGIN = 0.5
"""Windows that are sent beside the one that is shown, on each side: the mouse pans into what is there already."""
FINEST = 0.5
"""Part of a window that is still shown by what was sent for the whole: half as many points."""
LATE, COARSER = 5, 12
"""A window that begins late is told in a coarser unit than its own span has, an hour of the fourth day in hours, not in
4,300 minutes: the unit of a fifth of the time that is past, but of no more than twelve times the span."""
FEW = {0: "no report yet", 1: "one report so far"}
"""What strips say that are still without a line."""
WAY, LEAKING = "#90a4ae", "#c62828"
ROW = 4
"""Modules side by side on the map."""
INK = {False: "#212121", True: "#eceff1"}


@dataclass
class Conductor:
    """The one window of time of all strips: the newest stretch, or where a person holds it."""

    span_s: float = 3600.0
    end_s: float | None = None
    """None: it follows."""
    narrowest_s: float = field(default=10.0, repr=False)

    def window(self, now_s: float) -> tuple[float, float]:
        """Begin and end, s."""
        end = now_s if self.end_s is None else min(self.end_s, now_s)
        return max(0.0, end - self.span_s), max(end, min(self.span_s, 1.0))

    def zoom(self, factor: float, now_s: float) -> None:
        """Show ``factor`` times as much, about the middle of what is shown, or up to now where it follows."""
        begin, end = self.window(now_s)
        self.span_s = min(max(self.narrowest_s, (end - begin) * factor), max(now_s, self.narrowest_s))
        if self.end_s is not None:
            self.end_s = min(now_s, (begin + end + self.span_s) / 2)

    def pan(self, part: float, now_s: float) -> None:
        """Move by ``part`` of what is shown; at the newest it follows again."""
        begin, end = self.window(now_s)
        self.hold(begin + (end - begin) * part, end + (end - begin) * part, now_s)

    def hold(self, begin_s: float, end_s: float, now_s: float) -> None:
        """Stay at a window; one that reaches the newest follows."""
        self.span_s = max(self.narrowest_s, end_s - begin_s)
        self.end_s = None if end_s >= now_s else max(self.span_s, end_s)

    def hold_parts(self, begin: float, end: float, now_s: float) -> None:
        """Stay at a part of the axis, 0 to 1 of all there is."""
        whole = axis_end(now_s)
        self.hold(begin * whole, end * whole, now_s)

    def follow(self) -> None:
        """Show the newest from now on."""
        self.end_s = None

    def everything(self, now_s: float) -> None:
        """Show all there is, and follow."""
        self.span_s, self.end_s = max(now_s, self.narrowest_s), None


def covers(sent: tuple[float, float], window: tuple[float, float]) -> bool:
    """Whether strips that were sent for one window show another as well: within its margins, not much finer."""
    margin = MARGIN * (sent[1] - sent[0])
    within = max(0.0, sent[0] - margin) <= window[0] and window[1] <= sent[1] + margin
    return within and window[1] - window[0] >= FINEST * (sent[1] - sent[0])


def axis_end(now_s: float) -> float:
    """Where the axis of time ends, s."""
    return max(now_s, 1.0)


def strips(columns: Columns, conductor: Conductor, now_s: float, dark: bool) -> dict[str, Any]:
    """The strip charts of what is known, over one window of time."""
    begin, end = conductor.window(now_s)
    margin = MARGIN * (end - begin)
    sent = begin - margin, end + margin
    span_s = end - begin
    scale, word = unit(max(span_s, min(end / LATE, COARSER * span_s)))
    ink = INK[dark]
    chart: dict[str, list[Any]] = {"grid": [], "xAxis": [], "yAxis": [], "series": []}
    known = [(title, [one for one in lines if one[0] in columns.names]) for title, lines in STRIPS]
    known = [(title, lines) for title, lines in known if lines]
    for i, (title, lines) in enumerate(known):
        last = i == len(known) - 1
        fit, name = _fitting(columns, title, (begin, end))
        chart["grid"].append(_grid(i, len(known)))
        axis = _time_axis(i, axis_end(now_s) / scale, word if last else "", ink)
        # A hint has a heading for each axis: it says which strip's values stand below.
        chart["xAxis"].append(
            axis | {"axisPointer": {"label": {"formatter": f"{name}, at {{value}} {word}"}}}
        )
        first = len(chart["series"])
        if title in BANDS:
            edges, called = BANDS[title]
            chart["series"] += _band(i, called, columns.windows(edges, *sent, PIXELS), scale, fit)
        for channel, called, colour in lines:
            data = [
                [_short(t / scale), v and _short(v / fit)] for t, v in columns.window(channel, *sent, PIXELS)
            ]
            chart["series"].append(_line(i, called, colour, data))
        known_here = any(v is not None for one in chart["series"][first:] for _, v in one["data"])
        chart["yAxis"].append(_value_axis(i, name, ink, known_here))
    window = {"startValue": begin / scale, "endValue": end / scale, "minSpan": 0}
    return {
        "animation": False,
        # Always there: a browser keeps what an update leaves out.
        "title": {
            "text": FEW.get(len(columns), ""),
            "left": "center",
            "top": "middle",
            "textStyle": {"color": ink},
        },
        "legend": {
            "data": [
                {"name": called} | ({"icon": "rect"} if colour == BAND else {})
                for called, colour in dict.fromkeys(
                    (one["name"], one["itemStyle"]["color"]) for one in chart["series"]
                )
            ],
            "top": 0,
            "textStyle": {"color": ink},
        },
        "tooltip": {"trigger": "axis", "axisPointer": {"animation": False}},
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "dataZoom": [
            {
                "type": "inside",
                "xAxisIndex": list(range(len(known))),
                "filterMode": "none",
                "throttle": 40,
                **window,
            }
        ],
        **chart,
    }


def _short(value: float) -> float:
    """Eight digits: a pressure to a centipascal, and half of what a float has."""
    return float(f"{value:.8g}")


def _grid(i: int, count: int) -> dict[str, Any]:
    place = {"top": f"{7 + i * 89 / count}%", "height": f"{89 / count - 7}%"}
    return {"left": 78, "right": 18, "outerBoundsMode": "none", **place}


def _time_axis(i: int, end: float, word: str, ink: str) -> dict[str, Any]:
    """An axis of time; labelled, and named, where there is a word for its unit."""
    labels = {
        "show": bool(word),
        "color": ink,
        "hideOverlap": True,
        "showMinLabel": False,
        "showMaxLabel": False,
    }
    return {
        "type": "value", "gridIndex": i, "min": 0, "max": end, "axisLabel": labels, "splitLine": {"show": False},
        "name": word, "nameLocation": "middle", "nameGap": 24, "nameTextStyle": {"color": ink},
    }  # fmt: skip


def _value_axis(i: int, name: str, ink: str, known: bool) -> dict[str, Any]:
    """An axis of values; where none is known it has no numbers, which the browser would make up."""
    return {
        "type": "value", "gridIndex": i, "scale": True, "name": name, "nameLocation": "end", "nameGap": 6,
        "nameTextStyle": {"color": ink, "align": "left"}, "axisLabel": {"show": known, "color": ink}, "splitNumber": 3,
        "splitLine": {"show": known, "lineStyle": {"color": "#9e9e9e", "opacity": 0.35}},
    }  # fmt: skip


def _line(i: int, called: str, colour: str, data: list[list[float | None]]) -> dict[str, Any]:
    is_alone = sum(value is not None for _, value in data) == 1  # no line goes through it: shown as a dot
    stroke = {"width": 1.5, "type": "dashed" if colour == TRUE else "solid"}
    return {
        "name": called, "type": "line", "xAxisIndex": i, "yAxisIndex": i, "data": data, "showSymbol": is_alone,
        "connectNulls": False, "animation": False, "itemStyle": {"color": colour}, "lineStyle": stroke,
        "emphasis": {"disabled": True},
    }  # fmt: skip


def _band(
    i: int, called: str, edges: list[tuple[float, list[float | None]]], scale: float, fit: float
) -> list[dict[str, Any]]:
    """A filled band as ECharts has it: an unseen line at its foot, and its height stacked upon that."""
    feet: list[list[float | None]] = []
    heights: list[list[float | None]] = []
    for t, (low, high) in edges:
        known = low is not None and high is not None
        feet.append([_short(t / scale), _short(low / fit) if known else None])  # type: ignore[operator]
        heights.append([_short(t / scale), _short((high - low) / fit) if known else None])  # type: ignore[operator]
    stacked = {"stack": called, "stackStrategy": "all", "tooltip": {"show": False}, "showSymbol": False}
    foot, height = (  # a chart's hint would tell the height as a value: it has none of either
        {**_line(i, called, BAND, data), **stacked, "lineStyle": {"opacity": 0}} for data in (feet, heights)
    )
    return [foot, {**height, "areaStyle": {"color": BAND, "opacity": 0.45}}]


def _fitting(columns: Columns, title: str, window: tuple[float, float]) -> tuple[float, str]:
    """The unit for a strip by the greatest value in view: how many of the channel's it has, and the strip's name."""

    def greatest(*channels: str) -> float:
        known = [name for name in channels if name in columns.names]
        seen = (abs(v) for name in known for _, v in columns.window(name, *window, 50) if v is not None)
        return max(seen, default=0.0)

    if title == "T-reserve":
        size, word = unit(greatest("tres_s", "true_tres_s"))
        return size, f"{title}, {word}"
    if title.startswith("rate") and greatest("rate_Pa_h", "true_rate_Pa_h") >= PER_SECOND:
        return 3600.0, "rate, Pa/s"
    return 1.0, title


def station_map(cabin: CabinModel, leaking: set[str], opened: set[str], dark: bool) -> dict[str, Any]:
    """Modules as rooms, hatches as lines between them (dashed: closed), leaks marked in red and by a sign."""
    rooms: dict[str, Air] = {**cabin.compartments, **cabin.vehicles}
    largest = max(room.volume for room in rooms.values())
    nodes = [
        {
            "name": name, "x": i % ROW * 100, "y": i // ROW * 130 + i % 2 * 30, "symbol": "roundRect",
            "symbolSize": 28 + 28 * (room.volume / largest) ** (1 / 3), "value": round(room.volume, 1),
            "itemStyle": {"color": LEAKING if name in leaking else "#78909c"},
            "label": {"show": True, "position": "bottom", "color": INK[dark], "fontSize": 11, "lineHeight": 14,
                      "formatter": "{b}\n{c} m³" + (", docked" if name in cabin.vehicles else "")
                      + ("  ⚠ leak" if name in leaking else "")},
        }
        for i, (name, room) in enumerate(rooms.items())
    ]  # fmt: skip
    links = [_way(name, way.a, way.b, name in opened, dark) for name, way in cabin.hatches.items()]
    links += [_way(name, way.a, way.b, name in opened, dark) for name, way in cabin.valves.items()]
    links += [
        {
            "source": vehicle.port, "target": name, "lineStyle": {"width": 2, "type": "dotted", "color": WAY},
        }
        for name, vehicle in cabin.vehicles.items()
    ]  # fmt: skip
    graph = {
        "type": "graph", "layout": "none", "data": nodes, "links": links, "animation": False, "roam": False,
        "preserveAspect": True, "top": 32, "bottom": 46, "left": 50, "right": 50,
    }  # fmt: skip
    return {"animation": False, "series": [graph]}


def station_words(drawn: dict[str, Any]) -> str:
    """What `station_map` shows, for who cannot see it."""
    graph = drawn["series"][0]
    rooms = [
        one["name"] + (", leaking" if one["itemStyle"]["color"] == LEAKING else "") for one in graph["data"]
    ]
    ways = [f"{one['value']} {one['label']['formatter']}" for one in graph["links"] if "value" in one]
    return f"the station: {'; '.join([*rooms, *ways])}"


def _way(name: str, a: str, b: str, is_open: bool, dark: bool) -> dict[str, Any]:
    """A hatch or valve as a line: solid where it is open."""
    return {
        "source": a, "target": b, "value": name,
        "lineStyle": {"width": 5, "type": "solid" if is_open else "dashed", "color": WAY, "opacity": 1},
        "label": {"show": True, "formatter": "open" if is_open else "closed", "color": INK[dark], "fontSize": 10},
    }  # fmt: skip
