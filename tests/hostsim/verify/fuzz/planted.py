"""Faults planted in the firmware and the codec, to see that the campaign finds them. They exist only here.

Each is a replacement in the source text of one module, which is then executed apart from the real one. The table is
printed by ``python -m tests.hostsim.verify.fuzz.planted``: fault, found by, runs needed, shrunk to.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import types
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from cabinwatch.scenario.toml_out import to_toml
from cabinwatch.sources import PACKAGES, folder
from cabinwatch.targets.cpython import CpythonTarget
from cabinwatch.targets.micropython import find_vm
from cabinwatch.verify.fuzz.run import Outcome, play
from cabinwatch.verify.fuzz.shrink import shrink
from cabinwatch.verify.fuzz.swarm import Plan, draw

HEAP_LOCKED = Path(__file__).resolve().parents[3] / "firmware" / "heap_locked.py"
BUDGET = 300
"""Runs within which every planted fault must be found."""
ORDER = (
    "cabinwatch_protocol.device.crc", "cabinwatch_protocol.device.frame", "cabinwatch_protocol.device.node",
    *(f"cabinwatch_firmware.detector.{name}" for name in (
        "rates", "gate", "gas", "level", "gap", "fall", "reserve", "line", "slow", "detector",
    )), "cabinwatch_firmware.clock",
    "cabinwatch_firmware.alarms", "cabinwatch_firmware.event_ring", "cabinwatch_firmware.signals",
    "cabinwatch_firmware.monitor",
)  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """One fault: in ``module``, ``right`` (found exactly once) is replaced by ``wrong``."""

    name: str
    module: str
    right: str
    wrong: str
    allocates: bool = False
    """Nothing goes wrong on the wire: it is looked for with the heap of a MicroPython VM locked."""
    safeguard: bool = False
    """It takes a safeguard out that counts only for what the field reports of instruments and air, or for a mistake."""


FRAME, NODE, MONITOR, ALARMS, CRC = (
    "cabinwatch_protocol.device.frame", "cabinwatch_protocol.device.node", "cabinwatch_firmware.monitor",
    "cabinwatch_firmware.alarms", "cabinwatch_protocol.device.crc",
)  # fmt: skip

DETECTOR = "cabinwatch_firmware.detector"

PLANTED = (
    Planted("COBS: off by one in the distance", FRAME, "buf[code] = i - code", "buf[code] = i - code + 1"),
    Planted("COBS: last distance one short", FRAME, "buf[code] = end - code", "buf[code] = end - code - 1"),
    Planted(
        "COBS: block may end beyond the frame", FRAME, "if i != k or k <= TC_MIN", "if i < k or k <= TC_MIN"
    ),
    Planted("frame: exact length not checked", FRAME, " or (buf[5] << 8 | buf[6]) + 8 != k", ""),
    Planted("frame: length may be shorter", FRAME, "+ 8 != k", "+ 8 > k"),
    Planted("frame: CRC not checked", FRAME, "if crc16(buf, 1, k):", "if 0:"),
    Planted("frame: limit one octet low", FRAME, "if k < FRAME_MAX:", "if k < FRAME_MAX - 1:"),
    Planted("frame: over-long not told from corrupt", FRAME, "return BAD_SIZE", "return BAD_FRAMING"),
    Planted(
        "frame: over-long leaves its octets",
        FRAME,
        "                self.n = 0\n",
        "                self.n = 0 if k <= FRAME_MAX else 1\n",
    ),
    Planted("frame: no opening delimiter", FRAME, "    buf[0] = 0\n", "    buf[0] = 1\n"),
    Planted("CRC: wrong preset", CRC, "crc = 0xFFFF", "crc = 0"),
    Planted("CRC: one term missing", CRC, "(q << 12 ^ q << 5 ^ q)", "(q << 12 ^ q)"),
    Planted(
        "sequence: wraps a bit early",
        NODE,
        "self.seq = self.seq + 1 & 0x3FFF",
        "self.seq = self.seq + 1 & 0x3F",
    ),
    Planted(
        "sequence: refusals not counted",
        NODE,
        "            self.verify(2, code)\n",
        "            self.verify(2, code)\n            self.seq = self.seq - 1 & 0x3FFF\n",
    ),
    Planted(
        "sequence: polls skip one",
        MONITOR,
        "self.poll_seq = self.poll_seq + 1",
        "self.poll_seq = self.poll_seq + 2",
    ),
    Planted("time: day is lost at midnight", NODE, "            self.day = self.day + 1 & 0xFFFF\n", ""),
    Planted("time: midnight comes a millisecond late", NODE, "self.ms -= DAY_MS", "self.ms -= DAY_MS - 1"),
    Planted("reset: parameters survive", NODE, "self.adopt(i, self.limits[3 * i])\n", "pass\n"),
    Planted("storage: one slot only", NODE, "seq = self.stored + 1 &", "seq = self.stored + 2 &"),
    Planted("storage: CRC of the record not checked", NODE, " or crc16(b, 0, n)", ""),
    Planted(
        "storage: part of a record is taken",
        NODE,
        "n != self.record or crc16(b, 0, n)",
        "n < self.record - 4",
    ),
    Planted(
        "storage: the older record is taken", NODE, "seq - self.stored & 0x8000", "self.stored - seq & 0x8000"
    ),
    Planted("storage: completion told before it is so", NODE, "            self.keep()\n", ""),
    Planted("reset: half a frame survives", NODE, "        self.frame.n = 0\n", ""),
    Planted("reset: counters survive", NODE, "            self.count[i] = 0\n", "            pass\n"),
    Planted(
        "telecommand: lost acknowledgement",
        NODE,
        "elif ack & ACK_COMPLETION:",
        "elif ack == 9 and self.last & 0x70000:",
    ),
    Planted("telecommand: acceptance always sent", NODE, "if ack & ACK_ACCEPTANCE:", "if 1:"),
    Planted(
        "telecommand: PUS version not checked", NODE, "if b[TC_VERSION_AT] >> 4 != PUS_VERSION:", "if 0:"
    ),
    Planted(
        "telecommand: length not checked",
        NODE,
        "return 0 if a[i + 2] == self.frame.size - TC_MIN else FAIL_LENGTH",
        "return 0",
    ),
    Planted("telecommand: repeat not known", NODE, "again = request == self.last", "again = False"),
    Planted(
        "telecommand: another one with the same count taken for a repeat",
        NODE,
        "(self.field(TC_SEQUENCE) & 0x3FFF) << 16 | word_at(self.frame.buf, self.frame.size - 1, PEC)",
        "self.field(TC_SEQUENCE)",
    ),
    Planted(
        "telecommand: repeat known after a reset",
        NODE,
        "        self.last = -1\n        self.rebooting",
        "        self.rebooting",
    ),
    Planted(
        "telecommand: answers to nobody",
        NODE,
        "self.begin_tm(17, 2, self.field(TC_SOURCE))",
        "self.begin_tm(17, 2, 0)",
    ),
    Planted(
        "telecommand: count not checked",
        NODE,
        "elif (service == 3 or service == 20) and b[REPORT_HK_N_AT] != 1:",
        "elif 0:",
    ),
    Planted(
        "telecommand: other APIDs obeyed", NODE, "elif pid == 0x1800 | self.apid:", "elif pid >> 11 == 3:"
    ),
    Planted("telecommand: segments taken for packets", NODE, "if self.field(TC_SEQUENCE) < 0xC000:", "if 0:"),
    Planted("parameter: upper bound not checked", NODE, " <= self.limits[3 * i + 2]", ""),
    Planted("parameter: one too many", NODE, "if i >= len(self.p):", "if i > len(self.p):"),
    Planted(
        "poll: missed retry",
        MONITOR,
        "if self.tries < p[P_POLL_RETRIES]:",
        "if self.tries + 1 < p[P_POLL_RETRIES]:",
    ),
    Planted("poll: retries never end", MONITOR, "                self.tries += 1\n", ""),
    Planted(
        "poll: late answer still awaited",
        MONITOR,
        "            self.reply_in = -1\n            self.judge_sensor(self",
        "            self.judge_sensor(self",
    ),
    Planted(
        "timer: drifts by its lateness", MONITOR, "return timer if timer > 0 else period", "return period"
    ),
    Planted(
        "timer: a missed period is made up for",
        MONITOR,
        "return timer if timer > 0 else period",
        "return timer",
    ),
    Planted(
        "timer: wraps at 17 minutes",
        MONITOR,
        "self.hk_in -= elapsed_ms",
        "self.hk_in -= elapsed_ms & 0xFFFFF",
    ),
    Planted(
        "housekeeping: temperature has the wrong sign",
        MONITOR,
        "HOUSEKEEPING_TEMPERATURE_CK, self.temperature",
        "HOUSEKEEPING_TEMPERATURE_CK, -self.temperature",
    ),
    Planted(
        "housekeeping: counters out by one",
        MONITOR,
        "HOUSEKEEPING_BAD_CRC, self.count[BAD_CRC]",
        "HOUSEKEEPING_BAD_CRC, self.count[FRAME_OK]",
    ),
    Planted(
        "latch: the alarm falls by itself",
        ALARMS,
        "            self.play(ON_LOWER if now else ON_CLEAR, cause)\n",
        "            self.cls = self.now\n",
    ),
    Planted(
        "latch: an acknowledgement is lost",
        ALARMS,
        "        self.play(ON_ACKNOWLEDGE, self.causes >> 4)\n",
        "        pass\n",
    ),
    Planted("latch: a rise is not seen", ALARMS, "if now > self.cls:", "if now > self.cls and not self.cls:"),
    Planted(
        "latch: a stale acknowledgement is taken",
        ALARMS,
        "if not self.state or occurrence and occurrence != self.occurrence:",
        "if not self.state:",
    ),
    Planted(
        "latch: forgotten at a reset",
        MONITOR,
        "        self.cabin.recall(b, i + 2)\n",
        "        self.cabin.reset()\n",
    ),
    Planted(
        "latch: not kept",
        MONITOR,
        "            self.changed = True\n            self.keep()\n",
        "            pass\n",
    ),
    Planted(
        "events: a number is left out",
        MONITOR,
        "            self.events += 1\n",
        "            self.events += 2\n",
    ),
    Planted(
        "inhibit: never ends",
        ALARMS,
        "self.suppressed_ms = max(self.suppressed_ms - elapsed_ms, 0)",
        "self.suppressed_ms = max(self.suppressed_ms, 0)",
    ),
    Planted("inhibit: any fall is permitted", ALARMS, " or node.fallen >= AGREE", ""),
    Planted("inhibit: bound not checked", MONITOR, "if seconds > INHIBIT_MAX_S or", "if"),
    Planted(
        "blind: the delay is four times too long",
        ALARMS,
        "node.blind_x4_ms + 4 * elapsed_ms",
        "node.blind_x4_ms + elapsed_ms",
    ),
    Planted(
        "blind: set back while it is blind again",
        ALARMS,
        "elapsed_ms) and not node.health:",
        "elapsed_ms) and not now:",
    ),
    Planted("blind: one sight undoes it", ALARMS, "max(node.blind_x4_ms - elapsed_ms, 0)", "0"),
    Planted(
        "health: a fault is believed",
        MONITOR,
        "            return status\n        clock = ",
        "            pass\n        clock = ",
    ),
    Planted(
        "health: implausible is believed",
        MONITOR,
        "            return HEALTH_IMPLAUSIBLE\n",
        "            pass\n",
    ),
    Planted(
        "stamps: time back is believed",
        "cabinwatch_firmware.clock",
        "            self.disorder = ORDERLY\n",
        "            self.disorder = 0\n",
    ),
    Planted("noise: never told", MONITOR, "if noise >= NOISE_LIMIT:", "if noise >= 250:"),
    Planted(
        "detector: leaks of the wrong sign",
        f"{DETECTOR}.fall",
        "FALLING if change_cPa < 0 else RISING",
        "RISING if change_cPa < 0 else FALLING",
    ),
    Planted(
        "detector: optimistic T-reserve",
        f"{DETECTOR}.reserve",
        "// rate_cPa_h * 225 >> 2",
        "// rate_cPa_h * 225",
    ),
    Planted(
        "detector: class one too low",
        f"{DETECTOR}.detector",
        "cls = CLASS_EMERGENCY\n        elif",
        "cls = CLASS_CAUTION\n        elif",
    ),
    Planted(
        "safeguard taken out: the burst",
        f"{DETECTOR}.fall",
        "if lost_cPa <= max(self.known.p[P_STEP], 2 * self.known.band_cPa(0)):",
        "if 1:",
        safeguard=True,
    ),
    Planted(
        "safeguard taken out: the level",
        f"{DETECTOR}.level",
        "self.called = not self.called",
        "pass",
        safeguard=True,
    ),
    Planted(
        "safeguard taken out: the warming gate",
        f"{DETECTOR}.slow",
        "return self.difference(j + self.scales) > self.difference(j) >> 1",
        "return False",
        safeguard=True,
    ),
    Planted(
        "safeguard taken out: the analyser's warming gate",
        f"{DETECTOR}.detector",
        " and not slow.is_thermal(slow.hit):\n            slow.call()",
        ":\n            slow.call()",
        safeguard=True,
    ),
    Planted(
        "safeguard taken out: the analyser's wild gate",
        f"{DETECTOR}.detector",
        "elapsed_ms = self.nitrogen_gate.take(",
        "self.nitrogen_gate.take(",
        safeguard=True,
    ),
    Planted(
        "safeguard taken out: the wild gate",
        f"{DETECTOR}.gate",
        "if self.suspects < AGREE:",
        "if 0:",
        safeguard=True,
    ),
    Planted(
        "safeguard taken out: the clock check",
        MONITOR,
        "wrong = self.clock.runs_wrong(gap, stuck)",
        "wrong = False",
        safeguard=True,
    ),
    Planted(
        "safeguard taken out: a restart ends the inhibit",
        MONITOR,
        "if self.detector.cls and self.cabin.suppressed_ms:",
        "if 0:",
        safeguard=True,
    ),
    Planted(
        "allocation in the loop: a list at each step",
        NODE,
        "    def tick(self, elapsed_ms):\n",
        "    def tick(self, elapsed_ms):\n        elapsed_ms = [elapsed_ms][0]\n",
        allocates=True,
    ),
    Planted(
        "allocation in the loop: a big integer",
        MONITOR,
        "        self.poll_in -= elapsed_ms\n",
        "        self.poll_in -= elapsed_ms + (1 << 62 + (elapsed_ms & 1)) - (1 << 62 + (elapsed_ms & 1))\n",
        allocates=True,
    ),
)


def source_of(name: str, planted: Planted | None) -> str:
    """The text of a module of the firmware, with the fault in it where it belongs there."""
    package, _, stem = name.rpartition(".")
    source = (resources.files(package) / f"{stem}.py").read_text()
    if planted is None or planted.module != name:
        return source
    if source.count(planted.right) != 1:
        raise LookupError(f"{planted.name}: found {source.count(planted.right)} times: {planted.right!r}")
    return source.replace(planted.right, planted.wrong)


def locked(planted: Planted | None, steps: int = 200) -> str:
    """What the VM says of a firmware with the fault in it when its heap is locked; empty where nothing allocates."""
    with tempfile.TemporaryDirectory() as copy:
        for package in PACKAGES:
            shutil.copytree(
                folder(package), Path(copy, package), ignore=shutil.ignore_patterns("__pycache__")
            )
        for name in ORDER:
            Path(copy, *name.split(".")).with_suffix(".py").write_text(source_of(name, planted))
        done = subprocess.run(
            [str(find_vm()), str(HEAP_LOCKED), str(steps), "0"],
            capture_output=True, text=True, env={**os.environ, "MICROPYPATH": copy}, check=False,
        )  # fmt: skip
    return done.stdout + done.stderr if done.returncode else ""


def patched(planted: Planted | None) -> Any:
    """The Monitor class of a firmware with the fault in it (the right one, if None), apart from the real modules."""
    made: dict[str, types.ModuleType] = {}
    for name in ORDER:
        source = source_of(name, planted)
        for done in made:
            source = re.sub(rf"from {re.escape(done)} import", f"from planted.{done} import", source)
        module = types.ModuleType(f"planted.{name}")
        sys.modules[module.__name__] = module
        exec(compile(source, f"planted/{name}", "exec"), module.__dict__)
        made[name] = module
    for name in made:
        del sys.modules[f"planted.{name}"]
    return made["cabinwatch_firmware.monitor"].Monitor


@dataclass(frozen=True)
class Found:
    """How a planted fault was found: by which class of failure, in how many runs, and what it shrank to."""

    outcome: Outcome
    runs: int
    plan: Plan

    @property
    def lines(self) -> int:
        """Lines of the shrunk scenario that say something."""
        return sum(bool(line.strip()) for line in to_toml(self.plan.scenario).splitlines())


def hunt(
    planted: Planted | None, seed: str = "planted", budget: int = BUDGET, shrinking: int = 150, first: int = 0
) -> Found | None:
    """Look for the fault, from the run ``first`` on and then before it; None where the budget does not find it."""
    monitor = patched(planted)

    def make() -> CpythonTarget:
        return CpythonTarget(monitor)

    for run in (*range(first, budget), *range(first)):
        plan = draw(seed, run)
        outcome = play(plan, make, run)
        if outcome.kind and (planted is None or outcome.kind != play(plan, CpythonTarget, run).kind):
            return Found(outcome, run + 1, shrink(plan, outcome.kind, make, shrinking))
    return None


def main() -> None:
    """Print the table."""
    print(f"{'fault':<45} {'found by':<20} {'runs':>5} {'lines':>5}")
    for planted in PLANTED:
        if planted.allocates:
            print(
                f"{planted.name:<45} {'heap locked' if locked(planted) else 'NOT FOUND':<20} {1:>5}",
                flush=True,
            )
            continue
        found = hunt(planted)
        told = f"{found.outcome.kind:<20} {found.runs:>5} {found.lines:>5}" if found else "NOT FOUND"
        print(f"{planted.name:<45} {told}", flush=True)


if __name__ == "__main__":
    main()
