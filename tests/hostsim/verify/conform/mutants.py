"""Wrong nodes: the firmware with one small mistake each, named for it, and the cases that have to catch it.

A mistake is a replacement in the source, so that each differs from the right node by what it says and nothing else.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cabinwatch_firmware.ports.steady import Steady

ROOT = Path(__file__).resolve().parents[4]
FILES = {
    "crc": "protocol/cabinwatch_protocol/device/crc.py",
    "frame": "protocol/cabinwatch_protocol/device/frame.py",
    "node": "protocol/cabinwatch_protocol/device/node.py",
    "transducer": "firmware/cabinwatch_firmware/transducer.py",
    "clock": "firmware/cabinwatch_firmware/clock.py",
    "alarms": "firmware/cabinwatch_firmware/alarms.py",
    "monitor": "firmware/cabinwatch_firmware/monitor.py",
}
OURS = re.compile(
    r"^from (?:cabinwatch_protocol\.device\.(?:crc|frame|node)|cabinwatch_firmware\.(?:transducer|alarms|clock|monitor))"
    r" import (?:\([^)]*\)|.*)\n",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Mutant:
    """One mistake: ``edits`` are (file, old, new); each ``old`` stands exactly once in its file."""

    name: str
    role: str
    edits: tuple[tuple[str, str, str], ...]
    caught_by: tuple[str, ...]

    def make_node(self, sink: Any) -> Any:
        """A node with the mistake in it."""
        space = build(self.role, self.edits)
        return space["Monitor"](sink) if self.role == "monitor" else space["Transducer"](sink, Steady())


def build(role: str, edits: tuple[tuple[str, str, str], ...]) -> dict[str, Any]:
    """The node's modules in one namespace, with the edits. Raises ValueError for an edit that does not apply."""
    space: dict[str, Any] = {"__name__": "mutant"}
    for key in ("crc", "frame", "node", "alarms", "clock", role):
        source = (ROOT / FILES[key]).read_text(encoding="utf-8")
        for file, old, new in edits:
            if file == key:
                if source.count(old) != 1:
                    raise ValueError(f"{FILES[key]} has {source.count(old)} times: {old!r}")
                source = source.replace(old, new)
        exec(compile(OURS.sub("", source), FILES[key], "exec"), space)
    return space


MUTANTS: list[Mutant] = []


def mutant(
    name: str, file: str, old: str, new: str, *caught_by: str, role: str = "", more: tuple[Any, ...] = ()
) -> None:
    """One mistake in one place, and ``more`` of it elsewhere."""
    role = role or ("monitor" if file in ("monitor", "alarms", "clock") else "transducer")
    MUTANTS.append(Mutant(name, role, ((file, old, new), *more), caught_by))


# fmt: off
# ruff: noqa: E501 - one mistake a line

# -- frames

