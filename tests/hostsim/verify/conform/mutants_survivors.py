"""Wrong nodes that strangers' first attempts resemble, and that a shallow suite lets pass: values, clocks, boots, idleness."""

from mutants import mutant

# fmt: off
# ruff: noqa: E501 - one mistake a line

# -- what a transducer in a room reports

TEMPERATURE = 'self.set(SAMPLE_TEMPERATURE_CK, sensor.temperature_cK)'
PRESSURE = 'self.set(SAMPLE_PRESSURE_CPA, pressure)'
for name, new in (
    ('tells degrees Celsius', 'sensor.temperature_cK - 27315'),
    ('tells tenths of a kelvin', 'sensor.temperature_cK // 10'),
    ('tells kelvins', 'sensor.temperature_cK // 100'),
    ('tells its temperature with its sign turned', '-sensor.temperature_cK'),
    ('tells its temperature from the other end', '(sensor.temperature_cK & 255) << 8 | sensor.temperature_cK >> 8'),
):
    mutant(name, 'transducer', TEMPERATURE, TEMPERATURE.replace('sensor.temperature_cK', new), 'XDR-06/plausible')
for name, new in (
    ('tells pascals', 'pressure // 100'),
    ('tells hectopascals', 'pressure // 10000'),
    ('tells its pressure from the other end', '(pressure & 255) << 24 | (pressure >> 8 & 255) << 16 | (pressure >> 16 & 255) << 8 | pressure >> 24'),
    ('tells its pressure with its words exchanged', '(pressure & 0xFFFF) << 16 | pressure >> 16'),
    ('jumps from sample to sample', 'pressure + self.seq % 2 * 1000000'),
):
    mutant(name, 'transducer', PRESSURE, PRESSURE.replace('pressure)', new + ')'), 'XDR-06/plausible')
mutant('reads 5 % too much', 'transducer', PRESSURE, PRESSURE.replace('pressure)', 'pressure + pressure // 20)'), 'XDR-06/reference')
mutant('is warmed by its board by 10 K', 'transducer', TEMPERATURE, TEMPERATURE.replace('sensor.temperature_cK', 'sensor.temperature_cK + 1000'), 'XDR-06/reference')

# -- left alone

IDLE = '        return IDLE_MS'
NOW_AND_THEN = "        self.alone = 0 if n else getattr(self, 'alone', 0) + elapsed_ms\n        if self.alone >= {ms}:\n            self.alone = 0\n            {what}\n        return min(IDLE_MS, {ms} - self.alone)"
mutant('sends a sample every 5 s', 'transducer', IDLE, NOW_AND_THEN.format(ms=5000, what='self.perform(False)'), 'XDR-04/unasked')
mutant('sends an event without a cause every 7 s', 'transducer', IDLE, NOW_AND_THEN.format(ms=7000, what='self.event(1, 5, 0, 0)'), 'EVT-01/quiet')
mutant('boots when it is left alone for 10 s', 'transducer', IDLE, NOW_AND_THEN.format(ms=10000, what='self.boot(2)'), 'RST-06/idle')
mutant('forgets its parameters when it is left alone', 'transducer', IDLE, NOW_AND_THEN.format(ms=10000, what='self.defaults()'), 'RST-06/idle')
mutant('begins its count anew when it is left alone', 'transducer', IDLE, NOW_AND_THEN.format(ms=10000, what='self.seq = 0'), 'RST-06/idle')

# -- boots

BOOT = 'self.event(1, EVENT_BOOT, cause, found << 24 | VERSION)'
mutant('tells each boot twice', 'node', BOOT, BOOT + '\n        ' + BOOT, 'RST-06/once')
mutant('tells a boot to the ground', 'node', 'self.begin_tm(5, severity, 0)', 'self.begin_tm(5, severity, event == EVENT_BOOT)', 'RST-06/once', more=(('monitor', 'self.begin_tm(5, severity, 0)', 'self.begin_tm(5, severity, event == EVENT_BOOT)'),))
mutant('begins its count after the boot event', 'node', BOOT, BOOT + '\n        self.seq = 0', 'SEQ-01/counts')
mutant('takes power for its reset line', 'node', BOOT, BOOT.replace('cause', 'cause or 3'), 'RST-05/power-on')

# -- octets

