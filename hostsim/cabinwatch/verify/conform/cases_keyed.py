"""Cases of SPEC.md's section 19: they are run where the node's key is given, and only they are."""

from cabinwatch import key_file
from cabinwatch.verify.conform import signing
from cabinwatch.verify.conform.bench import TC, Bench, Heard, Unmet, sealed_service, texts
from cabinwatch.verify.conform.case import boot_event, case, expect, failure
from cabinwatch.verify.conform.foretold import DRAWS, foretold
from cabinwatch.verify.conform.forgeries import (
    BARE,
    MISTAKES,
    OTHER,
    Scene,
    Signing,
    altered,
    forged,
    with_count,
)
from cabinwatch.verify.conform.signing import master
from cabinwatch.verify.conform.tour import SETTING
from cabinwatch_protocol import host, keyed, keys
from cabinwatch_protocol import table as t
from cabinwatch_protocol.keyed import Association
from cabinwatch_protocol.keys import MasterKey

SOURCE = 0x9234
"""Source ID of the signed telecommands: one that is negative as a signed number of 16 bits."""
TAG, COUNTER = t.Failure.TAG, t.Failure.COUNTER
LATER_S, POLLED_S = 3.5, 100
"""How long after a boot is later, on a live node and in virtual time."""
CHECKED = 3
"""Questions to a forgery: itself, the parameter, the state."""
ROW = 40
"""Refusals in a row."""
ROUNDS = 4
"""Round trips that a question may take: its own, the bench's behind it, and what checking a tag takes besides."""
OCTET = 256
"""Refusals that one octet does not count."""
A_POLLS = bytes((Association.ANSWER,)) + bytes(keyed.trailer_size("poll") - 1)
TRAILED = (
    A_POLLS,
    bytes((Association.COMMAND,)) + A_POLLS[1:],
    bytes(9),
    A_POLLS[:-1],
    A_POLLS[:1],
    A_POLLS + b"\0",
    bytes((Association.COMMAND,)) + bytes(keyed.trailer_size("command") - 1),
)
"""What stands behind the data of telecommands that are not guarded: trailers, right, wrong, cut and too long."""


def state(b: Bench) -> Heard:
    """What TC[130,1] draws."""
    told = signing.state(b)
    if told is None:
        heard = b.all_heard()
        refusals = [h for h in heard if h.title == "TM[1,2]" and h["failure"] == t.Failure.SERVICE]
        raise Unmet("TM[130,2] to TC[130,1]", signing.HOLDS_NO_KEY if refusals else texts(heard))
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
    ack: int = 9,
) -> bytes:
    """TC[20,3] of parameter 0 with its trailer, without PEC; what is not given is right.

    Its counter lies that far above the last accepted one.
    """
    told = state(b)
    wanted = {"parameter": 0, "value": SETTING[b.role] if value is None else value}
    head = b.head("set_parameter", wanted, ack, source=SOURCE)
    key = (owner or master(b)).derived(b.role, use)
    session = told["session"].to_bytes(keyed.TAG_SIZE, "big") if within is None else within
    return keys.sign_command(head, key, told["counter"] + above if counter is None else counter, session)


def take_time(b: Bench, questions: int) -> None:
    """Give the case the time that so many questions take on a live node that is slow."""
    b.lasting(ROUNDS * questions * b.rtt_s, 0)


def give(b: Bench, head: bytes) -> list[Heard]:
    """The node's answer to a packet without PEC, its events left out."""
    return b.answers(b.ask(host.seal(head)))


def obeyed(b: Bench, head: bytes, what: str) -> None:
    """It is executed."""
    got = give(b, head)
    if [h.title for h in got] != ["TM[1,1]", "TM[1,7]"]:
        raise Unmet(f"TM[1,1], TM[1,7] to {what}", texts(got) + mistaken(b, head, got))


