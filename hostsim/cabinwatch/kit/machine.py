"""`CabinMachine`: a Hypothesis state machine over a whole world, to be subclassed. Needs ``cabinwatch[kit]``.

    class TestMyMonitor(CabinMachine.TestCase):
        settings = settings(stateful_step_count=30, deadline=None)

    class MyMachine(CabinMachine):
        def make_target(self):
            return MyTarget()                # own firmware, as a Target

        def make_transducer(self):
            return TargetNode(MyTransducer())  # own transducer in place of the emulated one

Every octet of the monitor is judged by the reference while rules run (``judges = False`` turns that off for a node that
does more than the protocol asks); invariants are checked after each rule. A failure carries its story as TOML.
"""

import sys
from typing import Any, ClassVar

from hypothesis import strategies as hy
from hypothesis.errors import HypothesisException
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from cabinwatch.kit import strategies as st
from cabinwatch.kit.alarm_trail import AlarmTrail
from cabinwatch.kit.failures import save
from cabinwatch.kit.session import InstrumentNode, Session
from cabinwatch.models.cabin import Repress
from cabinwatch.models.commands import Telecommand
from cabinwatch.models.raw_telecommands import RawTelecommand
from cabinwatch.models.scenario import Scenario
from cabinwatch.targets import open_target
from cabinwatch.targets.base import Target
from cabinwatch.world.cabin.actions import Close, Open, Patch
from cabinwatch_protocol import table as t

SOON = (0.0, 60.0)


class CabinMachine(RuleBasedStateMachine):
    """Two compartments, a hatch between them, a transducer in the first; ``scenario`` and ``seed`` can be set."""

    scenario: ClassVar[dict[str, Any] | Scenario] = {
        "title": "CabinMachine",
        "duration": "1d",
        "cabin": {
            "compartments": {"cabin": {"volume": "80 m3"}, "node": {"volume": "40 m3"}},
            "hatches": {"hatch": {"a": "cabin", "b": "node", "open": True}},
        },
    }
    seed: ClassVar[int] = 1
    judges: ClassVar[bool] = True

    leaks: Bundle[str] = Bundle("leaks")

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(
            self.scenario,
            seed=self.seed,
            target=self.make_target(),
            transducer=self.make_transducer(),
            judge=self.judges,
        )
        self._mass_kg = self.session.world.station.mass_kg(0.0)
        self._let_in = self._torn = False
        self._trail = AlarmTrail()
        self._play(0.0)

    # -- hooks

    def make_target(self) -> Target:
        """The monitor under test; the project's own in this process by default."""
        return open_target("cpython")

    def make_transducer(self) -> InstrumentNode | None:
        """The transducer under test; None = the emulated one."""
        return None

    def _play(self, seconds: float) -> None:
        self.session.play(seconds)

    # -- rules

    @rule(
        seconds=hy.one_of(
            hy.sampled_from((1.0, 0.005, 0.25, 10.0, 60.0)), hy.integers(1, 60_000).map(lambda n: n / 1000)
        )
    )
    def let_time_pass(self, seconds: float) -> None:
        """Time passes."""
        self._play(seconds)

    @rule(target=leaks, size=st.leak_sizes())
    def start_leak(self, size: str) -> str:
        """A hole opens."""
        return self.session.leak(size)

    @rule(leak=consumes(leaks))
    def patch(self, leak: str) -> None:
        """A leak is patched."""
        self.session.do(Patch(leak))

    @rule(name=hy.sampled_from(("open", "close")))
    def move_hatch(self, name: str) -> None:
        """A hatch is moved."""
        hatches = self.session.scenario.cabin.hatches
        if hatches:
            hatch = next(iter(hatches))
            self.session.do(Open(hatch) if name == "open" else Close(hatch))

    @rule(rise=hy.sampled_from((50.0, 500.0)), gas=hy.sampled_from(("N2", "O2", "air")))
    def repress(self, rise: float, gas: str) -> None:
        """Gas is let in."""
        self._let_in = True
        self.session.repress(Repress.model_validate({"rise": rise, "gas": gas}))

    @rule(fault=st.link_faults(within=SOON))
    def link_fault(self, fault: Any) -> None:
        """The link goes wrong, for a minute at most."""
        self.session.link_fault(self._from_now(fault))

    @rule(fault=st.sensor_faults(within=SOON))
    def sensor_fault(self, fault: Any) -> None:
        """The transducer goes wrong, for a minute at most."""
        self.session.sensor_fault(self._from_now(fault))

    @rule(command=st.telecommands(within=SOON))
    def telecommand(self, command: Telecommand) -> None:
        """The ground sends a right telecommand."""
        self.session.command(self._from_now(command))

    @rule()
    def acknowledge(self) -> None:
        """The ground acknowledges the alarm that it has heard of."""
        self.session.command("acknowledge")

    @rule(raw=st.raw_telecommands(within=SOON))
    def raw_telecommand(self, raw: RawTelecommand) -> None:
        """Somebody sends a wrong one."""
        self.session.raw(self._from_now(raw))

    @rule()
    def reset(self) -> None:
        """The monitor is reset."""
        self.session.reset()

    @rule(fault=st.device_faults(within=SOON, kinds=("brown_out",)))
    def brown_out(self, fault: Any) -> None:
        """The supply fails, now or in the next write to storage."""
        self._torn = True
        self.session.brown_out(self._from_now(fault))

    def _from_now(self, event: Any) -> Any:
        now_s = self.session.now_s
        moved = {"at": round(event.at + now_s, 3)}
        if getattr(event, "until", None) is not None:
            moved["until"] = round(event.until + now_s, 3)
        return event.model_copy(update=moved)

    # -- what always holds

    @invariant()
    def report_is_in_range(self) -> None:
        """The last housekeeping has a class, a law and a health that the table knows, and no tank for a cabin."""
        hk = self.session.ground.housekeeping
        if hk:
            assert hk["alarm"] in list(t.AlarmClass)
            assert hk["law"] in list(t.Law)
            assert 0 <= hk["tres_s"] <= t.T_CAP

    @invariant()
    def air_is_not_made(self) -> None:
        """Nothing but a repress brings air: the emulator's own oracle."""
        mass_kg = self.session.world.station.mass_kg(self.session.now_s)
        assert self._let_in or mass_kg <= self._mass_kg * (1 + 1e-9)
        assert mass_kg >= 0
        self._mass_kg = mass_kg

    @invariant()
    def alarms_are_told(self) -> None:
        """A latched alarm has had its event, as far as the monitor sent it: the reference saw every octet."""
        reference = self.session.watch.reference
        if reference is not None and reference.latched:
            assert reference.alarms

    @invariant()
    def alarms_move_as_the_table_says(self) -> None:
        """From event to event; not where a write that was cut short may have taken an alarm back."""
        if not self._torn:
            self._trail.follow(self.session.ground.events)

    def teardown(self) -> None:
        """Free the target. Where a rule or an invariant has failed, of a subclass too: say what happened until then."""
        error = sys.exc_info()[1]
        if isinstance(error, Exception) and not isinstance(error, HypothesisException):
            for title, text in self.session.report():
                error.add_note(f"-- {title}\n{text}")
            name = f"{type(self).__module__}.{type(self).__qualname__}"
            error.add_note(f"-- play it again\n{save(self.session, name)}")
        self.session.close()


__all__ = ["CabinMachine"]
