"""CRC-16/IBM-3740, the packet error control of CCSDS and ECSS packets (ECSS-E-ST-70-41C, annex B).

Polynomial x^16 + x^12 + x^5 + 1, preset FFFF, neither reflected nor inverted; check value 29B1.
"""


def crc16(buf, start, end):
    """CRC of buf[start:end], 0..65535; 0 where the last two octets are the right PEC.

    Carries a whole octet at once without a table: on a 16 KB board the table's 512 octets are worth more than
    the time, and the three shifts are the polynomial's three terms.
    """
    crc = 0xFFFF
    while start < end:
        x = crc >> 8 ^ buf[start]
        x ^= x >> 4
        crc = (crc << 8 ^ x << 12 ^ x << 5 ^ x) & 0xFFFF
        start += 1
    return crc
