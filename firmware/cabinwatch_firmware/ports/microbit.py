"""Port for the BBC micro:bit (nRF51822, MicroPython 1.9.2): its UART, clock, display, button, watchdog.

The display shows at a glance: the four lower rows are a bar, one row a class of alarm (Advisory lowest, Emergency
all four, blindness the lowest and the highest), bright until acknowledged, in the rhythm of signals.py, as pin 0 is,
for a lamp. The top row is the link to the transducer: the centre alone = healthy, the two ends = silent, all but the
centre = it answers, but what it says cannot be believed. Button A acknowledges.

The clock is a 16-bit microsecond timer with a carry by interrupt, and a late carry makes it run 66 ms ahead or behind
for a while. Time that seems to go back is therefore waited for, not given to the monitor; where it goes back by more
than that, the monitor goes on from there.

The receive ring holds 63 octets, 5.5 ms of line: the loop empties it before anything else.
"""

from machine import mem32
from microbit import button_a, display, pin0, reset, uart
from utime import ticks_diff, ticks_ms

from cabinwatch_firmware.monitor import Monitor
from cabinwatch_firmware.signals import ACKNOWLEDGED, BEAT_MS, BEATS, BLIND, lit, pattern
from cabinwatch_protocol.device.consts import (
    HEALTH_SILENT,
    RESET_COMMANDED,
    RESET_EXTERNAL,
    RESET_POWER_ON,
    RESET_WATCHDOG,
    RX_MAX,
)

# Registers of the nRF51822 (reference manual 3.0: POWER, WDT). Held as objects, since an address above 2^30 written as
# a literal would be made anew each time round the loop.
why = 0x40000400
dog = 0x40010000
feed = 0x40010600
food = 0x6E524635

PIN = 1
DOG = 2
SOFT = 4
LOCKUP = 8
RUN_IN_SLEEP = 1
WATCH_TICKS = 8 * 32768  # longer than the longest step, and than loading; at 32,768 Hz
CARRY_MS = 1000
BRIGHT = 9
DIM = 4

rx = bytearray(RX_MAX)
shown = -1
told = True  # the register of causes is a real one


def sink(buf, n):
    uart.write(buf[:n])


def cause():
    """Why the board started, for the boot event. An emulator has no such register: it reads the same after clearing."""
    global told
    bits = mem32[why]
    mem32[why] = PIN | DOG | SOFT | LOCKUP
    told = not mem32[why]
    if not bits or not told:
        return RESET_POWER_ON
    if bits & (DOG | LOCKUP):
        return RESET_WATCHDOG
    if bits & SOFT:
        return RESET_COMMANDED
    return RESET_EXTERNAL


def watch():
    """Start the watchdog: whatever hangs or drops out of the loop, the board comes back by itself."""
    mem32[dog + 0x504] = WATCH_TICKS
    mem32[dog + 0x508] = 1
    mem32[dog + 0x50C] = RUN_IN_SLEEP
    mem32[dog] = 1


def show(beat):
    """Draw display and lamp where what they show has changed."""
    global shown
    alarm = pattern(m)
    light = 0
    if alarm and lit(alarm, beat):
        light = DIM if alarm >= ACKNOWLEDGED else BRIGHT
    now = m.health << 8 | alarm << 4 | light
    if now == shown:
        return
    shown = now
    pin0.write_digital(1 if light else 0)
    cls = alarm & 7
    for x in range(5):
        for y in range(1, 5):
            bar = y == 1 or y == 4 if cls == BLIND else y > 4 - cls
            display.set_pixel(x, y, light if bar else 0)
        if m.health == HEALTH_SILENT:
            link = x == 0 or x == 4
        else:
            link = (x == 2) == (m.health == 0)
        display.set_pixel(x, 0, DIM if link else 0)


def run():
    uart.init(115200)
    serve(Monitor(sink))


def serve(monitor):
    """Serve it for ever."""
    global m
    watch()
    m = monitor
    m.boot(cause())
    then = ticks_ms()
    wake = 0
    while True:
        mem32[feed] = food
        n = uart.readinto(rx, RX_MAX) or 0
        now = ticks_ms()
        elapsed = ticks_diff(now, then)
        if elapsed < 0:
            if elapsed > -CARRY_MS:
                now = then
            then = now  # further back: what was wrong was the time before
            elapsed = 0
        if n or elapsed >= wake:
            then = now
            wake = m.step(elapsed, rx, n)
            if m.rebooting:
                if told:
                    reset()
                m.boot(RESET_COMMANDED)  # nothing else would know why after a reset
                wake = 0
        show(now // BEAT_MS % BEATS)
        if button_a.was_pressed():
            m.acknowledge(0)
