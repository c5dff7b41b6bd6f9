"""The classes of failure that a campaign can find, each with its exit code and what it means: written down once."""

from enum import StrEnum
from typing import Self


class Finding(StrEnum):
    """A class of failure; its exit code is that of a campaign that it ends (1, 2, 70 and 130 are taken)."""

    exit_code: int
    meaning: str

    def __new__(cls, word: str, exit_code: int, meaning: str) -> Self:
        """A member: its word is its value."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.exit_code = exit_code
        member.meaning = meaning
        return member

    MISSED_ALARM = "missed alarm", 10, "air is being lost, or is gone, and no alarm came"
    FALSE_ALARM = "false alarm", 11, "an alarm, and nothing had happened to the air by then"
    STATE = "state after healing", 12, "every fault is over, and the state is not that of a sound node"
    OPTIMISTIC = "optimistic", 13, "T-reserve is reported longer than it truly is"
    CLASS = "class", 14, "the alarm is of a lower class than the air justifies"
    LATCH = "latch", 15, "an alarm was latched, kept or let go against the rules"
    MISSING = "missing", 16, "a packet was due and did not come"
    EXTRA = "extra", 17, "a packet came that nothing asked for"
    WRONG = "wrong", 18, "a packet is not what it should be"
    SEQUENCE = "sequence", 19, "a sequence count is not the next one"
    TIME = "time", 20, "a packet carries the wrong time"
    TIMING = "timing", 21, "the node wants to be woken at another time than its next deed"
    CODEC = "codec", 22, "the node sent octets that are no packet"
    CRASH = "crash", 23, "the firmware raised an exception"
    DIVERGENCE = "divergence", 24, "another target sent other octets"
    STORAGE = "storage", 25, "the node wrote to its storage and had no reason to"
    LATE_ALARM = "late alarm", 26, "the first alarm came after the air had fallen too far"
    BLIND = "blind", 27, "the monitor sees no pressure and does not say so"
    CHATTER = "chatter", 28, "one alarm came and went more often than its off-delay allows"
    HIDDEN = "hidden", 29, "a danger stands, and no alarm is out that tells of it"
