"""Cases of SPEC.md's section 19: they are run where the node's key is given, and only they are."""

from collections.abc import Callable

from cabinwatch.verify.conform import signing
from cabinwatch.verify.conform.bench import TC, Bench, Heard, Unmet, texts
from cabinwatch.verify.conform.case import case, expect, failure
from cabinwatch.verify.conform.signing import master
from cabinwatch.verify.conform.tour import SETTING
from cabinwatch_protocol import host, keyed, keys
from cabinwatch_protocol import table as t
from cabinwatch_protocol.keyed import Association
from cabinwatch_protocol.keys import MasterKey

OTHER = MasterKey(b"another owner's.")
SOURCE = 0x1234
PERIOD_MS = t.by_name(t.MONITOR_PARAMETERS)["poll_period"].default
POLLED_S = 100
"""How long the challenges of polls are compared, in virtual time."""
TAG, COUNTER = t.Failure.TAG, t.Failure.COUNTER


def state(b: Bench) -> Heard:
    """What TC[130,1] draws."""
    told = signing.state(b)
    if told is None:
        raise Unmet("TM[130,2] to TC[130,1]", texts(b.all_heard()))
    return told


def session(b: Bench) -> bytes:
    """The node's session."""
    return state(b)["session"].to_bytes(keyed.TAG_SIZE, "big")


def signed(
    b: Bench,
    above: int = 1,
    value: int | None = None,
    *,
    counter: int | None = None,
    within: bytes | None = None,
    owner: MasterKey | None = None,
    use: Association = Association.COMMAND,
) -> bytes:
    """TC[20,3] of parameter 0 with its trailer, without PEC; what is not given is right.

    Its counter lies that far above the last accepted one.
    """
    told = state(b)
    wanted = {"parameter": 0, "value": SETTING[b.role] if value is None else value}
    head = b.head("set_parameter", wanted, source=SOURCE)
    key = (owner or master(b)).derived(b.role, use)
    session = told["session"].to_bytes(keyed.TAG_SIZE, "big") if within is None else within
    return keys.sign_command(head, key, told["counter"] + above if counter is None else counter, session)


def resized(head: bytes) -> bytes:
    """With the data length that it has."""
    return head[:4] + (len(head) + t.PEC - 7).to_bytes(2, "big") + head[6:]


def give(b: Bench, head: bytes) -> list[Heard]:
    """The node's answer to a packet without PEC, its events left out."""
    return b.answers(b.ask(host.seal(head)))


def obeyed(b: Bench, head: bytes, what: str) -> None:
    """It is executed."""
    got = give(b, head)
    expect([h.title for h in got] == ["TM[1,1]", "TM[1,7]"], f"TM[1,1], TM[1,7] to {what}", got)


def refused(b: Bench, head: bytes, code: t.Failure, what: str) -> None:
    """It is refused with that code, and changes neither the parameter nor the counter."""
    before, counter = b.parameter(0), state(b)["counter"]
    failure(give(b, head), "TM[1,2]", code, what)
    expect(b.parameter(0) == before, f"parameter 0 as it was after {what}", b.parameter(0))
    expect(state(b)["counter"] == counter, f"counter {counter} after {what}", state(b)["counter"])


@case("KEY-01/session")
def sessions(b: Bench) -> None:
    """TM[130,2] tells the session; after each of three resets it is another."""
    seen = {session(b)}
    for _ in range(3):
        b.restart()
        seen.add(session(b))
    expect(len(seen) == 4, "four sessions in four boots", len(seen))


@case("KEY-02/guarded", "KEY-03")
def guarded(b: Bench) -> None:
    """Guarded telecommands without a trailer are refused with code 14; a ping and reports are answered."""
    for p in keyed.GUARDED:
        if b.role in p.roles:
            values = {"function": 2, "argument": 0} if p.name == "perform" else {"parameter": 0, "value": 500}
            wanted = {f.name: values[f.name] for f in p.fields if f.fixed is None}
            failure(b.command(p.name, wanted), "TM[1,2]", TAG, f"{p.title} without a trailer")
    for name, title in (("ping", "TM[17,2]"), ("report_hk", "TM[3,25]")):
        got = b.command(name, ack=0)
        expect([h.title for h in got] == [title], f"{title} to {TC[name].title}", got)
    b.parameter(0)


