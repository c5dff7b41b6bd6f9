"""The rate of a leak that was called: a least-squares line through block means.

At most 16 means of equal blocks are kept. When they are full each two become one of twice the length, so the line
rests on 8 to 16 blocks, however old the leak, and each fits a scale of the ladder. A young one has fewer.

Its deviation is not taken from the residuals, of which there are too few, but from what that scale learned before the
leak: the spread of the ladder's difference. Plain functions on a list: on the smallest board an object would cost more
than the list does.
"""

BLOCKS = 16
LEAST = 5
"""Of fewer blocks the line knows less of the rate than the ladder does."""
SPAN_MAX_x16_cPa = 4194303
"""2.6 kPa: times 128, the sum of the weights of 16 blocks, it stays within 31 bits. A longer fall loses last bits."""
WEIGHED_MAX = 16777216
"""Times 6 it stays within 31 bits, and so does the quotient times 225."""
WHITE_x128 = b"\xc0\x91\x73\x5e\x4e\x43\x3a\x33\x2d\x28\x24\x21"
WALK_x128 = b"\x28\x25\x22\x20\x1e\x1c\x1b\x1a\x19\x18\x17\x17"
"""The slope's deviation a block over the scale's spread, for 5 to 16 blocks, in white noise and in a random walk.

The line's variance is 12 / (n^3 - n) of a block's and 6 / 5n of a step's; the difference's is 0.0699 and 3.81 of them;
a deviation is 1.2533 mean absolute deviations.
"""


def drop(means, count, blocks):
    """Forget the oldest blocks of count; how many are left."""
    i = blocks
    while i < count:
        means[i - blocks] = means[i]
        i += 1
    return count - blocks


def halve(means, count):
    """Make one block of each two; of an odd number the oldest goes. How many are left."""
    count = drop(means, count, count & 1) >> 1
    i = 0
    while i < count:
        means[i] = means[2 * i] + means[2 * i + 1] >> 1
        i += 1
    return count


def fall_cPa_h(means, first, n, octave):
    """The fall of the line through n means in 1/16 cPa, each of 2^octave s, to 1 in 2,000; 0 of a rise."""
    span = i = 0
    while i < n:
        span = max(span, abs(means[first + i] - means[first]))
        i += 1
    coarse = 0
    while span >> coarse > SPAN_MAX_x16_cPa:
        coarse += 1
    octave -= coarse
    weighed = i = 0
    while i < n:
        weighed += (n - 1 - 2 * i) * (means[first + i] - means[first] >> coarse)
        i += 1
    if weighed <= 0:
        return 0
    while weighed > WEIGHED_MAX:
        weighed >>= 1
        octave -= 1
    while weighed <= WEIGHED_MAX >> 1:
        weighed <<= 1
        octave += 1
    # 6 weighed / (n^3 - n) a block, and 225 is the seconds of an hour over the scale.
    rate = weighed * 6 // (n * n * n - n) * 225
    return rate >> octave if octave > 0 else rate


def doubt_cPa_h(n, octave, spread_x256, redness_x4):
    """One deviation of that fall: the scale's spread in 1/16 cPa, and 0 for white noise to 4 for a random walk."""
    i = n - LEAST
    part_x512 = WHITE_x128[i] * (4 - redness_x4) + WALK_x128[i] * redness_x4
    doubt_x256 = (spread_x256 >> 7) * part_x512 >> 2
    return min(doubt_x256 >> 4, 4700000) * 225 >> 4 + octave