def signing_of(b: Bench, head: bytes) -> Signing:
    """What the tag of a signed telecommand is made of."""
    key, other = (master(b).derived(b.role, use) for use in (Association.COMMAND, Association.ANSWER))
    return Signing(key, other, head[: -keyed.TAG_SIZE], session(b), keyed.trailer_size("command"))


def mistaken(b: Bench, head: bytes, got: list[Heard]) -> str:
    """Where a right telecommand was refused for its tag: what is right, and which mistake is obeyed instead."""
    if [h.title for h in got] != ["TM[1,2]"] or got[0]["failure"] != TAG:
        return ""
    due = f"right is {signing_of(b, head).text()}"
    for name, make in MISTAKES.items():
        good = signing_of(b, signed(b))
        if [h.title for h in give(b, good.signed + make(good))] == ["TM[1,1]", "TM[1,7]"]:
            return f"; what it obeys is a tag {name}; {due}"
    for name in theirs(b, signing_of(b, head)):
        good = signing_of(b, signed(b))
        if [h.title for h in give(b, good.signed + theirs(b, good)[name])] == ["TM[1,1]", "TM[1,7]"]:
            return f"; what it obeys is a tag {name}: it was given that one's keys"
    return f"; {due}, or the node holds another owner's keys"


def refused(b: Bench, head: bytes, code: t.Failure, what: str) -> None:
    """It is refused with that code, and changes neither the parameter nor the counter."""
    before, counter = b.parameter(0), state(b)["counter"]
    failure(give(b, head), "TM[1,2]", code, what)
    unchanged(b, before, counter, what)


@case("KEY-01/session")
def sessions(b: Bench) -> None:
    """TM[130,2] tells the session; after each of five resets it is another, which the ones before do not foretell."""
    drawn = [session(b)]
    while len(drawn) < DRAWS:
        b.restart()
        drawn.append(session(b))
    expect(len({*drawn}) == DRAWS, f"{DRAWS} sessions in {DRAWS} boots", [d.hex() for d in drawn])
    how = foretold(drawn)
    expect(not how, "sessions that nobody can foretell", f"{how}: {', '.join(d.hex() for d in drawn)}")


@case("KEY-02/guarded", "KEY-03")
def guarded(b: Bench) -> None:
    """Guarded telecommands without a trailer are refused with code 14; a ping and reports are answered."""
    state(b)
    for p in keyed.GUARDED:
        if b.role in p.roles:
            values = {"function": 2, "argument": 0} if p.name == "perform" else {"parameter": 0, "value": 500}
            wanted = {f.name: values[f.name] for f in p.fields if f.fixed is None}
            failure(b.command(p.name, wanted), "TM[1,2]", TAG, f"{p.title} without a trailer")
    for name, title in (("ping", "TM[17,2]"), ("report_hk", "TM[3,25]")):
        got = b.command(name, ack=0)
        expect([h.title for h in got] == [title], f"{title} to {TC[name].title}", got)
    b.parameter(0)


def set_to(b: Bench, what: str) -> bytes:
    """A signed telecommand that was obeyed: it sets parameter 0 to SETTING."""
    head = signed(b)
    obeyed(b, head, f"TC[20,3] ({what})")
    return head


def unchanged(b: Bench, value: int, counter: int, after: str) -> None:
    """Parameter and counter are as they were."""
    expect(b.parameter(0) == value, f"parameter 0 still {value} after {after}", b.parameter(0))
    expect(state(b)["counter"] == counter, f"counter still {counter} after {after}", state(b)["counter"])


@case("KEY-02/bare", "KEY-03")
def bare(b: Bench) -> None:
    """Each guarded telecommand without a trailer, also a wrong one, is refused with code 14, always, with any flags."""
    set_to(b, "bare")
    take_time(b, 3 * (CHECKED * 2 * len(BARE) + ROW))
    for when in ("behind an accepted one", "behind refusals", "later"):
        before, counter = b.parameter(0), state(b)["counter"]
        for what, (name, values, n) in BARE.items():
            for ack in (9, 0) if b.role in TC[name].roles else ():
                got = give(b, with_count(b.head(name, values, ack), n))
                failure(got, "TM[1,2]", TAG, f"{what} without a trailer, {when}, with flags {ack}")
                unchanged(b, before, counter, f"{what} without a trailer, {when}, with flags {ack}")
        if when == "behind an accepted one":
            for _ in range(ROW):
                give(b, signed(b, owner=OTHER))
        elif when == "behind refusals":
            b.run(b.lasting(LATER_S, POLLED_S))


