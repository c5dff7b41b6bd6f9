"""Wrong monitors: reports, functions, polling, judging samples, alarms."""

from mutants import mutant

# fmt: off
# ruff: noqa: E501 - one mistake a line

# -- housekeeping and functions

mutant('reports once more at boot', 'monitor', 'self.hk_in = self.p[P_HK_PERIOD]\n', 'self.hk_in = 0\n', 'HKP-02/period')
mutant('takes the commands for on and off for each other', 'monitor', 'self.hk_on = b[TC_SUBTYPE_AT] == 5', 'self.hk_on = b[TC_SUBTYPE_AT] == 6', 'HKP-03/off-and-on')
mutant('begins a new cadence when reports go on', 'monitor', 'self.hk_on = b[TC_SUBTYPE_AT] == 5', 'self.hk_on = b[TC_SUBTYPE_AT] == 5\n                self.hk_in = self.p[P_HK_PERIOD]', 'HKP-03/off-and-on')
mutant('shifts the cadence by a one-shot report', 'monitor', 'self.report(self.field(TC_SOURCE))', 'self.report(self.field(TC_SOURCE))\n                self.hk_in = self.p[P_HK_PERIOD]', 'HKP-04/one-shot-apart')
mutant('exchanges two flags', 'monitor', 'f |= FLAG_INHIBITED', 'f |= FLAG_ACKNOWLEDGED', 'HKP-05/flags')
mutant('keeps its counters over a boot', 'node', '            self.count[i] = 0\n', '            self.count[i] += 0\n', 'HKP-06/zero', role='monitor')
mutant('stops counting at 65535', 'node', 'self.count[counter] = self.count[counter] + 1 & 0xFFFF', 'self.count[counter] = min(self.count[counter] + 1, 0xFFFF)', 'HKP-06/modulo', role='monitor')
mutant('reports the pressure of faulty samples', 'monitor', '        if status and status != HEALTH_BELOW_RANGE:\n            return status\n', '        if status and status != HEALTH_BELOW_RANGE:\n            self.pressure = pressure\n            self.temperature = temperature\n            return status\n', 'HKP-07/last-sample')
mutant('lets the running period end first', 'monitor', 'return timer if timer < period else period', 'return timer', 'PAR-06/hk-period', 'PAR-06/poll-period')
mutant('bears ten bad frames', 'monitor', 'if noise >= NOISE_LIMIT:', 'if noise > NOISE_LIMIT:', 'EVT-02/link-noise')
mutant('tells link noise only where reports are on', 'monitor', 'if noise >= NOISE_LIMIT:', 'if noise >= NOISE_LIMIT and self.hk_on:', 'EVT-02/link-noise')
mutant('performs unknown functions by doing nothing', 'monitor', '        else:\n            return FAIL_FUNCTION\n', '', 'FUN-01/unknown')
mutant('leaves what is set when it should go back to defaults', 'monitor', '            self.defaults()\n', '', 'FUN-04/defaults')
mutant('does not look at arguments', 'monitor', '        if argument:\n', '        if argument and function > DO_DEFAULTS:\n', 'FUN-02/arguments')
mutant('boots before it has answered', 'monitor', 'self.rebooting = True', 'self.boot(1)', 'FUN-03/reboot')
mutant('keeps reports off over a boot', 'monitor', 'self.hk_on = True', "self.hk_on = getattr(self, 'hk_on', True)", 'RST-03/as-new')

# -- polling

