"""A tour of everything a node can be asked, for the cases that judge all telemetry alike."""

from cabinwatch.verify.conform.bench import TC, Bench, Heard, Unmet, sealed_service, texts
from cabinwatch_protocol import table as t

SETTING = {"monitor": 1234, "transducer": 77}
"""A value of parameter 0 that is neither its default nor a bound."""


def values(name: str, role: str) -> dict[str, int]:
    """Values that make a telecommand of that name one which succeeds."""
    return {
        "report_parameter": {"parameter": 0},
        "report_event": {"number": 0},
        "set_parameter": {"parameter": 0, "value": SETTING[role]},
        "perform": {"function": t.Function.RESTART_DETECTOR, "argument": 0},
    }.get(name, {})


def commands(role: str) -> list[str]:
    """Names of the telecommands that a role takes."""
    return [p.name for p in TC.values() if role in p.roles]


def tour(b: Bench) -> list[Heard]:
    """All that the node sends when it is asked everything once, refused once, and fails once."""
    heard: list[Heard] = []
    for name in commands(b.role):
        answer = b.ask(b.tc(name, values(name, b.role), ack=15))
        if not b.answers(answer):
            raise Unmet(f"an answer to {TC[name].title}", texts(answer))
        heard += answer
    heard += b.ask(sealed_service(b, 99, 1))
    heard += b.ask(b.tc("set_parameter", {"parameter": 0, "value": -(1 << 31)}))
    if b.role == "monitor":
        heard += b.sample(1000)
        heard += b.sample(2000, status=3)
    return heard