mutant('swallows octet 03', 'frame', '            if b:\n', '            if b == 3:\n                pass\n            elif b:\n', 'LNK-02/all-octets')
mutant('sends no opening delimiter', 'node', 'self.sink(self.tx, seal(self.tx, size + 2))', 'n = seal(self.tx, size + 2)\n        self.sink(self.tx[1:], n - 1)', 'FRM-01/delimiters')
mutant('takes delimiters in pairs', 'frame', '            if b:\n', "            if not b:\n                self.open = not getattr(self, 'open', False)\n            elif not getattr(self, 'open', False):\n                continue\n            if b:\n", 'FRM-02/doubled', 'FRM-02/shared', 'FRM-02/no-opening')
mutant('does not stuff the header', 'frame', '        if not buf[i]:', '        if not buf[i] and i > 7:', 'FRM-03/stuffing')
mutant('forgets a frame that comes in two chunks', 'frame', '        self.n = k\n', '        self.n = 0\n', 'FRM-04/octet-by-octet', 'FRM-04/any-chunks')
mutant('takes one frame a chunk', 'node', '        while i < n:\n            i = frame.feed', '        if i < n:\n            i = frame.feed', 'FRM-14/back-to-back')
mutant('sends samples of 65 octets', 'transducer', '        return SAMPLE_SIZE\n', '        return SAMPLE_SIZE + 35\n', 'FRM-05/size', more=(('node', 'bytearray(max(FRAME_MAX + 2, self.record))', 'bytearray(FRAME_MAX + 9)'),))
mutant('takes at most 59 octets', 'frame', 'if k < FRAME_MAX:', 'if k < FRAME_MAX - 1:', 'FRM-06/60-octets')
mutant('takes 61 octets', 'frame', 'if k < FRAME_MAX:', 'if k <= FRAME_MAX:', 'FRM-07/61-octets', more=(('frame', 'self.buf = bytearray(FRAME_MAX)', 'self.buf = bytearray(FRAME_MAX + 1)'), ('frame', 'k = FRAME_MAX + 1', 'k = FRAME_MAX + 2'), ('frame', 'if k > FRAME_MAX:', 'if k > FRAME_MAX + 1:')))
mutant('starts afresh in an over-long frame', 'frame', 'k = FRAME_MAX + 1', 'k = 0', 'FRM-07/very-long')
mutant('lets COBS codes point beyond the end', 'frame', 'if i != k or k', 'if k', 'FRM-08/last-code')
mutant('takes packets of 7 octets', 'frame', 'k <= TC_MIN or', 'k <= 7 or', 'FRM-09/short')
mutant('checks that the packet is long enough only', 'frame', '+ 8 != k:', '+ 8 > k:', 'FRM-10/appended-zeros')
mutant('does not look at the length field', 'frame', ' or (buf[5] << 8 | buf[6]) + 8 != k:', ':', 'FRM-10/length-field')
mutant('trusts the length field', 'frame', '        # The exact length', '        if i == k and k > TC_MIN:\n            i = k = min(k, (buf[5] << 8 | buf[6]) + 8)\n            self.size = k - 1\n        # The exact length', 'FRM-10/merged', 'FRM-10/appended-zeros')
mutant('does not check the CRC', 'frame', '        if crc16(buf, 1, k):\n            return BAD_CRC\n', '', 'FRM-11/bit-flips', 'FRM-12/nothing-changes')
mutant('takes CRC 0 for no CRC', 'frame', 'if crc16(buf, 1, k):', 'if crc16(buf, 1, k) and (buf[k - 1] or buf[k - 2]):', 'FRM-11/other-crcs')
mutant('answers damaged frames', 'node', '            if verdict:\n', '            if verdict == BAD:\n                self.event(1, 6, 1, 1)\n                self.begin_tm(17, 2, 1)\n                self.send(ALIVE_SIZE)\n            if verdict:\n', 'FRM-12/nothing-changes', more=(('node', 'class Node:', 'BAD = 2\n\n\nclass Node:'),))
mutant('drops the frame after a damaged one', 'node', 'if verdict == FRAME_OK:', "was, self.good = getattr(self, 'good', True), verdict == FRAME_OK\n                if self.good and was:", 'FRM-13/noise', 'FRM-13/cut-frame')
mutant('counts wrong CRCs as wrong frames', 'frame', 'return BAD_CRC', 'return BAD_FRAMING', 'FRM-15/counters', role='monitor')
mutant('exchanges the octets of the CRC', 'frame', '    buf[end - 2] = crc >> 8\n    buf[end - 1] = crc & 255', '    buf[end - 1] = crc >> 8\n    buf[end - 2] = crc & 255', 'PEC-01/crc')
mutant('presets the CRC with 0', 'crc', 'crc = 0xFFFF', 'crc = 0', 'PEC-01/crc')

# -- packets

