"""The draw of a run: every option from one seed, and some kinds of faults off altogether in each run.

Swarm testing: A. Groce et al., "Swarm testing", ISSTA 2012. A run that may use every fault at once hides the bugs that
only show where some of them are absent, so each run first draws which kinds it has at all.
"""

import hashlib
from dataclasses import dataclass
from random import Random
from struct import pack
from typing import Any

from cabinwatch.models.scenario import Scenario
from cabinwatch.verify.fuzz import drills, field, margins
from cabinwatch.verify.fuzz.reference import RECORD_SIZE
from cabinwatch.world.seeds import stream
from cabinwatch_protocol import table as t

LINK_KINDS = (
    "flip", "burst", "drop", "repeat", "swap", "merge", "delay",
    "jitter", "stuck", "break", "baud", "echo", "babble", "clog",
)  # fmt: skip
STORAGE_KINDS = ("brown_out",)
DEVICE_KINDS = ("reset", "reset_octet", "jump", "drift", "stall", "slow_host")
SENSOR_KINDS = ("silent", "stuck", "broken")
COMMAND_KINDS = ("command", "raw", "repeat_command", "raw_octets")
MODES = ("quiet", "leak", "story")
TEMPOS = (1, 1, 1, 2, 10, 60, 600, 3600)
"""Seconds between polls: slow ones are years of life for the price of minutes."""


def _get(number: int) -> tuple[int, int, str]:
    return 20, 1, pack(">BB", 1, number).hex()


def _set(name: str, value: int) -> tuple[int, int, str]:
    return 20, 3, pack(">BBi", 1, IDS[name], value).hex()


def _do(function: int, argument: int = 0) -> tuple[int, int, str]:
    return 8, 1, pack(">BH", function, argument).hex()


IDS = {p.name: p.id for p in t.MONITOR_PARAMETERS}
BODIES = (
    (17, 1, ""), (3, 27, "0101"), (3, 27, "0201"), (3, 27, "0102"), (3, 5, "0101"),
    _get(IDS["hk_period"]), _get(len(IDS) - 1), _get(len(IDS)), _get(255),
    _set("poll_retries", 65_535), _set("poll_retries", -1), _set("fast", 0x7FFFFFFF), _set("floor", 500),
    _do(t.Function.ACKNOWLEDGE), _do(t.Function.ACKNOWLEDGE, 1), _do(t.Function.INHIBIT, t.INHIBIT_MAX_S + 1),
    _do(max(t.Function) + 1), _do(0), _do(t.Function.INHIBIT, 2), (5, 1, ""), (1, 1, "00"),
)  # fmt: skip
"""Telecommands by service, subtype and data: right ones, and ones that must be refused for each documented reason."""
DRILLED = 0.8
"""The share of quickly polled stories that end in an alarm drill."""
SLOW = 10
SET_UP_S = 60.0
"""By then the ground has set the parameters of a slow run; its link is sound until then."""


@dataclass(frozen=True)
class Plan:
    """One run: its scenario, the seed of its world, how long it has to heal and what its air does."""

    scenario: Scenario
    seed: int
    mode: str
    settle_s: float
    """How long after the last fault the monitor has to converge."""
    options: dict[str, Any]


def mode_of(scenario: Scenario) -> str:
    """What the air of a scenario does: nothing, leak and no more, or a story that may justify an alarm by itself."""
    cabin = scenario.cabin
    moved = cabin.flows or cabin.crew or cabin.vehicles or cabin.thermal or cabin.actions or cabin.weather
    lies = any(fault.kind in ("bias", "drift", "spikes") for fault in scenario.sensor.faults)
    if moved or cabin.record or cabin.hatches or cabin.valves or lies:
        return "story"
    return "leak" if cabin.leaks else "quiet"


