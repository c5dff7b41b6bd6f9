"""Watch a live board with no emulation: what it reports, alarms, link health; and send it telecommands."""

import json
import math
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator

import serial

from cabinwatch.board.emulator.prompt import CONSOLE, is_console
from cabinwatch.errors import SetupError, TargetDied, UsageError
from cabinwatch.models.commands import Telecommand
from cabinwatch.models.settings import parameter, read, written
from cabinwatch.models.units import parse_duration
from cabinwatch.run.result import last_read, no_data, tres_s
from cabinwatch.targets.unframed import Unframed
from cabinwatch.text import clipped, duration, name, shown
from cabinwatch.view.export.captured import Captured
from cabinwatch.view.export.files import entry
from cabinwatch.view.timeline import command_line, event_line
from cabinwatch.world.events import rate_text
from cabinwatch.world.ground import PENDING, Commanded, Ground
from cabinwatch.world.keying import Signer, session_line
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

VERBS = {
    "ping": "whether it is there",
    "report": "housekeeping, now",
    "alarms": "their state: classes, causes, occurrences, what is suppressed",
    "acknowledge": "the alarm that was heard of",
    "inhibit DURATION": "no new alarms for so long (up to 2 h; 0 ends it)",
    "out_of_service DURATION": "no alarm for the loss of the transducer for so long (up to 2 h; 0 ends it)",
    "test_signals PATTERN": "show a class (1 to 4) or blindness (5) on lamp and buzzer",
    "restart_detector": "learn the cabin anew",
    "get PARAMETER": "its value",
    "set PARAMETER VALUE": "with a unit (30 d, 490 mmHg) or as a bare number in the protocol's",
    "defaults": "all parameters as they were made",
    "hk_on": "periodic reports",
    "hk_off": "no periodic reports",
    "reboot": "start afresh",
}
HELP = " | ".join((*VERBS, "help", "quit"))
NOT_SENT = "not sent, since nobody was heard"
HEAR_S = 5.0
"""How long commands wait for a first frame: a monitor polls every second unless it was told otherwise."""
TAIL = 200
"""Octets in which a console's prompt is looked for."""
SETTLE_S = 0.5
"""How long after its last answer a watch that only sends commands goes on listening: a reboot's event comes by then."""


def manual() -> list[str]:
    """What ``help`` shows: the commands, and the parameters with their bounds."""
    bounds = (
        f"  {p.name:<18}{written(p, p.default)} ({written(p, p.low)} to {written(p, p.high)}): {p.doc}"
        for p in t.MONITOR_PARAMETERS
    )
    return [
        *(f"  {words:<22}{what}" for words, what in VERBS.items()),
        "Parameters, with default and bounds:",
        *bounds,
    ]


def telecommand(line: str) -> Telecommand:
    """The telecommand of a typed line. Raises UsageError that says what is understood."""
    words = line.split()
    forms = {form.split()[0]: form.split() for form in VERBS}
    verb = words[0] if words else ""
    if verb not in forms:
        raise UsageError(f"no command {clipped(repr(verb))}: {HELP}")
    form = forms[verb]
    # A value may have a unit of its own behind it.
    given = [*words[: len(form) - 1], " ".join(words[len(form) - 1 :])] if len(form) > 1 else words
    if len(given) != len(form) or not given[-1]:
        raise UsageError(f"{clipped(repr(line))} is not understood: {' '.join(form)}")
    fields: dict[str, object] = {"at": 0, "do": verb}
    if verb in ("get", "set"):
        chosen = parameter(given[1])
        fields["parameter"] = chosen.name
        if verb == "set":
            fields["value"] = read(chosen, given[2])
    elif verb in ("inhibit", "out_of_service"):
        seconds = parse_duration(given[1])
        if not (seconds.is_integer() and 0 <= seconds <= t.INHIBIT_MAX_S):
            raise UsageError(
                f"{verb} {clipped(given[1])}: whole seconds, from 0 to {duration(t.INHIBIT_MAX_S)}"
            )
        fields["argument"] = int(seconds)
    elif len(given) > 1:
        if not (given[1].isdecimal() and int(given[1]) <= t.TEST_MAX):
            raise UsageError(f"{verb} {clipped(given[1])}: a number from 0 to {t.TEST_MAX}")
        fields["argument"] = int(given[1])
    return Telecommand.model_validate(fields)


def typed_lines() -> "queue.Queue[str]":
    """Lines of standard input as they come; a thread, since no system waits for a port and a keyboard alike."""
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            lines.put(line.strip())

    threading.Thread(target=read, daemon=True).start()
    return lines


