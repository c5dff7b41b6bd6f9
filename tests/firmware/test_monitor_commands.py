"""The monitor and the ground: every telecommand and failure code, repetition, latching, reports, sequence counts."""

from binascii import crc_hqx

import pytest
from cobs import cobs
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cabinwatch_protocol import host
from cabinwatch_protocol import table as t
from packets import streams, tc_packets, tm_packets
from peer import PID, TC, Bench, do, events, failure, names, sample, set_parameter, tc

Event, Failure, Function = t.Event, t.Failure, t.Function


def raw(app, service, subtype, sequence=0, version=2, ack=9, pid=0x18A1, flags=3, source=0x55):
    """A telecommand's frame from its parts, made without either codec."""
    head = (
        pid.to_bytes(2, "big")
        + (flags << 14 | sequence).to_bytes(2, "big")
        + (len(app) + 6).to_bytes(2, "big")
    )
    packet = head + bytes((version << 4 | ack, service, subtype)) + source.to_bytes(2, "big") + app
    return b"\0" + cobs.encode(packet + crc_hqx(packet, 0xFFFF).to_bytes(2, "big")) + b"\0"


REFUSED = {
    "PUS version 1": (raw(b"", 17, 1, version=1), Failure.PUS_VERSION),
    "unknown service": (raw(b"", 2, 1), Failure.SERVICE),
    "a service of TM only": (raw(b"", 5, 1), Failure.SERVICE),
    "unknown subtype": (raw(b"", 17, 2), Failure.SUBTYPE),
    "subtype of another service": (raw(b"\1\1", 3, 1), Failure.SUBTYPE),
    "too long": (raw(b"\1", 17, 1), Failure.LENGTH),
    "too short": (raw(b"\1", 3, 27), Failure.LENGTH),
}
FAILED = {
    "two structures": (raw(b"\2\1", 3, 27), Failure.COUNT),
    "no structure": (raw(b"\0\1", 3, 5), Failure.COUNT),
    "two parameters": (raw(b"\2\0", 20, 1), Failure.COUNT),
    "unknown structure": (raw(b"\1\2", 3, 27), Failure.STRUCTURE),
    "unknown structure to enable": (raw(b"\1\0", 3, 5), Failure.STRUCTURE),
    "function 0": (do(0), Failure.FUNCTION),
    "function 8": (do(8), Failure.FUNCTION),
    "function 5 with argument": (do(5, 1), Failure.ARGUMENT),
    "function 0 with argument": (do(0, 1), Failure.FUNCTION),
    "reboot with argument": (do(Function.REBOOT, 1), Failure.ARGUMENT),
    "acknowledge what is not latched": (do(Function.ACKNOWLEDGE, 9), Failure.NO_ALARM),
    "inhibit too long": (do(Function.INHIBIT, t.INHIBIT_MAX_S + 1), Failure.ARGUMENT),
    "inhibit above Emergency": (do(Function.INHIBIT, 5 << t.INHIBIT_CLASS_SHIFT | 60), Failure.ARGUMENT),
    "out of service too long": (do(Function.OUT_OF_SERVICE, t.INHIBIT_MAX_S + 1), Failure.ARGUMENT),
    "no such signal": (do(Function.TEST_SIGNALS, t.TEST_MAX + 1), Failure.ARGUMENT),
    "no alarm to acknowledge": (do(Function.ACKNOWLEDGE), Failure.NO_ALARM),
    "an event to come": (tc("report_event", number=1), Failure.NO_EVENT),
    "one parameter too many": (tc("report_parameter", parameter=len(PID)), Failure.PARAMETER),
    "parameter 255": (tc("set_parameter", parameter=255, value=0), Failure.PARAMETER),
    "below its range": (set_parameter("poll_period", 99), Failure.RANGE),
    "above its range": (set_parameter("poll_period", 3_600_001), Failure.RANGE),
    "far below": (set_parameter("poll_period", -(1 << 31)), Failure.RANGE),
    "far above": (set_parameter("emergency", (1 << 31) - 1), Failure.RANGE),
}


def state(b):
    """Everything a refused or failed command must leave alone."""
    hk = b.hk()
    m = b.node
    return (
        list(m.p),
        hk["alarm"],
        hk["flags"],
        m.cabin.suppressed_ms,
        m.blind.suppressed_ms,
        m.rebooting,
        m.detector.second,
    )


