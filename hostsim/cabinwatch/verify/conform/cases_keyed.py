"""Cases of SPEC.md's section 19: they are run where the node's key is given, and only they are."""

from cabinwatch.verify.conform.bench import TC, Bench, Heard, Unmet, texts
from cabinwatch.verify.conform.case import case, expect, failure
from cabinwatch.verify.conform.tour import SETTING
from cabinwatch_protocol import host, keyed, keys
from cabinwatch_protocol import table as t
from cabinwatch_protocol.keyed import Association
from cabinwatch_protocol.keys import MasterKey

OTHER = MasterKey(b"another owner's.")
SOURCE = 0x1234
ROOM = 100
"""Frames of one case, in which the counter rises, and polls that are compared."""
TAG, COUNTER = t.Failure.TAG, t.Failure.COUNTER


def master(b: Bench) -> MasterKey:
    """The owner's key: without it none of these cases is picked."""
    assert b.master is not None
    return b.master


def state(b: Bench) -> Heard:
    """What TC[130,1] draws."""
    head = host.encode_tc(keyed.REPORT_SESSION, b.apid, b.next_count(), ack=0)
    got = b.answers(b.ask(host.seal(head)))
    expect(len(got) == 1 and got[0].title == "TM[130,2]", "TM[130,2] to TC[130,1]", got)
    return got[0]


def session(b: Bench) -> bytes:
    """The node's session."""
    return state(b)["session"].to_bytes(keyed.TAG_SIZE, "big")


def signed(
    b: Bench,
    counter: int,
    value: int | None = None,
    *,
    within: bytes | None = None,
    owner: MasterKey | None = None,
    use: Association = Association.COMMAND,
) -> bytes:
    """TC[20,3] of parameter 0 with its trailer, without PEC; what is not given is right."""
    wanted = {"parameter": 0, "value": SETTING[b.role] if value is None else value}
    head = host.encode_tc(TC["set_parameter"], b.apid, b.next_count(), wanted, source=SOURCE)
    key = (owner or master(b)).derived(b.role, use)
    return keys.sign_command(head, key, counter, session(b) if within is None else within)


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
    low = SETTING[b.role]
    for counter, value in ((1, low), (2, low + 1), (1000, low + 2), (keyed.COUNTER_END - 1, low + 3)):
        obeyed(b, signed(b, counter, value), f"TC[20,3] with counter {counter}")
        expect(b.parameter(0) == value, f"parameter 0 = {value}", b.parameter(0))
        expect(state(b)["counter"] == counter, f"counter {counter} in TM[130,2]", state(b)["counter"])


@case("KEY-03/wrong-tag", "KEY-05")
def wrong_tag(b: Bench) -> None:
    """Each octet of the tag, and each octet that it covers behind the message type, matters."""
    head = signed(b, 5)
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
    refused(b, signed(b, 1, owner=OTHER), TAG, "the tag of another owner")
    refused(b, signed(b, 1, use=Association.ANSWER), TAG, "a tag under the key of answers")
    refused(b, signed(b, 1, within=bytes(8)), TAG, "a tag for session 0")
    wanted = {"parameter": 0, "value": SETTING[b.role]}
    head = host.encode_tc(TC["set_parameter"], b.apid, b.next_count(), wanted)
    for role in t.COMMANDED:
        if role != b.role:
            key = master(b).derived(role, Association.COMMAND)
            refused(b, keys.sign_command(head, key, 1, session(b)), TAG, f"a tag under the {role}'s key")


@case("KEY-03/association")
def association(b: Bench) -> None:
    """Another association, with a right tag over it, is none."""
    plain = signed(b, 1)[: -keyed.TAG_SIZE]
    key = master(b).derived(b.role, Association.COMMAND)
    for use in (0, 2, 3, 0x11, 0xFF):
        other = plain[:-5] + bytes((use,)) + plain[-4:]
        refused(b, other + keys.siphash(key, other + session(b)), TAG, f"association {use}")


@case("KEY-03/truncated")
def truncated(b: Bench) -> None:
    """A trailer that is cut short or too long is none, its data length and CRC right."""
    head = signed(b, 1)
    for cut in (1, 2, 4, 8, 12):
        refused(b, resized(head[:-cut]), TAG, f"a trailer cut by {cut} octets")
    refused(b, resized(head + b"\0"), TAG, "a trailer with an octet too many")


@case("KEY-04/old", "KEY-05")
def old(b: Bench) -> None:
    """A counter of 0, at or below the last accepted one, or beyond its end, is refused, also with a right tag."""
    first, spare = signed(b, 7), signed(b, 8)
    obeyed(b, signed(b, 9, SETTING[b.role] + 1), "TC[20,3] with counter 9")
    refused(b, first, COUNTER, "counter 7 after 9")
    refused(b, spare, COUNTER, "counter 8 after 9")
    refused(b, signed(b, 9, SETTING[b.role] + 2), COUNTER, "another telecommand with counter 9")
    for counter in (0, keyed.COUNTER_END, 1 << 30, 1 << 31, (1 << 32) - 1):
        refused(b, signed(b, counter), COUNTER, f"counter {counter}")
    obeyed(b, signed(b, 10), "TC[20,3] with counter 10")


