"""The gas temperature: what the thermometer shows, freed of its lag, and believed within bounds."""

from cabinwatch_protocol.device.consts import P_LAG

COLDEST_cK = 25000
WARMEST_cK = 35000
"""A cabin in which people live is between -23 and 77 degrees Celsius."""
JUMP_MAX_cK = 200
"""A thermometer that changes by more from one reading to the next is wild until a third reading agrees."""
AGREE = 3
COOLING_MAX_cK = 300
"""Of a cooling no more than 3 K is believed: what a heater's failure does in an hour; beyond, a leak might hide."""
USUAL_s = 262144
"""Three days: the memory of the temperature that is usual."""
SPAN_MAX_x16_cK = 64000
"""40 K."""


def thermal_cPa(pressure_cPa, gas_x16_cK, datum_cK):
    """By how much a gas at gas_x16_cK / 16 instead of datum_cK raises the pressure, by the ideal gas law.

    Within 0.03 % above 70 kPa. A sixteenth of 0.01 K is 0.2 Pa: the thermometer's own steps of 3.4 Pa would drown a
    slow leak.
    """
    span_x16_cK = max(-SPAN_MAX_x16_cK, min(gas_x16_cK - (datum_cK << 4), SPAN_MAX_x16_cK))
    return (pressure_cPa << 4) // (gas_x16_cK >> 4) * span_x16_cK >> 8


class GasTemperature:
    """Two averages over the thermometer's lag: ``felt`` is the first, ``led`` that and twice their difference.

    The lead is the inverse of a first-order lag, for gas that cools or warms slowly. Of a thermometer that jumps by
    itself it makes half as much again, and takes that back: a cooling that explains a quick fall has to be felt.
    """

    def __init__(self, p):
        self.p = p
        self.forget()

    def forget(self):
        # Until the first reading any temperature will do.
        self.set_out(COLDEST_cK)
        self.reading_cK = self.suspect_cK = self.suspects = 0
        self.alone = True

    def set_out(self, now_cK):
        self.datum_cK = self.reading_cK = now_cK
        self.felt_x16_cK = self.led_x16_cK = now_cK << 4
        self.quick_x256_cK = self.slow_x256_cK = now_cK << 8
        self.usual_x16384_cK = now_cK << 14

    def take(self, thermometer_cK, seconds):
        """Follow the thermometer, seconds after its last reading (0 = less than one)."""
        now_cK = max(COLDEST_cK, min(thermometer_cK, WARMEST_cK))
        if self.reading_cK == 0:
            self.set_out(now_cK)
        elif not self.proved(now_cK):
            now_cK = self.reading_cK
        self.reading_cK = now_cK
        if seconds:
            self.follow(now_cK, seconds)

    def proved(self, now_cK):
        if abs(now_cK - self.reading_cK) <= JUMP_MAX_cK:
            self.suspects = 0
            self.alone = False
            return True
        self.suspects = self.suspects + 1 if abs(now_cK - self.suspect_cK) <= JUMP_MAX_cK else 1
        self.suspect_cK = now_cK
        if self.suspects < AGREE:
            return False
        self.suspects = 0
        if self.alone:
            self.set_out(now_cK)  # the first reading was wild
        return True

    def follow(self, now_cK, seconds):
        share_x256 = 256
        if seconds < 1000000:
            share_x256 = (seconds << 8) // (self.p[P_LAG] + seconds)
        self.quick_x256_cK += ((now_cK << 8) - self.quick_x256_cK) * share_x256 >> 8
        self.slow_x256_cK += (self.quick_x256_cK - self.slow_x256_cK) * share_x256 >> 8
        self.usual_x16384_cK += ((now_cK << 14) - self.usual_x16384_cK) // max(USUAL_s // seconds, 1)
        coldest_x16_cK = (self.usual_x16384_cK >> 10) - (COOLING_MAX_cK << 4)
        self.felt_x16_cK = max(self.quick_x256_cK >> 4, coldest_x16_cK)
        led_x16_cK = (self.quick_x256_cK * 3 >> 4) - (self.slow_x256_cK >> 3)
        self.led_x16_cK = max(led_x16_cK, coldest_x16_cK)