def test_every_failure_code_is_covered():
    codes = {code for _, code in (*REFUSED.values(), *FAILED.values())}
    elsewhere = {
        Failure.STALE,
        Failure.TAG,
        Failure.COUNTER,
        Failure.EARLY,
    }  # test_alarms.py, test_keyed_monitor.py
    assert codes == set(Failure) - elsewhere - {Failure.NONE}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_telecommands(name):
    frame, code = REFUSED[name]
    b = Bench()
    before = state(b)
    said = b.step(0, frame)
    assert names(said) == ["not_accepted"]
    assert said[0].values["failure"] == code
    assert said[0].peer == 0x55
    assert state(b) == before


@pytest.mark.parametrize("name", FAILED)
def test_failed_telecommands(name):
    frame, code = FAILED[name]
    b = Bench()
    before = state(b)
    said = b.step(0, frame)
    assert names(said) == ["accepted", "failed"]
    assert said[1].values["failure"] == code
    assert state(b) == before


EXPECTED_REPORT = {
    "report_hk": "housekeeping", "ping": "alive", "report_parameter": "parameter_value",
    "report_event": "recorded_event", "report_alarms": "alarms",
}  # fmt: skip


@given(st.sampled_from(sorted(TC)), st.integers(0, 15), st.integers(0, 0x3FFF), st.integers(0, 0xFFFF))
def test_every_telecommand_is_answered_as_its_flags_ask(name, ack, sequence, source):
    values = {
        "function": Function.RESTART_DETECTOR,
        "argument": 0,
        "parameter": 3,
        "value": 60_000,
        "number": 0,
    }
    wanted = {f.name: values[f.name] for f in TC[name].fields if f.fixed is None}
    b = Bench()
    said = b.step(0, tc(name, sequence, ack=ack, source=source, **wanted))
    report = [EXPECTED_REPORT[name]] if name in EXPECTED_REPORT else []
    assert names(said) == ["accepted"] * (ack & 1) + report + ["completed"] * (ack >> 3)
    for p in said:
        assert p.peer == source
        if p.packet.service == 1:
            assert p.values == {"request_packet": 0x18A1, "request_sequence": 0xC000 | sequence}


@pytest.mark.parametrize("p", t.MONITOR_PARAMETERS, ids=lambda p: p.name)
def test_parameters_keep_their_bounds(p):
    b = Bench()

    def value(sequence):
        said = b.step(0, tc("report_parameter", sequence, ack=0, parameter=p.id))
        (report,) = (packet for packet in said if packet.packet.name == "parameter_value")
        assert report.values["parameter"] == p.id
        return report.values["value"]

    assert value(1) == p.default
    assert p.low <= p.default <= p.high
    for i, (new, kept) in enumerate(
        [(p.low, p.low), (p.low - 1, p.low), (p.high + 1, p.low), (p.high, p.high)]
    ):
        said = b.step(0, set_parameter(p.name, new, 10 + 2 * i))
        assert failure(said) == (Failure.NONE if new == kept else Failure.RANGE)
        assert value(11 + 2 * i) == kept
    b.target.reset()
    assert b.node.p[p.id] == p.high
    assert failure(b.step(0, do(Function.DEFAULTS))) == Failure.NONE
    assert b.node.p[p.id] == p.default


@given(st.integers(-(1 << 31), (1 << 31) - 1), st.sampled_from(t.MONITOR_PARAMETERS))
def test_any_value_is_set_or_refused(value, p):
    b = Bench()
    said = b.step(0, set_parameter(p.name, value))
    inside = p.low <= value <= p.high
    assert failure(said) == (Failure.NONE if inside else Failure.RANGE)
    assert b.node.p[p.id] == (value if inside else p.default)


# -- repetition


@given(st.integers(0, 0x3FFF), st.integers(1, 6))
def test_a_repeated_telecommand_is_answered_and_not_executed_again(sequence, times):
    b = Bench()
    frame = do(Function.INHIBIT, 100, sequence)
    assert names(b.step(0, frame)) == ["accepted", "event_advisory", "completed"]
    for i in range(times):
        again = b.step(1000, frame)
        assert [p for p in names(again) if p in ("accepted", "completed")] == ["accepted", "completed"]
        assert b.node.cabin.suppressed_ms == 100_000 - 1000 * (i + 1), "not started afresh"
    b.step(1000, do(Function.INHIBIT, 100, sequence + 1))
    assert b.node.cabin.suppressed_ms == 100_000


@given(st.integers(0, 0x3FFF), st.lists(st.integers(1000, 60_000), min_size=2, max_size=5))
def test_another_telecommand_with_the_same_count_is_another(sequence, values):
    b = Bench()
    for value in values:
        assert failure(b.step(0, set_parameter("hk_period", value, sequence))) == Failure.NONE
        assert b.node.p[PID["hk_period"]] == value


