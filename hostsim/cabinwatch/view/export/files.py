"""Captured packets into files: one CSV a kind of packet, JSON Lines, and pcapng for Wireshark."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cabinwatch.errors import UsageError
from cabinwatch.optional import need
from cabinwatch.view.export.captured import Captured

USER0 = 147
"""LINKTYPE_USER0: the link type that is free for one's own packets."""
INBOUND, OUTBOUND = 1, 2
"""Direction bits of an enhanced packet block's flags, as the monitor sees them."""


def entry(captured: Captured) -> dict[str, Any]:
    """A packet as one flat object: time, direction, what it is, its header and its fields by name."""
    shown: dict[str, Any] = {"t_s": captured.t_us / 1e6, "direction": captured.direction}
    packet = captured.decoded
    if packet is None:
        return {**shown, "packet": None, "octets": captured.packet.hex()}
    shown |= {"packet": packet.packet.name, "title": packet.packet.title, "role": packet.role}
    shown |= {"sequence": packet.sequence}
    if packet.packet.kind == "TM":
        shown["node_time_ms"] = packet.time_ms
    return shown | packet.values


def write_jsonl(captured: Iterable[Captured], path: Path) -> None:
    """One object a line. Raises UsageError where the file cannot be written."""
    try:
        with path.open("w", encoding="utf-8") as out:
            out.writelines(json.dumps(entry(c)) + "\n" for c in captured)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None


def write_csv(captured: Iterable[Captured], path: Path) -> list[Path]:
    """One file a kind of packet, ``NAME-KIND.csv`` beside ``path``, units in the header; returns what was written.

    Raises UsageError where a file cannot be written.
    """
    kinds: dict[str, list[Captured]] = {}
    for one in captured:
        if one.decoded is not None:
            kinds.setdefault(one.decoded.packet.name, []).append(one)
    written = []
    try:
        for name, packets in sorted(kinds.items()):
            target = path.with_name(f"{path.stem}-{name}{path.suffix or '.csv'}")
            with target.open("w", newline="", encoding="utf-8") as out:
                table = csv.writer(out)
                table.writerow([*HEAD, *(f.title for f in packets[0].decoded.packet.fields)])  # type: ignore[union-attr]
                table.writerows(_row(one) for one in packets)
            written.append(target)
    except OSError as error:
        raise UsageError(f"cannot write {error.filename}: {error.strerror}") from None
    return written


HEAD = ("t, s", "direction", "role", "sequence", "node time, ms")


def _row(one: Captured) -> list[object]:
    shown = entry(one)
    assert one.decoded is not None
    head = [shown["t_s"], one.direction, shown["role"], shown["sequence"], shown.get("node_time_ms", "")]
    return [*head, *(shown[f.name] for f in one.decoded.packet.fields)]


def write_pcapng(captured: Iterable[Captured], path: Path) -> int:
    """Every packet as a block of link type USER0, with direction and time; returns how many there are.

    Raises SetupError without ``cabinwatch[export]``, UsageError where the file cannot be written.
    """
    blocks, writer = need("pcapng.blocks", "export"), need("pcapng", "export")
    section = blocks.SectionHeader(options={"shb_userappl": "cabinwatch"})
    line = section.new_member(blocks.InterfaceDescription, link_type=USER0, options={"if_name": "link"})
    directions = {"up": OUTBOUND, "down": INBOUND}
    count = 0
    try:
        with path.open("wb") as out:
            file = writer.FileWriter(out, section)
            for one in captured:
                block = section.new_member(
                    blocks.EnhancedPacket,
                    interface_id=line.interface_id,
                    timestamp_high=one.t_us >> 32,
                    timestamp_low=one.t_us & 0xFFFFFFFF,
                    packet_len=len(one.packet),
                    captured_len=len(one.packet),
                    packet_data=one.packet,
                    options={"epb_flags": directions.get(one.direction, 0)},
                )
                file.write_block(block)
                count += 1
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
    return count
