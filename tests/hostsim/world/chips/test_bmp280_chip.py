"""The emulated chip by itself: what its registers hold, against the datasheet and exact arithmetic."""

import statistics
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cabinwatch.world.chips.bmp280 import Bmp280Chip, Calibration, raw_pressure, raw_temperature
from cabinwatch.world.chips.i2c import FakeI2C


def datasheet(cal: Calibration, adc_p: float, adc_t: float) -> tuple[float, float]:
    """The compensation in rational arithmetic, multiplied out into powers of the temperature."""
    d = Fraction(adc_t) - 16 * cal.T1
    fine = d * cal.T2 / 2**14 + d * d * cal.T3 / 2**34
    v = fine / 2 - 64000
    offset = 16 * cal.P4 + v * cal.P5 / 2**13 + v * v * cal.P6 / 2**29
    divisor = cal.P1 + v * cal.P1 * cal.P2 / 2**34 + v * v * cal.P1 * cal.P3 / 2**53
    p = 6250 * (2**20 - Fraction(adc_p) - offset) / divisor
    return float(p + Fraction(cal.P7, 16) + p * cal.P8 / 2**19 + p * p * cal.P9 / 2**35), float(
        fine / 5120
    ) + 273.15


def data(chip: Bmp280Chip) -> tuple[int, int]:
    b = [chip.read_register(r) for r in range(0xF7, 0xFD)]
    assert not (b[2] | b[5]) & 15
    return b[0] << 12 | b[1] << 4 | b[2] >> 4, b[3] << 12 | b[4] << 4 | b[5] >> 4


def measuring(ctrl_meas: int = 0x57, config: int = 0, **options: float) -> Bmp280Chip:
    chip = Bmp280Chip(**options)  # type: ignore[arg-type]
    chip.write_register(0xF5, config)
    chip.write_register(0xF4, ctrl_meas)
    chip.advance(1000)
    return chip


WORDS = st.builds(
    Calibration,
    T1=st.integers(26000, 29500),
    T2=st.integers(24500, 27500),
    T3=st.integers(-1500, 100),
    P1=st.integers(34000, 40000),
    P2=st.integers(-11500, -9500),
    P4=st.integers(-2000, 11000),
    P5=st.integers(-600, 600),
)


@settings(max_examples=500)
@given(WORDS, st.floats(30000.0, 110000.0), st.floats(233.15, 358.15))
def test_the_inverse_is_the_inverse(words: Calibration, pressure: float, temperature: float) -> None:
    adc_t = raw_temperature(words, temperature)
    back = datasheet(words, raw_pressure(words, pressure, temperature), adc_t)
    assert back[0] == pytest.approx(pressure, abs=0.01)
    assert back[1] == pytest.approx(temperature, abs=1e-6)


def test_the_datasheet_s_example() -> None:
    fine, pa = 25.0824778, 100653.2668
    assert raw_temperature(Calibration(), fine + 273.15) == pytest.approx(519888, abs=0.5)
    assert raw_pressure(Calibration(), pa, fine + 273.15) == pytest.approx(415148, abs=0.5)


def test_calibration_words_are_little_endian_and_signed() -> None:
    registers = Calibration().registers()
    assert registers[:6] == b"\x70\x6b\x43\x67\x18\xfc"
    assert len(registers) == 24


def test_nothing_is_measured_until_it_is_told_to() -> None:
    chip = Bmp280Chip()
    chip.advance(10_000)
    assert data(chip) == (0x80000, 0x80000)
    assert chip.read_register(0xD0) == 0x58


@pytest.mark.parametrize(
    ("ctrl_meas", "config", "noise_pa"),
    [(0x27, 0, 3.3), (0x57, 0, 1.3), (0x57, 0x08, 0.5), (0x57, 0x10, 0.2)],
)
def test_noise_is_the_datasheet_s(ctrl_meas: int, config: int, noise_pa: float) -> None:
    chip = measuring(ctrl_meas, config, seed=5)
    pressures = []
    for _ in range(3000):
        chip.advance(1000)
        pressures.append(datasheet(chip.calibration, *data(chip))[0])
    quantisation = 0.175 * (16 if ctrl_meas == 0x27 else 1) / 12**0.5
    expected = (noise_pa**2 + quantisation**2) ** 0.5
    assert statistics.stdev(pressures) == pytest.approx(expected, rel=0.25)
    assert statistics.mean(pressures) == pytest.approx(101325, abs=0.3)


