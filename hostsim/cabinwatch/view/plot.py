"""Draw a run: pressure, rate, T-reserve and alarms over time, truth beside what the firmware reported."""

from pathlib import Path
from typing import Any

from cabinwatch.errors import SetupError, UsageError
from cabinwatch.files import Whole
from cabinwatch.text import duration
from cabinwatch.view.figure import figure_of
from cabinwatch.view.marks import REMINDERS
from cabinwatch.view.page import aftermath, page, told
from cabinwatch.view.story import Story


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
    save(figure_of(pyplot_here(), story, narrow=path.suffix == ".html"), path, story.title)


def check_ending(path: Path) -> None:
    """Raise UsageError where a picture cannot be written by that name."""
    if path.suffix not in (".png", ".svg", ".pdf", ".html"):
        raise UsageError(
            f"{path}: cannot draw {path.suffix or 'without an ending'}: .png, .svg, .pdf or .html"
        )
    Whole(path).discard()


def run_page(story: Story, lines: list[str], verdict: list[str], command: str, scenario: str) -> str:
    """A run as one self-contained page: ``lines`` of what came of it, picture, events, and how to repeat it.

    ``verdict``: which of the lines say whether it was as expected.
    """
    figure = figure_of(pyplot_here(), story, narrow=True)
    events = [
        (duration(e.t_ms / 1000), e.severity.name.capitalize(), e.text())
        for e in story.events
        if e.event not in REMINDERS
    ]
    try:
        return page(figure, story.title, told(lines, verdict), aftermath(events, command, scenario))
    finally:
        pyplot_here().close(figure)


def save(figure: Any, path: Path, title: str, after: str = "") -> None:
    """Write the figure to ``path``, and close it; ``after``: HTML that a page has below it."""
    try:
        if path.suffix == ".html":
            path.write_text(page(figure, title, after=after), encoding="utf-8")
        else:
            figure.savefig(path, dpi=130)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
    finally:
        pyplot_here().close(figure)
