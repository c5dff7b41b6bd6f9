"""Make a function's bytecode shorter: flash is what the firmware fills.

Compiling calls into their callers leaves values that are stored to be loaded once, jumps to jumps, tests of constants,
and the same tail at the end of many branches. Each rule here takes a list of operations and gives one that does the
same; they are applied until none finds anything.
"""

from collections import Counter
from collections.abc import Sequence

from cabinwatch.board.build.bytecode import (
    DUP_TOP,
    JUMP,
    JUMP_IF_FALSE,
    JUMP_IF_FALSE_OR_POP,
    JUMP_IF_TRUE,
    JUMP_IF_TRUE_OR_POP,
    LABEL,
    LOAD_FALSE,
    LOAD_FAST,
    LOAD_NONE,
    LOAD_SMALL_INT,
    LOAD_TRUE,
    POP_TOP,
    RETURN,
    SMALL_INT_0,
    STORE_FAST,
    Operation,
)

Operations = list[Operation]

JUMP_OCTETS = 3
LEAST_SHARED = 2
"""Octets that a shared end has to save: it costs the time of a jump."""
_ENDS = (JUMP, RETURN)  # what follows is reached by a label only
_TESTS = {JUMP_IF_TRUE: True, JUMP_IF_FALSE: False}
_KEEPING = {JUMP_IF_TRUE_OR_POP: JUMP_IF_TRUE, JUMP_IF_FALSE_OR_POP: JUMP_IF_FALSE}
_OTHER = {JUMP_IF_TRUE: JUMP_IF_FALSE, JUMP_IF_FALSE: JUMP_IF_TRUE}


def shorten(operations: Sequence[Operation], arguments: int) -> Operations:
    """The same function in fewer octets; the first ``arguments`` locals keep their slots."""
    now = list(operations)
    while True:
        before = now
        for rule in (_thread, _decide, _straighten, _sweep, _forget, _share):
            now = rule(now)
        if now == before:
            return _renumber(now, arguments)


def _next(operations: Operations, at: int) -> int:
    """The index of the next operation from ``at`` on that does something; the end where there is none."""
    while at < len(operations) and operations[at].opcode == LABEL:
        at += 1
    return at


def _places(operations: Operations) -> dict[int, int]:
    """Where each label is."""
    return {one.label: at for at, one in enumerate(operations) if one.opcode == LABEL}


def _label_behind(operations: Operations, at: int) -> int:
    """A label directly behind the operation ``at``, put there if need be."""
    if at + 1 < len(operations) and operations[at + 1].opcode == LABEL:
        return operations[at + 1].label
    label = 1 + max(one.label for one in operations)
    operations.insert(at + 1, Operation(LABEL, label=label))
    return label


def _thread(operations: Operations) -> Operations:
    """A jump to a jump goes to where that goes; a jump to a return returns; a kept value is not tested twice."""
    places = _places(operations)
    out: Operations = []
    for one in operations:
        if one.opcode == LABEL or one.label < 0:
            out.append(one)
            continue
        at = _next(operations, places[one.label])
        there = operations[at : at + 1]
        if there and there[0].opcode == JUMP and there[0].label != one.label:
            out.append(Operation(one.opcode, label=there[0].label))
        elif there and one.opcode == JUMP and there[0].opcode == RETURN:
            out.append(there[0])
        elif one.opcode == JUMP and [o.opcode for o in operations[at : at + 2]] == [LOAD_NONE, RETURN]:
            out += operations[at : at + 2]
        elif there and one.opcode in _KEEPING and there[0].opcode == _KEEPING[one.opcode]:
            out.append(there[0])
        else:
            out.append(one)
    return out


def _truth(one: Operation) -> bool | None:
    """The truth of a constant that is loaded, or None."""
    if one.opcode in (LOAD_FALSE, LOAD_NONE, SMALL_INT_0):
        return False
    if one.opcode in (LOAD_TRUE, LOAD_SMALL_INT) or SMALL_INT_0 - 16 <= one.opcode <= SMALL_INT_0 + 47:
        return True
    return None


def _decide(operations: Operations) -> Operations:
    """A constant that is tested next, here or behind a jump, is a jump."""
    places = _places(operations)
    for at, one in enumerate(operations[:-1]):
        truth, follows = _truth(one), operations[at + 1]
        if truth is None:
            continue
        behind = _next(operations, places[follows.label]) if follows.opcode == JUMP else at + 1
        if behind >= len(operations) or (test := operations[behind]).opcode not in _TESTS:
            continue
        out = list(operations)
        label = test.label if _TESTS[test.opcode] == truth else _label_behind(out, behind)
        at = next(i for i, other in enumerate(out) if other is one)
        return [*out[:at], Operation(JUMP, label=label), *out[at + 1 + (follows.opcode == JUMP) :]]
    return operations


