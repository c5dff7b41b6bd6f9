"""``cabinwatch fuzz``."""

import itertools
import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hostsim.errors import UsageError
from hostsim.fuzz.campaign import CLASSES, Tally, campaign, outcomes
from hostsim.fuzz.run import Outcome
from hostsim.fuzz.shrink import shrink
from hostsim.fuzz.swarm import draw
from hostsim.targets import EMULATED, open_target
from hostsim.toml_out import to_toml

INTERRUPTED = 130
SHRUNK = 3
"""Failures that are shrunk and written down; the rest are named by their run."""


def fuzz(
    seed: Annotated[
        str, typer.Option(help="Any text draws a campaign; a git commit hash is a good one.")
    ] = "1",
    runs: Annotated[
        int | None, typer.Option(min=1, help="How many runs. Default: 1000, or as long as --minutes.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Stop after this much wall time.")] = None,
    only: Annotated[
        int | None, typer.Option(min=0, help="Play this run alone, and print all its options.")
    ] = None,
    target: Annotated[str, typer.Option("--target", "-t", help=f"One of {', '.join(EMULATED)}.")] = "cpython",
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler; needs cabinwatch[cluster].")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where scenarios of failures are written.")] = Path(
        "fuzz-failures"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Play random worlds full of faults to the firmware and judge every octet.

    Exit codes: 0 nothing found, 2 usage or set-up error, 130 stopped by Ctrl-C, and by the class of the first failure
    10 missed alarm, 11 false alarm, 12 state after healing, 13 optimistic T-reserve, 14 class, 15 latch, 16 missing,
    17 extra, 18 wrong, 19 sequence, 20 time, 21 timing, 22 codec, 23 crash.
    """
    if target not in EMULATED:
        raise UsageError(f"a campaign runs in lock-step: {', '.join(EMULATED)}, not {target}")
    say = (lambda text: None) if as_json else print
    if only is not None:
        numbers: itertools.count[int] | range = range(only, only + 1)
        plan = draw(seed, only)
        say(f"# {json.dumps(plan.options)}, world seed {plan.seed}\n{to_toml(plan.scenario)}")
    else:
        numbers = itertools.count() if minutes and not runs else range(runs or 1000)
    where = f"the cluster at {scheduler}" if scheduler else f"{jobs} processes"
    say(f"fuzz --seed {seed} on {target}, {where}")
    begin = time.monotonic()
    results = outcomes(seed, numbers, target, jobs, scheduler)
    with Progress(quiet=as_json) as progress:
        tally, interrupted = campaign(results, minutes * 60 if minutes else None, progress.show)
    wall_s = time.monotonic() - begin
    report = {
        "seed": seed,
        "target": target,
        "jobs": jobs,
        "interrupted": interrupted,
        **tally.as_json(wall_s),
    }
    written = [] if interrupted else [_write(seed, target, o, out) for o in tally.failures[:SHRUNK]]
    if as_json:
        print(json.dumps({**report, "scenarios": [str(path) for path, _ in written]}))
    else:
        print("\n".join(summary(report)))
        for outcome in tally.failures:
            print(f"FAILED {outcome.kind}: {outcome.text}")
            print(f"    cabinwatch fuzz --seed {seed} --only {outcome.run} --target {target}")
        for path, number in written:
            print(f"shrunk to {path}: cabinwatch run {path} --seed {number} --target {target}")
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(tally.exit_code)


def summary(report: dict[str, object]) -> list[str]:
    """The campaign in a few lines."""
    faults = report["faults_injected"]
    assert isinstance(faults, dict)
    return [
        f"{report['runs']} runs in {report['wall_s']} s ({report['runs_per_s']} a second), "
        f"{report['simulated_years']} simulated years, {report['steps']} steps",
        "faults injected: " + ", ".join(f"{kind} {n}" for kind, n in faults.items()),
        f"packets received {report['packets_received']}, wrongly accepted {report['packets_wrongly_accepted']}; "
        f"alarms missed {report['alarms_missed']}, false {report['alarms_false']}; "
        f"state after healing wrong {report['state_after_healing_wrong']}; failed {report['failed'] or 0}",
    ]


def _write(seed: str, target: str, outcome: Outcome, folder: Path) -> tuple[Path, int]:
    """Shrink one failure and write its scenario down."""
    plan = draw(seed, outcome.run)
    small = shrink(plan, outcome.kind, lambda: open_target(target))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{seed}-{outcome.run}.toml"
    told = "\n".join(f"# {line}" for line in (outcome.kind, *outcome.text.splitlines()))
    path.write_text(
        f"{told}\n# cabinwatch run {path} --seed {plan.seed} --target {target}\n{to_toml(small.scenario)}"
    )
    return path, plan.seed


class Progress:
    """A line on a terminal that is kept current; nothing elsewhere."""

    def __init__(self, quiet: bool) -> None:
        self._console = Console(stderr=True)
        self._live = not quiet and self._console.is_terminal and sys.stderr.isatty()
        self._begin = self._shown = time.monotonic()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        if self._live:
            self._console.print(" " * 70, end="\r")

    def show(self, tally: Tally) -> None:
        """Called after each run."""
        now = time.monotonic()
        if self._live and now - self._shown > 0.2:
            self._shown = now
            rate = tally.runs / (now - self._begin)
            failed = sum(tally.failed.values())
            self._console.print(
                f"{tally.runs} runs, {rate:.0f} a second, {failed} failed".ljust(70), end="\r"
            )


__all__ = ["CLASSES", "fuzz"]
