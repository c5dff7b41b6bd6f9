"""The ground station: commands over a lossy link, sequence gaps, restarts, and packets it does not expect."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import worlds
from cabinwatch.scenario.toml_out import toml_text
from cabinwatch.targets.cpython import CpythonTarget
from cabinwatch.world.ground import NOT_ANSWERED, PENDING, TRIES, Ground
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t
from peer import PID, TC, TM, Bench

HK = {f.name: 0 for f in t.MONITOR_HK}
NOTHING = {f.name: 0 for f in (*t.LATCHED, t.NUMBER)}
BOOT = {"event": t.Event.BOOT, "cause": 0, "value": t.VERSION, **NOTHING}


def tm(name, sequence, time_ms=0, apid=t.Apid.MONITOR, **values):
    head = host.encode_tm(TM[name], apid, sequence, *divmod(time_ms, t.DAY_MS), values)
    (frame,) = host.StreamDecoder().feed(host.seal(head))
    return host.decode(frame.packet)


class Uplink:
    """A ground station and the telecommands that it has sent, decoded."""

    def __init__(self, **parameters):
        self.sent = []
        self.ground = Ground(lambda f: self.sent.extend(host.decode_stream(f)))
        self.ground.parameters = parameters

    def answer(self, name="completed", sequence=0, t_ms=0, **values):
        request = {"request_packet": 0x18A1, "request_sequence": 0xC000 | self.sent[-1].sequence}
        self.ground.telemetry(tm(name, sequence, t_ms, **request, **values), t_ms)


def test_commands_go_one_at_a_time_in_order():
    u = Uplink()
    for name in ("ping", "report_hk", "ping"):
        u.ground.command(TC[name], {}, 0)  # the first is a ping: none is put before it
    assert [c.packet.name for c in u.sent] == ["ping"]
    u.answer(sequence=0)
    u.answer(sequence=1)
    assert [c.packet.name for c in u.sent] == ["ping", "report_hk", "ping"]
    assert [c.sequence for c in u.sent] == [0, 1, 2]


def test_an_unanswered_command_is_repeated_with_the_same_request_id_and_given_up():
    u = Uplink()
    u.ground.command(TC["ping"], {}, 0)
    u.ground.command(TC["report_hk"], {}, 0)
    while u.ground.due_ms is not None and len(u.sent) <= TRIES:
        u.ground.retry(u.ground.due_ms - 1)
        n = len(u.sent)
        u.ground.retry(u.ground.due_ms)
        assert len(u.sent) == n + 1
    assert [c.sequence for c in u.sent] == [0] * TRIES + [1]
    assert u.ground.unanswered == ["ping"]
    assert [c.verdict for c in u.ground.commands] == [NOT_ANSWERED, PENDING]


def test_a_refusal_is_an_answer_and_is_kept():
    u = Uplink()
    u.ground.command(TC["perform"], {"function": 1, "argument": 0}, 0)
    u.answer("completed", 0)
    u.answer("accepted", 1)
    assert u.ground.due_ms is not None, "acceptance alone is no answer yet"
    u.answer("failed", 2, failure=t.Failure.NO_ALARM)
    assert u.ground.due_ms is None
    assert len(u.ground.refused) == 1
    assert "no alarm" in u.ground.refused[0]


@pytest.mark.parametrize("first", ["accepted", "housekeeping"])
def test_a_command_sent_before_first_contact_is_not_forgotten(first):
    """The boot event was lost; the parameters go out once the command in flight is answered."""
    u = Uplink(threshold=50)
    u.ground.command(TC["ping"], {}, 0)
    if first == "accepted":
        u.answer("accepted", 5)
    else:
        u.ground.telemetry(tm("housekeeping", 5, **HK), 0)
    u.ground.retry(u.ground.due_ms)
    assert [(c.packet.name, c.sequence) for c in u.sent] == [("ping", 0)] * 2
    u.answer("completed", 6)
    assert [c.packet.name for c in u.sent[2:]] == ["set_parameter"]


def test_an_answer_to_another_request_is_no_answer():
    u = Uplink()
    u.ground.command(TC["ping"], {}, 0)
    u.ground.telemetry(tm("completed", 0, request_packet=0x18A1, request_sequence=0xC123), 0)
    assert u.ground.due_ms is not None


class Call:
    """One call of a tool that commands: a ground station of its own, on the line of a node that has long been up."""

    def __init__(self, node):
        self.node = node
        self.out = []
        self.ground = Ground(self.out.append)

    def command(self, name, **values):
        self.ground.command(TC[name], values, self.node.t_ms)

    def exchange(self, heard=True):
        while self.out:
            for packet in self.node.step(1, self.out.pop(0)):
                if heard and packet.packet.kind == "TM":
                    self.ground.telemetry(packet, self.node.t_ms)


@given(
    st.lists(st.tuples(st.sampled_from(("hk_period", "poll_period")), st.integers(1000, 9000)), max_size=6)
)
@example([("hk_period", 7200), ("poll_period", 1100), ("poll_period", 1100)])
def test_each_call_of_a_tool_commands_although_all_count_from_0(settings):
    node = Bench()
    for name, value in settings:
        call = Call(node)
        call.command("set_parameter", parameter=PID[name], value=value)
        call.exchange()
        assert node.node.p[PID[name]] == value
        assert call.ground.answered == 2, "the ping and the command"


def test_the_same_command_twice_on_purpose_is_executed_twice():
    node = Bench()
    for _ in range(3):
        call = Call(node)
        call.command("perform", function=t.Function.INHIBIT, argument=5)
        call.exchange()
        assert 4990 < node.node.cabin.suppressed_ms <= 5000, "begun afresh"
        node.step(2000)


def test_after_a_host_that_died_in_mid_command_the_next_one_is_obeyed():
    node = Bench()
    dead = Call(node)
    dead.command("set_parameter", parameter=PID["hk_period"], value=5000)
    dead.exchange()
    dead.command("perform", function=t.Function.INHIBIT, argument=5)
    dead.exchange(heard=False)
    node.step(2000)
    call = Call(node)
    call.command("set_parameter", parameter=PID["hk_period"], value=6000)
    call.command("perform", function=t.Function.INHIBIT, argument=5)
    call.exchange()
    assert node.node.p[PID["hk_period"]] == 6000
    assert 4990 < node.node.cabin.suppressed_ms <= 5000


@given(st.integers(0, 0x3FFF), st.lists(st.integers(0, 300), min_size=1, max_size=20))
@example(16380, [3, 0])
def test_gaps_are_counted_modulo_16384(start, gaps):
    u = Uplink()
    sequence = start
    u.ground.telemetry(tm("alive", sequence), 0)
    for gap in gaps:
        sequence = (sequence + 1 + gap) % 16384
        u.ground.telemetry(tm("alive", sequence), 0)
    assert u.ground.counts.lost == sum(gaps)


@given(st.integers(0, 0x3FFF), st.integers(0, 50), st.booleans())
def test_a_restart_is_no_gap_and_brings_the_parameters_back(before, first, boot_event_lost):
    """Also where the boot event itself was lost, after however many packets: the monitor's clock has gone back."""
    u = Uplink(hk_period=4000, threshold=50)
    u.ground.telemetry(tm("alive", before, 90_000_000), 0)
    assert [c.packet.name for c in u.sent] == ["ping"], "at first contact, too"
    u.answer(sequence=(before + 1) & 0x3FFF, t_ms=90_000_000)
    u.sent.clear()
    if boot_event_lost:
        u.ground.telemetry(tm("housekeeping", first, 10_000, **HK), 0)
    else:
        u.ground.telemetry(tm("event_advisory", 0, 0, **BOOT), 0)
    assert u.ground.counts.lost == 0
    assert [c.packet.name for c in u.sent] == ["set_parameter"]
    u.answer(sequence=first + 1, t_ms=10_001)
    assert [(c.values["parameter"], c.values["value"]) for c in u.sent] == [(3, 4000), (10, 50)]


