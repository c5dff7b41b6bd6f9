"""The monitor: polls the instruments, believes only what it can check, has its alarms judged, reports to the ground.

A pure step function: no clock, no UART, no float. ``wake = step(elapsed_ms, rx, n)`` and frames leave through the
sink. Timers count down, so none ever overflows or wraps. See protocol/SPEC.md for what is sent when.
"""

from cabinwatch_firmware.alarms import (
    Alarm,
    count_fallen,
    inhibit,
    watch_blind,
    watch_cabin,
    watch_rise,
)
from cabinwatch_firmware.clock import Clock
from cabinwatch_firmware.detector.detector import BELOW, Detector
from cabinwatch_firmware.event_ring import ROOM, SLOTS, put_recorded, record
from cabinwatch_firmware.signals import TEST_MAX, TEST_MS
from cabinwatch_protocol.device.consts import (
    ALARM_EVENTS,
    ALARM_TABLE,
    ALARM_TRANSITIONS,
    ALARMS_BLIND_STATE,
    ALARMS_CABIN_STATE,
    ALARMS_INHIBITED,
    ALARMS_SIZE,
    APID_ANALYSER,
    APID_MONITOR,
    APID_TRANSDUCER,
    BAD_CRC,
    BAD_FRAMING,
    BAD_SIZE,
    CDS_P_FIELD,
    CLASS_ADVISORY,
    CLASS_EMERGENCY,
    CLASS_WARNING,
    COMPOSITION_PPN2_CPA,
    COMPOSITION_SID_AT,
    COMPOSITION_SIZE,
    COMPOSITION_STATUS_AT,
    COMPOSITION_TEMPERATURE_CK,
    DAY_MS,
    DO_ACKNOWLEDGE,
    DO_DEFAULTS,
    DO_INHIBIT,
    DO_OUT_OF_SERVICE,
    DO_REBOOT,
    DO_RESTART_DETECTOR,
    DO_TEST_SIGNALS,
    EVENT_ALARM_REMINDER,
    EVENT_LINK_NOISE,
    EVENT_REFUSED,
    EVENT_SENSOR_REMINDER,
    FAIL_ARGUMENT,
    FAIL_FUNCTION,
    FAIL_NO_ALARM,
    FAIL_NO_EVENT,
    FAIL_STALE,
    FLAG_ACKNOWLEDGED,
    FLAG_BLIND,
    FLAG_BLIND_ACKNOWLEDGED,
    FLAG_INHIBITED,
    FLAG_NITROGEN_WATCH,
    FLAG_OUT_OF_SERVICE,
    FLAG_PERIODIC_HK,
    FLAG_RETURNED,
    FRAME_OK,
    HEALTH_BELOW_RANGE,
    HEALTH_IMPLAUSIBLE,
    HEALTH_SILENT,
    HEALTH_STUCK,
    HEALTH_TIME,
    HOUSEKEEPING_ALARM,
    HOUSEKEEPING_ALARM_NOW,
    HOUSEKEEPING_BAD_CRC,
    HOUSEKEEPING_BAD_FRAMING,
    HOUSEKEEPING_BAD_SIZE,
    HOUSEKEEPING_CAUSE,
    HOUSEKEEPING_FLAGS,
    HOUSEKEEPING_FRAMES_OK,
    HOUSEKEEPING_HEALTH,
    HOUSEKEEPING_LAST_EVENT,
    HOUSEKEEPING_LAW,
    HOUSEKEEPING_PRESSURE_CPA,
    HOUSEKEEPING_RATE_CPA_H,
    HOUSEKEEPING_REJECTED,
    HOUSEKEEPING_SID,
    HOUSEKEEPING_SIGMA_CPA_H,
    HOUSEKEEPING_SIZE,
    HOUSEKEEPING_TEMPERATURE_CK,
    HOUSEKEEPING_TIMEOUTS,
    HOUSEKEEPING_TRES_S,
    INHIBIT_CLASS_SHIFT,
    INHIBIT_MAX_S,
    MONITOR_ACCEPTS,
    MONITOR_EVENT_ALARM,
    MONITOR_EVENT_ALARM_CAUSE,
    MONITOR_EVENT_CAUSE,
    MONITOR_EVENT_EVENT,
    MONITOR_EVENT_NUMBER,
    MONITOR_EVENT_OCCURRENCE,
    MONITOR_EVENT_SIZE,
    MONITOR_EVENT_STATE,
    MONITOR_EVENT_VALUE,
    MONITOR_LIMITS,
    NOISE_LIMIT,
    P_ANALYSER_PERIOD,
    P_BLIND_DELAY,
    P_BLIND_ESCALATE,
    P_HK_PERIOD,
    P_POLL_PERIOD,
    P_POLL_RETRIES,
    P_PRESSURE_HIGH,
    P_PRESSURE_LOW,
    P_REPLY_TIMEOUT,
    P_STUCK_SAMPLES,
    PERFORM_ARGUMENT,
    PERFORM_FUNCTION_AT,
    PUS_VERSION,
    RECORDED_EVENT_EVENT,
    RECORDED_EVENT_NUMBER,
    RECORDED_EVENT_SEVERITY,
    RECORDED_EVENT_SIZE,
    REJECTED,
    REPORT_EVENT_NUMBER_AT,
    REPORT_HK_N,
    REPORT_HK_SID,
    REPORT_HK_SIZE,
    SAMPLE_PRESSURE_CPA,
    SAMPLE_SID_AT,
    SAMPLE_SIZE,
    SAMPLE_STATUS_AT,
    SAMPLE_TEMPERATURE_CK,
    STATE_ACKNOWLEDGED,
    STATE_RETURNED,
    STORED_KEPT,
    STORED_VOLATILE,
    TC_SERVICE_AT,
    TC_SOURCE,
    TC_SUBTYPE_AT,
    TIMEOUTS,
    TM_DAY,
    TM_MS,
    TM_P_FIELD_AT,
    TM_SERVICE_AT,
    TM_SUBTYPE_AT,
    TM_VERSION_AT,
    TOLD_ENDED,
    TOLD_REMINDED,
)
from cabinwatch_protocol.device.frame import seal
from cabinwatch_protocol.device.node import Node

