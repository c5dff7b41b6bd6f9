"""The command line: each command reads its words, calls the library, and prints."""

import json
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from shlex import quote
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from cabinwatch import key_file
from cabinwatch.cli import board as cli_board
from cabinwatch.cli import net, playback
from cabinwatch.cli import serve as cli_serve
from cabinwatch.cli import verify as cli_judge
from cabinwatch.cli.options import (
    JsonOption,
    KeyOption,
    TargetOption,
    UnkeyedOption,
    default_target,
    keying_of,
    played_ms,
)
from cabinwatch.errors import UsageError
from cabinwatch.files import writing
from cabinwatch.models.scenario import Scenario
from cabinwatch.run import transcript as transcripts
from cabinwatch.run.files import as_csv, as_junit
from cabinwatch.run.live import told_of_speed
from cabinwatch.run.observer import Silent, View
from cabinwatch.run.play import Order, play, replay
from cabinwatch.run.result import as_json, summary, unmet, verdict
from cabinwatch.scenario import load as scenarios
from cabinwatch.targets import EMULATED, is_live
from cabinwatch.targets.serial_port import PATIENCE_S
from cabinwatch.text import shown
from cabinwatch.verify import bench
from cabinwatch.view import plot as plots
from cabinwatch.view import story as stories
from cabinwatch.view.panel import Panels, Plain
from cabinwatch.world.world import World