@given(st.integers(1, 60))
def test_a_packet_that_comes_late_or_twice_is_no_gap(n):
    u = Uplink()
    for sequence in [*range(n), n - 1, n]:
        u.ground.telemetry(tm("alive", sequence, sequence * 10), 0)
        u.ground.telemetry(tm("alive", sequence, sequence * 10), 0)
    assert u.ground.counts.lost == 0


@given(st.integers(0, 255), st.integers(0, 255), st.integers(-(1 << 31), (1 << 31) - 1), st.integers(1, 4))
def test_any_event_is_taken_or_counted_as_alien(event, cause, value, severity):
    u = Uplink()
    name = f"event_{t.AlarmClass(severity).name.lower()}"
    u.ground.telemetry(tm(name, 0, event=event, cause=cause, value=value, **NOTHING), 0)
    known = event in list(t.Event)
    assert (len(u.ground.events), u.ground.counts.aliens) == ((1, 0) if known else (0, 1))
    assert all(e.text() for e in u.ground.events)


def scenario(rate):
    return toml_text(
        {
            "title": "lossy",
            "duration": 120,
            "cabin": {"compartments": {"station": {"volume": "100 m3"}}},
            "link": {"faults": [{"kind": "flip", "rate": rate}, {"kind": "drop", "rate": rate}]},
            "telecommands": [{"at": 5 + 6 * i, "do": "inhibit", "argument": 100 + i} for i in range(8)],
        }
    )


class Counting(CpythonTarget):
    """A monitor that counts how often each inhibit was executed."""

    def __init__(self):
        super().__init__()
        self.executed = []
        monitor = self.node
        inner = monitor.perform

        def perform(again):
            b = monitor.frame.buf
            if b[8] == 8 and not again:
                self.executed.append(b[13] << 8 | b[14])
            return inner(again)

        monitor.perform = perform


@settings(max_examples=40)
@given(st.sampled_from([0.0, 0.0005, 0.002, 0.004]), st.integers(0, 1 << 32))
def test_over_a_lossy_link_each_command_is_executed_once(rate, seed):
    worlds.tell(scenario(rate), seed, ("cpython",))
    target = Counting()
    world, _ = worlds.run(scenario(rate), seed, target)
    given_up = len(world.ground.unanswered)
    assert sorted(target.executed) == sorted(set(target.executed)), "never twice"
    assert len(target.executed) >= 8 - given_up
    if rate < 0.001:
        assert target.executed == [100 + i for i in range(8)]
        assert not given_up


def test_what_is_lost_is_what_the_link_damaged():
    text = scenario(0.0).replace("duration = 120", "duration = 600")
    world, _ = worlds.run(text, 1, "cpython")
    counts = world.ground.counts
    assert (counts.crc_errors, counts.resyncs, counts.lost, counts.aliens) == (0, 0, 0, 0)
    world, _ = worlds.run(scenario(0.002), 1, "cpython")
    counts = world.ground.counts
    assert counts.lost > 0
    assert counts.crc_errors > 0
    assert counts.resyncs > 0


@pytest.mark.parametrize("alarm", [5, 200])
def test_an_unknown_alarm_class_is_shown_as_its_number(alarm):
    from cabinwatch.run.result import Run, as_json

    world, sha = worlds.run(scenario(0.0), 1, "cpython")
    world.ground.housekeeping = {**HK, "alarm": alarm}
    shown = as_json(world, Run("x", "cpython", 1, 1.0, 1, sha, False))
    assert shown["final"]["state"] == str(alarm)
