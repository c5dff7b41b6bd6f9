"""A world that a test plays by hand: let time pass, do things to it, look at truth and report, save the story.

Whatever is done is also written down as the events of a scenario, so that a story made by hand can be saved as a file
and played again on any target.
"""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from cabinwatch.kit import latest
from cabinwatch.models.cabin import Repress, Vehicle
from cabinwatch.models.commands import Telecommand
from cabinwatch.models.leak_tables import Leak
from cabinwatch.models.line_faults import AnyLinkFault
from cabinwatch.models.node_faults import BrownOut
from cabinwatch.models.raw_telecommands import RawTelecommand
from cabinwatch.models.scenario import Scenario
from cabinwatch.models.sensors import SensorFault
from cabinwatch.run.lockstep import LockStepRun
from cabinwatch.run.result import truth_at, unmet
from cabinwatch.run.transcript import Step
from cabinwatch.scenario.toml_out import plain, to_toml
from cabinwatch.targets import is_url, open_target
from cabinwatch.targets.base import Target
from cabinwatch.text import quotable, shown
from cabinwatch.verify.fuzz.reference import Reference
from cabinwatch.verify.fuzz.watch import WatchingRecorder
from cabinwatch.view.panel import state_line
from cabinwatch.view.timeline import event_line
from cabinwatch.world.cabin.actions import Close, LetIn, Open, Patch, StartLeak
from cabinwatch.world.ground import Ground
from cabinwatch.world.keying import Keying
from cabinwatch.world.world import World
from cabinwatch_protocol import host
from cabinwatch_protocol.table import RX_MAX

DEFAULT: dict[str, Any] = {
    "title": "a quiet cabin",
    "duration": "1d",
    "cabin": {"compartments": {"cabin": {"volume": "100 m3"}}},
}
FRAMES = 20
TEST = '''"""{title}: what was done by hand, played again."""

from cabinwatch.kit.session import Session
from cabinwatch.scenario.load import parse

STORY = """\\
{toml}"""


def test_story():
    session = Session(parse(STORY, "STORY"), seed={seed}, target={target!r})
    session.play_all()
    assert session.watch.sha256 == "{sha256}"
    session.close()
'''
VERBS = {Open: "open", Close: "close", Patch: "patch"}


class InstrumentNode(Protocol):
    """An instrument on the link: ``delay_ms`` after a packet for it has come, its frames go out."""

    delay_ms: int

    def answer(self, packet: bytes, t_ms: int) -> bytes:
        """Frames in answer to a packet with a good CRC (PEC included) at t_ms of the world."""
        ...


class TargetNode:
    """Plays a target, e.g. a transducer's firmware, as an instrument of the world."""

    def __init__(self, target: Target, delay_ms: int = 5) -> None:
        self.delay_ms = delay_ms
        self._target = target
        self._last_ms = 0
        target.start()

    def answer(self, packet: bytes, t_ms: int) -> bytes:
        """One step of the target, handed the packet's frame."""
        elapsed_ms, self._last_ms = t_ms - self._last_ms, t_ms
        frame = host.seal(packet[:-2])
        out = b""
        for i in range(0, len(frame), RX_MAX):
            tx, _ = self._target.step(elapsed_ms, frame[i : i + RX_MAX])
            out += tx
            elapsed_ms = 0
        return out


