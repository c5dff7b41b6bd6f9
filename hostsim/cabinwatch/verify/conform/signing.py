"""What the bench says to a keyed node in its owner's name: it asks for the session, and signs in it."""

from typing import TYPE_CHECKING

from cabinwatch_protocol import host, keyed, keys
from cabinwatch_protocol.keyed import Association
from cabinwatch_protocol.keys import MasterKey

HOLDS_NO_KEY = "it takes no TC[130,1]: it holds no key"

if TYPE_CHECKING:
    from cabinwatch.verify.conform.bench import Bench, Heard


def master(b: "Bench") -> MasterKey:
    """The owner's key: without it no case of a keyed node is picked."""
    assert b.master is not None
    return b.master


def state(b: "Bench") -> "Heard | None":
    """What TC[130,1] draws."""
    head = host.encode_tc(keyed.REPORT_SESSION, b.apid, b.next_count(), ack=0)
    got = b.answers(b.ask(host.seal(head)))
    return got[0] if len(got) == 1 and got[0].title == "TM[130,2]" else None


def signed(b: "Bench", head: bytes) -> bytes:
    """A guarded telecommand without PEC, with the trailer that a ground station would give it now.

    Without one where the node does not tell its session: a case says so.
    """
    told = state(b)
    if told is None:
        return head
    key = master(b).derived(b.role, Association.COMMAND)
    session = told["session"].to_bytes(keyed.TAG_SIZE, "big")
    return keys.sign_command(head, key, told["counter"] + 1, session)


def tell(b: "Bench", name: str, values: dict[str, int]) -> "list[Heard]":
    """Send a guarded telecommand, signed where the node is keyed; all that comes then."""
    head = b.head(name, values)
    return b.ask(host.seal(signed(b, head) if b.master else head))


def reboots_in_ms(b: "Bench") -> int:
    """How long a keyed monitor refuses a reboot yet, by its own clock (KEY-10)."""
    told = state(b)
    return max(0, keyed.EARLY_MS - told.decoded.time_ms) if told and told.decoded else 0
