"""The host's side of keyed nodes: derives keys, signs telecommands and answers, and checks answers. See SPEC.md.

SipHash here is on whole 64-bit words, as its authors write it; the device's shares nothing with it.
"""

import hmac
from dataclasses import dataclass, field

from cabinwatch_protocol import keyed
from cabinwatch_protocol import table as t
from cabinwatch_protocol.keyed import Association

WORD = (1 << 64) - 1


def _rotated(word: int, by: int) -> int:
    return (word << by | word >> 64 - by) & WORD


def _round(a: int, b: int, c: int, d: int) -> tuple[int, int, int, int]:
    a, c = a + b & WORD, c + d & WORD
    b, d = _rotated(b, 13) ^ a, _rotated(d, 16) ^ c
    a, c = _rotated(a, 32) + d & WORD, c + b & WORD
    b, d = _rotated(b, 17) ^ c, _rotated(d, 21) ^ a
    return a, b, _rotated(c, 32), d


def siphash(key: bytes, message: bytes) -> bytes:
    """The SipHash-2-4 tag, eight octets, of any message under a key of sixteen."""
    low, high = (int.from_bytes(key[i : i + 8], "little") for i in (0, 8))
    state = (
        low ^ int.from_bytes(b"somepseu"),
        high ^ int.from_bytes(b"dorandom"),
        low ^ int.from_bytes(b"lygenera"),
        high ^ int.from_bytes(b"tedbytes"),
    )
    padded = message + bytes(7 - len(message) % 8) + bytes((len(message) & 255,))
    for i in range(0, len(padded), 8):
        word = int.from_bytes(padded[i : i + 8], "little")
        a, b, c, d = state
        state = _round(*_round(a, b, c, d ^ word))
        a, b, c, d = state
        state = a ^ word, b, c, d
    a, b, c, d = state
    state = a, b, c ^ 0xFF, d
    for _ in range(4):
        state = _round(*state)
    a, b, c, d = state
    return (a ^ b ^ c ^ d).to_bytes(8, "little")


@dataclass(frozen=True)
class MasterKey:
    """The owner's key, from which each node gets its own. Its octets stay out of whatever shows this object."""

    octets: bytes = field(repr=False)

    def derived(self, role: str, use: Association) -> bytes:
        """The key of one node for one use."""
        label = b"cabinwatch" + t.ROLES[role].to_bytes(2, "big") + bytes((use,))
        return hmac.digest(self.octets, label, "sha256")[: keyed.KEY_SIZE]

    def of_monitor(self, unkeyed: frozenset[str] = frozenset()) -> bytes:
        """What a monitor is given: its command key, then each instrument's answer key, zeros for an unkeyed one."""
        answers = (
            bytes(keyed.KEY_SIZE) if role in unkeyed else self.derived(role, Association.ANSWER)
            for role in ("transducer", "analyser")
        )
        return self.derived("monitor", Association.COMMAND) + b"".join(answers)

    def of_instrument(self, role: str) -> bytes:
        """What an instrument is given: its command key, then its answer key."""
        return self.derived(role, Association.COMMAND) + self.derived(role, Association.ANSWER)


def _longer(head: bytes, more: int) -> bytes:
    """A packet without its PEC, its data length grown by a trailer to come."""
    return head[:4] + (int.from_bytes(head[4:6], "big") + more).to_bytes(2, "big") + head[6:]


def sign_command(head: bytes, key: bytes, counter: int, session: bytes) -> bytes:
    """A telecommand without PEC, with its trailer."""
    whole = _longer(head, keyed.trailer_size("command"))
    whole += bytes((Association.COMMAND,)) + counter.to_bytes(4, "big")
    return whole + siphash(key, whole + session)


def add_challenge(head: bytes, challenge: bytes) -> bytes:
    """A poll without PEC, with its trailer."""
    return _longer(head, keyed.trailer_size("poll")) + bytes((Association.ANSWER,)) + challenge


def sign_answer(head: bytes, key: bytes, challenge: bytes) -> bytes:
    """An answer to such a poll without PEC, with its trailer."""
    whole = _longer(head, keyed.trailer_size("answer")) + bytes((Association.ANSWER,))
    return whole + siphash(key, whole + challenge)


def command_holds(packet: bytes, key: bytes, session: bytes) -> bool:
    """Whether a guarded telecommand, PEC included, has a right tag; its counter is not looked at."""
    signed, tag = packet[: -t.PEC - keyed.TAG_SIZE], packet[-t.PEC - keyed.TAG_SIZE : -t.PEC]
    return hmac.compare_digest(siphash(key, signed + session), tag)


def challenge_of(packet: bytes) -> bytes:
    """The challenge in a poll, PEC included; empty where it has none."""
    size = t.TC_MIN + 2 + keyed.trailer_size("poll")
    if len(packet) != size or packet[-t.PEC - keyed.TAG_SIZE - 1] != Association.ANSWER:
        return b""
    return packet[-t.PEC - keyed.TAG_SIZE : -t.PEC]
