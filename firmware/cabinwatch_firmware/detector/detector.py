"""The leak detector: from readings to class, cause, rate, uncertainty and T-reserve, in integers within 31 bits.

Independent alarms, the worst of which is published: levels, the quick fall, the fall across a gap, and the slow leak
on total pressure and on nitrogen. DETECTOR.md has the theory of each, and what is guaranteed.

Units: pressures cPa, temperatures cK, times ms at the interface.
"""

from cabinwatch_firmware.detector.fall import QuickFall
from cabinwatch_firmware.detector.gap import GapFall
from cabinwatch_firmware.detector.gas import COLDEST_cK, GasTemperature, WARMEST_cK, thermal_cPa
from cabinwatch_firmware.detector.gate import Gate
from cabinwatch_firmware.detector.level import LevelAlarm
from cabinwatch_firmware.detector.reserve import Reserve
from cabinwatch_firmware.detector.slow import SlowLeak
from cabinwatch_protocol.device.consts import (
    CAUSE_GAP,
    CAUSE_LEVEL,
    CAUSE_NITROGEN,
    CAUSE_NONE,
    CAUSE_RAPID,
    CAUSE_SLOW,
    CLASS_ADVISORY,
    CLASS_CAUTION,
    CLASS_EMERGENCY,
    CLASS_NOMINAL,
    CLASS_WARNING,
    LAW_LINEAR,
    LAW_ORIFICE,
    P_BREATH,
    P_CAUTION,
    P_EMERGENCY,
    P_HOLD,
    P_LEVEL_WARNING,
    P_LOSS,
    P_RESERVE,
    P_THRESHOLD,
    P_WARNING,
    T_CAP,
)

PRESSURE_MAX_cPa = 16777215
"""167 kPa: what a weight of 64 leaves of 31 bits."""
SECOND_MASK = 1073741823
SIGMA_MAX_cPa_h = 268435455
"""Four of these are 31 bits."""
SHARED_MAX_cPa = 536870912
"""Half of 31 bits: steps are shared also while no analyser is read, which would count from another datum."""
BELOW = 0
"""In place of a temperature: no gas is as cold."""
OVERDUE = 2
"""The slow watch waits for what is followed, but for so many ``hold`` at most, for one change or for one after another.
What it waited is made up by as long a time of seeing."""


