"""The gate: which readings are let through, how noisy they are and how fine the gauge's steps.

A reading that is further from the last than the noise explains is wild until proved right: it waits for two more that
agree with it (a decision filter as Hampel's, but without delay for what is in its band). So wild readings, singly or in
pairs, teach nothing, and a burst is let through with its third reading.

The noise is learned from second differences, which a steady fall does not raise: of white noise sigma, half a second
difference of successive readings has a mean absolute value of sqrt(6) / 2 * sqrt(2 / pi) = 0.98 sigma.
"""

from cabinwatch_protocol.device.consts import P_FLOOR, P_STEP

NOISE_FIRST_x64_cPa = 32000
"""5 Pa, until learned."""
NOISE_STANDS_x64_cPa = 2 * NOISE_FIRST_x64_cPa
"""A gauge that shows no noise may have as much: enough for stairs of 80 Pa to be in the band, and be learned."""
STEP_MAX_cPa = 10000
"""No gauge has coarser steps than 1 hPa; a larger change is the cabin's."""
FINER = 4
"""So many finer changes, and no whole step between them, prove the steps finer: a wild reading makes two."""
GAP_MAX_ms = 86400000
GAP = 4
"""A gap is longer than so many usual intervals: fewer are a burst's own three readings, and a lost one."""
AGREE = 3
"""Readings that prove a jump: one more than a pair of wild ones."""


class Gate:
    """``pressure_cPa`` is the last reading that was let through, ``jump`` how many readings agreed on it (0 = in band).

    ``first_ms`` and ``first_cPa`` are then the time to the first of those and its pressure. ``late`` says that
    there was a gap before it, ``anew`` that it is the first right one: the very first reading was alone, and
    wild, since three stand elsewhere.
    """

    def __init__(self, p):
        self.p = p
        self.forget()

    def forget(self):
        self.noise_x64_cPa = NOISE_FIRST_x64_cPa
        self.pressure_cPa = -1
        self.step_cPa = self.finer = self.waiting_ms = self.momentum_cPa = 0
        self.heard_cPa = self.change_cPa = 0
        self.usual_ms = GAP_MAX_ms
        self.late = self.alone = self.anew = False
        self.suspects = self.suspect_cPa = self.first_ms = self.first_cPa = self.jump = 0

    def take(self, elapsed_ms, pressure_cPa):
        """Milliseconds since the last reading that was let through; 0 where this one is held."""
        self.anew = False
        self.waiting_ms = min(self.waiting_ms + elapsed_ms, GAP_MAX_ms)
        self.late = self.waiting_ms > GAP * self.usual_ms
        self.usual_ms = min(elapsed_ms, self.usual_ms + (self.usual_ms >> 3) + 1)
        if self.pressure_cPa < 0:
            self.heard_cPa = pressure_cPa
            return self.let(pressure_cPa, 0)
        if pressure_cPa == self.pressure_cPa and 0 < self.step_cPa < self.noise_x64_cPa >> 9:
            return 0  # The same to the last digit where the noise is many digits: stuck. A gap, then.
        change_cPa = pressure_cPa - self.pressure_cPa
        self.learn_noise(pressure_cPa)
        band_cPa = self.band_cPa(self.waiting_ms)
        if abs(change_cPa) <= band_cPa + 2 * self.momentum_cPa:
            self.learn_step(abs(change_cPa))
            self.momentum_cPa = abs(change_cPa) if abs(change_cPa) > band_cPa >> 1 else 0
            return self.let(pressure_cPa, 0)
        if self.agrees(pressure_cPa, change_cPa):
            self.suspects += 1
        else:
            self.suspects = 1
            self.first_ms = self.waiting_ms
            self.first_cPa = pressure_cPa
        self.suspect_cPa = pressure_cPa
        if self.suspects < AGREE:
            return 0
        self.anew = self.alone and not self.late and abs(pressure_cPa - self.first_cPa) <= band_cPa
        self.momentum_cPa = 0 if self.anew else abs(change_cPa) // AGREE
        return self.let(pressure_cPa, AGREE)

    def let(self, pressure_cPa, jump):
        elapsed_ms = self.waiting_ms
        self.alone = self.pressure_cPa < 0
        self.pressure_cPa = pressure_cPa
        self.jump = jump
        self.waiting_ms = self.suspects = 0
        return elapsed_ms

    def agrees(self, pressure_cPa, change_cPa):
        """A fall may go on, and noise make it less by ``step``; a rise has to hold within that.

        So three wild readings in a row prove a rise once in 10,000 times, and no fall can follow from its end.
        """
        if self.suspects == 0:
            return False
        more_cPa = pressure_cPa - self.suspect_cPa
        if more_cPa > self.p[P_STEP]:
            return False
        return change_cPa < 0 or more_cPa >= -self.p[P_STEP]

    def band_cPa(self, elapsed_ms):
        """What noise, steps and wander explain: eight deviations, and ``floor`` and a step each eight seconds."""
        floor_cPa = self.p[P_FLOOR] + self.step_cPa
        wander_cPa = min(floor_cPa * min(elapsed_ms >> 13, 4000), self.p[P_STEP])
        return (self.noise_x64_cPa >> 3) + floor_cPa + wander_cPa

    def learn_step(self, change_cPa):
        """The gauge's step is the least change that is seen again and again."""
        step_cPa = self.step_cPa
        if not change_cPa:
            return
        if step_cPa == 0:
            self.step_cPa = min(change_cPa, STEP_MAX_cPa)
        elif change_cPa % step_cPa == 0:
            self.finer = 0
        elif change_cPa < step_cPa:
            self.finer += 1
            if self.finer >= FINER:
                self.finer = 0
                self.step_cPa = change_cPa

    def learn_noise(self, pressure_cPa):
        """Each second difference counts for four mean ones at most.

        None at all comes from a stuck gauge and tells nothing, or from a coarse one: noise below its step. Noise above
        ``NOISE_STANDS`` it lessens, too: wild readings would add up between the stairs.
        """
        before_cPa = self.change_cPa
        self.change_cPa = pressure_cPa - self.heard_cPa
        self.heard_cPa = pressure_cPa
        half_cPa = abs(self.change_cPa - before_cPa) >> 1
        step_x64_cPa = self.step_cPa << 6
        noise_x64_cPa = self.noise_x64_cPa
        stands = step_x64_cPa <= noise_x64_cPa <= NOISE_STANDS_x64_cPa or noise_x64_cPa <= step_x64_cPa >> 3
        if half_cPa or not stands:
            self.noise_x64_cPa += min(half_cPa, (self.noise_x64_cPa >> 4) + 64) - (self.noise_x64_cPa >> 6)