@case("KEY-02/open", "KEY-14")
def open_ones(b: Bench) -> None:
    """A telecommand that is not guarded has a wrong length with a trailer, but for a transducer's poll with its own."""
    for p, values in (
        (TC["ping"], {}),
        (TC["report_parameter"], {"parameter": 0}),
        (TC["report_hk"], {}),
        (keyed.REPORT_SESSION, {}),
    ):
        for trailer in TRAILED:
            if p.name == "report_hk" and b.role == "transducer" and trailer == A_POLLS:
                continue
            head = host.encode_tc(p, b.apid, b.next_count(), values)
            what = f"{p.title} with {len(trailer)} octets behind its data"
            failure(give(b, host.resized(head + trailer)), "TM[1,2]", t.Failure.LENGTH, what)


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
    """Each bit of the tag, and each that it covers behind the packet ID, matters; behind them the right one is done."""
    head = signed(b)
    take_time(b, 8 * len(head))
    before, counter = b.parameter(0), state(b)["counter"]
    for octet, wrong in altered(head).items():
        for one in wrong:
            failure(give(b, one), "TM[1,2]", TAG, f"a signed packet with a bit of octet {octet} altered")
        unchanged(b, before, counter, f"a signed packet with octet {octet} altered")
    obeyed(b, head, "the same as it was signed")


@case("KEY-03/forged", "KEY-05")
def forgeries(b: Bench) -> None:
    """No forgery of a tag is taken: before an accepted command and after it, by any flags, values and counters."""
    accepted = b""
    for ack, value, above in (
        (9, SETTING[b.role] + 1, 1),
        (0, SETTING[b.role] + 1, keyed.COUNTER_LEAP),
        (9, t.PARAMETERS[b.role][0].default, keyed.COUNTER_LEAP),
        (0, t.PARAMETERS[b.role][0].default, 1),
    ):
        good = signing_of(b, signed(b, above, value, ack=ack))
        scene = Scene(b.role, good, accepted, sampled_tag(b))
        before, counter = b.parameter(0), state(b)["counter"]
        every = forged(scene, theirs(b, good))
        take_time(b, CHECKED * len(every))
        for name, head in every.items():
            what = f"{name}, flags {ack}, " + ("after" if accepted else "before") + " an accepted one"
            got = give(b, head)
            if [h.title for h in got] != ["TM[1,2]"] or got[0]["failure"] != TAG:
                raise Unmet(
                    f"TM[1,2] with failure code {TAG} to {what} (right would be {good.text()})", texts(got)
                )
            unchanged(b, before, counter, what)
        accepted = accepted or set_to(b, "between forgeries")
    obeyed(b, signed(b), "a good one behind them all")


def theirs(b: Bench, good: Signing) -> dict[str, bytes]:
    """The tags of the owner's other nodes."""
    others = {r: master(b).derived(r, Association.COMMAND) for r in key_file.NODES if r != b.role}
    return {f"of the owner's {r}": keys.siphash(key, good.signed + good.secret) for r, key in others.items()}


def sampled_tag(b: Bench) -> bytes:
    """The tag of a keyed transducer's sample; of another node, none."""
    if b.role != "transducer":
        return b""
    got = give(b, keys.add_challenge(b.head("report_hk", ack=0), bytes(keyed.TAG_SIZE)))
    return got[0].packet[-t.PEC - keyed.TAG_SIZE : -t.PEC] if got else b""


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
        refused(b, host.resized(head[:-cut]), TAG, f"a trailer cut by {cut} octets")
    refused(b, host.resized(head + b"\0"), TAG, "a trailer with an octet too many")
    good = signing_of(b, head)
    longer = host.resized(head + b"\0")[: len(good.signed)]
    tag = good.over(longer + good.secret)
    refused(b, longer + tag + b"\0", TAG, "a right tag and an octet behind it")


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


