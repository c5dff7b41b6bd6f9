"""Draw a run: pressure, rate, T-reserve and alarms over time, truth beside what the firmware reported."""

import re
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any

from cabinwatch.errors import SetupError, UsageError
from cabinwatch.files import Whole
from cabinwatch.text import shown
from cabinwatch.view.figure import figure_of
from cabinwatch.view.story import Story

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<meta name="description" content="A run of cabinwatch: {title}">
<style>
body {{ margin: 1rem auto; max-width: 70rem; font: 1rem/1.4 system-ui, sans-serif }}
svg {{ width: 100%; height: auto; min-width: 30rem }}
.wide {{ overflow-x: auto }}
</style>
</head>
<body>
<h1>{title}</h1>
<div class="wide">{svg}</div>
</body>
</html>
"""


def pyplot_here() -> Any:
    """matplotlib's pyplot, drawing to files alone. Raises SetupError where it is missing."""
    try:
        import matplotlib
    except ImportError:
        raise SetupError('plots need matplotlib: pip install "cabinwatch[plot]"') from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def draw(story: Story, path: Path) -> None:
    """Write the picture to ``path``: .png, .svg, .pdf or .html. Raises UsageError for another ending."""
    check_ending(path)
    save(figure_of(pyplot_here(), story), path, story.title)


def check_ending(path: Path) -> None:
    """Raise UsageError where a picture cannot be written by that name."""
    if path.suffix not in (".png", ".svg", ".pdf", ".html"):
        raise UsageError(
            f"{path}: cannot draw {path.suffix or 'without an ending'}: .png, .svg, .pdf or .html"
        )
    Whole(path).discard()


def save(figure: Any, path: Path, title: str) -> None:
    """Write the figure to ``path``, and close it."""
    try:
        if path.suffix == ".html":
            path.write_text(page(figure, title), encoding="utf-8")
        else:
            figure.savefig(path, dpi=130)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
    finally:
        pyplot_here().close(figure)


def page(figure: Any, title: str) -> str:
    """A page of its own around the figure: real text, and readable on a phone."""
    import matplotlib

    svg = StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        figure.savefig(svg, format="svg")
    # The XML declaration and doctype belong to a file of its own, not into the middle of a page.
    inline = re.sub(r"^.*?(?=<svg)", "", svg.getvalue(), count=1, flags=re.DOTALL)
    return PAGE.format(title=escape(shown(title)), svg=inline)
