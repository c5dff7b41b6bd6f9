"""The slow watch: a bank of EWMA charts (Roberts 1959) on an octave ladder of block means.

Each chart is the difference of a slow and a quick average of its own scale, so no level needs to be known beforehand.
What is noise, each scale learns for itself, and only from differences of sixteen blocks ago: a leak is called before it
can teach a scale to put up with it. One algorithm thus serves white noise and a wandering cabin. DETECTOR.md has the
theory. The integer form keeps the averages' fractions, measures spread by the mean absolute deviation (no squares, no
roots) and thresholds in eighths of it.

Pressures come in as cPa; inside they are 1/16 cPa from a datum, and a difference is positive where the pressure falls.

What the thermometer takes from the pressure goes through the same averages beside it: each list of averages holds the
scales of the pressure, then those of this thermal part. Whatever is done to the one is done to the other, and all of it
is linear, so of every difference the thermal share is known, however long ago it warmed.
"""

from cabinwatch_firmware.detector.line import BLOCKS, LEAST, doubt_cPa_h, drop, fall_cPa_h, halve
from cabinwatch_firmware.detector.rates import RATE_MAX_cPa_h, lim
from cabinwatch_protocol.device.consts import P_FAST, P_WANDER

QUICK = 4
SLOW = 16
"""Blocks of memory: against a ramp in white noise this pair keeps 93 % of the matched filter's signal-to-noise ratio,
in a random walk 92 %. The steady difference on a ramp is SLOW - QUICK blocks of its fall."""
STRIDE = 4
"""One difference in four is learned: the quick average makes those between much the same."""
LAG = 4
"""... and as many of them later: sixteen blocks."""
LEARNED = 10
"""Differences that a scale has learned before it believes its own spread."""
MEMORY = 255
"""Differences over which spread and mean are averaged: 1,020 blocks."""
COUNTED_MAX = 100
"""Blocks count up to this, then from a multiple of STRIDE * LAG less."""
DIFFERENCE_MAX_cPa = 32767
"""Sixteen bits: of a spread of 80 Pa still four deviations."""
X_MAX_cPa = 1000000
"""10 kPa from the datum: the sum of a block's 32 readings stays within 31 bits."""
MOVE_x16_cPa = 8000000
"""5 kPa: from here on, another datum."""
UNSEEN_x16_cPa = 4
"""What waits is rounded to cPa: one that rounds to the mean is on average a quarter from it, and not nothing."""
SPREAD_MAX = 524287
"""In 1/16 cPa: 328 Pa, where a crew makes 50 to 90; 256 of it are within 31 bits."""
FEWER = 4
"""Eighths less on nitrogen, whose ladder has fewer than half as many scales as total pressure's and may call as often
in all. Not on the two fastest: no finer scale bears their calls out, and they had five of seven false ones."""
SHOWN = 40
"""Blocks after the call by which a leak shows its steady difference."""
SLOWER = 2
"""Octaves: a leak that is over is seen as that within some twenty blocks, of four times the calling scale's at most."""


def put(words, i, value):
    """Keep the last sixteen bits of a value: half of what a list takes."""
    words[2 * i] = value >> 8 & 255
    words[2 * i + 1] = value & 255


def word(words, i):
    """Sixteen bits, signed."""
    return ((words[2 * i] << 8 | words[2 * i + 1]) ^ 32768) - 32768


