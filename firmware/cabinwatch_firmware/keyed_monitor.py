"""The keyed monitor: obeys whoever has its key, and believes of a keyed instrument the answer to its newest poll."""

from cabinwatch_firmware.keyed import (
    CHALLENGE,
    NUMBER,
    VAULT,
    forget,
    holds,
    judge,
    refuse,
    report_session,
    tell,
)
from cabinwatch_firmware.monitor import Monitor
from cabinwatch_protocol.device.consts import (
    ANSWER_TRAILER,
    APID_TRANSDUCER,
    ASSOCIATION_ANSWER,
    DO_REBOOT,
    EARLY_MS,
    FAIL_EARLY,
    FAIL_TAG,
    KEY_SIZE,
    KEYED_MONITOR_ACCEPTS,
    PEC,
    POLL_TRAILER,
    REPORT_HK_SIZE,
    RX_MAX,
    TAG_SIZE,
    TC_SERVICE_AT,
    TM_SERVICE_AT,
)
from cabinwatch_protocol.device.siphash import siphash

KEYS = 3 * KEY_SIZE


class KeyedMonitor(Monitor):
    """``key``: the command key, then the answer keys of transducer and analyser; zeros for one that is not keyed."""

    def __init__(self, sink, key, renew):
        # First the attributes, as in Monitor.
        self.key = key
        self.renew = renew
        self.vault = bytearray(VAULT)
        self.tag = bytearray(TAG_SIZE)
        self.counter = self.refused = self.quiet_ms = 0
        self.asked = 0  # bit i: instrument i owes an answer
        self.guarded = self.again = False
        self.rest = bytearray(2 * RX_MAX)
        self.left = 0  # octets in it
        self.spent = False  # whether a tag was checked in this step
        self.owed = 0  # bit i: instrument i is yet to be polled
        self.keyed = 0  # bit i: instrument i is keyed
        i = 2 * KEY_SIZE
        while i:
            i -= 1
            if key[KEY_SIZE + i]:
                self.keyed |= 1 << i // KEY_SIZE
        Monitor.__init__(self, sink)
        self.accepts = KEYED_MONITOR_ACCEPTS

    def boot(self, cause):
        forget(self)
        self.left = self.owed = 0
        self.spent = False
        Monitor.boot(self, cause)

    def step(self, elapsed_ms, rx, n):
        """As Monitor.step. On the slowest board a tag takes long, so what can wait then has the next step."""
        if self.quiet_ms > 0:
            self.quiet_ms -= elapsed_ms
        self.spent = False
        if self.owed:
            i = ~self.owed & 1
            self.owed &= ~(1 << i)
            self.poll(APID_TRANSDUCER + i)
        octets = rx
        k = n
        waited = self.left
        if waited:
            octets = self.rest
            k = waited
            self.left = 0
        wake = Monitor.step(self, elapsed_ms, octets, k)
        if waited:
            self.put_by(rx, 0, n)
        return 1 if self.left or self.owed else wake

    def defers(self, rx, i, n):
        if not self.spent or n - i > RX_MAX:  # there has to be room for as many more
            return False
        self.put_by(rx, i, n)
        return True

    def put_by(self, rx, i, n):
        """Have the next step take rx[i:n]."""
        while i < n:
            self.rest[self.left] = rx[i]
            self.left += 1
            i += 1

    def poll(self, apid):
        if self.spent:
            self.owed |= 1 << apid - APID_TRANSDUCER
        else:
            Monitor.poll(self, apid)

    def report_when_due(self, busy):
        Monitor.report_when_due(self, busy or self.spent)

    # -- telecommands

    def acceptable(self):
        code = judge(self, Monitor.acceptable(self))
        if self.guarded:
            self.spent = True
        return code

    def repeats(self):
        # An open telecommand changes nothing, so that it may be executed again, and never stands for a guarded one.
        return self.guarded and self.again

    def conclude(self, again, code):
        if not self.guarded:
            return code
        tell(self, again, code)
        return Monitor.conclude(self, again, code)

    def perform(self, again):
        if self.frame.buf[TC_SERVICE_AT] == 130:
            report_session(self, self.keyed)
            return 0
        return Monitor.perform(self, again)

    def function(self, function, argument):
        if function == DO_REBOOT and not argument and not self.day and self.ms < EARLY_MS:
            return FAIL_EARLY
        return Monitor.function(self, function, argument)

    # -- instruments

    def end_poll(self, apid):
        i = apid - APID_TRANSDUCER
        if not self.keyed >> i & 1:
            return REPORT_HK_SIZE
        self.asked |= 1 << i
        vault = self.vault
        # A number that no poll since the boot had, under the session octets: seven octets never come round.
        at = NUMBER
        vault[at] = vault[at] + 1 & 255
        while not vault[at] and at < NUMBER + 6:
            at += 1
            vault[at] = vault[at] + 1 & 255
        siphash(self.key, 0, vault, 0, NUMBER + 7, self.tag)
        tx = self.tx
        tx[REPORT_HK_SIZE] = ASSOCIATION_ANSWER
        at = 0
        while at < TAG_SIZE:
            vault[CHALLENGE + TAG_SIZE * i + at] = self.tag[at]
            tx[REPORT_HK_SIZE + 1 + at] = self.tag[at]
            at += 1
        return REPORT_HK_SIZE + POLL_TRAILER

    def telemetry(self, pid):
        i = pid - (0x0800 | APID_TRANSDUCER)
        if 0 <= i < 2 and self.keyed >> i & 1 and self.frame.buf[TM_SERVICE_AT] == 3:
            if not self.answers(i):
                refuse(self, FAIL_TAG)
                return True
            self.frame.size -= ANSWER_TRAILER
        return Monitor.telemetry(self, pid)

    def answers(self, i):
        """Whether the received report is instrument i's answer to its newest poll, and the first one."""
        if (
            not self.asked >> i & 1
            or self.frame.buf[self.frame.size + 1 - PEC - ANSWER_TRAILER] != ASSOCIATION_ANSWER
        ):
            return False
        self.spent = True
        if not holds(self, KEY_SIZE * (i + 1), CHALLENGE + TAG_SIZE * i):
            return False
        self.asked &= ~(1 << i)
        return True