app = typer.Typer(
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""A spacecraft cabin-pressure monitor: firmware, and the emulator that injects leaks into it.

Start with `cabinwatch run`: it plays the leak of the station's Zvezda module to the firmware.

Exit codes: 0 what was expected happened, 1 it did not, 2 usage or set-up error, 70 a fault of
ours (one line, and a file that holds the traceback), 130 stopped by Ctrl-C or SIGTERM.
""",
)


def complete_scenario(incomplete: str) -> list[str]:
    """What a shell offers for the scenario's name."""
    return [name for name in scenarios.bundled() if name.startswith(incomplete)]


@app.callback()
def first(
    context: typer.Context,
    version_: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version_:
        print(f"cabinwatch {version('cabinwatch')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(net.USAGE)


@app.command()
def run(
    scenario: Annotated[
        str,
        typer.Argument(
            help="A bundled name (`cabinwatch scenarios`), a TOML file, or - for standard input.",
            autocompletion=complete_scenario,
        ),
    ] = scenarios.DEFAULT,
    target: TargetOption = None,
    seed: Annotated[int, typer.Option(help="Feeds every random stream of the run.")] = 1,
    duration: Annotated[
        str | None, typer.Option(help="Play this long: 6h, 1h30m, or seconds; default: the scenario's.")
    ] = None,
    record: Annotated[Path | None, typer.Option(help="Write the transcript (JSON Lines) here.")] = None,
    speed: Annotated[
        float, typer.Option(min=0.001, max=100_000, help="Live targets: world seconds a second.")
    ] = 1.0,
    patience: Annotated[
        float, typer.Option(min=0.01, help="Live targets: seconds to wait for a node that says nothing.")
    ] = PATIENCE_S,
    csv: Annotated[
        Path | None, typer.Option(help="Write what was reported here, the truth beside it (CSV).")
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write whether it was met here (JUnit XML).")] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write picture, verdict, events and how to repeat it here: one page.")
    ] = None,
    key: KeyOption = None,
    unkeyed: UnkeyedOption = None,
    as_json_: JsonOption = False,
) -> None:
    """Play a scenario to the firmware and check what it expects."""
    model, text = scenarios.load(scenario)
    until_ms = played_ms(duration, model.duration_ms)
    where = target or default_target(as_json_)
    keying = keying_of(key, seed, unkeyed)
    order = Order(scenario, model, text, where, seed, until_ms, record, speed, patience, keying)
    if html:
        plots.pyplot_here()  # before the run, not after it
    for words in told_of_speed(model, speed) if is_live(where) else ():
        print(f"cabinwatch: {words}", file=sys.stderr)

    def make_view(world: World) -> View:
        if as_json_:
            return Silent()
        console = Console()
        if console.is_terminal:
            return Panels(world, until_ms, model.title, where, console)
        print(f"{shown(model.title)} (firmware on {where}, seed {seed})")
        return Plain(world, until_ms)

    with writing(csv) as rows, writing(junit) as cases, writing(html) as whole:
        world, done = play(order, make_view)
        if rows:
            rows.write(as_csv(world).encode())
        if cases:
            cases.write(as_junit(world, done).encode())
        if whole:
            again = f"cabinwatch run {quote(scenario)} --target {quote(where)} --seed {seed}"
            again += f" --duration {quote(duration)}" if duration else ""
            lines, judged = summary(world, done), verdict(world, done)
            whole.write(plots.run_page(stories.from_world(world), lines, judged, again, text).encode())
    if as_json_:
        print(json.dumps(as_json(world, done)))
    else:
        print("\n".join(summary(world, done)))
    if done.interrupted:
        raise typer.Exit(net.INTERRUPTED)
    raise typer.Exit(1 if unmet(world, model.expect) else 0)


@app.command("scenarios")
def list_scenarios(
    as_json_: JsonOption = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON schema of scenario files instead.")
    ] = False,
) -> None:
    """List the bundled scenarios: what happened, sources, what is measured and what is assumed."""
    if schema:
        print(json.dumps(Scenario.model_json_schema(), indent=1))
        return
    loaded = {name: scenarios.load(name)[0] for name in scenarios.bundled()}
    if as_json_:
        keys = {"title", "story", "sources", "measured", "assumed", "duration"}
        print(json.dumps([{"name": name, **s.model_dump(include=keys)} for name, s in loaded.items()]))
        return
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    for name, s in loaded.items():
        console.print(f"[bold]{name}[/bold]  {s.title}", markup=True)
        for label, words in (("", s.story), ("sources: ", "; ".join(s.sources)), ("measured: ", s.measured)):
            if words:
                console.print(f"    {label}{words}", markup=False)
        if s.assumed:
            console.print(f"    assumed: {s.assumed}", markup=False)


@app.command("replay")
def replay_(
    file: Annotated[Path, typer.Argument(help="A recording of `cabinwatch run --record`.")],
    target: TargetOption = None,
    key: KeyOption = None,
    as_json_: JsonOption = False,
) -> None:
    """Feed a recording to a target and compare every octet that it sends.

    Exit code 1 where it differs, 2 where the recording has no step or is not whole: then it proves nothing.
    """
    transcript = transcripts.read(file)
    where = target or default_target(as_json_)
    if is_live(where):
        raise UsageError(f"a recording is replayed in lock-step: {', '.join(EMULATED)}, not {where}")
    if transcript.header.get("live"):
        raise UsageError(f"{file} was recorded live: its timing is the device's own and does not repeat")
    done = replay(transcript, where, key_file.read(key) if key else None)
    same = not done.differs
    if as_json_:
        keys = ("scenario", "seed")
        print(
            json.dumps(
                {
                    **{k: transcript.header.get(k) for k in keys},
                    "target": where,
                    "recorded_on": transcript.header.get("target"),
                    "steps": done.steps,
                    "transcript_sha256": done.sha256,
                    "recorded_sha256": transcript.sha256,
                    "cut": transcript.cut,
                    "differs": done.differs,
                    "met": same and not transcript.cut,
                }
            )
        )
    else:
        print(f"{done.steps:,} steps of {shown(transcript.header.get('scenario'))} replayed on {where}")
        if not same:
            print(f"NOT THE SAME: {done.differs}")
        elif not transcript.cut:
            print(f"Same bytes, transcript {done.sha256}")
    if same and transcript.cut:
        raise UsageError(f"{shown(file)} proves nothing: {transcript.cut}")
    raise typer.Exit(0 if same else 1)


@app.command("plot")
def plot_(
    what: Annotated[str, typer.Argument(help="A scenario (bundled name or TOML file), or a recording.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Picture to write: .png, .svg, .pdf or .html.")
    ],
    target: TargetOption = None,
    seed: Annotated[int, typer.Option(help="Feeds every random stream of the run.")] = 1,
) -> None:
    """Draw a run over time: truth beside what the firmware reported, events marked."""
    plots.check_ending(output)  # before the run, not after it
    plots.pyplot_here()
    if Path(what).is_file() and Path(what).suffix != ".toml":
        transcript = transcripts.read(Path(what))
        plots.draw(stories.from_transcript(transcript), output)
    else:
        model, text = scenarios.load(what)
        order = Order(what, model, text, target or default_target(False), seed, model.duration_ms)
        world, done = play(order, lambda world: Plain(world, model.duration_ms))
        if done.interrupted:
            raise typer.Exit(net.INTERRUPTED)
        plots.draw(stories.from_world(world), output)
    print(f"Drawn: {output}")


@app.command("bench")
def bench_(
    target: Annotated[
        list[str] | None, typer.Option("--target", "-t", help="Only this target; may be given again.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="Wall time for each target.")] = 5.0,
    as_json_: JsonOption = False,
) -> None:
    """Measure, in one run: full-stack speed on each target, frames a second of each codec."""
    unknown = set(target or ()) - set(EMULATED)
    if unknown:
        raise UsageError(f"no emulated target {', '.join(sorted(unknown))}: {', '.join(EMULATED)}")
    measured = bench.measure(target or list(EMULATED), seconds, (lambda line: None) if as_json_ else print)
    if as_json_:
        print(json.dumps(measured))


@app.command()
def keygen(
    file: Annotated[Path, typer.Argument(help="Where to write it; it must not be there.")],
    of: Annotated[
        Path | None,
        typer.Option(
            "--of", metavar="FILE", help="Instead: the keys of one node, derived from this owner's key."
        ),
    ] = None,
    role: Annotated[
        str | None, typer.Option(help=f"Whose, with --of: {', '.join(key_file.NODES)} (transducer).")
    ] = None,
) -> None:
    """Make an owner's key for keyed nodes: a file that only you can read. Keep it; nothing brings it back.

    With --of it writes what a node of your own is given: its keys of 16 octets each, as they are, one behind the other.
    An instrument's: command key, answer key. A monitor's: command key, the transducer's answer key, the analyser's.
    """
    if role and of is None:
        raise UsageError("--role says whose keys --of derives: give --of OWNER.key, or leave --role out")
    role = role or "transducer"
    if of is not None:
        key_file.write_node(file, key_file.read(of), role)
        print(f"The {role}'s keys are in {file}, which is for that node alone.")
        return
    key_file.generate(file)
    print(f"A new key is in {file}. Give --key {shown(file)} where a node is built, flashed, run or watched.")


app.command()(playback.playback)
cli_board.add_to(app)
cli_judge.add_to(app)
app.command("serve")(cli_serve.serve)


def _terminate(number: int, frame: FrameType | None) -> None:
    """What ends a job in CI ends a command as Ctrl-C does, reports written; also where a shell had it ignore Ctrl-C."""
    interrupt = signal.getsignal(signal.SIGINT)
    (interrupt if callable(interrupt) else signal.default_int_handler)(number, frame)


def main() -> None:
    """Entry point of the ``cabinwatch`` command."""
    signal.signal(signal.SIGTERM, _terminate)
    net.call(app)


if __name__ == "__main__":
    main()
