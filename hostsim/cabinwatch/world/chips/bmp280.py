"""A Bosch BMP280 as seen through its registers, at a given true pressure and temperature.

The register map, resolutions, conversion times and noise figures are those of the datasheet
(BST-BMP280-DS001). The data registers are found by solving its floating-point compensation backwards, so a
driver's own arithmetic is judged against something that shares no code with it.
"""

import math
import random
from dataclasses import astuple, dataclass, replace

ID, RESET, STATUS, CTRL_MEAS, CONFIG, DATA, CALIBRATION = 0xD0, 0xE0, 0xF3, 0xF4, 0xF5, 0xF7, 0x88
RESET_WORD = 0xB6
SKIPPED = 0x80000
START_MS = 2.0
SPOILED_P1 = 0x4000
"""A wrong bit in P1, which divides: in the datasheet's example it makes 699 hPa of 1013, 31 kPa low."""
FULL_SCALE = (1 << 20) - 1

_OVERSAMPLING = (0, 1, 2, 4, 8, 16, 16, 16)
_STANDBY_MS = (0.5, 62.5, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0)
_FILTER = (1, 2, 4, 8, 16, 16, 16, 16)
# RMS noise of one unfiltered conversion by oversampling.
_NOISE_PA = {1: 3.3, 2: 2.6, 4: 2.1, 8: 1.6, 16: 1.3}
_NOISE_K = {1: 0.005, 2: 0.004, 4: 0.003, 8: 0.003, 16: 0.002}
# After this many conversions the slowest filter has forgotten (15/16)**n < 1e-6 of what was before.
_MEMORY = 220


@dataclass(frozen=True)
class Calibration:
    """The twelve words burnt in at the factory. T1 and P1 are unsigned, the others signed, 16 bits each.

    The defaults are the datasheet's example.
    """

    T1: int = 27504
    T2: int = 26435
    T3: int = -1000
    P1: int = 36477
    P2: int = -10685
    P3: int = 3024
    P4: int = 2855
    P5: int = 140
    P6: int = -7
    P7: int = 15500
    P8: int = -14600
    P9: int = 6000

    def registers(self) -> bytes:
        """The 24 bytes at 0x88, each word least significant byte first."""
        return b"".join((w & 0xFFFF).to_bytes(2, "little") for w in astuple(self))


def _root(a: float, b: float, c: float) -> float:
    """The root of ``a x^2 + b x = c`` that lies near ``c / b``."""
    return 2 * c / (b + math.copysign(math.sqrt(max(b * b + 4 * a * c, 0.0)), b))


def raw_temperature(cal: Calibration, temperature_K: float) -> float:
    """The (unrounded) 20-bit reading at `temperature_K`."""
    t_fine = (temperature_K - 273.15) * 5120.0
    return 16.0 * cal.T1 + _root(cal.T3 / 2.0**34, cal.T2 / 2.0**14, t_fine)


def raw_pressure(cal: Calibration, pressure_Pa: float, temperature_K: float) -> float:
    """The (unrounded) 20-bit reading at `pressure_Pa`; it falls as the pressure rises."""
    v = (temperature_K - 273.15) * 2560.0 - 64000.0
    p = _root(cal.P9 / 2.0**35, 1.0 + cal.P8 / 2.0**19, pressure_Pa - cal.P7 / 16.0)
    sensitivity = cal.P1 * (1.0 + v * (cal.P2 + v * cal.P3 / 2.0**19) / 2.0**34)
    offset = 16.0 * cal.P4 + v * (cal.P5 + v * cal.P6 / 2.0**16) / 2.0**13
    return 1048576.0 - offset - p * sensitivity / 6250.0