mutant('drops a part of a frame after 50 ms', 'node', 'def receive(self, rx, n):', 'def tick_frame(self, elapsed_ms):\n        if elapsed_ms > 50:\n            self.frame.n = 0\n\n    def receive(self, rx, n):', 'FRM-04/pauses', more=(('node', '        self.ms += elapsed_ms\n', '        self.ms += elapsed_ms\n        self.tick_frame(elapsed_ms)\n'),))
for size in (64, 128, 256):
    for name, restart in (('and that octet is lost', 'k = 0'), ('with that octet', 'buf[0] = b\n                    k = 1')):
        mutant(f'starts afresh where its {size} octets are full, {name}', 'frame', 'k = FRAME_MAX + 1', restart, 'FRM-07/tail', more=(('frame', 'self.buf = bytearray(FRAME_MAX)', f'self.buf = bytearray({size})'), ('frame', 'if k < FRAME_MAX:', f'if k < {size}:')))
mutant('looks at the length before the PUS version', 'node', 'if b[TC_VERSION_AT] >> 4 != PUS_VERSION:', 'if b[TC_VERSION_AT] >> 4 != PUS_VERSION and (b[TC_SERVICE_AT] != 17 or self.frame.size == TC_MIN):', 'VER-08/pus-version')

# -- clocks

mutant('has stamps that are late by 0.7 s', 'node', 'self.set(TM_MS, self.ms)', 'self.set(TM_MS, max(0, self.ms - 700))', 'TIM-02/from-boot')
mutant('stamps a sample 0.7 s late', 'transducer', '        self.set(SAMPLE_SID, 1)\n', '        self.set(SAMPLE_SID, 1)\n        self.set(TM_MS, max(0, self.ms - 700))\n', 'XDR-07/fresh')
TICK = 'self.ms += elapsed_ms'
mutant('runs 5 % fast', 'node', TICK, TICK + ' + elapsed_ms // 20', 'TIM-02/runs', 'TIM-05/true')
mutant('runs 2 % slow', 'node', TICK, TICK + ' - elapsed_ms // 50', 'TIM-05/true')
mutant('counts 1/1024 s', 'node', TICK, TICK + ' + elapsed_ms * 3 // 125', 'TIM-02/runs', 'TIM-05/true')
mutant('counts seconds', 'node', 'self.set(TM_MS, self.ms)', 'self.set(TM_MS, self.ms // 1000)', 'TIM-02/runs', 'XDR-01/stamp')
mutant('goes back now and then', 'node', 'self.set(TM_MS, self.ms)', 'self.set(TM_MS, max(0, self.ms - 50 * (self.seq % 40 == 0)))', 'TIM-05/true')

# -- a monitor that keeps what a reboot by function 4 has to end

for name, old, kept in (
    ('reports off', 'self.hk_on = True', 'self.hk_on = self.hk_on if self.rebooting else True'),
    ('the last sample', '        self.pressure = 0\n', '        self.pressure = self.pressure if self.rebooting else 0\n'),
    ('its health', '        self.health = HEALTH_SILENT\n', '        self.health = self.health if self.rebooting else HEALTH_SILENT\n'),
    ('its polls\' count', '        self.poll_seq = 0\n', '        self.poll_seq = self.poll_seq if self.rebooting else 0\n'),
    ('what the detector found', '        self.detector.reset()\n\n    def step', '        if cause != 1:\n            self.detector.reset()\n\n    def step'),
):
    mutant(f'keeps {name} over a reboot', 'monitor', old, kept, 'RST-03/commanded')
mutant('keeps its parameters over a reboot', 'node', '        if not found & STORED_KEPT:\n', '        if not found & STORED_KEPT and cause != 1:\n', 'RST-03/commanded', role='monitor', more=(('node', 'if not self.store or not self.changed:', 'if True:'),))
mutant('keeps its counters over a reboot', 'node', '            self.count[i] = 0\n', '            self.count[i] *= cause == 1\n', 'RST-03/commanded', role='monitor')

# -- a monitor's cadences

