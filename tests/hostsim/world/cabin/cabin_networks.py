"""Hypothesis strategies that draw networks: a cabin model, and the same as an `Oracle`."""

import math

import numpy as np
from cabin_oracle import DAY, M, Oracle
from hypothesis import strategies as st

from cabinwatch.world.cabin import CabinModel

CD = 0.84


@st.composite
def networks(draw, hatch_moves=True, breathing=True, temperatures=True, most_rooms=5):
    """(model, oracle, corners): up to five rooms in a chain with spurs, hours of doors, leaks, people and
    weather."""
    count = draw(st.integers(1, most_rooms))
    names = [f"m{i}" for i in range(count)]
    doc = {
        "compartments": {},
        "hatches": {},
        "valves": {},
        "leaks": {},
        "crew": {},
        "flows": {},
        "thermal": {},
    }
    doc["actions"] = []
    rooms, doors, valves, holes, sources, scrubbers, corners = {}, [], [], [], [], [], set()
    for name in names:
        V, T, p = draw(st.floats(5, 200)), draw(st.floats(280, 305)), draw(st.floats(3e4, 1.2e5))
        o2 = draw(st.floats(0.15, 0.4))
        doc["compartments"][name] = {
            "volume": V,
            "temperature": T,
            "pressure": p,
            "o2": o2,
            "co2": 0.01,
            "h2o": 0.02,
        }
        terms = []
        if temperatures and draw(st.booleans()):
            size, period = draw(st.floats(-3, 3)), draw(st.floats(2000, 9000))
            doc["thermal"][f"s{name}"] = {
                "kind": "swing",
                "compartments": [name],
                "size": size,
                "period": period,
            }
            terms.append(lambda t, s=size, d=period: s * math.sin(2 * math.pi * t / d))
        if temperatures and draw(st.booleans()):
            size, at, tau = draw(st.floats(-5, 5)), draw(st.integers(100, 9000)), draw(st.floats(600, 9000))
            doc["thermal"][f"h{name}"] = {
                "kind": "approach",
                "compartments": [name],
                "size": size,
                "at": at,
                "tau": tau,
            }
            terms.append(lambda t, s=size, a=at, d=tau: s * (1 - math.exp(-(t - a) / d)) if t > a else 0.0)
            corners.add(float(at))
        x = np.array([1 - o2 - 0.03, o2, 0.01, 0.02])
        rooms[name] = {"V": V, "T": lambda t, T=T, f=tuple(terms): T + sum(g(t) for g in f), "p0": p, "x": x}
    for i in range(1, count):
        a, b = names[draw(st.integers(0, i - 1))], names[i]
        is_open = draw(st.booleans())
        doc["hatches"][f"h{i}"] = {"a": a, "b": b, "open": is_open}
        moves = sorted(draw(st.sets(st.integers(1, 20), max_size=3))) if hatch_moves else []
        times = [600.0 * m + 7 * i for m in moves]
        corners.update(times)
        state = is_open
        for t in times:
            state = not state
            doc["actions"].append({"at": t, ("open" if state else "close"): f"h{i}"})
        doors.append((a, b, lambda t, o=is_open, ts=tuple(times): o ^ (sum(t >= s for s in ts) % 2 == 1)))
        if draw(st.booleans()):
            bore = draw(st.floats(0.001, 0.008))
            doc["valves"][f"v{i}"] = {"a": a, "b": b, "diameter": bore, "open": True}
            valves.append((a, b, CD * math.pi * bore**2 / 4, lambda t: True))
    for i in range(draw(st.integers(0, 3))):
        name, law = draw(st.sampled_from(names)), draw(st.sampled_from(["orifice", "crack", "linear"]))
        kg_d, onset = draw(st.floats(0.1, 20)), float(draw(st.integers(0, 6000)))
        factor = draw(st.sampled_from([0.0, 0.5, 3.0]))
        doc["leaks"][f"l{i}"] = {
            "compartment": name, "law": law, "size": f"{kg_d!r} kg/d", "at": onset,
            "profile": [{"at": onset + 3000, "to": factor, "over": 2500}],
        }  # fmt: skip
        corners.update((onset, onset + 3000, onset + 5500))
        room = rooms[name]
        p, T, molar = room["p0"], room["T"](0.0), room["x"] @ M
        unit = {
            "orifice": (5 / 6) ** 3 * math.sqrt(1.4) * p / math.sqrt(molar * 8.314462618 * T),
            "crack": p * p / (8.314462618 * T),
            "linear": 1.0,
        }[law]
        full = kg_d / DAY / molar / unit

        def coefficient(t, middle, full=full, onset=onset, factor=factor):
            if middle < onset:
                return 0.0
            x = min(1.0, max(0.0, (t - onset - 3000) / 2500))
            return full * (1 + (factor - 1) * x)

        holes.append((name, law, coefficient))
    if breathing:
        heads, name = draw(st.integers(0, 6)), draw(st.sampled_from(names))
        doc["crew"]["all"] = {"count": heads, "compartment": name, "until": 9000}
        corners.add(9000.0)
        rates = np.array([0, -0.82, 1.0, 1.9]) / M / DAY * heads
        sources.append((name, lambda t, r=rates: r if t < 9000 else 0 * r))
        stream = draw(st.floats(0, 0.02))
        doc["flows"]["bed"] = {"kind": "co2_removal", "compartment": name, "flow": stream}
        scrubbers.append((name, 2, stream))
        mass, at = draw(st.floats(0.1, 5)), float(draw(st.integers(0, 8000)))
        doc["flows"]["n2"] = {
            "kind": "repress",
            "gas": "N2",
            "mass": mass,
            "at": at,
            "over": 1200,
            "compartment": name,
        }
        corners.update((at, at + 1200))
        sources.append(
            (name, lambda t, r=mass / M[0] / 1200, a=at: np.array([r, 0, 0, 0]) * (a <= t < a + 1200))
        )
    model = CabinModel.model_validate(doc)
    return model, Oracle(rooms, doors, valves, holes, sources, scrubbers), corners
