"""What of a row of random draws can be foretold: all that watching a few of them finds of a generator that is none.

A hash of a clock or of a count of boots passes: nobody finds that from outside.
"""

from collections.abc import Sequence
from itertools import pairwise

DRAWS = 6
"""Three times in a row a word of two octets goes on as before in one of 2^48 rows of good draws."""


def foretold(draws: Sequence[bytes]) -> str:
    """How the draws, all of one length, go on from one to the next; "" where nothing is found."""
    for at, octets in enumerate(zip(*draws, strict=True)):
        if len(set(octets)) == 1:
            return f"octet {at} is always {octets[0]:02x}"
    length = len(draws[0])
    for size in (length, length // 2, length // 4):
        for at in range(0, length, size):
            for order in ("big", "little"):
                words = [int.from_bytes(draw[at : at + size], order) for draw in draws]
                if _goes_on(words, 1 << 8 * size):
                    return f"octets {at} to {at + size - 1} go on by a constant step or factor"
    return ""


def _goes_on(words: Sequence[int], modulus: int) -> bool:
    """Whether the words count, or are those of a linear congruential generator: their steps have one quotient."""
    steps = [later - earlier for earlier, later in pairwise(words)]
    return all(
        (after * before - step * step) % modulus == 0
        for before, step, after in zip(steps, steps[1:], steps[2:], strict=False)
    )
