"""A node that is left alone for a while: one watch for all the cases that judge what it does then."""

from contextlib import suppress
from dataclasses import dataclass

from cabinwatch.verify.conform.bench import TM, Bench, Heard, Impossible
from cabinwatch.verify.conform.cases_time import Moment, moment
from cabinwatch.verify.conform.tour import SETTING
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

LIVE_S = {"monitor": 10.2, "transducer": 16}
"""A monitor's first report comes after 10 s; what nobody asked a transducer for, every few seconds if at all."""
LOOKS = 60


@dataclass(frozen=True, slots=True)
class Alone:
    """``heard``, all since before the boot; ``unasked``, what came while it was left alone, between two moments."""

    heard: list[Heard]
    unasked: list[Heard]
    first: Moment
    last: Moment
    parameter: int
    statuses: set[int]
    """Those of a transducer's samples before and after."""


def left_alone(b: Bench) -> Alone:
    """Leave the node alone, after a boot where the bench can see to one, with a parameter set."""
    return b.watch("left alone", lambda: _leave(b))


def _leave(b: Bench) -> Alone:
    with suppress(Impossible):
        b.restart()
    b.set(0, SETTING[b.role])
    looks = [b.report()]
    first = moment(b)
    report = host.encode_tm(TM["housekeeping"], t.Apid.MONITOR, 1, 0, 1, {f.name: 1 for f in t.MONITOR_HK})
    unasked = b.ask(
        host.seal(report)
    )  # telemetry that is none of a transducer's business, nor of a monitor's
    for _ in range(LOOKS):
        unasked += b.run(b.lasting(LIVE_S[b.role], 600) // LOOKS)
    last = moment(b)
    looks.append(b.report())
    statuses = {look["status"] for look in looks if look.name == "sample"}
    return Alone(b.since(0), unasked, first, last, b.parameter(0), statuses)
