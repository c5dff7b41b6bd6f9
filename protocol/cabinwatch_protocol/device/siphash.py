"""SipHash-2-4 with a tag of 64 bits (Aumasson and Bernstein, 2012), in limbs of 16 bits: no integer takes over 31.

The state's words a, b, c, d are four limbs each, a0 the lowest. A rotation by 16 or 32 only moves limbs, so those by 21
and 17 are by 5 and 1 bits with the limbs moved on; a limb is shifted left by 13 at most. The round stands here once:
on the smallest board its octets are worth more than the moves that a second one would save.
"""


def siphash(key, k, buf, start, end, out):
    """Write the tag of buf[start:end] under the key in key[k:k + 16] to the eight octets of ``out``."""
    b0 = key[k] | key[k + 1] << 8
    b1 = key[k + 2] | key[k + 3] << 8
    b2 = key[k + 4] | key[k + 5] << 8
    b3 = key[k + 6] | key[k + 7] << 8
    d0 = key[k + 8] | key[k + 9] << 8
    d1 = key[k + 10] | key[k + 11] << 8
    d2 = key[k + 12] | key[k + 13] << 8
    d3 = key[k + 14] | key[k + 15] << 8
    # The key's two words, each with two of the words that spell "somepseudorandomlygeneratedbytes".
    a0 = b0 ^ 0x6575
    a1 = b1 ^ 0x7073
    a2 = b2 ^ 0x6D65
    a3 = b3 ^ 0x736F
    c0 = b0 ^ 0x7261
    c1 = b1 ^ 0x6E65
    c2 = b2 ^ 0x6765
    c3 = b3 ^ 0x6C79
    b0 = d0 ^ 0x6F6D
    b1 = d1 ^ 0x6E64
    b2 = d2 ^ 0x7261
    b3 = d3 ^ 0x646F
    d0 ^= 0x6573
    d1 ^= 0x7974
    d2 ^= 0x6462
    d3 ^= 0x7465
    size = end - start
    more = True
    while more:
        more = start <= end
        rounds = 4
        if more:
            rounds = 2
            block = buf
            i = start
            start += 8
            if start > end:
                # The last block: what is left, zeros, the size.
                block = out
                while i < start:
                    out[i - start + 8] = buf[i] if i < end else 0
                    i += 1
                out[7] = size & 255
                i = 0
            m0 = block[i] | block[i + 1] << 8
            m1 = block[i + 2] | block[i + 3] << 8
            m2 = block[i + 4] | block[i + 5] << 8
            m3 = block[i + 6] | block[i + 7] << 8
            d0 ^= m0
            d1 ^= m1
            d2 ^= m2
            d3 ^= m3
        while rounds:
            rounds -= 1
            # a += b; b = b <<< 13 ^ a; a <<<= 32, whose limbs are moved at the end
            a0 += b0
            a1 += b1 + (a0 >> 16)
            a2 += b2 + (a1 >> 16)
            a3 = a3 + b3 + (a2 >> 16) & 0xFFFF
            a0 &= 0xFFFF
            a1 &= 0xFFFF
            a2 &= 0xFFFF
            x = b3
            b3 = (b3 << 13 & 0xFFFF | b2 >> 3) ^ a3
            b2 = (b2 << 13 & 0xFFFF | b1 >> 3) ^ a2
            b1 = (b1 << 13 & 0xFFFF | b0 >> 3) ^ a1
            b0 = (b0 << 13 & 0xFFFF | x >> 3) ^ a0
            # c += d; d = d <<< 16 ^ c
            c0 += d0
            c1 += d1 + (c0 >> 16)
            c2 += d2 + (c1 >> 16)
            c3 = c3 + d3 + (c2 >> 16) & 0xFFFF
            c0 &= 0xFFFF
            c1 &= 0xFFFF
            c2 &= 0xFFFF
            x = d3
            d3 = d2 ^ c3
            d2 = d1 ^ c2
            d1 = d0 ^ c1
            d0 = x ^ c0
            # a += d; d = d <<< 21 ^ a
            x = a0
            a0 = a2 + d0
            y = a1
            a1 = a3 + d1 + (a0 >> 16)
            a2 = x + d2 + (a1 >> 16)
            a3 = y + d3 + (a2 >> 16) & 0xFFFF
            a0 &= 0xFFFF
            a1 &= 0xFFFF
            a2 &= 0xFFFF
            x = d3
            y = d2
            d3 = (d2 << 5 & 0xFFFF | d1 >> 11) ^ a3
            d2 = (d1 << 5 & 0xFFFF | d0 >> 11) ^ a2
            d1 = (d0 << 5 & 0xFFFF | x >> 11) ^ a1
            d0 = (x << 5 & 0xFFFF | y >> 11) ^ a0
            # c += b; b = b <<< 17 ^ c; c <<<= 32
            c0 += b0
            c1 += b1 + (c0 >> 16)
            c2 += b2 + (c1 >> 16)
            c3 = c3 + b3 + (c2 >> 16) & 0xFFFF
            c0 &= 0xFFFF
            c1 &= 0xFFFF
            c2 &= 0xFFFF
            x = b3
            y = b2
            b3 = (b2 << 1 & 0xFFFF | b1 >> 15) ^ c3
            b2 = (b1 << 1 & 0xFFFF | b0 >> 15) ^ c2
            b1 = (b0 << 1 & 0xFFFF | x >> 15) ^ c1
            b0 = (x << 1 & 0xFFFF | y >> 15) ^ c0
            x = c0
            c0 = c2
            c2 = x
            x = c1
            c1 = c3
            c3 = x
        if more:
            a0 ^= m0
            a1 ^= m1
            a2 ^= m2
            a3 ^= m3
            if start > end:
                c0 ^= 0xFF
    a0 ^= b0 ^ c0 ^ d0
    a1 ^= b1 ^ c1 ^ d1
    a2 ^= b2 ^ c2 ^ d2
    a3 ^= b3 ^ c3 ^ d3
    out[0] = a0 & 255
    out[1] = a0 >> 8
    out[2] = a1 & 255
    out[3] = a1 >> 8
    out[4] = a2 & 255
    out[5] = a2 >> 8
    out[6] = a3 & 255
    out[7] = a3 >> 8