@case("KEY-02/right")
def right(b: Bench) -> None:
    """A telecommand with the right trailer is executed, whatever the steps by which its counter rises."""
    for step, above in enumerate((1, 1, 1000, keyed.COUNTER_LEAP)):
        counter, value = state(b)["counter"] + above, SETTING[b.role] + step
        obeyed(b, signed(b, above, value), f"TC[20,3] with counter {counter}")
        expect(b.parameter(0) == value, f"parameter 0 = {value}", b.parameter(0))
        expect(state(b)["counter"] == counter, f"counter {counter} in TM[130,2]", state(b)["counter"])


@case("KEY-03/wrong-tag", "KEY-05")
def wrong_tag(b: Bench) -> None:
    """Each octet of the tag, and each octet that it covers behind the message type, matters."""
    head = signed(b)
    for at in range(9, len(head)):
        if at in range(len(head) - 12, len(head) - 8):
            continue  # the counter: KEY-04 may speak first
        wrong = bytearray(head)
        wrong[at] ^= 1 << b.rng.randrange(8)
        refused(b, bytes(wrong), TAG, f"a signed packet with octet {at} altered")
    obeyed(b, head, "the same as it was signed")


@case("KEY-03/other-key")
def other_key(b: Bench) -> None:
    """The tag of another owner, of another node, of another use and of another session is none."""
    refused(b, signed(b, owner=OTHER), TAG, "the tag of another owner")
    refused(b, signed(b, use=Association.ANSWER), TAG, "a tag under the key of answers")
    refused(b, signed(b, within=bytes(8)), TAG, "a tag for session 0")
    wanted = {"parameter": 0, "value": SETTING[b.role]}
    head = host.encode_tc(TC["set_parameter"], b.apid, b.next_count(), wanted)
    for role in t.COMMANDED:
        if role != b.role:
            key = master(b).derived(role, Association.COMMAND)
            theirs = keys.sign_command(head, key, state(b)["counter"] + 1, session(b))
            refused(b, theirs, TAG, f"a tag under the {role}'s key")


@case("KEY-03/association")
def association(b: Bench) -> None:
    """Another association, with a right tag over it, is none."""
    plain = signed(b)[: -keyed.TAG_SIZE]
    key = master(b).derived(b.role, Association.COMMAND)
    for use in (0, 2, 3, 0x11, 0xFF):
        other = plain[:-5] + bytes((use,)) + plain[-4:]
        refused(b, other + keys.siphash(key, other + session(b)), TAG, f"association {use}")


@case("KEY-03/truncated")
def truncated(b: Bench) -> None:
    """A trailer that is cut short or too long is none, its data length and CRC right."""
    head = signed(b)
    for cut in (1, 2, 4, 8, 12):
        refused(b, resized(head[:-cut]), TAG, f"a trailer cut by {cut} octets")
    refused(b, resized(head + b"\0"), TAG, "a trailer with an octet too many")


@case("KEY-04/old", "KEY-05")
def old(b: Bench) -> None:
    """A counter of 0, or at or below the last accepted one, is refused, also with a right tag."""
    first, spare, third = signed(b, 1), signed(b, 2), signed(b, 3, SETTING[b.role] + 1)
    obeyed(b, third, "TC[20,3] with a counter three above the last")
    refused(b, first, COUNTER, "a counter two below the last")
    refused(b, spare, COUNTER, "a counter one below the last")
    refused(b, signed(b, 0, SETTING[b.role] + 2), COUNTER, "another telecommand with the last counter")
    refused(b, signed(b, counter=0), COUNTER, "counter 0")
    obeyed(b, signed(b), "TC[20,3] with the next counter")


@case("KEY-04/future", "KEY-05")
def future(b: Bench) -> None:
    """A counter that leaps, or lies beyond the end, is refused, also with a right tag; the next one is not."""
    refused(b, signed(b, keyed.COUNTER_LEAP + 1), COUNTER, f"a leap of {keyed.COUNTER_LEAP + 1}")
    for counter in (keyed.COUNTER_END - 1, keyed.COUNTER_END, 1 << 30, 1 << 31, (1 << 32) - 1):
        refused(b, signed(b, counter=counter), COUNTER, f"counter {counter}")
    obeyed(b, signed(b), "TC[20,3] with the next counter")


@case("KEY-06/reset")
def reset(b: Bench) -> None:
    """After a reset, storage kept or erased, no command of before is obeyed, and counters begin anew."""
    for boot in (b.restart, b.fresh) if b.emulated else (b.restart,):
        b.restart()
        used, unused = signed(b, 1), signed(b, 500)
        obeyed(b, used, "TC[20,3] with counter 1")
        boot()
        expect(state(b)["counter"] == 0, "counter 0 after a reset", state(b)["counter"])
        refused(b, used, TAG, "a command that was obeyed before the reset")
        refused(b, unused, TAG, "a command that was signed before the reset")