class Detector:
    """Leak detector on parameter list p; see the module docstring."""

    def __init__(self, p):
        self.p = p
        self.gate = Gate(p)
        self.gas = GasTemperature(p)
        self.level_alarm = LevelAlarm(p, P_RESERVE)
        self.level_warning = LevelAlarm(p, P_LEVEL_WARNING)
        self.fall = QuickFall(self.gate)
        self.gap = GapFall(p, self.gate)
        self.slow = SlowLeak(2, 14, p, False)
        self.nitrogen_gate = Gate(p)
        self.nitrogen_slow = SlowLeak(10, 6, p, True)
        self.leak = Reserve(p)
        self.reset()

    def reset(self):
        self.gate.forget()
        self.nitrogen_gate.forget()
        self.nitrogen_slow.forget()
        self.nitrogen_s = self.nitrogen_datum_cK = 0
        self.level_alarm.forget()
        self.level_warning.forget()
        self.begin()

    def begin(self):
        """Begin with the transducer's next reading."""
        self.gas.forget()
        self.fall.forget()
        self.gap.forget()
        self.slow.forget()
        self.leak.law_clear()
        self.second = self.waited_s = self.ms = 0
        self.pressure_cPa = -1
        self.grade(0)

    def dismiss(self):
        """Accept what was called: forget it, and call only what is new."""
        self.slow.accept()
        self.nitrogen_slow.accept()
        self.fall.accept()
        self.gap.called = False
        self.grade(0)

    def low(self, pressure_cPa):
        """Tell the level alarm of any reading, also of one that cannot be believed otherwise."""
        pressure_cPa = min(pressure_cPa, PRESSURE_MAX_cPa)
        self.level_alarm.take(pressure_cPa)
        self.level_warning.take(pressure_cPa)
        self.grade(0)

    def sample(self, elapsed_ms, pressure_cPa, temperature_cK):
        """Take one plausible reading, elapsed_ms (1..86,400,000) after the last.

        With the temperature BELOW one below the gauge's range: the pressure is at most this. A fall to there counts,
        and is not over.
        """
        pressure_cPa = min(pressure_cPa, PRESSURE_MAX_cPa)
        elapsed_ms = self.gate.take(elapsed_ms, pressure_cPa)
        if not elapsed_ms:
            return  # Where the pressure is wild the temperature is as well.
        if self.gate.anew:
            self.begin()
        seconds = self.tick(elapsed_ms)
        if temperature_cK > BELOW:
            self.gas.take(temperature_cK, seconds)
        if temperature_cK > BELOW or not (self.fall.called or self.gap.called):
            self.pressure_cPa = pressure_cPa
            gas = self.gas
            felt_cPa = thermal_cPa(pressure_cPa, gas.felt_x16_cK, gas.datum_cK)
            led_cPa = thermal_cPa(pressure_cPa, gas.led_x16_cK, gas.datum_cK)
            self.gap.take(elapsed_ms, pressure_cPa, pressure_cPa - felt_cPa)
            self.fall.take(elapsed_ms, pressure_cPa, pressure_cPa - felt_cPa, seconds)
            if temperature_cK > BELOW:
                self.watch(pressure_cPa - led_cPa, led_cPa, seconds)
            self.grade(elapsed_ms)

    def tick(self, elapsed_ms):
        """Count the time; the whole seconds that are full now."""
        elapsed_ms += self.ms
        seconds = elapsed_ms // 1000
        self.ms = elapsed_ms % 1000
        self.second = self.second + seconds & SECOND_MASK
        return seconds

    def watch(self, even_cPa, thermal_cPa, seconds):
        """The slow watch sees what does not change quickly, less the steps that did."""
        fall = self.fall
        slow = self.slow
        p = self.p
        overdue = self.waited_s > OVERDUE * p[P_HOLD]
        if fall.removed_cPa and not overdue:  # else it has seen the change itself
            slow.shift(fall.removed_cPa)
            self.share(fall.removed_cPa)
        if not (fall.sign or fall.settling):
            self.waited_s = max(self.waited_s - seconds, 0)
        elif not overdue:
            self.waited_s += seconds
            return
        slow.grain_cPa = self.gate.step_cPa
        self.slow.take(
            self.second, even_cPa, thermal_cPa, p[P_BREATH] // 112, p[P_THRESHOLD], self.cls == CLASS_NOMINAL
        )
        self.share(slow.step)
        if slow.hit >= 0 and not slow.called and not slow.is_thermal(slow.hit):
            if slow.quick() and not overdue:
                fall.start(4000 << slow.h + slow.hit, -slow.fallen_cPa())
            else:
                slow.call()

    def share(self, air_cPa):
        """A step of lost air took nitrogen with it."""
        if air_cPa > 0 and self.nitrogen_slow.datum_cPa < SHARED_MAX_cPa:
            self.nitrogen_slow.shift(air_cPa * 7 // 9)

    def nitrogen(self, elapsed_ms, ppN2_cPa, temperature_cK):
        """Take one reading of the constituent analyser, elapsed_ms (1..86,400,000) after the last."""
        slow = self.nitrogen_slow
        ppN2_cPa = min(ppN2_cPa, PRESSURE_MAX_cPa)
        elapsed_ms = self.nitrogen_gate.take(elapsed_ms, ppN2_cPa)
        if not elapsed_ms:
            return
        if self.nitrogen_gate.anew:
            # By its full name: only so the builder knows whose `forget` it is, and can merge the others.
            self.nitrogen_slow.forget()
            self.nitrogen_datum_cK = 0
        self.nitrogen_s = self.nitrogen_s + (elapsed_ms + 500) // 1000 & SECOND_MASK
        gas_cK = max(COLDEST_cK, min(temperature_cK, WARMEST_cK))
        if self.nitrogen_datum_cK == 0:
            self.nitrogen_datum_cK = gas_cK
        made_cPa = thermal_cPa(ppN2_cPa, gas_cK << 4, self.nitrogen_datum_cK)
        p = self.p
        slow.grain_cPa = self.nitrogen_gate.step_cPa
        self.nitrogen_slow.take(
            self.nitrogen_s,
            ppN2_cPa - made_cPa,
            made_cPa,
            p[P_LOSS] // 112 << 8,
            p[P_THRESHOLD],
            self.cls == CLASS_NOMINAL,
        )
        if slow.hit >= 0 and not slow.called and not slow.is_thermal(slow.hit):
            slow.call()
        self.grade(0)

    # -- grading

    def grade(self, elapsed_ms):
        """Publish the worst of what is called."""
        self.cls = CLASS_NOMINAL
        self.cause = CAUSE_NONE
        self.rate_cPa_h = self.sigma_cPa_h = 0
        self.tres_s = T_CAP
        leak = self.leak
        slow = self.slow
        nitrogen = self.nitrogen_slow
        fall = self.fall
        gap = self.gap
        if self.pressure_cPa >= 0 and (slow.called or nitrogen.called or fall.called or gap.called):
            first = LAW_LINEAR if fall.called or gap.called else LAW_ORIFICE
            leak.find_law(elapsed_ms, self.pressure_cPa, first)
            if fall.called:
                self.judge(CAUSE_RAPID, CLASS_ADVISORY, fall, 4, 0)
            if gap.called:
                self.judge(CAUSE_GAP, CLASS_CAUTION, gap, 4, 0)
            # A glance of the slow watch takes a leak for young: it adds nothing where the quick fall knows a rate.
            glance = slow.rate_cPa_h - slow.sigma_cPa_h < slow.rate_cPa_h // 3
            if slow.called and not (fall.called and glance):
                self.judge(CAUSE_SLOW, CLASS_ADVISORY, slow, 3, 1)
            if nitrogen.called:
                self.judge(CAUSE_NITROGEN, CLASS_ADVISORY, nitrogen, 3, 1)
        elif leak.law:
            leak.law_clear()
        self.law = leak.law
        if self.level_alarm.called:
            self.cls = CLASS_EMERGENCY
            self.cause = CAUSE_LEVEL
            self.tres_s = 0
        elif self.level_warning.called and self.cls < CLASS_WARNING:
            self.cls = CLASS_WARNING
            self.cause = CAUSE_LEVEL

    def judge(self, cause, least, alarm, margin_x2, slack):
        """The class is the rate's; T-reserve is that of a quicker one, of twice the rate at most.

        It exceeds the rate by ``margin_x2`` halves of its deviation less ``slack`` eighths of itself: with 3 and 1
        T-reserve is too long by more than 15 % in one report of twenty, and no shorter than that needs.
        """
        p = self.p
        leak = self.leak
        rate_cPa_h = alarm.rate_cPa_h
        time_s = leak.seconds(self.pressure_cPa, rate_cPa_h)
        cls = CLASS_ADVISORY
        if time_s < p[P_EMERGENCY]:
            cls = CLASS_EMERGENCY
        elif time_s < p[P_WARNING]:
            cls = CLASS_WARNING
        elif time_s < p[P_CAUTION]:
            cls = CLASS_CAUTION
        cls = max(cls, least)
        if cls > self.cls:
            self.cls = cls
            self.cause = cause
            self.rate_cPa_h = -rate_cPa_h
            self.sigma_cPa_h = alarm.sigma_cPa_h
            more_cPa_h = margin_x2 * min(alarm.sigma_cPa_h, SIGMA_MAX_cPa_h) >> 1
            more_cPa_h = max(0, min(more_cPa_h - (rate_cPa_h * slack >> 3), rate_cPa_h))
            self.tres_s = leak.seconds(self.pressure_cPa, rate_cPa_h + more_cPa_h)
