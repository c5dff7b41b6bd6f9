"""A PUS node on the link: what the monitor and the transducer share.

Receives frames, checks and answers telecommands (services 1, 17 and 20 here, the others in the role), builds
telemetry. One transmit and one receive buffer, made once. See protocol/SPEC.md for every octet.
"""

from cabinwatch_protocol.device.consts import (
    ACK_ACCEPTANCE,
    ACK_COMPLETION,
    ALIVE_SIZE,
    CDS_P_FIELD,
    COMPLETED_SIZE,
    DAY_MS,
    EVENT_BOOT,
    EVENT_CAUSE,
    EVENT_EVENT,
    EVENT_NOT_KEPT,
    EVENT_SIZE,
    EVENT_VALUE,
    FAIL_COUNT,
    FAIL_LENGTH,
    FAIL_PARAMETER,
    FAIL_PUS_VERSION,
    FAIL_RANGE,
    FAIL_SERVICE,
    FAIL_STRUCTURE,
    FAIL_SUBTYPE,
    FAILED_FAILURE,
    FAILED_REQUEST_PACKET,
    FAILED_REQUEST_SEQUENCE,
    FAILED_SIZE,
    FRAME_MAX,
    FRAME_OK,
    PARAMETER_VALUE_N,
    PARAMETER_VALUE_PARAMETER,
    PARAMETER_VALUE_SIZE,
    PARAMETER_VALUE_VALUE,
    PEC,
    PUS_VERSION,
    REJECTED,
    REPORT_HK_N_AT,
    REPORT_HK_SID_AT,
    SET_PARAMETER_PARAMETER_AT,
    SET_PARAMETER_VALUE,
    STORED_BROKEN,
    STORED_KEPT,
    TC_MIN,
    TC_PACKET_ID,
    TC_SEQUENCE,
    TC_SERVICE_AT,
    TC_SOURCE,
    TC_SUBTYPE_AT,
    TC_VERSION_AT,
    TM_COUNT,
    TM_DAY,
    TM_DESTINATION,
    TM_MS,
    TM_P_FIELD,
    TM_PACKET_ID,
    TM_SEQUENCE,
    TM_SERVICE,
    TM_SUBTYPE,
    TM_VERSION,
    VERSION,
)
from cabinwatch_protocol.device.crc import crc16
from cabinwatch_protocol.device.frame import Deframer, seal


def word_at(b, i, size):
    """The unsigned big-endian field of ``size`` octets at b[i]."""
    v = 0
    while size:
        v = v << 8 | b[i]
        i += 1
        size -= 1
    return v


def signed_at(b, i):
    """The signed 32-bit field at b[i]; +-(2^30 - 1) where it lies beyond the 31-bit range."""
    top = b[i]
    if top < 0x40:
        return word_at(b, i, 4)
    if top < 0x80:
        return 0x3FFFFFFF
    if top < 0xC0:
        return -0x3FFFFFFF
    return (top - 256 << 24) + word_at(b, i + 1, 3)