LATCHED = 4  # octets of an alarm in the record of what is kept: state and class, cause, occurrence
KEPT = 2 + 2 * LATCHED
GIVE_WAY_MS = 100  # no longer than this, or commands one after the other would silence it
OCCURRENCE_MAX = 65534
EVENTS_WRAP = 16384  # a multiple of the numbers' 256, so that it does not show


class Monitor(Node):
    """``health`` is the transducer's (0 = ok); see the packet table."""

    def __init__(self, sink):
        Node.__init__(self, sink, APID_MONITOR, MONITOR_ACCEPTS, MONITOR_LIMITS, KEPT)
        # First the attributes: an object's table grows by a new one, for which the board needs room in one piece.
        self.occurrence = 0
        self.clock = Clock()
        self.seen_gas = [-1, 0]
        self.detector = self.cabin = self.about = self.blind = self.ring = None
        self.forget()
        self.ring = bytearray(ROOM)
        self.cabin = self.about = Alarm(self)
        self.blind = Alarm(self)
        self.detector = Detector(self.p)

    def forget(self):
        """Everything but parameters and alarms is as after a boot."""
        self.events = 0
        self.health = HEALTH_SILENT
        self.poll_seq = 0
        self.poll_in = 0
        self.analyser_in = 0
        self.reply_in = -1
        self.tries = 0
        self.hk_in = 0
        self.hk_on = True
        self.noise = 0
        self.test_ms = self.test_pattern = 0
        self.inhibited = self.level_cPa = self.fallen = self.blind_x4_ms = 0
        self.told = self.told_cause = self.told_value = 0
        self.pressure = 0
        self.temperature = 0
        self.same = -1
        self.clock.start_anew()
        self.seen_gas[0] = -1

    def boot(self, cause):
        if not self.found & STORED_KEPT:
            self.occurrence = 0
            self.cabin.reset()
            self.blind.reset()
        if not self.store:
            self.found |= STORED_VOLATILE
        self.forget()
        Node.boot(self, cause)
        self.hk_in = self.p[P_HK_PERIOD]
        self.detector.reset()

    def step(self, elapsed_ms, rx, n):
        """Let elapsed_ms pass (0..86,400,000), take n octets (0..48) from rx; return the ms until the next call.

        Octets that come earlier than that call for an earlier step.
        """
        before = self.seq
        self.tick(elapsed_ms)
        self.clock.let_pass(elapsed_ms)
        self.poll_in -= elapsed_ms
        if self.analyser_in > 0:
            self.analyser_in -= elapsed_ms
        if self.test_ms > 0:
            self.test_ms -= elapsed_ms
        self.hk_in -= elapsed_ms
        if self.reply_in >= 0:
            self.reply_in -= elapsed_ms
            if self.reply_in < 0:
                self.reply_in = 0
        self.cabin.remind(elapsed_ms)
        self.tell_now()
        self.cabin.run_down(elapsed_ms)
        if self.tell_now():
            watch_cabin(self, 0)
            self.tell_now()
        self.blind.remind(elapsed_ms)
        self.tell_now()
        self.blind.run_down(elapsed_ms)
        self.tell_now()
        watch_blind(self, elapsed_ms)
        self.tell_now()
        self.receive(rx, n)
        self.poll_when_due()
        self.report_when_due(n and self.seq != before)
        return self.wake()

    def wake(self):
        ms = self.hk_in
        poll = self.poll_in if self.reply_in < 0 else self.reply_in
        if poll < ms:
            ms = poll
        ms = min(ms, self.cabin.wait_ms())
        ms = min(ms, self.blind.wait_ms())
        if self.health:
            ms = self.sooner(ms, P_BLIND_DELAY)
            ms = self.sooner(ms, P_BLIND_ESCALATE)
        return max(ms, 1)

    def sooner(self, ms, parameter):
        """The time until blindness is due by that parameter, where it is not over and less."""
        due_ms = self.p[parameter] * 1000 - (self.blind_x4_ms >> 2)
        return due_ms if 0 < due_ms < ms else ms

    # -- polling

    def poll(self, apid):
        self.begin(0x1800 | apid, self.poll_seq, PUS_VERSION << 4, 3, 27)
        self.poll_seq = self.poll_seq + 1 & 0x3FFF
        self.set(TC_SOURCE, APID_MONITOR)
        self.set(REPORT_HK_N, 1)
        self.set(REPORT_HK_SID, 1)
        self.send(self.end_poll(apid))

    def end_poll(self, apid):
        """The size of a poll of that instrument, once whatever follows its data is in place."""
        return REPORT_HK_SIZE

    def poll_when_due(self):
        p = self.p
        if self.reply_in == 0:
            self.bump(TIMEOUTS)
            self.reply_in = -1
            if self.tries < p[P_POLL_RETRIES]:
                self.tries += 1
                self.reply_in = p[P_REPLY_TIMEOUT]
                self.poll(APID_TRANSDUCER)
            else:
                self.judge_sensor(HEALTH_SILENT)
        self.poll_in = self.due(self.poll_in, p[P_POLL_PERIOD])
        if self.reply_in < 0 and self.poll_in <= 0:
            self.poll_in = self.next(self.poll_in, p[P_POLL_PERIOD])
            self.tries = 0
            self.reply_in = p[P_REPLY_TIMEOUT]
            self.poll(APID_TRANSDUCER)

    def due(self, timer, period):
        """A timer never runs longer than its period, also when a command has just shortened that."""
        return timer if timer < period else period

    def next(self, timer, period):
        """The timer after it fired: in cadence, or a whole period from now where more than one has been missed."""
        timer += period
        return timer if timer > 0 else period

    # -- instruments

    def telemetry(self, pid):
        if pid == 0x0800 | APID_TRANSDUCER:
            size = SAMPLE_SIZE
        elif pid == 0x0800 | APID_ANALYSER:
            size = COMPOSITION_SIZE
        else:
            return False
        b = self.frame.buf
        # The size first: behind a shorter packet the buffer holds the rest of an earlier one.
        if (
            self.frame.size != size
            or b[TM_VERSION_AT] >> 4 != PUS_VERSION
            or b[TM_P_FIELD_AT] != CDS_P_FIELD
            or b[TM_SERVICE_AT] != 3
            or b[TM_SUBTYPE_AT] != 25
            or b[SAMPLE_SID_AT if size == SAMPLE_SIZE else COMPOSITION_SID_AT] != 1
        ):
            # The instruments' other telemetry is for the ground; it is theirs all the same.
            return True
        if size == SAMPLE_SIZE:
            asked = self.reply_in >= 0
            self.reply_in = -1
            self.judge_sensor(self.sample(b[SAMPLE_STATUS_AT], asked))
            if self.p[P_ANALYSER_PERIOD] and self.analyser_in <= 0:
                # Now, since the link is idle until the next poll: two answers never share the receive ring.
                self.analyser_in = self.p[P_ANALYSER_PERIOD]
                self.poll(APID_ANALYSER)
        else:
            pressure = self.signed(COMPOSITION_PPN2_CPA)
            temperature = self.field(COMPOSITION_TEMPERATURE_CK)
            if not b[COMPOSITION_STATUS_AT] and self.plausible(pressure, temperature):
                gap = self.gap(self.seen_gas)
                if gap > 0:
                    self.detector.nitrogen(gap, pressure, temperature)
                    watch_rise(self)
                    if self.tell_now():
                        watch_cabin(self, 0)
                        self.tell_now()
        return True

    def plausible(self, pressure, temperature):
        """Whether a reading can be true: within the set range, and no colder than 100 K (air would be liquid)."""
        p = self.p
        return p[P_PRESSURE_LOW] <= pressure <= p[P_PRESSURE_HIGH] and temperature >= 10000

    def sample(self, status, asked):
        """Check one sample and give it to the detector; return the transducer's health.

        ``pressure`` and ``temperature`` stay those of the last plausible sample: they are reported as valid.
        """
        pressure = self.signed(SAMPLE_PRESSURE_CPA)
        temperature = self.field(SAMPLE_TEMPERATURE_CK)
        if status and status != HEALTH_BELOW_RANGE:
            return status
        clock = self.clock
        stamp = (self.field(TM_DAY) & 7) << 27 | self.signed(TM_MS) & 0x7FFFFFF
        if self.clock.is_fresh(stamp, asked) and pressure >= 0:
            # Where the air is nearly gone, no reading is plausible, and each tells.
            self.detector.low(pressure)
        low = status or 0 <= pressure < self.p[P_PRESSURE_LOW]
        if low:
            # No pressure to report, but a fall to there is a fall.
            gap = self.gap(clock.seen)
            clock.own_ms = 0
            if gap > 0 and pressure >= 0:
                self.detector.sample(gap, pressure, BELOW)
        watch_rise(self)
        if self.tell_now():
            watch_cabin(self, 0)
            self.tell_now()
        if low:
            return status or HEALTH_IMPLAUSIBLE
        if not self.plausible(pressure, temperature):
            return HEALTH_IMPLAUSIBLE
        if pressure != self.pressure or temperature != self.temperature:
            self.same = -1
        if self.same < 100000:
            self.same += 1
        self.pressure = pressure
        self.temperature = temperature
        stuck = self.p[P_STUCK_SAMPLES]
        if stuck and self.same >= stuck:
            return HEALTH_STUCK
        if clock.seen[0] < 0:
            clock.own_ms = DAY_MS  # what a first stamp counts as, too
        gap = self.gap(clock.seen)
        wrong = self.clock.runs_wrong(gap, stuck)
        restarted = clock.disorder
        if self.clock.is_disordered(gap) or wrong:
            return HEALTH_TIME
        if gap:
            # The same stamp is the same sample once more: nothing new, and no fault.
            if restarted:
                # No stamp tells what the restart took.
                gap = max(clock.since_ms, 1)
            clock.since_ms = 0
            self.detector.sample(gap, pressure, temperature)
            count_fallen(self, pressure)
            # A gap of a day, as before the first stamp, says nothing of the time that an alarm was lower.
            watch_cabin(self, gap % DAY_MS)
            if self.tell_now():
                watch_cabin(self, 0)
                self.tell_now()
        return 0

    def gap(self, seen):
        """Milliseconds from the stamp kept in ``seen`` to the received packet's, 1..86,400,000, and keep that one.

        0 for the same stamp again, -1 where time went back (the new stamp is kept: a restarted instrument counts
        from its own zero) or is not a time. The first stamp is a day after nothing.
        """
        day = self.field(TM_DAY)
        ms = self.signed(TM_MS)
        if ms >= DAY_MS or ms < 0:
            return -1
        days = (day - seen[0] + 0x8000 & 0xFFFF) - 0x8000
        gap = DAY_MS
        if seen[0] >= 0 and days < 2:
            gap = ms - seen[1] + DAY_MS * days if days >= -1 else -1
        seen[0] = day
        seen[1] = ms
        if gap < 0:
            return -1
        return gap if gap < DAY_MS else DAY_MS

    def judge_sensor(self, health):
        self.health = health
        watch_blind(self, 0)
        self.tell_now()

    # -- what the alarms need of the monitor

    def next_occurrence(self):
        """1 to 65,534, in turn: 0 means any, and 65,535 none at all."""
        self.occurrence = self.occurrence % OCCURRENCE_MAX + 1
        return self.occurrence

    def measured(self, alarm):
        """The value that an event of that alarm tells."""
        return self.detector.rate_cPa_h if alarm is self.cabin else self.pressure

    def justified(self, alarm):
        """What would be judged now: the detector's class, or the transducer's health."""
        return self.detector.cls if alarm is self.cabin else self.health

    def tell_now(self):
        """Send what an alarm has left word of, and keep what is latched; whether there was something."""
        told = self.told
        if not told:
            return False
        self.told = 0
        at = ALARM_EVENTS + told - 1
        if self.about is self.blind:
            at += ALARM_TRANSITIONS
        severity = self.about.cls if told <= TOLD_REMINDED else CLASS_ADVISORY
        self.event(severity, ALARM_TABLE[at], self.told_cause, self.told_value)
        self.about = self.cabin
        if told <= TOLD_ENDED and told != TOLD_REMINDED:
            self.changed = True
            self.keep()
        return True

    def acknowledge(self, occurrence):
        """Acknowledge that occurrence, or with 0 whatever is latched; return the failure code, 0 = done."""
        if not self.cabin.state and not self.blind.state:
            return FAIL_NO_ALARM
        cabin = self.cabin.acknowledge(occurrence)
        self.tell_now()
        blind = self.blind.acknowledge(occurrence)
        self.tell_now()
        return 0 if cabin or blind else FAIL_STALE

    def suppress(self, function, argument):
        """Inhibit or out of service; return the failure code."""
        seconds = argument & (1 << INHIBIT_CLASS_SHIFT) - 1
        cls = argument >> INHIBIT_CLASS_SHIFT
        stray = cls and (function != DO_INHIBIT or not seconds)
        if seconds > INHIBIT_MAX_S or cls > CLASS_EMERGENCY or stray:
            return FAIL_ARGUMENT
        if function == DO_INHIBIT:
            inhibit(self, seconds, cls or CLASS_EMERGENCY)
            self.tell_now()
            watch_cabin(self, 0)
            if self.tell_now():
                watch_cabin(self, 0)
                self.tell_now()
        else:
            self.blind.suppress(seconds, CLASS_WARNING)
            self.tell_now()
            watch_blind(self, 0)
            self.tell_now()
        return 0

    # -- telecommands and reports

    def perform(self, again):
        b = self.frame.buf
        if b[TC_SERVICE_AT] == 3:
            if b[TC_SUBTYPE_AT] == 27:
                self.report(self.field(TC_SOURCE))
            elif not again:
                self.hk_on = b[TC_SUBTYPE_AT] == 5
            return 0
        if b[TC_SERVICE_AT] == 128:
            if b[TC_SUBTYPE_AT] == 1:
                return self.report_event(b[REPORT_EVENT_NUMBER_AT], self.field(TC_SOURCE))
            self.report_alarms(self.field(TC_SOURCE))
            return 0
        if again:
            return 0
        return self.function(b[PERFORM_FUNCTION_AT], self.field(PERFORM_ARGUMENT))

    def function(self, function, argument):
        if function == DO_ACKNOWLEDGE:
            return self.acknowledge(argument)
        if function == DO_INHIBIT or function == DO_OUT_OF_SERVICE:
            return self.suppress(function, argument)
        if function == DO_TEST_SIGNALS:
            if argument > TEST_MAX:
                return FAIL_ARGUMENT
            self.test_pattern = argument
            self.test_ms = TEST_MS
            return 0
        if argument:
            return FAIL_ARGUMENT if 0 < function <= DO_DEFAULTS else FAIL_FUNCTION
        if function == DO_RESTART_DETECTOR:
            if self.detector.cls and self.cabin.suppressed_ms:
                # What an inhibit hides is latched, before it is forgotten.
                self.cabin.suppress(0, 0)
                self.tell_now()
                watch_cabin(self, 0)
                self.tell_now()
            self.detector.reset()
            self.cabin.relearn()
        elif function == DO_REBOOT:
            self.rebooting = True
        elif function == DO_DEFAULTS:
            self.defaults()
            self.keep()
        else:
            return FAIL_FUNCTION
        return 0

    def report_when_due(self, busy):
        """Housekeeping waits for the next step where this one had much to do: the slowest board takes long for both."""
        p = self.p
        self.hk_in = self.due(self.hk_in, p[P_HK_PERIOD])
        if self.hk_in > 0 or busy and self.hk_in > -GIVE_WAY_MS:
            return
        self.hk_in = self.next(self.hk_in, p[P_HK_PERIOD])
        bad = self.count[BAD_CRC] + self.count[BAD_FRAMING] + self.count[BAD_SIZE]
        noise = bad - self.noise & 0xFFFF
        self.noise = bad
        if noise >= NOISE_LIMIT:
            self.event(1, EVENT_LINK_NOISE, noise if noise < 255 else 255, noise)
        if self.hk_on:
            self.report(0)

    def report(self, destination):
        d = self.detector
        self.begin_tm(3, 25, destination)
        self.set(HOUSEKEEPING_SID, 1)
        self.set(HOUSEKEEPING_ALARM, self.cabin.cls)
        self.set(HOUSEKEEPING_ALARM_NOW, d.cls)
        self.set(HOUSEKEEPING_CAUSE, d.cause)
        self.set(HOUSEKEEPING_HEALTH, self.health)
        self.set(HOUSEKEEPING_FLAGS, self.flags())
        self.set(HOUSEKEEPING_LAW, d.law)
        self.set(HOUSEKEEPING_PRESSURE_CPA, self.pressure)
        self.set(HOUSEKEEPING_TEMPERATURE_CK, self.temperature)
        self.set(HOUSEKEEPING_RATE_CPA_H, d.rate_cPa_h)
        self.set(HOUSEKEEPING_SIGMA_CPA_H, d.sigma_cPa_h)
        self.set(HOUSEKEEPING_TRES_S, d.tres_s)
        self.set(HOUSEKEEPING_FRAMES_OK, self.count[FRAME_OK])
        self.set(HOUSEKEEPING_BAD_CRC, self.count[BAD_CRC])
        self.set(HOUSEKEEPING_BAD_FRAMING, self.count[BAD_FRAMING])
        self.set(HOUSEKEEPING_BAD_SIZE, self.count[BAD_SIZE])
        self.set(HOUSEKEEPING_REJECTED, self.count[REJECTED])
        self.set(HOUSEKEEPING_TIMEOUTS, self.count[TIMEOUTS])
        self.set(HOUSEKEEPING_LAST_EVENT, self.events - 1)
        self.send(HOUSEKEEPING_SIZE)

    def flags(self):
        f = FLAG_PERIODIC_HK if self.hk_on else 0
        if self.cabin.state == STATE_ACKNOWLEDGED:
            f |= FLAG_ACKNOWLEDGED
        if self.cabin.state == STATE_RETURNED:
            f |= FLAG_RETURNED
        if self.cabin.suppressed_ms:
            f |= FLAG_INHIBITED
        if self.blind.state:
            f |= FLAG_BLIND
        if self.blind.state == STATE_ACKNOWLEDGED:
            f |= FLAG_BLIND_ACKNOWLEDGED
        if self.blind.suppressed_ms:
            f |= FLAG_OUT_OF_SERVICE
        if self.detector.nitrogen_s:
            f |= FLAG_NITROGEN_WATCH
        return f

    # -- events: each numbered and recorded, but for those that only say again what is known

    def event(self, severity, event, cause, value):
        alarm = self.about
        news = event != EVENT_LINK_NOISE and event != EVENT_ALARM_REMINDER and event != EVENT_SENSOR_REMINDER
        if event == EVENT_REFUSED:
            news = False
        if news:
            self.events += 1
            if self.events == EVENTS_WRAP:
                self.events -= EVENTS_WRAP >> 1
        self.begin_tm(5, severity, 0)
        self.set(MONITOR_EVENT_EVENT, event)
        self.set(MONITOR_EVENT_CAUSE, cause)
        self.set(MONITOR_EVENT_VALUE, value)
        self.set(MONITOR_EVENT_OCCURRENCE, alarm.occurrence)
        self.set(MONITOR_EVENT_ALARM, alarm.cls)
        self.set(MONITOR_EVENT_ALARM_CAUSE, alarm.causes >> 4)
        self.set(MONITOR_EVENT_STATE, alarm.state)
        self.set(MONITOR_EVENT_NUMBER, self.events - 1)
        if news:
            record(self.ring, self.events - 1, self.tx)
        self.sink(self.tx, seal(self.tx, MONITOR_EVENT_SIZE + 2))  # as send, a call less deep

    def report_event(self, number, destination):
        """Report a recorded event; return the failure code."""
        age = self.events - 1 - number & 255
        if age >= SLOTS or age >= self.events:
            return FAIL_NO_EVENT
        self.begin_tm(128, 2, destination)
        self.set(RECORDED_EVENT_NUMBER, number)
        head = put_recorded(self.ring, number, self.tx)
        self.set(RECORDED_EVENT_SEVERITY, head >> 5)
        self.set(RECORDED_EVENT_EVENT, head & 31)
        self.send(RECORDED_EVENT_SIZE)
        return 0

    def report_alarms(self, destination):
        self.begin_tm(128, 4, destination)
        self.put_alarm(self.cabin, ALARMS_CABIN_STATE >> 3)
        self.put_alarm(self.blind, ALARMS_BLIND_STATE >> 3)
        self.set(ALARMS_INHIBITED, self.inhibited if self.cabin.suppressed_ms else 0)
        self.send(ALARMS_SIZE)

    def put_alarm(self, alarm, at):
        """One alarm's fields, from octet ``at`` of the packet on."""
        self.end = at + 2
        self.put(alarm.state, 1)
        self.put(alarm.cls, 1)
        self.put(alarm.causes >> 4, 1)
        self.put(alarm.causes & 15, 1)
        self.put(alarm.occurrence, 2)
        self.put(alarm.day, 2)
        self.put(alarm.ms, 4)
        self.put((alarm.suppressed_ms + 999) // 1000, 2)

    # -- what outlasts a reset, where there is storage

    def put_kept(self):
        self.put(self.occurrence, 2)
        self.put_latched(self.cabin)
        self.put_latched(self.blind)

    def put_latched(self, alarm):
        self.put(alarm.state << 4 | alarm.cls, 1)
        self.put(alarm.causes, 1)
        self.put(alarm.occurrence, 2)

    def recall_kept(self, b, i):
        self.occurrence = b[i] << 8 | b[i + 1]
        self.cabin.recall(b, i + 2)
        self.blind.recall(b, i + 2 + LATCHED)
