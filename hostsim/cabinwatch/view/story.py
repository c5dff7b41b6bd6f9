"""What a picture is drawn of: the world that holds the truth, and what reached the ground."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cabinwatch.errors import UsageError
from cabinwatch.models.scenario import Scenario
from cabinwatch.run.transcript import Transcript
from cabinwatch.scenario.load import parse
from cabinwatch.text import shown
from cabinwatch.world.events import EventReport
from cabinwatch.world.ground import Ground
from cabinwatch.world.world import World
from cabinwatch_protocol import host


@dataclass(frozen=True)
class Story:
    """What is drawn: the world that holds the truth, and what reached the ground."""

    title: str
    world: World
    history: list[tuple[int, dict[str, int]]]
    events: list[EventReport]
    end_s: float


def from_world(world: World) -> Story:
    """The story of a run just played."""
    return Story(
        world.scenario.title, world, world.ground.history, world.ground.events, max(world.now_ms / 1000, 1.0)
    )


def world_of(transcript: Transcript) -> World:
    """The world of a recording, computed anew from its scenario and seed. Raises UsageError where that cannot be."""
    text, seed = transcript.header.get("toml"), transcript.header.get("seed")
    if not isinstance(text, str) or not isinstance(seed, int):
        raise UsageError(
            "the recording's header does not say what was played: no scenario (toml), or no seed"
        )
    if not transcript.steps:
        raise UsageError("the recording holds no step")
    folder = Path(str(transcript.header.get("scenario", ""))).parent
    scenario: Scenario = parse(text, "the recording's scenario", folder)
    world = World(scenario, seed)
    log = world.station.record
    if log is not None and log.sha256 != transcript.header.get("log_sha256"):
        raise UsageError(f"{shown(log.name)} is not the log of this recording: it has another content")
    return world


def from_transcript(transcript: Transcript) -> Story:
    """The story of a recording: its telemetry decoded, the truth computed anew from scenario and seed."""
    world = world_of(transcript)
    ground = Ground(lambda frame: None)
    decoder = host.StreamDecoder()
    for step in transcript.steps:
        for frame in decoder.feed(step.tx):
            if frame.verdict is host.Verdict.OK and not frame.packet[0] & 0x10:
                with suppress(host.Alien):
                    ground.telemetry(host.decode(frame.packet), step.t_ms)
    end_s = max(1.0, transcript.steps[-1].t_ms / 1000)
    return Story(world.scenario.title, world, ground.history, ground.events, end_s)
