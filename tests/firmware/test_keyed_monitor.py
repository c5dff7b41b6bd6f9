"""The keyed monitor: what it obeys and believes, and what it does with the rest."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cabinwatch_firmware.keyed as firmware
import cabinwatch_firmware.keyed_monitor as monitor
from cabinwatch.kit import strategies as kit
from cabinwatch.world.keying import signer_of
from cabinwatch_protocol import host, keyed, keys
from cabinwatch_protocol import table as t
from keyed_peer import MASTER, OTHER, KeyedBench
from peer import TM, do, events, names, sample, set_parameter, tc

Event, Failure, Function = t.Event, t.Failure, t.Function


@pytest.fixture
def b():
    return KeyedBench()


def value(b, number):
    """A parameter, which anybody may ask for."""
    (report,) = (p for p in b.step(0, tc("report_parameter", 77, parameter=number)) if p.packet.service == 20)
    return report.values["value"]


def test_a_signed_command_is_executed_once_and_told(b):
    frame = b.set("poll_period", 500, source=0x1234)
    said = b.step(0, frame)
    assert names(said) == ["accepted", "event_advisory", "completed"]
    assert events(said) == [(Event.COMMANDED, 128)]
    assert said[1].values["value"] == 0x1234
    assert value(b, 0) == 500
    assert names(b.step(0, frame)) == ["accepted", "completed"], "a repetition is answered, and no more"
    assert b.state() == {"session": int.from_bytes(b.session, "big"), "counter": 1, "refused": 0, "keyed": 3}


def test_a_repetition_has_the_first_verdict_whatever_came_between(b):
    frame = b.set("poll_period", 99)
    assert b.command(frame) is Failure.RANGE
    b.step(0, tc("ping", 5))
    assert b.command(frame) is Failure.RANGE


@pytest.mark.parametrize(
    ("name", "values", "cause"),
    [
        ("perform", {"function": Function.TEST_SIGNALS, "argument": 1}, Function.TEST_SIGNALS),
        ("disable_hk", {}, 64 + 6),
        ("enable_hk", {}, 64 + 5),
        ("set_parameter", {"parameter": 3, "value": 5000}, 128 + 3),
    ],
)
def test_each_guarded_command_leaves_an_event(b, name, values, cause):
    assert (Event.COMMANDED, cause) in events(b.step(0, b.signed(name, **values)))


WRONG = {
    "no trailer": lambda b: do(Function.INHIBIT, 3600),
    "another key": lambda b: b.do(Function.INHIBIT, 3600, master=OTHER),
    "the key of answers": lambda b: b.do(Function.INHIBIT, 3600, use=keyed.Association.ANSWER),
    "another session": lambda b: b.do(Function.INHIBIT, 3600, session=bytes(8)),
    "another counter under the tag": lambda b: altered(b, -12),
    "another argument": lambda b: altered(b, 13),
    "another source": lambda b: altered(b, 10),
    "another association": lambda b: altered(b, -15),
    "another tag": lambda b: altered(b, -3),
}


def altered(b, at):
    """A signed function call with one bit of the packet changed, and its CRC right."""
    packet = bytearray(host.StreamDecoder().feed(b.do(Function.INHIBIT, 3600))[0].packet)
    packet[at] ^= 1
    return host.seal(bytes(packet[: -t.PEC]))


@pytest.mark.parametrize("what", WRONG)
def test_what_has_no_valid_tag_is_refused_and_changes_nothing(b, what):
    said = b.step(0, WRONG[what](b))
    assert names(said) == ["event_advisory", "not_accepted"]
    assert said[1].values["failure"] == Failure.TAG
    assert events(said) == [(Event.REFUSED, Failure.TAG)]
    assert not b.node.cabin.suppressed_ms
    assert b.state()["counter"] == 0
    assert b.command(b.do(Function.INHIBIT, 3600)) is Failure.NONE, "and the next right one is obeyed"


def test_a_right_tag_over_another_association_is_none(b):
    signed = host.StreamDecoder().feed(b.do(Function.INHIBIT, 60))[0].packet[: -t.PEC - keyed.TAG_SIZE]
    other = signed[:-5] + bytes([keyed.Association.ANSWER]) + signed[-4:]
    tag = keys.siphash(MASTER.derived("monitor", keyed.Association.COMMAND), other + b.session)
    assert b.command(host.seal(other + tag)) is Failure.TAG


@pytest.mark.parametrize("cut", [1, 4, 8, 12])
def test_a_truncated_trailer_is_no_tag(b, cut):
    packet = host.StreamDecoder().feed(b.do(Function.INHIBIT, 60))[0].packet[: -t.PEC - cut]
    assert b.command(host.seal(host.resized(packet))) is Failure.TAG


def test_the_counter_only_rises(b):
    first, second = b.set("poll_period", 500), b.set("poll_period", 700)
    assert b.command(b.set("poll_period", 900, counter=1000)) is Failure.NONE
    assert b.command(first) is b.command(second) is Failure.COUNTER
    assert b.command(b.set("poll_period", 800, counter=1000)) is Failure.COUNTER, "the counter was another's"
    assert value(b, 0) == 900
    for counter in (0, keyed.COUNTER_END, 1 << 30, (1 << 31) - 1, 1 << 31, (1 << 32) - 1):
        assert b.command(b.set("poll_period", 500, counter=counter)) is Failure.COUNTER
    leap = 1000 + keyed.COUNTER_LEAP
    assert b.command(b.set("poll_period", 500, counter=leap + 1)) is Failure.COUNTER
    assert b.command(b.set("poll_period", 500, counter=leap)) is Failure.NONE


def test_the_counter_ends_below_what_a_device_tells_apart(b):
    b.node.counter = keyed.COUNTER_END - 2
    assert b.command(b.set("poll_period", 500, counter=keyed.COUNTER_END - 1)) is Failure.NONE
    assert b.command(b.set("poll_period", 700, counter=keyed.COUNTER_END)) is Failure.COUNTER


def test_a_forged_counter_costs_the_owner_one_command_at_most(b):
    """The ground is told of a counter near the end, and so signs with it: were it obeyed, no other one would be."""
    signer = signer_of(MASTER)
    report = b.state()
    for forged in (keyed.COUNTER_END - 2, keyed.COUNTER_LEAP + 1, keyed.COUNTER_LEAP - 1):
        signer.learn(report | {"counter": forged})
        b.command(host.seal(signer.sign(b.head("set_parameter", parameter=0, value=500))))
        signer.learn(b.state())
        assert (
            b.command(host.seal(signer.sign(b.head("set_parameter", parameter=0, value=700)))) is Failure.NONE
        )


def test_a_command_with_a_spent_counter_does_not_pass_for_a_repetition(b):
    mine = b.set("poll_period", 500, counter=5)
    yours = b.set("poll_period", 700, counter=5)
    assert b.command(mine) is Failure.NONE
    assert b.command(yours) is b.command(yours) is Failure.COUNTER
    assert b.command(mine) is Failure.NONE


def test_no_ping_stands_for_the_next_command(b):
    """A man in the middle sees a command, sends a ping with its count and CRC, and then lets it through."""
    frame = b.set("poll_period", 500)
    packet = host.StreamDecoder().feed(frame)[0].packet
    ping = bytearray(host.encode_tc(keyed.t.TC_PACKETS[4], t.Apid.MONITOR, b.sequence))
    for source in range(1 << 16):
        ping[9:11] = source.to_bytes(2, "big")
        if host.crc16(bytes(ping)).to_bytes(2, "big") == packet[-2:]:
            break
    assert "alive" in names(b.step(0, host.seal(bytes(ping))))
    assert b.command(frame) is Failure.NONE
    assert value(b, 0) == 500


def test_a_reset_opens_no_door_to_old_commands(b):
    old = [b.set("poll_period", 500), b.set("pressure_low", 16_000_000, counter=700)]
    assert b.command(old[0]) is Failure.NONE
    b._take(b.target.reset())
    for frame in old:
        assert b.command(frame) is Failure.TAG
    before = b.session
    b.learn()
    assert b.session != before
    assert b.counter == 0


def test_reports_and_pings_stay_open(b):
    assert "alive" in names(b.step(0, tc("ping", 1)))
    assert "housekeeping" in names(b.step(0, tc("report_hk", 2)))
    assert "parameter_value" in names(b.step(0, tc("report_parameter", 3, parameter=0)))
    assert "alarms" in names(b.step(0, tc("report_alarms", 4)))


def test_refusals_are_counted_and_told_once_a_minute(b):
    told = []
    for second in range(180):
        told += events(b.step(1000, set_parameter("poll_period", 100, second)))
    refused = [cause for event, cause in told if event is Event.REFUSED]
    assert refused == [Failure.TAG] * 3
    assert b.state()["refused"] == 180


def test_a_reboot_waits_for_a_minute(b):
    assert b.command(b.do(Function.REBOOT)) is Failure.EARLY
    assert b.command(b.do(Function.REBOOT, 1)) is Failure.ARGUMENT
    b.step(59_999 - b.t_ms)
    assert b.command(b.do(Function.REBOOT)) is Failure.EARLY
    b.step(1)
    said = b.step(0, b.do(Function.REBOOT))
    assert events(said) == [(Event.COMMANDED, Function.REBOOT), (Event.BOOT, t.Reset.COMMANDED)]


# -- instruments


def test_only_the_answer_to_the_newest_poll_is_believed(b):
    old = b.poll()
    poll = b.poll()
    for frame in (
        sample(b.t_ms),
        b.answer(old),
        b.answer(poll, OTHER),
        b.answer(poll, challenge=bytes(8)),
    ):
        b.step(0, frame)
        assert b.hk()["health"] == t.Health.SILENT
    assert b.state()["refused"] == 4
    good = b.answer(poll)
    b.step(0, good)
    assert b.hk()["health"] == t.Health.OK
    b.step(0, b.answer(poll, pressure_cPa=3_000_000))
    b.step(0, good)
    assert b.state()["refused"] == 6, "a poll has one answer"
    assert b.hk()["pressure_cPa"] == 10_132_500


def test_no_challenge_is_ever_the_same():
    seen = set()
    for seed in range(3):
        b = KeyedBench(seed=seed)
        for _ in range(2):
            b._take(b.target.reset())
            for _ in range(300):
                seen.add(b.poll().trailer["challenge"])
    assert len(seen) == 1800


def test_an_unkeyed_instrument_is_believed_and_shown_as_such():
    b = KeyedBench(unkeyed=frozenset({"transducer"}))
    assert b.state()["keyed"] == 2
    assert not b.poll().trailer
    b.step(0, sample(b.t_ms))
    assert b.hk()["health"] == t.Health.OK


# -- whoever has no key

hostile = st.one_of(
    st.builds(lambda f, a, s: do(f, a, s), st.integers(0, 8), st.integers(0, 0xFFFF), st.integers(0, 0x3FFF)),
    st.builds(
        lambda n, v, s: set_parameter("poll_period" if n else "pressure_low", v, s),
        st.booleans(),
        st.integers(100, 10_000),
        st.integers(0, 0x3FFF),
    ),
)


@settings(max_examples=60)
@given(st.lists(st.tuples(hostile, st.binary(min_size=12, max_size=12)), max_size=20))
def test_no_forged_trailer_is_obeyed(attempts):
    b = KeyedBench()
    before = list(b.node.p)
    for frame, octets in attempts:
        packet = host.StreamDecoder().feed(frame)[0].packet[: -t.PEC] + b"\1" + octets
        assert b.command(host.seal(host.resized(packet))) in (Failure.TAG, Failure.COUNTER)
    assert b.node.p == before
    assert b.state()["counter"] == 0


# -- on the slowest board a tag takes long


@pytest.fixture
def tags(monkeypatch):
    """How many tags were checked so far."""
    checked = []
    for module in (firmware, monitor):
        holds = module.holds
        monkeypatch.setattr(module, "holds", lambda *given, holds=holds: checked.append(1) or holds(*given))
    return checked


def test_no_step_checks_two_tags(b, tags):
    answer = b.answer(b.poll())
    b.step(0, answer[:-1])
    said = b.step(0, answer[-1:] + b.set("poll_period", 500))
    assert len(tags) == 1
    assert not any(p.packet.service == 1 for p in said)
    assert b.wake_ms == 1
    assert names(b.step(1)) == ["report_hk", "accepted", "event_advisory", "completed"], (
        "the analyser's poll first"
    )
    assert b.node.health == t.Health.OK


def test_what_comes_behind_what_waits_keeps_its_order(b):
    frames = [b.set("poll_period", 500 + i) for i in range(4)]
    stream = b"".join(frames)
    said = []
    for i in range(0, len(stream), t.RX_MAX):
        said += b.step(0, stream[i : i + t.RX_MAX])
    while b.wake_ms == 1:
        said += b.step(1)
    assert [p.packet.name for p in said if p.packet.service == 1] == ["accepted", "completed"] * 4
    assert value(b, 0) == 503


def test_nor_does_a_step_that_takes_what_waited(b, tags):
    """A forgery, and behind it all of a sample but its end: that and a command come with the next octets."""
    answer = b.answer(b.poll())
    forged = b.do(Function.INHIBIT, 60, master=OTHER)
    b.step(0, forged[:-1])
    b.step(0, forged[-1:] + answer[:-1])
    b.step(0, answer[-1:] + b.set("poll_period", 500))
    for checked in (2, 3):
        b.step(1)
        assert len(tags) == checked
    assert b.node.health == t.Health.OK
    assert value(b, 0) == 500


@pytest.mark.parametrize("frame", [KeyedBench.set, lambda b, *given: b.set(*given, master=OTHER)])
def test_a_poll_waits_for_the_step_after_a_tag_and_for_no_other(b, frame):
    b.poll()
    while b.wake_ms > 250:
        b.step(1)
    late = b.wake_ms
    first = b.step(late, frame(b, "hk_period", 5000))
    assert not any(p.packet.name == "report_hk" for p in first)
    second = b.step(b.wake_ms, frame(b, "hk_period", 6000))
    assert names(second)[0] == "report_hk"


def test_the_analyser_is_polled_in_the_step_after_the_sample(b):
    said = b.step(5, b.answer(b.poll()))
    assert not said
    (poll,) = b.step(b.wake_ms)
    assert poll.role == "analyser"


def test_a_flood_of_forgeries_does_not_stop_the_polls(b):
    forged = b"".join(b.do(Function.INHIBIT, 60, master=OTHER) for _ in range(8))
    polls = 0
    for i in range(3000):
        at = i * t.RX_MAX % (len(forged) - t.RX_MAX)
        polls += sum(p.packet.name == "report_hk" for p in b.step(4, forged[at : at + t.RX_MAX]))
    assert polls >= 12
    assert b.node.health == t.Health.SILENT


def test_what_waits_does_not_outlast_a_boot(b):
    b.step(0, b.set("poll_period", 500) + b.set("poll_period", 700)[:10])
    b._take(b.target.reset())
    assert not b.node.left


# -- whatever somebody says who has no key


def packet_of(frame):
    """A frame's packet, without PEC."""
    return host.StreamDecoder().feed(frame)[0].packet[: -t.PEC]


