"""CRC-16/IBM-3740, the packet error control of CCSDS and ECSS packets (ECSS-E-ST-70-41C, annex B).

Polynomial x^16 + x^12 + x^5 + 1, preset FFFF, neither reflected nor inverted; check value 29B1.
"""


def crc16(buf, start, end):
    """CRC of buf[start:end], 0..65535; 0 where the last two octets are the right PEC.

    Divides two octets at once, without a table: the quotient q of the word w is w plus what q itself carries down,
    q >> 4 and q >> 11. Solved for q that is w and its shifts by 4, 8, 11 and 12. An odd octet goes first.
    """
    crc = 0xFFFF
    if end - start & 1:
        q = 0xFF ^ buf[start]
        q ^= q >> 4
        crc = (0xFF00 ^ q << 12 ^ q << 5 ^ q) & 0xFFFF
        start += 1
    while start < end:
        w = crc ^ buf[start] << 8 ^ buf[start + 1]
        q = w ^ w >> 4
        q ^= q >> 8 ^ w >> 11
        crc = (q << 12 ^ q << 5 ^ q) & 0xFFFF
        start += 2
    return crc
