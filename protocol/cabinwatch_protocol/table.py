"""The packet table: every packet, field, parameter, event and code of the protocol, written down once.

Both codecs, SPEC.md's tables, the device constants, the XTCE file, the test strategies and the conformance cases
are made from it. ``python -m cabinwatch_protocol.generate`` rewrites what is generated; a test keeps it current.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from struct import Struct
from typing import TypeVar

from cabinwatch_protocol import version

FIELD_SIZES = {"B": 1, "H": 2, "I": 4, "i": 4, "Q": 8}


@dataclass(frozen=True)
class Field:
    """One field of a packet's data: ``code`` is its struct letter, big-endian; ``unit`` is "" for a pure number."""

    name: str
    code: str
    unit: str = ""
    doc: str = ""
    enum: "type[IntEnum] | None" = None
    of: tuple[int, ...] = ()
    """The members of ``enum`` that this field may take; all of them where none is named."""
    fixed: int | None = None

    @property
    def size(self) -> int:
        """Octets on the wire."""
        return FIELD_SIZES[self.code]

    @property
    def title(self) -> str:
        """Its name with its unit, which is not said twice where the name ends in it."""
        said = not self.unit or self.name.endswith(self.unit.replace("/", "_"))
        return self.name if said else f"{self.name}, {self.unit}"


@dataclass(frozen=True)
class Packet:
    """One packet: ``kind`` TM or TC, its PUS message type, the roles that send (TM) or accept (TC) it, its fields."""

    name: str
    kind: str
    service: int
    subtype: int
    roles: tuple[str, ...]
    fields: tuple[Field, ...] = ()
    doc: str = ""

    @property
    def title(self) -> str:
        """The message type as the standard writes it, e.g. ``TM[3,25]``."""
        return f"{self.kind}[{self.service},{self.subtype}]"

    @cached_property
    def struct(self) -> Struct:
        """Layout of its data."""
        return Struct(">" + "".join(f.code for f in self.fields))

    @property
    def data_size(self) -> int:
        """Octets of source data (TM) or application data (TC)."""
        return size_of(self.fields)

    @property
    def size(self) -> int:
        """Octets of the whole packet, headers and PEC included."""
        return size_of(HEADERS[self.kind]) + self.data_size + PEC


PRIMARY_HEADER = (
    Field("packet_id", "H", doc="version, type, secondary header flag, APID"),
    Field("sequence", "H", doc="sequence flags and count"),
    Field("length", "H", doc="octets that follow this field, less one"),
)
TM_HEADER = (
    *PRIMARY_HEADER,
    Field("version", "B", doc="PUS version in the high nibble"),
    Field("service", "B"),
    Field("subtype", "B"),
    Field("count", "H", doc="message type counter"),
    Field("destination", "H"),
    Field("p_field", "B", doc="CDS-short time code"),
    Field("day", "H"),
    Field("ms", "I", "ms", "millisecond of day"),
)
TC_HEADER = (
    *PRIMARY_HEADER,
    Field("version", "B", doc="PUS version and acknowledgement flags"),
    Field("service", "B"),
    Field("subtype", "B"),
    Field("source", "H"),
)
HEADERS = {"TM": TM_HEADER, "TC": TC_HEADER}


def size_of(fields: tuple[Field, ...]) -> int:
    """Octets of the fields together."""
    return sum(f.size for f in fields)


@dataclass(frozen=True)
class Parameter:
    """One ST[20] parameter: a signed 32-bit value kept within [low, high]."""

    id: int
    name: str
    unit: str
    default: int
    low: int
    high: int
    doc: str


Named = TypeVar("Named", Packet, Parameter)


def by_name(entries: Iterable[Named]) -> dict[str, Named]:
    """Packets or parameters by their names."""
    return {entry.name: entry for entry in entries}


