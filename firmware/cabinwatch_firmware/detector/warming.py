"""What a warming thermometer takes from the compensated pressure while the raw one stands.

The slow watch sees the compensated pressure only. Before a fall there becomes an alarm, it is asked how much of it the
thermometer made within the time that the calling scale looks back on: the raw pressure must have fallen by half of it.
"""

FINEST = 6
"""The first window is two blocks of 2^6 s ..."""
WINDOWS = 8
"""... each further one is four times as long, and the last two of 2^20 s, twelve days."""
NOTHING_cPa = 3000
"""A tenth of a kelvin: less is the thermometer's noise."""


class Warming:
    """The least thermal part of the pressure in the open block and in the one before, window by window."""

    def __init__(self):
        self.open_cPa = [0] * WINDOWS
        self.last_cPa = [0] * WINDOWS
        self.forget()

    def forget(self):
        self.second = -1

    def take(self, second, thermal_cPa):
        """The thermal part at a second of the slow watch's count."""
        before = self.second
        self.second = second
        self.now_cPa = thermal_cPa
        window = 0
        bits = FINEST
        while window < WINDOWS and (before < 0 or second >> bits != before >> bits):
            self.last_cPa[window] = thermal_cPa if before < 0 else self.open_cPa[window]
            self.open_cPa[window] = thermal_cPa
            window += 1
            bits += 2
        while window < WINDOWS:
            if thermal_cPa < self.open_cPa[window]:
                self.open_cPa[window] = thermal_cPa
            window += 1

    def explains(self, fall_cPa, bits):
        """Whether most of a fall within the last 2^bits s is the thermometer's."""
        window = max(0, min(bits - FINEST + 1 >> 1, WINDOWS - 1))
        rise_cPa = self.now_cPa - min(self.open_cPa[window], self.last_cPa[window])
        return rise_cPa > NOTHING_cPa and rise_cPa > fall_cPa >> 1
