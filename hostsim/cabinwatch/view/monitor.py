"""Watch a live board with no emulation: what it reports, alarms, link health; and send it telecommands."""

import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator

import serial
from pydantic import ValidationError

from cabinwatch.errors import TargetDied, UsageError
from cabinwatch.models.commands import Telecommand
from cabinwatch.run.result import tres_s
from cabinwatch.text import duration, name
from cabinwatch.view.timeline import event_line
from cabinwatch.world.ground import Ground
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

HELP = (
    "ping | report | acknowledge | inhibit SECONDS | restart_detector | reboot | hk_on | hk_off | "
    "get PARAMETER | set PARAMETER VALUE | quit"
)
LISTEN_S = 3.0
"""How long after its last command a watch that only sends commands goes on listening."""


def telecommand(words: str) -> Telecommand:
    """The telecommand of a typed line. Raises UsageError that says what is understood."""
    verb, *rest = words.split()
    fields: dict[str, object] = {"at": 0, "do": verb}
    try:
        if verb in ("get", "set"):
            fields["parameter"] = rest.pop(0)
        if verb == "set":
            fields["value"] = int(rest.pop(0))
        elif verb == "inhibit":
            fields["argument"] = int(rest.pop(0))
        if rest:
            raise ValueError(f"too many words: {' '.join(rest)}")
        return Telecommand.model_validate(fields)
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UsageError(f"{words!r}: {why}") from None
    except (ValueError, IndexError) as error:
        raise UsageError(f"{words!r} is not understood ({error}); {HELP}") from None


def typed_lines() -> "queue.Queue[str]":
    """Lines of standard input as they come; a thread, since no system waits for a port and a keyboard alike."""
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            lines.put(line.strip())

    threading.Thread(target=read, daemon=True).start()
    return lines


class Watch:
    """A ground station on ``port`` in real time; ``write`` is given each line for people."""

    def __init__(self, port: serial.Serial, write: Callable[[str], None] = print) -> None:
        self._port = port
        self._write = write
        self._begin = time.monotonic()
        self._decoder = host.StreamDecoder()
        self.ground = Ground(self._send, lambda event: write(event_line(event)), self._show)

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
            case 1 if tm.packet.subtype in (2, 8):
                self._write(f"{at}refused: {name(t.Failure, tm.values['failure'])}")
            case 1 if tm.packet.subtype == 7:
                self._write(f"{at}done")
            case 3:
                self._write(at + housekeeping_line(tm.values))
            case 17:
                self._write(f"{at}alive")
            case 20:
                parameter = t.MONITOR_PARAMETERS[tm.values["parameter"]]
                self._write(f"{at}{parameter.name} = {tm.values['value']} {parameter.unit}".rstrip())

    def command(self, words: str) -> None:
        """Send what a typed line says. Raises UsageError."""
        tc = telecommand(words)
        self.ground.command(tc.packet, tc.values, self._now_ms())

    def listen(self) -> Iterator[None]:
        """Take what comes, a moment at a time, for ever. Raises TargetDied when the port is gone."""
        while True:
            try:
                data = self._port.read(max(1, self._port.in_waiting))
            except (serial.SerialException, OSError) as error:
                raise TargetDied(f"{self._port.name} is gone: {error}") from None
            for frame in self._decoder.feed(data):
                self._take(frame)
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
            self._write(f"a packet that is not ours: {alien}")
            return
        if packet.role == "monitor" and packet.packet.kind == "TM":
            self.ground.telemetry(packet, self._now_ms())


def housekeeping_line(hk: dict[str, int]) -> str:
    """A housekeeping report in one line."""
    tres = tres_s(hk)
    damage = hk["bad_crc"] + hk["bad_framing"] + hk["bad_size"]
    return (
        f"{name(t.AlarmClass, hk['alarm'])}  {hk['pressure_cPa'] / 100:,.1f} Pa  {hk['temperature_cK'] / 100:.2f} K  "
        f"{hk['rate_cPa_h'] / 100:+.2f} Pa/h  T-reserve {duration(tres) if tres is not None else 'no leak'}  "
        f"transducer {name(t.Health, hk['health'])}  "
        f"link {hk['frames_ok']} good, {damage} bad, {hk['timeouts']} timeouts"
    )


def watch(port: serial.Serial, commands: list[str], seconds: float | None, interactive: bool) -> Ground:
    """Send ``commands``, then listen: for ``seconds``, or (None) until the commands are answered, or for ever.

    Where ``interactive``, typed lines are commands too. Raises UsageError before anything is sent.
    """
    for words in commands:
        telecommand(words)
    station = Watch(port)
    for words in commands:
        station.command(words)
    lines = typed_lines() if interactive else queue.Queue[str]()
    end = time.monotonic() + seconds if seconds is not None else None
    if end is None and commands and not interactive:
        end = time.monotonic() + LISTEN_S * len(commands)
    for _ in station.listen():
        if end is not None and time.monotonic() > end:
            break
        while not lines.empty():
            words = lines.get()
            if words in ("quit", "q", "exit"):
                return station.ground
            if words:
                try:
                    station.command(words)
                except UsageError as error:
                    print(error)
    return station.ground