def world_seed(seed: str, run: int) -> int:
    """The seed of one run's world; any text is a campaign's seed, also a commit hash."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{run}".encode()).digest()[:4], "big")


def draw(seed: str, run: int) -> Plan:
    """Run number ``run`` of the campaign ``seed``."""
    number = world_seed(seed, run)
    rng = stream(number, "swarm")
    mode = rng.choice(MODES)
    tempo = rng.choice(TEMPOS) if mode != "leak" else rng.choice((1, 1, 2))
    if mode == "story" and tempo > SLOW and rng.random() < 0.7:
        tempo = 1
    unsafe_s = float(rng.choice((0, 10, 30, 60, 100)) * tempo)
    share = rng.choice((0.1, 0.3, 0.6))
    kinds = {k for k in (*LINK_KINDS, *DEVICE_KINDS, *SENSOR_KINDS, *COMMAND_KINDS) if rng.random() < share}
    storage, alarms = stream(number, "storage"), stream(number, "alarms")
    if unsafe_s and tempo <= SLOW and storage.random() < share:
        kinds |= set(STORAGE_KINDS)
    if tempo > SLOW:
        # Back at its default parameters the monitor polls every second: days of that are not worth their time.
        kinds -= {"reset", "reset_octet", "command", "stuck", "clog", "babble", "break"}
    parameters = _parameters(rng, mode, tempo)
    hk_s = parameters.get("hk_period", 10_000) / 1000
    settle_s = margins.CONVERGE_HK * hk_s + margins.CONVERGE_POLLS * tempo + margins.CONVERGE_S
    data: dict[str, Any] = {"title": f"fuzz {seed} run {run}: {mode}", "parameters": parameters}
    low, high = margins.QUICK_Pa_s
    rate = low * (high / low) ** rng.random()
    if mode == "leak":
        settle_s += margins.CALL_FALL_Pa / rate + margins.CALL_POLLS * tempo
    data["cabin"] = _cabin(rng, mode, unsafe_s, rate)
    if mode == "leak" and stream(number, "wander").random() < 0.5:
        data["cabin"]["wander"] = {}
    data["duration"] = round(unsafe_s + settle_s + 1)
    data["link"] = {
        "baud": rng.choice((115_200, 115_200, 9600, 921_600)),
        "faults": _link(rng, kinds, unsafe_s, SET_UP_S if tempo > SLOW else 0.0),
    }
    data["sensor"] = {
        "noise": rng.choice((0.0, 1.0, margins.QUIET_SIGMA_Pa)) or 0.3,
        "faults": _sensor(rng, kinds, unsafe_s),
    }
    if data["link"]["baud"] < 19_200 and "reply_timeout" in parameters:
        # A poll and its answer take 50 ms at 9600 baud: a shorter patience is the ground's mistake.
        parameters["reply_timeout"] = max(parameters["reply_timeout"], 100)
    data["device"] = {"faults": _device(rng, kinds, unsafe_s)}
    commands, raw = _commands(rng, kinds, unsafe_s)
    if "brown_out" in kinds:
        faults, settings = _storage(storage, unsafe_s)
        data["device"]["faults"] += faults
        commands += settings
    if mode == "story" and tempo == 1 and rng.random() < 0.4:
        # A leak that is called soon, and grows: the class must rise.
        parameters["step"] = 10_000
        growth = [{"at": max(40.0, unsafe_s * 0.6), "to": 10}]
        data["cabin"]["leaks"]["leak"] = {"size": "6 Pa/s", "at": 1, "profile": growth}
        data["cabin"]["actions"] = []
        data["duration"] += 40
    if mode == "leak" and unsafe_s and rng.random() < 0.4:
        # An alarm that is latched while commands still come.
        data["cabin"]["leaks"]["leak"]["at"] = 1
        commands.append({"at": round(rng.uniform(0.5, 1.0) * unsafe_s, 3), "do": "acknowledge"})
    if mode == "leak" and unsafe_s and alarms.random() < 0.3:
        # An inhibit, for an airlock cycle say, over a hole.
        highest = alarms.choice((0, 0, 1, 2, 3, 4)) << t.INHIBIT_CLASS_SHIFT
        argument = highest | alarms.choice((60, 7200))
        commands.append(
            {"at": round(alarms.uniform(0.0, unsafe_s), 3), "do": "inhibit", "argument": argument}
        )
    data["telecommands"], data["raw"] = commands, raw
    drill = stream(number, "drill")
    if mode == "story" and tempo == 1 and drill.random() < DRILLED:
        drills.add(data, unsafe_s + margins.CONVERGE_S, drill)
        kinds |= {"drill"}
    kinds |= set(field.add(data, mode, unsafe_s, stream(number, "all kinds")))
    options = {
        "mode": mode,
        "poll_s": tempo,
        "unsafe_s": unsafe_s,
        "settle_s": round(settle_s, 1),
        "kinds": sorted(kinds),
    }
    return Plan(Scenario.model_validate(data), number, mode, settle_s, options)


def _parameters(rng: Random, mode: str, tempo: int) -> dict[str, int]:
    parameters = {"stuck_samples": 0, "analyser_period": 0}
    if mode == "story" and rng.random() < 0.2:
        parameters[rng.choice(("pressure_low", "pressure_high"))] = 10_132_500
    if tempo > 1:
        parameters |= {"poll_period": tempo * 1000, "hk_period": min(tempo * 10_000, t.DAY_MS)}
    if rng.random() < 0.3:
        parameters["reply_timeout"] = rng.choice((20, 50, 500))
    if rng.random() < 0.2:
        parameters["poll_retries"] = rng.randint(0, 5)
    return parameters


def _cabin(rng: Random, mode: str, unsafe_s: float, rate_Pa_s: float) -> dict[str, Any]:
    volume = rng.choice((7.0, 80.0, 400.0, 1000.0))
    cabin: dict[str, Any] = {
        "compartments": {"cabin": {"volume": volume, "temperature": rng.choice((290, 295, 300))}}
    }
    at = round(rng.uniform(0, unsafe_s), 3)
    if mode == "leak":
        cabin["leaks"] = {"leak": {"size": f"{rate_Pa_s:.3g} Pa/s", "law": "orifice", "at": at}}
    elif mode == "story":
        cabin["compartments"]["node"] = {"volume": 75.0, "pressure": rng.choice((101_325.0, 95_000.0))}
        cabin["hatches"] = {"hatch": {"a": "cabin", "b": "node", "open": False}}
        cabin["actions"] = [
            {"at": round(rng.uniform(0, unsafe_s), 1), rng.choice(("open", "close")): "hatch"}
        ]
        cabin["leaks"] = {
            "leak": {
                "size": rng.choice(("2.4 lb/d", "1 mm", "10 mm", "T1mm 60 s", "30 Pa/s", "100 Pa/s")),
                "at": at,
            }
        }
        if rng.random() < 0.5:
            cabin["actions"].append({"at": round(rng.uniform(at, unsafe_s), 1), "patch": "leak"})
        if rng.random() < 0.5:
            cabin["flows"] = {"repress": {"kind": "repress", "rise": rng.choice((100, 600)), "at": at}}
        if rng.random() < 0.3:
            cabin["thermal"] = {"heat": {"kind": "ramp", "size": rng.choice((-2, 2)), "over": 600}}
    return cabin


def _window(rng: Random, unsafe_s: float, first_s: float = 0.0) -> dict[str, float]:
    a, b = sorted((rng.uniform(0, unsafe_s), rng.uniform(0, unsafe_s)))
    if rng.random() < 0.3:
        a, b = 0.0, unsafe_s
    a = max(a, min(first_s, b))
    return {"at": round(a, 3), "until": round(b, 3)}


def _link(rng: Random, kinds: set[str], unsafe_s: float, first_s: float) -> list[dict[str, Any]]:
    choose, rate = rng.choice, 10 ** rng.uniform(-4, -1)
    some: dict[str, dict[str, Any]] = {
        "flip": {"rate": rate / 5}, "burst": {"enter": rate, "leave": choose((0.05, 0.3)), "loss": choose((0.0, 0.3))},
        "drop": {"rate": rate, "of": choose(("octet", "send"))},
        "repeat": {"rate": rate, "of": choose(("octet", "send"))},
        "swap": {"rate": rate}, "merge": {"rate": rate}, "jitter": {"rate": rate, "most_ms": choose((1, 20, 200))},
        "delay": {"most_ms": choose((1, 50, 400, 2000)), "keep_order": choose((True, False))},
        "stuck": {"level": choose(("high", "low"))}, "break": {"every_s": max(0.1, unsafe_s / choose((3, 30)))},
        "baud": {"error": choose((0.03, -0.03, 0.06, -0.06, 0.5))}, "echo": {},
        "babble": {"every_s": max(0.1, unsafe_s / choose((3, 30, 100))), "most": choose((3, 16, 80))},
        "clog": {"room": choose((0, 40, 500))},
    }  # fmt: skip
    return [
        {
            "kind": kind,
            "direction": choose(("up", "down", "both")),
            **_window(rng, unsafe_s, first_s),
            **some[kind],
        }
        for kind in LINK_KINDS
        if kind in kinds and unsafe_s
    ]


def _device(rng: Random, kinds: set[str], unsafe_s: float) -> list[dict[str, Any]]:
    if not unsafe_s:
        return []
    faults: list[dict[str, Any]] = []
    at = [round(rng.uniform(0, unsafe_s), 3) for _ in DEVICE_KINDS]
    if "reset" in kinds:
        at[0] = at[0] if rng.random() < 0.5 else unsafe_s / 2
        faults.append(
            {
                "kind": "reset",
                "at": round(at[0]) + rng.choice((0.0, 0.005, 0.006, 0.3)) if at[0] > 1 else at[0],
            }
        )
    if "reset_octet" in kinds:
        faults.append(
            {"kind": "reset", "at": at[1], "octet": rng.randint(0, 60), "down_ms": rng.choice((0, 1, 300))}
        )
    if "jump" in kinds:
        faults.append(
            {"kind": "jump", "at": at[2], "by_ms": rng.choice((-60_000, -10, 10, 5000, 86_400_000))}
        )
    if "drift" in kinds:
        faults.append({"kind": "drift", "ppm": rng.choice((-10_000, 100, 10_000)), **_window(rng, unsafe_s)})
    if "stall" in kinds:
        faults.append(
            {"kind": "stall", "at": at[3], "until": min(unsafe_s, at[3] + rng.choice((0.01, 0.5, 5.0)))}
        )
    if "slow_host" in kinds:
        faults.append(
            {"kind": "slow_host", "by_ms": rng.choice((10, 240, 260, 3000)), **_window(rng, unsafe_s)}
        )
    return faults


def _storage(rng: Random, unsafe_s: float) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Failing supplies, and parameters to be stored meanwhile: of the nitrogen watch, which is off."""
    faults = []
    settings = []
    for _ in range(rng.randint(1, 3)):
        at = round(rng.uniform(0, unsafe_s), 3)
        fault: dict[str, Any] = {"kind": "brown_out", "at": at, "down_ms": rng.choice((0, 1, 300))}
        if rng.random() < 0.8:
            fault["octet"] = rng.choice((0, 1, rng.randint(2, RECORD_SIZE - 1), RECORD_SIZE, RECORD_SIZE))
            if rng.random() < 0.5:
                fault["wrong"] = rng.randint(0, RECORD_SIZE - 1)
        faults.append(fault)
        settings += [
            {
                "at": round(rng.uniform(0, unsafe_s), 3),
                "do": "set",
                "parameter": "loss",
                "value": rng.choice((0, 2500, 200_000, rng.randint(0, 200_000))),
            }
            for _ in range(rng.randint(1, 3))
        ]
    return faults, settings