class Apid(IntEnum):
    """Application process identifiers: one for each role."""

    MONITOR = 0x0A1
    TRANSDUCER = 0x0A2
    ANALYSER = 0x0A3
    COOLANT = 0x0A4


ROLES: dict[str, Apid] = {a.name.lower(): a for a in Apid}

PACKET_MAX = 60
FRAME_MAX = PACKET_MAX + 1
PEC = 2
"""Octets of the packet error control."""
TC_HEADER_SIZE = size_of(TC_HEADER)
TM_HEADER_SIZE = size_of(TM_HEADER)
TC_MIN = TC_HEADER_SIZE + PEC
TM_MIN = TM_HEADER_SIZE + PEC
RX_MAX = 48
PUS_VERSION = 2
CDS_P_FIELD = 0x40
DAY_MS = 86_400_000
VERSION = int.from_bytes(map(int, version.TEXT.split(".")))
"""Major, minor and patch number, an octet each."""


class Ack(IntEnum):
    """TC acknowledgement flags: acceptance is the least significant bit (see SPEC.md for the ground of this choice)."""

    ACCEPTANCE = 1
    START = 2
    PROGRESS = 4
    COMPLETION = 8


class AlarmClass(IntEnum):
    """Alarm classes in the field's words; the number is also the ST[05] subtype that carries them."""

    NOMINAL = 0
    ADVISORY = 1
    CAUTION = 2
    WARNING = 3
    EMERGENCY = 4


class Cause(IntEnum):
    """Why the detector justifies its class."""

    NONE = 0
    RAPID = 1
    SLOW = 2
    NITROGEN = 3
    COOLANT = 4
    LEVEL = 5
    GAP = 6
    PERMIT = 7


class Health(IntEnum):
    """State of the pressure transducer as the monitor sees it."""

    OK = 0
    BELOW_RANGE = 1
    ABOVE_RANGE = 2
    FAULT = 3
    SILENT = 4
    IMPLAUSIBLE = 5
    STUCK = 6
    TIME = 7


class Law(IntEnum):
    """Leak law behind the reported T-reserve."""

    UNKNOWN = 0
    ORIFICE = 1
    CRACK = 2
    LINEAR = 3


class Event(IntEnum):
    """Event definition identifiers of ST[05]."""

    BOOT = 1
    ALARM = 2
    ALARM_ENDED = 3
    SENSOR_LOST = 4
    SENSOR_FOUND = 5
    LINK_NOISE = 6
    INHIBIT_ENDED = 7
    COOLANT_LOW = 8
    NOT_KEPT = 9
    ALARM_RETURNED = 10
    ALARM_AGAIN = 11
    ALARM_ACKNOWLEDGED = 12
    ALARM_REMINDER = 13
    SENSOR_RETURNED = 14
    SENSOR_AGAIN = 15
    SENSOR_ACKNOWLEDGED = 16
    SENSOR_REMINDER = 17
    INHIBITED = 18
    OUT_OF_SERVICE = 19
    IN_SERVICE = 20
    COMMANDED = 21
    REFUSED = 22


class AlarmState(IntEnum):
    """What is latched of an alarm, in the words of ISA-18.2; odd = unacknowledged. The moves are in alarms.py."""

    NORMAL = 0
    UNACKNOWLEDGED = 1
    ACKNOWLEDGED = 2
    RETURNED = 3


class Ending(IntEnum):
    """How a suppression ended."""

    TIME = 0
    COMMANDED = 1
    FALL = 2
    CLASS = 3


class Reset(IntEnum):
    """Reset causes, the ``cause`` of a boot event."""

    POWER_ON = 0
    COMMANDED = 1
    WATCHDOG = 2
    EXTERNAL = 3


class Stored(IntEnum):
    """Bits of the highest octet of a boot event's value: what became of the parameters and alarms that were stored."""

    KEPT = 1
    BROKEN = 2
    VOLATILE = 4


