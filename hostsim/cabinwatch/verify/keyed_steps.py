"""What takes a keyed monitor longest, at the worst moment: for its time on the board.

Reports and polls are due, two frames come in one step, one of them forged, and a leak sets off the alarm.
"""

from cabinwatch.run.transcript import Step
from cabinwatch.targets.cpython import CpythonTarget, keyed_monitor
from cabinwatch.world.keying import Keying, Signer, signer_of
from cabinwatch_protocol import host, keyed, keys
from cabinwatch_protocol import table as t
from cabinwatch_protocol.keyed import Association
from cabinwatch_protocol.keys import MasterKey

KEYING = Keying(MasterKey(bytes(range(keyed.KEY_SIZE))), seed=1)
"""Any key: a tag takes as long with every one."""
FORGER = MasterKey(bytes(keyed.KEY_SIZE))
SECONDS = 10
LEAK_S = 5
"""When the pressure begins to fall, by 10 kPa a second."""
PRESSURE_CPA, LEAK_CPA_S = 10_132_500, 1_000_000
PERIODS = ("analyser_period", "hk_period")
INHIBIT = {"function": t.Function.INHIBIT, "argument": 60}
TC, TM = t.by_name(t.TC_PACKETS), t.by_name(t.TM_PACKETS)


def worst_steps() -> list[Step]:
    """The steps of such a monitor, for cabinwatch.verify.measure."""
    played = _Played()
    for p in t.MONITOR_PARAMETERS:
        if p.name in PERIODS:
            played.step(1, played.signed("set_parameter", {"parameter": p.id, "value": 1000}))
    for second in range(SECONDS):
        pressure_cPa = PRESSURE_CPA - max(0, second - LEAK_S) * LEAK_CPA_S
        # The end of an answer that has to be checked, then all but the end of a command, then a forged one behind it.
        answer = played.answer(pressure_cPa)
        played.step(5, answer[:-1])
        played.step(1, answer[-1:] + played.signed("perform", INHIBIT)[:-1])
        played.step(1, b"\0" + played.signed("perform", INHIBIT, forged=True))
        played.catch_up()
        answer = played.answer(pressure_cPa + 1)
        played.step(5, answer[:-1])
        played.step(900, answer[-1:] + played.signed("perform", INHIBIT))
        played.catch_up()
        played.step(played.steps[-1].wake_ms, played.signed("perform", INHIBIT))
    return played.steps


class _Played:
    """A keyed monitor with its ground and its transducer, and somebody else."""

    def __init__(self) -> None:
        self.node = CpythonTarget(keyed_monitor(KEYING))
        self.steps = [Step(0, b"", *self.node.start())]
        self.owner, self.forger = signer_of(KEYING.master), signer_of(FORGER)
        ask = host.encode_tc(keyed.REPORT_SESSION, t.Apid.MONITOR, 0)
        (report,) = (p for p in self.step(0, host.seal(ask)) if p.packet is keyed.SESSION)
        for signer in (self.owner, self.forger):
            signer.learn(report.values)
        self.sequence = 0

    def step(self, elapsed_ms: int, rx: bytes = b"") -> list[host.Decoded]:
        """Let time pass and hand over octets, as many at once as a port does; what the node says."""
        said = b""
        for i in range(0, max(1, len(rx)), t.RX_MAX):
            part = rx[i : i + t.RX_MAX]
            t_ms = self.steps[-1].t_ms + (0 if i else elapsed_ms)
            self.steps.append(Step(t_ms, part, *self.node.step(0 if i else elapsed_ms, part)))
            said += self.steps[-1].tx
        return list(host.decode_stream(said))

    def catch_up(self) -> None:
        """What the node put off."""
        while self.steps[-1].wake_ms == 1:
            self.step(1)

    def signed(self, name: str, values: dict[str, int], forged: bool = False) -> bytes:
        """The frame of a guarded telecommand, by its owner or by somebody without his key."""
        self.sequence += 1
        signer: Signer = self.forger if forged else self.owner
        self.forger.counter = self.owner.counter
        head = host.encode_tc(TC[name], t.Apid.MONITOR, self.sequence, values)
        return host.seal(signer.sign(head))

    def answer(self, pressure_cPa: int) -> bytes:
        """Wait for the next poll; the frame of the transducer's answer."""
        while True:
            for poll in self.step(self.steps[-1].wake_ms):
                if poll.packet.name == "report_hk" and poll.role == "transducer":
                    values = {"pressure_cPa": pressure_cPa, "temperature_cK": 29_500, "status": 0}
                    stamp = divmod(self.steps[-1].t_ms, t.DAY_MS)
                    apid = t.Apid.TRANSDUCER
                    head = host.encode_tm(TM["sample"], apid, 0, *stamp, values, t.Apid.MONITOR)
                    key = KEYING.master.derived("transducer", Association.ANSWER)
                    challenge = poll.trailer["challenge"].to_bytes(keyed.TAG_SIZE, "big")
                    return host.seal(keys.sign_answer(head, key, challenge))