class SlowLeak:
    """A ladder of ``scales`` charts on one pressure; the first block lasts 2^h seconds.

    ``called`` says that it leaks; ``rate_cPa_h`` is then the fall of total pressure, ``sigma_cPa_h`` its deviation. Of
    a leak nitrogen shows seven ninths. ``grain_cPa`` is the step of the gauge. ``open_sum`` over ``open_count`` is the
    mean of the block that is not full.
    """

    def __init__(self, h, scales, p, nitrogen):
        self.h = h
        self.scales = scales
        self.p = p
        self.nitrogen = nitrogen
        self.quick_x4 = [0] * scales * 2
        self.slow_x16 = [0] * scales * 2
        self.open_sum = [0] * scales * 2
        self.open_count = bytearray(scales)
        self.blocks = bytearray(scales)
        self.recent_cPa = bytearray(8 * scales)  # the last four block means of each scale, modulo 655.36 Pa
        self.waiting_cPa = bytearray(4 * LAG * scales)  # differences that are yet to be learned
        self.spread_x256 = [0] * scales
        self.mean_x16 = [0] * scales * 2
        self.learned = bytearray(scales)
        self.line_x16_cPa = [0] * BLOCKS
        self.forget()

    def forget(self):
        n = self.scales
        j = 0
        while j < n:
            self.open_sum[j] = self.open_sum[n + j] = self.open_count[j] = 0
            self.blocks[j] = self.learned[j] = self.spread_x256[j] = 0
            j += 1
        self.t = self.hit = -1
        self.datum_cPa = self.thermal_datum_cPa = self.grain_cPa = self.step = self.accepted = 0
        self.calling = self.watched = self.brisk = 0
        self.clear()

    def clear(self):
        self.called = False
        self.rate_cPa_h = self.sigma_cPa_h = self.age = self.most = self.line_octave = self.line_blocks = 0

    def accept(self):
        """Forget every difference: what is now is accepted, also by the scales that have yet to see it."""
        quick_x4 = self.quick_x4
        open_sum = self.open_sum
        n = self.scales
        i = 0  # of the scales so far, the one that is lowest
        j = 0
        while j < n:
            if self.blocks[j]:
                if quick_x4[j] < quick_x4[i] or not self.blocks[i]:
                    i = j
                self.begin(j, quick_x4[i], quick_x4[n + i])
                # What waits to be learned may have been the leak: it is counted out.
                if self.blocks[j] > SLOW:
                    self.blocks[j] = SLOW + (self.blocks[j] & 3)
            if self.blocks[i]:
                open_sum[j] = (quick_x4[i] >> 2) * self.open_count[j]
                open_sum[n + j] = (quick_x4[n + i] >> 2) * self.open_count[j]
            j += 1
        self.hit = -1
        self.clear()

    def shift(self, step_cPa):
        """Take out a step."""
        self.datum_cPa += step_cPa

    def begin(self, j, pressure_x4, thermal_x4):
        """Both averages of scale j begin here."""
        self.quick_x4[j] = pressure_x4
        self.slow_x16[j] = pressure_x4 << 2
        j += self.scales
        self.quick_x4[j] = thermal_x4
        self.slow_x16[j] = thermal_x4 << 2

    def difference(self, j):
        """By how much scale j sees the pressure fallen; at j + ``scales``, the thermal part."""
        return (self.slow_x16[j] >> 4) - (self.quick_x4[j] >> 2)

    def is_thermal(self, j):
        """Whether most of the fall that scale j sees is the thermometer's: the raw pressure must show half of it."""
        return self.difference(j + self.scales) > self.difference(j) >> 1

    def spread(self, j):
        """256 x the mean absolute deviation of scale j; at least ``wander`` until the scale has learned."""
        if self.learned[j] < LEARNED:
            return min(max(self.spread_x256[j], self.p[P_WANDER] << 12), SPREAD_MAX << 8)
        return self.spread_x256[j]

    def take(self, t, x_cPa, thermal_cPa, slope, threshold, learn):
        """Take x cPa at second t; ``hit`` becomes the fastest scale that now calls a fall, or -1.

        Of the raw pressure, ``thermal_cPa`` was taken off to make x. ``slope`` is the steady difference that
        an allowed fall makes on the first scale. What was taken out adds up in ``step``.
        """
        open_sum = self.open_sum
        open_count = self.open_count
        n = self.scales
        before = self.t
        if before < 0:
            before = t
            self.datum_cPa = -x_cPa
            self.thermal_datum_cPa = thermal_cPa
        self.t = t
        self.hit = -1
        self.step = 0
        line_octave = self.line_octave
        watched = False
        h = self.h
        j = 0
        while j < n and t >> h != before >> h:
            mean = open_sum[j] // open_count[j]
            thermal = open_sum[n + j] // open_count[j]
            open_sum[j] = open_sum[n + j] = open_count[j] = 0
            self.average(j, mean, thermal)
            if (t >> h) - (before >> h) != 1:
                # A hole: this scale starts again behind it, slower ones only average over it.
                self.begin(j, self.quick_x4[j], self.quick_x4[n + j])
                self.blocks[j] = 0
            if self.called and h == line_octave:
                self.lengthen(mean, before >> h)
            if learn and self.blocks[j] % STRIDE == 0:
                self.learn(j)
            if self.blocks[j] >= SLOW:
                self.judge(j, slope << j, threshold, learn)
            if self.called and j == self.watched and self.blocks[j] >= SLOW:
                watched = True
            j += 1
            h += 1
            if j < n:
                open_sum[j] += mean
                open_sum[n + j] += thermal
                open_count[j] += 1
        self.gather(x_cPa, thermal_cPa)
        if watched:
            self.watch()

    def gather(self, x_cPa, thermal_cPa):
        """Add to the open block of the first scale. The step that was taken out is out from here on."""
        open_sum = self.open_sum
        open_count = self.open_count
        n = self.scales
        x = lim(x_cPa + self.datum_cPa, X_MAX_cPa) << 4
        thermal = lim(self.thermal_datum_cPa - thermal_cPa, X_MAX_cPa) << 4
        if open_count[0] > 31:
            open_sum[0] >>= 1
            open_sum[n] >>= 1
            open_count[0] >>= 1
        open_sum[0] += x
        open_sum[n] += thermal
        open_count[0] += 1
        if abs(x) > MOVE_x16_cPa:
            self.move(x)
        if abs(thermal) > MOVE_x16_cPa:
            self.thermal_datum_cPa -= thermal >> 4
            self.count_from(n, thermal)

    def move(self, x):
        """Near the end of the range: count from another datum."""
        self.datum_cPa -= x >> 4
        self.count_from(0, x)
        i = 0
        while i < self.line_blocks:
            self.line_x16_cPa[i] -= x
            i += 1
        i = 0
        while i < 4 * self.scales:
            put(self.recent_cPa, i, word(self.recent_cPa, i) - (x >> 4))
            i += 1

    def count_from(self, i, x):
        """Count the averages of the pressure (i = 0) or of the thermal part from x."""
        j = 0
        while j < self.scales:
            self.quick_x4[i] = lim(self.quick_x4[i] - (x << 2), 67108863)
            self.slow_x16[i] = lim(self.slow_x16[i] - (x << 4), 268435455)
            self.open_sum[i] = lim(self.open_sum[i] - x * self.open_count[j], 16777215 * self.open_count[j])
            i += 1
            j += 1

    def average(self, j, mean, thermal):
        """Both averages are plain means until they have their blocks."""
        quick_x4 = self.quick_x4
        slow_x16 = self.slow_x16
        i = j + self.scales
        k = self.blocks[j] + 1
        if k == 1:
            self.begin(j, mean << 2, thermal << 2)
        else:
            m = min(k, QUICK)
            quick_x4[j] += ((mean << 2) - quick_x4[j]) // m
            quick_x4[i] += ((thermal << 2) - quick_x4[i]) // m
            m = min(k, SLOW)
            slow_x16[j] += ((mean << 4) - slow_x16[j] + 8) // m
            slow_x16[i] += ((thermal << 4) - slow_x16[i] + 8) // m
        if k == SLOW and j > 1 and self.learned[j - 2] > 1:
            # A mean of 16 lags 7.5 blocks behind a steady fall, the average that goes on 15. The rest is put in, from
            # what scale j - 2 knows of the fall (three blocks of it), or it would be learned as spread.
            slow_x16[j] += lim(self.mean_x16[j - 2] >> 4, 4194303) * 40
            slow_x16[i] += lim(self.mean_x16[i - 2] >> 4, 4194303) * 40
        put(self.recent_cPa, 4 * j + (k & 3), mean >> 4)
        self.blocks[j] = k if k < COUNTED_MAX else k - STRIDE * LAG

    def learn(self, j):
        """Exchange the difference for that of sixteen blocks ago, and learn that one."""
        mean_x16 = self.mean_x16
        i = j + self.scales
        k = self.blocks[j]
        past = self.exchange(j, k)
        thermal = self.exchange(i, k)
        if k < SLOW + 1 + STRIDE * LAG:
            return  # that one was of the averages' beginning
        m = self.learned[j]
        deviation = max(abs(past - (mean_x16[j] >> 4)), UNSEEN_x16_cPa)
        if m < MEMORY:
            m += 1
            self.learned[j] = m
        mean_x16[j] += ((past << 4) - mean_x16[j]) * 2 // (m + 1)
        mean_x16[i] += ((thermal << 4) - mean_x16[i]) * 2 // (m + 1)
        if m > 1:
            most = SPREAD_MAX
            if m > LEARNED:
                most = min(most, (self.spread_x256[j] * 5 >> 8) + 16)  # five of these are four deviations
            deviation = min(deviation, most)
            self.spread_x256[j] += (((deviation << 8) - self.spread_x256[j]) * 2 + (m >> 1)) // m

    def exchange(self, j, k):
        """Put the difference of scale j, with k blocks, where that of sixteen blocks ago was; return that one."""
        i = LAG * j + k // STRIDE % LAG
        past = word(self.waiting_cPa, i) << 4
        put(self.waiting_cPa, i, lim(self.difference(j) + 8 >> 4, DIFFERENCE_MAX_cPa))
        return past

    def threshold(self, j, eighths):
        """The difference that is called, for the eighths of a scale whose blocks were of one second.

        A scale has half as many blocks a year as the one before, and is called as often: the square of the threshold
        falls by 2 ln 2 deviations, which is close to 7/4 eighths of the mean absolute one. Of m learned values the
        spread is as uncertain as Student's t has it: L deviations, which are z / 10, more by (L^3 + L) / 4m.
        """
        z = eighths - (7 * (self.h + j) >> 2)
        if self.nitrogen and j > 1:
            z -= FEWER
        z = max(z, 8)
        z += z * (z * z // 100 + 1) // (4 * max(self.learned[j], LEARNED))
        # One step of a gauge moves the difference by half of itself; three quarters are not exceeded by it.
        return max((self.spread(j) >> 6) * z >> 5, 12 * self.grain_cPa)

    def judge(self, j, slope, eighths, learn):
        fall = self.difference(j)
        limit = self.threshold(j, eighths)
        finer = self.difference(max(j - 2, 0))
        allowed = self.allowed(j, slope, finer)
        if fall < -limit:
            if j > 1 and -finer < -fall >> 1:
                self.begin(
                    j, self.quick_x4[j], self.quick_x4[j + self.scales]
                )  # a rise is no leak: accept it
        elif fall - allowed > limit:
            if j > 1 and self.blocks[j - 2] < SLOW:
                # Readings are too sparse for whole blocks there.
                least = self.fell(j, min, slope)
                most = self.fell(j, max, slope)
                if self.hit < 0 and not self.called:
                    self.brisk = least + most >> 1
                goes_on = least > max(fall - slope >> 4, self.spread(j) >> 5)
                over = fall > self.spread(j) >> 3 and most < fall - slope >> 3
            else:
                # Of a ramp the scale two octaves down shows a quarter, of a step soon nothing.
                goes_on = j < 2 or finer - (slope >> 2) > fall - slope >> 3
                over = finer < fall >> 3 and fall > self.spread(j - 2) * 3 >> 6
            if goes_on:
                if self.hit < 0:
                    self.hit = j
                    if not self.called:
                        self.accepted = allowed
            elif learn and over:
                # Not going on, and the scale could tell: a step, taken out.
                self.take_out(j)
                self.hit = -1  # a finer scale's, which has nothing to show now

    def take_out(self, j):
        """Take out the step that scale j sees; where most of it is the thermometer's, that part, free of noise."""
        i = j + self.scales
        level = self.slow_x16[j] >> 4
        thermal = self.slow_x16[i] >> 4
        made_cPa = step_cPa = thermal - (self.quick_x4[i - 2] >> 2) >> 4
        self.thermal_datum_cPa += made_cPa
        if not self.is_thermal(j):
            step_cPa = level - (self.quick_x4[j - 2] >> 2) >> 4
            self.step += step_cPa - made_cPa  # of air
        self.shift(step_cPa)
        while j >= 0:
            self.begin(j, level << 2, thermal << 2)
            j -= 1

    def fell(self, j, least_or_most, slope):
        """The least or the most by which each of the last three blocks fell, beyond what is allowed."""
        ring = self.recent_cPa
        k = self.blocks[j]
        now_cPa = word(ring, 4 * j + (k & 3))
        before_cPa = word(ring, 4 * j + (k - 1 & 3))
        past_cPa = word(ring, 4 * j + (k - 2 & 3))
        oldest_cPa = word(ring, 4 * j + (k - 3 & 3))
        fall_cPa = least_or_most(
            before_cPa - now_cPa + 32768 & 65535,
            past_cPa - before_cPa + 32768 & 65535,
            oldest_cPa - past_cPa + 32768 & 65535,
        )
        return (fall_cPa - 32768 << 4) - slope // 12

    def allowed(self, j, slope, finer):
        """The difference that the allowed fall explains.

        All of it, if it has gone on for long. Where the fall was known to be less and the scale two octaves down shows
        that it now is more, by two mean absolute deviations, the fall has just begun: then what is known, and five
        sixteenths of what could have come on top: what nine blocks, about those that a call takes, add.
        """
        if j < 2 or slope == 0 or self.learned[j] < LEARNED:
            return slope
        if finer - (slope >> 2) <= self.spread_x256[j - 2] >> 7:
            return slope
        known = max(0, min(self.mean_x16[j] >> 4, slope))
        return known + ((slope - known) * 5 >> 4)

    # A leak that was called.

    def fallen_cPa(self):
        """By how much the calling scale sees the pressure fallen, cPa."""
        return max(self.difference(self.hit) >> 4, 0)

    def quick(self):
        """Whether the calling scale's fall is quicker than ``fast``, so that it is followed sample by sample."""
        self.calling = self.hit
        self.glance()
        # What the two fastest scales see may be a single block old.
        return self.rate_cPa_h << (self.hit < 2) > self.p[P_FAST] * 60

    def call(self):
        j = self.calling = self.watched = self.hit
        self.called = True
        self.age = self.most = 0
        self.line_octave = self.h + j
        last = self.blocks[j]
        now_cPa = self.quick_x4[j] >> 6
        i = 0
        while i < 4:
            since_cPa = (word(self.recent_cPa, 4 * j + (last - 3 + i & 3)) - now_cPa + 32768 & 65535) - 32768
            self.line_x16_cPa[i] = now_cPa + since_cPa << 4
            i += 1
        self.line_blocks = 4
        self.glance()

    def glance(self):
        """The rate of a leak that is too young for a line.

        Of its steady difference it shows 5/6 and 11/12 on the next two finer scales at an age of 16 and 10 blocks of
        the calling one, which has seen at most 12 of it. At eight, as a rule, it is 0.56 and 0.84; but what is called
        so early looks quicker by its noise.
        """
        j = self.calling
        if j < 2:
            fall = self.difference(j) >> 1
        else:
            fall = self.difference(j - 1) // 10 + self.difference(j - 2) * 2 // 11
            fall = max(fall, self.difference(j) >> 3)
            if self.blocks[j - 2] < SLOW:
                fall = max(fall, self.brisk)  # of its last blocks, at the call
        self.publish(lim(max(fall, 0), 4700000) * 225 >> self.h + j)
        self.sigma_cPa_h = self.rate_cPa_h * 3 >> 2

    def publish(self, fall_cPa_h):
        """Of air; of it 7/9 is nitrogen."""
        fall_cPa_h = min(fall_cPa_h, RATE_MAX_cPa_h >> 1)
        self.rate_cPa_h = fall_cPa_h + fall_cPa_h * 2 // 7 if self.nitrogen else fall_cPa_h

    def lengthen(self, mean, block):
        """A block more on the line; where that is full and a longer block ends as well, it goes on with those."""
        line = self.line_x16_cPa
        n = self.line_blocks
        if n == BLOCKS:
            n = drop(line, n, 1)
        line[n] = mean
        n += 1
        if block & 1 and n == BLOCKS and self.line_octave < self.h + self.scales - 1:
            n = halve(line, n)
            self.line_octave += 1
        octave = self.line_octave
        j = octave - self.h
        while j > 0 and self.learned[j] < LEARNED:
            j -= 1
        if n < LEAST:
            self.line_blocks = n
            self.glance()
            return
        fall = fall_cPa_h(line, 0, n, octave)
        doubt = doubt_cPa_h(n, octave, self.spread(j), self.redness_x4(j))
        if n > LEAST:
            rest = fall_cPa_h(line, 1, n - 1, octave)
            if rest - fall >> 1 > doubt:
                # The oldest block was before the leak, or before it grew.
                n = drop(line, n, 1)
                doubt += rest - fall
                fall = rest
        self.line_blocks = n
        if doubt > fall >> 1:
            self.glance()
            return
        # A leak that grew or wanes is no line: a 64th more.
        doubt += fall >> 6
        self.publish(fall)
        self.sigma_cPa_h = doubt + doubt * 2 // 7 if self.nitrogen else doubt

    def redness_x4(self, j):
        """0 where the spread falls from scale j - 2 as in white noise, 4 where it grows as in a random walk."""
        if j < 2 or self.learned[j - 2] < LEARNED:
            return 0
        finer = max(self.spread_x256[j - 2] >> 8, 1)
        growth_x20 = (self.spread_x256[j] >> 8) * 20 // finer
        return (growth_x20 > 18) + (growth_x20 > 22) + (growth_x20 > 28) + (growth_x20 > 35)

    def watch(self):
        """Accept what the leak has cost once it is over: once the difference is a quarter of what it was.

        What counts is what exceeds the fall that was allowed when it was called. As the leak gets older it is looked
        for on a slower scale, on which it stands out by more.
        """
        j = self.watched
        self.age += 1
        excess = self.excess(j)
        if self.age == SHOWN:
            self.age >>= 1
            if j < min(self.calling + SLOWER, self.scales - 1) and excess > self.most >> 1:
                self.watched = j + 1
                self.most = excess
                return
        self.most = max(self.most, excess)
        spread = self.spread(j)
        shown = self.most > spread >> 7 or self.age > SHOWN - 2
        if shown and excess < self.most >> 2 and excess < spread >> 6:
            # One swing of the noise is not the end: of what goes on, the next scale would show twice as much.
            if j == self.scales - 1 or self.blocks[j + 1] < SLOW or self.excess(j + 1) < self.most * 3 >> 3:
                self.accept()

    def excess(self, j):
        return self.difference(j) - (self.accepted << j - self.calling)
