"""Seeded sequences of good, damaged and odd frames for any node, judged by our own node of that role beside it.

``conform --fuzz N`` draws them, shrinks the first that the two answer differently to the shortest that still is, and
writes it to a file that ``conform --play`` repeats. Only what the specification settles is compared: no time, no
measured value, and of a monitor nothing that its detector or the passing of real time decides.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from cobs import cobs

from cabinwatch.errors import UsageError
from cabinwatch.verify.conform.bench import TC, Bench, Gone, Heard, Unmet, texts
from cabinwatch.verify.conform.cases_frames import framed, sealed
from cabinwatch.verify.conform.cases_monitor import set_all
from cabinwatch.verify.conform.requirements import SPEC_VERSION, requirements
from cabinwatch.verify.conform.tour import commands
from cabinwatch_protocol import table as t

FORMAT = "cabinwatch-conform-play-1"
STEPS = 14
"""Most frames in a sequence: enough for one to leave something behind that another meets."""
BY_CLOCK = {
    p.id
    for p in t.MONITOR_PARAMETERS
    if p.name in ("poll_period", "reply_timeout", "poll_retries", "hk_period", "stuck_samples")
}
"""Parameters of a monitor whose effect depends on how much time passes."""
PERFORM, SET = (bytes((TC[name].service, TC[name].subtype)) for name in ("perform", "set_parameter"))
LONG_S = 1000
"""An inhibit that outlasts any sequence."""
ASKED = ("ping", "report_hk", "report_parameter", "set_parameter", "perform", "enable_hk", "disable_hk")
"""Telecommands whose answers neither the detector nor the passing of time decides."""
SETTLED = {
    "housekeeping": {"sid", "health", "flags", "pressure_cPa", "temperature_cK"}
    | {"bad_crc", "bad_framing", "bad_size", "rejected"},
    "sample": {"sid"},
}
"""Fields of reports that the specification settles."""
FLAGS = t.Flag.INHIBITED | t.Flag.PERIODIC_HK


@dataclass(frozen=True, slots=True)
class Step:
    """Octets for the node, in chunks of that size (0: as they are), and the requirement that they try."""

    requirement: str
    octets: bytes
    chunk: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """The step to which the node does not answer as ours does."""

    step: int
    requirement: str
    expected: str
    got: str


# -- drawing


def _source(r: Random) -> int:
    return r.choice((1, 1, 0, 0xA1, 0xFFFF, r.randrange(0x10000)))


def _values(r: Random, role: str, name: str) -> dict[str, int]:
    own = t.PARAMETERS[role]
    number = r.choice((0, len(own) - 1, len(own), 255, r.randrange(len(own))))
    value = r.choice((0, -(1 << 31), (1 << 31) - 1, r.randrange(-(1 << 31), 1 << 31)))
    if number < len(own):
        p = own[number]
        inside = not (role == "monitor" and number in BY_CLOCK)
        value = r.choice((p.low - 1, p.high + 1, *((p.low, p.high, p.default) if inside else ())))
    function = r.choice((0, t.Function.RESTART_DETECTOR, t.Function.INHIBIT, t.Function.DEFAULTS, 6, 255))
    argument = r.choice(
        (0, LONG_S, 7200, 7201, 0xFFFF) if function == t.Function.INHIBIT else (0, 0, 1, 0xFFFF)
    )
    if function == t.Function.DEFAULTS and argument == 0:
        function = t.Function.RESTART_DETECTOR  # the timers' defaults would begin to poll
    return {"parameter": number, "value": value, "function": function, "argument": argument}


def _head(r: Random, b: Bench) -> bytes:
    """A telecommand that the role takes, with values in and out of bounds."""
    name = r.choice([name for name in commands(b.role) if name in ASKED])
    count = r.choice((None, None, None, b.count, r.randrange(0x4000)))
    return b.head(name, _values(r, b.role, name), r.randrange(16), count, _source(r))


def good(r: Random, b: Bench) -> bytes:
    """A telecommand, once or twice, with spare or shared delimiters."""
    frame = framed(sealed(_head(r, b)))
    return r.choice((frame, frame, frame + frame[1:], b"\0\0" + frame, frame[1:]))


def odd(r: Random, b: Bench) -> bytes:
    """A telecommand that is not to be accepted: version, service, subtype, length or entries."""
    head = bytearray(_head(r, b))
    at = r.choice((6, 7, 8, 11, 12))
    if at < len(head) and r.random() < 0.6:
        head[at] = r.choice((0, 1, 2, 0x10, 0x29, 0x39, 255, head[at] ^ 1 << r.randrange(8)))
        _tame(head, b.role)
    else:
        head += bytes(r.randrange(256) for _ in range(r.randrange(1, 30)))
        head[4:6] = (len(head) + t.PEC - 7).to_bytes(2, "big")
    return framed(sealed(bytes(head)))


def _tame(head: bytearray, role: str) -> None:
    """No reboot, no acknowledgement, no timer by accident: what they do depends on more than the sequence."""
    if bytes(head[7:9]) == PERFORM and head[11] in (
        t.Function.ACKNOWLEDGE,
        t.Function.REBOOT,
        t.Function.DEFAULTS,
    ):
        head[11] = 99
    if role == "monitor" and bytes(head[7:9]) == SET and head[12] in BY_CLOCK:
        head[12] = 255


def other(r: Random, b: Bench) -> bytes:
    """A good packet that is not for the node: another APID, version, type or sequence flags."""
    head = bytearray(_head(r, b))
    at, bit = r.choice(((0, r.randrange(3, 8)), (1, r.randrange(8)), (2, r.choice((6, 7)))))
    head[at] ^= 1 << bit
    return framed(sealed(bytes(head)))


def damaged(r: Random, b: Bench) -> bytes:
    """A frame with flipped bits, cut, with octets more or less, merged with another, too long, or noise."""
    stuffed = bytearray(cobs.encode(sealed(_head(r, b))))
    kind = r.randrange(7)
    if kind == 0:
        stuffed[r.randrange(len(stuffed))] ^= 1 << r.randrange(8)
    elif kind == 1:
        del stuffed[r.randrange(1, len(stuffed)) :]
    elif kind == 2:
        del stuffed[r.randrange(len(stuffed))]
    elif kind == 3:
        stuffed.insert(r.randrange(len(stuffed) + 1), r.randrange(1, 256))
    elif kind == 4:
        stuffed += cobs.encode(sealed(_head(r, b)))
    elif kind == 5:
        stuffed[:0] = b"\x55" * r.choice((49, 62, 64, 113, 128, 241, 256))
    else:
        stuffed = bytearray(r.randrange(256) for _ in range(r.randrange(1, 100)))
    return b"\0" + bytes(stuffed) + b"\0"


def sample(r: Random, b: Bench) -> bytes:
    """A sample for a monitor, a little odd now and then, later than the last."""
    b.drawn_ms += r.choice((0, 1000, 1000, 1000, 60_000))
    status = r.choice((0, 0, 0, 1, 3))
    pressure = r.choice((10_132_500, 10_132_501, 0, 16_000_001, 0xFFFFFFFF))
    return b.sample_frame(b.drawn_ms, pressure, r.choice((29_515, 29_516, 9_999, 0)), status)


Draw = Callable[[Random, Bench], bytes]
KINDS: dict[str, tuple[tuple[str, Draw, int], ...]] = {
    "transducer": (("VER-07", good, 5), ("VER-08", odd, 2), ("PKT-03", other, 1), ("FRM-12", damaged, 3)),
    "monitor": (
        ("VER-07", good, 5),
        ("VER-08", odd, 2),
        ("PKT-03", other, 1),
        ("FRM-12", damaged, 3),
        ("SEN-05", sample, 3),
    ),
}
"""What is drawn for a role, each with the requirement that it tries and how often it comes."""


def draw(seed: int, number: int, b: Bench) -> list[Step]:
    """The sequence of that number."""
    r = Random(f"{seed} {number}")
    b.drawn_ms = b.sample_count = b.count = 0
    kinds = KINDS[b.role]
    steps = []
    for _ in range(r.randrange(2, STEPS + 1)):
        requirement, make, _weight = r.choices(kinds, [k[2] for k in kinds])[0]
        steps.append(Step(requirement, make(r, b), r.choice((0, 0, 0, 1, 7))))
    # What it all came to: the parameters and the report.
    steps.append(
        Step("PAR-03", b.tc("report_parameter", {"parameter": r.randrange(len(t.PARAMETERS[b.role]))}))
    )
    steps.append(Step("HKP-01", b.tc("report_hk")))
    return steps


# -- judging


def digest(heard: list[Heard]) -> list[tuple[object, ...]]:
    """What the specification settles of answers, in order."""
    found: list[tuple[object, ...]] = []
    for h in heard:
        if h.decoded is None:
            found.append((h.text(),))
            continue
        d = h.decoded
        values = {n: v for n, v in d.values.items() if n in SETTLED.get(h.name, d.values)}
        if "flags" in values:
            values["flags"] &= FLAGS
        found.append((h.title, d.peer, tuple(sorted(values.items()))))
    return found


def _settle(b: Bench) -> None:
    """A monitor that neither polls nor reports by itself: what remains is what it is sent."""
    b.begin()
    if b.role == "monitor":
        quiet = {"poll_retries": 0, "reply_timeout": 20, "poll_period": 3_600_000, "hk_period": t.DAY_MS}
        set_all(b, **quiet, stuck_samples=0)
        b.run(1000)


def compare(b: Bench, ours: Bench, steps: list[Step]) -> Difference | None:
    """Give both nodes the same, from a fresh start; the first answer that differs, or how the node ends."""
    _settle(b)
    _settle(ours)
    for number, step in enumerate(steps):
        # The last delimiter ends what damage left open; the bench's own telecommand behind it is no repetition.
        expected = ours.answers(ours.ask(step.octets + b"\0", step.chunk))
        try:
            got = b.answers(b.ask(step.octets + b"\0", step.chunk, fence=False))
        except Unmet as unmet:
            return Difference(number, step.requirement, unmet.expected, unmet.got)
        except Gone as gone:
            b.close()
            b.start()
            return Difference(number, step.requirement, "a node that goes on", str(gone))
        if digest(got) != digest(expected):
            return Difference(number, step.requirement, texts(expected), texts(got))
    return None


def shrink(b: Bench, ours: Bench, steps: list[Step], found: Difference) -> tuple[list[Step], Difference]:
    """The shortest sequence that leaving out steps leads to, and its difference."""
    steps = steps[: found.step + 1]
    size = max(1, len(steps) // 2)
    while True:
        at = 0
        while at < len(steps):
            fewer = steps[:at] + steps[at + size :]
            less = compare(b, ours, fewer) if fewer else None
            if less is None:
                at += size
            else:
                steps, found = fewer[: less.step + 1], less
        if size == 1:
            return steps, found
        size //= 2


# -- files


def write(path: Path, role: str, seed: int, number: int, steps: list[Step], found: Difference) -> None:
    """A file that ``--play`` repeats."""
    data = {
        "format": FORMAT,
        "spec": SPEC_VERSION,
        "role": role,
        "seed": seed,
        "number": number,
        "steps": [{"tries": s.requirement, "octets": s.octets.hex(), "chunk": s.chunk} for s in steps],
        "expected": found.expected,
        "got": found.got,
    }
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def read(path: Path, role: str) -> list[Step]:
    """The steps of such a file. Raises UsageError."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            raise ValueError(f"its format is {data['format']!r}, not {FORMAT!r}")
        steps = [Step(s["tries"], bytes.fromhex(s["octets"]), int(s["chunk"])) for s in data["steps"]]
        unknown = [s.requirement for s in steps if s.requirement not in requirements()]
        if unknown:
            raise ValueError(f"no requirement {unknown[0]!r}")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is no file of --fuzz: {error}") from None
    if data["role"] != role:
        raise UsageError(f"{path} is for a {data['role']}; add --role {data['role']}")
    return steps
