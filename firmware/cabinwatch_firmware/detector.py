"""Leak detector: from pressure samples to class, rate, uncertainty and T-reserve, in integers within 31 bits.

Slow leaks are the business of the ladders of `Scales`, one on total pressure and one on nitrogen. Fast falls: a tracker
of stretches on raw samples, which asks of every change whether it goes on; a step (hatch, docking, repress) ends, and
is then taken out of the slow watch. DETECTOR.md lists what is guaranteed, and what the parameters do.

Units: pressures cPa, temperatures cK, times ms at the interface.
"""

from cabinwatch_firmware.scales import Scales, lim
from cabinwatch_protocol.device.consts import (
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
    P_THRESHOLD,
    P_WARNING,
)

_CAP = 1073741823


class Detector:
    """Leak detector on parameter list p; see the module docstring."""

    def __init__(self, p):
        self.p = p
        self.x = Scales(2, 15, p)
        self.y = Scales(8, 8, p)
        self.reset()

    def reset(self):
        self.x.reset()
        self.y.reset()
        self.t = self.u = self.ms = self.lsb = self.rest = self.v = 0
        # every attribute is made here: a new one later would grow the object's table
        self.mad = self.e1 = self.e2 = self.g = self.w = self.r = self.y0 = self.n = self.sum = 0
        self.x0 = self.ea = self.go = self.xm = self.ma = self.em = 0
        self.ref = self.dw = self.pace = self.xn = self.held = 0
        self.jc = self.jr = self.age = self.at = self.peak = self.lp = self.lt = self.ld = 0
        self.clear()

    def dismiss(self):
        """Accept what was called: forget it, and call only what is new."""
        self.x.rebase()
        self.y.rebase()
        self.ref = self.w
        self.clear()

    def clear(self):
        self.cls = self.cause = self.rate_cPa_h = self.sigma_cPa_h = self.law = self.sg = self.la = (
            self.lw
        ) = 0
        self.tres_s = _CAP

    def sample(self, dt_ms, pressure_cPa, temperature_cK):
        """Take one valid sample, dt_ms (1..86 400 000) after the last."""
        v = min(pressure_cPa, 16777215)
        if v == self.v and 0 < self.lsb < self.mad >> 9:
            # The same to the last digit, where the noise is many digits: stuck. A gap, then.
            self.held = min(self.held + dt_ms, 86400000)
            return
        dt_ms = min(dt_ms + self.held, 86400000)
        self.held = 0
        temp = max(min(temperature_cK, 35000), 25000)
        ms = self.ms + dt_ms
        n = ms // 1000
        self.ms = ms % 1000
        self.t = self.t + n & _CAP
        if self.v == 0:
            self.v = v
            self.mad = 32000  # 5 Pa, until learned
            self.e1 = self.e2 = temp << 8
            n = 1
        self.gas(temp, n)
        d = abs(v - self.v)
        if d and (d < self.lsb or self.lsb == 0):
            self.lsb = min(d, 10000)  # a gauge's step, 100 Pa at most
            self.x.f = self.lsb << 2
        self.v = v
        self.lw = min(self.lw + dt_ms, 536870912)
        v = self.x.comp(v, self.g)
        if self.x.t < 0:
            self.r = self.ref = self.w = v
        self.noise(v)
        self.ref += lim(v - self.ref, self.p[P_FAST] * min(n, 10000) // 60)
        self.watch(dt_ms, v)

    def gas(self, temp, n):
        """The gas temperature from the sensor's: two averages over its lag, led by twice their difference."""
        if n:
            q = 256
            if n < 1000000:
                q = (n << 8) // (self.p[P_LAG] + n)
            self.e1 += ((temp << 8) - self.e1) * q >> 8
            self.e2 += (self.e1 - self.e2) * q >> 8
            self.g = max((self.e1 * 3 >> 8) - (self.e2 >> 7), 10000)

    def noise(self, v):
        """Learn the noise by second differences, which a steady fall does not raise; each counts for four at most."""
        q = self.dw
        self.dw = v - self.w
        self.w = v
        q = abs(self.dw - q) >> 1
        if q:  # a stuck sensor teaches nothing
            self.mad += min(q, (self.mad >> 4) + 64) - (self.mad >> 6)

    def watch(self, dt, v):
        """Follow a change, find the level after one, or leave v to the slow watch."""
        d = v - self.r
        x = self.x
        if self.sg:
            self.change(dt, v)
            if self.cause:
                self.reserve()
        elif abs(d) > (self.mad >> 3) + (self.p[P_FLOOR] + self.lsb) * (1 + min(dt >> 13, 4000)):
            self.begin(dt, d)
        else:
            self.r += d + 2 >> 2
            if self.rest:
                self.settle(dt, v, d)
            elif self.ref - v > self.p[P_STEP]:
                self.begin(dt, d)
            else:
                x.add(self.t, v, self.p[P_BREATH] // 112, self.p[P_THRESHOLD], self.cause == 0)
                self.share(x.step)
                self.find(x, 2)

    def settle(self, dt, v, d):
        """After a change: find the new level, and take the step out."""
        self.sum += v
        self.rest -= 1
        if self.rest == 0:
            v = self.sum // self.n
            if v - self.r > (self.mad >> 5) + self.lsb:
                self.begin(dt, d)  # not level yet
            else:
                self.ref = v
                v = self.y0 - v
                if abs(v) > (self.mad >> 5) + self.lsb:  # less is noise, and would let the level drift
                    self.x.shift(v)
                    self.share(v)

    def share(self, d):
        """A step of lost air took nitrogen with it."""
        if d > 0:
            self.y.shift(d * 7 // 9)

    def nitrogen(self, dt_ms, ppN2_cPa, temperature_cK):
        """Take one reading of the constituent analyser, dt_ms (1..86 400 000) after the last."""
        y = self.y
        self.u = self.u + (dt_ms + 500) // 1000 & _CAP
        q = y.comp(min(ppN2_cPa, 16777215), max(min(temperature_cK, 35000), 25000))
        y.add(self.u, q, self.p[P_LOSS] // 112 << 6, self.p[P_THRESHOLD], self.cause == 0)
        self.find(y, 3)

    def find(self, x, cause):
        """Begin or follow a slow leak on ladder x."""
        j = x.hit
        if self.cause == 0:
            if j >= 0:
                h = x.h + j
                f = -x.d(j) >> 4
                # Its age is about two blocks of the fastest scales, four of the others.
                if cause == 2 and f * (60 if j < 2 else 15) >> h > self.p[P_FAST]:
                    self.y0 = (x.b[j] >> 8) - x.o
                    self.start(self.w + f, 4000 << h, -f)
                else:
                    self.cause = cause
                    self.jc = j
                    self.jr = max(j - 2, 0)
                    self.age = (2 if j < 2 else 4) << h
                    self.peak = 0
                    self.at = x.t
                    self.follow(x)
        elif self.cause == cause and x.t >> x.h + self.jr != self.at >> x.h + self.jr:
            self.age = min(self.age + (x.t - self.at & _CAP), 268435455)
            self.at = x.t
            self.follow(x)

    def follow(self, x):
        j = self.jr
        if j <= self.jc and j < x.n - 1 and self.age >> x.h + j > 31:
            self.jr = j = j + 1
        h = x.h + j
        # The difference answers a ramp n blocks old with 4 + n / 5 blocks of it, 2 n / 5 at first; here to cPa/h.
        n = min(self.age >> h, 40)
        n = 2 * n if n < 20 else n + 20
        r = lim(-x.d(j), 4700000) * 225 // n * 5 >> h
        s = min(x.spread(j) >> 8, 900000) * 281 // n * 5 >> h
        if x is self.y:  # nitrogen is 7/9 of the air
            r += r * 2 // 7
            s += s * 2 // 7
        # The scale that called shows a leak that has ended first.
        q = -x.d(self.jc)
        self.peak = max(self.peak, q)
        spread = x.spread(self.jc)
        shown = self.peak > spread >> 7 or self.age >> x.h + self.jc > 12
        if shown and q < self.peak >> 2 and q < spread >> 6:
            self.dismiss()
        else:
            r = max(r, 0)
            # In its first blocks a leak shows less than a third of itself.
            self.rate_cPa_h = -r
            self.sigma_cPa_h = s if self.age >> h > 3 else s + r
            self.reserve()
            # A leak older than it was when called is slower than this by up to so much.
            self.sigma_cPa_h += r // 60 * (60 - n)

    # A change that is followed sample by sample: from level x0, ms ago; mark xm, ma ms ago.

    def begin(self, dt, d):
        if self.rest == 0:
            self.y0 = self.r
            if self.x.k[2]:
                self.y0 = (self.x.b[2] >> 8) - self.x.o
        self.start(self.r, dt, d)

    def start(self, x0, ms, d):
        self.x0 = x0
        self.ea = ms
        self.sg = 1 if d < 0 else -1
        self.go = 0
        x = self.x  # the open block may hold the beginning of the change
        x.a[0] = lim(self.y0 + x.o, 1000000) * x.c[0] << 4
        self.mark(lim(abs(d), 10000000) * 50 // (ms // 10 + 1))

    def mark(self, v):
        """Look again when the change, at v cPa/s, stands out of the noise."""
        self.xm = self.w
        self.ma = 0
        n = min((self.mad >> 2) + self.p[P_FLOOR] + self.lsb, 1000000)
        # Once called it is watched the longer the longer it lasts, for a better rate.
        m = min(self.ea >> 3, 300000) if self.cause == 1 else 0
        self.em = min(max(n * 1000 // max(v, 1), m), self.p[P_HOLD] * 1000)
        # A stronger fall is looked at sooner.
        self.xn = max(n, min(v, 2000) * (self.em // 1000)) * 2

    def change(self, dt, v):
        self.ea = min(self.ea + dt, 500000000)
        self.ma = m = min(self.ma + dt, 500000000)
        if m < self.em and (self.xm - v) * self.sg < self.xn:
            return
        f = lim(lim((self.xm - v) * self.sg, 10000000) * 100 // (m // 10 + 1), 290000)
        q = lim((self.x0 - v) * self.sg, 10000000) * 100 // (self.ea // 10 + 1)
        if f < q >> 1 or f < 1 or f * 240 < self.p[P_FAST]:  # slower than half its mean rate: it is over
            self.r = v
            self.n = self.rest = max(min(32000 // dt, 32), 1)
            self.sum = self.sg = 0
            if self.cause == 1:
                self.clear()
            return
        self.mark(f)
        self.pace = self.pace + f >> 1 if self.go else f
        self.go += 1
        if self.sg > 0 and self.go > 1:
            # One that the slow watch called in its first blocks, and that goes on, is followed from now on.
            young = self.cause == 2 and self.age < 16
            if young or self.ref - v > self.p[P_STEP] or self.ea // 1000 > self.p[P_HOLD]:
                self.cause = 1
                self.rate_cPa_h = -self.pace * 3600
                self.sigma_cPa_h = min(self.mad, 13000000) * 81 // (m // 1000 + 1)

    def reserve(self):
        """Publish T-reserve, its law and the class it justifies."""
        v = self.v
        e = self.p[P_RESERVE]
        d = v - e
        q = 2 * min(self.sigma_cPa_h, 50000000) - self.rate_cPa_h
        t = _CAP
        if v and d <= 0:
            t = 0
        elif v and q and (d << 6) // q < 4000000:
            t = (d << 6) // q * 225 >> 2
        self.bend(v)
        if self.law < 3 and t < 8388608 and d > 0:
            t += t * ((d << 6) // (v + e if self.law == 1 else e)) >> 6
        self.tres_s = t
        self.cls = 1
        if t < self.p[P_EMERGENCY]:
            self.cls = 4
        elif t < self.p[P_WARNING]:
            self.cls = 3
        elif t < self.p[P_CAUTION]:
            self.cls = 2

    def bend(self, v):
        """The shortest law that the fall of the rate over two sixteenths of the pressure does not exclude."""
        if self.la == 0:
            self.law = 3
            self.la = v
            self.lw = self.lp = 0
        d = self.la - v
        if v and d > self.la >> 4 and self.lw > 0:
            w = self.lw
            if self.lp:
                n = self.lt
                while n > 1000000 or w > 1000000:
                    n >>= 1
                    w >>= 1
                q = (min(d, 1048575) << 10) // self.ld  # rate of this stretch over that of the last
                q = (min(q, 65535) << 10) // max((w << 10) // max(n, 1), 1)
                u = ((self.la + v >> 5) << 10) // self.lp  # and pressure
                c = 1024 - u
                self.law = 3
                if 4 * (1024 - q) > 3 * c and q > u - 3 * c:
                    self.law = 1
                    if 4 * (u - q) > 3 * c:
                        self.law = 2
            self.ld = min(d, 1048575)
            self.lt = self.lw
            self.lp = self.la + v >> 5
            self.la = v
            self.lw = 0
