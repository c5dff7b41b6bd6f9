"""The driver on an emulated chip: that it finds, reads and distrusts it, and comes back when the chip
does."""

from collections.abc import Callable

import pytest
from bmp280_oracle import WORD_RANGES
from hypothesis import given, settings
from hypothesis import strategies as st

from cabinwatch.world.chips.bmp280 import Bmp280Chip, Calibration
from cabinwatch.world.chips.i2c import FakeI2C
from cabinwatch_firmware.drivers.bmp280 import ABOVE, BELOW, BMP280, FAULT, OK

POLL_MS = 1000


class Bench:
    """A driver, its bus and its chip; `poll` is what a port does once a second."""

    def __init__(self, chip: Bmp280Chip | None = None, at: int = 0x76, address: int = 0) -> None:
        self.chip = chip or Bmp280Chip(seed=1)
        self.bus = FakeI2C({at: self.chip})
        self.driver = BMP280(self.bus, address, self.bus.clock_out)

    def poll(self, times: int = 1) -> int:
        for _ in range(times):
            self.chip.advance(POLL_MS)
            self.driver.read()
            assert (self.driver.pressure_cPa == 0) == (self.driver.status == FAULT)
        return self.driver.status


@pytest.mark.parametrize("at", [0x76, 0x77])
def test_found_at_either_address_and_read(at: int) -> None:
    bench = Bench(at=at)
    assert bench.poll(3) == OK
    assert bench.driver.pressure_cPa == pytest.approx(10132500, abs=250)
    assert bench.driver.temperature_cK == pytest.approx(29515, abs=2)


def test_a_given_address_is_kept_to() -> None:
    assert Bench(at=0x77, address=0x76).poll(4) == FAULT


WORDS = st.builds(Calibration, *(st.integers(low, high) for low, high in WORD_RANGES))


@settings(max_examples=300, deadline=None)
@given(WORDS, st.floats(30001.0, 109999.0), st.floats(233.2, 358.1))
def test_chip_and_driver_agree_over_the_whole_range(
    words: Calibration, pressure: float, temperature: float
) -> None:
    """Two roundings of the converter, at 0.2 Pa and (through temperature) 0.06 Pa a count, and the
    arithmetic."""
    bench = Bench(Bmp280Chip(words, pressure_Pa=pressure, temperature_K=temperature, noise=0))
    adc_fits = bench.chip
    assert bench.poll(2) == OK
    if 0 < int.from_bytes(bytes(adc_fits.read_register(r) for r in (0xF7, 0xF8, 0xF9)), "big") >> 4 < 0xFFFFF:
        assert bench.driver.pressure_cPa / 100 == pytest.approx(pressure, abs=0.25)
    assert bench.driver.temperature_cK / 100 == pytest.approx(temperature, abs=0.006)


@pytest.mark.parametrize(
    ("pressure", "status", "shown"),
    [
        (0.0, BELOW, 3000000),
        (29990.0, BELOW, 3000000),
        (110010.0, ABOVE, 11000000),
        (400000.0, ABOVE, 11000000),
    ],
)
def test_outside_its_range_it_says_which_side(pressure: float, status: int, shown: int) -> None:
    bench = Bench(Bmp280Chip(pressure_Pa=pressure))
    assert bench.poll(2) == status
    assert bench.driver.pressure_cPa == shown


@pytest.mark.parametrize("raw", [(0xFFFFF, 519888), (0, 519888)])
def test_a_saturated_converter_is_out_of_range(raw: tuple[int, int]) -> None:
    bench = Bench()
    bench.chip.raw = raw
    assert bench.poll(2) == (BELOW if raw[0] else ABOVE)


def _nack(bench: Bench) -> None:
    bench.bus.nacks = 3


def _stuck(bench: Bench) -> None:
    bench.bus.stuck = True


def _brownout(bench: Bench) -> None:
    bench.chip.brownout()


def _spoiled(bench: Bench) -> None:
    bench.chip.brownout(spoiled=True)


def _wrong_bit(bench: Bench) -> None:
    bench.bus.flip_bits = [0, 1]


FAULTS: list[Callable[[Bench], None]] = [_nack, _stuck, _brownout, _spoiled, _wrong_bit]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_passing_fault_is_told_and_mends_itself(fault: Callable[[Bench], None]) -> None:
    bench = Bench()
    bench.poll(3)
    fault(bench)
    assert bench.poll() == FAULT
    assert bench.poll(7) == OK
    assert bench.driver.pressure_cPa == pytest.approx(10132500, abs=250)


def test_unplugged_for_an_hour_then_back_with_another_chip_on_the_other_address() -> None:
    bench = Bench()
    bench.poll(3)
    bench.bus.chips.clear()
    assert bench.poll(3600) == FAULT
    bench.chip = Bmp280Chip(Calibration(P1=36000, T1=28000), pressure_Pa=90000.0)
    bench.bus.chips[0x77] = bench.chip
    assert bench.poll(4) == OK
    assert bench.driver.pressure_cPa == pytest.approx(9000000, abs=250)


def test_a_shorted_bus_never_raises_and_never_reads() -> None:
    bench = Bench()
    bench.poll(3)
    bench.bus.shorted = True
    assert bench.poll(10) == FAULT
    bench.bus.shorted = False
    assert bench.poll(4) == OK


@pytest.mark.parametrize("chip_id", [0x00, 0x50, 0x55, 0x61, 0xFF])
def test_another_chip_is_refused(chip_id: int) -> None:
    assert Bench(Bmp280Chip(chip_id=chip_id)).poll(5) == FAULT


