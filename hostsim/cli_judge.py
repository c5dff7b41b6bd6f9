"""The commands that judge: conform and decode for protocols, fuzz for the firmware, score for the detector."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hostsim.conform.cli import conform, decode
from hostsim.errors import SetupError, UsageError
from hostsim.fuzz.command import fuzz


def score(
    seed: Annotated[int, typer.Option(help="Feeds every random stream.")] = 1,
    years: Annotated[int, typer.Option(min=1, help="Quiet years at 1 Hz for each background.")] = 2,
    trials: Annotated[int, typer.Option(min=3, help="Trials of each leak.")] = 15,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; default: one a core.")] = None,
    page: Annotated[Path | None, typer.Option(help="Write the evidence page (Markdown) here.")] = None,
    as_json_: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Score the leak detector: false alarms and delays, beside the oracle's bound and other detectors."""
    try:
        from hostsim.score import card as cards
        from hostsim.score import page as pages
    except ImportError:
        raise SetupError('the report card needs numpy and river: pip install "cabinwatch[score]"') from None

    def progress(done: int, total: int, what: str) -> None:
        print(f"{done}/{total}  {what}", file=sys.stderr, flush=True)

    card = cards.run(seed, jobs, years, trials, progress=progress)
    text = pages.render(card, f"cabinwatch score --seed {seed} --years {years} --trials {trials}")
    if page is not None:
        try:
            page.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot write {page}: {error.strerror}") from None
    data: dict[str, Any] = card.as_json()
    print(json.dumps(data) if as_json_ else text)


def add_to(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    for command in (conform, decode, fuzz, score):
        app.command()(command)
