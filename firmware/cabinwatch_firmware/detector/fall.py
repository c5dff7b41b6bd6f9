"""The quick fall: a tracker of stretches, which asks of every change whether it goes on.

A fall is a leak when it has cost ``step``; when it has gone on for ``hold``; or when it has gone on for a sixth of
that, and quicker than ``step`` in ``hold``, which no airlock cycle is (470 Pa in ten minutes). One that ends sooner
(hatch, docking, cycle) is a step: ``removed_cPa`` hands its size to the slow watch. What counts is the change that the
raw and the compensated ("even") pressure both show.
"""

from cabinwatch_firmware.detector.rates import common, lim, per_hour
from cabinwatch_protocol.device.consts import P_FAST, P_FLOOR, P_HOLD, P_STEP

QUIET = 0
FALLING = 1
RISING = -1
AGE_MAX_ms = 500000000
LOOK_CALLED_MIN_ms = 5000
LOOK_CALLED_MAX_ms = 300000
STRETCH_MAX = 8
"""... nor for more than this power of two's part of the pressure: of a hole's rate as much is lost meanwhile."""
LESS_MIN = 8
"""A stretch that took more than an eighth of the pressure tells a burst's rate only roughly."""
SETTLE_ms = 32000
SETTLE_MAX = 32
SETTLE_MIN = 4
COOLING_SHARE = 98
"""Of its pressure a gas at 295 K loses this part when it cools by 3 K."""
DOUBT_MAX_cPa = 290000
"""2.9 kPa: an hour's worth of seconds of it stays within 31 bits."""
SHORT = 6
"""A fall that no cycle explains is a leak after this part of ``hold``: 200 s by default."""