@case("KEY-04/played-again", "KEY-05")
def played_again(b: Bench) -> None:
    """Accepted telecommands, played again behind later ones in any order, are refused."""
    first, second, third = (signed(b, step, SETTING[b.role] + step) for step in (1, 2, 3))
    for head, earlier in ((first, ()), (second, (first,)), (third, (first, second, first))):
        obeyed(b, head, "TC[20,3]")
        for old in earlier:
            refused(b, old, COUNTER, "one that was accepted before the last")


@case("KEY-04/order", "KEY-03")
def order(b: Bench) -> None:
    """A bad counter has code 15 with a wrong tag, too, and code 14 behind another association; the last counter 14."""
    for when in ("before an accepted one", "after it"):
        last = state(b)["counter"]
        for counter in {0, max(last - 1, 0), last + keyed.COUNTER_LEAP + 1, keyed.COUNTER_END, (1 << 32) - 1}:
            wrong = signed(b, value=SETTING[b.role] + 1, counter=counter, owner=OTHER)
            refused(b, wrong, COUNTER, f"counter {counter} with a wrong tag, {when}")
            at = len(wrong) - keyed.trailer_size("command")
            other = wrong[:at] + b"\2" + wrong[at + 1 :]
            refused(b, other, TAG, f"counter {counter} behind association 2, {when}")
        if last:
            wrong = signed(b, 0, SETTING[b.role] + 1, owner=OTHER)
            refused(b, wrong, TAG, "the last counter with a wrong tag")
        set_to(b, "a good one")


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
    """The last guarded telecommand draws its verdict again, also behind ping and refusals, and is not executed."""
    for value, verdict in ((SETTING[b.role], "TM[1,7]"), ((1 << 31) - 1, "TM[1,8]")):
        head = signed(b, 1, value)
        first = give(b, head)
        expect(first[-1:] != [] and first[-1].title == verdict, f"{verdict} to TC[20,3]", first)
        counter = int.from_bytes(head[-12:-8], "big")
        expect(state(b)["counter"] == counter, f"counter {counter} used up by {verdict}", state(b)["counter"])
        b.command("ping")
        give(b, signed(b, owner=OTHER))
        give(b, signed(b, counter=0))
        heard = b.ask(host.seal(head))
        got = b.answers(heard)
        same = [h.packet[20:-2] for h in got] == [h.packet[20:-2] for h in first]
        expect(same, "the same answer to the same packet", got)
        expect(not told(heard, t.Event.COMMANDED), "no commanded event for a repetition", heard)


@case("KEY-07/double")
def double(b: Bench) -> None:
    """A ping with the count and the CRC of a signed telecommand does not take its place."""
    head = signed(b, 1, SETTING[b.role] + 1)
    ping = b.head("ping", ack=0, count=int.from_bytes(head[2:4], "big") & 0x3FFF)[:-2]
    wanted = host.crc16(head)
    # Any two octets before a CRC of 16 bits can make it any other one.
    twin = next(p for i in range(1 << 16) if host.crc16(p := ping + i.to_bytes(2, "big")) == wanted)
    got = b.answers(b.ask(host.seal(twin) + host.seal(head)))
    expect([h.title for h in got] == ["TM[17,2]", "TM[1,1]", "TM[1,7]"], "TM[17,2], TM[1,1], TM[1,7]", got)
    expect(b.parameter(0) == SETTING[b.role] + 1, f"parameter 0 = {SETTING[b.role] + 1}", b.parameter(0))


def told(heard: list[Heard], event: t.Event) -> list[Heard]:
    """Those events."""
    return [h for h in heard if h.title.startswith("TM[5,") and h["event"] == event]


