"""What a case is, and the list of all of them."""

from collections.abc import Callable
from dataclasses import dataclass

from cabinwatch.verify.conform.bench import Bench, Heard, Unmet, texts
from cabinwatch.verify.conform.requirements import ROLES, Requirement, requirements
from cabinwatch_protocol import table as t

Run = Callable[[Bench], None]


@dataclass(frozen=True, slots=True)
class Case:
    """One case: ``id`` is the requirement's and a word; ``roles`` it applies to; ``run`` raises Unmet or Impossible."""

    id: str
    also: tuple[str, ...]
    roles: tuple[str, ...]
    text: str
    run: Run
    beside: bool = False
    """Whether it takes long, and so begins first where several nodes can be judged side by side."""

    @property
    def requirement(self) -> Requirement:
        """The requirement that it judges."""
        return requirements()[self.id.split("/")[0]]

    @property
    def must(self) -> bool:
        """Whether failing it is non-conformance (shall), or a recommendation not followed (should)."""
        return self.requirement.must


CASES: list[Case] = []
UNTESTED = {
    "LNK-01": "below the octets that a bench sees; with another setting nothing at all is understood",
    "GND-01": "binds the ground station, not the node under test",
    "GND-02": "binds the peer, not the node under test",
    "GND-03": "binds the ground station, not the node under test",
    "PAR-09": "no telecommand breaks a write to storage off; the firmware's is tested at every octet",
    "EVT-03": "no telecommand makes storage fail; the firmware's is tested with its port",
    "XDR-05": "no telecommand changes what a sensor measures; ours are tested with their sensors",
}
"""Requirements that no case can judge, and why."""


def case(name: str, *also: str, role: str = "", beside: bool = False) -> Callable[[Run], Run]:
    """Register a case; its text is the docstring. ``role`` narrows a requirement of every role to one."""

    def register(run: Run) -> Run:
        wanted = role or requirements()[name.split("/")[0]].role
        roles = ROLES if wanted == "any" else (wanted,)
        CASES.append(Case(name, also, roles, " ".join((run.__doc__ or "").split()), run, beside))
        return run

    return register


def expect(met: bool, expected: str, got: object, timing: bool = False) -> None:
    """Raise Unmet unless ``met``."""
    if not met:
        heard = isinstance(got, list) and all(isinstance(h, Heard) for h in got)
        raise Unmet(expected, texts(got) if heard and isinstance(got, list) else str(got), timing)


def expect_titles(got: list[Heard], *titles: str, after: str = "") -> None:
    """Exactly these message types in this order."""
    found = tuple(h.title for h in got)
    expect(found == titles, (", ".join(titles) or "no answer") + (f" to {after}" if after else ""), got)


def expect_silence(b: Bench, octets: bytes, what: str) -> None:
    """The node answers nothing to the octets, and still answers a ping afterwards."""
    expect_titles(b.answers(b.ask(octets)), after=what)
    expect_alive(b, what)


def expect_alive(b: Bench, after: str) -> None:
    """The node answers a ping."""
    got = b.command("ping", ack=0)
    expect_titles(got, "TM[17,2]", after=f"a ping after {after}")


def failure(got: list[Heard], title: str, code: int, what: str) -> None:
    """The answer is this report with this failure code, after TM[1,1] or not."""
    last = got[-1:]
    met = bool(last) and last[0].title == title and last[0]["failure"] == code
    met = met and all(h.title == "TM[1,1]" for h in got[:-1])
    expect(met, f"{title} with failure code {code} to {what}", got)


def boot_event(heard: list[Heard], cause: int | None) -> None:
    """The first packet is the boot event, of this cause if one is given."""
    first = heard[0] if heard else None
    met = first is not None and first.title == "TM[5,1]" and first["event"] == t.Event.BOOT
    met = (
        met
        and first is not None
        and (first["cause"] in range(4) if cause is None else first["cause"] == cause)
    )
    expect(met, "TM[5,1] boot first" + ("" if cause is None else f", with cause {cause}"), heard)
