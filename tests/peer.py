"""A bench for one node: the host codec is its ground and its instruments, and reads every octet that it sends."""

from cabinwatch.targets.cpython import CpythonTarget
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

TC = t.by_name(t.TC_PACKETS)
TM = t.by_name(t.TM_PACKETS)
PID = {p.name: p.id for p in t.MONITOR_PARAMETERS}
PRESSURE, TEMPERATURE = 10_132_500, 29_500


def tc(name, sequence=0, apid=t.Apid.MONITOR, ack=9, source=0, **values):
    """A telecommand's frame."""
    return host.seal(host.encode_tc(TC[name], apid, sequence, values, ack=ack, source=source))


def do(function, argument=0, sequence=0, **more):
    """A function call's frame."""
    return tc("perform", sequence, function=function, argument=argument, **more)


def set_parameter(name, value, sequence=0, **more):
    """A frame that sets a monitor's parameter by name."""
    return tc("set_parameter", sequence, parameter=PID[name], value=value, **more)


def sample(stamp_ms, pressure=PRESSURE, temperature=TEMPERATURE, status=0, sequence=0):
    """A transducer's sample as a frame."""
    values = {"pressure_cPa": pressure, "temperature_cK": temperature, "status": status}
    stamp = divmod(stamp_ms, t.DAY_MS)
    return host.seal(host.encode_tm(TM["sample"], t.Apid.TRANSDUCER, sequence, *stamp, values, 0xA1))


def composition(stamp_ms, ppn2=7_900_000, temperature=TEMPERATURE, status=0):
    """An analyser's report as a frame."""
    values = {
        "ppn2_cPa": ppn2,
        "ppo2_cPa": 2_100_000,
        "ppco2_cPa": 40_000,
        "pph2o_cPa": 100_000,
        "temperature_cK": temperature,
        "status": status,
    }
    return host.seal(
        host.encode_tm(TM["composition"], t.Apid.ANALYSER, 0, *divmod(stamp_ms, t.DAY_MS), values, 0xA1)
    )


class Bench:
    """Steps a target and keeps what it said, decoded. Every frame must be good and known, every wake in bounds."""

    def __init__(self, target=None):
        self.target = target or CpythonTarget()
        self.decoder = host.StreamDecoder()
        self.t_ms = 0
        self.wake_ms = 0
        self.log = []  # (bench time in ms, decoded packet)
        self.boot_packets = self._take(self.target.start())

    @property
    def node(self):
        return self.target.node

    def _take(self, answer):
        out, self.wake_ms = answer
        assert 1 <= self.wake_ms <= t.DAY_MS, f"wake {self.wake_ms} ms"
        said = []
        for frame in self.decoder.feed(out):
            assert frame.verdict is host.Verdict.OK, frame.raw.hex()
            said.append(host.decode(frame.packet))
        self.log += [(self.t_ms, p) for p in said]
        return said

    def step(self, elapsed_ms=0, rx=b""):
        """Let time pass, then hand over octets as a port does; what the node says."""
        self.t_ms += elapsed_ms
        said = self._take(self.target.step(elapsed_ms, rx[: t.RX_MAX]))
        for i in range(t.RX_MAX, len(rx), t.RX_MAX):
            said += self._take(self.target.step(0, rx[i : i + t.RX_MAX]))
        return said

    def until(self, t_ms, answer=None):
        """Wake the node whenever it asks, up to t_ms; ``answer(poll)`` gives a frame for each poll, or b""."""
        said = []
        while self.t_ms + self.wake_ms <= t_ms:
            new = self.step(self.wake_ms)
            while new:
                said += new
                rx = b"".join(answer(p) for p in new if p.packet.kind == "TC") if answer else b""
                new = self.step(0, rx) if rx else []
        return said + self.step(t_ms - self.t_ms)

    def good(self, poll):
        """The answer of a healthy transducer whose reading is never twice the same."""
        if poll.role != "transducer":
            return b""
        return sample(self.t_ms, PRESSURE + self.t_ms // 1000 % 7, TEMPERATURE)

    def hk(self, sequence=0x3F00):
        """The node's housekeeping, asked for now."""
        (report,) = (
            p for p in self.step(0, tc("report_hk", sequence, ack=0)) if p.packet.name == "housekeeping"
        )
        return report.values


def names(packets):
    """Names of the packets in order."""
    return [p.packet.name for p in packets]


def events(packets):
    """(event, cause) of each event among the packets."""
    return [(t.Event(p.values["event"]), p.values["cause"]) for p in packets if p.packet.service == 5]


def failure(packets):
    """Failure of the verification report among the packets; NONE where it reports success."""
    reports = (p for p in packets if p.packet.name in ("not_accepted", "completed", "failed"))
    return t.Failure(next(reports).values.get("failure", 0))