mutant('polls with source ID 0', 'monitor', 'self.set(TC_SOURCE, APID_MONITOR)', 'self.set(TC_SOURCE, 0)', 'POL-01/poll')
mutant('drifts by a millisecond a poll', 'monitor', '        timer += period\n', '        timer += period + (period < 5000) * 3\n', 'POL-01/period')
mutant('repeats a poll with its old count', 'monitor', '                self.tries += 1\n', '                self.tries += 1\n                self.poll_seq -= 1\n', 'SEQ-08/polls')
mutant('repeats a poll once too often', 'monitor', 'if self.tries < p[P_POLL_RETRIES]:', 'if self.tries <= p[P_POLL_RETRIES]:', 'POL-02/repeats', 'POL-02/none')
mutant('counts one time-out a poll', 'monitor', '            self.bump(TIMEOUTS)\n            self.reply_in = -1\n', '            self.reply_in = -1\n            if not self.tries:\n                self.bump(TIMEOUTS)\n', 'POL-02/repeats')
mutant('polls while it waits', 'monitor', 'if self.reply_in < 0 and self.poll_in <= 0:', 'if self.poll_in <= 0:', 'POL-03/one-at-a-time')
mutant('begins a new cadence after a late poll', 'monitor', 'self.poll_in = self.next(self.poll_in, p[P_POLL_PERIOD])', 'self.poll_in = p[P_POLL_PERIOD]', 'POL-03/cadence')
mutant('takes only samples that it asked for', 'monitor', 'if size == SAMPLE_SIZE:', 'if size == SAMPLE_SIZE and self.field(TM_DESTINATION) != APID_MONITOR:\n            pass\n        elif size == SAMPLE_SIZE:', 'POL-04/any-sample')
mutant('polls the analyser after each sample', 'monitor', 'and self.analyser_in <= 0:', 'and self.analyser_in <= 1 << 29:', 'POL-05/analyser')
mutant('takes analyser_period 0 for always', 'monitor', 'if self.p[P_ANALYSER_PERIOD] and self.analyser_in <= 0:', 'if self.analyser_in <= 0:', 'POL-05/analyser')

# -- samples

mutant('does not look at the status', 'monitor', 'self.sample(b[SAMPLE_STATUS_AT], asked)', 'self.sample(0, asked)', 'SEN-01/status', 'SEN-08/not-believed')
mutant('calls every status a fault', 'monitor', '        if status and status != HEALTH_BELOW_RANGE:\n            return status\n', '        if status:\n            return 3\n', 'SEN-01/status', 'SEN-07/events')
mutant('does not believe the bounds themselves', 'monitor', 'p[P_PRESSURE_LOW] <= pressure <= p[P_PRESSURE_HIGH]', 'p[P_PRESSURE_LOW] < pressure < p[P_PRESSURE_HIGH]', 'SEN-02/implausible')
mutant('believes 1 K', 'monitor', 'temperature >= 10000', 'temperature > 0', 'SEN-02/implausible')
mutant('is one sample late to call a sensor stuck', 'monitor', 'if stuck and self.same >= stuck:', 'if stuck and self.same > stuck:', 'SEN-03/stuck')
mutant('takes stuck_samples 0 for at once', 'monitor', 'if stuck and self.same >= stuck:', 'if self.same >= stuck:', 'SEN-03/stuck')
mutant('lets time go back', 'clock', '            self.disorder = ORDERLY\n', '            pass\n', 'SEN-04/time')
mutant('believes a clock that went back at once', 'clock', 'ORDERLY = 3', 'ORDERLY = 1', 'SEN-04/time', 'SEN-04/twin')
mutant('has no own clock to compare', 'clock', 'return self.wrong', 'return False', 'SEN-14/clock')
mutant('takes a clock that runs at three times for right', 'clock', 'stamp_ms <= 2 * own_ms', 'stamp_ms', 'SEN-14/clock')
mutant('knows no level', 'monitor', '            self.detector.low(pressure)\n', '            pass\n', 'ALM-40/level', 'ALM-41/level')
mutant('takes midnight for time going back', 'monitor', '+ DAY_MS * days', '', 'SEN-04/time')
mutant('takes the same stamp for a fault', 'clock', '        if gap_ms < 0:\n            self.disorder = ORDERLY', '        if gap_ms <= 0:\n            self.disorder = ORDERLY', 'SEN-05/same-stamp')
mutant('gives the transducer up at the first time-out', 'monitor', '            self.bump(TIMEOUTS)\n', '            self.bump(TIMEOUTS)\n            self.judge_sensor(HEALTH_SILENT)\n', 'SEN-06/silent')
mutant('never calls a transducer silent', 'monitor', '                self.judge_sensor(HEALTH_SILENT)\n', '                pass\n', 'SEN-06/silent')
mutant('counts other telemetry of its instruments as rejected', 'monitor', 'it is theirs all the same.\n            return True', 'it is theirs all the same.\n            return False', 'SEN-10/other-telemetry')
mutant('does not look at the size of a sample', 'monitor', '            self.frame.size != size\n            or b[TM_VERSION_AT]', '            b[TM_VERSION_AT]', 'SEN-10/other-telemetry')
mutant('looks for a sample behind the end of a packet', 'monitor', '            self.frame.size != size\n            or b[TM_VERSION_AT]', '            b[TM_VERSION_AT]', 'SEN-10/other-telemetry', more=(('monitor', '        if size == SAMPLE_SIZE:', '        if self.frame.size != size:\n            return False\n        if size == SAMPLE_SIZE:'),))
mutant('gives faulty samples to the detector', 'monitor', '        if status and status != HEALTH_BELOW_RANGE:\n            return status\n', '', 'SEN-08/not-believed')

