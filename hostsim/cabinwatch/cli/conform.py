"""``cabinwatch conform`` and ``cabinwatch decode``: read the words, call the suite, print.

The command line of the package mounts both: ``app.command("conform")(conform)``.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer

from cabinwatch import key_file
from cabinwatch.errors import CabinwatchError, UsageError
from cabinwatch.models.units import parse_pressure, parse_temperature
from cabinwatch.run import transcript
from cabinwatch.targets import is_url
from cabinwatch.targets.unframed import Unframed
from cabinwatch.text import shown
from cabinwatch.verify.conform import decode as decoding
from cabinwatch.verify.conform import fuzzing, report
from cabinwatch.verify.conform.bench import Reference
from cabinwatch.verify.conform.line import SerialLine
from cabinwatch.verify.conform.page import page
from cabinwatch.verify.conform.requirements import ROLES, SPEC_VERSION
from cabinwatch.verify.conform.runner import Result, SuiteRun, run, select
from cabinwatch.verify.conform.targets import open_bench
from cabinwatch.view.export.captured import Captured, of_octets, of_recording
from cabinwatch.view.export.files import write_csv, write_jsonl, write_pcapng
from cabinwatch.view.export.waves import write_vcd

INTERRUPTED = 130
OUR_FAULT = 70
Words = Annotated[
    list[str] | None,
    typer.Option(metavar="ID", help="Case or requirement ID, or a beginning of one; several with commas."),
]


def _create(path: Path | None) -> IO[str] | None:
    """Open a report's file at once: a name that cannot be written is told before the run, not after it."""
    if path is None:
        return None
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None


Writer = Callable[[SuiteRun], str]
WRITERS: dict[str, Writer] = {
    "junit": report.junit,
    "json": lambda done: json.dumps(report.as_json(done), indent=1) + "\n",
    "transcript": lambda done: "".join(f"{text}\n" for text in report.transcript(done)),
    "html": page,
}


@contextmanager
def _reports(done: SuiteRun, **paths: Path | None) -> Iterator[None]:
    """Write the reports however the run ends, with the exit code of this process in them."""
    files = {name: file for name, path in paths.items() if (file := _create(path))}
    try:
        yield
    except CabinwatchError as error:
        done.error, done.error_code = str(error), error.exit_code
        raise
    except Exception as error:
        done.error, done.error_code = f"{type(error).__name__}: {error}", OUR_FAULT
        raise
    finally:
        for name, file in files.items():
            with file:
                file.write(WRITERS[name](done))


def _reference(text: str) -> Reference:
    """A pressure and a temperature, each with its unit. Raises UsageError."""
    parts = re.fullmatch(r"\s*(\S*\d\s*[A-Za-z]+)\s+(\S*\d\s*\S+)\s*", text)
    if parts is None:
        raise UsageError(
            f'--reference {text!r}: write a pressure and a temperature, such as "101325 Pa 295 K"'
        )
    return Reference(round(100 * parse_pressure(parts[1])), round(100 * parse_temperature(parts[2])))


