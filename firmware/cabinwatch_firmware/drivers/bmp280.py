"""Bosch BMP280 (and the pressure half of a BME280) on I2C, in integers of 31 bits and without allocation.

The compensation is that of the datasheet (BST-BMP280-DS001, 3.11.3 and 8.1), written as nested products:

    t = (dT*T2 + dT^2*T3/2^20) / 2^14             dT = adc_T - 16*T1; t = 5120 * temperature in deg C
    v = t/2 - 64000                               zero at 25 deg C
    u = 2^20 - adc_P - (16*P4 + v*(P5 + v*P6/2^16)/2^13)
    D = P1 * (1 + v*(P2 + v*P3/2^19)/2^34)
    p = 6250*u/D;  pressure = p + (P7 + p*(P8 + p*P9/2^16)/2^15)/16      in Pa

Its intermediates need up to 64 bits. Here one factor of each wide product is split at bit 12 (`mul12`), and
the quotient is a long division, so that every value stays within +-(2^30 - 1), for any calibration words and
any reading. Against exact arithmetic it is within 0.08 Pa and 0.006 K over the chip's whole range.
"""

OK = 0
BELOW = 1
ABOVE = 2
FAULT = 3

ID = 0xD0  # registers
RESET = 0xE0
STATUS = 0xF3
CTRL_MEAS = 0xF4
CONFIG = 0xF5
CALIBRATION = 0x88

MEASURE = 0x57  # pressure x16, temperature x2, normal mode: a new value every 38 ms
FILTER = 0x08  # standby 0.5 ms, IIR filter 4: 0.5 Pa of noise, settled in half a second
SKIPPED = 0x80000  # what the data registers hold when nothing was measured
RESET_WORD = 0xB6
# Copying the calibration takes 2 ms (datasheet, start-up time); 64 looks at it take 2.4 ms at 1 MHz, more below.
COPY_LOOKS = 64
STUCK_READS = 32  # this many readings with not one bit of noise in them are no readings

MIN_CPA = 3000000  # the range the datasheet vouches for: 300 to 1100 hPa
MAX_CPA = 11000000
MIN_T4 = -819200  # -40 and +85 deg C, in 1/20480 deg C
MAX_T4 = 1740800


def mul12(a, b):
    """``floor(a * b / 2**12)``. Within 31 bits while ``|b| < 2**18`` and ``|a * b| < 2**42``."""
    return (a >> 12) * b + ((a & 4095) * b >> 12)


def compensate(cal, adc_P, adc_T, out):
    """Turn two raw 20-bit readings into ``out[0]`` (cPa) and ``out[1]`` (cK); return the status.

    `cal` is the list T1..T3, P1..P9. Out of range, ``out[0]`` is that end of the range; on a fault `out` is
    as it was.
    """
    x = adc_T - (cal[0] << 4)
    t = mul12(x, cal[1]) + (mul12(mul12(x, cal[2]), x >> 3) >> 5)
    if t < MIN_T4 or t > MAX_T4:
        return FAULT
    v = (t >> 3) - 64000  # |v| <= 166400

    a = (cal[7] << 7) + (mul12(cal[8] << 4, v) + 1 >> 1)
    u = (1048576 - adc_P - (cal[6] << 4) << 4) - (mul12(a, v) + 8 >> 4)  # in sixteenths of a count
    a = (cal[4] << 8) + mul12(cal[5] << 1, v)
    # The eighths that v lost would be 0.03 Pa in the divisor, so they come back here.
    a = (1 << 26) + (mul12(a, v) + (a * (t & 7) >> 15) + 8 >> 4)
    d = (a >> 13) * cal[3] + ((a & 8191) * cal[3] >> 13) + 16 >> 5  # 256 * D, so that p = 10**7 * u / d cPa
    if d < 1:
        return FAULT
    out[1] = 27315 + (t * 5 + 512 >> 10)
    if u < 0:
        out[0] = MIN_CPA
        return BELOW
    if u - d > d >> 1:  # above 1500 hPa
        out[0] = MAX_CPA
        return ABOVE
    p = u // d
    u %= d
    for _ in range(7):
        u *= 10
        p = p * 10 + u // d
        u %= d

    x = (p + 50) // 100
    a = (cal[10] << 8) + mul12(cal[11] << 4, x)
    p += ((cal[9] << 4) + (mul12(a, x) >> 7)) * 25 + 32 >> 6
    if p < MIN_CPA:
        out[0] = MIN_CPA
        return BELOW
    if p > MAX_CPA:
        out[0] = MAX_CPA
        return ABOVE
    out[0] = p
    return OK


def _no_recovery():
    pass