class QuickFall:
    """``called`` says that it leaks; ``rate_cPa_h`` (of the fall) and ``sigma_cPa_h`` are then the leak's.

    ``sign`` and ``settling`` are 0 where nothing changes quickly; then the slow watch may learn.
    """

    def __init__(self, gate):
        self.known = gate
        self.forget()

    def forget(self):
        self.raw_cPa = -1
        self.even_cPa = 0
        self.removed_cPa = self.still_ms = self.same_ms = 0
        self.accept()

    def accept(self):
        """What is now is the level, and nothing changes."""
        self.called = False
        self.sign = QUIET
        self.rate_cPa_h = self.sigma_cPa_h = self.stretches = 0
        self.age_ms = self.raw_age_ms = self.mark_age_ms = self.look_ms = self.look_fall_cPa = 0
        self.top_raw_cPa = self.raw_cPa
        self.top_even_cPa = self.even_cPa
        self.level_raw_cPa = self.slewed_raw_cPa = self.start_raw_cPa = self.mark_raw_cPa = self.raw_cPa
        self.level_even_cPa = self.slewed_even_cPa = self.start_even_cPa = self.mark_even_cPa = self.even_cPa
        self.before_even_cPa = 0
        self.settling = self.settle_count = self.settle_raw_cPa = self.settle_even_cPa = 0

    def take(self, elapsed_ms, raw_cPa, even_cPa, seconds):
        """A reading that was let through, raw and compensated, and the whole seconds that are full with it."""
        first = self.raw_cPa < 0
        if raw_cPa != self.raw_cPa:
            self.still_ms = self.same_ms
            self.same_ms = 0
        self.same_ms = min(self.same_ms + elapsed_ms, AGE_MAX_ms >> 1)
        self.raw_cPa = raw_cPa
        self.even_cPa = even_cPa
        self.removed_cPa = 0
        if first:
            self.accept()
            return
        most_cPa = self.known.p[P_FAST] * min(seconds, 10000) // 60
        self.slewed_raw_cPa += lim(raw_cPa - self.slewed_raw_cPa, most_cPa)
        self.slewed_even_cPa += lim(even_cPa - self.slewed_even_cPa, most_cPa)
        self.top_raw_cPa += lim(raw_cPa - self.top_raw_cPa, most_cPa)
        self.top_even_cPa += lim(even_cPa - self.top_even_cPa, most_cPa)
        lost_cPa = -common(raw_cPa - self.slewed_raw_cPa, even_cPa - self.slewed_even_cPa)
        band_cPa = self.known.band_cPa(elapsed_ms)
        if self.sign == RISING and lost_cPa > band_cPa and not self.known.late:
            # It has gone back, and further: nobody waits for its look to be over.
            self.settling = 1
            self.start(elapsed_ms, -lost_cPa)
            self.judge_cost(lost_cPa)
        elif self.sign:
            self.follow(elapsed_ms, lost_cPa)
        else:
            self.watch(elapsed_ms, lost_cPa, band_cPa)
        if not self.called:
            self.judge_cooling(elapsed_ms, band_cPa)

    def judge_cooling(self, elapsed_ms, band_cPa):
        """A raw fall beyond ``step`` and beyond a cooling by 3 K is a leak, also where a thermometer explains it."""
        lost_cPa = self.top_raw_cPa - self.raw_cPa
        if lost_cPa <= band_cPa:
            self.raw_age_ms = 0
        self.raw_age_ms = min(self.raw_age_ms + elapsed_ms, AGE_MAX_ms)
        if lost_cPa <= max(self.known.p[P_STEP], self.raw_cPa // COOLING_SHARE):
            return
        if lost_cPa - self.top_even_cPa + self.even_cPa < lost_cPa // 3:
            return
        self.top_raw_cPa = self.raw_cPa
        self.top_even_cPa = self.even_cPa
        if self.sign != FALLING:
            self.start(elapsed_ms, -lost_cPa)
        self.called = True
        self.rate_cPa_h = per_hour(lost_cPa, self.raw_age_ms)
        self.sigma_cPa_h = per_hour(self.doubt_cPa(), self.raw_age_ms)
        self.stretches += 1

    def watch(self, elapsed_ms, lost_cPa, band_cPa):
        """Keep the level; begin to follow what leaves it."""
        raw_cPa = self.raw_cPa
        even_cPa = self.even_cPa
        change_cPa = common(raw_cPa - self.level_raw_cPa, even_cPa - self.level_even_cPa)
        if abs(change_cPa) > band_cPa:
            self.start(elapsed_ms, change_cPa)
            if self.known.late:
                # What fell across a gap is GapFall's; only what goes on is followed.
                if lost_cPa > self.known.p[P_STEP]:
                    self.slewed_raw_cPa = raw_cPa
                    self.slewed_even_cPa = even_cPa
            elif self.sign == FALLING:
                self.judge_cost(lost_cPa)
            return
        self.level_raw_cPa += raw_cPa - self.level_raw_cPa + 2 >> 2
        self.level_even_cPa += even_cPa - self.level_even_cPa + 2 >> 2
        if self.settling:
            self.settle(elapsed_ms)
        elif lost_cPa > 2 * band_cPa:
            self.start(elapsed_ms, -band_cPa)

    # A change that is followed from reading to reading.

    def start(self, elapsed_ms, change_cPa):
        if not self.settling:
            self.before_even_cPa = self.level_even_cPa
        self.settling = self.stretches = self.age_ms = 0
        self.sign = FALLING if change_cPa < 0 else RISING
        self.start_raw_cPa = self.raw_cPa
        self.start_even_cPa = self.even_cPa
        gate = self.known
        more_cPa = gate.first_cPa - self.raw_cPa
        if gate.jump and more_cPa > gate.band_cPa(elapsed_ms):
            # It went on while the gate held it: that is the first stretch.
            self.mark_age_ms = elapsed_ms - gate.first_ms
            self.average(more_cPa, per_hour(more_cPa, self.mark_age_ms))
        # Between two stairs of a coarse gauge nothing shows; slower than ``step`` in ``hold`` is not of haste.
        p = gate.p
        since_ms = max(elapsed_ms, self.still_ms)
        slowest_cPa_h = min(per_hour(abs(change_cPa), 2 * elapsed_ms), p[P_STEP] * 900 // p[P_HOLD] << 2)
        self.mark(elapsed_ms, max(per_hour(abs(change_cPa), 2 * since_ms), slowest_cPa_h))

    def mark(self, elapsed_ms, rate_cPa_h):
        """Look again when a change at this rate stands out of the noise, or sooner where it is stronger."""
        self.mark_raw_cPa = self.raw_cPa
        self.mark_even_cPa = self.even_cPa
        self.mark_age_ms = 0
        gate = self.known
        doubt_cPa = min((gate.noise_x64_cPa >> 2) + gate.p[P_FLOOR] + gate.step_cPa, DOUBT_MAX_cPa)
        look_s = doubt_cPa * 3600 // max(rate_cPa_h, 1)
        if self.called:
            # The longer it lasts the longer a stretch, for a better rate.
            longer_s = max(min(self.age_ms >> 3, LOOK_CALLED_MAX_ms), LOOK_CALLED_MIN_ms) // 1000
            look_s = max(look_s, min(longer_s, (self.raw_cPa >> STRETCH_MAX) * 3600 // max(rate_cPa_h, 1)))
        look_s = min(look_s, gate.p[P_HOLD] + elapsed_ms // 250)  # ... and four readings
        self.look_ms = look_s * 1000
        self.look_fall_cPa = 2 * max(doubt_cPa, (min(rate_cPa_h, 7200000) >> 4) * look_s // 225)

    def since(self, raw_cPa, even_cPa):
        """By how much the change has gone on since it was there; 0 where it went back."""
        return max(-self.sign * common(self.raw_cPa - raw_cPa, self.even_cPa - even_cPa), 0)

    def follow(self, elapsed_ms, lost_cPa):
        self.age_ms = min(self.age_ms + elapsed_ms, AGE_MAX_ms)
        self.mark_age_ms = min(self.mark_age_ms + elapsed_ms, AGE_MAX_ms)
        stretch_cPa = self.since(self.mark_raw_cPa, self.mark_even_cPa)
        stretch_cPa_h = per_hour(stretch_cPa, self.mark_age_ms)
        mean_cPa_h = per_hour(self.since(self.start_raw_cPa, self.start_even_cPa), self.age_ms)
        if self.sign == FALLING and not self.called:
            self.judge_cost(lost_cPa)
            self.judge_pace(stretch_cPa_h, mean_cPa_h)
        if self.mark_age_ms < self.look_ms and stretch_cPa < self.look_fall_cPa:
            return
        if self.called:
            mean_cPa_h = min(mean_cPa_h, self.rate_cPa_h)  # what empties a cabin slows down all the while
        # A quarter of ``fast`` is left to the slow watch, but not what stands out by itself: between sparse readings.
        slow = stretch_cPa_h < 15 * self.known.p[P_FAST] and stretch_cPa <= self.known.band_cPa(0)
        if slow or stretch_cPa_h < mean_cPa_h >> 1:
            self.over(elapsed_ms)
            return
        if stretch_cPa_h > mean_cPa_h + (mean_cPa_h >> 2) and stretch_cPa >> 3 > self.known.step_cPa:
            # What was before it was not of this fall.
            self.age_ms = self.mark_age_ms
            self.start_raw_cPa = self.mark_raw_cPa
            self.start_even_cPa = self.mark_even_cPa
        self.average(stretch_cPa, stretch_cPa_h)
        if self.sign == RISING:
            self.slewed_raw_cPa = self.raw_cPa
            self.slewed_even_cPa = self.even_cPa
        elif self.stretches > 1 and self.age_ms // 1000 > self.known.p[P_HOLD]:
            self.called = True
        self.mark(elapsed_ms, stretch_cPa_h)

    def average(self, stretch_cPa, stretch_cPa_h):
        """The average of the stretches, each for as much as all before it.

        It is two stretches old, on average, until the next one comes; a hole's rate goes with the pressure. A leak
        that is steady, or a crack, is as far off to either side.
        """
        sigma_cPa_h = per_hour(self.doubt_cPa(), self.mark_age_ms)
        if self.stretches:
            stretch_cPa_h = self.rate_cPa_h + stretch_cPa_h >> 1
            # Where one stretch ends the next begins: of the doubt at its ends the average keeps 1 / sqrt(3), and a
            # little, since it is the noise that ends a stretch early.
            sigma_cPa_h = max(self.sigma_cPa_h >> 1, sigma_cPa_h - (sigma_cPa_h >> 2) - (sigma_cPa_h >> 4))
        else:
            sigma_cPa_h += sigma_cPa_h >> 1
        self.stretches += 1
        less_cPa_h = stretch_cPa_h // max(self.raw_cPa // max(stretch_cPa, 1), LESS_MIN)
        self.rate_cPa_h = stretch_cPa_h - less_cPa_h
        self.sigma_cPa_h = max(sigma_cPa_h, 2 * less_cPa_h)

    def doubt_cPa(self):
        """One deviation of a reading: its noise, or where that is less, of any value within a step: step / sqrt(12)."""
        return max(self.known.noise_x64_cPa >> 6, self.known.step_cPa * 19 >> 6)

    def judge_cost(self, lost_cPa):
        """A fall that has cost ``step`` is a leak, whatever the time it took."""
        if lost_cPa <= max(self.known.p[P_STEP], 2 * self.known.band_cPa(0)):
            return
        self.called = True
        gate = self.known
        if gate.jump:
            rate_cPa_h = per_hour(
                max(self.level_raw_cPa - gate.first_cPa, lost_cPa // gate.jump), gate.first_ms
            )
            self.rate_cPa_h = max(self.rate_cPa_h, rate_cPa_h)
            self.sigma_cPa_h = per_hour(self.doubt_cPa(), gate.first_ms)
            self.stretches += 1
        elif not self.stretches:
            age_ms = max(self.age_ms, 1)
            self.rate_cPa_h = per_hour(self.since(self.start_raw_cPa, self.start_even_cPa), age_ms)
            self.sigma_cPa_h = per_hour(self.doubt_cPa(), age_ms)

    def judge_pace(self, stretch_cPa_h, mean_cPa_h):
        """A fall that has gone on for a sixth of ``hold``, a sixteenth quicker than ``step`` in ``hold``."""
        short_ms = self.known.p[P_HOLD] * 1000 // SHORT
        if self.age_ms < short_ms or not self.stretches or stretch_cPa_h < mean_cPa_h >> 1:
            return
        cycle_cPa_h = self.known.p[P_STEP] * 900 // self.known.p[P_HOLD] << 2
        if mean_cPa_h > cycle_cPa_h + (cycle_cPa_h >> 4):
            self.called = True

    def over(self, elapsed_ms):
        """It does not go on: find the new level."""
        self.called = False
        self.sign = QUIET
        self.level_raw_cPa = self.raw_cPa
        self.level_even_cPa = self.even_cPa
        self.settle_count = self.settling = max(min(SETTLE_ms // elapsed_ms, SETTLE_MAX), SETTLE_MIN)
        self.settle_raw_cPa = self.settle_even_cPa = 0

    def settle(self, elapsed_ms):
        """After a change: the mean of half a minute is the new level, unless it shows that the fall goes on."""
        self.settle_raw_cPa += self.raw_cPa
        self.settle_even_cPa += self.even_cPa
        self.settling -= 1
        if self.settling:
            return
        raw_cPa = self.settle_raw_cPa // self.settle_count
        even_cPa = self.settle_even_cPa // self.settle_count
        doubt_cPa = (self.known.noise_x64_cPa >> 5) + self.known.step_cPa
        if common(self.level_raw_cPa - raw_cPa, self.level_even_cPa - even_cPa) < -doubt_cPa:
            self.settling = 1
            self.start(elapsed_ms, -doubt_cPa)
            return
        self.slewed_raw_cPa = raw_cPa
        self.slewed_even_cPa = even_cPa
        removed_cPa = self.before_even_cPa - even_cPa
        if abs(removed_cPa) > doubt_cPa:  # less is noise, and would let the level drift
            self.removed_cPa = removed_cPa