# -- alarms

mutant('sleeps', 'monitor', '            self.detector.sample(gap, pressure, temperature)\n', '', 'ALM-02/emergency')
mutant('acknowledges nothing gladly', 'monitor', '            return FAIL_NO_ALARM\n', '            return 0\n', 'ALM-06/no-alarm')

mutant('inhibits for as long as it is told', 'monitor', 'if seconds > INHIBIT_MAX_S or', 'if', 'FUN-02/arguments')
mutant('keeps an inhibit over a boot', 'alarms', '        self.doublings = self.lower_ms = self.untold_ms = self.suppressed_ms = 0\n', "        self.doublings = self.lower_ms = self.untold_ms = 0\n        self.suppressed_ms = getattr(self, 'suppressed_ms', 0)\n", 'RST-03/as-new')
mutant('tells a lost sensor as an Advisory', 'monitor', 'self.about.cls if told <= TOLD_REMINDED else CLASS_ADVISORY', 'CLASS_ADVISORY', 'SEN-07/events')
mutant('has no delay for blindness', 'alarms', '        elif node.blind_x4_ms >= caution_x4_ms:\n', '        else:\n', 'ALM-14/delay')
mutant('forgets blindness at the first sight', 'alarms', 'max(node.blind_x4_ms - elapsed_ms, 0)', '0', 'ALM-14/quarter')
mutant('never lets blindness be a Warning', 'alarms', '            now = CLASS_WARNING\n', '            now = CLASS_CAUTION\n', 'ALM-14/delay')
mutant('tells an alarm with every sample', 'alarms', '        if now > self.cls:\n', '        if now >= self.cls and now:\n', 'ALM-10/event')
mutant('does not latch', 'alarms', '            self.play(ON_LOWER if now else ON_CLEAR, cause)\n', '            self.state = 2\n            self.play(ON_LOWER if now else ON_CLEAR, cause)\n', 'ALM-01/cabin-unacknowledged-clear')
mutant('ends an alarm by acknowledging it', 'alarms', '        self.play(ON_ACKNOWLEDGE, self.causes >> 4)\n', '        self.play(ON_ACKNOWLEDGE, self.causes >> 4)\n        self.cls = self.state = 0\n', 'ALM-01/cabin-unacknowledged-acknowledge')
mutant('acknowledges whatever is latched', 'alarms', 'if not self.state or occurrence and occurrence != self.occurrence:', 'if not self.state:', 'ALM-06/stale')
mutant('keeps the acknowledgement for a worse alarm', 'alarms', '        self.state = move & 15\n', '        if self.state != 2 or told != TOLD_RAISED:\n            self.state = move & 15\n', 'ALM-01/cabin-acknowledged-rise')
mutant('gives a rise no new occurrence', 'alarms', '            self.occurrence = self.node.next_occurrence()\n', '            self.occurrence = self.occurrence or self.node.next_occurrence()\n', 'ALM-01/cabin-unacknowledged-rise')
mutant('has no off-delay', 'alarms', 'self.lower_ms >= self.node.p[P_OFF_DELAY] * 1000 << self.doublings', 'self.lower_ms >= 0', 'ALM-12/off-delay')
mutant('does not double the off-delay', 'alarms', ' * 1000 << self.doublings', ' * 1000', 'ALM-12/off-delay')
mutant('reminds of what is acknowledged', 'alarms', "remind_s * 1000 - self.untold_ms if remind_s and self.state & 1 else", "remind_s * 1000 - self.untold_ms if remind_s and self.state else", 'ALM-13/reminder', more=(('alarms', '        if self.state & 1:\n', '        if self.state:\n'), ('alarms', '                self.play(ON_REMIND, self.causes >> 4)\n', '                self.tell(TOLD_REMINDED, self.causes >> 4, 0)\n')))
mutant('does not inhibit', 'alarms', '        if self.suppressed_ms:\n            return False\n', '', 'ALM-07/inhibit', more=(('alarms', '            node.cabin.release(ENDING_FALL)\n        return\n', '            node.cabin.release(ENDING_FALL)\n'),))
mutant('stops the detector during an inhibit', 'monitor', '            self.detector.sample(gap, pressure, temperature)\n', '            if not self.cabin.suppressed_ms:\n                self.detector.sample(gap, pressure, temperature)\n', 'ALM-07/inhibit')
mutant('ends an inhibit without a word', 'alarms', '        self.tell(TOLD_RELEASED, self.node.justified(self), ending)\n', '', 'ALM-08/time')
mutant('waits for a sample after an inhibit', 'monitor', '        if self.tell_now():\n            watch_cabin(self, 0)\n            self.tell_now()\n        self.blind.remind', '        self.tell_now()\n        self.blind.remind', 'ALM-08/time')
mutant('adds up inhibits', 'alarms', '            self.suppressed_ms = seconds * 1000\n', '            self.suppressed_ms += seconds * 1000\n', 'ALM-08/time')
mutant('permits any fall while inhibited', 'alarms', ' or node.fallen >= AGREE', '', 'ALM-15/beyond')
mutant('believes one reading beyond the permitted fall', 'alarms', 'AGREE = 3 ', 'AGREE = 1 ', 'ALM-15/beyond')
mutant('counts the permitted fall from the renewal', 'alarms', '    if not node.cabin.suppressed_ms:\n', '    if 1:\n', 'ALM-15/renewed')
mutant('inhibits every class', 'monitor', 'inhibit(self, seconds, cls or CLASS_EMERGENCY)', 'inhibit(self, seconds, CLASS_EMERGENCY)', 'ALM-16/class-above')
mutant('does not restart the detector', 'monitor', '            self.detector.reset()\n            self.cabin.relearn()\n', '            self.cabin.relearn()\n', 'ALM-09/kept')
mutant('forgets what an inhibit hides', 'monitor', '            if self.detector.cls and self.cabin.suppressed_ms:\n', '            if 0:\n', 'ALM-09/inhibited')
mutant('ends any inhibit with the detector', 'monitor', '            if self.detector.cls and self.cabin.suppressed_ms:\n', '            if 1:\n', 'ALM-09/inhibited')
mutant('clears the alarm with the detector', 'monitor', '            self.cabin.relearn()\n        elif', '            self.cabin.reset()\n        elif', 'ALM-09/kept')
mutant('forgets its alarms at a reset', 'monitor', '        self.cabin.recall(b, i + 2)\n', '        self.cabin.reset()\n', 'ALM-17/kept')
mutant('begins to number with 1', 'monitor', '        self.events = 0\n', '        self.events = 1\n', 'ALM-19/numbers')
mutant('keeps fifteen events', 'monitor', 'if age >= SLOTS or', 'if age >= SLOTS - 1 or', 'ALM-20/recorded')
mutant('reports the newest for any event', 'monitor', 'put_recorded(self.ring, number, self.tx)', 'put_recorded(self.ring, self.events - 1, self.tx)', 'ALM-20/recorded')