class Bmp280Chip:
    """The chip: set `pressure_Pa` and `temperature_K`, let time pass with `advance`, read its registers.

    Seeded, so a run repeats. `noise` scales the datasheet's noise (0 for none). Faults: `chip_id` may be any
    other chip's; `frozen` keeps the data registers as they are, through resets too; `brownout` is a dip of
    the supply, which may spoil the calibration; `raw` forces both readings, as a damaged bridge or a bus adapter
    would (pressure, temperature; 0..0xFFFFF). Outside 300-1100 hPa it goes on until the converter saturates, as the
    real one does.
    """

    def __init__(
        self,
        calibration: Calibration | None = None,
        *,
        pressure_Pa: float = 101325.0,
        temperature_K: float = 295.15,
        noise: float = 1.0,
        seed: int = 0,
        chip_id: int = 0x58,
    ) -> None:
        self.calibration = calibration or Calibration()
        self.pressure_Pa = pressure_Pa
        self.temperature_K = temperature_K
        self.noise = noise
        self.chip_id = chip_id
        self.frozen = False
        self.raw: tuple[int, int] | None = None
        self._random = random.Random(seed)
        self._data = bytes(6)
        self._power_on()

    def brownout(self, spoiled: bool = False) -> None:
        """Lose the supply for a moment: settings and data are gone, the calibration is copied again.

        ``spoiled``: the supply comes back so slowly that the copy is wrong, until a soft reset makes a new one. Seen
        in the field as readings of 700 hPa for 1000 (esphome/issues 3383, zephyr issue 37231).
        """
        self._power_on()
        if spoiled:
            self._words = replace(self.calibration, P1=self.calibration.P1 | SPOILED_P1).registers()

    def _power_on(self) -> None:
        self._ctrl_meas = 0
        self._config = 0
        self._words = self.calibration.registers()
        self._filtered: tuple[float, float] | None = None
        self._copying_ms = START_MS
        self._until_done_ms = math.inf
        self._store(SKIPPED, SKIPPED)

    @property
    def _mode(self) -> int:
        return (0, 1, 1, 3)[self._ctrl_meas & 3]

    @property
    def _oversampling(self) -> tuple[int, int]:
        """Of pressure and temperature; 0 is off."""
        return _OVERSAMPLING[self._ctrl_meas >> 2 & 7], _OVERSAMPLING[self._ctrl_meas >> 5]

    @property
    def conversion_ms(self) -> float:
        """Typical time of one measurement with the present settings (datasheet 3.8.1)."""
        pressure, temperature = self._oversampling
        return 1.0 + 2.0 * temperature + (2.0 * pressure + 0.5 if pressure else 0.0)

    def read_register(self, register: int) -> int:
        """One register; those that do not exist read 0."""
        if DATA <= register < DATA + 6:
            return self._data[register - DATA]
        if CALIBRATION <= register < CALIBRATION + len(self._words):
            return 0 if self._copying_ms > 0 else self._words[register - CALIBRATION]
        if register == STATUS:
            return (8 if self._until_done_ms <= self.conversion_ms else 0) | (self._copying_ms > 0)
        return {ID: self.chip_id, CTRL_MEAS: self._ctrl_meas, CONFIG: self._config}.get(register, 0)

    def write_register(self, register: int, value: int) -> None:
        """Settings and reset. A write to CONFIG while in normal mode is ignored, as the datasheet allows."""
        if register == RESET and value == RESET_WORD:
            self._power_on()
        elif register == CONFIG and self._mode != 3:
            self._config = value & 0xFD
            self._filtered = None
        elif register == CTRL_MEAS:
            self._ctrl_meas = value
            self._until_done_ms = self.conversion_ms if self._mode else math.inf

    def advance(self, elapsed_ms: float) -> None:
        """Let time pass (>= 0), finishing the conversions that end in it, all at the present true values."""
        self._copying_ms = max(0.0, self._copying_ms - elapsed_ms)
        if elapsed_ms < self._until_done_ms:
            self._until_done_ms -= elapsed_ms
            return
        if self._mode == 1:
            self._convert()
            self._ctrl_meas &= 0xFC
            self._until_done_ms = math.inf
            return
        period = self.conversion_ms + _STANDBY_MS[self._config >> 5]
        more, left = divmod(elapsed_ms - self._until_done_ms, period)
        for _ in range(min(int(more) + 1, _MEMORY)):
            self._convert()
        self._until_done_ms = period - left

    def _convert(self) -> None:
        """One measurement: noise, the IIR filter, the converter's resolution, into the data registers."""
        over_p, over_t = self._oversampling
        if not over_t:
            self._store(SKIPPED, SKIPPED)
            return
        gauss = self._random.gauss
        temperature = self.temperature_K + gauss(0.0, self.noise * _NOISE_K[over_t])
        adc_t = raw_temperature(self.calibration, temperature)
        adc_p = float(SKIPPED)
        if over_p:
            # The datasheet's pressure noise has the thermometer's share in it: it is not added again.
            pressure = self.pressure_Pa + gauss(0.0, self.noise * _NOISE_PA[over_p])
            adc_p = raw_pressure(self.calibration, pressure, temperature)
        strength = _FILTER[self._config >> 2 & 7]
        if self._filtered is not None:
            adc_p = self._filtered[0] + (adc_p - self._filtered[0]) / strength
            adc_t = self._filtered[1] + (adc_t - self._filtered[1]) / strength
        self._filtered = (adc_p, adc_t)
        self._store(self._quantise(adc_p, over_p, strength), self._quantise(adc_t, over_t, strength))

    @staticmethod
    def _quantise(value: float, oversampling: int, strength: int) -> int:
        """To 16 bits, one more for each doubling of the oversampling, or all 20 behind the filter."""
        step = 1 if strength > 1 or not oversampling else 16 // oversampling
        return min(max(round(value / step) * step, 0), FULL_SCALE)

    def _store(self, adc_p: int, adc_t: int) -> None:
        if self.frozen:
            return
        if self.raw is not None:
            adc_p, adc_t = self.raw
        self._data = (adc_p << 4).to_bytes(3, "big") + (adc_t << 4).to_bytes(3, "big")
