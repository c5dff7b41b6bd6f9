"""The monitor and its transducer: polling, time-outs, retries, and what it believes."""

import random
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cabinwatch_protocol import host
from cabinwatch_protocol import table as t
from peer import PRESSURE, TEMPERATURE, TM, Bench, composition, events, names, sample, set_parameter, tc

Event, Health = t.Event, t.Health
P = t.by_name(t.MONITOR_PARAMETERS)


def configured(**parameters):
    b = Bench()
    for i, (name, value) in enumerate(parameters.items()):
        assert "completed" in names(b.step(0, set_parameter(name, value, i)))
    b.log.clear()
    return b


def found(**parameters):
    """A bench whose monitor has just found its transducer; what it says of that is told at once."""
    b = configured(**parameters)
    b.step(0, sample(b.t_ms))
    assert b.hk()["health"] == Health.OK
    for i, name in enumerate(("blind_delay", "off_delay")):
        b.step(0, set_parameter(name, 0, 0x2F00 + i))
    b.log.clear()
    return b


def polls(log, role="transducer"):
    return [(ms, p.sequence) for ms, p in log if p.packet.title == "TC[3,27]" and p.role == role]


@settings(max_examples=40)
@given(period=st.integers(100, 20_000), seed=st.integers(0, 50))
def test_polls_keep_the_period_and_count_up(period, seed):
    b = found(poll_period=period, hk_period=7000 + seed)
    first = min(period, P["poll_period"].default)
    b.until(first + period * 19, b.good)
    at = polls(b.log)
    assert [ms for ms, _ in at] == [first + period * i for i in range(20)], "in cadence"
    counts = [p.sequence for _, p in b.log if p.packet.kind == "TC"]
    assert [y - x for x, y in pairwise(counts)] == [1] * (len(counts) - 1)
    assert b.hk()["timeouts"] == 0


