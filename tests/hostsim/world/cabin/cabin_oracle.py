"""An independent solution of a network, plainly written: rooms, mole balances, and SciPy's stiff integrator.

It shares nothing with the package but the numbers of the model. Everything here is restated from the
physics: ideal gas, choked and subcritical orifice (linear in the last half per cent before balance),
viscous crack, and rooms behind open hatches mixed at one pressure.
"""

import math

import numpy as np
from scipy.integrate import solve_ivp

R = 8.314462618
M = np.array([28.0134, 31.9988, 44.0095, 18.01528]) / 1000
DAY = 86400.0


def psi(r):
    def ideal(x):
        return math.sqrt(7 * (x ** (10 / 7) - x ** (12 / 7)))

    choked = (5 / 6) ** 3.5
    if r > 0.995:
        return ideal(0.995) * (1 - r) / 0.005
    return ideal(max(r, choked))


class Oracle:
    """``rooms``: name -> dict(V, T(t), p0, x); ``doors``: list of (a, b, open(t)); ``valves``: (a, b, CdA,
    open(t)); ``holes``: (room, law, coefficient(t)); ``sources``: (room, mol/s of each gas as a function of
    t); ``scrubbers``: (room, gas index, m3/s)."""

    def __init__(self, rooms, doors=(), valves=(), holes=(), sources=(), scrubbers=()):
        self.names = list(rooms)
        self.rooms = [rooms[name] for name in self.names]
        self.doors, self.valves, self.holes, self.sources = doors, valves, holes, sources
        self.scrubbers = scrubbers

    def groups(self, t):
        groups = [{name} for name in self.names]
        for a, b, is_open in self.doors:
            if is_open(t):
                ga = next(g for g in groups if a in g)
                gb = next(g for g in groups if b in g)
                if ga is not gb:
                    ga |= gb
                    groups.remove(gb)
        return groups

    def room(self, name):
        return self.rooms[self.names.index(name)]

    def solve(self, corners, ask):
        """Pressures and amounts at the times asked: {t: {room: partial pressures}}."""
        n = {
            name: self.room(name)["p0"]
            * self.room(name)["V"]
            / (R * self.room(name)["T"](0.0))
            * self.room(name)["x"]
            for name in self.names
        }
        times = sorted({0.0, *corners, *ask})
        found = {}
        for t0, t1 in zip(times, [*times[1:], None], strict=True):
            groups = self.groups(t0)
            y = np.array([sum(n[name] for name in group) for group in groups])
            n = self.spread(groups, y, t0)
            found[t0] = {
                name: n[name] * R * self.room(name)["T"](t0) / self.room(name)["V"] for name in self.names
            }
            if t1 is None:
                break
            middle = (t0 + t1) / 2
            flat = solve_ivp(
                lambda t, y, g=groups, m=middle: self.slopes(t, y.reshape(-1, 4), g, m).ravel(),
                (t0, t1), y.ravel(), method="LSODA", rtol=1e-10, atol=1e-9 * y.max() * 1e-3, max_step=600.0,
            )  # fmt: skip
            assert flat.success, flat.message
            y = flat.y[:, -1].reshape(-1, 4)
            n = self.spread(groups, y, t1)
        return found

    def spread(self, groups, y, t):
        """What each room holds of its group's gas: by V/T."""
        n = {}
        for group, whole in zip(groups, y, strict=True):
            weight = {name: self.room(name)["V"] / self.room(name)["T"](t) for name in group}
            for name in group:
                n[name] = whole * weight[name] / sum(weight.values())
        return n

    def slopes(self, t, y, groups, middle):
        dy = np.zeros_like(y)
        where = {name: i for i, group in enumerate(groups) for name in group}
        volume = [sum(self.room(name)["V"] for name in group) for group in groups]
        per_K = [sum(self.room(name)["V"] / self.room(name)["T"](t) for name in group) for group in groups]
        p = [y[i].sum() * R / per_K[i] for i in range(len(groups))]
        molar = [y[i] @ M / y[i].sum() if y[i].sum() > 0 else 0.029 for i in range(len(groups))]
        for name, law, coefficient in self.holes:
            i, T = where[name], self.room(name)["T"](t)
            if law == "orifice":
                flow = coefficient(t, middle) * psi(0) * p[i] / math.sqrt(molar[i] * R * T)
            elif law == "crack":
                flow = coefficient(t, middle) * p[i] ** 2 / (R * T)
            else:
                flow = coefficient(t, middle) * min(1.0, p[i] / 1000)
            dy[i] -= flow * y[i] / y[i].sum()
        for a, b, area, is_open in self.valves:
            i, j = where[a], where[b]
            if not is_open(middle) or i == j:
                continue
            if p[i] < p[j]:
                i, j = j, i
            if p[i] <= 0:
                continue
            T = volume[i] / per_K[i]
            flow = area * p[i] * psi(p[j] / p[i]) / math.sqrt(molar[i] * R * T)
            dy[i] -= flow * y[i] / y[i].sum()
            dy[j] += flow * y[i] / y[i].sum()
        for name, rates in self.sources:
            dy[where[name]] += rates(middle)
        for name, gas, stream in self.scrubbers:
            i = where[name]
            dy[i, gas] -= stream * y[i, gas] / volume[i]
        return dy
