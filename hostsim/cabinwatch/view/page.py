"""A run as one page that needs nothing else: what came of it, its picture, its events, how to repeat it."""

import re
from collections.abc import Sequence
from html import escape
from io import StringIO
from typing import Any

from cabinwatch.text import shown

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<meta name="description" content="A run of cabinwatch: {title}">
<style>
body {{ margin: 0 auto; padding: .75rem; max-width: 42rem; font: 1rem/1.45 system-ui, sans-serif;
       color: #212121; background: #fff }}
h1 {{ font-size: 1.4rem }}
p {{ overflow-wrap: anywhere }}
svg {{ width: 100%; height: auto }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; padding: .5rem; background: #f3f3f3; font-size: .85rem }}
.verdict {{ font-weight: bold; border-left: .3rem solid; padding-left: .5rem }}
table {{ border-collapse: collapse; font-size: .9rem }}
td {{ padding: .15rem .6rem .15rem 0; vertical-align: top }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def page(figure: Any, title: str, before: str = "", after: str = "") -> str:
    """The page around a figure: real text, and readable on a phone. ``before`` and ``after`` are HTML."""
    import matplotlib

    svg = StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        figure.savefig(svg, format="svg")
    # The XML declaration and doctype belong to a file of its own, not into the middle of a page.
    named = '<svg role="img" aria-label="the run over time"'
    inline = re.sub(r"^.*?<svg", named, svg.getvalue(), count=1, flags=re.DOTALL)
    return PAGE.format(title=escape(shown(title)), body="\n".join((before, inline, after)))


def told(lines: Sequence[str], verdict: Sequence[str]) -> str:
    """What came of the run, a paragraph a line; those that are its verdict stand first, and out."""
    rest = paragraphs([line for line in lines if line not in verdict])
    return "\n".join([*(f'<p class="verdict">{escape(shown(line))}</p>' for line in verdict), rest])


def paragraphs(lines: Sequence[str]) -> str:
    """A paragraph a line."""
    return "\n".join(f"<p>{escape(shown(line))}</p>" for line in lines)


def aftermath(events: Sequence[tuple[str, str, str]], command: str, scenario: str) -> str:
    """The events as (when, class, text), the command that repeats the run, and the scenario's own words."""
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{escape(shown(cell))}</td>" for cell in row) + "</tr>" for row in events
    )
    return "\n".join(
        (
            "<h2>Events</h2>",
            f"<table>{rows}</table>" if events else "<p>None.</p>",
            f"<h2>Again</h2>\n<pre>{escape(command)}</pre>",
            f"<details><summary>The scenario</summary><pre>{escape(scenario)}</pre></details>",
        )
    )
