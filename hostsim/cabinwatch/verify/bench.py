"""What the stack costs, measured in one run: every target at full stack, each codec beside a calibration loop."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from cabinwatch.errors import SetupError
from cabinwatch.models.scenario import Scenario
from cabinwatch.run.lockstep import LockStepRun
from cabinwatch.run.transcript import Recorder, Step
from cabinwatch.scenario.load import parse
from cabinwatch.sources import import_path
from cabinwatch.targets import EMULATED
from cabinwatch.targets.micropython import find_vm
from cabinwatch.verify import keyed_steps
from cabinwatch.world.cabin.station import Station
from cabinwatch.world.seeds import stream
from cabinwatch.world.world import World
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t
from cabinwatch_protocol.device.frame import Deframer, seal

QUIET = """
title = "A quiet cabin, sampled at 1 Hz"
duration = "30 d"
[cabin.compartments.station]
volume = "916 m3"
[cabin.wander]
"""
ONSET = (
    QUIET
    + """
[cabin.leaks.hole]
at = "40 s"
size = "100 mm"
"""
)
"""A fall that is called within seconds; the noise of the cabin is known by then."""
ONSET_S = 70
HK_PERIOD = next(p for p in t.MONITOR_PARAMETERS if p.name == "hk_period")
WARM_S = 60


@dataclass(frozen=True)
class Pace:
    """Full stack on one target: a monitor polling at 1 Hz, world and ground included."""

    target: str
    steps_per_s: float
    times_real_time: float


@dataclass(frozen=True)
class CodecPace:
    """Frames a second of a 32-octet packet, and the same in rounds of the calibration loop."""

    codec: str
    frames_per_s: float
    loops_per_frame: float


def pace(target: str, seconds: float, scenario: Scenario) -> Pace:
    """Play ``scenario`` on ``target`` for about ``seconds`` of wall time. Raises SetupError where it is not there."""
    world = World(scenario, seed=1)
    node = EMULATED[target]()
    begin = steps_then = 0.0
    recorder = Recorder()
    drive = LockStepRun(world, node, recorder)

    class Enough(Exception):
        """Time is up."""

    def tick() -> None:
        nonlocal begin, steps_then
        if not begin:
            if world.now_ms >= WARM_S * 1000:
                begin, steps_then = time.perf_counter(), recorder.steps
        elif recorder.steps % 64 == 0 and time.perf_counter() - begin > seconds:
            raise Enough

    try:
        drive.run(scenario.duration_ms, tick)
    except Enough:
        pass
    finally:
        node.close()
    wall_s = time.perf_counter() - begin
    return Pace(target, (recorder.steps - steps_then) / wall_s, (world.now_ms / 1000 - WARM_S) / wall_s)


def calibration() -> float:
    """Rounds a second of the loop that codec figures are divided by: one addition and one comparison."""
    n = 0
    begin = time.perf_counter()
    while n < 2_000_000:
        n += 1
    return n / (time.perf_counter() - begin)


def _rate(work: Callable[[], object], seconds: float) -> float:
    n = 0
    begin = time.perf_counter()
    while (spent := time.perf_counter() - begin) < seconds:
        for _ in range(200):
            work()
        n += 200
    return n / spent


def sample_frame() -> bytes:
    """A sample of the transducer as a frame: the packet that the link carries most."""
    rng = stream(1, "bench")
    values = {"pressure_cPa": rng.randrange(9_000_000, 11_000_000), "temperature_cK": 29_512, "status": 0}
    sample = next(p for p in t.TM_PACKETS if p.name == "sample")
    return host.seal(host.encode_tm(sample, t.Apid.TRANSDUCER, 7, 1, 12_345_678, values))


def codecs(seconds: float) -> list[CodecPace]:
    """Every codec that runs in this process, for ``seconds`` each, and the device codec in the VM where it is there."""
    loops = calibration()
    frame = sample_frame()
    head = host.judge(frame[1:-1]).packet[: -t.PEC]
    decoder = host.StreamDecoder()
    deframer = Deframer()
    buffer = bytearray(t.FRAME_MAX + 2)
    end = 2 + len(head) + t.PEC

    def device_encode() -> None:
        buffer[2 : 2 + len(head)] = head
        seal(buffer, end)

    works: dict[str, Callable[[], object]] = {
        "host encode (cobs, crcmod)": lambda: host.seal(head),
        "host decode (cobs, crcmod)": lambda: decoder.feed(frame),
        "device encode on cpython": device_encode,
        "device decode on cpython": lambda: deframer.feed(frame, 1, len(frame)),
    }
    paces = [CodecPace(name, rate := _rate(work, seconds), loops / rate) for name, work in works.items()]
    return paces + _vm_codecs(frame, head)


_VM = """
import time
from cabinwatch_protocol.device.frame import Deframer, seal
frame, head = {frame!r}, {head!r}
d, buf, n = Deframer(), bytearray(64), len(frame)
def encode():
    buf[2:2 + len(head)] = head
    seal(buf, len(head) + 4)
def decode():
    d.feed(frame, 1, n)
def loop(k):
    while k:
        k -= 1
def rate(f, k):
    t = time.ticks_us()
    for i in range(k):
        f()
    return k * 1e6 / time.ticks_diff(time.ticks_us(), t)