@settings(max_examples=40)
@given(
    period=st.integers(100, 5000),
    timeout=st.integers(20, 2000),
    retries=st.integers(0, 5),
    rounds=st.integers(1, 6),
)
def test_an_unanswered_poll_is_repeated_within_its_bound(period, timeout, retries, rounds):
    b = found(poll_period=period, reply_timeout=timeout, poll_retries=retries, hk_period=t.DAY_MS)
    b.log.clear()
    b.until(b.t_ms + rounds * (period + timeout * (retries + 1)))
    at = [ms for ms, _ in polls(b.log)]
    lost = [ms for ms, p in b.log if p.packet.service == 5]
    assert [e for e, _ in events(p for _, p in b.log)] == [Event.SENSOR_LOST], "told once"
    first = at[: retries + 1]
    assert first == [first[0] + timeout * i for i in range(retries + 1)]
    assert lost == [first[0] + timeout * (retries + 1)], "exactly after the last retry"
    # Never a faster train than one poll a time-out, never more in one round than the bound.
    assert all(y - x >= min(timeout, period) for x, y in pairwise(at))
    assert len(at) <= (b.t_ms // (timeout * (retries + 1)) + 2) * (retries + 1)


def test_lost_and_found_are_told_once_each():
    b = found(hk_period=t.DAY_MS)
    b.until(60_000)
    b.until(120_000, b.good)
    b.until(180_000)
    told = events(p for _, p in b.log)
    assert told == [
        (Event.SENSOR_LOST, Health.SILENT),
        (Event.SENSOR_RETURNED, Health.OK),
        (Event.SENSOR_AGAIN, Health.SILENT),
    ]


def test_a_transducer_that_never_answers_is_reported_lost_once():
    b = Bench()
    b.until(700_000)
    told = [(ms, p.packet.subtype, p.values["event"]) for ms, p in b.log if p.packet.service == 5]
    assert told == [(0, 1, Event.BOOT), (10_000, 2, Event.SENSOR_LOST), (600_000, 3, Event.SENSOR_LOST)]


@given(st.integers(1, 3), st.integers(0, 249))
def test_an_answer_to_any_retry_counts(tries, late):
    b = found(hk_period=t.DAY_MS)
    start = b.t_ms
    while len(polls(b.log)) < tries:
        b.step(b.wake_ms)
    b.step(late, sample(start + 5000, PRESSURE + 5))
    assert b.hk()["pressure_cPa"] == PRESSURE + 5
    assert b.hk()["timeouts"] == tries - 1
    assert events(p for _, p in b.log) == []


def test_an_answer_in_the_last_moment_is_no_timeout():
    b = found(hk_period=t.DAY_MS)
    b.step(b.wake_ms)
    b.step(P["reply_timeout"].default, sample(9000, PRESSURE + 1))
    assert b.hk()["timeouts"] == 0
    assert len(polls(b.log)) == 1


bad_samples = st.one_of(
    st.builds(lambda p: ({"pressure": p}, Health.IMPLAUSIBLE), st.integers(0, P["pressure_low"].default - 1)),
    st.builds(
        lambda p: ({"pressure": p}, Health.IMPLAUSIBLE),
        st.integers(P["pressure_high"].default + 1, (1 << 32) - 1),
    ),
    st.builds(lambda k: ({"temperature": k}, Health.IMPLAUSIBLE), st.integers(0, 9999)),
    st.builds(lambda s: ({"status": s}, Health(s)), st.integers(1, 3)),
    st.builds(
        lambda s, p: ({"status": s, "pressure": p}, Health(s)),
        st.integers(1, 3),
        st.integers(0, (1 << 32) - 1),
    ),
)


@given(bad_samples)
def test_a_bad_sample_is_told_and_never_believed(bad):
    values, health = bad
    b = found()
    before = b.hk()
    seen = b.node.detector.second, b.node.detector.ms
    said = b.step(1000, sample(b.t_ms + 1000, **values))
    assert events(said) == [(Event.SENSOR_LOST, health)]
    after = b.hk()
    assert after["health"] == health
    for kept in ("pressure_cPa", "temperature_cK", "rate_cPa_h", "tres_s", "alarm"):
        assert after[kept] == before[kept], kept
    fallen = health == Health.IMPLAUSIBLE and values.get("pressure", PRESSURE) < P["pressure_low"].default
    if health != Health.BELOW_RANGE and not fallen:
        assert (b.node.detector.second, b.node.detector.ms) == seen, "the detector has not seen it"
    assert events(b.step(1000, sample(b.t_ms + 1000))) == [(Event.SENSOR_RETURNED, Health.OK)]


@given(st.floats(0, 0.97), st.floats(0, 0.6), st.booleans())
@example(0.7, 0.0, False)
@example(0.95, 0.0, False)
def test_a_burst_down_to_a_vacuum_that_is_vouched_for_is_an_emergency_with_its_third_sample(
    first, then, ends
):
    """What is left at first, and of that a second later; the gauge ends at 1 kPa, or at nothing."""
    b, rng = found(), random.Random(1)
    for _ in range(90):
        b.step(1000, sample(b.t_ms + 1000, PRESSURE + rng.randrange(-200, 200)))
    for share in (first, first * then, first * then * then):
        pressure = round(PRESSURE * share)
        low = 100_000 if ends else 0
        values = {"status": Health.BELOW_RANGE, "pressure": low} if pressure < low else {"pressure": pressure}
        b.step(1000, sample(b.t_ms + 1000, **values))
    assert b.hk()["alarm"] == t.AlarmClass.EMERGENCY


HIGHEST = P["pressure_high"].high


@given(st.integers(0, HIGHEST), st.integers(0, HIGHEST), st.integers(0, HIGHEST + 9), st.integers(0, 700))
def test_plausible_range_is_inclusive_and_a_parameter(low, high, pressure, kelvin):
    b = configured(pressure_low=low, pressure_high=high)
    b.step(10, sample(10, pressure, kelvin * 93))
    ok = low <= pressure <= high and kelvin * 93 >= 10_000
    assert b.hk()["health"] == (Health.OK if ok else Health.IMPLAUSIBLE)


@pytest.mark.parametrize("limit", [1, 2, 5, 120])
def test_stuck_after_so_many_identical_readings(limit):
    b = found(stuck_samples=limit)
    said = []
    for _ in range(limit + 4):
        said.append(events(b.step(1000, sample(b.t_ms + 1000))))
    lost = [i for i, e in enumerate(said, 1) if e]
    assert lost == [limit]
    assert said[limit - 1] == [(Event.SENSOR_LOST, Health.STUCK)]
    assert events(b.step(1000, sample(b.t_ms + 1000, PRESSURE + 1))) == [(Event.SENSOR_RETURNED, Health.OK)]
    assert b.node.detector.second >= limit + 4, "time went on in the detector: the gap is not lost"


def test_stuck_check_can_be_turned_off():
    b = found(stuck_samples=0)
    for _ in range(300):
        assert events(b.step(1000, sample(b.t_ms + 1000))) == []


@given(st.integers(1, 2000), st.integers(1, t.DAY_MS))
def test_a_stamp_that_goes_back_is_a_fault_once(before_s, back_ms):
    b = found()
    stamp = 10 * t.DAY_MS + before_s * 1000
    b.step(10, sample(stamp, PRESSURE + 3))
    b.log.clear()
    assert events(b.step(10, sample(stamp - back_ms, PRESSURE + 1))) == [(Event.SENSOR_LOST, Health.TIME)]
    # A restarted instrument counts from its own zero: the third sample in order is good again; the time since the last
    # good one is the monitor's own.
    for i in (1, 2):
        assert events(b.step(900, sample(stamp - back_ms + 1000 * i, PRESSURE + 1 + i))) == []
    told = events(b.step(900, sample(stamp - back_ms + 3000, PRESSURE + 4)))
    assert told == [(Event.SENSOR_RETURNED, Health.OK)]
    assert b.node.detector.second == 2 * (t.DAY_MS // 1000) + 2
    assert b.node.detector.ms == 710


@given(st.integers(t.DAY_MS, 0xFFFFFFFF), st.integers(0, 0xFFFF))
def test_a_stamp_that_is_no_time_is_a_fault(ms, day):
    b = found()
    values = {"pressure_cPa": PRESSURE, "temperature_cK": TEMPERATURE, "status": 0}
    frame = host.seal(host.encode_tm(TM["sample"], t.Apid.TRANSDUCER, 0, day, ms, values))
    assert events(b.step(10, frame)) == [(Event.SENSOR_LOST, Health.TIME)]


@given(st.integers(1, 50))
def test_a_repeated_stamp_is_the_same_sample_once_more(n):
    b = found()
    seen = b.node.detector.second, b.node.detector.ms
    for _ in range(n):
        assert events(b.step(10, sample(0))) == []
    assert (b.node.detector.second, b.node.detector.ms) == seen


@given(st.integers(0, 0x1FFFF), st.integers(0, t.DAY_MS - 1), st.integers(1, 5 * t.DAY_MS))
@example(0xFFFF, t.DAY_MS - 1, 1)
@example(0xFFFF, 5, t.DAY_MS)
def test_the_gap_between_stamps_is_what_the_detector_gets(day, ms, gap):
    """Also over the roll-over of the day and of the 16-bit day count; more than a day counts as a day."""
    b = Bench()
    stamp = (day * t.DAY_MS + ms) % (65536 * t.DAY_MS)
    later = (stamp + gap) % (65536 * t.DAY_MS)
    taken = []
    b.node.detector.sample = lambda dt_ms, pressure, temperature: taken.append((dt_ms, pressure, temperature))
    b.step(10, sample(stamp))
    b.step(10, sample(later, PRESSURE + 3, TEMPERATURE + 1))
    assert taken[1:] == [(min(gap, t.DAY_MS), PRESSURE + 3, TEMPERATURE + 1)]
    assert b.hk()["health"] == Health.OK


def test_the_analyser_is_polled_behind_an_answer_and_feeds_nitrogen():
    b = configured(analyser_period=5000)
    b.log.clear()

    def both(poll):
        return composition(b.t_ms) if poll.role == "analyser" else b.good(poll)

    b.until(60_000, both)
    at = [ms for ms, _ in polls(b.log, "analyser")]
    assert all(5000 <= y - x <= 6000 for x, y in pairwise(at))
    assert len(at) == 12
    assert b.hk()["flags"] & t.Flag.NITROGEN_WATCH
    off = configured(analyser_period=0)
    off.until(1000_000, off.good)
    assert polls(off.log, "analyser") == []


@given(
    ppn2=st.integers(0, (1 << 32) - 1),
    temperature=st.integers(0, 0xFFFF),
    status=st.integers(0, 255),
    n=st.integers(1, 4),
)
def test_no_analysis_hurts_whatever_it_says(ppn2, temperature, status, n):
    b = found()
    taken = []
    real = b.node.detector.nitrogen
    b.node.detector.nitrogen = lambda *reading: (taken.append(reading), real(*reading))
    for i in range(1, n):
        b.step(1000, composition(300_000 * i))
    b.step(1000, composition(300_000 * n, ppn2, temperature, status))
    b.step(1000, composition(300_000 * (n + 1)))
    believed = (
        status == 0
        and temperature >= 10_000
        and P["pressure_low"].default <= ppn2 <= P["pressure_high"].default
    )
    assert b.hk()["flags"] & t.Flag.NITROGEN_WATCH
    assert len(taken) == n + believed
    assert sum(gap for gap, _, _ in taken[1:]) == 300_000 * (n if n > 1 or believed else 0), "no time is lost"


def test_other_telemetry_of_the_instruments_is_theirs():
    b = found()
    values = {"event": t.Event.BOOT, "cause": 0, "value": t.VERSION}
    event = TM["instrument_event_advisory"]
    for apid in (t.Apid.TRANSDUCER, t.Apid.ANALYSER):
        b.step(1, host.seal(host.encode_tm(event, apid, 0, 0, 0, values)))
    assert b.hk()["rejected"] == 0
    b.step(1, host.seal(host.encode_tm(event, t.Apid.MONITOR, 0, 0, 0, values)))
    b.step(1, tc("ping", apid=t.Apid.TRANSDUCER))
    assert b.hk()["rejected"] == 2
