"""What lamp and buzzer show: a burst of pulses for each class, in the manner of IEC 60601-1-8, over a cycle of 4 s.

One pulse is Advisory, two Caution, three Warning, twice five Emergency; one long one is blindness. Acknowledged, the
same stands out dark from a steady light, and the buzzer is still.
"""

from cabinwatch_protocol.device.consts import CLASS_EMERGENCY, CLASS_WARNING

BEAT_MS = 128  # a cycle of 32 beats is 4,096 ms: five seconds of a recording hold one
BEATS = 32
BLIND = 5  # the pattern after those of the classes
ACKNOWLEDGED = 8
TEST_MAX = ACKNOWLEDGED + BLIND
TEST_MS = 3 * BEATS * BEAT_MS
LONG = 10  # beats of a long pulse: well below half, so that dark on light is told from light on dark
EMERGENCY_BEATS = 21  # a pulse each second beat, but for the sixth: five and five


def pattern(monitor):
    """1 to 4 the class of the cabin's alarm, 5 blindness, 8 more where that is acknowledged; 0 nothing to show.

    What is not acknowledged goes before what is, the cabin before blindness; a test gives way to both.
    """
    cabin = monitor.cabin
    blind = monitor.blind
    if cabin.state & 1:
        return cabin.cls
    if blind.state & 1:
        return BLIND
    if monitor.test_ms > 0:
        return monitor.test_pattern
    if cabin.state:
        return ACKNOWLEDGED + cabin.cls
    return ACKNOWLEDGED + BLIND if blind.state else 0


def lit(shown, beat):
    """Whether the lamp is lit at ``beat`` of the cycle."""
    cls = shown & 7
    if cls == BLIND:
        on = beat < LONG
    elif cls == CLASS_EMERGENCY:
        on = beat < EMERGENCY_BEATS and beat != 10 and not beat & 1
    else:
        on = beat < 4 * cls and beat & 3 < 2
    return on != (shown >= ACKNOWLEDGED)


def sounds(monitor, shown, beat):
    """Whether the buzzer does: from Warning up, until acknowledged."""
    loud = monitor.blind.cls if shown == BLIND else shown
    return shown < ACKNOWLEDGED and loud >= CLASS_WARNING and lit(shown, beat)
