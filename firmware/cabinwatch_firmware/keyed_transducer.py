"""The keyed transducer: tags its sample for a poll that carries a challenge, and obeys whoever has its key."""

from cabinwatch_firmware.keyed import VAULT, forget, judge, report_session, tell
from cabinwatch_firmware.transducer import Transducer
from cabinwatch_protocol.device.consts import (
    ANSWER_TRAILER,
    ASSOCIATION_ANSWER,
    FAIL_LENGTH,
    KEY_SIZE,
    KEYED_TRANSDUCER_ACCEPTS,
    PEC,
    POLL_TRAILER,
    REPORT_HK_SIZE,
    SAMPLE_SIZE,
    TAG_SIZE,
    TC_SERVICE_AT,
    TM_LENGTH,
)
from cabinwatch_protocol.device.siphash import siphash

KEYS = 2 * KEY_SIZE


class KeyedTransducer(Transducer):
    """``key``: its command key, then its answer key."""

    def __init__(self, sink, sensor, key, renew):
        self.key = key
        self.renew = renew
        self.vault = bytearray(VAULT)
        self.tag = bytearray(TAG_SIZE)
        self.counter = self.refused = self.quiet_ms = self.asked = 0
        self.guarded = self.again = False
        Transducer.__init__(self, sink, sensor)
        self.accepts = KEYED_TRANSDUCER_ACCEPTS

    def boot(self, cause):
        forget(self)
        Transducer.boot(self, cause)

    def step(self, elapsed_ms, rx, n):
        if self.quiet_ms > 0:
            self.quiet_ms -= elapsed_ms
        return Transducer.step(self, elapsed_ms, rx, n)

    def challenged(self):
        """Where in the receive buffer the poll's trailer begins; 0 = it has none."""
        at = self.frame.size + 1 - PEC - POLL_TRAILER
        long = self.frame.size == REPORT_HK_SIZE + POLL_TRAILER
        return at if long and self.frame.buf[at] == ASSOCIATION_ANSWER else 0

    def acceptable(self):
        code = Transducer.acceptable(self)
        if code == FAIL_LENGTH and self.frame.buf[TC_SERVICE_AT] == 3 and self.challenged():
            code = 0
        return judge(self, code)

    def repeats(self):
        # As the keyed monitor.
        return self.guarded and self.again

    def conclude(self, again, code):
        if not self.guarded:
            return code
        tell(self, again, code)
        return Transducer.conclude(self, again, code)

    def perform(self, again):
        if self.frame.buf[TC_SERVICE_AT] == 130:
            report_session(self, 0)
            return 0
        return Transducer.perform(self, again)

    def end_sample(self):
        challenge = self.challenged()
        if not challenge:
            return SAMPLE_SIZE
        size = SAMPLE_SIZE + ANSWER_TRAILER
        self.set(TM_LENGTH, size - 7)
        tx = self.tx
        tx[SAMPLE_SIZE] = ASSOCIATION_ANSWER
        at = SAMPLE_SIZE + 1
        i = 0
        while i < TAG_SIZE:
            tx[at + i] = self.frame.buf[challenge + 1 + i]
            i += 1
        siphash(self.key, KEY_SIZE, tx, 2, at + TAG_SIZE, self.tag)
        while i:
            i -= 1
            tx[at + i] = self.tag[i]
        return size
