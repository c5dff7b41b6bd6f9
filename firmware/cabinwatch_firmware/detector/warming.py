"""What a warming thermometer takes from the compensated pressure while the raw one stands.

The slow watch sees the compensated pressure only. Before a fall there becomes an alarm, it is asked how much of it the
thermometer made. The thermal part of the pressure goes through the same averages of the same blocks, so what it adds
to a scale's difference is known, however long ago it warmed. The raw pressure must show half of the fall.
"""

from cabinwatch_firmware.detector.slow import QUICK, SLOW


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

    def explains(self, fall, j, young):
        """Whether most of a fall on scale j, in 1/16 cPa, is the thermometer's.

        At the start of a ``young`` scale the slow watch puts in what its finer ones know: that may double the fall.
        """
        return self.quick_x16[j] - self.slow_x16[j] > fall >> (2 if young else 1)
