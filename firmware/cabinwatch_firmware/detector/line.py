"""The rate of a leak that was called: a least-squares line through block means.

At most 16 means of equal blocks are kept. When they are full each two become one of twice the length, so the line
always rests on 8 to 16 blocks, however old the leak, and each fits a scale of the ladder.

Its deviation is not taken from the residuals, of which there are too few, but from what that scale learned before the
leak: the spread of the ladder's difference. Plain functions on a list: on the smallest board an object would cost more
than the list does.
"""

BLOCKS = 16
LEAST = 8
"""Of fewer blocks the line knows less of the rate than the ladder does."""
SPAN_MAX_x16_cPa = 4194303
"""2.6 kPa: times 128, the sum of the weights of 16 blocks, it stays within 31 bits. A longer fall loses last bits."""
WEIGHED_MAX = 16777216
"""Times 6 it stays within 31 bits, and so does the quotient times 225."""
WHITE_x256 = b"\xbb\x9d\x86\x74\x65\x5a\x50\x49\x42"
WALK_x256 = b"\x40\x3c\x39\x36\x34\x32\x30\x2e\x2d"
"""The slope's deviation a block over the scale's spread, for 8 to 16 blocks, in white noise and in a random walk.

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


def fall_cPa_h(means, n, octave):
    """The fall of the line through n means in 1/16 cPa, each of 2^octave s, to 1 in 2,000; 0 of a rise."""
    span = i = 0
    while i < n:
        span = max(span, abs(means[i] - means[0]))
        i += 1
    coarse = 0
    while span >> coarse > SPAN_MAX_x16_cPa:
        coarse += 1
    octave -= coarse
    weighed = i = 0
    while i < n:
        weighed += (n - 1 - 2 * i) * (means[i] - means[0] >> coarse)
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


def doubt_cPa_h(n, octave, spread_x256, redness):
    """One deviation of that fall: the scale's spread in 1/16 cPa, and 0 for white noise to 2 for a random walk."""
    i = n - LEAST
    part_x256 = WHITE_x256[i] * (2 - redness) + WALK_x256[i] * redness >> 1
    doubt_x256 = (spread_x256 >> 6) * part_x256 >> 2
    return min(doubt_x256 >> 4, 4700000) * 225 >> 4 + octave