class Failure(IntEnum):
    """Failure codes: those of NOT_ACCEPTED in TM[1,2], the others in TM[1,8] (accepted, could not be done)."""

    NONE = 0
    PUS_VERSION = 1
    SERVICE = 2
    SUBTYPE = 3
    LENGTH = 4
    COUNT = 5
    STRUCTURE = 6
    FUNCTION = 7
    ARGUMENT = 8
    PARAMETER = 9
    RANGE = 10
    NO_ALARM = 11
    STALE = 12
    NO_EVENT = 13
    TAG = 14
    COUNTER = 15
    EARLY = 16


NOT_ACCEPTED = frozenset(
    (Failure.PUS_VERSION, Failure.SERVICE, Failure.SUBTYPE, Failure.LENGTH, Failure.TAG, Failure.COUNTER)
)


class Function(IntEnum):
    """ST[08] functions."""

    ACKNOWLEDGE = 1
    RESTART_DETECTOR = 2
    INHIBIT = 3
    REBOOT = 4
    DEFAULTS = 5
    OUT_OF_SERVICE = 6
    TEST_SIGNALS = 7


class Flag(IntEnum):
    """Bits of the housekeeping flags field."""

    ACKNOWLEDGED = 1
    INHIBITED = 2
    NITROGEN_WATCH = 4
    PERIODIC_HK = 8
    RETURNED = 16
    BLIND = 32
    BLIND_ACKNOWLEDGED = 64
    OUT_OF_SERVICE = 128


SID = Field("sid", "B", doc="structure ID", fixed=1)
N = Field("n", "B", doc="number of entries; this protocol carries one", fixed=1)
REQUEST = (
    Field("request_packet", "H", doc="packet ID of the telecommand"),
    Field("request_sequence", "H", doc="packet sequence control of the telecommand"),
)
FAILURE = Field("failure", "B", doc="failure code", enum=Failure)

EVENT = (
    Field("event", "B", doc="event definition ID", enum=Event),
    Field("cause", "B", doc="alarm cause, sensor health, reset cause or count, as the event table says"),
    Field("value", "i", doc="see the event table"),
)

LATCHED = (
    Field("occurrence", "H", doc="of the alarm: 1 to 65535, 0 before the first"),
    Field("alarm", "B", doc="its latched class", enum=AlarmClass),
    Field("alarm_cause", "B", doc="cause of the latched class: alarm cause, or sensor health"),
    Field("state", "B", doc="its state", enum=AlarmState),
)
"""The alarm after the event: the one that the event is about, otherwise that of the cabin."""

NUMBER = Field("number", "B", doc="number of the event, or of the last numbered one, modulo 256")
MONITOR_EVENT = (*EVENT, *LATCHED, NUMBER)

STAMP = (
    Field("day", "H", doc="day and"),
    Field("ms", "I", "ms", "millisecond of day at which it was sent"),
)
RECORDED = (
    NUMBER,
    Field("severity", "B", doc="its class", enum=AlarmClass),
    EVENT[0],
    *STAMP,
    *EVENT[1:],
    *LATCHED,
)


def _alarm(point: str, cause: "type[IntEnum]") -> tuple[Field, ...]:
    return (
        Field(f"{point}_state", "B", doc="state of the alarm", enum=AlarmState),
        Field(f"{point}_class", "B", doc="its latched class", enum=AlarmClass),
        Field(f"{point}_cause", "B", doc="cause of the latched class", enum=cause),
        Field(f"{point}_first_cause", "B", doc="cause of the first class since it was normal", enum=cause),
        Field(f"{point}_occurrence", "H", doc="its occurrence"),
        Field(f"{point}_day", "H", doc="day and"),
        Field(f"{point}_ms", "I", "ms", "millisecond of day of the first class since it was normal"),
        Field(f"{point}_suppressed_s", "H", "s", "time left of an inhibit, or out of service; 0 = neither"),
    )