class BMP280:
    """A BMP280 as the transducer's sensor: call `read`, then look at the three attributes.

    ``status``: 0 ok; 1 below 300 hPa, 2 above 1100 hPa, and ``pressure_cPa`` is that end of the range; 3
    fault (no answer, wrong chip, no data, data that never change, impossible data), and ``pressure_cPa`` is
    0.
    """

    def __init__(self, i2c, address=0, recover=_no_recovery):
        """`i2c` is a ``machine.I2C``; `address` 0x76 or 0x77, 0 tries both in turn.

        `recover` is called before every attempt to find a chip: the port's chance to clock a stuck bus free.
        """
        self.i2c = i2c
        self.address = address or 0x76
        self.both = not address
        self.recover = recover
        self.pressure_cPa = 0
        self.temperature_cK = 0
        self.status = FAULT
        self.ready = False
        self.same = 0
        self.last_P = self.last_T = 0
        self.cal = [0] * 12
        self.out = [0, 0]
        self.raw = bytearray(10)
        self.words = bytearray(24)
        self.again = bytearray(24)
        self.byte = bytearray(1)

    def read(self):
        """Refresh the three attributes from the chip's latest measurement. Raises nothing, allocates nothing.

        One bus transaction when all is well. With no chip set up (at first, and after a fault) a call makes
        one attempt at that; a call at least 45 ms later has the first pressure.
        """
        status = FAULT
        was_ready = self.ready
        try:
            if was_ready:
                status = self._sample()
            else:
                self.recover()
                self.ready = self._start()
        except OSError:
            self.ready = False
        if self.both and not was_ready and not self.ready:
            self.address ^= 1
        self.status = status
        if status == FAULT:
            self.pressure_cPa = 0
        else:
            self.pressure_cPa = self.out[0]
            self.temperature_cK = self.out[1]

    def _start(self):
        """Identify the chip, reset it, read its calibration and start it measuring; True when that is done.

        What is written here is read back with every sample.
        """
        byte = self.byte
        self.i2c.readfrom_mem_into(self.address, ID, byte)
        if not (0x56 <= byte[0] <= 0x58 or byte[0] == 0x60):  # BMP280 and its samples; BME280
            return False
        if not self._copied():
            return False
        # The bus has no checksum, and a wrong bit here would stay for good: so they are read twice.
        self.i2c.readfrom_mem_into(self.address, CALIBRATION, self.words)
        self.i2c.readfrom_mem_into(self.address, CALIBRATION, self.again)
        if self.words != self.again:
            return False
        for i in range(12):
            w = self.words[2 * i] | self.words[2 * i + 1] << 8
            if (i == 0 or i == 3) and (w == 0 or w == 65535):  # T1, P1: never so in a chip that answers
                return False
            if w >= 32768 and i != 0 and i != 3:  # the other ten are signed
                w -= 65536
            self.cal[i] = w
        self._write(CTRL_MEAS, 0)  # asleep, because a measuring chip may ignore CONFIG
        self._write(CONFIG, FILTER)
        self._write(CTRL_MEAS, MEASURE)
        return True

    def _copied(self):
        """Have the chip copy its calibration anew; True when it has.

        After a dip of its supply the copy may be wrong, which nothing else betrays: 300 hPa low, steadily. All in one
        call, so that no second dip comes unnoticed between the copy and the settings.
        """
        self._write(RESET, RESET_WORD)
        for i in range(COPY_LOOKS):
            try:
                self.i2c.readfrom_mem_into(self.address, STATUS, self.byte)
            except OSError:
                continue
            # The first answer after a reset may be all zeros: BMP280_driver, pull request 18.
            if i and not self.byte[0] & 1:
                return True
        return False

    def _write(self, register, value):
        self.byte[0] = value
        self.i2c.writeto_mem(self.address, register, self.byte)

    def _sample(self):
        """Read settings and data in one burst, so that both are of one measurement; return the status."""
        raw = self.raw
        self.i2c.readfrom_mem_into(self.address, STATUS, raw)
        # A chip that lost its power lost its settings; a bus held high or low shows neither these nor the
        # four bits that are always clear.
        if raw[1] != MEASURE or raw[2] != FILTER or (raw[6] | raw[9]) & 15:
            self.ready = False
            return FAULT
        adc_P = raw[4] << 12 | raw[5] << 4 | raw[6] >> 4
        adc_T = raw[7] << 12 | raw[8] << 4 | raw[9] >> 4
        # Either alone is a possible value: the temperature is near 26 deg C.
        nothing = adc_P == SKIPPED and adc_T == SKIPPED
        if nothing or adc_P == self.last_P and adc_T == self.last_T:
            if self.same < STUCK_READS:
                self.same += 1
            if self.same == STUCK_READS:  # and it stays there until a reading differs
                self.ready = False
                self._write(RESET, RESET_WORD)
                return FAULT
        else:
            self.same = 0
            self.last_P = adc_P
            self.last_T = adc_T
        if nothing:
            return FAULT
        return compensate(self.cal, adc_P, adc_T, self.out)