def executed(said):
    return sum(p.packet.service == 5 and p.values["event"] == Event.COMMANDED for p in said)


def give(b, packets):
    """What the node says to those, each in steps of its own."""
    said = []
    for packet in packets:
        frame = host.seal(packet)
        for i in range(0, len(frame), t.RX_MAX):
            said += b.step(0, frame[i : i + t.RX_MAX])
        while b.wake_ms == 1:
            said += b.step(1)
    return said


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_nothing_that_was_heard_before_a_reset_is_obeyed_after_it(data):
    b = KeyedBench()
    heard = [packet_of(b.set("poll_period", 500 + i)) for i in range(4)]
    heard.append(packet_of(b.do(Function.INHIBIT, 3600)))
    give(b, data.draw(kit.hostile(heard)))
    b._take(b.target.reset())
    before = value(b, 0)
    assert not executed(give(b, data.draw(kit.hostile(heard))))
    assert value(b, 0) == before
    assert b.state()["counter"] == 0
    assert not b.node.cabin.suppressed_ms


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_of_what_was_held_back_only_what_is_newer_than_the_last_is_obeyed_and_once(data):
    b = KeyedBench()
    heard = [packet_of(b.set("poll_period", 500 + i)) for i in range(4)]
    highest = 0
    for packet in data.draw(kit.hostile(heard)):
        place = heard.index(packet) + 1 if packet in heard else 0
        assert executed(give(b, [packet])) == (place > highest)
        highest = max(highest, place)
        assert b.state()["counter"] == highest
        assert value(b, 0) == (499 + highest if highest else 1000)