def test_setting_what_is_set_writes_no_flash():
    b = Bench()
    written = []
    b.node.store = lambda buf, n: written.append(bytes(buf[:n])) or len(written) != 2
    for i in range(1000):
        b.step(0, set_parameter("hk_period", 5000, i))
        b.step(0, do(Function.DEFAULTS if i == 999 else Function.INHIBIT, 0, i))
    assert len(written) == 2, "one for 5000, one for the default"
    b.step(0, set_parameter("hk_period", t.MONITOR_PARAMETERS[PID["hk_period"]].default, 1))
    assert len(written) == 3, "the second was not kept: asked for again, it is tried again"
    b.step(0, do(Function.DEFAULTS, 0, 2))
    assert len(written) == 3


def test_a_repeated_failure_fails_again_the_same_way():
    b = Bench()
    frame = set_parameter("poll_period", 1, 5)
    assert failure(b.step(0, frame)) == failure(b.step(0, frame)) == Failure.RANGE
    # The first answer stands, also where the repetition would now fare otherwise.
    ack = do(Function.ACKNOWLEDGE, 0, 6)
    assert failure(b.step(0, ack)) == Failure.NO_ALARM
    b.node.cabin.judge(2, t.Cause.SLOW, 0)
    assert failure(b.step(0, ack)) == Failure.NO_ALARM
    assert b.node.cabin.state == t.AlarmState.UNACKNOWLEDGED


def test_a_repeated_set_does_not_undo_what_came_between():
    b = Bench()
    b.step(0, set_parameter("hk_period", 5000, 1))
    b.node.p[PID["hk_period"]] = 7000
    assert failure(b.step(0, set_parameter("hk_period", 5000, 1))) == Failure.NONE
    assert b.node.p[PID["hk_period"]] == 7000


@given(st.sampled_from(sorted(EXPECTED_REPORT)))
def test_a_repeated_report_is_reported_again(name):
    b = Bench()
    values = {"report_parameter": {"parameter": 2}, "report_event": {"number": 0}}.get(name, {})
    frame = tc(name, 9, **values)
    assert (
        names(b.step(0, frame)) == names(b.step(0, frame)) == ["accepted", EXPECTED_REPORT[name], "completed"]
    )


def test_a_boot_forgets_the_last_request():
    b = Bench()
    frame = do(Function.INHIBIT, 50, 3)
    b.step(0, frame)
    b.target.reset()
    assert b.node.cabin.suppressed_ms == 0
    b.step(0, frame)
    assert b.node.cabin.suppressed_ms == 50_000


# -- housekeeping and sequence counts


@settings(max_examples=40)
@given(st.integers(1000, 100_000), st.lists(st.integers(1, 900), max_size=30))
def test_reports_keep_their_period_whatever_else_happens(period, jitter):
    b = Bench()
    b.step(0, set_parameter("hk_period", period))
    b.log.clear()
    for ms in jitter:  # octets come at any time and cost no cadence
        if b.wake_ms > ms:
            b.step(ms, b"\x55")
        else:
            b.step(b.wake_ms)
    first = min(period, 10_000)
    b.until(first + 9 * period, b.good)
    at = [ms for ms, p in b.log if p.packet.name == "housekeeping"]
    assert at == [first + period * i for i in range(10)]


@given(st.lists(st.integers(0, 2500), min_size=1, max_size=20))
def test_a_late_wake_costs_no_cadence(lateness):
    """A node that is busy elsewhere is late once, not for ever: reports and polls stay on their grid."""
    b = Bench()
    b.step(0, set_parameter("hk_period", 5000) + set_parameter("poll_period", 3000, 1) + sample(0))
    b.log.clear()
    for late in lateness:
        new = b.step(b.wake_ms + late)
        while new:
            rx = b"".join(b.good(p) for p in new if p.packet.kind == "TC")
            new = b.step(0, rx) if rx else []
    for name, first, period in (("housekeeping", 5000, 5000), ("report_hk", 1000, 3000)):
        at = [ms for ms, p in b.log if p.packet.name == name and p.role != "analyser"]
        due = range(first, b.t_ms + 1, period)
        assert len(at) == len(due), name
        assert all(0 <= ms - d <= 2500 for ms, d in zip(at, due, strict=True)), name


