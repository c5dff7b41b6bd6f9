"""Cases of SPEC.md's section 12: boots, watched from their first octet, with state of every kind set before."""

from itertools import pairwise

from cabinwatch.verify.conform.alone import left_alone
from cabinwatch.verify.conform.bench import Bench, Heard, Impossible
from cabinwatch.verify.conform.case import boot_event, case, expect, expect_alive, expect_silence
from cabinwatch.verify.conform.cases_alarm_table import alarms
from cabinwatch.verify.conform.cases_alarms import emergency
from cabinwatch.verify.conform.cases_frames import framed, sealed
from cabinwatch.verify.conform.cases_monitor import LOST, events, hush, polls, set_all
from cabinwatch.verify.conform.cases_packets import changed, sequence, stamp, telemetry
from cabinwatch.verify.conform.cases_time import apart
from cabinwatch.verify.conform.tour import SETTING
from cabinwatch_protocol import table as t


@case("RST-01/boot-event")
def boots(b: Bench) -> None:
    """The first packet after a reset is TM[5,1] with event 1, a cause, and a version other than 0."""
    heard = b.restart()
    boot_event(heard, None)
    expect(bool(heard[0]["value"] & 0xFFFFFF), "a version in three octets", heard[:1])


@case("RST-02/half-frame")
def half_frame(b: Bench) -> None:
    """The rest of a frame that a reset cut in two is no frame."""
    frame = framed(sealed(b.head("ping", ack=0)))
    b.give(frame[:-3])
    b.restart()
    expect_silence(b, frame[-3:], "the end of a frame that began before the reset")


@case("RST-04/external")
def external_reset(b: Bench) -> None:
    """A node that is reset from outside boots with cause 3, ours at least, and answers."""
    if not b.emulated:
        raise Impossible("the bench has no hand on the reset line of a live target")
    for _ in range(3):
        boot_event(b.restart(), t.Reset.EXTERNAL)
        expect_alive(b, "a reset")


@case("RST-05/power-on")
def power_on(b: Bench) -> None:
    """A node that gets its power, or a program that is started, boots with cause 0."""
    for _ in range(2):
        boot_event(b.power_up(), t.Reset.POWER_ON)


@case("RST-06/once", "VER-05", "SEQ-01")
def once(b: Bench) -> None:
    """Each boot, several in a row, is told by one boot event, the first packet: to nobody, count 0, at its time 0."""
    for _ in range(3):
        b.ask(b.tc("ping", source=0xABCD))
        before = len(b.log)
        b.restart()
        b.run(b.lasting(0.4, 5))
        heard = telemetry(b, b.since(before))
        boot_event(heard, None)
        boots = [h for h in heard if h.title.startswith("TM[5,") and h["event"] == t.Event.BOOT]
        expect(len(boots) == 1, "one boot event", boots)
        expect(boots[0].packet[11:13] == b"\0\0", "destination ID 0", boots)
        expect(sequence(boots[0]) == 0, "sequence count 0", boots)
        expect(stamp(boots[0]) <= (0 if b.emulated else BOOT_STAMP_MS), "time 0", boots)
        rest = [h for h in heard[1:] if h.title != "TM[17,2]" and h.title != "TM[1,7]"]
        expect(all(h.title == "TM[5,2]" for h in rest), "nothing else that nobody asked for", rest)


BOOT_STAMP_MS = 500
"""How late in its own time a node may send its boot event."""


@case("RST-06/idle", beside=True)
def idle(b: Bench) -> None:
    """A node that is left alone does not boot: no boot event, its parameter, its time and its sequence count go on."""
    alone = left_alone(b)
    apart(b, alone.first, alone.last)
    met = alone.parameter == SETTING[b.role]
    expect(met, f"parameter 0 still {SETTING[b.role]}", alone.parameter)
    rows = telemetry(b, alone.heard)
    rows = rows[rows.index(alone.first.answer) :]
    boots = [h for h in rows if h.title == "TM[5,1]" and h["event"] == t.Event.BOOT]
    expect(not boots, "no boot event", boots)
    for one, two in pairwise(rows):
        count = sequence(one) + 1 & 0x3FFF
        expect(sequence(two) == count, f"sequence count {count}", [one, two])


# -- the monitor


