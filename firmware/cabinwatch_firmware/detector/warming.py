"""What a warming thermometer takes from the compensated pressure while the raw one stands.

The slow watch sees the compensated pressure only. Before a fall there becomes an alarm, it is asked how much of it the
thermometer made. The thermal part of the pressure goes through the same averages of the same blocks, so what it adds
to a scale's difference is known, however long ago it warmed. The raw pressure must show half of the fall.
"""

from cabinwatch_firmware.detector.slow import LEARNED, QUICK, RISE, SLOW, STEP

THERMAL_MAX_x16_cPa = 67108863
"""42 kPa, more than 40 K make of 167 kPa: the sum of a block's three, each of thrice this, is within 31 bits."""


class Warming:
    """The thermal part on a ladder of ``scales``, in 1/16 cPa; the first block lasts 2^h seconds."""

    def __init__(self, h, scales):
        self.h = h
        self.quick_x16 = [0] * scales
        self.slow_x16 = [0] * scales
        self.open_sum = [0] * scales
        self.open_count = bytearray(scales)
        self.forget()

    def forget(self):
        """Begin at the datum of the gas, where nothing is thermal."""
        self.second = -1
        j = 0
        while j < len(self.open_sum):
            self.quick_x16[j] = self.slow_x16[j] = self.open_sum[j] = 0
            self.open_count[j] = 1
            j += 1

    def take(self, second, thermal_cPa):
        """The thermal part at a second of the slow watch's count. Of the fastest block the last one counts."""
        before = self.second
        self.second = second
        quick_x16 = self.quick_x16
        slow_x16 = self.slow_x16
        open_sum = self.open_sum
        h = self.h
        j = 0
        while before >= 0 and j < len(open_sum) and second >> h != before >> h:
            mean = open_sum[j] // self.open_count[j]
            open_sum[j] = self.open_count[j] = 0
            if (second >> h) - (before >> h) != 1:
                quick_x16[j] = slow_x16[j] = mean  # a hole: this scale starts again
            quick_x16[j] += (mean - quick_x16[j]) // QUICK
            slow_x16[j] += (mean - slow_x16[j]) // SLOW
            h += 1
            j += 1
            if j < len(open_sum):
                open_sum[j] += mean
                self.open_count[j] += 1
        open_sum[0] = thermal_cPa << 4
        self.open_count[0] = 1

    def follow(self, slow):
        """Accept and take out what the slow watch did: its difference stays the air's and ours.

        Where a step is taken out, that scale and all before are now at the new level, and those behind always were. A
        scale that has yet to learn is left as it is: what was put in at its start knows of nothing accepted. So are
        those for which readings are too sparse: its averages there begin again and again, and ours do not.
        """
        marks = slow.marks
        slow.marks = j = 0
        while marks:
            dense = j < 2 or slow.blocks[j - 2] >= SLOW
            level = self.quick_x16[j - 2 if marks & STEP else j]
            step = level - self.slow_x16[j]
            if dense and marks & RISE and slow.learned[j] >= LEARNED:
                self.slow_x16[j] = level
            i = 0
            while dense and marks & STEP and i < len(self.open_sum):
                if i <= j:
                    self.quick_x16[i] = self.slow_x16[i] = level
                elif slow.learned[i] >= LEARNED and abs(self.slow_x16[i] + step) < THERMAL_MAX_x16_cPa:
                    self.quick_x16[i] += step
                    self.slow_x16[i] += step
                    self.open_sum[i] += step * self.open_count[i]
                i += 1
            marks >>= 2
            j += 1

    def explains(self, slow):
        """Whether most of the fall that the slow watch has hit on is the thermometer's.

        At the start of a scale the slow watch puts in what its finer ones know: until it has learned, that may double
        the fall.
        """
        j = slow.hit
        share = 2 if slow.learned[j] < LEARNED else 1
        return self.quick_x16[j] - self.slow_x16[j] > slow.difference(j) >> share
