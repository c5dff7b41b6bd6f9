"""A fall across a gap: what was lost while nobody looked is a leak until the level is seen to hold."""

from cabinwatch_firmware.detector.rates import common, per_hour
from cabinwatch_protocol.device.consts import P_STEP

LOOK_MIN_ms = 30000
LOOK_MAX_ms = 86400000
WANDER_cPa = 500
"""A deviation of a quiet cabin's wander over two and a half minutes."""
DOUBT_MAX_cPa = 149000
"""1.5 kPa: two hours' worth of seconds of it stays within 31 bits."""


class GapFall:
    """``called`` while a fall across a gap may still go on; its rate is the mean one of the gap, or what came after.

    A leak that ran through the whole gap was never slower than that on average, and each law of leaks slows down: no
    leak that was there from its beginning is faster now. One that began within the gap may be; the other alarms see it.
    """

    def __init__(self, p, gate):
        self.p = p
        self.known = gate
        self.forget()

    def forget(self):
        self.called = False
        self.rate_cPa_h = self.sigma_cPa_h = 0
        self.raw_cPa = -1
        self.even_cPa = self.age_ms = self.look_ms = 0

    def take(self, elapsed_ms, raw_cPa, even_cPa):
        """A reading that was let through, raw and compensated."""
        fall_cPa = -common(raw_cPa - self.raw_cPa, even_cPa - self.even_cPa)
        if not self.called:
            if self.known.late and fall_cPa > self.p[P_STEP] and self.raw_cPa >= 0:
                self.called = True
                self.watch(fall_cPa, elapsed_ms)
            self.raw_cPa = raw_cPa
            self.even_cPa = even_cPa
            return
        self.age_ms = min(self.age_ms + elapsed_ms, LOOK_MAX_ms)
        if self.age_ms < self.look_ms:
            return
        fall_cPa = max(fall_cPa, 0)
        if per_hour(fall_cPa, self.age_ms) < self.rate_cPa_h >> 1:
            self.called = False
        else:
            self.watch(fall_cPa, self.age_ms)
        self.raw_cPa = raw_cPa
        self.even_cPa = even_cPa

    def watch(self, fall_cPa, time_ms):
        """Look again when half of a fall at this rate would stand out of noise, steps and wander."""
        rate_cPa_h = max(per_hour(fall_cPa, time_ms), 1)
        doubt_cPa = min((self.known.noise_x64_cPa >> 5) + self.known.step_cPa + WANDER_cPa, DOUBT_MAX_cPa)
        self.rate_cPa_h = rate_cPa_h
        self.sigma_cPa_h = per_hour(doubt_cPa >> 1, time_ms)
        self.age_ms = 0
        self.look_ms = max(min(2 * doubt_cPa * 3600 // rate_cPa_h, 86400) * 1000, LOOK_MIN_ms)