def _straighten(operations: Operations) -> Operations:
    """No jump to what follows anyway, and none over a jump."""
    out: Operations = []
    places = _places(operations)
    skip = -1
    for at, one in enumerate(operations):
        if at == skip:
            continue
        if one.opcode == LABEL or one.label < 0:
            out.append(one)
        elif places[one.label] > at and _next(operations, at + 1) == _next(operations, places[one.label]):
            out += [] if one.opcode == JUMP else [Operation(POP_TOP)] if one.opcode in _TESTS else [one]
        elif (
            one.opcode in _OTHER
            and operations[at + 1].opcode == JUMP
            and places[one.label] > at
            and _next(operations, places[one.label]) == _next(operations, at + 2)
        ):
            out.append(Operation(_OTHER[one.opcode], label=operations[at + 1].label))
            skip = at + 1
        else:
            out.append(one)
    return out


def _sweep(operations: Operations) -> Operations:
    """Nothing that is never reached, and no label to which nothing jumps."""
    targets = {one.label for one in operations if one.opcode != LABEL}
    out: Operations = []
    for one in operations:
        if one.opcode == LABEL:
            if one.label in targets:
                out.append(one)
        elif not (out and out[-1].opcode in _ENDS):
            out.append(one)
    return out


def _forget(operations: Operations) -> Operations:
    """No value that is dropped, and none that is stored to be loaded once, directly behind."""
    loads = Counter(one.slot for one in operations if one.opcode == LOAD_FAST)
    out: Operations = []
    for one in operations:
        last = out[-1] if out else None
        if one.opcode == STORE_FAST and not loads[one.slot]:
            one = Operation(POP_TOP)
        if (
            one.opcode == LOAD_FAST and last == Operation(STORE_FAST, slot=one.slot) and loads[one.slot] == 1
        ) or (
            one.opcode == POP_TOP
            and last
            and (_truth(last) is not None or last.opcode in (LOAD_FAST, DUP_TOP))
        ):
            out.pop()
        elif (
            one.opcode == POP_TOP
            and len(out) > 1
            and last
            and last.opcode == STORE_FAST
            and out[-2].opcode == DUP_TOP
        ):
            del out[-2]
        else:
            out.append(one)
    return out


def _share(operations: Operations) -> Operations:
    """Of two branches that end alike and go on in the same place, one jumps into the other's end."""
    ends: dict[int, list[int]] = {}  # by label, or -1 for a return: behind what could be shared
    for at, one in enumerate(operations):
        if one.opcode in (JUMP, LABEL):
            ends.setdefault(one.label, []).append(at)
        elif one.opcode == RETURN:
            ends.setdefault(-1, []).append(at + 1)
    best = (LEAST_SHARED - 1, 0, 0, 0)
    for label, found in ends.items():
        for given in found:
            # The jump that ends what is given up gives its place to the one into what is kept.
            jump = 1 if label >= 0 else 0
            if jump and operations[given].opcode != JUMP:
                continue
            for kept in found:
                if kept != given:
                    size, at, begin = _alike(operations, kept, given)
                    best = max(best, (size - (0 if jump else JUMP_OCTETS), at, begin, given + jump))
    gain, at, begin, end = best
    if gain < LEAST_SHARED:
        return operations
    label = 1 + max(one.label for one in operations)
    pieces = {begin: [Operation(JUMP, label=label)], at: [Operation(LABEL, label=label)]}
    first, second = sorted(pieces)
    return [
        *operations[:first],
        *pieces[first],
        *operations[end if first == begin else first : second],
        *pieces[second],
        *operations[end if second == begin else second :],
    ]


def _alike(operations: Operations, kept: int, given: int) -> tuple[int, int, int]:
    """Octets of what is the same before both places, and where that begins; what is given up has no label in it."""
    size, i, j = 0, kept, given
    while i > 0 and j > 0:
        before = i - 1
        while before >= 0 and operations[before].opcode == LABEL:
            before -= 1
        same = operations[j - 1]
        if before < 0 or same.opcode == LABEL or operations[before] != same:
            break
        if (before <= given < i) if kept > given else (j - 1 < kept):
            break
        i, j = before, j - 1
        size += same.octets()
    return size, i, j


def _renumber(operations: Operations, arguments: int) -> Operations:
    """The locals that are used most get the lowest slots: below 16 a reference is one octet shorter."""
    uses = Counter(one.slot for one in operations if one.slot >= arguments)
    slots = {
        slot: arguments + i
        for i, (slot, _) in enumerate(sorted(uses.items(), key=lambda use: (-use[1], use[0])))
    }
    return [Operation(one.opcode, slot=slots[one.slot]) if one.slot in slots else one for one in operations]