ALARMS = (
    *_alarm("cabin", Cause),
    *_alarm("blind", Health),
    Field("inhibited", "B", doc="the highest class that is inhibited; 0 = none", enum=AlarmClass),
)

MONITOR_HK = (
    SID,
    Field("alarm", "B", doc="latched alarm class", enum=AlarmClass),
    Field("alarm_now", "B", doc="class that the data justify now", enum=AlarmClass),
    Field("cause", "B", doc="cause of alarm_now", enum=Cause),
    Field("health", "B", doc="transducer health", enum=Health),
    Field("flags", "B", doc="see HKP-05"),
    Field("law", "B", doc="leak law behind tres_s", enum=Law),
    Field("pressure_cPa", "I", "cPa", "pressure of the last plausible sample"),
    Field("temperature_cK", "H", "cK", "its temperature"),
    Field("rate_cPa_h", "i", "cPa/h", "rate of pressure, temperature taken out; negative = falling"),
    Field("sigma_cPa_h", "I", "cPa/h", "one standard uncertainty of the rate"),
    Field("tres_s", "I", "s", "T-reserve: time until `reserve` is reached; 1073741823 = no leak seen"),
    Field("frames_ok", "H", doc="good frames, modulo 65536"),
    Field("bad_crc", "H", doc="frames with a wrong PEC, modulo 65536"),
    Field("bad_framing", "H", doc="frames with wrong COBS or length, modulo 65536"),
    Field("bad_size", "H", doc="over-long frames, modulo 65536"),
    Field("rejected", "H", doc="good packets that are not for this node, modulo 65536"),
    Field("timeouts", "H", doc="polls without an answer in time, modulo 65536"),
    Field("last_event", "B", doc="number of the last event, modulo 256"),
)

SAMPLE = (
    SID,
    Field("pressure_cPa", "I", "cPa", "cabin pressure"),
    Field("temperature_cK", "H", "cK", "gas temperature at the transducer"),
    Field("status", "B", doc="what the reading is worth", enum=Health, of=(0, 1, 2, 3)),
)

COMPOSITION = (
    SID,
    Field("ppn2_cPa", "I", "cPa", "partial pressure of nitrogen"),
    Field("ppo2_cPa", "I", "cPa", "partial pressure of oxygen"),
    Field("ppco2_cPa", "I", "cPa", "partial pressure of carbon dioxide"),
    Field("pph2o_cPa", "I", "cPa", "partial pressure of water vapour"),
    Field("temperature_cK", "H", "cK", "gas temperature at the analyser"),
    Field("status", "B", doc="what the reading is worth", enum=Health, of=(0, 3)),
)

COOLANT_STATE = (
    SID,
    Field("pressure_cPa", "I", "cPa", "loop pressure at the accumulator, capped at 2^30-1"),
    Field("quantity_ppm", "I", "ppm", "accumulator fill, millionths of its volume"),
    Field("temperature_cK", "H", "cK", "coolant temperature"),
    Field("status", "B", doc="what the reading is worth", enum=Health, of=(0, 3)),
)

PARAMETER = (
    N,
    Field("parameter", "B", doc="parameter ID"),
    Field("value", "i", doc="its value, in its unit"),
)

ALL_ROLES = tuple(ROLES)
INSTRUMENTS = ("transducer", "analyser", "coolant")
COMMANDED = ("monitor", "transducer")