@case("KEY-06/reset")
def reset(b: Bench) -> None:
    """After a reset, storage kept or erased, no command of before is obeyed, and counters begin anew."""
    for boot in (b.restart, b.fresh):
        used, unused = signed(b, 1), signed(b, 1 << 20)
        obeyed(b, used, "TC[20,3] with counter 1")
        boot()
        expect(state(b)["counter"] == 0, "counter 0 after a reset", state(b)["counter"])
        refused(b, used, TAG, "a command that was obeyed before the reset")
        refused(b, unused, TAG, "a command that was signed before the reset")


@case("KEY-07/again")
def again(b: Bench) -> None:
    """The last guarded telecommand once more draws its verdict, also behind a ping, and is not executed again."""
    for head, verdict in ((signed(b, 1), "TM[1,7]"), (signed(b, 2, (1 << 31) - 1), "TM[1,8]")):
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
    heard = b.ask(host.seal(signed(b, 1)))
    events = told(heard, t.Event.COMMANDED)
    expect(len(events) == 1, "one commanded event", heard)
    got = events[0]["cause"], events[0]["value"]
    expect(got == (128, SOURCE), f"cause 128 and source {SOURCE}", got)
    titles = [h.title for h in heard]
    expect("TM[1,7]" in titles[heard.index(events[0]) :], "TM[1,7] behind it", heard)
    heard = b.ask(host.seal(signed(b, 2, (1 << 31) - 1))) + b.ask(b.tc("ping"))
    expect(not told(heard, t.Event.COMMANDED), "none for what failed, and for a ping", heard)


@case("KEY-09/count")
def count(b: Bench) -> None:
    """Each refusal is counted; the first is told, and then none for 60 s."""
    heard: list[Heard] = []
    for _ in range(5):
        heard += b.ask(host.seal(signed(b, 1, owner=OTHER)))
    heard += b.ask(host.seal(signed(b, 0)))
    expect(state(b)["refused"] == 6, "6 refused in TM[130,2]", state(b)["refused"])
    events = told(heard, t.Event.REFUSED)
    expect(
        len(events) == 1 and (events[0]["cause"], events[0]["value"]) == (TAG, 1), "one refused event", heard
    )
    if b.emulated:
        b.run(60_000)
        heard = b.ask(host.seal(signed(b, 1, owner=OTHER)))
        events = told(heard, t.Event.REFUSED)
        expect(len(events) == 1, "another refused event a minute later", heard)


@case("KEY-10/early")
def early(b: Bench) -> None:
    """A reboot within 60 s of a boot fails with code 16; in lock-step: later it is done."""
    b.restart()
    key = master(b).derived("monitor", Association.COMMAND)

    def reboot(counter: int) -> list[Heard]:
        values = {"function": t.Function.REBOOT, "argument": 0}
        head = host.encode_tc(TC["perform"], b.apid, b.next_count(), values)
        return b.ask(host.seal(keys.sign_command(head, key, counter, session(b))))

    failure(b.answers(reboot(1)), "TM[1,8]", t.Failure.EARLY, "a reboot right after a boot")
    if b.emulated:
        b.run(60_000)
        heard = reboot(2)
        expect(bool(told(heard, t.Event.BOOT)), "a boot event a minute later", heard)


# -- instruments


def next_poll(b: Bench) -> Heard:
    """The next poll of the transducer, which has a challenge."""
    heard = b.run(2 * t.by_name(t.MONITOR_PARAMETERS)["poll_period"].default)
    polls = [h for h in heard if h.title == "TC[3,27]" and h.packet[:2] == b"\x18\xa2"]
    if not polls or polls[-1].decoded is None or not polls[-1].decoded.trailer:
        raise Unmet("a poll of the transducer with a challenge", texts(heard))
    return polls[-1]


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
        heard = b.run(b.lasting(5, ROOM))
        seen += [keys.challenge_of(h.packet) for h in heard if h.title == "TC[3,27]"]
    expect(b"" not in seen, "a challenge in each poll", seen)
    expect(len(set(seen)) == len(seen) > 3, "challenges that are all different", seen)


@case("KEY-12/newest", "KEY-13")
def newest(b: Bench) -> None:
    """A sample without a tag, of another owner, for an earlier poll, or once more is none; the right one is."""
    expect(state(b)["keyed"] & 1 == 1, "that the transducer is keyed in TM[130,2]", state(b)["keyed"])
    before = next_poll(b)
    poll = next_poll(b)
    challenge = keys.challenge_of(poll.packet)
    wrong = {
        "a sample without a tag": b.sample_frame(b.now_ms),
        "a sample with another owner's tag": answer(b, challenge, OTHER),
        "a sample that answers an earlier poll": answer(b, keys.challenge_of(before.packet)),
    }
    for counted, (what, frame) in enumerate(wrong.items(), 1):
        b.give(frame)
        health = b.report()["health"]
        expect(health == t.Health.SILENT, f"health silent after {what}", health)
        expect(state(b)["refused"] == counted, f"{counted} refused after {what}", state(b)["refused"])
    frame = answer(b, challenge)
    b.give(frame)
    expect(
        b.report()["health"] == t.Health.OK,
        "health ok after the answer to the newest poll",
        b.report()["health"],
    )
    b.give(frame)
    expect(state(b)["refused"] == len(wrong) + 1, "the same answer once more refused", state(b)["refused"])


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