def _baseline(path: Path, role: str) -> frozenset[str]:
    """The cases that failed in a report of ``--json``. Raises UsageError."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        spec, of, failed = (
            data["spec"],
            data["role"],
            [c["id"] for c in data["cases"] if c["verdict"] == "fail"],
        )
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is no report of --json: {error}") from None
    if of != role or spec != SPEC_VERSION:
        raise UsageError(
            f"{path} is of a {of} by SPEC {spec}, not of a {role} by SPEC {SPEC_VERSION}: make it anew with --json"
        )
    return frozenset(failed)


def conform(
    target: Annotated[
        str,
        typer.Argument(
            help="A serial port or pyserial URL, exec:COMMAND, or cpython, micropython, microbit, host."
        ),
    ] = "cpython",
    role: Annotated[str, typer.Option(help=f"What the node is: {' or '.join(ROLES)}.")] = "transducer",
    list_: Annotated[bool, typer.Option("--list", help="List the cases and stop.")] = False,
    only: Words = None,
    skip: Words = None,
    strict: Annotated[bool, typer.Option("--strict", help="Recommendations (should) count as well.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be run, and open nothing.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=1, help="Longest time for one case on a live target, s.")
    ] = 30.0,
    seed: Annotated[int, typer.Option(help="Feeds what the cases draw: noise, chunks.")] = 1,
    baud: Annotated[int, typer.Option(min=300, max=4_000_000, help="Of a serial port.")] = 115_200,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    json_: Annotated[Path | None, typer.Option("--json", help="Write the results here.")] = None,
    transcript: Annotated[
        Path | None, typer.Option(help="Write every octet of every case here (JSON Lines).")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page to read here.")] = None,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Let cases that take their time last ten times as long.")
    ] = False,
    reference: Annotated[
        str | None,
        typer.Option(metavar="STATE", help='What the transducer should measure, such as "101325 Pa 295 K".'),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            help="A report of --json: what failed then is known; what is new, or passes by now, fails."
        ),
    ] = None,
    fuzz: Annotated[
        int,
        typer.Option(
            min=0, metavar="N", help="Instead of the cases: N drawn sequences of odd frames, by --seed."
        ),
    ] = 0,
    play: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Instead of the cases: a sequence that --fuzz wrote.")
    ] = None,
    maxfail: Annotated[
        int, typer.Option(min=0, help="Run no more cases after so many failures; 0: all.")
    ] = 0,
    key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The owner's key: judge a keyed node by SPEC.md's section 19."),
    ] = None,
) -> None:
    """Judge a node by SPEC.md, requirement by requirement.

    exec: starts up to 16 copies side by side in this directory. A program that keeps something in a file is started
    one at a time by exec:"flock -n lock ./my_node".

    Exit codes: 0 conforms; 1 does not; 2 usage or set-up error, or nothing answers; 3 the target ended before all
    cases were run; 130 Ctrl-C or SIGTERM. Reports are written in every case, and say the exit code.
    """
    done = SuiteRun(target, role, seed, strict)
    written: Path | None = None
    with _reports(done, junit=junit, json=json_, transcript=transcript, html=html):
        if role not in ROLES:
            raise UsageError(f"no role {role!r}: {', '.join(ROLES)}")
        if key and (fuzz or play):
            raise UsageError("--fuzz and --play judge nodes without key")
        master = key_file.read(key) if key else None
        cases = select(role, only or (), skip or (), master is not None)
        if not cases:
            raise UsageError("no case is left: --skip takes away all that --only picks")
        if list_ or dry_run:
            print("\n".join(report.listing(cases, role)))
            if dry_run:
                print(f"{len(cases)} cases would be run on {target} as {role}, seed {seed}")
            return
        bench = open_bench(target, role, seed, timeout, baud, master)
        bench.thorough = thorough
        bench.reference = _reference(reference) if reference else bench.reference
        done.baseline = _baseline(baseline, role) if baseline else frozenset()

        def tell(result: Result) -> None:
            print(report.live(result, done), flush=True)

        if play:
            fuzzing.play(bench, done, play, tell)
        elif fuzz:
            written = fuzzing.fuzz(bench, done, fuzz, Path(), tell)
        else:
            run(bench, cases, done, tell, maxfail, print)
    print("\n".join(report.summary(done)))
    if written:
        print(f"play it again: cabinwatch conform {target} --role {role} --play {written}")
    raise typer.Exit(done.exit_code)


def decode(
    source: Annotated[
        str, typer.Argument(help="A file, - for standard input, or a serial port or pyserial URL.")
    ],
    baud: Annotated[int, typer.Option(min=300, max=4_000_000, help="Of the line.")] = 115_200,
    csv: Annotated[Path | None, typer.Option(help="Write a table a kind of packet: NAME-KIND.csv.")] = None,
    jsonl: Annotated[Path | None, typer.Option(help="Write an object a line for each packet.")] = None,
    pcap: Annotated[
        Path | None, typer.Option(help="Write pcapng for Wireshark and protocol/cabinwatch.lua.")
    ] = None,
    vcd: Annotated[
        Path | None, typer.Option(help="Write a recording's two wires as a logic analyser sees them.")
    ] = None,
) -> None:
    """Show a captured octet stream (raw, hex, or a recording of ours) as packets, and the damage between them.

    With --csv, --jsonl or --pcap its good packets go into files that other tools read, with --vcd its octets.

    Exit codes: 0 all of it was good packets; 1 there was damage; 2 it cannot be read; 130 Ctrl-C.
    """
    if (
        "://" in source
        or (is_url(source) and not Path(source).is_absolute())
        or Path(source).is_char_device()
    ):
        _decode_line(SerialLine(source, baud))
        return
    try:
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {source}: {error.strerror}") from None
    if vcd is not None:
        if source == "-" or not decoding.is_recording(data):
            raise UsageError("--vcd takes a recording: a plain capture does not say when its octets came")
        print(f"Written: {vcd}, {write_vcd(transcript.read(Path(source)), baud, vcd):,} octets")
    if _is_text(data):
        print(
            f"cabinwatch: {shown(source)} is text, not packets; decode reads raw octets, hexadecimal text, and what "
            "run --record writes",
            file=sys.stderr,
        )
    if csv or jsonl or pcap:
        _export(list(_captured(data, source, baud)), csv, jsonl, pcap)
    if csv or jsonl or pcap or vcd:
        return
    lines = list(decoding.decode(data, None if source == "-" else Path(source)))
    print("\n".join(lines))
    raise typer.Exit(1 if any("-- " in text for text in lines) else 0)


def _is_text(data: bytes) -> bool:
    """Whether it is none of ours and reads as text: each frame ends with a 0, and no text has one."""
    if decoding.is_recording(data) or b"\0" in data or decoding.octets_of(data) != data:
        return False
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return bool(text.strip()) and all(c.isprintable() or c.isspace() for c in text)


def _captured(data: bytes, source: str, baud: int) -> Iterator[Captured]:
    if source != "-" and decoding.is_recording(data):
        return of_recording(transcript.read(Path(source)), baud)
    return of_octets(decoding.octets_of(data), baud)


def _export(packets: list[Captured], csv: Path | None, jsonl: Path | None, pcap: Path | None) -> None:
    """Write what was asked for, and say what was written."""
    if csv is not None:
        for path in write_csv(packets, csv):
            print(f"Written: {path}")
    if jsonl is not None:
        write_jsonl(packets, jsonl)
        print(f"Written: {jsonl}")
    if pcap is not None:
        print(f"Written: {pcap}, {write_pcapng(packets, pcap)} packets")


def _decode_line(line: SerialLine) -> None:
    """Show what comes until the line ends or Ctrl-C."""
    reader = decoding.Reader()
    unframed = Unframed(shown(line.name))
    line.open()
    try:
        while True:
            octets, good = line.read(0.1), reader.counts.packets + reader.counts.unknown
            for text in reader.feed(octets):
                print(text, flush=True)
            if words := unframed.hear(octets, reader.counts.packets + reader.counts.unknown > good):
                print(f"-- {words}", flush=True)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except CabinwatchError as error:
        print(f"-- {error}")
    finally:
        line.close()
        print("\n".join([*reader.end(), decoding.summary([reader])]))
    raise typer.Exit(1 if reader.counts.damaged else 0)
