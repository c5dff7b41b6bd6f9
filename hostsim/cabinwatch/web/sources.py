"""Where a page's figures come from: a scenario that is played, a recording, a board on a port. One shape for all."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import serial

from cabinwatch.errors import TargetDied, UsageError
from cabinwatch.kit.session import FRAMES, Session, decoded
from cabinwatch.models.commands import Telecommand
from cabinwatch.models.scenario import Scenario
from cabinwatch.run import playback
from cabinwatch.run.result import tres_s
from cabinwatch.run.transcript import Transcript, read
from cabinwatch.scenario.load import load
from cabinwatch.scenario.toml_out import to_toml
from cabinwatch.targets import is_url
from cabinwatch.targets.serial_port import open_port
from cabinwatch.text import name, shown
from cabinwatch.view.export.captured import Captured
from cabinwatch.view.monitor import LiveWatch
from cabinwatch.view.story import world_of
from cabinwatch.world.ground import DONE, Commanded, Ground
from cabinwatch.world.keying import Keying, Signer, signer_of
from cabinwatch.world.world import World
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

REPORTED = {
    "pressure_Pa": "pressure, Pa",
    "rate_Pa_h": "rate, Pa/h",
    "rate_low_Pa_h": "rate less two sigma, Pa/h",
    "rate_high_Pa_h": "rate and two sigma, Pa/h",
    "tres_s": "T-reserve, s",
}
"""What is kept of every housekeeping report."""
TRUE = {
    "true_pressure_Pa": "true pressure, Pa",
    "nitrogen_Pa": "true nitrogen, Pa",
    "true_rate_Pa_h": "true leak, Pa/h",
    "true_tres_s": "true T-reserve, s",
}
"""What is kept of the truth at that moment, where it is known."""
ASSUMED = {"nitrogen_Pa"}
"""What is not known of a cabin of which there is a log of the pressure alone."""
LOOP = {"true_loop_Pa": "true coolant loop, Pa"}
"""Where there are coolant loops: the lowest pressure at an accumulator."""
Row = Callable[[float, list[float]], None]


class Source(Protocol):
    """What an engine plays. ``on_row`` is given (world time in s, the values of its channels) for each report."""

    title: str
    about: str
    """What plays it, in a few words."""
    channels: dict[str, str]
    """What is known of each report: by name, what it is and its unit."""
    ground: Ground
    on_row: Row
    end_s: float

    @property
    def now_s(self) -> float:
        """How far it has been played, s."""
        ...

    def advance(self, seconds: float) -> None:
        """Play on by ``seconds`` of its own time. Raises CabinwatchError where the node is gone."""
        ...

    def command(self, do: str, **more: object) -> None:
        """Have the ground send a telecommand. Raises ValueError for one that there is not."""
        ...

    def frames(self) -> list[str]:
        """The last frames on the link, decoded, a line each."""
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


def reported(hk: dict[str, int]) -> dict[str, float]:
    """A housekeeping report's values of `REPORTED`; what is not there is NaN."""
    tres = tres_s(hk)
    rate, sigma = hk["rate_cPa_h"] / 100, hk["sigma_cPa_h"] / 100
    return {
        "pressure_Pa": hk["pressure_cPa"] / 100 if hk["pressure_cPa"] else math.nan,
        "rate_Pa_h": rate,
        "rate_low_Pa_h": rate - 2 * sigma,
        "rate_high_Pa_h": rate + 2 * sigma,
        "tres_s": math.nan if tres is None else tres,
    }


def channels_of(scenario: Scenario) -> dict[str, str]:
    """What is known of a world that is played."""
    unknown = set() if scenario.cabin.record is None else ASSUMED
    true = {name: what for name, what in TRUE.items() if name not in unknown}
    return REPORTED | true | (LOOP if scenario.cabin.loops else {})


