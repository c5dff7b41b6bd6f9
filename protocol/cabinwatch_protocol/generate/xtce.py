"""The XTCE 1.2 description of every packet, for ground systems, made from the packet table.

Telemetry as containers under an abstract root, telecommands both as containers (so that a capture of the line decodes
whole) and as meta commands (so that a ground system can send them). The ground's link fills in the PEC.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from enum import IntEnum

from cabinwatch_protocol import keyed
from cabinwatch_protocol import table as t
from cabinwatch_protocol.generate import PROTOCOL

XTCE = PROTOCOL / "cabinwatch.xtce.xml"
SPACE = "http://www.omg.org/spec/XTCE/20180204"
ROOT = "CCSDSPacket"

PRIMARY = (
    ("VERSION", 3, "packet version number"),
    ("TYPE", 1, "0 telemetry, 1 telecommand"),
    ("SEC_HDR_FLG", 1, "secondary header flag"),
    ("PKT_APID", 11, "application process identifier"),
    ("SEQ_FLGS", 2, "sequence flags"),
    ("SRC_SEQ_CTR", 14, "sequence count"),
    ("PKT_LEN", 16, "packet data length: octets after the primary header, less one"),
)
TM_HEADER = (
    ("TM_PUS_VERSION", 4, "PUS version"),
    ("TM_TIME_REFERENCE", 4, "time reference status"),
    ("TM_SERVICE", 8, "service type"),
    ("TM_SUBTYPE", 8, "message subtype"),
    ("TM_TYPE_COUNTER", 16, "message type counter"),
    ("TM_DESTINATION", 16, "destination ID"),
    ("TM_TIME_P_FIELD", 8, "CDS short, 40"),
    ("TM_TIME_DAY", 16, "day"),
    ("TM_TIME_MS", 32, "millisecond of day"),
)
TC_HEADER = (
    ("TC_PUS_VERSION", 4, "PUS version"),
    ("TC_ACK", 4, "acknowledgement flags"),
    ("TC_SERVICE", 8, "service type"),
    ("TC_SUBTYPE", 8, "message subtype"),
    ("TC_SOURCE", 16, "source ID"),
)
PEC = ("PEC", 16, "packet error control")


def _add(parent: ET.Element, tag: str, **attributes: object) -> ET.Element:
    return ET.SubElement(parent, tag, {k: str(v) for k, v in attributes.items()})


class Types:
    """A set of parameter or argument types (``kind``), each written once, named after what it holds."""

    def __init__(self, parent: ET.Element, kind: str) -> None:
        self._set = _add(parent, f"{kind}TypeSet")
        self._kind = kind
        self._known: set[str] = set()

    def integer(self, bits: int, signed: bool = False, unit: str = "") -> str:
        """An integer type; its name."""
        name = f"{'I' if signed else 'U'}{bits}" + (f"_{unit.replace('/', '_per_')}" if unit else "")
        if name not in self._known:
            self._known.add(name)
            attributes = {"name": name, "signed": str(signed).lower(), "sizeInBits": bits}
            element = _add(self._set, f"Integer{self._kind}Type", **attributes)
            if unit:
                _add(_add(element, "UnitSet"), "Unit").text = unit
            encoding = "twosComplement" if signed else "unsigned"
            _add(element, "IntegerDataEncoding", sizeInBits=bits, encoding=encoding)
        return name

    def enumerated(self, enum: type[IntEnum], bits: int) -> str:
        """An enumeration; its name."""
        if enum.__name__ not in self._known:
            self._known.add(enum.__name__)
            element = _add(self._set, f"Enumerated{self._kind}Type", name=enum.__name__)
            _add(element, "IntegerDataEncoding", sizeInBits=bits, encoding="unsigned")
            labels = _add(element, "EnumerationList")
            for member in enum:
                _add(labels, "Enumeration", value=member.value, label=member.name)
        return enum.__name__

    def of(self, f: t.Field) -> str:
        """The type of a field."""
        if f.enum is not None:
            return self.enumerated(f.enum, 8 * f.size)
        return self.integer(8 * f.size, f.code == "i", f.unit)


class Telemetry:
    """Builds TelemetryMetaData."""

    def __init__(self, system: ET.Element) -> None:
        meta = _add(system, "TelemetryMetaData")
        self.types = Types(meta, "Parameter")
        self.parameters = _add(meta, "ParameterSet")
        self.containers = _add(meta, "ContainerSet")
        self._known: set[str] = set()

    def parameter(self, name: str, kind: str, doc: str) -> None:
        """A parameter, once."""
        if name not in self._known:
            self._known.add(name)
            _add(self.parameters, "Parameter", name=name, parameterTypeRef=kind, shortDescription=doc)

    def container(
        self,
        name: str,
        entries: tuple[tuple[str, int, str], ...],
        base: str = "",
        where: dict[str, int] | None = None,
        abstract: bool = True,
        doc: str = "",
        unless: Iterable[tuple[str, int]] = (),
    ) -> ET.Element:
        """A container of whole-number entries, for packets ``where`` and not ``unless``; its entry list, for more."""
        about = {"shortDescription": doc} if doc else {}
        element = _add(
            self.containers, "SequenceContainer", name=name, abstract=str(abstract).lower(), **about
        )
        listed = _add(element, "EntryList")
        for entry, bits, text in entries:
            self.parameter(entry, self.types.integer(bits), text)
            _add(listed, "ParameterRefEntry", parameterRef=entry)
        if base:
            criteria = _add(_add(element, "BaseContainer", containerRef=base), "RestrictionCriteria")
            comparisons = _add(criteria, "ComparisonList")
            for parameter, value in (where or {}).items():
                _add(
                    comparisons, "Comparison", parameterRef=parameter, value=value, useCalibratedValue="false"
                )
            for parameter, value in unless:
                _add(
                    comparisons, "Comparison", parameterRef=parameter, value=value, comparisonOperator="!=",
                    useCalibratedValue="false",
                )  # fmt: skip
        return listed

    def packet(self, p: t.Packet) -> None:
        """One message type: its fields and the PEC."""
        where = {f"{p.kind}_SERVICE": p.service, f"{p.kind}_SUBTYPE": p.subtype}
        if len(p.roles) == 1:
            where["PKT_APID"] = t.ROLES[p.roles[0]]
        apart = [("PKT_APID", t.ROLES[role]) for role in _apart(p)]
        listed = self.container(
            p.name, (), p.kind, where, abstract=False, doc=f"{p.title} {p.doc}", unless=apart
        )
        for f in p.fields:
            name = f"{p.name}_{f.name}"
            self.parameter(name, self.types.of(f), f.doc or f.name)
            _add(listed, "ParameterRefEntry", parameterRef=name)
        self.parameter(PEC[0], self.types.integer(PEC[1]), PEC[2])
        _add(listed, "ParameterRefEntry", parameterRef=PEC[0])


class Commands:
    """Builds CommandMetaData: one meta command for each telecommand and role."""

    def __init__(self, system: ET.Element) -> None:
        meta = _add(system, "CommandMetaData")
        self.types = Types(meta, "Argument")
        self.commands = _add(meta, "MetaCommandSet")

    def command(self, p: t.Packet, role: str) -> None:
        """One telecommand to one role."""
        doc = f"{p.title} to the {role}: {p.doc}"
        command = _add(self.commands, "MetaCommand", name=f"{role}_{p.name}", shortDescription=doc)
        arguments = _add(command, "ArgumentList")
        container = _add(command, "CommandContainer", name=f"{role}_{p.name}")
        entries = _add(container, "EntryList")

        def argument(name: str, kind: str, doc: str, initial: int | None = None) -> None:
            more = {} if initial is None else {"initialValue": initial}
            _add(arguments, "Argument", name=name, argumentTypeRef=kind, shortDescription=doc, **more)
            _add(entries, "ArgumentRefEntry", argumentRef=name)

        def fixed(name: str, value: int, bits: int) -> None:
            octets = value.to_bytes((bits + 7) // 8, "big").hex()
            _add(entries, "FixedValueEntry", name=name, binaryValue=octets, sizeInBits=bits)

        fixed("packet_id", 0x1800 | t.ROLES[role], 16)
        fixed("sequence_flags", 3, 2)
        argument("sequence_count", self.types.integer(14), "sequence count")
        fixed("data_length", 5 + p.data_size + t.PEC - 1, 16)
        fixed("pus_version", t.PUS_VERSION, 4)
        argument("ack", self.types.integer(4), "acknowledgement flags", t.Ack.ACCEPTANCE | t.Ack.COMPLETION)
        fixed("service", p.service, 8)
        fixed("subtype", p.subtype, 8)
        argument("source", self.types.integer(16), "source ID", 0)
        for f in p.fields:
            if f.fixed is None:
                argument(f.name, self.types.of(f), f.doc or f.name)
            else:
                fixed(f.name, f.fixed, 8 * f.size)
        fixed("pec", 0, 16)


def _apart(p: t.Packet) -> list[str]:
    """The roles that have a packet of their own of a message type which ``p`` shares between others."""
    same = (q for q in t.TM_PACKETS if (q.service, q.subtype) == (p.service, p.subtype) and q is not p)
    return [q.roles[0] for q in same if len(q.roles) == 1 < len(p.roles) and p.kind == q.kind]


def xtce() -> str:
    """protocol/cabinwatch.xtce.xml."""
    ET.register_namespace("xtce", SPACE)
    about = "Packets of the cabinwatch protocol; generated from protocol/cabinwatch_protocol/table.py, see SPEC.md"
    system = ET.Element("SpaceSystem", {"name": "cabinwatch", "shortDescription": about})
    version = f"{t.VERSION >> 16}.{t.VERSION >> 8 & 255}.{t.VERSION & 255}"
    _add(system, "Header", validationStatus="Working", version=version)
    telemetry = Telemetry(system)
    telemetry.container(ROOT, PRIMARY)
    telemetry.container("TM", TM_HEADER, ROOT, {"TYPE": 0, "SEC_HDR_FLG": 1})
    telemetry.container("TC", TC_HEADER, ROOT, {"TYPE": 1, "SEC_HDR_FLG": 1})
    for p in (*t.TM_PACKETS, *t.TC_PACKETS, *keyed.PACKETS):
        telemetry.packet(p)
    commands = Commands(system)
    for p in (*t.TC_PACKETS, keyed.REPORT_SESSION):
        for role in p.roles:
            commands.command(p, role)
    for element in system.iter():
        element.tag = f"{{{SPACE}}}{element.tag}"
    ET.indent(system)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(system, encoding="unicode") + "\n"
