"""An instrument's clock, judged by its stamps' order and by this node's own time: SPEC, SEN-04 and SEN-14."""

from cabinwatch_protocol.device.consts import DAY_MS

ORDERLY = 3
"""Stamps in order that make a clock believed again: of two instruments that answer in turn, every second goes back."""
RAN_MAX_ms = 268435455
"""Three days: twice that and a day more stays within 31 bits."""


class Clock:
    """``seen`` is the last stamp, day and ms; ``since_ms`` this node's time since a reading was used."""

    def __init__(self):
        self.seen = [-1, 0]
        self.start_anew()

    def start_anew(self):
        self.seen[0] = self.stamp = -1
        self.wrong = False
        self.disorder = self.own_ms = self.since_ms = self.ran = self.ran_own_ms = self.ran_stamp_ms = 0

    def let_pass(self, elapsed_ms):
        self.own_ms = min(self.own_ms + elapsed_ms, DAY_MS)
        self.since_ms = min(self.since_ms + elapsed_ms, DAY_MS)

    def is_fresh(self, stamp, asked):
        """Whether a sample is not the last one once more, which nobody asked for."""
        known = stamp == self.stamp and not asked
        self.stamp = stamp
        return not known

    def is_disordered(self, gap_ms):
        """Whether stamps went back, and too few came in order since: two instruments that answer in turn stay so."""
        if gap_ms < 0:
            self.disorder = ORDERLY
        elif gap_ms and self.disorder:
            self.disorder -= 1
        return self.disorder > 0

    def runs_wrong(self, gap_ms, stuck_samples):
        """Whether the stamps ran at less than half or more than twice this node's time in the last whole window.

        A window has half of ``stuck_samples`` samples, so that it is known within that many when a clock goes wrong. A
        stamp that went back begins a new one.
        """
        own_ms = self.own_ms
        self.own_ms = 0
        if gap_ms < 0:
            self.ran = self.ran_own_ms = self.ran_stamp_ms = 0
            return False
        self.ran_own_ms += own_ms
        self.ran_stamp_ms += gap_ms
        self.ran += 1
        own_ms = self.ran_own_ms
        stamp_ms = self.ran_stamp_ms
        if self.ran >= stuck_samples >> 1 or own_ms > RAN_MAX_ms or stamp_ms > RAN_MAX_ms:
            self.wrong = stuck_samples > 0 and not own_ms + 1 >> 1 <= stamp_ms <= 2 * own_ms
            self.ran = self.ran_own_ms = self.ran_stamp_ms = 0
        return self.wrong
