"""The monitor's alarms against the alarm table, with a detector that says what it is told."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cabinwatch.verify.fuzz.reference import RECORD_SIZE
from cabinwatch_firmware import signals
from cabinwatch_protocol import table as t
from cabinwatch_protocol.alarms import EVENTS, NEXT, TABLE, TELLS, Condition, Point, Transition, device_table
from cabinwatch_protocol.table import AlarmState as State
from peer import PRESSURE, Bench, do, events, failure, sample, set_parameter, tc

Event, Failure, Function = t.Event, t.Failure, t.Function
NEVER_REMIND = 0
PERMIT = next(p.default for p in t.MONITOR_PARAMETERS if p.name == "permit")


class Puppet:
    """A detector that says what it is told to, so that latching is judged apart from detection."""

    def __init__(self):
        self.show(0)
        self.u = self.nitrogen_s = self.sigma_cPa_h = self.law = 0

    def show(self, cls, cause=t.Cause.SLOW):
        self.cls = cls
        self.cause = cause if cls else 0
        self.rate_cPa_h = -100 * cls
        self.tres_s = t.T_CAP // (1 + cls)

    def reset(self):
        self.show(0)

    def sample(self, *_):
        pass

    low = nitrogen = sample


class Cabin:
    """A monitor whose detector is a puppet, and its transducer."""

    def __init__(self, **parameters):
        self.b = Bench()
        self.node.detector = Puppet()
        self.count = 0
        self.b.step(10, sample(10))
        for name, value in parameters.items():
            self.set(name, value)

    @property
    def node(self):
        return self.b.node

    def command(self, frame_of, *values, **more):
        self.count += 1
        return self.b.step(0, frame_of(*values, sequence=self.count, **more))

    def set(self, name, value):
        assert failure(self.command(set_parameter, name, value)) == Failure.NONE

    def sample(self, cls=None, pressure=None, seconds=1):
        """Time passes, and a sample comes for which the detector justifies this class."""
        if cls is not None:
            self.node.detector.show(cls)
        pressure = PRESSURE + self.b.t_ms // 1000 % 7 if pressure is None else pressure
        return self.b.step(1000 * seconds, sample(self.b.t_ms + 1000 * seconds, pressure))

    def told(self, said, point=Point.CABIN):
        """What is told of one alarm."""
        return [
            p for p in said if p.packet.service == 5 and TELLS.get(p.values["event"], (None,))[0] is point
        ]


def test_the_devices_table_is_the_protocols():
    assert len(device_table()) == len(State) * len(Condition)
    assert len({(row.state, row.condition) for row in TABLE}) == len(TABLE)
    assert all(row.told <= Transition.ENDED for row in TABLE)


actions = st.lists(
    st.one_of(
        st.tuples(st.just("show"), st.integers(0, 4)),
        st.tuples(st.just("pass"), st.sampled_from((1, 5, 9, 10, 11, 40, 81))),
        st.tuples(st.just("acknowledge"), st.integers(-2, 1)),
        st.just(("restart", 0)),
        st.just(("reset", 0)),
    ),
    max_size=40,
)


@settings(max_examples=150)
@given(actions)
def test_the_cabins_alarm_plays_the_table(todo):
    """A model with the table alone, told the class that is justified; off-delay 10 s, doubled three times at most."""
    c = Cabin(off_delay=10, remind=0)
    state, latched, occurrence, doublings, lower_s, now = State.NORMAL, 0, 0, 0, 0, 0

    def play(condition):
        nonlocal state, latched, occurrence, doublings
        row = NEXT.get((state, condition))
        if row is None:
            return []
        if row.told is Transition.RAISED:
            latched, occurrence, doublings = now, occurrence + 1, 0
        elif row.told is Transition.AGAIN:
            doublings = min(3, doublings + 1)
        elif row.told is Transition.ENDED:
            latched = now
        state = row.next
        return [(EVENTS[row.told][Point.CABIN], occurrence, latched, state)]

    def judge(cls, seconds):
        nonlocal now, lower_s
        lower_s = lower_s + seconds if cls == now and cls < latched else 0
        now = cls
        if cls > latched:
            return play(Condition.RISE)
        if cls < latched and lower_s >= 10 << doublings:
            return play(Condition.LOWER if cls else Condition.CLEAR)
        return play(Condition.ACTIVE) if cls else []

    for verb, x in todo:
        expected = []
        if verb == "show":
            said = c.sample(x)
            expected = judge(x, 1)
        elif verb == "pass":
            said = []
            for _ in range(x):
                said += c.sample()
                expected += judge(c.node.detector.cls, 1)
        elif verb == "acknowledge":
            said = c.command(do, Function.ACKNOWLEDGE, 0 if x == 1 else max(0, occurrence + x))
            meant = x == 1 or occurrence + x <= 0 or x == 0
            code = Failure.NONE if meant else Failure.STALE
            assert failure(said) == (code if state else Failure.NO_ALARM)
            expected = play(Condition.ACKNOWLEDGE) if state and meant else []
        elif verb == "restart":
            said = c.command(do, Function.RESTART_DETECTOR)
            now, lower_s, doublings = -1, 0, 3
        else:
            said = c.b._take(c.b.target.reset())
            now, lower_s, doublings = -1, 0, 3
            boot = said[0].values
            assert boot["event"] == Event.BOOT
            assert (boot["state"], boot["alarm"]) == (state, latched)
        got = [
            (p.values["event"], p.values["occurrence"], p.values["alarm"], p.values["state"])
            for p in c.told(said)
        ]
        assert got == expected, verb
    hk = c.b.hk()
    assert hk["alarm"] == latched
    assert bool(hk["flags"] & t.Flag.ACKNOWLEDGED) == (state is State.ACKNOWLEDGED)
    assert bool(hk["flags"] & t.Flag.RETURNED) == (state is State.RETURNED)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(1, 550), min_size=20, max_size=20),
    st.lists(st.integers(1, 550), min_size=20, max_size=20),
)
def test_twenty_flaps_are_at_most_three_events(up, down):
    """Whatever their rhythm, while each is shorter than the off-delay of 10 min."""
    c = Cabin(remind=0)
    said = []
    for on, off in zip(up, down, strict=True):
        said += c.sample(2, seconds=on) + c.sample(0, seconds=1) + c.sample(seconds=off)
    for _ in range(7):
        said += c.sample(seconds=100)
    assert [p.values["event"] for p in c.told(said)] == [Event.ALARM, Event.ALARM_RETURNED]


def test_reminders_go_on_until_somebody_acknowledges():
    c = Cabin(remind=60)
    c.sample(3)
    began = c.b.t_ms
    c.b.log.clear()
    c.b.until(began + 200_000, c.b.good)
    at = [ms - began for ms, p in c.b.log if p.values.get("event") == Event.ALARM_REMINDER]
    assert at == [60_000, 120_000, 180_000]
    c.command(do, Function.ACKNOWLEDGE)
    c.b.log.clear()
    c.b.until(began + 400_000, c.b.good)
    assert Event.ALARM_REMINDER not in [e for e, _ in events(p for _, p in c.b.log)]


# -- inhibit


@settings(max_examples=60)
@given(
    falls=st.lists(st.integers(0, 47_000), min_size=1, max_size=30),
    classes=st.lists(st.integers(0, 4), min_size=30, max_size=30),
)
def test_no_airlock_cycle_breaks_an_inhibit_whatever_the_detector_says(falls, classes):
    c = Cabin()
    c.command(do, Function.INHIBIT, 7200)
    for fall, cls in zip(falls, classes, strict=False):
        assert not c.told(c.sample(cls, PRESSURE - fall))


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from([PRESSURE, PRESSURE - PERMIT, PRESSURE - PERMIT - 1, 6_532_800]), max_size=12),
    st.integers(0, 4),
)
def test_the_third_sample_in_a_row_beyond_the_permitted_fall_is_an_emergency(pressures, cls):
    c = Cabin()
    c.sample(0, PRESSURE)
    c.command(do, Function.INHIBIT, 7200)
    beyond, latched = 0, False
    for pressure in pressures:
        got = c.told(c.sample(cls, pressure))
        beyond = beyond + 1 if pressure < PRESSURE - PERMIT else 0
        if latched:
            continue
        latched = beyond == 3
        wanted = [(Event.INHIBIT_ENDED, 1), (Event.ALARM, 4)] if latched else []
        assert [(p.values["event"], p.packet.subtype) for p in got] == wanted
        if latched:
            assert got[0].values["value"] == t.Ending.FALL
            assert got[1].values["cause"] == (t.Cause.SLOW if cls == 4 else t.Cause.PERMIT)


@settings(max_examples=60)
@given(
    shown=st.lists(st.integers(0, 4), min_size=1, max_size=8),
    before=st.sampled_from([0, 2, 3]),
    inhibited=st.booleans(),
)
def test_a_restart_of_the_detector_hides_nothing_without_an_event(shown, before, inhibited):
    """What stands is latched, under an inhibit too, and outlasts the restart; no other restart tells anything."""
    c = Cabin(remind=0)
    c.sample(before)
    if inhibited:
        c.command(do, Function.INHIBIT, 7200)
    for cls in shown:
        c.sample(cls)
    latched = c.b.hk()["alarm"]
    got = [p.values["event"] for p in c.told(c.command(do, Function.RESTART_DETECTOR))]
    hidden = inhibited and shown[-1] > 0
    wanted = [Event.INHIBIT_ENDED] * hidden + [Event.ALARM] * (hidden and shown[-1] > latched)
    assert got == wanted
    for _ in range(30):
        assert not c.told(c.sample(0, seconds=20))
    assert c.b.hk()["alarm"] == max(latched, shown[-1])


def test_the_level_alarm_goes_through_every_inhibit():
    c = Cabin()
    c.command(do, Function.INHIBIT, 7200)
    c.node.detector.show(4, t.Cause.LEVEL)
    got = [p.values["event"] for p in c.sample() if p.packet.service == 5]
    assert got == [Event.INHIBIT_ENDED, Event.ALARM]


def test_the_level_of_warning_is_inhibited_as_any_warning():
    c = Cabin()
    c.command(do, Function.INHIBIT, 7200)
    c.node.detector.show(3, t.Cause.LEVEL)
    assert not [p for p in c.sample() if p.packet.service == 5]
    c.command(do, Function.INHIBIT, 2 << t.INHIBIT_CLASS_SHIFT | 7200)
    assert c.b.hk()["alarm"] == 3, "up to Caution it is not"


def test_an_inhibit_ends_on_time_also_while_nothing_happens():
    c = Cabin()
    c.command(do, Function.INHIBIT, 17)
    start = c.b.t_ms
    c.b.log.clear()
    c.node.detector.show(3)
    c.b.until(start + 60_000)
    told = [(ms - start, p.values["event"]) for ms, p in c.b.log if p.packet.service == 5]
    assert (17_000, Event.INHIBIT_ENDED) in told
    assert (17_000, Event.ALARM) in told


# -- what outlasts a reset


@pytest.mark.parametrize("damaged", [False, True], ids=["cut short", "and an octet wrong"])
@pytest.mark.parametrize("acknowledge", [False, True], ids=["rise", "acknowledgement"])
def test_a_supply_that_fails_at_any_octet_of_the_write_leaves_one_state_or_the_other(acknowledge, damaged):
    """The alarm before the move, or after it: never none, never another."""
    for octet in range(RECORD_SIZE + 1):
        one_state_or_the_other(acknowledge, octet, octet // 2 if damaged else -1)


def one_state_or_the_other(acknowledge, octet, wrong):
    c = Cabin()
    c.sample(3)
    c.b.target.storage.loss = (octet, wrong)
    if acknowledge:
        said = c.command(do, Function.ACKNOWLEDGE)
        before, after = (State.UNACKNOWLEDGED, 3, 1), (State.ACKNOWLEDGED, 3, 1)
    else:
        said = c.sample(4)
        before, after = (State.UNACKNOWLEDGED, 3, 1), (State.UNACKNOWLEDGED, 4, 2)
    boot = next(p.values for p in said if p.values.get("event") == Event.BOOT)
    whole = octet == RECORD_SIZE and wrong < 0
    assert (boot["state"], boot["alarm"], boot["occurrence"]) == (after if whole else before)
    hk = c.b.hk()
    assert hk["alarm"] == boot["alarm"]


def test_a_node_without_storage_says_at_boot_that_alarms_may_be_lost():
    c = Cabin()
    c.sample(4)
    c.node.store = None
    c.node.boot(0)
    (boot,) = c.b.step(0, b"")[:1]
    assert boot.values["value"] >> 24 == t.Stored.VOLATILE
    assert (boot.values["alarm"], boot.values["state"]) == (0, State.NORMAL)


def test_a_returned_alarm_acknowledged_right_after_a_reset_is_nominal():
    """Nothing is known of what is justified then, which is no class."""
    c = Cabin(off_delay=10)
    c.sample(3)
    c.sample(0)
    for _ in range(11):
        c.sample()
    assert c.node.cabin.state == State.RETURNED
    c.b._take(c.b.target.reset())
    (ended,) = c.told(c.command(do, Function.ACKNOWLEDGE))
    assert (ended.values["event"], ended.values["cause"], ended.values["alarm"]) == (Event.ALARM_ENDED, 0, 0)
    assert c.b.hk()["alarm"] == 0


# -- blindness


@pytest.mark.parametrize("seconds", [9, 10, 11])
def test_blindness_has_an_on_delay_and_a_quarter_of_sight_undoes_it(seconds):
    c = Cabin(poll_period=3_600_000)
    c.b.step(2000, sample(2000, PRESSURE + 1))
    c.b.step(1000, sample(3000, PRESSURE + 2))
    c.b.step(10, sample(4000, status=3))
    said = c.b.step(seconds * 1000 - 1)
    said += c.b.step(1, b"")
    assert len(c.told(said, Point.BLIND)) == (seconds >= 10)


@pytest.mark.parametrize("acknowledge", [False, True])
def test_blindness_that_comes_again_is_told_again(acknowledge):
    """After it returned, or was acknowledged and ended: by the on-delay anew, no sooner and no later."""
    c = Cabin(off_delay=60, blind_delay=10)

    def broken():
        return c.told(c.b.step(1000, sample(c.b.t_ms + 1000, status=3)), Point.BLIND)

    for _ in range(12):
        broken()
    assert c.node.blind.cls == t.AlarmClass.CAUTION
    if acknowledge:
        c.command(do, Function.ACKNOWLEDGE)
    for _ in range(70):
        c.sample()
    assert c.node.blind.state == (State.NORMAL if acknowledge else State.RETURNED)
    told = [bool(broken()) for _ in range(14)]
    assert told.index(True) in (10, 11)
    assert sum(told) == 1


# -- signals


@pytest.mark.parametrize("shown", [*range(1, 6), *range(9, 14)])
def test_each_pattern_is_shown_on_command_for_three_cycles(shown):
    """It takes effect at once, ends by itself, and gives way to an alarm."""
    c = Cabin(remind=0)
    c.command(do, Function.TEST_SIGNALS, shown)
    assert signals.pattern(c.node) == shown
    c.b.step(signals.TEST_MS - 1)
    assert signals.pattern(c.node) == shown
    c.b.step(1)
    assert signals.pattern(c.node) == 0
    c.command(do, Function.TEST_SIGNALS, shown)
    c.sample(3)
    assert signals.pattern(c.node) == 3


def test_events_are_numbered_and_the_last_sixteen_kept():
    c = Cabin()
    sent = {}
    for i in range(300):
        for p in c.command(do, Function.INHIBIT, 0 if i % 2 else 60):
            if p.packet.service == 5:
                sent[p.values["number"]] = p
    newest = c.b.hk()["last_event"]
    assert newest == 300 % 256
    for age in range(20):
        number = (newest - age) % 256
        said = c.command(tc_event, number)
        if age < 16:
            (report,) = (p.values for p in said if p.packet.name == "recorded_event")
            assert {n: report[n] for n in sent[number].values} == sent[number].values
            assert report["day"] * t.DAY_MS + report["ms"] == sent[number].time_ms
        else:
            assert failure(said) == Failure.NO_EVENT


def tc_event(number, sequence):
    return tc("report_event", sequence, number=number)
