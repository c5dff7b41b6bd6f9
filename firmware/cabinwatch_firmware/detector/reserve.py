"""The leak's law and T-reserve: the time that is left until the pressure is at ``reserve``."""

from cabinwatch_protocol.device.consts import (
    LAW_CRACK,
    LAW_LINEAR,
    LAW_ORIFICE,
    LAW_UNKNOWN,
    P_RESERVE,
    T_CAP,
)

BENT_MAX_s = 8388608
"""97 days: the product with the bend stays within 31 bits; beyond that 64 s count as nothing."""
ELAPSED_MAX_ms = 536870912


class Reserve:
    """``law`` is the shortest that the fall of the rate over two sixteenths of the pressure does not exclude."""

    def __init__(self, p):
        self.p = p  # the rest comes with law_clear, by which the detector begins

    def law_clear(self):
        self.law = LAW_UNKNOWN
        self.stretch_from_cPa = self.elapsed_ms = 0
        self.before_ms = self.before_mean_x16_cPa = self.before_fall_cPa = 0

    def seconds(self, pressure_cPa, rate_cPa_h):
        """T-reserve of a fall at this rate, by the law as far as it is known."""
        end_cPa = self.p[P_RESERVE]
        left_cPa = pressure_cPa - end_cPa
        if left_cPa <= 0:
            return 0
        if rate_cPa_h <= 0 or (left_cPa << 6) // rate_cPa_h >= 4000000:
            return T_CAP
        time_s = (left_cPa << 6) // rate_cPa_h * 225 >> 2
        if self.law < LAW_LINEAR:
            bend_x64 = (left_cPa << 6) // max(
                pressure_cPa + end_cPa if self.law == LAW_ORIFICE else end_cPa, 1
            )
            if time_s < BENT_MAX_s:
                time_s += time_s * min(bend_x64, T_CAP // (time_s + 1)) >> 6
            else:
                time_s += (time_s >> 6) * min(bend_x64, 63)
        return time_s

    def find_law(self, elapsed_ms, pressure_cPa, first):
        """Compare the rates and the pressures of the last two stretches of a sixteenth of the pressure each.

        Until there are two it is the law ``first``.
        """
        self.elapsed_ms = min(self.elapsed_ms + elapsed_ms, ELAPSED_MAX_ms)
        if self.stretch_from_cPa == 0:
            self.law = first
            self.stretch_from_cPa = pressure_cPa
            self.elapsed_ms = 0
        fall_cPa = self.stretch_from_cPa - pressure_cPa
        if fall_cPa <= self.stretch_from_cPa >> 4 or self.elapsed_ms == 0:
            return
        mean_x16_cPa = self.stretch_from_cPa + pressure_cPa >> 5
        if self.before_mean_x16_cPa:
            self.compare(fall_cPa, mean_x16_cPa)
        self.before_fall_cPa = min(fall_cPa, 1048575)
        self.before_ms = self.elapsed_ms
        self.before_mean_x16_cPa = mean_x16_cPa
        self.stretch_from_cPa = pressure_cPa
        self.elapsed_ms = 0

    def compare(self, fall_cPa, mean_x16_cPa):
        """Rate goes with the pressure to the power of 0 (linear), 1 (orifice) or 2 (crack), less a quarter."""
        now_ms = self.elapsed_ms
        before_ms = self.before_ms
        while before_ms > 1000000 or now_ms > 1000000:
            before_ms >>= 1
            now_ms >>= 1
        rates_x1024 = (min(fall_cPa, 1048575) << 10) // self.before_fall_cPa
        rates_x1024 = (min(rates_x1024, 65535) << 10) // max((now_ms << 10) // max(before_ms, 1), 1)
        pressures_x1024 = (mean_x16_cPa << 10) // self.before_mean_x16_cPa
        bend_x1024 = 1024 - pressures_x1024
        self.law = LAW_LINEAR
        if 4 * (1024 - rates_x1024) > 3 * bend_x1024 and rates_x1024 > pressures_x1024 - 3 * bend_x1024:
            self.law = LAW_ORIFICE
            if 4 * (pressures_x1024 - rates_x1024) > 3 * bend_x1024:
                self.law = LAW_CRACK
