"""Wrong alarms: each row of SPEC.md's alarm table left out, each pair that has none given one; and suppressions."""

from mutants import mutant

from cabinwatch.verify.conform.cases_alarm_table import IMPOSSIBLE
from cabinwatch_protocol.alarms import NEXT, Condition
from cabinwatch_protocol.table import AlarmState

# fmt: off
# ruff: noqa: E501 - one mistake a line

MOVE = '        move = ALARM_TABLE[ALARM_CONDITIONS * self.state + condition]\n'
GATES = {
    Condition.ACKNOWLEDGE: (('alarms', 'if not self.state or occurrence and occurrence != self.occurrence:', 'if occurrence and occurrence != self.occurrence:'), ('monitor', '        if not self.cabin.state and not self.blind.state:\n', '        if False:\n')),
    Condition.REMIND: (('alarms', '        if self.state & 1:\n', '        if True:\n'), ('alarms', ' if remind_s and self.state & 1 else IDLE_MS', ' if remind_s else IDLE_MS')),
    Condition.CLEAR: (('alarms', 'elif now < self.cls and', 'elif now <= self.cls and'),),
}
"""What keeps a condition from the table where it has no row: it has to go for the wrong row to show."""
ALSO = {'unacknowledged-active': ('EVT-01/once',), 'acknowledged-clear': ('ALM-04/ends',)}
"""Cases that come by the same rows."""
for state in AlarmState:
    for condition in Condition:
        if (state, condition) in IMPOSSIBLE:
            continue
        row = (state, condition) in NEXT
        wrong = '0' if row else '0x11' if state <= AlarmState.UNACKNOWLEDGED else '0x21'  # told as raised, or as active again
        edit = MOVE + f'        if self.state == {state:d} and condition == {condition:d}:\n            move = {wrong}\n'
        words = f'{state.name.lower()}-{condition.name.lower()}'
        name = f'{"has no row for" if row else "has a row too many for"} {condition.name.lower()} while {state.name.lower()}'
        mutant(name, 'alarms', MOVE, edit, f'ALM-01/cabin-{words}', f'ALM-01/blind-{words}', *ALSO.get(words, ()), more=() if row else GATES.get(condition, ()))

mutant('tells that it found what it never missed', 'monitor', '    def judge_sensor(self, health):\n', '    def judge_sensor(self, health):\n        if self.health == HEALTH_SILENT != health:\n            self.blind.tell(TOLD_ENDED, HEALTH_SILENT, 0)\n', 'SEN-12/first')
mutant('looks for a transducer that is out of service', 'alarms', '        if self.suppressed_ms:\n            return False\n        if now != self.now:', '        if self.suppressed_ms and self is self.node.cabin:\n            return False\n        if now != self.now:', 'ALM-07/out-of-service')
mutant('calls itself blind at once', 'alarms', 'caution_x4_ms = 4000 * node.p[P_BLIND_DELAY]', 'caution_x4_ms = 0', 'ALM-14/flaps', more=(('alarms', '>= self.node.p[P_OFF_DELAY] * 1000 << self.doublings', '>= 0'),))
mutant('permits a tenth of what it is told to permit', 'alarms', '> p[P_PERMIT] or', '> p[P_PERMIT] // 10 or', 'ALM-15/permitted')
mutant('tells the rest of an inhibit in ms', 'monitor', '(alarm.suppressed_ms + 999) // 1000', 'alarm.suppressed_ms', 'ALM-21/report')
mutant('tells an alarm without a class', 'monitor', 'severity = self.about.cls if told', 'severity = 0 if told', 'ALM-10/event')
mutant('calls every leak an Emergency', 'monitor', '            self.detector.sample(gap, pressure, temperature)\n', '            self.detector.sample(gap, pressure, temperature)\n            self.detector.cls = 4 if self.detector.cls else 0\n', 'ALM-42/classes')
mutant("shows the cabin's alarm in every event", 'monitor', '        alarm = self.about\n', '        alarm = self.cabin\n', 'ALM-43/whose')
