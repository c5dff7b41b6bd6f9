"""What the alarms share: rates within 31 bits, and the change that both pressures show."""

RATE_MAX_cPa_h = 536870911
"""1.5 kPa/s, half of 31 bits: two rates can be added. After a faster fall the reserve is gone in seconds."""


def lim(value, most):
    return max(-most, min(value, most))


def per_hour(fall_cPa, time_ms):
    """A fall (0..16,777,215 cPa) over a time (1..500,000,000 ms) as cPa/h, rounded down; RATE_MAX_cPa_h at most.

    Time counts in sixteenths of a second; the three ranges keep the division's error below 0.7 % and 900 cPa/h.
    """
    time_x16_s = max(time_ms * 2 // 125, 1)
    if fall_cPa < 9300:
        return fall_cPa * 57600 // time_x16_s
    if fall_cPa < 595000:
        return min(fall_cPa * 900 // time_x16_s, 8388607) << 6
    return min((fall_cPa << 6) // time_x16_s, 596523) * 900


def common(raw_cPa, even_cPa):
    """The change that both show, of a change of the raw pressure and of the compensated one.

    A thermometer that warms alone moves the compensated pressure only, a gas that cools the raw one only: neither is
    air lost.
    """
    if raw_cPa < 0 and even_cPa < 0:
        return max(raw_cPa, even_cPa)
    if raw_cPa > 0 and even_cPa > 0:
        return min(raw_cPa, even_cPa)
    return 0