TM_PACKETS = (
    Packet("accepted", "TM", 1, 1, ALL_ROLES, REQUEST, "acceptance of a telecommand"),
    Packet("not_accepted", "TM", 1, 2, ALL_ROLES, (*REQUEST, FAILURE), "refusal of a telecommand"),
    Packet("completed", "TM", 1, 7, ALL_ROLES, REQUEST, "execution completed"),
    Packet("failed", "TM", 1, 8, ALL_ROLES, (*REQUEST, FAILURE), "execution failed, nothing changed"),
    Packet("housekeeping", "TM", 3, 25, ("monitor",), MONITOR_HK, "state of the monitor"),
    Packet("sample", "TM", 3, 25, ("transducer",), SAMPLE, "one pressure sample"),
    Packet("composition", "TM", 3, 25, ("analyser",), COMPOSITION, "one analysis of the air"),
    Packet("coolant", "TM", 3, 25, ("coolant",), COOLANT_STATE, "state of a coolant loop"),
    *(
        Packet(name, "TM", 5, c.value, roles, fields, f"event of class {c.name.capitalize()}")
        for roles, fields in ((("monitor",), MONITOR_EVENT), (INSTRUMENTS, EVENT))
        for c in AlarmClass
        if c
        for name in [("" if fields is MONITOR_EVENT else "instrument_") + f"event_{c.name.lower()}"]
    ),
    Packet("alive", "TM", 17, 2, ALL_ROLES, (), "answer to a connection test"),
    Packet("parameter_value", "TM", 20, 2, COMMANDED, PARAMETER, "value of one parameter"),
    Packet("recorded_event", "TM", 128, 2, ("monitor",), RECORDED, "an event that the monitor has kept"),
    Packet("alarms", "TM", 128, 4, ("monitor",), ALARMS, "state of the alarms"),
)

TC_PACKETS = (
    Packet("enable_hk", "TC", 3, 5, ("monitor",), (N, SID), "turn periodic housekeeping on"),
    Packet("disable_hk", "TC", 3, 6, ("monitor",), (N, SID), "turn periodic housekeeping off"),
    Packet("report_hk", "TC", 3, 27, ALL_ROLES, (N, SID), "report once"),
    Packet(
        "perform",
        "TC",
        8,
        1,
        ("monitor",),
        (
            Field("function", "B", enum=Function),
            Field("argument", "H", doc="see the functions"),
        ),
        "perform a function",
    ),
    Packet("ping", "TC", 17, 1, ALL_ROLES, (), "connection test: are you alive"),
    Packet("report_parameter", "TC", 20, 1, COMMANDED, (N, PARAMETER[1]), "report one parameter"),
    Packet("set_parameter", "TC", 20, 3, COMMANDED, PARAMETER, "set one parameter"),
    Packet("report_event", "TC", 128, 1, ("monitor",), (NUMBER,), "report a kept event once more"),
    Packet("report_alarms", "TC", 128, 3, ("monitor",), (), "report the state of the alarms"),
)

INHIBIT_MAX_S = 7200
TEST_MAX = 13
"""Largest argument of a test of lamp and buzzer: blindness, acknowledged."""
INHIBIT_CLASS_SHIFT = 13
"""An inhibit's argument: the time in its low bits, above them the highest class inhibited; 0 = all."""
NOISE_LIMIT = 10
"""Bad frames in one housekeeping period that raise a link-noise event."""
T_CAP = (1 << 30) - 1
"""T-reserve where no leak is seen, s."""
RESERVE_MAX = T_CAP - 1
"""Largest threshold on it. A device clips the values it is sent at T_CAP: it has to be out of bounds, to be refused."""