def true_values(world: World, t_s: float) -> dict[str, float]:
    """The truth at t_s where the transducer sits, and of the loops."""
    station, place = world.station, world.compartment
    air = station.at(place, t_s)
    tres = station.tres_s(place, t_s)
    rate_Pa_h = station.leak_rate_Pa_h(place, t_s)
    unknown = station.record is not None and not rate_Pa_h  # what leaked in a log, where nothing was added
    loops = [station.coolant(name, t_s).pressure_Pa for name in world.scenario.cabin.loops]
    return {
        "true_pressure_Pa": air.pressure_Pa,
        "nitrogen_Pa": air.ppN2_Pa,
        "true_rate_Pa_h": math.nan if unknown else rate_Pa_h,
        "true_tres_s": tres if math.isfinite(tres) else math.nan,
        "true_loop_Pa": min(loops, default=math.nan),
    }


def as_row(values: dict[str, float], channels: Iterable[str]) -> list[float]:
    """The values in the order of ``channels``."""
    return [values.get(name, math.nan) for name in channels]


class Played:
    """A scenario on an emulated target, or whatever else `Session` takes; everything done to it becomes its story."""

    def __init__(
        self, scenario: Scenario, *, seed: int = 1, target: str = "cpython", keying: Keying | None = None
    ) -> None:
        self.session = Session(scenario, seed=seed, target=target, keying=keying)
        self.session.changed = ", changed by hand"
        self.title = scenario.title
        self.about = f"firmware on {target}, seed {seed}" + (", keyed" if keying else "")
        self.channels = channels_of(scenario)
        self.ground = self.session.ground
        self.end_s = scenario.duration
        self.on_row: Row = lambda t_s, values: None
        inner = self.ground.on_telemetry

        def heard(tm: host.Decoded) -> None:
            inner(tm)
            if tm.packet.name == "housekeeping":
                now = self.session.now_s
                values = reported(tm.values) | true_values(self.session.world, now)
                self.on_row(now, as_row(values, self.channels))

        self.ground.on_telemetry = heard

    @property
    def now_s(self) -> float:
        return self.session.now_s

    def advance(self, seconds: float) -> None:
        self.session.play(seconds)

    def command(self, do: str, **more: object) -> None:
        self.session.command(do, **more)

    def story(self) -> tuple[str, str]:
        """The TOML of everything that was done so far, and the transcript's hash up to now."""
        return to_toml(self.session.story()), self.session.watch.sha256

    def frames(self) -> list[str]:
        return [line for step in self.session.watch.last for line in decoded(step)]

    def close(self) -> None:
        self.session.close()


class Recorded:
    """A recording, played again from its octets; the truth is computed anew from its scenario and seed."""

    def __init__(self, transcript: Transcript) -> None:
        self.world = world_of(transcript)
        self.title = self.world.scenario.title
        self.about = "a recording"
        self.channels = channels_of(self.world.scenario)
        self.ground = Ground(lambda frame: None)
        self.on_row: Row = lambda t_s, values: None
        self._steps = transcript.steps
        self._next = 0
        self._decoder, self._uplink = host.StreamDecoder(), host.StreamDecoder()
        self._asked: dict[int, Commanded] = {}
        """Telecommands of the recording by sequence count."""
        self.now_s = 0.0
        self.end_s = transcript.steps[-1].t_ms / 1000

    def advance(self, seconds: float) -> None:
        self.now_s = min(self.end_s, self.now_s + seconds)
        while self._next < len(self._steps) and self._steps[self._next].t_ms <= self.now_s * 1000:
            step = self._steps[self._next]
            self._next += 1
            for frame in self._uplink.feed(step.rx):
                self._overheard(frame, step.t_ms)
            for frame in self._decoder.feed(step.tx):
                self._heard(frame, step.t_ms)

    def _heard(self, frame: host.Frame, t_ms: int) -> None:
        if frame.verdict is not host.Verdict.OK:
            self.ground.frame(frame)
            return
        self.ground.counts.frames += 1
        if not frame.packet[0] & 0x10:
            with suppress(host.Alien):
                self._told(host.decode(frame.packet), t_ms)

    def _overheard(self, frame: host.Frame, t_ms: int) -> None:
        """Note what a ground station asked of the monitor; the same once more is a repetition."""
        if frame.verdict is not host.Verdict.OK:
            return
        with suppress(host.Alien):
            tc = host.decode(frame.packet)
            if tc.packet.kind == "TC" and tc.role == "monitor" and tc.sequence not in self._asked:
                asked = Commanded(t_ms, tc.text().split(" ", 2)[2].strip())
                self._asked[tc.sequence] = asked
                self.ground.commands.append(asked)

    def _verified(self, tm: host.Decoded) -> None:
        asked = self._asked.get(tm.values["request_sequence"] & 0x3FFF)
        if asked and "failure" in tm.values:
            asked.verdict = f"refused: {name(t.Failure, tm.values['failure'])}"
        elif asked and tm.packet.name == "completed":
            asked.verdict = DONE

    def _told(self, tm: host.Decoded, t_ms: int) -> None:
        self.ground.telemetry(tm, t_ms)
        if tm.packet.service == 1 and tm.role == "monitor":
            self._verified(tm)
        if tm.packet.name == "housekeeping":
            values = reported(tm.values) | true_values(self.world, t_ms / 1000)
            self.on_row(t_ms / 1000, as_row(values, self.channels))

    def frames(self) -> list[str]:
        return [
            line for step in self._steps[max(0, self._next - FRAMES) : self._next] for line in decoded(step)
        ]

    def command(self, do: str, **more: object) -> None:
        raise ValueError("a recording takes no telecommands")

    def close(self) -> None:
        """Nothing to free."""