def test_a_bme280_is_taken_for_its_pressure_half() -> None:
    assert Bench(Bmp280Chip(chip_id=0x60)).poll(3) == OK


def test_calibration_is_not_read_while_the_chip_still_copies_it() -> None:
    """A bus ten times faster than any lets the driver look no longer than a quarter of a millisecond."""
    bench = Bench()
    bench.bus.kHz = 10_000
    assert bench.poll(5) == FAULT
    assert not bench.driver.ready
    bench.bus.kHz = 1000
    assert bench.poll(3) == OK


def test_a_chip_that_is_deaf_after_its_reset_is_waited_for() -> None:
    bench = Bench()
    reset = bench.chip.write_register

    def deaf(register: int, value: int) -> None:
        reset(register, value)
        bench.bus.nacks = 3 if register == 0xE0 else 0

    bench.chip.write_register = deaf  # type: ignore[method-assign]
    assert bench.poll(2) == OK


@pytest.mark.parametrize("running", [True, False])
def test_a_chip_that_came_out_of_a_dip_with_wrong_trim_is_reset_before_it_is_believed(running: bool) -> None:
    """Whether the board was on meanwhile or starts now: one reading of it would be an Emergency."""
    bench = Bench()
    if running:
        bench.poll(5)
    bench.chip.brownout(spoiled=True)
    for _ in range(5):
        if bench.poll() == OK:
            assert bench.driver.pressure_cPa == pytest.approx(10132500, abs=250)
    assert bench.driver.status == OK


@pytest.mark.parametrize("position", range(48))
def test_one_wrong_bit_while_the_calibration_is_read_is_noticed(position: int) -> None:
    good, bench = Bench(), Bench()
    good.driver.read()
    assert good.driver.ready
    looks = good.bus.transfers - 7  # beside the ID, the reset, two readings and three settings
    bench.bus.flip_bits = [0] * (1 + looks + position) + [1 << position % 8]
    bench.driver.read()
    assert not bench.driver.ready


@pytest.mark.parametrize(
    "words", [Calibration(T1=0), Calibration(P1=0), Calibration(T1=65535), Calibration(P1=65535)]
)
def test_calibration_that_no_chip_has_is_refused(words: Calibration) -> None:
    assert Bench(Bmp280Chip(words)).poll(4) == FAULT


def test_a_stuck_reading_is_a_fault_until_it_moves_again() -> None:
    bench = Bench()
    bench.poll(5)
    bench.chip.frozen = True
    assert bench.poll(31) == OK
    assert bench.poll() == FAULT
    for _ in range(200):
        assert bench.poll() == FAULT
    bench.chip.frozen = False
    assert bench.poll(4) == OK


def test_a_quiet_cabin_is_not_a_stuck_reading() -> None:
    """Ten thousand readings with the least noise the datasheet knows."""
    bench = Bench(Bmp280Chip(noise=0.4, seed=3))
    bench.poll(3)
    assert all(bench.poll() == OK for _ in range(10_000))


def test_a_temperature_that_reads_as_the_reset_value_is_a_temperature() -> None:
    bench = Bench()
    bench.chip.raw = (415148, 0x80000)
    assert bench.poll(2) == OK
    bench.chip.raw = (0x80000, 519888)
    assert bench.poll() == OK
    bench.chip.raw = (0x80000, 0x80000)
    assert bench.poll() == FAULT


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(["nack", "stuck", "brownout", "spoiled", "bit", "none", "shorted"]), max_size=40
    ),
    st.randoms(),
)
def test_no_mixture_of_faults_makes_it_raise_or_believe(faults: list[str], rng) -> None:  # type: ignore[no-untyped-def]
    bench = Bench()
    for fault in faults:
        bench.bus.shorted = fault == "shorted"
        if fault == "nack":
            bench.bus.nacks = rng.randrange(1, 9)
        elif fault == "stuck":
            bench.bus.stuck = True
        elif fault == "brownout":
            bench.chip.brownout()
        elif fault == "spoiled":
            bench.chip.brownout(spoiled=True)
        elif fault == "bit":
            # In the settings and padding, where it is seen; a bit in the data is noise that no register
            # betrays.
            bench.bus.flip_bits = [0, 1 << rng.randrange(8)]
        bench.poll()
        if bench.driver.status == OK:
            assert bench.driver.pressure_cPa == pytest.approx(10132500, abs=300)
    bench.bus.shorted = False
    bench.bus.nacks = 0
    assert bench.poll(6) == OK


def test_a_chip_left_measuring_with_other_settings_is_set_up_anew() -> None:
    """As after a reset of the board alone: the chip ignores CONFIG until it is put to sleep."""
    bench = Bench()
    bench.chip.write_register(0xF5, 0x10)
    bench.chip.write_register(0xF4, 0x57)
    assert bench.poll(3) == OK
    assert bench.chip.read_register(0xF5) == 0x08


@pytest.mark.parametrize("position", [6, 9])
def test_bits_that_no_measurement_sets_are_a_fault(position: int) -> None:
    bench = Bench()
    bench.poll(3)
    bench.bus.flip_bits = [0] * position + [1]
    assert bench.poll() == FAULT


def test_a_reset_in_between_does_not_make_a_stuck_reading_move() -> None:
    bench = Bench()
    for raw, times in (((415148, 519888), 40), ((0x80000, 0x80000), 2), ((415148, 519888), 3)):
        bench.chip.raw = raw
        bench.poll(times)
    assert bench.driver.status == FAULT
