"""Plain references that share no code with what they judge: written from the definitions, slow and obvious."""

from binascii import crc_hqx

DELIMITER = 0


def unstuff(frame: bytes) -> bytes | None:
    """COBS by its definition (Cheshire, Baker 1999): a code, code - 1 octets, then a zero that was taken out."""
    out = bytearray()
    while frame:
        code, block, frame = frame[0], frame[1 : frame[0]], frame[frame[0] :]
        if len(block) != code - 1:
            return None
        out += block
        if code < 255 and frame:
            out.append(0)
    return bytes(out)


def verdict(frame: bytes) -> tuple[str, bytes]:
    """What a receiver must say of the octets between two delimiters: the kind of bad, or ok and the packet."""
    if len(frame) > 61:
        return "size", b""
    packet = unstuff(frame)
    if packet is None or len(packet) < 13 or len(packet) != packet[4] * 256 + packet[5] + 7:
        return "framing", b""
    if crc_hqx(packet[:-2], 0xFFFF) != packet[-2] * 256 + packet[-1]:
        return "crc", b""
    return "ok", packet


def verdicts(stream: bytes) -> list[tuple[str, bytes]]:
    """The verdicts on every frame that ends within a stream."""
    return [verdict(piece) for piece in stream.split(b"\0")[:-1] if piece]
