"""The slow watch: a bank of EWMA charts (Roberts 1959) on an octave ladder of block means.

Each chart is the difference of a quick and a slow average of its own scale, so that no level needs to be known
beforehand. Against a ramp in white noise one such difference keeps 93 % of the matched filter's signal-to-noise
ratio (Lai 1995's window-limited likelihood ratio is that filter) and needs two numbers where the filter needs a
window. Each scale learns its own spread (mean absolute deviation, clipped), so one algorithm serves white noise and
a wandering cabin. The integer form changes: averages by shifts with their fractions kept (no dead zone), spread by
mean absolute deviation (no squares, no roots), thresholds in eighths of it.

Pressures come in as cPa; inside they are 1/16 cPa from a datum.
"""

from cabinwatch_protocol.device.consts import P_FAST, P_WANDER


def lim(v, a):
    return max(-a, min(v, a))


class SlowLeak:
    """An octave ladder of n EWMA charts on one pressure; the first block lasts 2^h seconds.

    ``called`` says that it leaks; ``rate_cPa_h`` is then the fall of total pressure, ``sigma_cPa_h`` its deviation. Of
    a leak nitrogen shows seven ninths.
    """

    def __init__(self, h, n, p, nitrogen):
        self.h = h
        self.n = n
        self.p = p
        self.nitrogen = nitrogen
        self.e = [0] * n  # 4 x quick average
        self.b = [0] * n  # 16 x slow average
        self.a = [0] * n  # sum of the open block
        self.c = [0] * n  # and its count
        self.s = [0] * n  # 256 x mean absolute deviation
        self.k = [0] * n  # blocks since (re)start, up to 15
        self.u = [0] * n  # 16 x mean difference
        self.m = [0] * n  # weight of what is learned, up to 256
        self.forget()

    def forget(self):
        for j in range(self.n):
            self.a[j] = self.c[j] = self.k[j] = self.m[j] = self.s[j] = 0
        self.t = self.hit = -1
        self.o = self.f = self.step = 0  # datum; floor of the spread
        self.lv = self.lq = self.ls = self.lm = 0  # 32 x level, 32 x average, 1024 x deviation, weight
        self.jc = self.jr = self.age = self.at = self.peak = 0
        self.clear()

    def clear(self):
        self.called = False
        self.rate_cPa_h = self.sigma_cPa_h = 0

    def accept(self):
        """Forget every difference: what is now is accepted, also by the scales that have yet to see it."""
        v = 67108863
        for j in range(self.n):
            if self.k[j]:
                v = min(v, self.e[j])
                self.e[j] = v
                self.b[j] = v << 2
                self.a[j] = (v >> 2) * self.c[j]
                if self.h + j == 10:
                    self.lv = self.lq = min(v << 3, self.lq)
        self.lm = min(self.lm, 1024)
        self.clear()

    def shift(self, d):
        """Take a step of d cPa out; whether from the level too, which can tell no smaller one from its wander."""
        self.o += d
        if abs(d) > self.ls >> 12:
            # Its size is known to within the wander: two deviations of it are given away, one by each slow scale.
            self.lv = max(self.lv - (self.ls >> 4), -536870911)
            for j in range(self.n):
                if self.h + j > 9:
                    self.b[j] -= self.ls >> 6
            return True
        self.lv = lim(self.lv + (d << 9), 536870911)
        self.lq = lim(self.lq + (d << 9), 536870911)
        return False

    def d(self, j):
        return (self.e[j] >> 2) - (self.b[j] >> 4)

    def spread(self, j):
        """256 x mean absolute deviation of scale j; never below the wander until the scale has learned."""
        return max(self.s[j], self.p[P_WANDER] << 12 if self.m[j] < 64 else 0)

    def take(self, t, x, slope, z, learn):
        """Take x cPa at second t; self.hit becomes the fastest scale that now calls a fall, or -1."""
        o = self.t
        if o < 0:
            o = t
            self.o = -x
        self.t = t
        x = lim(x + self.o, 1000000) << 4
        self.hit = -1
        self.step = 0
        h = self.h
        j = 0
        a = self.a
        c = self.c
        while j < self.n and t >> h != o >> h:
            v = a[j] // c[j]
            a[j] = c[j] = 0
            k = self.k[j]
            if (t >> h) - (o >> h) != 1:
                k = 0  # a hole: this scale starts again, slower ones only average over it
            if k == 0:
                self.e[j] = v << 2
                self.b[j] = v << 4
            else:
                self.e[j] += v - (self.e[j] >> 2)
                self.b[j] += ((v << 4) - self.b[j]) // (k + 1)
            if k < 15:
                self.k[j] = k + 1
            else:
                self.judge(j, slope << j, z - 2 * h, learn)
            if h == 10 and slope == 0:
                self.stand(v, z, learn)
            j += 1
            h += 1
            if j < self.n:
                a[j] += v
                c[j] += 1
        if c[0] > 31:
            a[0] >>= 1
            c[0] >>= 1
        a[0] += x
        c[0] += 1
        if abs(x) > 8000000:
            self.o -= x >> 4  # near the end of the range: move the datum
            x = x >> 4 << 4
            self.lv = lim((self.lv >> 5) - x, 16777215) << 5
            self.lq = lim((self.lq >> 5) - x, 16777215) << 5
            for j in range(self.n):
                self.e[j] = lim(self.e[j] - (x << 2), 67108863)
                self.b[j] = lim(self.b[j] - (x << 4), 268435455)
                a[j] = lim(a[j] - x * c[j], 16777215 * c[j])

    def judge(self, j, slope, z, learn):
        d = self.d(j)
        s = self.s[j]
        m = self.m[j]
        if learn:
            # The spread is learned about the mean, or a long ramp would teach a scale to put up with it.
            if not m:
                self.u[j] = d << 2
            y = d - (self.u[j] >> 2)
            self.u[j] += y >> 4
            y = min(abs(y), 1048575)
            if m:
                y = min(y, (s >> 6) + 16)
            if m < 64 or m < 256 and self.h + j < 12:
                self.m[j] = m = m + 1
            self.s[j] = s + ((y << 8) - s) // m
        q = max(self.spread(j) >> 6, self.f) * z >> 5
        y = self.d(max(j - 2, 0))
        if d > q:
            if j > 1 and y < d >> 1:
                self.b[j] = self.e[j] << 2  # a rise is no leak: once over, accept it
        elif d + slope < -q:
            # Of a ramp the scale two octaves down shows a quarter, of a step soon nothing.
            if j < 2 or y + (slope >> 2) < d + slope >> 3:
                if self.hit < 0:
                    self.hit = j
            elif learn and y > d >> 3 and -d > self.spread(j - 2) * 3 >> 6:
                # Over, not going on, and that scale could tell: a step, taken out.
                q = self.b[j] >> 4
                self.step = q - (self.e[j - 2] >> 2) >> 4
                if self.shift(self.step):
                    self.lq = self.lv
                while j >= 0:
                    self.e[j] = q << 2
                    self.b[j] = q << 4
                    j -= 1

    def stand(self, v, z, learn):
        """Where nothing else moves the pressure: an average over 9 h against a level kept for weeks."""
        m = self.lm
        if m == 0:
            self.lv = self.lq = v << 5
        self.lq += v - (self.lq >> 5)
        d = self.lq - self.lv >> 5
        if m > 1023:  # 12 days
            # A sensor that drifts by 1 hPa a year (BMP280) is 13 Pa ahead of such a level.
            q = max((self.ls >> 10) * (z - 30) >> 3, 25600)
            if d > q:
                self.lv = max(self.lq - (q << 5), -536870911)  # a rise is no leak
            elif d < -q and self.hit < 0:
                # Of a leak as old as four blocks of scale 2^12 s the average shows a quarter, of 2^15 s nearly all.
                q = (-d << 3) // max((self.lv >> 5) - (self.e[10 - self.h] >> 2), 1)
                self.hit = 12 - self.h + (min(max(q, 1), 8) - 1 >> 1)
        if learn:
            if m < 4096:
                self.lm = m = m + 1
            self.lv += ((v << 5) - self.lv + (m >> 1)) // m
            d = min(abs(d), (self.ls >> 8) + 16, 1048575)
            self.ls += ((d << 10) - self.ls + (m >> 1)) // m

    # A leak that was called.

    def fallen_cPa(self):
        """By how much the calling scale sees the pressure fallen, cPa."""
        return max(-self.d(self.hit) >> 4, 0)

    def looks_back(self):
        """The calling scale's fall is no older than two to this power of seconds."""
        return self.h + self.hit + 4

    def quick(self):
        """Whether the calling scale's fall is quicker than ``fast``, so that it is followed sample by sample."""
        # Its age is about two blocks of the fastest scales, four of the others.
        return self.fallen_cPa() * (60 if self.hit < 2 else 15) >> self.h + self.hit > self.p[P_FAST]

    def call(self):
        j = self.hit
        self.called = True
        self.jc = j
        self.jr = max(j - 2, 0)
        self.age = (2 if j < 2 else 4) << self.h + j
        self.peak = 0
        self.at = self.t
        self.follow()

    def go_on(self):
        """Follow the leak where a block of the rate's scale has ended; accept what it has cost once it is over."""
        j = self.h + self.jr
        if self.t >> j != self.at >> j:
            self.age = min(self.age + (self.t - self.at & 1073741823), 268435455)
            self.at = self.t
            self.follow()

    def follow(self):
        j = self.jr
        if j <= self.jc and j < self.n - 1 and self.age >> self.h + j > 31:
            self.jr = j = j + 1
        h = self.h + j
        # The difference answers a ramp n blocks old with 4 + n / 5 blocks of it, 2 n / 5 at first; here to cPa/h.
        n = min(self.age >> h, 40)
        n = 2 * n if n < 20 else n + 20
        r = lim(-self.d(j), 4700000) * 225 // n * 5 >> h
        s = min(self.spread(j) >> 8, 900000) * 281 // n * 5 >> h
        if self.nitrogen:  # 7/9 of the air
            r += r * 2 // 7
            s += s * 2 // 7
        # The scale that called shows a leak that has ended first.
        q = -self.d(self.jc)
        self.peak = max(self.peak, q)
        spread = self.spread(self.jc)
        shown = self.peak > spread >> 7 or self.age >> self.h + self.jc > 12
        if shown and q < self.peak >> 2 and q < spread >> 6:
            self.accept()
            return
        r = max(r, 0)
        self.rate_cPa_h = r
        # In its first blocks a leak shows less than a third of itself; one older than it was when called is slower than
        # this by up to the last term.
        self.sigma_cPa_h = (s if self.age >> h > 3 else s + r) + r // 60 * (60 - n)
