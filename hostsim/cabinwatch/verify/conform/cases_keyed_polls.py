"""Cases of SPEC.md's section 19 about instruments: the challenges of polls, and the tags of samples."""

from collections.abc import Callable

from cabinwatch.verify.conform.bench import Bench
from cabinwatch.verify.conform.case import case, expect
from cabinwatch.verify.conform.cases_keyed import POLLED_S, give, state
from cabinwatch.verify.conform.cases_monitor import polls
from cabinwatch.verify.conform.forgeries import OTHER, Signing, mistake_of
from cabinwatch.verify.conform.signing import master
from cabinwatch_protocol import host, keyed, keys
from cabinwatch_protocol import table as t
from cabinwatch_protocol.keyed import Association
from cabinwatch_protocol.keys import MasterKey

PERIOD_MS = t.by_name(t.MONITOR_PARAMETERS)["poll_period"].default
OLD_MS = 300
"""Longer than a reading may be old (XDR-07)."""


def next_challenge(b: Bench) -> bytes:
    """That of the next poll of the transducer, which waits for its answer from now on."""
    poll = b.wait_for(polls, 2 * PERIOD_MS)
    challenge = keys.challenge_of(poll.packet)
    expect(bool(challenge), "a poll of the transducer with a challenge", poll.text())
    return challenge


def answer(b: Bench, challenge: bytes, owner: MasterKey | None = None) -> bytes:
    """The frame of a tagged sample."""
    frame = b.sample_frame(b.now_ms)
    packet = host.StreamDecoder().feed(frame)[0].packet[: -t.PEC]
    key = (owner or master(b)).derived("transducer", Association.ANSWER)
    return host.seal(keys.sign_answer(packet, key, challenge))


@case("KEY-11/challenge")
def challenges(b: Bench) -> None:
    """No challenge comes twice, repeated polls and three boots included."""
    seen: list[bytes] = []
    for _ in range(3):
        b.restart()
        seen += [keys.challenge_of(h.packet) for h in polls(b.run(b.lasting(3, POLLED_S)))]
    expect(b"" not in seen, "a challenge in each poll", seen)
    expect(len(set(seen)) == len(seen) > 3, "challenges that are all different", seen)


@case("KEY-12/newest", "KEY-13")
def newest(b: Bench) -> None:
    """A sample without a tag, of another owner, for an earlier poll, or once more is none; the right one is."""
    expect(state(b)["keyed"] & 1 == 1, "that the transducer is keyed in TM[130,2]", state(b)["keyed"])
    earlier = next_challenge(b)
    wrong: dict[str, Callable[[bytes], bytes]] = {
        "a sample without a tag": lambda now: b.sample_frame(b.now_ms),
        "a sample with another owner's tag": lambda now: answer(b, now, OTHER),
        "a sample that answers an earlier poll": lambda now: answer(b, earlier),
    }
    health = b.report()["health"]
    for what, lie in wrong.items():
        frame = lie(next_challenge(b))
        before = state(b)["refused"]
        b.give(frame)
        expect(b.report()["health"] == health, f"health {health} after {what}", b.report()["health"])
        expect(state(b)["refused"] == before + 1, f"{before + 1} refused after {what}", state(b)["refused"])
    frame = answer(b, next_challenge(b))
    before = state(b)["refused"]
    b.give(frame)
    told = b.report()["health"]
    expect(told == t.Health.OK, "health ok after the answer to the newest poll", told)
    b.give(frame)
    expect(state(b)["refused"] == before + 1, "the same answer once more refused", state(b)["refused"])


@case("KEY-14/answer")
def answers(b: Bench) -> None:
    """A poll with a challenge draws a sample whose tag covers it; a poll without one a sample without."""
    expect(state(b)["keyed"] == 0, "keyed 0 in a transducer's TM[130,2]", state(b)["keyed"])
    key, other = (master(b).derived("transducer", use) for use in (Association.ANSWER, Association.COMMAND))
    drawn = b.rng.randbytes(8)
    for challenge, ack in ((bytes(8), 0), (b"\xff" * 8, 0), (drawn, 9), (drawn, 0)):
        head = keys.add_challenge(b.head("report_hk", ack=ack), challenge)
        got = [h for h in give(b, head) if h.title == "TM[3,25]"]
        expect(len(got) == 1, f"TM[3,25] to a poll with a challenge and flags {ack}", got)
        body, tag = got[0].packet[:-10], got[0].packet[-10:-2]
        trailed = len(body) == 29 and body[-1] == Association.ANSWER
        expect(trailed, f"a sample with a trailer, challenge {challenge.hex(' ')}, flags {ack}", got)
        due = Signing(key, other, body, challenge, keyed.trailer_size("answer"))
        expect(tag == due.tag, due.text(), f"tag {tag.hex(' ')}{mistake_of(due, tag)}")
    expect(len(b.report().packet) == 30, "a sample without trailer to a poll without", b.report().text())


@case("KEY-14/anew", "XDR-07")
def anew(b: Bench) -> None:
    """The same challenge once more draws another sample, of its own time."""
    state(b)
    head = keys.add_challenge(b.head("report_hk", ack=0), bytes(8))
    stamps = []
    for _ in range(2):
        got = give(b, head)
        expect([h.title for h in got] == ["TM[3,25]"], "TM[3,25] to a poll with a challenge", got)
        assert got[0].decoded
        stamps.append(got[0].decoded.time_ms)
        b.run(OLD_MS)
    expect(stamps[1] > stamps[0], "a later stamp to the second poll", stamps)