def burdened(b: Bench) -> Heard:
    """A monitor with state of every kind: alarms, a sample, suppressions, reports off, counters, parameters.

    Gives the state of its alarms.
    """
    set_all(b, reply_timeout=20, poll_retries=0, poll_period=100)
    b.run(500)
    cabin = emergency(b)
    cabin.set(blind_delay=0)
    cabin.fault()
    b.ask(b"\0" + b"\x01\0" * 3 + changed(b, 1, 0x55) * 6, fence=False)
    for p in t.MONITOR_PARAMETERS:
        b.set(p.id, p.low if p.default == p.high else p.high)
    b.done("disable_hk")
    b.done("perform", {"function": t.Function.ACKNOWLEDGE, "argument": 0})
    b.done("perform", {"function": t.Function.INHIBIT, "argument": 1000})
    b.done("perform", {"function": t.Function.OUT_OF_SERVICE, "argument": 1000})
    return alarms(b)


LATCHED = ("state", "class", "cause", "occurrence")


def expect_new(b: Bench, boot: list[Heard], before: Heard) -> None:
    """The monitor is as new, but for parameters and alarms where it has storage."""
    stores = not boot[0]["value"] >> 24 & t.Stored.VOLATILE
    latched = {
        f"{alarm}_{n}": before[f"{alarm}_{n}"] * stores for alarm in ("cabin", "blind") for n in LATCHED
    }
    now = alarms(b)
    for name, value in {**latched, "cabin_suppressed_s": 0, "blind_suppressed_s": 0, "inhibited": 0}.items():
        expect(now[name] == value, f"{name} {value} after a boot", [now])
    got = b.report()
    flags = t.Flag.PERIODIC_HK | stores * (t.Flag.ACKNOWLEDGED | t.Flag.BLIND | t.Flag.BLIND_ACKNOWLEDGED)
    wanted = {"alarm_now": 0, "cause": 0, "health": 4, "flags": flags, "tres_s": t.T_CAP}
    wanted |= dict.fromkeys(
        ("pressure_cPa", "temperature_cK", "bad_framing", "bad_crc", "bad_size", "rejected"), 0
    )
    for name, value in wanted.items():
        expect(got[name] == value, f"{name} {value} after a boot", [got])
    expect(got["frames_ok"] <= 5, "frames_ok to count what came since the boot", [got])
    expect(got["timeouts"] <= 2, "timeouts to count what was missed since the boot", [got])
    expect(boot[0]["number"] == 0, "a boot event with number 0", boot[:1])
    for p in () if boot[0]["value"] >> 24 & t.Stored.KEPT else t.MONITOR_PARAMETERS:
        value = b.parameter(p.id)
        expect(value == p.default, f"{p.name} to be {p.default}", value)
    got_ack = b.command("perform", {"function": t.Function.ACKNOWLEDGE, "argument": 0})
    expect((got_ack[-1].title == "TM[1,7]") == stores, "an alarm to acknowledge where one is kept", got_ack)


@case("RST-03/as-new")
def as_new(b: Bench) -> None:
    """After a reset a monitor with an alarm, an inhibit, reports off, counters and a parameter set is as new."""
    before = burdened(b)
    expect_new(b, telemetry(b, b.restart()), before)


@case("RST-03/commanded", "HKP-06", "PAR-02")
def commanded(b: Bench) -> None:
    """After a reboot by function 4 it is as new likewise, and its polls are counted from 0."""
    latched = burdened(b)
    before = len(b.log)
    boot = b.reboot()
    boot_event(boot, t.Reset.COMMANDED)
    expect_new(b, boot, latched)
    heard = b.since(before)
    at = next(i for i, h in enumerate(heard) if h.title == "TM[5,1]" and h["event"] == t.Event.BOOT)
    asked = polls(heard[at:])
    expect(bool(asked) and sequence(asked[0]) == 0, "a poll with count 0 after the boot", asked)
    hush(b)
    air = polls(b.sample(1000), "analyser")
    expect(len(air) == 1, "a poll of the analyser after the first sample", air)
    set_all(b, blind_delay=0)
    told = events(b.sample(2000, status=3), LOST)
    last = 0 if boot[0]["value"] >> 24 & t.Stored.VOLATILE else latched["blind_occurrence"]
    # Where the alarm of blindness is kept as acknowledged, its class is told once more only if it is higher.
    met = all(h["occurrence"] == last + 1 for h in told) and bool(told) != bool(last)
    expect(met, f"a sensor lost event of occurrence {last + 1}, unless one is kept", told)


@case("SEQ-07/reboot", role="monitor")
def reboots_again(b: Bench) -> None:
    """The very telecommand by which a monitor has just booted makes it boot once more."""
    octets = b.tc("perform", {"function": t.Function.REBOOT, "argument": 0})
    for _ in range(2):
        boot_event(b.reboot(octets), t.Reset.COMMANDED)