mutant('reports with the boot', 'monitor', 'self.hk_in = self.p[P_HK_PERIOD]\n', 'self.hk_in = 5\n', 'HKP-02/first')
mutant('drifts by a millisecond a period', 'monitor', '        timer += period\n', '        timer += period + 1\n', 'HKP-02/cadence', 'POL-01/cadence')
mutant('drifts by 20 ms a period', 'monitor', '        timer += period\n', '        timer += period + 20\n', 'HKP-02/cadence', 'POL-01/cadence')
mutant('waits for the analyser', 'monitor', '                self.poll(APID_ANALYSER)\n', '                self.poll(APID_ANALYSER)\n                self.reply_in = self.p[P_REPLY_TIMEOUT]\n', 'POL-05/no-waiting')
mutant('takes an event for the answer', 'monitor', 'it is theirs all the same.\n            return True', 'it is theirs all the same.\n            self.reply_in = -1\n            return True', 'POL-04/nothing-else')
mutant("takes the analyser's report for the answer", 'monitor', '            pressure = self.signed(COMPOSITION_PPN2_CPA)\n', '            self.reply_in = -1\n            pressure = self.signed(COMPOSITION_PPN2_CPA)\n', 'POL-04/nothing-else')
mutant('holds to its cadence however late it is', 'monitor', '        return timer if timer > 0 else period', '        while timer <= 0:\n            timer += period\n        return timer', 'POL-06/very-late')
mutant('lets the first period pass before it polls the analyser', 'monitor', '        self.analyser_in = 0\n', '        self.analyser_in = self.p[P_ANALYSER_PERIOD]\n', 'POL-07/first')

# -- a monitor's samples

mutant('calls a sensor stuck by its pressure alone', 'monitor', 'if pressure != self.pressure or temperature != self.temperature:', 'if pressure != self.pressure:', 'SEN-03/both')
mutant('calls a sensor stuck by its temperature alone', 'monitor', 'if pressure != self.pressure or temperature != self.temperature:', 'if temperature != self.temperature:', 'SEN-03/both')
mutant('begins a row anew after a fault', 'monitor', '        if status and status != HEALTH_BELOW_RANGE:\n            return status\n', '        if status and status != HEALTH_BELOW_RANGE:\n            self.same = -1\n            return status\n', 'SEN-11/row')
mutant('begins a row anew after an implausible sample', 'monitor', '            return status or HEALTH_IMPLAUSIBLE\n', '            self.same = -1\n            return status or HEALTH_IMPLAUSIBLE\n', 'SEN-11/row')
mutant('leaves a repeated stamp out of the row', 'monitor', 'if self.same < 100000:', 'if self.same < 100000 and (self.field(TM_DAY), self.signed(TM_MS)) != (self.clock.seen[0], self.clock.seen[1]):', 'SEN-11/row')
mutant('takes a boot for sight', 'monitor', '        self.health = HEALTH_SILENT\n', '        self.health = 0\n', 'SEN-06/never-heard')
mutant('takes a P-field that is no time', 'monitor', '            or b[TM_P_FIELD_AT] != CDS_P_FIELD\n', '', 'SEN-13/other-kinds')
mutant('takes a sample of PUS version 1', 'monitor', 'or b[TM_VERSION_AT] >> 4 != PUS_VERSION', 'or b[TM_VERSION_AT] >> 4 > PUS_VERSION', 'SEN-13/other-kinds')
mutant('takes a report of another structure', 'monitor', '            or b[SAMPLE_SID_AT if size == SAMPLE_SIZE else COMPOSITION_SID_AT] != 1\n', '', 'SEN-13/other-kinds')

# -- what a monitor counts and tells

