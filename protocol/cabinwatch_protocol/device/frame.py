"""COBS frames on the UART, both ways, in place: no packet is ever copied and nothing is allocated.

A packet is at most 60 octets, so a frame is one COBS block chain without the 254-octet case, and stuffing only
replaces each zero by the distance to the next: 00 code packet... 00.
"""

from cabinwatch_protocol.device.consts import BAD_CRC, BAD_FRAMING, BAD_SIZE, FRAME_MAX, FRAME_OK, TC_MIN
from cabinwatch_protocol.device.crc import crc16


def seal(buf, end):
    """Turn the packet in buf[2:end], whose last two octets are free for the PEC, into a whole frame in buf[0:end + 1].

    Fills in the packet data length and the PEC, stuffs in place, sets both delimiters; returns the frame's length.
    """
    n = end - 9
    buf[6] = n >> 8
    buf[7] = n & 255
    crc = crc16(buf, 2, end - 2)
    buf[end - 2] = crc >> 8
    buf[end - 1] = crc & 255
    code = 1
    i = 2
    while i < end:
        if not buf[i]:
            buf[code] = i - code
            code = i
        i += 1
    buf[code] = end - code
    buf[0] = 0
    buf[end] = 0
    return end + 1


class Deframer:
    """Stream decoder: the same verdicts for any chunking of the same octets.

    After a verdict FRAME_OK the packet is buf[1:1 + size] until the next call of ``feed``.
    """

    def __init__(self):
        self.buf = bytearray(FRAME_MAX)
        self.n = 0
        self.size = 0
        self.verdict = 0

    def feed(self, rx, i, n):
        """Take octets rx[i:n] up to the end of one frame; return the index of the first octet not taken.

        ``verdict`` is then 0 (no frame ended), FRAME_OK or the kind of bad.
        """
        buf = self.buf
        k = self.n
        self.verdict = 0
        while i < n:
            b = rx[i]
            i += 1
            if b:
                if k < FRAME_MAX:
                    buf[k] = b
                    k += 1
                else:
                    k = FRAME_MAX + 1
            elif k:
                self.n = 0
                self.verdict = self.judge(k)
                return i
        self.n = k
        return i

    def judge(self, k):
        """The verdict on the k stuffed octets in buf, unstuffed in place on the way."""
        if k > FRAME_MAX:
            return BAD_SIZE
        buf = self.buf
        i = 0
        while i < k:
            j = i + buf[i]
            buf[i] = 0
            i = j
        self.size = k - 1
        # The exact length matters: this CRC stays 0 when zero octets are appended.
        if i != k or k <= TC_MIN or (buf[5] << 8 | buf[6]) + 8 != k:
            return BAD_FRAMING
        if crc16(buf, 1, k):
            return BAD_CRC
        return FRAME_OK