mutant('sends telemetry with the type of telecommands', 'node', 'self.set(TM_PACKET_ID, 0x0800 |', 'self.set(TM_PACKET_ID, 0x1800 |', 'PKT-01/headers')
mutant('sends sequence flags 0', 'node', 'self.set(TM_SEQUENCE, 0xC000 | self.seq)', 'self.set(TM_SEQUENCE, self.seq)', 'PKT-01/headers')
mutant('does not look at the packet version', 'node', 'elif pid == 0x1800 | self.apid:', 'elif pid & 0x1FFF == 0x1800 | self.apid:', 'PKT-02/version')
mutant('does not look at the secondary header flag', 'node', 'elif pid == 0x1800 | self.apid:', 'elif pid | 0x0800 == 0x1800 | self.apid:', 'PKT-02/secondary-header')
mutant('does not look at the sequence flags', 'node', 'if self.field(TC_SEQUENCE) < 0xC000:', 'if False:', 'PKT-02/sequence-flags')
mutant('acts on telecommands for anyone', 'node', 'elif pid == 0x1800 | self.apid:', 'elif pid & 0xF800 == 0x1800:', 'PKT-03/apid')
mutant('takes telemetry for telecommands', 'node', 'elif pid == 0x1800 | self.apid:', 'elif pid | 0x1000 == 0x1800 | self.apid:', 'PKT-04/tc-as-tm')
mutant('does not count what it rejects for its flags', 'node', '        if self.field(TC_SEQUENCE) < 0xC000:\n            self.bump(REJECTED)', '        if self.field(TC_SEQUENCE) < 0xC000:\n            pass', 'PKT-05/rejected', role='monitor')
mutant('sends PUS version 1', 'node', 'self.set(TM_VERSION, PUS_VERSION << 4)', 'self.set(TM_VERSION, 1 << 4)', 'PKT-06/pus-header')
mutant('counts message types', 'node', 'self.set(TM_COUNT, 0)', 'self.set(TM_COUNT, self.seq)', 'PKT-06/pus-header')
mutant('sends samples with a spare octet', 'transducer', '        return SAMPLE_SIZE\n', '        return SAMPLE_SIZE + 1\n', 'PKT-07/layout')
mutant('sends the P-field of another epoch', 'node', 'self.set(TM_P_FIELD, CDS_P_FIELD)', 'self.set(TM_P_FIELD, 0x48)', 'TIM-01/format')
mutant('runs its clock at half speed', 'node', 'self.ms += elapsed_ms', 'self.ms += elapsed_ms >> 1', 'TIM-02/runs')
mutant('lets the millisecond of day run on', 'node', 'while self.ms >= DAY_MS:', 'while False:', 'TIM-03/day')
mutant('counts 15 bits of days', 'node', 'self.day = self.day + 1 & 0xFFFF', 'self.day = self.day + 1 & 0x7FFF', 'TIM-04/days')
mutant('does not count events', 'node', 'self.seq = self.seq + 1 & 0x3FFF', 'self.seq = self.seq + (service != 5) & 0x3FFF', 'SEQ-01/counts')
mutant('counts to 8191', 'node', 'self.seq = self.seq + 1 & 0x3FFF', 'self.seq = self.seq + 1 & 0x1FFF', 'SEQ-02/wrap')
mutant('takes lower counts for repetitions', 'node', 'again = request == self.last', 'again = request <= self.last', 'SEQ-03/any-count')
mutant('takes another telecommand with the same count for a repetition', 'node', '(self.field(TC_SEQUENCE) & 0x3FFF) << 16 | word_at(self.frame.buf, self.frame.size - 1, PEC)', 'self.field(TC_SEQUENCE)', 'SEQ-04/content')
mutant('executes repetitions', 'node', 'again = request == self.last', 'again = False', 'SEQ-04/not-executed-again', role='monitor')
mutant('does not answer repetitions', 'node', '        again = self.repeats()\n', '        again = self.repeats()\n        if again:\n            return\n', 'SEQ-04/answered-again')
mutant('performs repeated functions', 'monitor', '        if again:\n            return 0\n        return self.function', '        return self.function', 'SEQ-04/not-executed-again')
mutant('judges repetitions anew', 'node', '        if not again:\n            self.result = code', '        self.result = code', 'SEQ-05/verdict', role='monitor')
mutant('forgets the last telecommand at a refusal', 'node', '            self.verify(2, code)\n', '            self.verify(2, code)\n            self.last = -1\n', 'SEQ-06/refused-between', role='monitor')
mutant('remembers the last telecommand over a boot', 'node', '        self.last = -1\n        self.rebooting = False\n        self.event', '        self.rebooting = False\n        self.event', 'SEQ-07/boot-forgets', role='monitor')