class Board:
    """A board on a port, in real time; what its cabin really is nobody knows."""

    def __init__(self, port: serial.Serial, url: str, signer: Signer | None = None) -> None:
        self.title = url
        self.about = "a board, in real time"
        self.channels = REPORTED
        self.on_row: Row = lambda t_s, values: None
        self.end_s = math.inf
        self._port = port
        self._last: deque[Captured] = deque(maxlen=FRAMES)
        self._watch = LiveWatch(port, lambda line: None, self._last.append, signer)
        self._heard = self._watch.listen()
        self._begun = time.monotonic()
        self.ground = self._watch.ground
        self._reports = 0

    @property
    def now_s(self) -> float:
        return time.monotonic() - self._begun

    def advance(self, seconds: float) -> None:
        try:
            next(self._heard)
        except StopIteration:
            raise TargetDied(f"{self.title} is gone") from None
        for t_ms, hk in self.ground.history[self._reports :]:
            self.on_row(t_ms / 1000, as_row(reported(hk), self.channels))
        self._reports = len(self.ground.history)

    def command(self, do: str, **more: object) -> None:
        command = Telecommand.model_validate({"at": 0, "do": do, **more})
        self.ground.command(command.packet, command.values, round(self.now_s * 1000), command.words)

    def frames(self) -> list[str]:
        return [
            f"{one.t_us / 1e6:>12.3f} <- {one.decoded.text() if one.decoded else one.packet.hex()}"
            for one in self._last
        ]

    def close(self) -> None:
        self._port.close()


def open_source(
    what: str,
    *,
    target: str,
    seed: int,
    baud: int = 115_200,
    log: dict[str, str] | None = None,
    keying: Keying | None = None,
) -> Source:
    """What a person named: a bundled scenario, a file, a recording (.jsonl), a log (.csv), a port.

    ``log``: the columns of a log, as `RecordModel` calls them. ``keying``: of a scenario's node, or of the board's
    owner, for whom the ground signs. Raises CabinwatchError.
    """
    suffix = Path(what).suffix
    if suffix == ".csv":
        if log is None:
            raise UsageError(f"{shown(what)}: a log needs --time COLUMN, --pressure COLUMN and --unit UNIT")
        return Played(
            playback.scenario(playback.Wish(playback.log_model(file=what, **log))),
            seed=seed,
            target=target,
            keying=keying,
        )
    if suffix == ".jsonl":
        if keying:
            raise UsageError(f"{shown(what)} is shown as it is: a recording needs no --key")
        return Recorded(read(Path(what)))
    if is_url(what) and suffix != ".toml":
        return Board(open_port(what, baud), what, signer_of(keying.master) if keying else None)
    return Played(load(what)[0], seed=seed, target=target, keying=keying)