@pytest.mark.parametrize(("ctrl_meas", "step"), [(0x27, 16), (0x2B, 8), (0x2F, 4), (0x33, 2), (0x37, 1)])
def test_oversampling_buys_bits(ctrl_meas: int, step: int) -> None:
    chip = measuring(ctrl_meas, seed=2)
    values = set()
    for _ in range(50):
        chip.advance(1000)
        values.add(data(chip)[0])
    assert all(v % step == 0 for v in values)
    assert step == 1 or len({v % (2 * step) for v in values}) == 2


def test_a_filter_follows_a_step_slowly() -> None:
    fast, slow = measuring(config=0, noise=0), measuring(config=0x10, noise=0)
    for chip in (fast, slow):
        chip.pressure_Pa = 90000.0
        chip.advance(80)
    assert datasheet(fast.calibration, *data(fast))[0] == pytest.approx(90000, abs=0.3)
    assert datasheet(slow.calibration, *data(slow))[0] > 98000
    slow.advance(86_400_000)
    assert datasheet(slow.calibration, *data(slow))[0] == pytest.approx(90000, abs=0.3)


def test_forced_mode_measures_once_and_sleeps() -> None:
    chip = measuring(0x55)
    assert chip.read_register(0xF4) == 0x54
    first = data(chip)
    chip.advance(10_000)
    assert data(chip) == first


def test_settings_are_ignored_while_measuring_and_lost_in_a_brownout() -> None:
    chip = measuring(config=0x08)
    chip.write_register(0xF5, 0x10)
    assert chip.read_register(0xF5) == 0x08
    chip.brownout()
    assert chip.read_register(0xF4) == 0
    assert chip.read_register(0xF3) & 1
    chip.advance(3)
    assert not chip.read_register(0xF3) & 1


def test_a_slow_dip_spoils_the_trim_until_a_soft_reset() -> None:
    """As a driver that trusts its registers sees it: 30 kPa low, steadily."""
    chip = Bmp280Chip(noise=0)
    chip.advance(3)
    good = bytes(chip.read_register(r) for r in range(0x88, 0xA0))
    chip.brownout(spoiled=True)
    chip.advance(3)
    spoiled = bytes(chip.read_register(r) for r in range(0x88, 0xA0))
    p1 = int.from_bytes(spoiled[6:8], "little")
    chip.write_register(0xF4, 0x57)
    chip.advance(1000)
    low, _ = datasheet(Calibration(P1=p1), *data(chip))
    assert 101_325 - low == pytest.approx(30_000, abs=2000)
    chip.write_register(0xE0, 0x00)
    assert bytes(chip.read_register(r) for r in range(0x88, 0xA0)) == spoiled, "only the word for it resets"
    chip.write_register(0xE0, 0xB6)
    chip.advance(3)
    assert bytes(chip.read_register(r) for r in range(0x88, 0xA0)) == good != spoiled


def test_a_seed_repeats_and_another_differs() -> None:
    assert data(measuring(seed=1)) == data(measuring(seed=1)) != data(measuring(seed=2))


def test_a_bus_fails_as_a_real_one_does() -> None:
    bus = FakeI2C({0x76: Bmp280Chip()})
    byte = bytearray(1)
    for broken in ("stuck", "shorted", "nacks"):
        setattr(bus, broken, 1)
        with pytest.raises(OSError, match=r"low|acknowledged"):
            bus.readfrom_mem_into(0x76, 0xD0, byte)
        setattr(bus, broken, 0)
    with pytest.raises(OSError, match="no answer"):
        bus.writeto_mem(0x77, 0xF4, b"\0")
    bus.readfrom_mem_into(0x76, 0xD0, byte)
    assert byte == b"\x58"
    assert bus.scan() == [0x76]
