"""The strip charts and the map of the station, as ECharts options. Plain data: no browser is needed to test them.

A person's words stand in values alone, never in keys: a key that begins with a colon would be run as JavaScript.
"""

from dataclasses import dataclass, field
from typing import Any

from cabinwatch.models.cabin import Air, CabinModel
from cabinwatch.view.figure import unit
from cabinwatch.web.columns import Columns

PIXELS = 600
"""Stretches that a chart's extremes are taken from: about one a pixel of a phone, two of a wide screen."""
TRUE, REPORTED = "#2e7d32", "#1565c0"
STRIPS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    ("pressure, Pa", (("true_pressure_Pa", "true", TRUE), ("pressure_Pa", "reported", REPORTED))),
    ("nitrogen, Pa", (("nitrogen_Pa", "true", TRUE),)),
    ("rate, Pa/h", (("true_rate_Pa_h", "true leak", TRUE), ("rate_Pa_h", "reported", REPORTED))),
    ("T-reserve", (("true_tres_s", "true", TRUE), ("tres_s", "reported", REPORTED))),
)
"""Each strip's title, and its lines: channel, what it is called, colour; dashes mark the truth as well."""
WAY = "#90a4ae"
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

    def follow(self) -> None:
        """Show the newest from now on."""
        self.end_s = None

    def everything(self, now_s: float) -> None:
        """Show all there is, and follow."""
        self.span_s, self.end_s = max(now_s, self.narrowest_s), None


def strips(columns: Columns, conductor: Conductor, now_s: float, dark: bool) -> dict[str, Any]:
    """The four strip charts over one window of time."""
    begin, end = conductor.window(now_s)
    scale, word = unit(end - begin)
    tres_scale, tres_word = _tres_unit(columns, begin, end)
    ink = INK[dark]
    grids, x_axes, y_axes, series = [], [], [], []
    count = len(STRIPS)
    for i, (title, lines) in enumerate(STRIPS):
        top, height = 6 + i * 90 / count, 90 / count - 7
        grids.append(
            {"left": 78, "right": 18, "top": f"{top}%", "height": f"{height}%", "outerBoundsMode": "none"}
        )
        last = i == count - 1
        axis: dict[str, Any] = {"type": "value", "gridIndex": i, "min": begin / scale, "max": end / scale}
        axis |= {"axisLabel": {"show": last, "color": ink, "hideOverlap": True}, "splitLine": {"show": False}}
        if last:
            axis |= {"name": word, "nameLocation": "middle", "nameGap": 24, "nameTextStyle": {"color": ink}}
        x_axes.append(axis)
        name = f"{title}, {tres_word}" if title == "T-reserve" else title
        y_axes.append(
            {
                "type": "value", "gridIndex": i, "scale": True, "name": name, "nameLocation": "end", "nameGap": 6,
                "nameTextStyle": {"color": ink, "align": "left"}, "axisLabel": {"color": ink}, "splitNumber": 3,
            }
        )  # fmt: skip
        for channel, called, colour in lines:
            own = tres_scale if channel.endswith("tres_s") else 1.0
            data = [
                [t / scale, None if v is None else v / own]
                for t, v in columns.window(channel, begin, end, PIXELS)
            ]
            series.append(
                {
                    "name": called, "type": "line", "xAxisIndex": i, "yAxisIndex": i, "data": data, "showSymbol": False,
                    "connectNulls": False, "animation": False, "itemStyle": {"color": colour},
                    "lineStyle": {"width": 1.5, "type": "dashed" if called.startswith("true") else "solid"},
                }
            )  # fmt: skip
    return {
        "animation": False,
        "legend": {"data": ["true", "true leak", "reported"], "top": 0, "textStyle": {"color": ink}},
        "tooltip": {"trigger": "axis", "axisPointer": {"animation": False}},
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "grid": grids,
        "xAxis": x_axes,
        "yAxis": y_axes,
        "series": series,
    }


def _tres_unit(columns: Columns, begin_s: float, end_s: float) -> tuple[float, str]:
    """The unit for T-reserve: that of the longest in view."""
    values = [
        v for name in ("tres_s", "true_tres_s") for _, v in columns.window(name, begin_s, end_s, 50) if v
    ]
    return unit(max(values, default=0.0))


def station_map(cabin: CabinModel, leaking: set[str], opened: set[str], dark: bool) -> dict[str, Any]:
    """Modules as rooms, hatches as lines between them (dashed: closed), leaks marked in red and by a sign."""
    rooms: dict[str, Air] = {**cabin.compartments, **cabin.vehicles}
    largest = max(room.volume for room in rooms.values())
    nodes = [
        {
            "name": name, "x": i % ROW * 100, "y": i // ROW * 90 + i % 2 * 30, "symbol": "roundRect",
            "symbolSize": 28 + 28 * (room.volume / largest) ** (1 / 3), "value": round(room.volume, 1),
            "itemStyle": {"color": "#c62828" if name in leaking else "#78909c"},
            "label": {"show": True, "position": "bottom", "color": INK[dark], "fontSize": 11, "lineHeight": 14,
                      "formatter": "{b}\n{c} m³" + ("  ⚠ leak" if name in leaking else "")},
        }
        for i, (name, room) in enumerate(rooms.items())
    ]  # fmt: skip
    links = [_way(name, way.a, way.b, name in opened, dark) for name, way in cabin.hatches.items()]
    links += [_way(name, way.a, way.b, name in opened, dark) for name, way in cabin.valves.items()]
    links += [
        {"source": vehicle.port, "target": name, "lineStyle": {"width": 2, "type": "dotted", "color": WAY}}
        for name, vehicle in cabin.vehicles.items()
    ]
    graph = {
        "type": "graph", "layout": "none", "data": nodes, "links": links, "animation": False, "roam": False,
        "preserveAspect": True, "top": 30, "bottom": 50, "left": 50, "right": 50,
    }  # fmt: skip
    return {"animation": False, "series": [graph]}


def _way(name: str, a: str, b: str, is_open: bool, dark: bool) -> dict[str, Any]:
    """A hatch or valve as a line: solid where it is open."""
    return {
        "source": a, "target": b, "value": name,
        "lineStyle": {"width": 5, "type": "solid" if is_open else "dashed", "color": WAY},
        "label": {"show": True, "formatter": "open" if is_open else "closed", "color": INK[dark], "fontSize": 10},
    }  # fmt: skip
