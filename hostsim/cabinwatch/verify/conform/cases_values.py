"""Cases of SPEC.md that judge values: what a transducer in a room reports, and what a monitor says of a leak."""

from cabinwatch.verify.conform.bench import Bench, Heard, Impossible
from cabinwatch.verify.conform.case import case, expect
from cabinwatch.verify.conform.cases_alarms import ALARM, QUIET_S, Cabin
from cabinwatch_protocol import table as t

PRESSURE_cPa = (3_000_000, 12_000_000)
TEMPERATURE_cK = (20_000, 35_000)
"""A room's, by XDR-06: from a suit's pressure to a module's, from the coldest to the hottest that was lived in."""
PRESSURE_SHARE = 0.02
TEMPERATURE_OFF_cK = 500
"""How near a sample is to the truth, by XDR-06."""
ZERO_C_cK = 27_315
LARGE = 1 << 30
NEAR = 3
"""How many times too fast or too slow a rate may be told in mid-leak: enough to tell cPa/h from Pa/h or cPa/s."""


def _swapped(value: int, octets: int) -> int:
    return int.from_bytes(value.to_bytes(octets, "little"), "big")


def pressure_like(value: int) -> str:
    """What an implausible pressure looks like, or ""."""
    if PRESSURE_cPa[0] <= value <= PRESSURE_cPa[1]:
        return ""
    for name, other in (
        ("Pa", value * 100),
        ("hPa", value * 10_000),
        ("0.1 Pa", value * 10),
        ("its octets swapped", _swapped(value, 4)),
        ("its words swapped", (value & 0xFFFF) << 16 | value >> 16),
    ):
        if PRESSURE_cPa[0] <= other <= PRESSURE_cPa[1]:
            return f": {name}?"
    return ""


def temperature_like(value: int) -> str:
    """What an implausible temperature looks like, or ""."""
    if TEMPERATURE_cK[0] <= value <= TEMPERATURE_cK[1]:
        return ""
    signed = value - 0x10000 if value & 0x8000 else value
    for name, other in (
        ("K", value * 100),
        ("0.1 K", value * 10),
        ("its octets swapped", _swapped(value, 2)),
        ("its sign turned", -signed),
        ("hundredths of a degree Celsius", signed + ZERO_C_cK),
        ("tenths of a degree Celsius", signed * 10 + ZERO_C_cK),
    ):
        if TEMPERATURE_cK[0] <= other <= TEMPERATURE_cK[1]:
            return f": {name}?"
    return ""


def valid(b: Bench) -> Heard:
    """A sample of status 0. Raises Impossible where the transducer has none."""
    h = b.report()
    if h["status"]:
        raise Impossible(f"the transducer reports status {h['status']}: nothing to compare")
    return h


@case("XDR-06/plausible")
def plausible(b: Bench) -> None:
    """Twenty samples of status 0 tell of a room: 30 to 120 kPa and 200 to 350 K, and no two of them of two rooms."""
    samples = [valid(b) for _ in range(20)]
    for h in samples:
        pressure, temperature = h["pressure_cPa"], h["temperature_cK"]
        met = PRESSURE_cPa[0] <= pressure <= PRESSURE_cPa[1]
        expect(met, "30 to 120 kPa in cPa", f"{pressure}{pressure_like(pressure)}")
        met = TEMPERATURE_cK[0] <= temperature <= TEMPERATURE_cK[1]
        expect(met, "200 to 350 K in cK", f"{temperature}{temperature_like(temperature)}")
    for name, share in (("pressure_cPa", PRESSURE_SHARE), ("temperature_cK", PRESSURE_SHARE)):
        seen = [h[name] for h in samples]
        met = max(seen) - min(seen) <= share * min(seen)
        expect(met, f"a {name} that is steady while nothing happens", f"{min(seen)} to {max(seen)}")


@case("XDR-06/reference")
def reference(b: Bench) -> None:
    """A sample of status 0 is within 2 % and 5 K of what the surroundings are."""
    if b.reference is None:
        raise Impossible('nobody said what the true values are: --reference "101325 Pa 295 K"')
    h, true = valid(b), b.reference
    off = abs(h["pressure_cPa"] - true.pressure_cPa)
    likely = pressure_like(h["pressure_cPa"])
    expect(
        off <= PRESSURE_SHARE * true.pressure_cPa, f"{true.pressure_cPa} cPa", f"{h['pressure_cPa']}{likely}"
    )
    off = abs(h["temperature_cK"] - true.temperature_cK)
    likely = temperature_like(h["temperature_cK"])
    expect(off <= TEMPERATURE_OFF_cK, f"{true.temperature_cK} cK", f"{h['temperature_cK']}{likely}")


@case("HKP-08/terms")
def terms(b: Bench) -> None:
    """Quiet, and through a leak sample by sample: law, sigma, T-reserve and rate are what section 15 says they are."""
    cabin = Cabin(b)
    cabin.quiet(QUIET_S)
    in_terms(b.report())
    for _ in range(20):
        told, before = len(cabin.heard), cabin.pressure
        cabin.fall(1)
        report = b.report()
        in_terms(report)
        alarms = [h for h in cabin.heard[told:] if h.title.startswith("TM[5,") and h["event"] == ALARM]
        if not report["alarm_now"]:
            continue
        rate, true = signed(report["rate_cPa_h"]), (cabin.pressure - before) * 3600
        expect(rate < 0, "a rate below 0 while the pressure falls", [report])
        expect(true * NEAR <= rate <= true / NEAR, f"a rate of about {true} cPa/h", [report])
        for h in alarms:
            expect(h["value"] == rate, f"the report's rate, {rate} cPa/h, in the alarm event", [h, report])


def signed(value: int) -> int:
    """A 32-bit field as a signed number."""
    return value - (1 << 32) if value >= 1 << 31 else value


def in_terms(h: Heard) -> None:
    """A report's findings are possible values."""
    expect(h["law"] in range(4), "law 0 to 3", [h])
    expect(0 <= h["sigma_cPa_h"] < LARGE, "a sigma of 0 or more", [h])
    expect(0 <= h["tres_s"] <= t.T_CAP, f"a T-reserve of 0 to {t.T_CAP} s", [h])
    expect(h["alarm"] in range(5) and h["alarm_now"] in range(5), "classes 0 to 4", [h])
    expect(h["cause"] in {int(c) for c in t.Cause}, "a cause of the table", [h])
