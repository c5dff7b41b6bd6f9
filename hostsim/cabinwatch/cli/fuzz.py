"""``cabinwatch fuzz``."""

import itertools
import json
import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Annotated, Any, NoReturn
from zlib import crc32

import typer

from cabinwatch.errors import ClusterLost, SetupError, UsageError
from cabinwatch.files import writing
from cabinwatch.scenario.load import load
from cabinwatch.scenario.toml_out import to_toml
from cabinwatch.targets import EMULATED, open_target
from cabinwatch.targets.base import Target
from cabinwatch.text import duration, shown
from cabinwatch.verify.attack import assaulting
from cabinwatch.verify.fuzz.again import Again, sample
from cabinwatch.verify.fuzz.campaign import KEPT, Tally, UntilLost, campaign, outcomes
from cabinwatch.verify.fuzz.emit import as_test
from cabinwatch.verify.fuzz.findings import Finding
from cabinwatch.verify.fuzz.run import Outcome, one, play
from cabinwatch.verify.fuzz.shrink import BUDGET, shrink
from cabinwatch.verify.fuzz.situations import ENOUGH_RUNS
from cabinwatch.verify.fuzz.swarm import MODES, Plan, draw, mode_of
from cabinwatch.view.progress import Progress

HELP = f"""Play random worlds full of faults to the firmware and judge every octet.

Exit codes: 0 nothing found, 1 nothing found, but {ENOUGH_RUNS} runs or more were never in one of the named situations
in which alarms go wrong (fewer runs print it, and do not fail), 2 usage or set-up error, 3 the cluster was lost (what
was found by then is printed), 130 stopped by Ctrl-C, and by the class of the first failure

""" + "\n".join(f"- {finding.exit_code} {finding}: {finding.meaning}" for finding in Finding)
INTERRUPTED = 130
FAST = tuple(name for name in EMULATED if name != "microbit")
"""The emulated board takes minutes for what these do in seconds."""
PAGE = 100
"""Columns of what goes to no terminal."""
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
    file: Annotated[
        Path | None,
        typer.Option(help="Play this scenario with all oracles; --seed is its world's, a number."),
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(help=f"What the air of --file does: {', '.join(MODES)}. Default: what is in the file."),
    ] = None,
    replay: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Runs that are played again on the other emulated targets; default 3. A --file is played again on the "
            "fast ones by default, on all where this is given.",
        ),
    ] = None,
    target: Annotated[str, typer.Option("--target", "-t", help=f"One of {', '.join(EMULATED)}.")] = "cpython",
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler; needs cabinwatch[cluster].")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where scenarios of failures are written.")] = Path(
        "fuzz-failures"
    ),
    emit_pytest: Annotated[
        Path | None, typer.Option("--emit-pytest", help="Write each failure here as a test, too.")
    ] = None,
    attack: Annotated[
        bool,
        typer.Option(
            "--attack",
            help="Attack a keyed monitor instead: --runs attempts to have it obey or believe whoever has no key. "
            "Exit code 1 where it did.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """``cabinwatch fuzz``; `HELP` is what people read."""
    if target not in EMULATED:
        raise UsageError(f"a campaign runs in lock-step: {', '.join(EMULATED)}, not {target}")
    if attack:
        _attack(seed, runs or 1000, target, as_json)
    say = (lambda text: None) if as_json else print
    again = Again(target, tuple(EMULATED) if replay or file is None else FAST)
    if file is not None:
        with Progress(quiet=as_json) as progress:
            results = _one_file(file, seed, mode, target, again if replay != 0 else None, progress)
            tally, interrupted = campaign(results)
        about = {"file": str(file), "seed": seed, "target": target, "wall_s": progress.wall_s}
        _finish(about, tally, again, [], interrupted, as_json)
    if only is not None:
        numbers: itertools.count[int] | range = range(only, only + 1)
        plan = draw(seed, only)
        say(f"# {json.dumps(plan.options)}, world seed {plan.seed}\n{to_toml(plan.scenario)}")
    else:
        numbers = itertools.count() if minutes and not runs else range(runs or 1000)
    where = f"the cluster at {shown(scheduler)}" if scheduler else f"{jobs} processes"
    say(f"fuzz --seed {quote(shown(seed))} on {target}, {where}")
    played = UntilLost(outcomes(seed, numbers, target, jobs, scheduler))
    with Progress(quiet=as_json) as progress:
        told = Told(progress)
        tally, interrupted = campaign(told.naming(played), minutes * 60 if minutes else None, told.show)
        wall_s = progress.wall_s
        written: list[Written] = []
        if not interrupted and played.error is None:
            written = [
                _write(draw(seed, o.run), seed, target, o, out, again, emit_pytest, progress)
                for o in tally.failures[:SHRUNK]
            ]
            for run in sample(
                seed, range(tally.runs) if only is None else [only], 3 if replay is None else replay
            ):
                progress.show(partial("run {} again on the other targets".format, run))
                again.check(f"run {run}", partial(one, seed, run))
    report = {"seed": seed, "target": target, "jobs": jobs, "wall_s": wall_s}
    _finish(report, tally, again, written, interrupted, as_json, played.error)


def _attack(seed: str, attempts: int, target: str, as_json: bool) -> NoReturn:
    with Progress(quiet=as_json) as progress, assaulting(target, crc32(seed.encode())) as done:
        done.run(attempts)
    report = {"seed": seed, "target": target, "attempts": done.attempts.total(), "by_kind": done.attempts}
    report |= {"honest": done.honest, "faults": done.faults, "wall_s": progress.wall_s}
    if as_json:
        print(json.dumps(report))
    else:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(done.attempts.items()))
        honest = ", ".join(f"{count:,} {what}" for what, count in sorted(done.honest.items()))
        print(f"{done.attempts.total():,} attempts in {progress.wall_s:.0f} s: {kinds}")
        print(f"Of the owner: {honest}")
        print(
            "\n".join(done.faults)
            or "None was obeyed or believed; all that arrived of the owner's in time was."
        )
    raise typer.Exit(1 if done.faults else 0)


Written = tuple[Path, str]
"""A shrunk failure's file, and the command that plays it."""


def _finish(
    about: dict[str, Any],
    tally: Tally,
    again: Again,
    written: list[Written],
    interrupted: bool,
    as_json: bool,
    lost: ClusterLost | None = None,
) -> NoReturn:
    """Print what came of it, and exit."""
    report = {
        **about,
        "interrupted": interrupted,
        **tally.as_json(about.get("wall_s", 0.0)),
        "replayed": again.as_json(),
    }
    if as_json:
        print(json.dumps({**report, "scenarios": [str(path) for path, _ in written]}))
    else:
        print("\n".join([*wrapped(summary(report)), *(again.text() if again.runs else [])]))
        for outcome in tally.failures:
            print(f"FAILED {outcome.kind}: {outcome.text}")
            if "file" not in about:
                print(
                    f"    cabinwatch fuzz --seed {quote(about['seed'])} --only {outcome.run}"
                    f" --target {about['target']}"
                )
        for path, command in written:
            print(f"shrunk to {path}: {command}")
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    if lost is not None:
        raise lost
    if not tally.exit_code and again.diverged:
        raise typer.Exit(Finding.DIVERGENCE.exit_code)
    if not tally.exit_code and again.unfit:
        raise SetupError("in CI every emulated target is needed: " + "; ".join(again.missing.values()))
    raise typer.Exit(tally.exit_code)


def _one_file(
    file: Path, seed: str, mode: str | None, target: str, again: Again | None, progress: Progress
) -> Iterator[Outcome]:
    """Play a scenario file once, and once more on each other target."""
    if not seed.isdecimal():
        raise UsageError(f"--seed {seed}: with --file it is the seed of one world, a number")
    if mode not in (None, *MODES):
        raise UsageError(f"--mode {mode}: one of {', '.join(MODES)}")
    scenario = load(str(file))[0]
    plan = Plan(scenario, int(seed), mode or mode_of(scenario), 0.0, {})

    def play_on(name: str) -> Outcome:
        def tick(now_ms: int) -> None:
            whole = duration(plan.scenario.duration)
            progress.show(lambda: f"{duration(now_ms / 1000)} of {whole} played on {name}")

        return play(plan, lambda: open_target(name), tick=tick)

    outcome = play_on(target)
    if again:
        again.check(str(file), play_on, outcome)
    yield outcome


class Told:
    """What a person sees of a campaign as it goes: its count, and each failure when it is found."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def naming(self, results: Iterable[Outcome]) -> Iterator[Outcome]:
        """``results`` as they are; of failures the first `KEPT` are told."""
        failed = 0
        for outcome in results:
            failed += outcome.kind is not None
            if outcome.kind and failed <= KEPT:
                self._progress.note(f"run {outcome.run} failed: {outcome.kind}")
            yield outcome

    def show(self, tally: Tally) -> None:
        """How many runs are done."""
        rate = tally.runs / max(self._progress.wall_s, 1e-9)
        failed = sum(tally.failed.values())
        self._progress.show(lambda: f"{tally.runs} runs, {rate:.0f} a second, {failed} failed")


def summary(report: dict[str, object]) -> list[str]:
    """The campaign in a few lines."""
    faults = report["faults_injected"]
    not_judged = report["not_judged"]
    assert isinstance(faults, dict)
    situations, never = report["situations"], report["never_entered"]
    assert isinstance(not_judged, dict)
    assert isinstance(situations, dict)
    assert isinstance(never, list)
    return [
        f"{report['runs']} runs in {report['wall_s']} s ({report['runs_per_s']} a second), "
        f"{report['simulated_years']} simulated years, {report['steps']} steps",
        "faults injected: " + ", ".join(f"{kind} {n}" for kind, n in faults.items()),
        f"packets received {report['packets_received']}, wrongly accepted {report['packets_wrongly_accepted']}; "
        f"alarms missed {report['alarms_missed']}, false {report['alarms_false']}; "
        f"state after healing wrong {report['state_after_healing_wrong']}; failed {report['failed'] or 0}",
        "not judged: " + ("; ".join(f"{reason} ({n})" for reason, n in not_judged.items()) or "nothing"),
        "situations entered: "
        + ("; ".join(f"{name} ({n})" for name, n in situations.items() if n) or "none"),
        "situations never entered: " + ("; ".join(never) or "none"),
    ]


def wrapped(lines: list[str]) -> list[str]:
    """As wide as the terminal; what goes elsewhere as wide as a page."""
    width = shutil.get_terminal_size((PAGE, 0)).columns
    return [
        part
        for line in lines
        for part in textwrap.wrap(
            line, width, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
        )
    ]


def file_name(seed: str) -> str:
    """The seed as a part of a file's name: any text is a seed, and no text leads out of the folder."""
    kept = re.sub(r"[^A-Za-z0-9_-]", "-", seed)[:40]
    return kept if kept == seed else f"{kept}-{crc32(seed.encode(errors='surrogateescape')):08x}"


def _write(
    plan: Plan,
    seed: str,
    target: str,
    outcome: Outcome,
    folder: Path,
    again: Again,
    tests: Path | None,
    progress: Progress,
) -> Written:
    """Shrink one failure, write its scenario down, and play it on the other targets; in ``tests`` as a test."""
    assert outcome.kind is not None
    tries = itertools.count(1)

    def make_target() -> Target:
        number = next(tries)
        progress.show(lambda: f"run {outcome.run} is made smaller: play {number} of {BUDGET} at most")
        return open_target(target)

    small = shrink(plan, outcome.kind, make_target)
    path = folder / f"{file_name(seed)}-{outcome.run}.toml"
    command = (
        f"cabinwatch fuzz --file {quote(str(path))} --seed {plan.seed} --mode {plan.mode} --target {target}"
    )
    told = "\n".join(
        f"# {line}" for line in (outcome.kind, *map(shown, outcome.text.splitlines()), shown(command))
    )
    _put(path, f"{told}\n{to_toml(small.scenario)}")
    if tests is not None:
        name = f"fuzz_{file_name(seed)}_{outcome.run}".replace("-", "_")
        found = f"cabinwatch fuzz --seed {quote(seed)} --only {outcome.run} --target {target}"
        _put(tests / f"test_{name}.py", as_test(small, outcome, found, target, name))
    again.check(str(path), lambda name: play(small, lambda: open_target(name)))
    return path, command


def _put(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write {shown(path)}: {error.strerror}") from None
    with writing(path) as file:
        assert file is not None
        file.write(text.encode())
