"""Leak detector: from pressure samples to class, rate, uncertainty and T-reserve, in integers within 31 bits.

Method. Slow leaks: a bank of EWMA charts (Roberts 1959) on an octave ladder of block means, each the
difference of a quick and a slow average of its own scale, so that no level needs to be known beforehand.
Against a ramp in white noise one such difference keeps 92 % of the matched filter's signal-to-noise ratio
(Lai 1995's window-limited likelihood ratio is that filter) and needs two numbers where the filter needs a
window. Each scale learns its own spread (mean absolute deviation, clipped), so one algorithm serves white
noise and a wandering cabin. Fast falls: a two-mark tracker on raw samples, which asks of every change
whether it goes on; a step (hatch, docking, repress) ends, and is then taken out of the slow watch.
The integer form changes: averages by shifts with their fractions kept (no dead zone), spread by mean
absolute deviation (no squares, no roots), thresholds in eighths of it.

Units: pressures cPa, temperatures cK, times ms at the interface; inside the ladder 1/16 cPa from a datum.
"""

from protocol.device.consts import (
    P_BREATH,
    P_CAUTION,
    P_EMERGENCY,
    P_FAST,
    P_FLOOR,
    P_HOLD,
    P_LAG,
    P_LOSS,
    P_RESERVE,
    P_STEP,
    P_WANDER,
    P_WARNING,
    P_Z,
)

_CAP = 1073741823
_LIM = 16777215  # 2^24 - 1: range of a ladder value


class Scales:
    """An octave ladder of EWMA charts; the first block lasts 2^sh seconds."""

    def __init__(self, sh, n, wander):
        self.sh = sh
        self.n = n
        self.e = [0] * n  # 2 x quick average
        self.b = [0] * n  # 8 x slow average
        self.a = [0] * n  # sum of the open block
        self.c = [0] * n  # and its count
        self.s = [0] * n  # 256 x mean absolute deviation
        self.k = [0] * n  # blocks since (re)start, up to 8
        self.m = [0] * n  # weight of what is learned, up to 256
        self.wander = wander
        self.reset()

    def reset(self):
        for j in range(self.n):
            self.a[j] = self.c[j] = self.k[j] = self.m[j] = self.s[j] = 0
        self.t = -1
        self.hit = -1

    def rebase(self):
        """Forget every difference: what was is accepted."""
        for j in range(self.n):
            self.b[j] = self.e[j] << 2

    def d(self, j):
        return (self.e[j] >> 1) - (self.b[j] >> 3)

    def add(self, t, x, slope, z, floor, learn):
        """Take value x at second t; self.hit becomes the slowest scale that now calls a fall, or -1."""
        o = self.t
        if o < 0:
            o = t
        self.t = t
        self.hit = -1
        self.step = 0
        h = self.sh
        j = 0
        a = self.a
        c = self.c
        while j < self.n and t >> h != o >> h:
            v = a[j] // c[j]
            a[j] = c[j] = 0
            if (t >> h) - (o >> h) != 1:
                self.k[j] = 0  # a hole: this scale starts again, slower ones only average over it
            k = self.k[j]
            if k == 0:
                self.e[j] = v << 1
                self.b[j] = v << 3
                self.k[j] = 1
            else:
                self.e[j] += v - (self.e[j] >> 1)
                if k < 8:
                    self.k[j] = k = k + 1
                self.b[j] += ((v << 3) - self.b[j]) // k
                if k > 7:
                    self._judge(j, (slope << j), z, floor, learn)
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

    def _judge(self, j, slope, z, floor, learn):
        d = (self.e[j] >> 1) - (self.b[j] >> 3)
        s = self.s[j]
        y = d
        if d < 0:
            y = -d
        if y > 1048575:
            y = 1048575
        if learn:
            k = self.m[j]
            q = self.m[j] = k + 1 if k < 64 or k < 256 and self.sh + j < 10 else k
            k = (s >> 6) + 16 if k else y
            self.s[j] = s + ((min(y, k) << 8) - s) // q
        if self.m[j] < 64:
            s = max(s, self.wander << 12)
        q = (max(s >> 6, floor << 2) * (z - j)) >> 5
        if d > q:
            self.b[j] = self.e[j] << 2  # a rise is no leak: accept it
        elif d + slope < -q:
            if j < 2 or self.d(j - 2) < d + slope >> 1:
                self.hit = j
            elif learn and self.d(j - 2) > d >> 3:  # over, not going on: a step, taken out
                q = self.b[j] >> 3
                self.step = q - (self.e[j - 2] >> 1)
                while j >= 0:
                    self.e[j] = q << 1
                    self.b[j] = q << 3
                    j -= 1


