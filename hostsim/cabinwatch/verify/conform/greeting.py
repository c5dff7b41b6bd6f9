"""The first words with a live node: find out what is wrong with it before any case meets it, and how to go on.

A node whose first frame is wrong would fail every case by silence. Here each of the commonest first mistakes gets its
sentence and its requirement.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from cabinwatch.errors import CabinwatchError, SetupError
from cabinwatch.verify.conform.bench import Gone, Heard
from cabinwatch.verify.conform.dialect import LENGTHS, RIGHT, UTF8, Dialect, Mistake, checks, unreadable
from cabinwatch.verify.conform.line import ExecProgram

if TYPE_CHECKING:
    from cabinwatch.verify.conform.live import LiveBench

SPECIAL = frozenset((0x03, 0x04, 0x0A, 0x0D, 0x13, 0x1A, 0x1C, 0x7F))
"""What consoles and text streams take for themselves: Ctrl-C, -D, -Z and -backslash, line ends, XOFF, delete."""
MEANING = {0x03: " (Ctrl-C)", 0x04: " (Ctrl-D)", 0x0A: " (line end)", 0x0D: " (line end)", 0x13: " (XOFF)"}
PATIENCE_S = 5.0
TRY_S = 1.0
APART_S = 0.05
"""Between two guesses: a node may lose bursts besides."""
AFRESH = 0xFE5D
"""Source ID of a ping whose answer is none to an earlier one."""
GUESS = 0x5B40
"""Source ID of the first guess; those that follow are not SPECIAL either."""
BURST = (0x5A01, 0x5A02, 0x5A05)
"""Source IDs of pings back to back: as many as FRM-14 speaks of."""
ALIVE = "TM[17,2] to a ping"
NO_SERVICE_17 = (
    "TC[3,27] answered and no ping: octet 11 (XON), its service, is lost, or there is no service 17"
)
ALIKE = "an answer only where the telecommand has the same mistake as its own frames"


class Speechless(CabinwatchError):
    """A node, by its frames, but no conversation is possible: its mistakes are the result."""


def greet(b: "LiveBench") -> None:
    """Get the node to answer a ping. Raises SetupError where it is no node, Speechless where it is one that cannot."""
    b.learning = True
    try:
        b.hear_first()
        try:
            if b.alive(PATIENCE_S if b.dialect in (None, RIGHT) else TRY_S):
                return
            tries = [_speak_alike, _one_version_back, _line_ends, _as_text, *([] if b.met else [_guess])]
        except Gone as gone:
            if not b.met and "codec can't decode" not in str(gone):
                raise
            b.mistakes.append(Mistake("TST-01", ALIVE, str(gone)))
            b.reopen()
            b.hear_first()
            tries = [_as_text]
        _try(b, tries)
    finally:
        b.learning = False


def _try(b: "LiveBench", tries: Sequence[Callable[["LiveBench"], Mistake | None]]) -> None:
    """Speak in other ways. Raises SetupError, Speechless, or what is left of a node that does not bear it."""
    for attempt in tries:
        try:
            mistake = attempt(b)
        except Gone:
            b.speech, b.line_ends = None, False
            b.reopen()
            b.hear_first()
            continue
        if mistake:
            if not _only_slow(b):
                b.mistakes.append(mistake)
            return
    _give_up(b, b.raw)


def _only_slow(b: "LiveBench") -> bool:
    """Whether the node answers a right ping by now: then what was taken for its mistake was a slow start."""
    spoken, b.speech, b.line_ends = (b.speech, b.line_ends), None, False
    if b.alive(TRY_S, AFRESH):
        return True
    b.speech, b.line_ends = spoken
    return False


def _speak_alike(b: "LiveBench") -> Mistake | None:
    """A node that reads as it writes: its own mistake in telecommands, too."""
    if b.dialect in (None, RIGHT):
        return None
    b.speech = b.dialect
    assert b.speech
    if not b.alive(TRY_S):
        b.speech = None
        return None
    odd = b.speech
    wrong = "LNK-02" if odd.transport else "FRM-11" if odd.check != RIGHT.check else ""
    wrong = wrong or ("FRM-10" if odd.length else "VER-08")
    return Mistake(wrong, ALIVE, ALIKE)


def _one_version_back(b: "LiveBench") -> Mistake | None:
    """A node that knows only PUS version 1."""
    b.speech = Dialect(pus_version=1)
    if b.alive(TRY_S):
        return Mistake("VER-08", ALIVE, "an answer to a ping of PUS version 1 only")
    b.speech = None
    return None


def _line_ends(b: "LiveBench") -> Mistake | None:
    """A node that reads its input line by line."""
    b.line_ends = True
    if b.alive(TRY_S):
        return Mistake("FRM-02", ALIVE, "an answer only where 0A follows: the input is read line by line")
    b.line_ends = False
    return None


def _as_text(b: "LiveBench") -> Mistake | None:
    """A node that reads its input as UTF-8 text."""
    b.speech = Dialect(UTF8)
    if b.alive(TRY_S):
        return Mistake("LNK-02", ALIVE, "an answer only to octets in UTF-8: the input is read as text")
    b.speech = None
    return None


def _guess(b: "LiveBench") -> Mistake | None:
    """A node that has said nothing yet, and takes telecommands with a common mistake only: its answer tells which."""
    plain = [Dialect(check=c) for c in checks() if bool(c.name) + bool(c.part) + c.swapped == 1]
    ways = [*plain, *(Dialect(length=length) for length in LENGTHS if length)]
    for i, b.speech in enumerate(ways):
        b.send(b.plain_ping(GUESS + i))
        time.sleep(APART_S)
    b.speech = None
    end = time.monotonic() + TRY_S
    while time.monotonic() < end:
        for heard in b.listen(0.02):
            way = int.from_bytes(heard.packet[11:13], "big") - GUESS
            if heard.title == "TM[17,2]" and 0 <= way < len(ways):
                b.speech = ways[way]
                return Mistake("FRM-10" if b.speech.length else "FRM-11", ALIVE, ALIKE)
    return None


def _give_up(b: "LiveBench", heard: bytes) -> None:
    """Say why there is no conversation."""
    own = [h for h in b.met if h.decoded and h.decoded.role == b.role]
    if refusals := [h for h in own if h.title == "TM[1,2]"]:
        b.mistakes.append(Mistake("VER-08", ALIVE, f"a right ping refused: {refusals[0].text()}"))
    elif _takes_reports(b):
        b.mistakes.append(Mistake("LNK-02", "every octet as it is", NO_SERVICE_17))
    elif own or b.mistakes:
        b.mistakes.append(
            Mistake(
                "TST-01",
                ALIVE,
                f"no answer to {b.plain_ping(1).hex(' ')}, as octets, as a line or as text; "
                "look at what the node reads, its check of the CRC and the APID it takes",
            )
        )
    elif others := [h.decoded.role for h in b.met if h.decoded]:
        other = others[0]
        raise SetupError(f"{b.line.name} is a {other} by its APID, not a {b.role}; see --role")
    elif mistake := unreadable(heard, b.apid):
        b.mistakes.append(mistake)
    elif not heard and isinstance(b.line, ExecProgram) and (held := _held_back(b)):
        b.mistakes.append(
            Mistake(
                "RST-01", "a boot event at once", f"{len(held)} octets when its input ended: flush the output"
            )
        )
    else:
        raise SetupError(_mute(b, heard))
    raise Speechless(f"{b.line.name} answers no ping")


def _takes_reports(b: "LiveBench") -> bool:
    """Whether the node answers TC[3,27]: no 11 is in it, which a line that knows XON takes for itself."""
    with suppress(Gone):
        b.send(b.tc("report_hk", ack=0))
        end = time.monotonic() + TRY_S
        while time.monotonic() < end:
            if any(h.title == "TM[3,25]" for h in b.listen(0.02)):
                return True
    return False


def _held_back(b: "LiveBench") -> bytes:
    """What a program says only when its input ends."""
    assert isinstance(b.line, ExecProgram)
    b.line.end_input()
    held = b""
    end = time.monotonic() + TRY_S
    try:
        while time.monotonic() < end:
            held += b.line.read(0.1)
    except Gone:
        pass
    return held


def _mute(b: "LiveBench", heard: bytes) -> str:
    if not heard:
        return f"nothing came from {b.line.name}: is the node running there, and is its role {b.role}?"
    return (
        f"{len(heard)} octets came from {b.line.name}, no answer to a ping of APID {b.apid:03x} among them "
        f"(first: {heard[:24].hex(' ')}). Another role, another baud rate, or no such node?"
    )


# -- a node that answers


def probe(b: "LiveBench") -> None:
    """Try the octets that consoles take for themselves, and two frames in one go."""
    for octet in sorted(SPECIAL):
        if mistake := _octet(b, octet):
            b.mistakes.append(mistake)
    if mistake := _burst(b):
        b.mistakes.append(mistake)


def _octet(b: "LiveBench", octet: int) -> Mistake | None:
    """A ping whose source ID holds the octet; a second look where it fails."""
    wait_s = max(0.5, 5 * b.rtt_s)
    what = f"octet {octet:02x}{MEANING.get(octet, '')}"
    try:
        if b.alive(wait_s, octet << 8 | octet):
            return None
        if b.alive(PATIENCE_S):
            if b.alive(PATIENCE_S, octet << 8 | octet):
                return None
            return Mistake("LNK-02", "every octet as it is", f"{what} lost or changed on its way to the node")
        why = "no answer to anything since"
    except Gone as gone:
        why = str(gone)
    if isinstance(b.line, ExecProgram):
        b.reopen()
        b.hear_first()
    return Mistake("LNK-02", "every octet as it is", f"{what} stops the node: {why}")


def _burst(b: "LiveBench") -> Mistake | None:
    """Three pings in one write: FRM-14 asks for as much, and the bench's own telecommand follows each question."""
    for _ in range(2):
        b.send(b"".join(b.plain_ping(source) for source in BURST))
        heard: list[Heard] = []
        end = time.monotonic() + max(0.5, 10 * b.rtt_s)
        while time.monotonic() < end:
            heard += b.listen(0.02)
            came = [h.packet[11:13] for h in heard if h.title == "TM[17,2]"]
            if all(source.to_bytes(2, "big") in came for source in BURST):
                return None
    b.one_by_one = True
    names = ("the first", "the second", "the third")
    which = [n for n, source in zip(names, BURST, strict=True) if source.to_bytes(2, "big") in came]
    what = f"only {' and '.join(which)} answered" if which else "none answered"
    return Mistake("FRM-14", "answers to three pings, 48 octets, back to back", f"{what}: bursts are lost")
