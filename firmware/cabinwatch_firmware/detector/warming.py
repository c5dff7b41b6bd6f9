"""What a warming thermometer takes from the compensated pressure while the raw one stands.

The slow watch sees the compensated pressure only. Before a fall there becomes an alarm, it is asked how much of it the
thermometer made within the time that the calling scale looks back on: the raw pressure must have fallen by half of it.
"""

FINEST = 5
"""The first window is two blocks of 2^5 s ..."""
OCTAVES = 16
"""... and the last two of 2^20 s, twelve days."""
NOTHING_cPa = 3000
"""A tenth of a kelvin: less is the thermometer's noise."""


class Warming:
    """The least thermal part of the pressure in the open block and in the one before, octave by octave."""

    def __init__(self):
        self.open_cPa = [0] * OCTAVES
        self.last_cPa = [0] * OCTAVES
        self.forget()

    def forget(self):
        self.second = -1

    def take(self, second, thermal_cPa):
        """The thermal part at a second of the slow watch's count."""
        before = self.second
        self.second = second
        self.now_cPa = thermal_cPa
        octave = 0
        while octave < OCTAVES and (before < 0 or second >> FINEST + octave != before >> FINEST + octave):
            self.last_cPa[octave] = thermal_cPa if before < 0 else self.open_cPa[octave]
            self.open_cPa[octave] = thermal_cPa
            octave += 1
        while octave < OCTAVES and thermal_cPa < self.open_cPa[octave]:
            self.open_cPa[octave] = thermal_cPa
            octave += 1

    def explains(self, fall_cPa, octave):
        """Whether most of a fall within the last 2^octave s is the thermometer's."""
        octave = max(0, min(octave - FINEST, OCTAVES - 1))
        rise_cPa = self.now_cPa - min(self.open_cPa[octave], self.last_cPa[octave])
        return rise_cPa > NOTHING_cPa and rise_cPa > fall_cPa >> 1