class Detector:
    def __init__(self, p):
        self.p = p
        self.x = Scales(2, 14, p[P_WANDER])
        self.y = Scales(8, 9, p[P_WANDER])
        self.reset()

    def reset(self):
        self.x.reset()
        self.y.reset()
        self.t = self.ms = self.ny = 0
        self.tn = -1
        self.p0 = 0  # datum of the ladder, cPa; 0: no sample yet
        self.lsb = 0
        self.off = self.pres = 0
        self.sg = self.rest = 0
        self.called = 0
        self.clear()

    def dismiss(self):
        """Accept what was called: forget it, and call only what is new."""
        self.x.rebase()
        self.y.rebase()
        self.sg = 0
        self.clear()

    def clear(self):
        self.cls = self.cause = self.rate_cPa_h = self.sigma_cPa_h = self.law = 0
        self.tres_s = _CAP
        self.src = None
        self.called = 0

    # -- samples

    def sample(self, dt_ms, pressure_cPa, temperature_cK):
        v = pressure_cPa
        if v > _LIM:
            v = _LIM
        ms = self.ms + dt_ms
        n = ms // 1000
        self.t = (self.t + n) & _CAP
        self.ms = ms % 1000
        if self.p0 == 0:
            self.p0 = self.r = self.last = v
            self.t0 = temperature_cK
            self.e1 = self.e2 = temperature_cK << 8
            self.mad = 6400
            n = 1
        if n:
            self._thermal(n, temperature_cK)
        d = v - self.last
        self.last = v
        if d:
            if d < 0:
                d = -d
            if d < self.lsb or self.lsb == 0:
                self.lsb = d
        self.pres = v
        d = v - self.r
        f = d
        if d < 0:
            f = -d
        if self.sg:
            self._event(dt_ms, v)
        elif f > (self.mad >> 3) + (self.p[P_FLOOR] + self.lsb) * (1 + (dt_ms >> 13)):
            if self.rest == 0:
                self.y0 = self.x.b[3] >> 3 if self.x.k[3] else self._comp(self.r)
            self._start(self.r, dt_ms, v, d)
        else:
            self.mad += f - (self.mad >> 6)
            self.r += d + 2 >> 2
            if self.rest:
                self.sum += self._comp(v)
                self.rest -= 1
                if self.rest == 0:
                    self._shift((self.y0 - self.sum // self.n) // 16)
            else:
                self._slow(v)

    def _shift(self, d):
        """Take out a step; nitrogen has its share of a loss of air."""
        self.off += d
        if d > 0:
            self.ny -= d * 7 // 9

    def _thermal(self, n, temp):
        """Gas temperature from the sensor's, n s later: two averages over the lag, led by twice their difference."""
        lag = self.p[P_LAG]
        self.tg = temp
        if lag:
            q = 256
            if n < 100000:
                q = (n << 8) // (lag + n)
            self.e1 += ((temp << 8) - self.e1) * q >> 8
            self.e2 += (self.e1 - self.e2) * q >> 8
            self.tg = self.e1 + (self.e1 - self.e2) * 2 >> 8

    def _comp(self, v):
        """Ladder value: pressure at the datum temperature, less the datum, in 1/16 cPa."""
        d = self.tg - self.t0
        if d > 4000:
            d = 4000
        elif d < -4000:
            d = -4000
        d = v - self.p0 - (((v << 6) // self.tg) * d >> 6) + self.off
        if d > 1000000:
            d = 1000000
        elif d < -1000000:
            d = -1000000
        return d << 4

    def _slow(self, v):
        x = self.x
        x.add(self.t, self._comp(v), self.p[P_BREATH] // 225, self.p[P_Z], self.lsb << 2, not self.called)
        self._shift(x.step >> 4)
        self.find(x, self.p[P_BREATH], 2)

    def nitrogen(self, dt_ms, ppN2_cPa, temperature_cK):
        """Take a reading of the constituent analyser; dt_ms since the last one."""
        if self.tn < 0:
            self.ny = ppN2_cPa
            self.ty = temperature_cK
            self.tn = 0
        self.tn = (self.tn + (dt_ms + 500) // 1000) & _CAP
        d = temperature_cK - self.ty
        d = ppN2_cPa - self.ny - (((ppN2_cPa << 6) // temperature_cK) * d >> 6)
        if d > 1000000:
            d = 1000000
        elif d < -1000000:
            d = -1000000
        y = self.y
        y.add(self.tn, d << 4, (self.p[P_LOSS] // 225) << 6, self.p[P_Z] - 4, 0, not self.called)
        self.ny -= y.step >> 4
        self.find(y, self.p[P_LOSS], 3)

    def find(self, x, slope, cause):
        """Begin or follow a slow leak on ladder x."""
        if self.called == 0:
            j = x.hit
            if j >= 0:
                f = -x.d(j)
                v = (f >> 4) * 60 // (1 << x.sh + j)  # cPa/min: leak age is about one block
                if cause == 2 and v > self.p[P_FAST]:
                    self.y0 = x.b[j] >> 3
                    self._start(self.pres + (f >> 4), 2000 << x.sh + j, self.pres, -(f >> 4))
                else:
                    self.called = cause
                    self.src = x
                    self.jc = j
                    self.jr = j - 2 if j > 1 else 0
                    self.age = 2 << x.sh + j
                    self.peak = 0
                    self.at = x.t
                    self._follow(x)
        elif self.src is x and x.t >> x.sh + self.jr != self.at >> x.sh + self.jr:
            self.age = min(self.age + x.t - self.at & _CAP, 268435455)
            self.at = x.t
            self._follow(x)

    def _follow(self, x):
        j = self.jr
        if j <= self.jc and j < x.n - 1 and self.age >> x.sh + j > 15:
            self.jr = j = j + 1
        n = min(self.age >> x.sh + j, 20)
        h = x.sh + j
        n += 10  # the difference answers a ramp that is n blocks old with 2 + n / 5 blocks of it
        d = -x.d(j)
        # 1/16 cPa over (n + 10) / 5 * 2^h seconds, to cPa/h
        r = (min(d, 4700000) * 225 // n * 5) >> h if d > 0 else 0
        s = (min(x.s[j] >> 8, 900000) * 281 // n * 5) >> h
        if self.peak < r:
            self.peak = r
        if r < self.peak >> 2 and -x.d(self.jc) < x.s[self.jc] >> 6:
            x.rebase()
            self.clear()
        else:
            if x is self.y:  # nitrogen is 7/9 of the air
                r += r * 2 // 7
                s += s * 2 // 7
            self.report(r, s, self.called)

    # -- changes that are followed sample by sample

    def _start(self, x0, ms, v, d):
        self.x0 = x0
        self.ea = ms
        self.sg = 1 if d < 0 else -1
        self.go = 0
        self.xm = v
        self.ma = 0
        self._pace(min(d * -self.sg, 1000000) * 100 // (ms // 10 + 1))

    def _pace(self, v):
        """Next mark when the change, at rate v cPa/s, stands out of the noise."""
        self.vr = v = max(v, 1)
        n = (self.mad >> 3) + self.p[P_FLOOR] + self.lsb
        self.em = min(n, 1000000) * 1000 // v

    def _event(self, dt, v):
        self.ea = min(self.ea + dt, 500000000)
        self.ma = min(self.ma + dt, 500000000)
        if self.ma < self.em:
            return
        f = (self.xm - v) * self.sg
        f = max(min(f, 10000000), 0) * 100 // (self.ma // 10 + 1)
        if f < self.vr >> 2 or f * 60 < self.p[P_FAST]:
            self.sg = 0
            self.r = v
            self.n = self.rest = max(min(32000 // dt, 32), 1)
            self.sum = 0
            self.clear()
            return
        m = self.ma
        self.xm = v
        self.ma = 0
        self.go += 1
        self._pace(f)
        if self.sg > 0 and self.go > 1:
            d = self.x0 - v
            if d > self.p[P_STEP] or self.ea // 1000 > self.p[P_HOLD]:
                self.called = 1
                self.report(min(f, 290000) * 3600, min(self.mad * 28 // (m // 1000 + 1), _CAP), 1)

    def report(self, r, s, cause):
        """Publish a fall of r cPa/h with standard deviation s, and the class it justifies."""
        self.rate_cPa_h = -r
        self.sigma_cPa_h = s
        self.cause = cause
        self.law = 3
        d = self.pres - self.p[P_RESERVE]
        q = r + 2 * min(s, 100000000)
        if self.pres == 0:
            self.tres_s = _CAP
        elif q > 0 and d > 0:
            # seconds: d * 3600 / q without leaving 31 bits
            t = (d << 6) // q if d < 16000000 else 0
            self.tres_s = min(t * 225 >> 2, _CAP) if t < 4000000 else _CAP
        else:
            self.tres_s = 0 if d <= 0 else _CAP
        t = self.tres_s
        self.cls = 1
        if t < self.p[P_EMERGENCY]:
            self.cls = 4
        elif t < self.p[P_WARNING]:
            self.cls = 3
        elif t < self.p[P_CAUTION]:
            self.cls = 2
