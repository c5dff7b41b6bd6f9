"""A third party's transducer: answers polls of the cabin link. Written from the protocol's specification alone."""

import struct
from binascii import crc_hqx


class AcmeTransducer:
    """``read(t_ms)`` gives pressure in Pa and temperature in K; ``answer`` speaks PUS over COBS."""

    delay_ms = 3
    apid = 0x0A2

    def __init__(self, read):
        self.read = read
        self.count = 0
        self.last = None

    def answer(self, packet, t_ms):
        """Frames in answer to one packet (CRC checked already)."""
        request = packet[0:4]
        flags, service, subtype = packet[6] & 15, packet[7], packet[8]
        source = packet[9:11]
        if packet[6] >> 4 != 2:
            return self._tm(1, 2, source, request + b"\x01", t_ms)
        if (service, subtype) not in ((3, 27), (17, 1)):
            return self._tm(1, 2, source, request + (b"\x03" if service in (3, 17) else b"\x02"), t_ms)
        if len(packet) != (15 if service == 3 else 13):
            return self._tm(1, 2, source, request + b"\x04", t_ms)
        out = self._tm(1, 1, source, request, t_ms) if flags & 1 else b""
        if service == 3:
            pascal, kelvin = self.read(t_ms)
            data = struct.pack(">BIHB", 1, round(pascal * 100), round(kelvin * 100), 0)
            out += self._tm(3, 25, source, data, t_ms)
        else:
            out += self._tm(17, 2, source, b"", t_ms)
        return out + (self._tm(1, 7, source, request, t_ms) if flags & 8 else b"")

    def _tm(self, service, subtype, destination, data, t_ms):
        head = struct.pack(">HHH", 0x0800 | self.apid, 0xC000 | self.count, 14 + len(data) + 1)
        self.count = (self.count + 1) & 0x3FFF
        head += struct.pack(">BBBH", 0x20, service, subtype, 0) + destination
        head += struct.pack(">BHI", 0x40, t_ms // 86_400_000, t_ms % 86_400_000) + data
        return b"\0" + stuff(head + struct.pack(">H", crc_hqx(head, 0xFFFF))) + b"\0"


def stuff(data):
    """COBS of fewer than 254 octets."""
    return b"".join(bytes((len(part) + 1,)) + part for part in data.split(b"\0"))
