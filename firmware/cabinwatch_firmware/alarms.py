"""The monitor's two alarms, moved by the alarm table of protocol/SPEC.md, section 14: of the cabin, and of blindness.

One class for both and functions for what differs: a class of its own would cost the micro:bit 150 octets of heap.

An alarm is judged by the class that is justified now. What rises is latched at once; what falls has to stay lower for
the off-delay, which doubles each time that was too soon. So nothing flutters, and nothing that is latched goes before
somebody has acknowledged it.
"""

from cabinwatch_protocol.device.consts import (
    ALARM_CONDITIONS,
    ALARM_TABLE,
    CAUSE_LEVEL,
    CAUSE_PERMIT,
    CLASS_CAUTION,
    CLASS_EMERGENCY,
    CLASS_NOMINAL,
    CLASS_WARNING,
    ENDING_CLASS,
    ENDING_COMMANDED,
    ENDING_FALL,
    ENDING_TIME,
    ON_ACKNOWLEDGE,
    ON_ACTIVE,
    ON_CLEAR,
    ON_LOWER,
    ON_REMIND,
    ON_RISE,
    P_BLIND_DELAY,
    P_BLIND_ESCALATE,
    P_OFF_DELAY,
    P_PERMIT,
    P_REMIND,
    P_RESERVE,
    STATE_NORMAL,
    TOLD_AGAIN,
    TOLD_ENDED,
    TOLD_RAISED,
    TOLD_RELEASED,
    TOLD_REMINDED,
    TOLD_SUPPRESSED,
)

DOUBLINGS = 3  # of the off-delay, at most: from 10 min to 80
AGREE = 3  # readings in a row beyond what an inhibit permits: one more than a pair of wild ones
IDLE_MS = 86400000
BROKEN = -1  # instead of a class inhibited: the air has fallen too far
UNKNOWN = -1  # no class: what was justified before is not known
LOWER_MAX_MS = 700000000  # no shorter than the longest off-delay eight times, and within 31 bits


class Alarm:
    """One alarm. ``state``, ``cls`` and ``occurrence`` are what is latched; the node is told each move.

    ``causes``: of the latched class in the high four bits, of the first class since it was normal in the low four.
    """

    def __init__(self, node):
        self.node = node
        self.reset()

    def reset(self):
        """Nothing is latched and nothing suppressed."""
        self.state = STATE_NORMAL
        self.cls = self.now = CLASS_NOMINAL
        self.causes = self.occurrence = self.day = self.ms = 0
        self.doublings = self.lower_ms = self.untold_ms = self.suppressed_ms = 0

    def judge(self, now, cause, elapsed_ms):
        """Class ``now`` is justified, elapsed_ms after it was last asked; whether that settles what is latched."""
        if self.suppressed_ms:
            return False
        if now != self.now:
            self.now = now
            self.lower_ms = 0
        elif now < self.cls:
            self.lower_ms = min(self.lower_ms + elapsed_ms, LOWER_MAX_MS)
        if now > self.cls:
            self.play(ON_RISE, cause)
        elif now < self.cls and self.lower_ms >= self.node.p[P_OFF_DELAY] * 1000 << self.doublings:
            self.play(ON_LOWER if now else ON_CLEAR, cause)
            return True
        elif now:
            self.play(ON_ACTIVE, cause)
        return False

    def play(self, condition, cause):
        """Go where the table says, and tell it."""
        move = ALARM_TABLE[ALARM_CONDITIONS * self.state + condition]
        told = move >> 4
        if not told:
            return
        if told == TOLD_RAISED:
            self.occurrence = self.node.next_occurrence()
            if self.state == STATE_NORMAL:
                self.causes = cause
                self.day = self.node.day
                self.ms = self.node.ms
            self.cls = self.now
            self.causes = self.causes & 15 | cause << 4
            self.doublings = 0
        elif told == TOLD_AGAIN:
            self.doublings = min(self.doublings + 1, DOUBLINGS)
        elif told == TOLD_ENDED:
            self.cls = cause = max(self.now, CLASS_NOMINAL)
        self.state = move & 15
        self.tell(told, cause, self.node.measured(self))

    def tell(self, told, cause, value):
        """Leave word for the node, which sends it as soon as it is back: the board's stack is too short for it here."""
        node = self.node
        if told <= TOLD_REMINDED:
            self.untold_ms = 0
        node.about = self
        node.told = told
        node.told_cause = cause
        node.told_value = value

    def acknowledge(self, occurrence):
        """Whether that occurrence, or any where it is 0, is latched; then it is acknowledged."""
        if not self.state or occurrence and occurrence != self.occurrence:
            return False
        self.play(ON_ACKNOWLEDGE, self.causes >> 4)
        return True

    def recall(self, b, i):
        """What was latched before the boot, from its record: state and class, cause, occurrence."""
        self.reset()
        self.state = b[i] >> 4
        self.cls = b[i] & 15
        self.causes = b[i + 1]
        self.occurrence = b[i + 2] << 8 | b[i + 3]
        self.relearn()

    def relearn(self):
        """Who judges has forgotten everything: that nothing is justified means little for the longest off-delay."""
        self.now = UNKNOWN
        self.lower_ms = 0
        self.doublings = DOUBLINGS

    # -- suppression: what is latched stays, nothing is judged

    def suppress(self, seconds, cls):
        """Begin or renew it; 0 ends it."""
        if seconds:
            self.suppressed_ms = seconds * 1000
            self.tell(TOLD_SUPPRESSED, cls, seconds)
        elif self.suppressed_ms:
            self.release(ENDING_COMMANDED)

    def release(self, ending):
        self.suppressed_ms = 0
        self.tell(TOLD_RELEASED, self.node.justified(self), ending)

    # -- time

    def remind(self, elapsed_ms):
        """Let time pass; tell again what is not acknowledged."""
        if self.state & 1:
            self.untold_ms = min(self.untold_ms + elapsed_ms, IDLE_MS)
            if self.reminder_ms() <= 0:
                self.play(ON_REMIND, self.causes >> 4)

    def run_down(self, elapsed_ms):
        """Let a suppression's time pass."""
        if self.suppressed_ms:
            self.suppressed_ms = max(self.suppressed_ms - elapsed_ms, 0)
            if not self.suppressed_ms:
                self.release(ENDING_TIME)

    def reminder_ms(self):
        """Time to the next reminder."""
        remind_s = self.node.p[P_REMIND]
        return remind_s * 1000 - self.untold_ms if remind_s and self.state & 1 else IDLE_MS

    def wait_ms(self):
        """Time to what is due next."""
        wait_ms = self.reminder_ms()
        return self.suppressed_ms if 0 < self.suppressed_ms < wait_ms else wait_ms


