"""The slow watch: a bank of EWMA charts (Roberts 1959) on an octave ladder of block means.

Each chart is the difference of a quick and a slow average of its own scale, so that no level needs to be known
beforehand. Against a ramp in white noise one such difference keeps 93 % of the matched filter's signal-to-noise
ratio (Lai 1995's window-limited likelihood ratio is that filter) and needs two numbers where the filter needs a
window. Each scale learns its own spread (mean absolute deviation, clipped), so one algorithm serves white noise and
a wandering cabin. The integer form changes: averages by shifts with their fractions kept (no dead zone), spread by
mean absolute deviation (no squares, no roots), thresholds in eighths of it.

Pressures come in as cPa; inside they are 1/16 cPa from a datum.
"""

from cabinwatch_protocol.device.consts import P_WANDER


def lim(v, a):
    return max(-a, min(v, a))


class Scales:
    """An octave ladder of n EWMA charts on one pressure; the first block lasts 2^h seconds."""

    def __init__(self, h, n, p):
        self.h = h
        self.n = n
        self.p = p
        self.e = [0] * n  # 4 x quick average
        self.b = [0] * n  # 16 x slow average
        self.a = [0] * n  # sum of the open block
        self.c = [0] * n  # and its count
        self.s = [0] * n  # 256 x mean absolute deviation
        self.k = [0] * n  # blocks since (re)start, up to 15
        self.u = [0] * n  # 16 x mean difference
        self.m = [0] * n  # weight of what is learned, up to 256
        self.reset()

    def reset(self):
        for j in range(self.n):
            self.a[j] = self.c[j] = self.k[j] = self.m[j] = self.s[j] = 0
        self.t = self.hit = -1
        self.o = self.f = self.g = self.step = 0  # datum; floor of the spread
        self.lv = self.lq = self.ls = self.lm = 0  # 32 x level, 32 x average, 1024 x deviation, weight

    def comp(self, v, temp):
        """Pressure at the datum temperature, cPa; the first call sets the datum."""
        if self.t < 0:
            self.o = -v
            self.g = temp
        return v - ((v << 6) // temp * lim(temp - self.g, 4000) >> 6)

    def rebase(self):
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

    def shift(self, d):
        """Take a step of d cPa out; whether from the level too, which can tell no smaller one from its wander."""
        self.o += d
        if abs(d) > self.ls >> 12:
            # Its size is known to within the wander: two deviations of it are given away.
            self.lv = max(self.lv - (self.ls >> 4), -536870911)
            return True
        self.lv = lim(self.lv + (d << 9), 536870911)
        self.lq = lim(self.lq + (d << 9), 536870911)
        return False

    def d(self, j):
        return (self.e[j] >> 2) - (self.b[j] >> 4)

    def spread(self, j):
        """256 x mean absolute deviation of scale j; never below the wander until the scale has learned."""
        return max(self.s[j], self.p[P_WANDER] << 12 if self.m[j] < 64 else 0)

    def add(self, t, x, slope, z, learn):
        """Take x cPa at second t; self.hit becomes the fastest scale that now calls a fall, or -1."""
        o = self.t
        if o < 0:
            o = t
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
