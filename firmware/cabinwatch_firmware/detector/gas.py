"""The gas temperature: what the thermometer shows, freed of its lag, and believed within bounds."""

from cabinwatch_protocol.device.consts import P_LAG

COLDEST_cK = 25000
WARMEST_cK = 35000
"""A cabin in which people live is between -23 and 77 degrees Celsius."""
GAS_COLDEST_cK = 10000
JUMP_MAX_cK = 200
"""A thermometer that changes by more from one reading to the next is wild until a third reading agrees."""
AGREE = 3
COOLING_MAX_cK = 300
"""Of a cooling no more than 3 K is believed: what a heater's failure does in an hour; beyond, a leak might hide."""
USUAL_s = 262144
"""Three days: the memory of the temperature that is usual."""
SPAN_MAX_cK = 4000


def thermal_cPa(pressure_cPa, gas_cK, datum_cK):
    """By how much gas_cK instead of datum_cK raises the pressure, by the ideal gas law; within 2 cPa a kelvin."""
    return (pressure_cPa << 6) // gas_cK * max(-SPAN_MAX_cK, min(gas_cK - datum_cK, SPAN_MAX_cK)) >> 6


class GasTemperature:
    """Two averages over the thermometer's lag, led by twice their difference (the inverse of a first-order lag)."""

    def __init__(self, p):
        self.p = p
        self.forget()

    def forget(self):
        self.datum_cK = self.gas_cK = self.quick_x256_cK = self.slow_x256_cK = self.usual_x16384_cK = 0
        self.reading_cK = self.suspect_cK = self.suspects = 0

    def take(self, thermometer_cK, seconds):
        """Follow the thermometer, seconds after its last reading (0 = less than one)."""
        now_cK = max(COLDEST_cK, min(thermometer_cK, WARMEST_cK))
        if self.datum_cK == 0:
            self.datum_cK = self.gas_cK = self.reading_cK = now_cK
            self.quick_x256_cK = self.slow_x256_cK = now_cK << 8
            self.usual_x16384_cK = now_cK << 14
        if not self.proved(now_cK):
            now_cK = self.reading_cK
        self.reading_cK = now_cK
        if seconds:
            self.follow(now_cK, seconds)

    def proved(self, now_cK):
        if abs(now_cK - self.reading_cK) <= JUMP_MAX_cK:
            self.suspects = 0
            return True
        self.suspects = self.suspects + 1 if abs(now_cK - self.suspect_cK) <= JUMP_MAX_cK else 1
        self.suspect_cK = now_cK
        if self.suspects < AGREE:
            return False
        self.suspects = 0
        return True

    def follow(self, now_cK, seconds):
        share_x256 = 256
        if seconds < 1000000:
            share_x256 = (seconds << 8) // (self.p[P_LAG] + seconds)
        self.quick_x256_cK += ((now_cK << 8) - self.quick_x256_cK) * share_x256 >> 8
        self.slow_x256_cK += (self.quick_x256_cK - self.slow_x256_cK) * share_x256 >> 8
        self.usual_x16384_cK += ((now_cK << 14) - self.usual_x16384_cK) // max(USUAL_s // seconds, 1)
        gas_cK = (self.quick_x256_cK * 3 >> 8) - (self.slow_x256_cK >> 7)
        self.gas_cK = max(gas_cK, (self.usual_x16384_cK >> 14) - COOLING_MAX_cK, GAS_COLDEST_cK)
