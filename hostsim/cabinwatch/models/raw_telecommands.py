"""Telecommands that no ground should send: every field can be wrong, and the octets need not be a packet at all."""

from struct import pack
from typing import Self

from cobs import cobs
from pydantic import Field, model_validator

from cabinwatch.models.fields import Duration, Table
from cabinwatch_protocol import table as t
from cabinwatch_protocol.host import crc16


class RawTelecommand(Table):
    """One entry of ``[[raw]]``: octets put on the line to the monitor past the ground's queue.

    The defaults make a right connection test; each field can then be set wrong. Fields too wide for the packet are
    refused, everything else is sent as it is.
    """

    at: Duration = Field(description="when, s from the start")
    times: int = Field(1, ge=1, le=1000, description="how often it is sent")
    gap_ms: int = Field(0, ge=0, le=60_000, description="time between repeats, ms")
    octets: str | None = Field(None, description="hex of the octets on the line; what follows is then unused")
    apid: int = Field(int(t.Apid.MONITOR), ge=0, le=0x7FF, description="application process identifier")
    type_: int = Field(1, ge=0, le=1, alias="type", description="packet type: 1 telecommand, 0 telemetry")
    packet_version: int = Field(0, ge=0, le=7, description="CCSDS packet version")
    secondary: int = Field(1, ge=0, le=1, description="secondary header flag")
    sequence_flags: int = Field(3, ge=0, le=3, description="3 = unsegmented")
    sequence: int = Field(0x3FFF, ge=0, le=0x3FFF, description="sequence count")
    pus_version: int = Field(t.PUS_VERSION, ge=0, le=15, description="PUS version")
    ack: int = Field(9, ge=0, le=15, description="acknowledgement flags")
    service: int = Field(17, ge=0, le=255, description="service type")
    subtype: int = Field(1, ge=0, le=255, description="message subtype")
    source: int = Field(0, ge=0, le=65535, description="source ID")
    data: str = Field("", description="application data, hex")
    length_off: int = Field(0, ge=-100, le=65535, description="added to the packet data length")
    pec_xor: int = Field(0, ge=0, le=65535, description="bits of the packet error control to turn over")
    zeros: int = Field(0, ge=0, le=1000, description="zero octets appended after the packet error control")
    cut: int = Field(0, ge=0, le=1000, description="octets cut off the end of the stuffed frame")

    @model_validator(mode="after")
    def _hex(self) -> Self:
        for name in ("octets", "data"):
            try:
                bytes.fromhex(getattr(self, name) or "")
            except ValueError:
                raise ValueError(f"{name} is not hex") from None
        return self

    def frame(self) -> bytes:
        """What goes on the line, delimiters included."""
        if self.octets is not None:
            return bytes.fromhex(self.octets)
        body = bytes.fromhex(self.data)
        pid = self.packet_version << 13 | self.type_ << 12 | self.secondary << 11 | self.apid
        length = 5 + len(body) + t.PEC - 1 + self.length_off
        head = pack(">HHH", pid, self.sequence_flags << 14 | self.sequence, length & 0xFFFF)
        head += (
            pack(">BBBH", self.pus_version << 4 | self.ack, self.service, self.subtype, self.source) + body
        )
        packet = head + pack(">H", crc16(head) ^ self.pec_xor) + bytes(self.zeros)
        stuffed: bytes = cobs.encode(packet)
        return b"\0" + stuffed[: max(0, len(stuffed) - self.cut)] + b"\0"

    def times_ms(self) -> list[int]:
        """When it is sent, ms."""
        first = round(self.at * 1000)
        return [first + i * self.gap_ms for i in range(self.times)]