@case("KEY-07/again")
def again(b: Bench) -> None:
    """The last guarded telecommand once more draws its verdict, also behind a ping, and is not executed again."""
    for value, verdict in ((SETTING[b.role], "TM[1,7]"), ((1 << 31) - 1, "TM[1,8]")):
        head = signed(b, 1, value)
        first = give(b, head)
        expect(first[-1:] != [] and first[-1].title == verdict, f"{verdict} to TC[20,3]", first)
        b.command("ping")
        heard = b.ask(host.seal(head))
        got = b.answers(heard)
        same = [h.packet[20:-2] for h in got] == [h.packet[20:-2] for h in first]
        expect(same, "the same answer to the same packet", got)
        expect(not told(heard, t.Event.COMMANDED), "no commanded event for a repetition", heard)


def told(heard: list[Heard], event: t.Event) -> list[Heard]:
    """Those events."""
    return [h for h in heard if h.title.startswith("TM[5,") and h["event"] == event]


@case("KEY-08/event")
def event(b: Bench) -> None:
    """A guarded telecommand that was executed is told with what it did and its source, before TM[1,7]; no other is."""
    heard = b.ask(host.seal(signed(b)))
    events = told(heard, t.Event.COMMANDED)
    expect(len(events) == 1, "one commanded event", heard)
    got = events[0]["cause"], events[0]["value"]
    expect(got == (128, SOURCE), f"cause 128 and source {SOURCE}", got)
    titles = [h.title for h in heard]
    expect("TM[1,7]" in titles[heard.index(events[0]) :], "TM[1,7] behind it", heard)
    heard = b.ask(host.seal(signed(b, 1, (1 << 31) - 1))) + b.ask(b.tc("ping"))
    expect(not told(heard, t.Event.COMMANDED), "none for what failed, and for a ping", heard)


@case("KEY-09/count")
def count(b: Bench) -> None:
    """Each refusal is counted."""
    before = state(b)["refused"]
    for _ in range(5):
        b.ask(host.seal(signed(b, owner=OTHER)))
    b.ask(host.seal(signed(b, counter=0)))
    expect(state(b)["refused"] == before + 6, f"{before + 6} refused in TM[130,2]", state(b)["refused"])


@case("KEY-09/told")
def told_now_and_then(b: Bench) -> None:
    """The first refusal after a boot is told, and then none for 60 s; in lock-step: one after that is."""
    b.restart()
    heard: list[Heard] = []
    for _ in range(5):
        heard += b.ask(host.seal(signed(b, owner=OTHER)))
    events = told(heard, t.Event.REFUSED)
    got = [(e["cause"], e["value"]) for e in events]
    expect(got == [(TAG, 1)], "one refused event, of the first", heard)
    if b.emulated:
        b.run(60_000)
        heard = b.ask(host.seal(signed(b, owner=OTHER)))
        expect(len(told(heard, t.Event.REFUSED)) == 1, "another refused event a minute later", heard)


@case("KEY-10/early")
def early(b: Bench) -> None:
    """A reboot within 60 s of a boot fails with code 16; in lock-step: later it is done."""
    b.restart()
    reboot = {"function": t.Function.REBOOT, "argument": 0}
    failure(
        b.answers(signing.tell(b, "perform", reboot)),
        "TM[1,8]",
        t.Failure.EARLY,
        "a reboot right after a boot",
    )
    if b.emulated:
        b.run(60_000)
        heard = signing.tell(b, "perform", reboot)
        expect(bool(told(heard, t.Event.BOOT)), "a boot event a minute later", heard)


# -- instruments


def polls(heard: list[Heard]) -> list[Heard]:
    """The polls of the transducer."""
    return [h for h in heard if h.title == "TC[3,27]" and h.packet[:2] == b"\x18\xa2"]


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
    key = master(b).derived("transducer", Association.ANSWER)
    for challenge in (bytes(8), b"\xff" * 8, b.rng.randbytes(8)):
        head = keys.add_challenge(b.head("report_hk", ack=0), challenge)
        got = give(b, head)
        expect([h.title for h in got] == ["TM[3,25]"], "TM[3,25] to a poll with a challenge", got)
        body, tag = got[0].packet[:-10], got[0].packet[-10:-2]
        expect(len(body) == 29 and body[-1] == Association.ANSWER, "a sample with a trailer", got)
        expect(tag == keys.siphash(key, body + challenge), "its tag over the challenge", got)
    expect(len(b.report().packet) == 30, "a sample without trailer to a poll without", b.report().text())