mutant('takes wrong lengths for no noise', 'monitor', 'self.count[BAD_CRC] + self.count[BAD_FRAMING]', 'self.count[BAD_CRC]', 'EVT-02/kinds')
mutant('takes wrong CRCs for no noise', 'monitor', 'self.count[BAD_CRC] + self.count[BAD_FRAMING]', 'self.count[BAD_FRAMING]', 'EVT-02/kinds')
mutant('does not cap what it tells of noise', 'monitor', 'noise if noise < 255 else 255', 'noise', 'EVT-02/kinds')
mutant('tells noise after the report', 'monitor', '        if noise >= NOISE_LIMIT:', '        if self.hk_on:\n            self.report(0)\n        if noise >= NOISE_LIMIT:', 'EVT-04/order', more=(('monitor', '        if self.hk_on:\n            self.report(0)\n\n', '\n'),))
mutant('counts in one octet', 'node', 'self.count[counter] = self.count[counter] + 1 & 0xFFFF', 'self.count[counter] = self.count[counter] + 1 & 0xFF', 'HKP-06/beyond-an-octet', role='monitor')
mutant('takes telemetry of anyone for its own', 'monitor', '        else:\n            return False\n        b = self.frame.buf', '        else:\n            return True\n        b = self.frame.buf', 'PKT-05/rejected')
mutant('ends an inhibit by one out of bounds', 'monitor', '            return FAIL_ARGUMENT\n        if function == DO_INHIBIT:', '            self.cabin.suppressed_ms = 0\n            return FAIL_ARGUMENT\n        if function == DO_INHIBIT:', 'FUN-05/argument-first')
mutant('compares telecommands modulo 256', 'node', '(self.field(TC_SEQUENCE) & 0x3FFF) << 16 | word_at(self.frame.buf, self.frame.size - 1, PEC)', '(self.field(TC_SEQUENCE) & 0xFF) << 16 | sum(self.frame.buf[12 : self.frame.size - 1])', 'SEQ-03/alike', role='monitor')
RATE = 'self.set(HOUSEKEEPING_RATE_CPA_H, d.rate_cPa_h)'
mutant('tells a rate with its sign turned', 'monitor', RATE, RATE.replace('d.', '-d.'), 'HKP-08/terms')
mutant('tells a rate in Pa/h', 'monitor', RATE, RATE.replace('h)', 'h // 100)'), 'HKP-08/terms')
mutant('tells a negative sigma', 'monitor', 'self.set(HOUSEKEEPING_SIGMA_CPA_H, d.sigma_cPa_h)', 'self.set(HOUSEKEEPING_SIGMA_CPA_H, -d.sigma_cPa_h)', 'HKP-08/terms')
mutant('tells a law that is none', 'monitor', 'self.set(HOUSEKEEPING_LAW, d.law)', 'self.set(HOUSEKEEPING_LAW, d.law + 4)', 'HKP-08/terms')
mutant('tells the rate of an alarm in Pa/h', 'monitor', 'return self.detector.rate_cPa_h if', 'return self.detector.rate_cPa_h // 100 if', 'HKP-08/terms')

# -- repetitions, long times, and what is no noise

mutant('takes any of its last two telecommands for a repetition', 'node', 'again = request == self.last', "again = request in (self.last, getattr(self, 'older', -1))\n        self.older = self.last", 'SEQ-04/last-only')
mutant('answers a repetition with the stamp of the first answer', 'node', '        self.set(TM_MS, self.ms)\n', "        self.set(TM_MS, self.ms if not self.again else self.stamped)\n        self.stamped = self.ms if not self.again else self.stamped\n", 'SEQ-04/made-anew', more=(('node', '        self.last = request\n', '        self.again = again\n        self.last = request\n'), ('node', '        self.rebooting = False\n\n    def boot', '        self.rebooting = self.again = False\n        self.stamped = 0\n\n    def boot')))
mutant('takes what an earlier packet left behind a short one', 'frame', '        self.size = k - 1\n', '        self.size = k - 1\n        if i == k and k < 8:\n            self.size = TC_MIN\n            return FRAME_OK\n', 'FRM-09/very-short')
mutant('counts hk_period in 24 bits', 'monitor', 'self.hk_in = self.due(self.hk_in, p[P_HK_PERIOD])', 'self.hk_in = self.due(self.hk_in, p[P_HK_PERIOD] & 0xFFFFFF)', 'HKP-02/a-day')
mutant('counts poll_period in 16 bits', 'monitor', 'self.poll_in = self.due(self.poll_in, p[P_POLL_PERIOD])', 'self.poll_in = self.due(self.poll_in, p[P_POLL_PERIOD] & 0xFFFF or 1)', 'POL-01/an-hour')
mutant('counts an inhibit in 16 bits', 'alarms', 'self.suppressed_ms = seconds * 1000', 'self.suppressed_ms = seconds * 1000 & 0xFFFF', 'ALM-07/two-hours', role='monitor')
mutant('takes packets to others for noise', 'monitor', 'self.count[BAD_CRC] + self.count[BAD_FRAMING]', 'self.count[REJECTED] + self.count[BAD_CRC] + self.count[BAD_FRAMING]', 'EVT-02/kinds')
mutant('takes an over-long frame for its beginning', 'frame', '        if k > FRAME_MAX:\n            return BAD_SIZE\n', '        k = min(k, FRAME_MAX)\n', 'FRM-07/head')
mutant('compares telecommands by their PEC alone', 'node', '(self.field(TC_SEQUENCE) & 0x3FFF) << 16 | word_at', 'word_at', 'SEQ-04/same-check', role='monitor')
mutant('remembers the last telecommand over a reboot', 'node', '        self.last = -1\n        self.rebooting = False\n        self.event', '        self.last = self.last if cause == 1 else -1\n        self.rebooting = False\n        self.event', 'SEQ-07/reboot', role='monitor')