t = time.ticks_us()
loop(1000000)
print(1e12 / time.ticks_diff(time.ticks_us(), t), rate(encode, 20000), rate(decode, 20000))
"""


def _vm_codecs(frame: bytes, head: bytes) -> list[CodecPace]:
    vm = find_vm()
    if vm is None:
        return []
    program = _VM.format(frame=frame, head=head)
    run = subprocess.run(
        [vm, "-c", program],
        env={"MICROPYPATH": import_path()},
        capture_output=True,
        text=True,
        check=True,
    )
    loops, encode, decode = map(float, run.stdout.split())
    return [
        CodecPace("device encode on micropython", encode, loops / encode),
        CodecPace("device decode on micropython", decode, loops / decode),
    ]


STATION = """
title = "Ten modules in a row, one leaking"
duration = "1 d"
[cabin.leaks.hole]
compartment = "m9"
size = "1 mm"
[cabin.wander]
""" + "".join(
    f'[cabin.compartments.m{i}]\nvolume = "90 m3"\n'
    + (f'[cabin.hatches.h{i}]\na = "m{i - 1}"\nb = "m{i}"\nopen = {str(i % 4 > 0).lower()}\n' if i else "")
    for i in range(10)
)


def station_day() -> float:
    """Wall seconds for a day of STATION, solved and looked up each second."""
    station = Station(parse(STATION, "bench").cabin, 1)
    begin = time.perf_counter()
    for t_s in range(86_401):
        station.at("m0", t_s)
    return time.perf_counter() - begin


def board(tell: Callable[[str], None]) -> dict[str, Any]:
    """The emulated board's own figures, deterministic: guest time of a sample, and the heap that each module leaves."""
    from cabinwatch.verify.measure import heap_by_module, sample_time, step_times

    quiet = sample_time(_first_steps(60))
    worst = sample_time(onset_steps())
    keyed = max(step_times(keyed_steps.worst_steps(), keyed_steps.KEYING), key=lambda time: time.compute_us)
    tell(
        "\nguest time on the micro:bit, first octet of a step in to last octet out, at most:\n"
        f"  {quiet.total_us / 1000:.1f} ms for a sample of a quiet cabin\n"
        f"  {worst.total_us / 1000:.1f} ms for the slowest over a leak's onset, where housekeeping waits for the step "
        "after an event\n"
        f"  {keyed.compute_us / 1000:.1f} ms of it computing for the slowest step of a keyed monitor\n"
        "(QEMU counts an instruction a cycle; a real core takes up to twice that)"
    )
    heap = heap_by_module()
    tell(f"free heap {heap.at_start:,} octets at start, {heap.after_load:,} when loaded; of that take")
    for module, octets in heap.taken.items():
        tell(f"  {module:<34}{octets:>8,}")
    return {"sample": asdict(quiet), "worst": asdict(worst), "keyed": asdict(keyed), "heap": asdict(heap)}


def _first_steps(count: int) -> list[Step]:
    """The first steps of a quiet run at 1 Hz."""
    return _played(QUIET, count * 500)[:count]


def onset_steps() -> list[Step]:
    """A leak's onset with everything due in each step: a sample comes when the next poll and housekeeping do."""
    samples = [step.rx for step in _played(ONSET, ONSET_S * 1000) if step.rx]
    node = EMULATED["cpython"]()
    steps = [Step(0, b"", *node.start())]
    packet = next(p for p in t.TC_PACKETS if p.name == "set_parameter")
    period = {"parameter": HK_PERIOD.id, "value": 1000}
    command = host.seal(host.encode_tc(packet, t.Apid.MONITOR, 0, period))
    for second, rx in enumerate([command, *samples]):
        elapsed_ms = second * 1000 - steps[-1].t_ms
        steps.append(Step(second * 1000, rx, *node.step(elapsed_ms, rx)))
        while (soon_ms := steps[-1].wake_ms) == 1:
            steps.append(Step(steps[-1].t_ms + soon_ms, b"", *node.step(soon_ms, b"")))
    return steps


def _played(scenario: str, until_ms: int) -> list[Step]:
    """A scenario's steps."""
    kept: list[Step] = []

    class Keep(Recorder):
        """Keeps the steps in memory."""

        def add(self, step: Step) -> None:
            kept.append(step)

    LockStepRun(World(parse(scenario, "bench"), seed=1), EMULATED["cpython"](), Keep()).run(until_ms)
    return kept


def measure(targets: list[str], seconds: float, tell: Callable[[str], None]) -> dict[str, Any]:
    """The whole bench; ``tell`` is given each line as it is known."""
    scenario = parse(QUIET, "bench")
    result: dict[str, Any] = {"targets": [], "codecs": []}
    tell(f"{'full stack at 1 Hz':<30}{'steps/s':>12}{'x real time':>14}{'of the first':>14}")
    first = 0.0
    for name in targets:
        try:
            measured = pace(name, seconds, scenario)
        except SetupError as error:
            tell(f"{name:<30}  not here: {error}")
            continue
        first = first or measured.times_real_time
        tell(
            f"{name:<30}{measured.steps_per_s:>12,.0f}{measured.times_real_time:>14,.0f}"
            f"{measured.times_real_time / first:>14.2f}"
        )
        result["targets"].append(asdict(measured))
    if "microbit" in {p["target"] for p in result["targets"]}:
        result["board"] = board(tell)
    seconds_a_day = station_day()
    tell(f"\na simulated day of a ten-module station, 86,401 look-ups, no firmware: {seconds_a_day:.2f} s")
    result["station_day_s"] = seconds_a_day
    tell(f"\n{'codec, 30-octet packet':<30}{'frames/s':>12}{'loop rounds a frame':>28}")
    for codec in codecs(seconds / 10):
        tell(f"{codec.codec:<30}{codec.frames_per_s:>12,.0f}{codec.loops_per_frame:>28,.0f}")
        result["codecs"].append(asdict(codec))
    return result