def test_what_a_node_says_is_no_command_and_no_answer_when_it_is_said_back(b):
    b.step(0, b.do(Function.INHIBIT, 60))
    said = bytearray()
    sink, b.node.sink = b.node.sink, lambda buf, n: (said.extend(buf[:n]), sink(buf, n))
    while len(said) < 400:
        b.step(b.wake_ms)
    before = b.state()
    for i in range(0, len(said), t.RX_MAX):
        assert not executed(b.step(0, bytes(said[i : i + t.RX_MAX])))
    assert b.state() == before
    assert b.node.health == t.Health.SILENT


@pytest.mark.parametrize("signs", ["transducer", "analyser"])
@pytest.mark.parametrize("says", ["transducer", "analyser"])
def test_an_instrument_answers_for_itself_alone(b, signs, says):
    """The tag of one instrument's key over a sample that says it is another's."""
    poll = b.poll()
    values = {"pressure_cPa": 10_132_500, "temperature_cK": 29_500, "status": 0}
    head = host.encode_tm(TM["sample"], t.ROLES[says], 0, 0, b.t_ms, values, 0xA1)
    key = MASTER.derived(signs, keyed.Association.ANSWER)
    b.step(0, host.seal(keys.sign_answer(head, key, poll.trailer["challenge"].to_bytes(8, "big"))))
    assert (b.node.health == t.Health.OK) == (signs == says == "transducer")