# -- suppression

mutant('lets an acknowledged alarm fall during an inhibit', 'alarms', '        if self.suppressed_ms:\n            return False\n', '        if self.suppressed_ms and now >= self.cls:\n            return False\n', 'ALM-07/no-fall', more=(('alarms', '            node.cabin.release(ENDING_FALL)\n        return\n', '            node.cabin.release(ENDING_FALL)\n        if node.detector.cls:\n            return\n'),))
mutant('reminds of nothing during an inhibit', 'alarms', '        if self.state & 1:\n', '        if self.state & 1 and not self.suppressed_ms:\n', 'ALM-07/goes-on')
mutant('tells every end of a service as one by time', 'alarms', '            self.release(ENDING_COMMANDED)\n', '            self.release(ENDING_TIME)\n', 'ALM-07/cabin-goes-on')
mutant('counts a repeated stamp towards a level', 'monitor', 'if self.clock.is_fresh(stamp, asked) and pressure >= 0:', 'if pressure >= 0:', 'ALM-40/row')
mutant('doubles the off-delay without end', 'alarms', 'min(self.doublings + 1, DOUBLINGS)', 'self.doublings + 1', 'ALM-12/doubles')
mutant('forgets nothing of blindness', 'alarms', 'max(node.blind_x4_ms - elapsed_ms, 0)', 'node.blind_x4_ms', 'ALM-14/undone')
mutant('permits any fall from the first sample on', 'alarms', '    if not node.level_cPa:\n        node.level_cPa = pressure_cPa\n', '', 'ALM-15/reserve')

# -- blindness, levels, and what has ended

mutant('polls the analyser after good samples only', 'monitor', 'if self.p[P_ANALYSER_PERIOD] and self.analyser_in <= 0:', 'if self.p[P_ANALYSER_PERIOD] and self.analyser_in <= 0 and not self.health:', 'POL-05/any-sample')
mutant('takes a fault for the third low reading', 'monitor', '        if status and status != HEALTH_BELOW_RANGE:\n            return status\n', '        if status and status != HEALTH_BELOW_RANGE:\n            if self.detector.level_alarm.count == 2:\n                self.detector.low(pressure)\n            return status\n', 'ALM-40/row')
mutant('counts no repeated stamp that it asked for', 'clock', 'stamp == self.stamp and not asked', 'stamp == self.stamp', 'ALM-40/asked')
mutant('counts blindness without end', 'alarms', 'min(node.blind_x4_ms + 4 * elapsed_ms, max(caution_x4_ms, warning_x4_ms))', 'node.blind_x4_ms + 4 * elapsed_ms', 'ALM-14/bounded')
mutant('counts sight beyond blindness', 'alarms', 'max(node.blind_x4_ms - elapsed_ms, 0)', 'node.blind_x4_ms - elapsed_ms', 'ALM-14/bounded')
mutant('keeps what it counted of an alarm that ended', 'alarms', '        node.blind_x4_ms = 0\n', '        pass\n', 'ALM-14/afresh')
mutant('tells the latest health as the cause of blindness', 'alarms', "        if now > self.cls:\n", "        if now == self.cls and self is self.node.blind:\n            self.causes = self.causes & 15 | cause << 4\n        if now > self.cls:\n", 'ALM-10/blind-cause')
mutant('inhibits what is justified already', 'monitor', "            watch_cabin(self, 0)\n            if self.tell_now():\n                watch_cabin(self, 0)\n                self.tell_now()\n        else:\n            self.blind.suppress", "            if not seconds:\n                watch_cabin(self, 0)\n                self.tell_now()\n        else:\n            self.blind.suppress", 'ALM-16/at-begin')
mutant('acknowledges an alarm that has ended', 'alarms', 'if not self.state or occurrence and occurrence != self.occurrence:', 'if not (self.state or occurrence) or occurrence and occurrence != self.occurrence:', 'ALM-06/ended', more=(('monitor', 'if not self.cabin.state and not self.blind.state:', 'if not self.cabin.state and not self.blind.state and (not occurrence or occurrence != self.cabin.occurrence):'),))
mutant('knows no other alarm than one that has ended', 'monitor', '        return 0 if cabin or blind else FAIL_STALE\n', '        return 0 if cabin or blind else FAIL_STALE if self.cabin.state else FAIL_NO_ALARM\n', 'ALM-06/ended')
