"""The level alarms: at or below ``reserve``, or ``level_warning``, nobody waits for a trend."""

from cabinwatch_protocol.device.consts import P_STEP

AGREE = 3
"""Readings in a row: one more than a pair of wild ones."""


class LevelAlarm:
    """``called`` from the third reading in a row at or below a level to the third above it and its 512th part more.

    That margin, 128 Pa of 490 mmHg, is the 1 mm of mercury by which a crew times a leak. ``level`` is the parameter.
    """

    def __init__(self, p, level):
        self.p = p
        self.level = level
        self.forget()

    def forget(self):
        self.called = False
        self.count = self.last_cPa = 0

    def take(self, pressure_cPa):
        """Any reading that the instrument vouches for, or that lies below its range: plausible or not."""
        end_cPa = self.p[self.level]
        if self.called:
            other = pressure_cPa > end_cPa + (end_cPa >> 9)
        else:
            # Wild readings go up and down; a cabin that empties does not go up by ``step``.
            if pressure_cPa - self.last_cPa > self.p[P_STEP]:
                self.count = 0
            other = pressure_cPa <= end_cPa
        self.last_cPa = pressure_cPa
        self.count = self.count + 1 if other else 0
        if self.count == AGREE:
            self.called = not self.called
            self.count = 0
