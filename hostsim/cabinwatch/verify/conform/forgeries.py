"""Wrong tags and forged telecommands, each made from a good one by one small change: an attacker's, or a mistake."""

from collections.abc import Callable
from dataclasses import dataclass

from cabinwatch_protocol import keyed, keys
from cabinwatch_protocol import table as t
from cabinwatch_protocol.keyed import Association
from cabinwatch_protocol.keys import MasterKey

OTHER = MasterKey(b"another owner's.")
HALF = keyed.TAG_SIZE // 2


@dataclass(frozen=True, slots=True)
class Signing:
    """What a tag is made of: the key of that use, the node's other one, the octets before it, what is not sent."""

    key: bytes
    other_key: bytes
    signed: bytes
    secret: bytes
    trailer: int
    """Octets of the whole trailer."""

    @property
    def tag(self) -> bytes:
        """The right one."""
        return self.over(self.signed + self.secret)

    @property
    def bare(self) -> bytes:
        """What is signed, without the trailer."""
        return self.signed[: keyed.TAG_SIZE - self.trailer]

    def over(self, octets: bytes) -> bytes:
        """The tag of those octets."""
        return keys.siphash(self.key, octets)

    def text(self) -> str:
        """What is expected, for people."""
        return f"tag {self.tag.hex(' ')} over {self.signed.hex(' ')} and then {self.secret.hex(' ')}, which is not sent"


def unlengthened(s: Signing) -> bytes:
    """The octets with the data length that they had before the trailer came."""
    length = int.from_bytes(s.signed[4:6], "big") - s.trailer
    return s.signed[:4] + length.to_bytes(2, "big") + s.signed[6:]


MISTAKES: dict[str, Callable[[Signing], bytes]] = {
    "with its octets reversed (big-endian)": lambda s: s.tag[::-1],
    "under the node's other key (keys swapped)": lambda s: keys.siphash(s.other_key, s.signed + s.secret),
    "under the key with its halves swapped": lambda s: keys.siphash(
        s.key[8:] + s.key[:8], s.signed + s.secret
    ),
    "without session or challenge": lambda s: s.over(s.signed),
    "with session or challenge first": lambda s: s.over(s.secret + s.signed),
    "for a session or challenge of zeros": lambda s: s.over(s.signed + bytes(keyed.TAG_SIZE)),
    "without the trailer": lambda s: s.over(s.bare + s.secret),
    "of the data length without trailer": lambda s: s.over(unlengthened(s) + s.secret),
}
"""Tags as a programmer makes them by one mistake."""


def mistake_of(s: Signing, tag: bytes) -> str:
    """What is wrong with a tag, where that is known, or ""."""
    return next((f": that is the tag {name}" for name, make in MISTAKES.items() if make(s) == tag), "")


# -- telecommands


@dataclass(frozen=True, slots=True)
class Scene:
    """A good telecommand that nobody has sent yet, and what a forger may have heard before."""

    role: str
    signing: Signing
    accepted: bytes = b""
    """The last accepted telecommand, without PEC."""
    answer_tag: bytes = b""
    """The tag of a sample that the node sent."""

    def tagged(self, tag: bytes) -> bytes:
        """The telecommand with that tag."""
        return self.signing.signed + tag


def swapped(tag: bytes) -> bytes:
    """Two unlike neighbours swapped: neither sum nor parity tells."""
    i = next((i for i in range(len(tag) - 1) if tag[i] != tag[i + 1]), 0)
    return tag[:i] + tag[i + 1 : i + 2] + tag[i : i + 1] + tag[i + 2 :]


def inverted(octets: bytes) -> bytes:
    """Every bit the other way."""
    return bytes(octet ^ 0xFF for octet in octets)


def of_role(s: Scene, owner: MasterKey, role: str) -> bytes:
    """The tag under the command key of that node."""
    return keys.siphash(owner.derived(role, Association.COMMAND), s.signing.signed + s.signing.secret)