class Node:
    """``sink(buf, n)`` is given every frame; ``limits`` holds default, low, high of each parameter.

    With the parameters a role keeps ``kept`` octets of its own.

    ``store(buf, n)``, where the port has storage and sets it, is given a record of all parameters after each change. It
    empties slot ``buf[1] & 1`` of two, writes the record there and returns whether it is kept. Before ``boot`` the port
    hands both slots back to ``recall``. So a write that is broken off costs the change that it was for, nothing else.
    """

    def __init__(self, sink, apid, accepts, limits, kept):
        self.sink = sink
        self.apid = apid
        self.accepts = accepts
        self.limits = limits
        self.p = [limits[i] for i in range(0, len(limits), 3)]
        self.record = (
            4 * len(self.p) + kept + 7
        )  # octets: sequence number 2, version 3, values, the role's, CRC 2
        self.store = None
        self.stored = 0
        self.changed = False  # since the last record that was stored
        self.found = 0
        self.count = [0] * 7
        self.tx = bytearray(max(FRAME_MAX + 2, self.record))
        self.end = 0
        self.frame = Deframer()
        self.seq = 0
        self.day = 0
        self.ms = 0
        self.last = -1
        self.result = 0
        self.rebooting = False

    def boot(self, cause):
        """Start afresh, as after a reset, and say so: cause 0 power-on, 1 commanded, 2 watchdog, 3 external."""
        found = self.found
        self.found = 0
        if not found & STORED_KEPT:
            self.stored = 0
            self.defaults()
        self.changed = False
        i = len(self.count)
        while i:
            i -= 1
            self.count[i] = 0
        self.frame.n = 0
        self.seq = 0
        self.day = 0
        self.ms = 0
        self.last = -1
        self.rebooting = False
        self.event(1, EVENT_BOOT, cause, found << 24 | VERSION)

    # -- parameters

    def defaults(self):
        i = len(self.p)
        while i:
            i -= 1
            self.adopt(i, self.limits[3 * i])

    def adopt(self, i, v):
        if self.p[i] != v:
            self.p[i] = v
            self.changed = True

    def allowed(self, i, v):
        return self.limits[3 * i + 1] <= v <= self.limits[3 * i + 2]

    def keep(self):
        """Have parameters that changed stored, where there is storage; say so where that fails. Flash wears."""
        if not self.store or not self.changed:
            return
        seq = self.stored + 1 & 0xFFFF
        # No packet is under way, so the record is made where packets are.
        self.end = 0
        self.put(seq, 2)
        self.put(VERSION, 3)
        i = 0
        while i < len(self.p):
            self.put(self.p[i], 4)
            i += 1
        self.put_kept()
        self.put(crc16(self.tx, 0, self.end), 2)
        if self.store(self.tx, self.end):
            self.stored = seq
            self.changed = False
        else:
            self.event(1, EVENT_NOT_KEPT, 0, 0)

    def recall(self, b, n):
        """What a slot of storage holds (n octets, 0 = nothing), before ``boot``. The newer whole record counts."""
        if not n:
            return
        if not self.whole(b, n):
            self.found |= STORED_BROKEN
            return
        seq = b[0] << 8 | b[1]
        if self.found & STORED_KEPT and seq - self.stored & 0x8000:
            return
        self.found |= STORED_KEPT
        self.stored = seq
        i = len(self.p)
        self.recall_kept(b, 4 * i + 5)
        while i:
            i -= 1
            self.p[i] = signed_at(b, 4 * i + 5)

    def put_kept(self):
        """Append what the role keeps besides parameters, ``kept`` octets in all."""

    def recall_kept(self, b, i):
        """Take it back from b[i] on."""

    def whole(self, b, n):
        """Whether b[:n] is a record of this version, not damaged, with every value in its bounds."""
        if n != self.record or crc16(b, 0, n) or word_at(b, 2, 3) != VERSION:
            return False
        i = len(self.p)
        while i:
            i -= 1
            if not self.allowed(i, signed_at(b, 4 * i + 5)):
                return False
        return True

    # -- time and counters

    def tick(self, elapsed_ms):
        self.ms += elapsed_ms
        while self.ms >= DAY_MS:
            self.ms -= DAY_MS
            self.day = self.day + 1 & 0xFFFF

    def bump(self, counter):
        self.count[counter] = self.count[counter] + 1 & 0xFFFF

    # -- packets out

    def begin(self, pid, seq, version, service, subtype):
        """Headers up to and with the message subtype, alike in both kinds of packet; the rest follows by ``set``."""
        self.set(TM_PACKET_ID, pid)
        self.set(TM_SEQUENCE, 0xC000 | seq)
        self.set(TM_VERSION, version)
        self.set(TM_SERVICE, service)
        self.set(TM_SUBTYPE, subtype)

    def begin_tm(self, service, subtype, destination):
        # As begin, a call less deep: the board has room for few.
        self.set(TM_PACKET_ID, 0x0800 | self.apid)
        self.set(TM_SEQUENCE, 0xC000 | self.seq)
        self.set(TM_VERSION, PUS_VERSION << 4)
        self.set(TM_SERVICE, service)
        self.set(TM_SUBTYPE, subtype)
        self.seq = self.seq + 1 & 0x3FFF
        self.set(TM_COUNT, 0)
        self.set(TM_DESTINATION, destination)
        self.set(TM_P_FIELD, CDS_P_FIELD)
        self.set(TM_DAY, self.day)
        self.set(TM_MS, self.ms)

    def set(self, field, value):
        """Write a field of the packet that is being made, big-endian, two's complement."""
        tx = self.tx
        first = (field >> 3) + 2
        i = first + (field & 7)
        while i > first:
            i -= 1
            tx[i] = value & 255
            value >>= 8

    def put(self, value, size):
        """Append a big-endian field of ``size`` octets to the record that is being made."""
        tx = self.tx
        i = self.end
        self.end = i + size
        size *= 8
        while size:
            size -= 8
            tx[i] = value >> size & 255
            i += 1

    def send(self, size):
        """Send the packet, ``size`` octets with its error control."""
        self.sink(self.tx, seal(self.tx, size + 2))

    def event(self, severity, event, cause, value):
        self.begin_tm(5, severity, 0)
        self.set(EVENT_EVENT, event)
        self.set(EVENT_CAUSE, cause)
        self.set(EVENT_VALUE, value)
        self.send(EVENT_SIZE)

    # -- packets in

    def receive(self, rx, n):
        """Take n octets from rx and act on every frame that ends in them."""
        frame = self.frame
        i = 0
        while i < n:
            i = frame.feed(rx, i, n)
            verdict = frame.verdict
            if verdict:
                self.bump(verdict)
                if verdict == FRAME_OK:
                    self.packet()
                    if self.defers(rx, i, n):
                        i = n

    def defers(self, rx, i, n):
        """Whether what stands behind a packet, rx[i:n], waits for the next step."""
        return False

    def packet(self):
        """A good packet: a telecommand for this node, or else the role's business."""
        pid = self.field(TC_PACKET_ID)
        if self.field(TC_SEQUENCE) < 0xC000:
            self.bump(REJECTED)
        elif pid == 0x1800 | self.apid:
            self.telecommand()
        elif not self.telemetry(pid):
            self.bump(REJECTED)

    def telemetry(self, pid):
        """Use a telemetry packet; False where it is not for this node."""
        return False

    def field(self, field):
        """The value of an unsigned field of the received packet."""
        b = self.frame.buf
        i = (field >> 3) + 1
        end = i + (field & 7)
        v = 0
        while i < end:
            v = v << 8 | b[i]
            i += 1
        return v

    def signed(self, field):
        """The value of a 32-bit field of it that is signed, or that no device lets grow beyond 31 bits."""
        return signed_at(self.frame.buf, (field >> 3) + 1)

    # -- telecommands

    def acceptable(self):
        """The failure code of a telecommand's header and length; 0 = acceptable."""
        b = self.frame.buf
        if b[TC_VERSION_AT] >> 4 != PUS_VERSION:
            return FAIL_PUS_VERSION
        a = self.accepts
        code = FAIL_SERVICE
        i = 0
        while i < len(a):
            if a[i] == b[TC_SERVICE_AT]:
                if a[i + 1] == b[TC_SUBTYPE_AT]:
                    return 0 if a[i + 2] == self.frame.size - TC_MIN else FAIL_LENGTH
                code = FAIL_SUBTYPE
            i += 3
        return code

    def telecommand(self):
        code = self.acceptable()
        if code:
            self.verify(2, code)
            return
        b = self.frame.buf
        ack = b[TC_VERSION_AT]
        if ack & ACK_ACCEPTANCE:
            self.verify(1, 0)
        again = self.repeats()
        service = b[TC_SERVICE_AT]
        if service == 17:
            self.begin_tm(17, 2, self.field(TC_SOURCE))
            self.send(ALIVE_SIZE)
            code = 0
        elif (service == 3 or service == 20) and b[REPORT_HK_N_AT] != 1:
            code = FAIL_COUNT
        elif service == 20:
            code = self.parameter(again)
        elif service == 3 and b[REPORT_HK_SID_AT] != 1:
            code = FAIL_STRUCTURE
        else:
            code = self.perform(again)
        code = self.conclude(again, code)
        if code:
            self.verify(8, code)
        elif ack & ACK_COMPLETION:
            self.verify(7, 0)

    def repeats(self):
        """Whether the received telecommand is the last accepted one once more."""
        # Count and CRC: the very same packet. Another one with this count comes from a host that started anew.
        request = (self.field(TC_SEQUENCE) & 0x3FFF) << 16 | word_at(self.frame.buf, self.frame.size - 1, PEC)
        again = request == self.last
        self.last = request
        return again

    def conclude(self, again, code):
        """The verdict on a telecommand that came to ``code``: the first one's where it is repeated."""
        if not again:
            self.result = code
        return self.result

    def verify(self, subtype, code):
        self.begin_tm(1, subtype, self.field(TC_SOURCE))
        self.set(FAILED_REQUEST_PACKET, self.field(TC_PACKET_ID))
        self.set(FAILED_REQUEST_SEQUENCE, self.field(TC_SEQUENCE))
        if code:
            self.set(FAILED_FAILURE, code)
        self.send(FAILED_SIZE if code else COMPLETED_SIZE)

    def parameter(self, again):
        b = self.frame.buf
        i = b[SET_PARAMETER_PARAMETER_AT]
        if i >= len(self.p):
            return FAIL_PARAMETER
        if b[TC_SUBTYPE_AT] == 1:
            self.begin_tm(20, 2, self.field(TC_SOURCE))
            self.set(PARAMETER_VALUE_N, 1)
            self.set(PARAMETER_VALUE_PARAMETER, i)
            self.set(PARAMETER_VALUE_VALUE, self.p[i])
            self.send(PARAMETER_VALUE_SIZE)
        elif not again:
            v = self.signed(SET_PARAMETER_VALUE)
            if not self.allowed(i, v):
                return FAIL_RANGE
            self.adopt(i, v)
            self.keep()
        return 0

    def perform(self, again):
        """Services 3, 8 and 128 of the role; ``again`` = a repeated request: answer, change nothing."""
        return 0
