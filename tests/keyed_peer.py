"""A bench for a keyed node: the ground and the instruments that hold its key, and whoever does not."""

from cabinwatch.targets.cpython import CpythonTarget
from cabinwatch.world.keying import Keying
from cabinwatch_firmware.keyed_monitor import KeyedMonitor
from cabinwatch_protocol import host, keyed, keys
from cabinwatch_protocol import table as t
from cabinwatch_protocol.keyed import Association
from cabinwatch_protocol.keys import MasterKey
from peer import PID, PRESSURE, TC, TEMPERATURE, TM, Bench, failure

MASTER = MasterKey(bytes(range(100, 116)))
OTHER = MasterKey(bytes(range(200, 216)))
ASK = host.seal(host.encode_tc(keyed.REPORT_SESSION, t.Apid.MONITOR, 0))


def renewing(keying):
    """What a port sets as ``renew``: the next of the seeded sessions."""
    sessions = keying.sessions()

    def renew(vault):
        vault[:8] = next(sessions)

    return renew


class KeyedBench(Bench):
    """A bench whose ground and transducer hold MASTER's keys."""

    def __init__(self, target=None, seed=1, unkeyed=frozenset(), make=KeyedMonitor):
        keying = Keying(MASTER, seed, unkeyed)
        renew = renewing(keying)
        super().__init__(target or CpythonTarget(lambda sink: make(sink, keying.of_monitor(), renew)))
        self.learn()
        self.sequence = 0

    def state(self):
        """What TC[130,1] reports."""
        (report,) = (p for p in self.step(0, ASK) if p.packet is keyed.SESSION)
        return report.values

    def learn(self):
        """Take the session and the counter over, as a ground station does."""
        state = self.state()
        self.session, self.counter = state["session"].to_bytes(8, "big"), state["counter"]

    def signed(
        self, name, master=MASTER, session=None, counter=None, use=Association.COMMAND, source=7, **values
    ):
        """A guarded telecommand's frame; what is not given is right."""
        if counter is None:
            self.counter = counter = self.counter + 1
        head = self.head(name, source, **values)
        key = master.derived("monitor", use)
        return host.seal(keys.sign_command(head, key, counter, self.session if session is None else session))

    def head(self, name, source=7, **values):
        """A telecommand without PEC and trailer."""
        self.sequence += 1
        return host.encode_tc(TC[name], t.Apid.MONITOR, self.sequence, values, source=source)

    def set(self, name, value, **more):
        """A signed frame that sets a parameter by name."""
        return self.signed("set_parameter", parameter=PID[name], value=value, **more)

    def do(self, function, argument=0, **more):
        """A signed function call's frame."""
        return self.signed("perform", function=function, argument=argument, **more)

    def command(self, frame):
        """Hand over a telecommand; the failure it draws."""
        return failure(self.step(0, frame))

    def poll(self):
        """Wait for the next poll of the transducer."""
        while True:
            for p in self.step(self.wake_ms):
                if p.packet.name == "report_hk" and p.role == "transducer":
                    return p

    def answer(self, poll, master=MASTER, challenge=None, role="transducer", **values):
        """The frame of a tagged sample in answer to that poll."""
        if challenge is None:
            challenge = poll.trailer["challenge"].to_bytes(8, "big")
        values = {"pressure_cPa": PRESSURE, "temperature_cK": TEMPERATURE, "status": 0} | values
        head = host.encode_tm(TM["sample"], t.ROLES[role], 0, *divmod(self.t_ms, t.DAY_MS), values, 0xA1)
        return host.seal(keys.sign_answer(head, master.derived(role, Association.ANSWER), challenge))