TAGS: dict[str, Callable[[Scene], bytes]] = {
    "of zeros": lambda s: bytes(keyed.TAG_SIZE),
    "of ones": lambda s: b"\xff" * keyed.TAG_SIZE,
    "with every bit inverted": lambda s: inverted(s.signing.tag),
    "whose first half is right": lambda s: s.signing.tag[:HALF] + inverted(s.signing.tag[HALF:]),
    "whose second half is right": lambda s: inverted(s.signing.tag[:HALF]) + s.signing.tag[HALF:],
    "with two octets swapped": lambda s: swapped(s.signing.tag),
    "turned by an octet": lambda s: s.signing.tag[1:] + s.signing.tag[:1],
    "that is the session": lambda s: s.signing.secret,
    "of another owner": lambda s: of_role(s, OTHER, s.role),
}
"""Wrong tags that no mistake makes."""


def forged(scene: Scene, theirs: dict[str, bytes]) -> dict[str, bytes]:
    """Each forgery of the scene's telecommand by its name, without PEC; ``theirs``: tags of the owner's other nodes."""
    good = scene.signing
    tags = {name: make(good) for name, make in MISTAKES.items()}
    tags |= {name: make(scene) for name, make in TAGS.items()} | theirs
    if scene.answer_tag:
        tags["of a sample of the node's own"] = scene.answer_tag
    if scene.accepted:
        tags["of the last accepted telecommand"] = scene.accepted[-keyed.TAG_SIZE :]
    made = {f"a tag {name}": scene.tagged(tag) for name, tag in tags.items()}
    if scene.accepted:
        trailer = scene.accepted[-keyed.trailer_size("command") :]
        made["another telecommand behind which the last trailer stands"] = good.bare + trailer
    return made


def altered(head: bytes) -> dict[int, list[bytes]]:
    """A signed telecommand with one bit altered, by the octet.

    Not of packet ID, sequence flags, length, PUS version and message type, which are judged before the trailer, nor of
    the counter, of which KEY-04 speaks first.
    """
    masks = {2: 0x3F, 3: 0xFF, 6: 0x0F} | dict.fromkeys(range(9, len(head)), 0xFF)
    at = len(head) - keyed.trailer_size("command") + 1
    for octet in range(at, at + t.FIELD_SIZES["I"]):
        del masks[octet]
    return {
        octet: [
            head[:octet] + bytes((head[octet] ^ 1 << bit,)) + head[octet + 1 :]
            for bit in range(8)
            if mask >> bit & 1
        ]
        for octet, mask in masks.items()
    }


# -- telecommands without trailer

BARE: dict[str, tuple[str, dict[str, int], int]] = {
    "a valid TC[20,3]": ("set_parameter", {"parameter": 0, "value": 500}, 1),
    "TC[20,3] with value 0": ("set_parameter", {"parameter": 0, "value": 0}, 1),
    "TC[20,3] with a value out of bounds": ("set_parameter", {"parameter": 0, "value": (1 << 31) - 1}, 1),
    "TC[20,3] of an unknown parameter": ("set_parameter", {"parameter": 200, "value": 500}, 1),
    "TC[20,3] with N 0": ("set_parameter", {"parameter": 0, "value": 500}, 0),
    "TC[20,3] with N 2": ("set_parameter", {"parameter": 0, "value": 500}, 2),
    "TC[8,1]": ("perform", {"function": t.Function.RESTART_DETECTOR, "argument": 0}, -1),
    "TC[8,1] with an unknown function": ("perform", {"function": 200, "argument": 0}, -1),
    "TC[3,5]": ("enable_hk", {}, 1),
    "TC[3,5] with N 0": ("enable_hk", {}, 0),
    "TC[3,6]": ("disable_hk", {}, 1),
}
"""By what it is: its name, its values, and N, octet 11, where it has one."""


def with_count(head: bytes, n: int) -> bytes:
    """With that N, or as it is where N is below 0."""
    return head if n < 0 else head[:11] + bytes((n,)) + head[12:]