# The cabin's alarm follows the detector; an inhibit permits a stated fall, and no more.


def inhibit(node, seconds, cls):
    """Up to class ``cls``. A renewal goes on from the level at which the inhibit began: the fall is that of all."""
    if not node.cabin.suppressed_ms:
        node.level_cPa = node.pressure
        node.fallen = 0
    node.inhibited = cls
    node.cabin.suppress(seconds, cls)


def count_fallen(node, pressure_cPa):
    """Count the readings in a row that lie beyond what an inhibit permits."""
    if not node.level_cPa:
        node.level_cPa = pressure_cPa
    p = node.p
    fallen = node.level_cPa - pressure_cPa > p[P_PERMIT] or pressure_cPa <= p[P_RESERVE]
    node.fallen = node.fallen + 1 if fallen else 0


def watch_cabin(node, elapsed_ms):
    """After the detector has taken something in: end an inhibit that does not hold, or else judge what it says."""
    now = node.detector.cls
    cause = node.detector.cause
    if node.cabin.suppressed_ms:
        if now > node.inhibited:
            node.cabin.release(ENDING_CLASS)
        elif cause == CAUSE_LEVEL and now == CLASS_EMERGENCY or node.fallen >= AGREE:
            node.inhibited = BROKEN
            node.cabin.release(ENDING_FALL)
        return
    if node.inhibited == BROKEN:
        node.inhibited = CLASS_NOMINAL
        # Whoever inhibits vouches for the air; where it falls further all the same, nobody does.
        if now < CLASS_EMERGENCY:
            now = CLASS_EMERGENCY
            cause = CAUSE_PERMIT
    node.cabin.judge(now, cause, elapsed_ms)


def watch_rise(node):
    """Judge at once what has become worse; what has become better waits for a sample, which brings the time for it."""
    if node.detector.cls > max(node.cabin.now, CLASS_NOMINAL) or node.cabin.suppressed_ms:
        watch_cabin(node, 0)


# The alarm of blindness: of a transducer that says nothing, or nothing that can be believed.


def watch_blind(node, elapsed_ms):
    """Time passes at this health. Blindness counts up; sight counts it down, four times slower."""
    caution_x4_ms = 4000 * node.p[P_BLIND_DELAY]
    warning_x4_ms = 4000 * node.p[P_BLIND_ESCALATE]
    now = CLASS_NOMINAL
    if node.health:
        node.blind_x4_ms = min(node.blind_x4_ms + 4 * elapsed_ms, max(caution_x4_ms, warning_x4_ms))
        if node.blind_x4_ms >= warning_x4_ms:
            now = CLASS_WARNING
        elif node.blind_x4_ms >= caution_x4_ms:
            now = CLASS_CAUTION
    else:
        node.blind_x4_ms = max(node.blind_x4_ms - elapsed_ms, 0)
    if node.blind.judge(now, node.health, elapsed_ms) and not node.health:
        node.blind_x4_ms = 0