class LiveWatch:
    """A ground station on ``port`` in real time; ``write`` is given each line for people, ``take`` each good packet."""

    def __init__(
        self,
        port: serial.Serial,
        write: Callable[[str], None] = print,
        take: Callable[[Captured], None] = lambda captured: None,
        signer: Signer | None = None,
    ) -> None:
        self._port = port
        self._write = write
        self._captured = take
        self._begin = time.monotonic()
        self._decoder = host.StreamDecoder()
        self._unframed = Unframed(str(port.name))
        self.ground = Ground(self._send, lambda event: write(event_line(event)), self._show)
        self.ground.signer = signer
        self.ground.on_command = lambda command: write(command_line(command))
        self._held: list[str] = []
        self._tail = b""

    def _now_ms(self) -> int:
        return int((time.monotonic() - self._begin) * 1000)

    def _send(self, frame: bytes) -> None:
        try:
            self._port.write(frame)
        except serial.SerialException as error:
            raise TargetDied(f"{self._port.name}: {error}") from None

    def _show(self, tm: host.Decoded) -> None:
        at = f"{duration(self._now_ms() / 1000):>12}  "
        match tm.packet.service:
            case 3:
                self._write(at + housekeeping_line(tm.values))
            case 20:
                self._write(at + parameter_line(tm.values["parameter"], tm.values["value"]))
            case 130:
                self._write(at + session_line(tm.values))

    def command(self, words: str) -> None:
        """Send what a typed line says once a frame has come: a console would take it for keys. Raises UsageError."""
        tc = telecommand(words)
        if self.ground.counts.frames:
            self.ground.command(tc.packet, tc.values, self._now_ms(), words)
        else:
            self._held.append(words)

    def is_done(self) -> bool:
        """Whether each command has its verdict, or none will come: there is nobody."""
        if not self.ground.counts.frames:
            return self._now_ms() > 1000 * HEAR_S
        return all(c.verdict != PENDING for c in self.ground.commands)

    def close(self) -> None:
        """What was never sent is said to be so."""
        self.ground.commands += [Commanded(0, words, NOT_SENT) for words in self._held]

    def listen(self) -> Iterator[None]:
        """Take what comes, a moment at a time, for ever. Raises TargetDied when the port is gone, SetupError
        where what it brings is no frames."""
        while True:
            try:
                data = self._port.read(max(1, self._port.in_waiting))
            except (serial.SerialException, OSError) as error:
                raise TargetDied(f"{self._port.name} is gone: {error}") from None
            good = self.ground.counts.frames
            for frame in self._decoder.feed(data):
                self._take(frame)
            if not self.ground.counts.frames:
                self._tail = (self._tail + data)[-TAIL:]
                if is_console(self._tail):
                    raise SetupError(CONSOLE.format(port=shown(self._port.name)))
            elif self._held:
                held, self._held = self._held, []
                for words in held:
                    self.command(words)
            if words := self._unframed.hear(data, self.ground.counts.frames > good):
                raise SetupError(words)
            self.ground.retry(self._now_ms())
            yield

    def _take(self, frame: host.Frame) -> None:
        if frame.verdict is not host.Verdict.OK:
            self.ground.frame(frame)
            return
        self.ground.counts.frames += 1
        try:
            packet = host.decode(frame.packet)
        except host.Alien as alien:
            self._captured(Captured(self._now_ms() * 1000, "up", frame.packet, None))
            self._write(f"a packet that is not ours: {alien}")
            return
        self._captured(Captured(self._now_ms() * 1000, "up", frame.packet, packet))
        if packet.role == "monitor" and packet.packet.kind == "TM":
            self.ground.telemetry(packet, self._now_ms())


def parameter_line(number: int, value: int) -> str:
    """A parameter's value as its node reports it; a node may know others than we do."""
    known = next((p for p in t.MONITOR_PARAMETERS if p.id == number), None)
    return f"{known.name} = {written(known, value)}" if known else f"parameter {number} = {value}"


def housekeeping_line(hk: dict[str, int]) -> str:
    """A housekeeping report in one line."""
    tres = tres_s(hk)
    damage = hk["bad_crc"] + hk["bad_framing"] + hk["bad_size"]
    link = f"link {hk['frames_ok']} good, {damage} bad, {hk['timeouts']} timeouts"
    alarm = name(t.AlarmClass, hk["alarm"])
    pressure = f"{hk['pressure_cPa'] / 100:,.1f} Pa  {hk['temperature_cK'] / 100:.2f} K"
    if blind := no_data(hk["health"]):
        return f"{blind}  {last_read(hk)}  alarm {alarm if hk['alarm'] else 'none'}  {link}"
    return (
        f"{alarm}  {pressure}  {rate_text(hk['rate_cPa_h'], '+.2f', hk['sigma_cPa_h'])}  "
        f"T-reserve {duration(tres) if tres is not None else 'no leak'}  transducer ok  {link}"
    )


def json_line(captured: Captured) -> None:
    """Print a packet as one JSON object, at once: another program waits for it."""
    print(json.dumps(entry(captured)), flush=True)


def watch(
    port: serial.Serial,
    commands: list[str],
    seconds: float | None,
    interactive: bool,
    jsonl: bool = False,
    signer: Signer | None = None,
) -> Ground:
    """Send ``commands``, then listen: for ``seconds``, or (None) until the commands are answered, or for ever.

    Where ``interactive``, typed lines are commands too; ``jsonl``: packets as JSON in place of lines for people.
    Raises UsageError before anything is sent.
    """
    for words in commands:
        telecommand(words)
    show, take = (lambda line: None, json_line) if jsonl else (print, lambda captured: None)
    station = LiveWatch(port, show, take, signer)
    for words in commands:
        station.command(words)
    lines = typed_lines() if interactive else queue.Queue[str]()
    end = time.monotonic() + seconds if seconds is not None else math.inf
    settled = math.inf
    for _ in station.listen():
        if time.monotonic() > min(end, settled):
            break
        if seconds is None and commands and settled == math.inf and station.is_done():
            settled = time.monotonic() + SETTLE_S
        while not lines.empty():
            words = lines.get()
            if words in ("quit", "q", "exit"):
                end = -math.inf
                break
            if words == "help":
                print("\n".join(manual()))
            elif words:
                try:
                    station.command(words)
                except UsageError as error:
                    print(error)
    station.close()
    return station.ground
