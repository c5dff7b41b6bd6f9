"""One run of a campaign: play its world, judge every octet, judge the end."""

from collections.abc import Callable
from dataclasses import dataclass, field

from cabinwatch.errors import SetupError
from cabinwatch.run.lockstep import LockStepRun
from cabinwatch.run.transcript import Step
from cabinwatch.targets import open_target
from cabinwatch.targets.base import Target
from cabinwatch.verify.fuzz.findings import Finding
from cabinwatch.verify.fuzz.reference import Reference, Wrong
from cabinwatch.verify.fuzz.swarm import Plan, draw
from cabinwatch.verify.fuzz.truth import Played, Standing, Stands, judge
from cabinwatch.verify.fuzz.watch import WatchingRecorder
from cabinwatch.world.world import World
from cabinwatch_protocol.table import AlarmState

MakeTarget = Callable[[], Target]
TRACE = 40


@dataclass
class Outcome:
    """What came of one run; ``kind`` is None where nothing is wrong."""

    run: int
    kind: Finding | None = None
    text: str = ""
    steps: int = 0
    simulated_s: float = 0.0
    mode: str = ""
    packets_in: int = 0
    alarms: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    entered: dict[str, int] = field(default_factory=dict)
    """The situations in which the monitor was, and how often."""
    not_judged: list[str] = field(default_factory=list)
    """What the truth was not asked, and why."""
    sha256: str = ""
    trace: list[str] = field(default_factory=list)


class _Timed(WatchingRecorder):
    """A watch that notes in world time when alarms came and went."""

    def __init__(self, world: World) -> None:
        self.judged = Reference()
        super().__init__(TRACE, self.judged)
        self.alarms_ms: list[int] = []
        self.latched: list[tuple[int, int]] = []
        self.standings: list[Standing] = []
        self._world = world

    def add(self, step: Step) -> None:
        reference = self.judged
        was = reference.latched
        super().add(step)
        now_ms = self._world.now_ms
        self.alarms_ms += [now_ms] * (len(reference.alarms) - len(self.alarms_ms))
        if reference.latched != was:
            self.latched.append((now_ms, reference.latched))
        inhibited = reference.cabin.suppressed_until is not None
        blind = reference.blind.state is not AlarmState.NORMAL or reference.blind.suppressed_until is not None
        stands = Stands(reference.boots, inhibited, blind, reference.parameter("stuck_samples"))
        if not self.standings or self.standings[-1].stands != stands:
            self.standings.append(Standing(now_ms, stands))


def play(
    plan: Plan, make_target: MakeTarget, run: int = 0, tick: Callable[[int], None] = lambda now_ms: None
) -> Outcome:
    """Play and judge one plan; ``tick`` is told the world's time. Whatever the firmware raises is of class ``crash``.

    Raises SetupError where what the target needs is not installed.
    """
    outcome = Outcome(run, mode=plan.mode, not_judged=["the end: the run was broken off"])
    world = World(plan.scenario, plan.seed)
    watch = _Timed(world)
    target = make_target()
    drive = LockStepRun(world, target, watch)
    try:
        drive.run(plan.scenario.duration_ms, lambda: tick(world.now_ms))
    except Wrong as wrong:
        outcome.kind, outcome.text = wrong.kind, str(wrong)
    except SetupError:
        raise
    except Exception as error:
        outcome.kind, outcome.text = Finding.CRASH, f"{type(error).__name__}: {error}"
    else:
        found, outcome.not_judged = judge(
            Played(plan.mode, world, watch.judged, watch.alarms_ms, watch.latched, watch.standings)
        )
        if found:
            outcome.kind, outcome.text = found.kind, str(found)
    finally:
        target.close()
    if outcome.kind:
        outcome.text += f" (at {world.now_ms / 1000} s)"
    outcome.steps, outcome.simulated_s, outcome.sha256 = watch.steps, world.now_ms / 1000, watch.sha256
    outcome.packets_in, outcome.alarms = watch.judged.packets_in, len(watch.judged.alarms)
    outcome.faults = _counted(plan, world)
    outcome.entered = {name: n for name, n in watch.judged.entered.items() if n}
    if outcome.kind:
        outcome.trace = [step.line().decode().strip() for step in watch.last]
    return outcome


def _counted(plan: Plan, world: World) -> dict[str, int]:
    """Faults injected by kind: what link faults did, and how many there were of the others."""
    counts = {kind: n for kind, n in world.link_counts().items() if n}
    scenario = plan.scenario
    analyser = scenario.analyser.faults if scenario.analyser else []
    for fault in (*scenario.device.faults, *scenario.sensor.faults, *analyser):
        counts[f"{fault.kind} (node or sensor)"] = counts.get(f"{fault.kind} (node or sensor)", 0) + 1
    if plan.scenario.raw:
        counts["raw telecommand"] = sum(raw.times for raw in plan.scenario.raw)
    return counts


def one(seed: str, run: int, target: str) -> Outcome:
    """Run number ``run`` of the campaign ``seed`` on a target by name; the same outcome in every process."""
    return play(draw(seed, run), lambda: open_target(target), run)
