"""What a keyed node does besides: it executes guarded telecommands only with a valid tag, and tells what it did.

The node keeps its keys in ``key`` (its command key, then answer keys), and in ``vault``, at the places below, all that
makes a tag unlike any other. The port sets ``renew(vault)``, which at each boot puts eight new, unpredictable octets at
its beginning: the session. So no command of an earlier boot holds, and nothing needs to be stored. See SPEC.md.

Functions and no class in between: the monitor and the transducer have the same hooks, and no board has both.
"""

from cabinwatch_protocol.device.consts import (
    ASSOCIATION_COMMAND,
    COMMAND_TRAILER,
    COUNTER_END,
    COUNTER_LEAP,
    EVENT_COMMANDED,
    EVENT_REFUSED,
    FAIL_COUNTER,
    FAIL_LENGTH,
    FAIL_TAG,
    PEC,
    PERFORM_FUNCTION_AT,
    SESSION_COUNTER,
    SESSION_KEYED,
    SESSION_REFUSED,
    SESSION_SESSION_AT,
    SESSION_SIZE,
    SET_PARAMETER_PARAMETER_AT,
    TAG_SIZE,
    TC_SERVICE_AT,
    TC_SOURCE,
    TC_SUBTYPE_AT,
    TELL_MS,
)
from cabinwatch_protocol.device.node import signed_at
from cabinwatch_protocol.device.siphash import siphash

# Places in the vault, eight octets each: the session, the number of the last poll, the last accepted command's tag, the
# received one, and the newest challenge to each instrument.
NUMBER = 8
LAST = 16
RECEIVED = 24
CHALLENGE = 32
VAULT = 48

SET_PARAMETER = 128  # in the cause of a commanded event: a parameter was set; below it, service 3
SERVICE_3 = 64


def forget(node):
    """As after a boot, in a new session."""
    vault = node.vault
    node.renew(vault)
    i = NUMBER
    while i < VAULT:
        vault[i] = 0
        i += 1
    node.counter = node.refused = node.quiet_ms = node.asked = 0


def is_guarded(b):
    """Whether the telecommand in b changes something: a function, a parameter, periodic reports."""
    service = b[TC_SERVICE_AT]
    return service == 8 or service == 20 and b[TC_SUBTYPE_AT] == 3 or service == 3 and b[TC_SUBTYPE_AT] != 27


def holds(node, k, secret):
    """Whether the received packet's tag is that under key[k:k + 16] with vault[secret:secret + 8] in its place."""
    b = node.frame.buf
    vault = node.vault
    tag = node.tag
    at = node.frame.size + 1 - PEC - TAG_SIZE
    i = 0
    while i < TAG_SIZE:
        vault[RECEIVED + i] = b[at + i]
        b[at + i] = vault[secret + i]
        i += 1
    siphash(node.key, k, b, 1, at + TAG_SIZE, tag)
    # To the end, wherever they differ: how long it takes tells nothing.
    differ = 0
    while i:
        i -= 1
        differ |= tag[i] ^ vault[RECEIVED + i]
    return not differ


def judge(node, code):
    """The failure code of a telecommand whose header and length came to ``code``."""
    node.guarded = is_guarded(node.frame.buf)
    if not node.guarded or code and code != FAIL_LENGTH:
        return code
    code = FAIL_TAG if code else judge_tag(node)
    if code:
        refuse(node, code)
    return code


def judge_tag(node):
    """The failure code that a guarded telecommand's trailer comes to; from a valid one on, its counter counts."""
    vault = node.vault
    at = node.frame.size + 1 - PEC - COMMAND_TRAILER
    counter = signed_at(node.frame.buf, at + 1)
    if node.frame.buf[at] != ASSOCIATION_COMMAND:
        return FAIL_TAG
    if counter < 1 or counter >= COUNTER_END or not 0 <= counter - node.counter <= COUNTER_LEAP:
        return FAIL_COUNTER
    if not holds(node, 0, 0):
        return FAIL_TAG
    node.again = counter == node.counter
    i = 0
    while i < TAG_SIZE:
        if not node.again:
            vault[LAST + i] = vault[RECEIVED + i]
        elif vault[LAST + i] != vault[RECEIVED + i]:
            return FAIL_COUNTER
        i += 1
    node.counter = counter
    return 0


def refuse(node, code):
    """Count what was refused, and tell now and then."""
    node.refused = node.refused + 1 & 0xFFFF
    if node.quiet_ms <= 0:
        node.quiet_ms = TELL_MS
        node.event(1, EVENT_REFUSED, code, node.refused)


def tell(node, again, code):
    """Leave word of a guarded telecommand that was executed."""
    if again or code:
        return
    b = node.frame.buf
    what = b[PERFORM_FUNCTION_AT]
    if b[TC_SERVICE_AT] == 20:
        what = SET_PARAMETER + b[SET_PARAMETER_PARAMETER_AT]
    elif b[TC_SERVICE_AT] == 3:
        what = SERVICE_3 + b[TC_SUBTYPE_AT]
    node.event(1, EVENT_COMMANDED, what, node.field(TC_SOURCE))


def report_session(node, keyed):
    """Answer TC[130,1]."""
    node.begin_tm(130, 2, node.field(TC_SOURCE))
    i = 0
    while i < 8:
        node.tx[SESSION_SESSION_AT + 1 + i] = node.vault[i]
        i += 1
    node.set(SESSION_COUNTER, node.counter)
    node.set(SESSION_REFUSED, node.refused)
    node.set(SESSION_KEYED, keyed)
    node.send(SESSION_SIZE)
