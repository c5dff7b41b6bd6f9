"""The last 16 numbered events of a monitor, in one buffer: what the line lost, the ground can ask for again.

A slot: class in the high three bits, event in the low five; then the time and the event's further fields, each as it
stands in the event's packet and in the report of a recorded event.
"""

from cabinwatch_protocol.device.consts import (
    MONITOR_EVENT_CAUSE,
    MONITOR_EVENT_EVENT,
    MONITOR_EVENT_NUMBER,
    RECORDED_EVENT_DAY,
    TM_DAY,
    TM_SUBTYPE,
)

SLOTS = 16
TIME = 6
REST = (MONITOR_EVENT_NUMBER >> 3) - (MONITOR_EVENT_CAUSE >> 3)
SLOT = 1 + TIME + REST
ROOM = SLOTS * SLOT


def copy(source, i, target, k, n):
    while n:
        n -= 1
        target[k + n] = source[i + n]


def record(ring, number, tx):
    """Keep the event whose packet begins at tx[2]."""
    k = number % SLOTS * SLOT
    ring[k] = tx[(TM_SUBTYPE >> 3) + 2] << 5 | tx[(MONITOR_EVENT_EVENT >> 3) + 2]
    copy(tx, (TM_DAY >> 3) + 2, ring, k + 1, TIME)
    copy(tx, (MONITOR_EVENT_CAUSE >> 3) + 2, ring, k + 1 + TIME, REST)


def put_recorded(ring, number, tx):
    """Put time and further fields into the report of a recorded event; return class and event as they are kept."""
    k = number % SLOTS * SLOT
    copy(ring, k + 1, tx, (RECORDED_EVENT_DAY >> 3) + 2, TIME + REST)
    return ring[k]