MONITOR_PARAMETERS = (
    Parameter(0, "poll_period", "ms", 1000, 100, 3_600_000, "time between polls of the transducer"),
    Parameter(
        1, "reply_timeout", "ms", 250, 20, 60_000, "how long an answer may take before the poll is repeated"
    ),
    Parameter(
        2, "poll_retries", "", 2, 0, 5, "repeats of an unanswered poll before the sensor counts as silent"
    ),
    Parameter(3, "hk_period", "ms", 10_000, 1000, DAY_MS, "time between periodic housekeeping reports"),
    Parameter(
        4, "pressure_low", "cPa", 100_000, 0, 16_000_000, "readings below are implausible, not believed"
    ),
    Parameter(
        5, "pressure_high", "cPa", 12_000_000, 0, 16_000_000, "readings above are implausible, not believed"
    ),
    Parameter(
        6,
        "stuck_samples",
        "",
        120,
        0,
        100_000,
        "identical readings in a row that mean a stuck sensor; 0 = never",
    ),
    Parameter(
        7,
        "analyser_period",
        "ms",
        300_000,
        0,
        DAY_MS,
        "time between polls of the constituent analyser; 0 = none",
    ),
    Parameter(
        8,
        "breath",
        "cPa/d",
        45_000,
        0,
        200_000,
        "fall of total pressure by breathing: six people 410 Pa/d, and a margin",
    ),
    Parameter(
        9,
        "loss",
        "cPa/d",
        2500,
        0,
        200_000,
        "planned fall of nitrogen: its share of 0.6 lb/d from 916 m3, rounded up",
    ),
    Parameter(
        10,
        "threshold",
        "",
        61,
        40,
        100,
        "the fastest scale calls beyond this many eighths of its mean absolute deviation",
    ),
    Parameter(
        11,
        "step",
        "cPa",
        100_000,
        1000,
        1_000_000,
        "a quick fall beyond this is a leak; hatch, airlock and docking move less",
    ),
    Parameter(
        12, "hold", "s", 1200, 10, 7200, "a quick fall that goes on for this long is a leak however small"
    ),
    Parameter(13, "fast", "cPa/min", 600, 60, 60_000, "quicker changes are followed sample by sample"),
    Parameter(14, "lag", "s", 60, 0, 120, "lag of the temperature sensor behind the gas"),
    Parameter(
        15, "floor", "cPa", 500, 10, 10_000, "change from sample to sample that is left to the slow watch"
    ),
    Parameter(16, "emergency", "s", 3600, 0, RESERVE_MAX, "T-reserve below which a leak is an Emergency"),
    Parameter(17, "warning", "s", 86_400, 0, RESERVE_MAX, "T-reserve below which a leak is a Warning"),
    Parameter(18, "caution", "s", 2_592_000, 0, RESERVE_MAX, "T-reserve below which a leak is a Caution"),
    Parameter(19, "reserve", "cPa", 6_532_800, 0, 10_000_000, "pressure at which the reserve ends: 490 mmHg"),
    Parameter(
        20,
        "wander",
        "cPa",
        1000,
        10,
        100_000,
        "spread of the slow scales that is believed before it is learned",
    ),
    Parameter(
        21, "permit", "cPa", 60_000, 0, 2_000_000,
        "fall that an inhibit permits: an airlock cycle of 470 Pa, a step of the gauge, noise",
    ),
    Parameter(22, "off_delay", "s", 600, 0, 86_400, "how long an alarm's cause has to be gone to count as gone"),
    Parameter(23, "remind", "s", 3600, 0, 86_400, "time between reminders of an unacknowledged alarm; 0 = none"),
    Parameter(24, "blind_delay", "s", 10, 0, 3600, "blindness that raises the alarm of a lost sensor, Caution"),
    Parameter(25, "blind_escalate", "s", 600, 0, 86_400, "blindness that makes it a Warning"),
    Parameter(
        26, "level_warning", "cPa", 6_970_000, 0, 10_000_000,
        "pressure at which the air itself is a Warning: a cabin altitude of 10,000 ft; 0 = none",
    ),
)  # fmt: skip

TRANSDUCER_PARAMETERS = (
    Parameter(0, "offset", "cPa", 0, -100_000, 100_000, "calibration offset added to each valid reading"),
)

PARAMETERS = {"monitor": MONITOR_PARAMETERS, "transducer": TRANSDUCER_PARAMETERS}


def packet(kind: str, service: int, subtype: int, role: str) -> Packet | None:
    """The table's packet of that message type which ``role`` sends (TM) or accepts (TC); None where there is none."""
    return _INDEX.get((kind, service, subtype, role))


_INDEX = {(p.kind, p.service, p.subtype, role): p for p in (*TM_PACKETS, *TC_PACKETS) for role in p.roles}