def test_reports_can_be_turned_off_and_on():
    b = Bench()
    assert b.hk()["flags"] & t.Flag.PERIODIC_HK
    b.step(0, tc("disable_hk", 1))
    b.log.clear()
    b.until(100_000, b.good)
    assert "housekeeping" not in names(p for _, p in b.log)
    assert not b.hk()["flags"] & t.Flag.PERIODIC_HK
    b.step(0, tc("enable_hk", 2))
    b.log.clear()
    b.until(200_000, b.good)
    assert names(p for _, p in b.log).count("housekeeping") == 10


def test_sequence_counts_wrap_at_16383_on_both_sides():
    b = Bench()
    b.node.seq = b.node.poll_seq = 0x3FFD
    b.log.clear()
    b.until(5000, b.good)
    assert [p.sequence for _, p in b.log if p.packet.kind == "TC"][:5] == [0x3FFD, 0x3FFE, 0x3FFF, 0, 1]
    sent = [b.step(0, tc("ping", 0x3FFE + i & 0x3FFF, ack=0))[0].sequence for i in range(5)]
    assert sent[0] in (0x3FFD, 0x3FFE)
    assert [x - y & 0x3FFF for x, y in zip(sent[1:], sent, strict=False)] == [1] * 4
    assert sent[-1] < 3


def test_the_clock_rolls_over_at_midnight_and_after_65536_days():
    b = Bench()
    b.node.day, b.node.ms = 0xFFFF, t.DAY_MS - 1
    (before,) = b.step(0, tc("ping", 1, ack=0))
    after = next(p for p in b.step(1, tc("ping", 2, ack=0)) if p.packet.name == "alive")
    assert (before.time_ms, after.time_ms) == (65536 * t.DAY_MS - 1, 0)


@given(st.lists(st.integers(0, t.DAY_MS), min_size=1, max_size=12))
def test_stamps_are_the_sum_of_the_elapsed_times(times):
    b = Bench()
    for i, ms in enumerate(times):
        (alive,) = (p for p in b.step(ms, tc("ping", i, ack=0)) if p.packet.name == "alive")
        assert alive.time_ms == sum(times[: i + 1])


# -- damage


@given(st.lists(st.sampled_from(["crc", "framing", "size"]), max_size=25))
@example(["crc", "framing", "size"] * 4)
def test_damage_is_counted_by_kind_and_ten_in_a_period_are_noise(kinds):
    frame = bytearray(tc("ping", 0x1234))
    frame[5] ^= 0x10
    damage = {"crc": bytes(frame), "framing": b"\0\x09abc\0", "size": b"\0" + b"\x11" * 70 + b"\0"}
    b = Bench()
    start = b.hk()
    said = b.step(1, b"".join(damage[k] for k in kinds))
    hk = b.hk(1)
    for kind, counter in (("crc", "bad_crc"), ("framing", "bad_framing"), ("size", "bad_size")):
        assert hk[counter] - start[counter] == kinds.count(kind)
    assert hk["frames_ok"] - start["frames_ok"] == 1
    said += b.until(10_000, b.good)
    noise = [p for p in said if p.packet.service == 5 and p.values["event"] == Event.LINK_NOISE]
    assert [(p.values["cause"], p.values["value"]) for p in noise] == [(len(kinds),) * 2] * (len(kinds) >= 10)
    later = b.until(20_000, b.good)
    assert Event.LINK_NOISE not in [e for e, _ in events(later)], "each bad frame is told once"


def test_noise_is_counted_over_the_counters_roll_over():
    b = Bench()
    b.node.count[2] = b.node.noise = 0xFFFA
    b.step(1, b"\0\x09abc\0" * 2)
    frame = bytearray(tc("ping", 0x1234))
    frame[5] ^= 0x10
    b.step(1, bytes(frame) * 10)
    said = b.until(10_000, b.good)
    assert [
        p.values["value"] for p in said if p.packet.service == 5 and p.values["event"] == Event.LINK_NOISE
    ] == [12]
    assert b.hk()["bad_crc"] == 4


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(0, 3000), st.integers(0, t.DAY_MS)),
            st.one_of(streams, st.one_of(tc_packets(), tm_packets()).map(host.seal)),
        ),
        max_size=12,
    )
)
def test_nothing_on_the_link_crashes_or_stalls_the_monitor(inputs):
    """Bench asserts that each frame is good and each wake in bounds; afterwards the monitor still does its work."""
    b = Bench()
    for ms, rx in inputs:
        b.step(ms, rx)
    alive = b.step(0, b"\0" + tc("ping", 0x2AAA))
    assert "alive" in names(alive)
    period, timeout = (b.node.p[PID[name]] for name in ("poll_period", "reply_timeout"))
    said = b.step(period) + b.step(timeout)
    assert "report_hk" in names(said), "it polls on"