# -- verification

mutant('reads the acknowledgement flags from the other end', 'node', 'ack & ACK_ACCEPTANCE', 'ack & ACK_COMPLETION', 'VER-01/acceptance-flag', 'VER-02/completion-flag', more=(('node', 'elif ack & ACK_COMPLETION', 'elif ack & ACK_ACCEPTANCE'),))
mutant('always reports acceptance', 'node', 'if ack & ACK_ACCEPTANCE:', 'if True:', 'VER-01/acceptance-flag')
mutant('never reports completion', 'node', 'elif ack & ACK_COMPLETION:', 'elif False:', 'VER-02/completion-flag')
mutant('reports the start of execution', 'node', '        again = self.repeats()\n', '        if ack & 2:\n            self.verify(3, 0)\n        again = self.repeats()\n', 'VER-03/other-flags')
mutant('reports refusals only where asked for acceptance', 'node', '            self.verify(2, code)\n', '            if self.frame.buf[TC_VERSION_AT] & 1:\n                self.verify(2, code)\n', 'VER-04/whatever-the-flags')
mutant('reports failures only where asked for completion', 'node', '        if code:\n            self.verify(8, code)', '        if code:\n            if ack & 8:\n                self.verify(8, code)', 'VER-04/whatever-the-flags')
mutant('verifies to destination 0', 'node', 'self.begin_tm(1, subtype, self.field(TC_SOURCE))', 'self.begin_tm(1, subtype, 0)', 'VER-05/destination')
mutant('sends events to whoever asked last', 'node', 'self.begin_tm(5, severity, 0)', 'self.begin_tm(5, severity, self.field(TC_SOURCE))', 'VER-05/unasked', more=(('monitor', 'self.begin_tm(5, severity, 0)', 'self.begin_tm(5, severity, self.field(TC_SOURCE))'),))
mutant('leaves the sequence flags out of the request ID', 'node', 'self.set(FAILED_REQUEST_SEQUENCE, self.field(TC_SEQUENCE))', 'self.set(FAILED_REQUEST_SEQUENCE, self.field(TC_SEQUENCE) & 0x3FFF)', 'VER-06/request-id')
mutant('accepts after executing', 'node', '        if ack & ACK_ACCEPTANCE:\n            self.verify(1, 0)\n', '', 'VER-07/order', more=(('node', '        if code:\n            self.verify(8, code)\n', '        if ack & ACK_ACCEPTANCE:\n            self.verify(1, 0)\n        if code:\n            self.verify(8, code)\n'),))
mutant('does not look at the PUS version', 'node', 'if b[TC_VERSION_AT] >> 4 != PUS_VERSION:', 'if False:', 'VER-08/pus-version')
mutant('looks at the PUS version last', 'node', '        if b[TC_VERSION_AT] >> 4 != PUS_VERSION:\n            return FAIL_PUS_VERSION\n', '', 'VER-08/pus-version', more=(('node', 'return 0 if a[i + 2]', 'return (0 if b[TC_VERSION_AT] >> 4 == 2 else 1) if a[i + 2]'),))
mutant('calls an unknown service an unknown subtype', 'node', 'code = FAIL_SERVICE', 'code = FAIL_SUBTYPE', 'VER-08/service')
mutant('calls an unknown subtype an unknown service', 'node', 'code = FAIL_SUBTYPE', 'code = FAIL_SERVICE', 'VER-08/subtype')
mutant('takes telecommands that are too long', 'node', 'return 0 if a[i + 2] == self.frame.size - TC_MIN', 'return 0 if a[i + 2] <= self.frame.size - TC_MIN', 'VER-08/length')
mutant('takes any number of entries', 'node', 'elif (service == 3 or service == 20) and b[REPORT_HK_N_AT] != 1:', 'elif False:', 'VER-09/entries')
mutant('takes any structure ID', 'node', 'elif service == 3 and b[REPORT_HK_SID_AT] != 1:', 'elif False:', 'VER-09/structure')
mutant('sets a value and then looks at its bounds', 'node', '            if not self.allowed(i, v)', '            self.p[i] = v\n            if not self.allowed(i, v)', 'VER-10/nothing-changes')
mutant('answers after 200 ms', 'transducer', '        self.receive(rx, n)\n        return IDLE_MS', "        late = self.late = getattr(self, 'late', [])\n        if n:\n            late.append((self.ms + 200, bytes(rx[:n])))\n        while late and late[0][0] <= self.ms:\n            x = late.pop(0)[1]\n            self.receive(x, len(x))\n        return late[0][0] - self.ms if late else IDLE_MS", 'VER-11/in-time')
mutant('answers a ping with data', 'node', 'self.send(ALIVE_SIZE)', 'self.send(ALIVE_SIZE + 1)', 'TST-01/ping')
mutant('does not answer a one-shot request', 'transducer', '        self.send(self.end_sample())\n', '', 'HKP-01/one-shot')