def _sensor(rng: Random, kinds: set[str], unsafe_s: float) -> list[dict[str, Any]]:
    return [{"kind": kind, **_window(rng, unsafe_s)} for kind in SENSOR_KINDS if kind in kinds and unsafe_s]


def _commands(
    rng: Random, kinds: set[str], unsafe_s: float
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    commands: list[dict[str, Any]] = []
    raw: list[dict[str, Any]] = []
    if not unsafe_s:
        return commands, raw

    def moment() -> float:
        # The worst moments are around a poll and its answer.
        t_s = rng.uniform(0, unsafe_s)
        return (
            round(t_s) + rng.choice((0.001, 0.004, 0.005, 0.006, 0.007))
            if rng.random() < 0.5
            else round(t_s, 3)
        )

    if "command" in kinds:
        for _ in range(rng.randint(1, 6)):
            do = rng.choice(
                ("ping", "report", "hk_on", "acknowledge", "get", "restart_detector", "inhibit", "reboot")
            )
            extra: dict[str, Any] = (
                {"parameter": rng.choice(t.MONITOR_PARAMETERS).name} if do == "get" else {}
            )
            extra |= {"argument": rng.choice((0, 1, 5, 7201))} if do == "inhibit" else {}
            commands.append({"at": moment(), "do": do, **extra})
    if "raw" in kinds:
        for _ in range(rng.randint(1, 8)):
            service, subtype, body = rng.choice(BODIES)
            wrong: list[dict[str, Any]] = [
                {"pus_version": rng.choice((0, 1, 3))}, {"length_off": rng.choice((-1, 1))},
                {"pec_xor": 1 << rng.randint(0, 15)}, {"zeros": rng.choice((1, 2, 30))},
                {"apid": rng.choice((0xA2, 0, 0x1A1))}, {"sequence_flags": rng.randint(0, 2)},
                {"data": body + rng.choice(("00", "0101"))}, {"data": body[2:]}, {"cut": 1}, {"packet_version": 1},
                {"secondary": 0}, {"type": 0}, {"service": rng.randint(0, 255)}, {"subtype": rng.randint(0, 255)},
            ]  # fmt: skip
            raw.append(
                {
                    "at": moment(), "sequence": rng.randint(0, 0x3FFF), "ack": rng.choice((9, 9, 0, 1, 8, 15)),
                    "source": rng.choice((0, 77)), "service": service, "subtype": subtype, "data": body,
                    **(rng.choice(wrong) if rng.random() < 0.6 else {}),
                }
            )  # fmt: skip
    if "repeat_command" in kinds:
        # A reset between two sendings makes the second one a new request.
        service, subtype, body = rng.choice((*BODIES, *[_do(t.Function.INHIBIT, 5)] * 5))
        sent = {"service": service, "subtype": subtype, "data": body, "sequence": rng.randint(0, 0x3FFF)}
        gap_ms = rng.choice((0, 7, 1000, 4000))
        at = moment()
        raw.append({"at": at, "times": rng.randint(2, 4), "gap_ms": gap_ms, **sent})
        # Another telecommand with that count, as of a host that started anew.
        other = dict(zip(("service", "subtype", "data"), rng.choice(BODIES), strict=True))
        raw.append({"at": round(at + rng.choice((0.0, 0.5, 5.0)), 3), **sent, **other})
    if "raw_octets" in kinds:
        raw.append({"at": moment(), "octets": rng.randbytes(rng.choice((1, 10, 61, 62, 200))).hex()})
        raw.append({"at": moment(), "octets": "00" + "01" * rng.choice((60, 61, 62, 300)) + "00"})
    return commands, raw