class Session:
    """One world and one target. ``target`` is a name or a Target; ``judge``: raise on the first wrong octet.

    Raises UsageError and SetupError as the command line does; `fuzz.reference.Wrong` names what a monitor did wrong.
    """

    def __init__(
        self,
        scenario: Scenario | dict[str, Any] | None = None,
        *,
        seed: int = 1,
        target: str | Target = "cpython",
        transducer: InstrumentNode | None = None,
        judge: bool = False,
        keying: Keying | None = None,
    ) -> None:
        self.scenario = Scenario.model_validate(scenario or DEFAULT)
        self.seed = seed
        self.keyed = keying is not None
        keying = keying and keying.playing(to_toml(plain(self.scenario)))
        self.world = World(self.scenario, seed, keying=keying)
        if transducer is not None:
            self.world.instruments[0x0A2] = transducer  # type: ignore[assignment]
        if isinstance(target, str) and is_url(target):
            from cabinwatch.targets.port import PortTarget

            self.target: Target = PortTarget(target, self.scenario.link.baud)
        else:
            self.target = open_target(target, keying) if isinstance(target, str) else target
        self.watch = WatchingRecorder(FRAMES, Reference() if judge else None)
        self._drive = LockStepRun(self.world, self.target, self.watch)
        self._started = False
        self._story = plain(self.scenario)
        self.changed = ""
        """What the title of a story says in which something was done."""
        latest.session = self

    # -- time

    @property
    def now_s(self) -> float:
        """World time, s."""
        return self.world.now_ms / 1000

    def play(self, seconds: float, tick: Callable[[], None] = lambda: None) -> None:
        """Let time pass."""
        if not self._started:
            self._started = True
            self._drive.start()
        self._drive.go_on(self.world.now_ms + round(seconds * 1000), tick)

    def play_all(self) -> None:
        """Let the scenario's whole duration pass."""
        self.play(self.scenario.duration - self.now_s)

    # -- what is done, a millisecond from now; each also becomes an event of the story

    @property
    def soon_s(self) -> float:
        """When the next thing is done: a millisecond from now, since this one is over."""
        return (self.world.now_ms + 1) / 1000

    def leak(self, leak: Leak | str) -> str:
        """Start a leak now (a model, or a size such as ``"2 mm"``); returns its name."""
        model = Leak.model_validate({"size": leak}) if isinstance(leak, str) else leak
        name = self._free("leak", "leaks")
        self.world.station.apply(self.soon_s, StartLeak(name, model))
        written = plain(model)
        written["at"] = model.at + self.soon_s
        written["profile"] = [
            {**change, "at": change["at"] + self.soon_s} for change in written.get("profile", [])
        ]
        self._story.setdefault("cabin", {}).setdefault("leaks", {})[name] = written
        return name

    def do(self, action: Open | Close | Patch) -> None:
        """Open or close a hatch or valve, or patch a leak, now."""
        self.world.station.apply(self.soon_s, action)
        name = action.leak if isinstance(action, Patch) else action.name
        self._write("cabin", "actions", {"at": self.soon_s, VERBS[type(action)]: name})

    def repress(self, flow: Repress) -> None:
        """Let gas in from now on."""
        self.world.station.apply(self.soon_s, LetIn(flow))
        name = self._free("repress", "flows")
        written = {**plain(flow), "at": flow.at + self.soon_s}
        self._story["cabin"].setdefault("flows", {})[name] = written

    def dock(self, vehicle: Vehicle) -> str:
        """Have a vehicle come, its times counted from now; returns its name, which is also its hatch's."""
        name = self._free("ship", "vehicles")
        times = {key: getattr(vehicle, key) for key in ("opened", "closed", "undocked")}
        later = {key: at + self.soon_s for key, at in times.items() if at is not None}
        self._story["cabin"].setdefault("vehicles", {})[name] = plain(vehicle.model_copy(update=later))
        self.world.station.rebuild(Scenario.model_validate(self._story).cabin)
        return name

    def link_fault(self, fault: AnyLinkFault) -> None:
        """Put a fault on the line; its window is in world time."""
        fault = self._later(fault)
        self.world.add_link_fault(fault)
        self._write("link", "faults", plain(fault))

    def sensor_fault(self, fault: SensorFault) -> None:
        """Give the transducer a fault; its window is in world time."""
        fault = self._later(fault)
        self.world.add_sensor_fault(fault)
        self._write("sensor", "faults", plain(fault))

    def command(self, do: str | Telecommand, **more: Any) -> None:
        """Have the ground send a telecommand now; words as in a scenario file."""
        command = (
            Telecommand.model_validate({"at": self.soon_s, "do": do, **more})
            if isinstance(do, str)
            else self._later(do)
        )
        self.world.add_telecommand(command)
        self._write(None, "telecommands", plain(command))

    def raw(self, raw: RawTelecommand) -> None:
        """Put raw octets on the line to the monitor, at their time."""
        raw = self._later(raw)
        self.world.add_raw(raw)
        self._write(None, "raw", plain(raw))

    def reset(self) -> None:
        """Reset the monitor now."""
        self.world.at(self.world.now_ms + 1, lambda: self.world.on_reset(), first=True)
        self._write("device", "faults", {"kind": "reset", "at": self.soon_s})

    def brown_out(self, fault: BrownOut) -> None:
        """Let the supply fail at its time, or in the next write after it."""
        fault = self._later(fault)
        self._drive.add_brown_out(fault)
        self._write("device", "faults", plain(fault))

    def _later(self, fault: Any) -> Any:
        """The fault, setting in no sooner than can be."""
        return fault.model_copy(update={"at": max(fault.at, self.soon_s)})

    def _free(self, stem: str, table: str) -> str:
        """The first name with a number that nothing in ``table`` has, in the loaded file or since."""
        taken = self._story.get("cabin", {}).get(table, {})
        return next(name for n in count(1) if (name := f"{stem}-{n}") not in taken)

    def _write(self, table: str | None, key: str, entry: dict[str, Any]) -> None:
        place = self._story if table is None else self._story.setdefault(table, {})
        place.setdefault(key, []).append(entry)

    # -- what is known

    @property
    def ground(self) -> Ground:
        """The ground station: events, last housekeeping, link counts."""
        return self.world.ground

    @property
    def truth(self) -> dict[str, float]:
        """pressure_Pa, rate_Pa_h and tres_s where the transducer sits, now."""
        return truth_at(self.world)

    def story(self) -> Scenario:
        """The scenario with everything that was done, as long as it has been played, without what was to come.

        Where something was done, it is no longer what was published: it claims no sources and no measurements.
        """
        end_s = max(0.001, self.now_s)
        story = _until(self._story, end_s)
        if self._story != plain(self.scenario):
            story = {key: value for key, value in story.items() if key not in ("sources", "measured")}
            story["title"] = story["title"].removesuffix(self.changed) + self.changed
        if end_s < self.scenario.duration:
            story.pop("expect", None)
        return Scenario.model_validate({**story, "duration": end_s})

    @property
    def unmet(self) -> list[str]:
        """What the scenario expects and what has been played so far does not show, a line each."""
        return unmet(self.world, self.scenario.expect)

    @property
    def met(self) -> bool:
        """Whether all that the scenario expects has come to pass; nothing expected is met."""
        return not self.unmet

    def save(self, path: Path) -> str:
        """Write the story to a file; returns the command that plays it again. Raises OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(to_toml(self.story()))
        key = " --key FILE" if self.keyed else ""
        return f"cabinwatch run {path} --seed {self.seed} --target {self.target.name}{key}"

    def as_test(self) -> str:
        """The source of a pytest module that plays the story and asks for the same octets.

        Raises ValueError where the node is keyed: a test holds no key.
        """
        if self.keyed:
            raise ValueError("a keyed node's story is no test: it would have to hold the key")
        return TEST.format(
            title=quotable(shown(self.scenario.title)),
            toml=quotable(to_toml(self.story())),
            seed=self.seed,
            target=self.target.name,
            sha256=self.watch.sha256,
        )

    def report(self) -> list[tuple[str, str]]:
        """What a failed test should show, title and text each."""
        truth = ", ".join(f"{name} {value:.6g}" for name, value in self.truth.items())
        events = "\n".join(event_line(event) for event in self.ground.events[-FRAMES:])
        frames = "\n".join(line for step in self.watch.last for line in decoded(step))
        log = getattr(self.target, "log", lambda: "")()
        return [
            (
                "truth and report",
                f"at {self.now_s} s\ntruth   {truth}\nreport  {state_line(self.world)}\n{self.ground.counts}",
            ),
            ("events", events or "none"),
            ("last frames", frames or "none"),
            ("story", to_toml(self.story())),
            *([("device log", log)] if log else []),
        ]

    def close(self) -> None:
        """Free the target."""
        self.target.close()


def _until(value: Any, end_s: float) -> Any:
    """The data of a scenario without what comes after ``end_s``."""

    def comes(key: Any, item: Any) -> bool:
        at = item.get("at", 0.0) if isinstance(item, dict) else item if key in ("onset", "resets") else 0.0
        return not isinstance(at, (int, float)) or at <= end_s

    if isinstance(value, dict):
        return {
            key: [_until(entry, end_s) for entry in item if comes(key, entry)]
            if isinstance(item, list)
            else _until(item, end_s)
            for key, item in value.items()
            if isinstance(item, list) or comes(key, item)
        }
    return value


def decoded(step: Step) -> list[str]:
    """A step's frames, a line each: when, which way, what."""
    lines = []
    for arrow, data in (("->", step.rx), ("<-", step.tx)):
        for frame in host.StreamDecoder().feed(data):
            text = frame.verdict.value + " " + frame.raw.hex()
            if frame.verdict is host.Verdict.OK:
                try:
                    text = host.decode(frame.packet).text()
                except host.Alien as alien:
                    text = f"{frame.packet.hex()}: {alien}"
            lines.append(f"{step.t_ms / 1000:>12.3f} {arrow} {text}")
    return lines