def expect_event(e: Heard, cause: int, value: int) -> None:
    """It is of class nominal, for everybody, with that cause and value."""
    got = e.title, e.decoded.peer if e.decoded else None, e["cause"], e["value"]
    expect(
        got == ("TM[5,1]", 0, cause, value), f"TM[5,1] to 0 with cause {cause} and value {value}", e.text()
    )


@case("KEY-08/event")
def event(b: Bench) -> None:
    """A guarded telecommand that was executed is told with what it did and its source, before TM[1,7]; no other is."""
    for ack in (9, 0):
        heard = b.ask(host.seal(signed(b, ack=ack)))
        events = told(heard, t.Event.COMMANDED)
        expect(len(events) == 1, f"one commanded event, with flags {ack}", heard)
        expect_event(events[0], 128, SOURCE)
        if ack:
            titles = [h.title for h in heard]
            expect("TM[1,7]" in titles[heard.index(events[0]) :], "TM[1,7] behind it", heard)
    heard = b.ask(host.seal(signed(b, 1, (1 << 31) - 1))) + b.ask(b.tc("ping"))
    expect(not told(heard, t.Event.COMMANDED), "none for what failed, and for a ping", heard)


@case("KEY-09/count")
def count(b: Bench) -> None:
    """Each refusal with code 14 or 15 is counted, modulo 65536 and no less; another one is not."""
    before = state(b)["refused"]
    give(b, signed(b, counter=0))
    wrong = signed(b, owner=OTHER)
    take_time(b, OCTET)
    for _ in range(OCTET):
        give(b, wrong)
    b.ask(sealed_service(b, 99, 1))
    b.ask(host.seal(host.resized(b.head("ping") + b"\0")))
    wanted = (before + OCTET + 1) % (1 << 16)
    expect(state(b)["refused"] == wanted, f"{wanted} refused in TM[130,2]", state(b)["refused"])


@case("KEY-09/told", beside=True)
def told_now_and_then(b: Bench) -> None:
    """The first refusal after a boot is told, before TM[1,2], and none for 60 s; given the time: one after that."""
    for code, counter, owner in ((TAG, None, OTHER), (COUNTER, 0, None)):
        b.restart()
        heard: list[Heard] = []
        since_ms = b.now_ms
        for _ in range(5):
            heard += b.ask(host.seal(signed(b, counter=counter, owner=owner)))
        events = told(heard, t.Event.REFUSED)
        expect(len(events) == 1, "one refused event, of the first", heard)
        expect_event(events[0], code, 1)
        first = [h.title for h in heard].index("TM[1,2]")
        expect(heard.index(events[0]) < first, "the refused event before TM[1,2]", heard)
        if b.emulated or b.thorough:
            minute_ms = b.lasting(keyed.TELL_MS / 10_000, keyed.TELL_MS / 1000)
            near_ms = minute_ms // (1000 if b.emulated else 10)
            for end_ms, values in ((minute_ms - near_ms, []), (minute_ms + near_ms, [7])):
                b.run(since_ms + end_ms - b.now_ms)
                events = told(b.ask(host.seal(signed(b, counter=counter, owner=owner))), t.Event.REFUSED)
                what = f"refused events with values {values}, {end_ms} ms after the first"
                expect([e["value"] for e in events] == values, what, events)


@case("KEY-10/early", beside=True)
def early(b: Bench) -> None:
    """A reboot within 60 s of a boot fails with code 16; given the time: later it is done."""
    b.restart()
    reboot = {"function": t.Function.REBOOT, "argument": 0}
    failure(
        b.answers(signing.tell(b, "perform", reboot)),
        "TM[1,8]",
        t.Failure.EARLY,
        "a reboot right after a boot",
    )
    if b.emulated or b.thorough:
        b.run(b.lasting(keyed.EARLY_MS / 10_000, keyed.EARLY_MS / 1000))
        b.run(signing.reboots_in_ms(b))
        boot_event(b.reboot(host.seal(signing.signed(b, b.head("perform", reboot)))), t.Reset.COMMANDED)
