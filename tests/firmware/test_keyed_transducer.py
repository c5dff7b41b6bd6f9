"""The keyed transducer: its samples answer a challenge, and its parameters are its owner's."""

import pytest

from cabinwatch.world.keying import Keying
from cabinwatch_firmware.keyed_transducer import KeyedTransducer
from cabinwatch_firmware.ports.steady import Steady
from cabinwatch_protocol import host, keyed, keys
from cabinwatch_protocol import table as t
from cabinwatch_protocol.keyed import Association
from keyed_peer import MASTER, OTHER, renewing
from peer import TC, names

COMMAND = MASTER.derived("transducer", Association.COMMAND)
ANSWER = MASTER.derived("transducer", Association.ANSWER)


class Node:
    """A keyed transducer, booted; ``say`` gives it a packet without PEC and has what it answers."""

    def __init__(self):
        self.sent = bytearray()
        key = MASTER.of_instrument("transducer")
        self.node = KeyedTransducer(
            lambda buf, n: self.sent.extend(buf[:n]), Steady(), key, renewing(Keying(MASTER, 1))
        )
        self.node.boot(0)
        (state,) = self.say(host.encode_tc(keyed.REPORT_SESSION, t.Apid.TRANSDUCER, 0, ack=0))
        self.session = state.values["session"].to_bytes(8, "big")

    def say(self, head):
        self.sent.clear()
        frame = host.seal(head)
        self.node.step(100, frame, len(frame))
        return list(host.decode_stream(bytes(self.sent)))

    def packet(self):
        """The first packet of the last answer, as it came."""
        return host.StreamDecoder().feed(bytes(self.sent))[0].packet


@pytest.fixture
def x():
    return Node()


def poll(sequence=0):
    return host.encode_tc(TC["report_hk"], t.Apid.TRANSDUCER, sequence, ack=0, source=t.Apid.MONITOR)


def set_offset(x, value, counter, key=COMMAND):
    head = host.encode_tc(TC["set_parameter"], t.Apid.TRANSDUCER, 3, {"parameter": 0, "value": value})
    return keys.sign_command(head, key, counter, x.session)


@pytest.mark.parametrize("challenge", [bytes(8), b"\xff" * 8, b"12345678"])
def test_a_sample_answers_its_challenge(x, challenge):
    (sample,) = x.say(keys.add_challenge(poll(), challenge))
    assert sample.values["pressure_cPa"] == 10_132_500
    packet = x.packet()
    assert packet[-10:-2] == keys.siphash(ANSWER, packet[:-10] + challenge)
    assert packet[-11] == Association.ANSWER


def test_without_a_challenge_a_sample_is_as_ever(x):
    (sample,) = x.say(poll())
    assert not sample.trailer
    assert len(x.packet()) == sample.packet.size


@pytest.mark.parametrize("more", [b"\1" + bytes(8), b"\2" + bytes(7), b"\2" + bytes(9)])
def test_what_is_no_trailer_of_a_poll_is_a_wrong_length(x, more):
    head = poll()
    longer = head[:4] + (len(head) + len(more) + t.PEC - 7).to_bytes(2, "big") + head[6:] + more
    (refused,) = x.say(longer)
    assert refused.values["failure"] == t.Failure.LENGTH


def test_its_offset_is_its_owners(x):
    assert names(x.say(set_offset(x, 5000, 1))) == ["accepted", "instrument_event_advisory", "completed"]
    assert names(x.say(set_offset(x, 9000, 2, OTHER.derived("transducer", Association.COMMAND)))) == [
        "instrument_event_advisory",
        "not_accepted",
    ]
    assert names(x.say(set_offset(x, 9000, 2, MASTER.derived("monitor", Association.COMMAND)))) == [
        "not_accepted"
    ]
    x.say(host.encode_tc(TC["set_parameter"], t.Apid.TRANSDUCER, 3, {"parameter": 0, "value": 9000}))
    (sample,) = x.say(poll())
    assert sample.values["pressure_cPa"] == 10_132_500 + 5000