# -- parameters, boot, transducer

mutant('reports every parameter as the first', 'node', 'self.set(PARAMETER_VALUE_PARAMETER, i)', 'self.set(PARAMETER_VALUE_PARAMETER, 0)', 'PAR-01/report', role='monitor')
mutant('keeps parameters over a boot', 'node', '            self.adopt(i, self.limits[3 * i])\n', '', 'PAR-02/defaults')
mutant('refuses the low bound', 'node', '+ 1] <= v', '+ 1] < v', 'PAR-03/bounds')
mutant('takes one more than the high bound', 'node', 'v <= self.limits[3 * i + 2]', 'v <= self.limits[3 * i + 2] + 1', 'PAR-04/beyond')
mutant('reads values modulo 2^24', 'node', 'v = self.signed(SET_PARAMETER_VALUE)', 'v = self.field(SET_PARAMETER_VALUE) & 0xFFFFFF', 'PAR-03/bounds', 'PAR-04/beyond')
mutant('takes unknown parameters for the last', 'node', '        if i >= len(self.p):\n            return FAIL_PARAMETER\n', '        i = min(i, len(self.p) - 1)\n', 'PAR-05/unknown')
mutant('says that it kept what it has not', 'node', '        if not found & STORED_KEPT:\n', '        if True:\n', 'PAR-07/kept')
mutant('boots without a word', 'node', '        self.event(1, EVENT_BOOT, cause, found << 24 | VERSION)\n', '', 'RST-01/boot-event')
mutant('calls every boot a power-on', 'node', 'self.event(1, EVENT_BOOT, cause, found << 24 | VERSION)', 'self.event(1, EVENT_BOOT, 0, found << 24 | VERSION)', 'RST-04/external')
mutant('keeps half a frame over a boot', 'node', '        self.frame.n = 0\n', '', 'RST-02/half-frame')
mutant('tells its state with every sample', 'transducer', 'if sensor.status != was:', 'if True:', 'EVT-01/quiet')
mutant('stamps everything 0', 'node', 'self.set(TM_MS, self.ms)', 'self.set(TM_MS, 0)', 'XDR-01/stamp', 'TIM-02/runs')
mutant('reports status 4', 'transducer', 'self.set(SAMPLE_STATUS, sensor.status)', 'self.set(SAMPLE_STATUS, 4)', 'XDR-02/status')
mutant('subtracts the offset', 'transducer', 'pressure += self.p[X_OFFSET]', 'pressure -= self.p[X_OFFSET]', 'XDR-03/offset')
mutant('sends a sign of life every minute', 'transducer', '        return IDLE_MS', '        if not n and elapsed_ms >= 50000:\n            self.begin_tm(17, 2, 0)\n            self.send(ALIVE_SIZE)\n        return IDLE_MS', 'XDR-04/unasked')
