"""The world around one monitor: cabin, instruments, link and ground on one event queue over integer milliseconds.

The world never reads a clock and never sleeps. Whoever drives it (in lock-step or live) asks what reaches the monitor
by a time, and tells it what the monitor sent.
"""

import heapq
from collections.abc import Callable, Iterator
from functools import partial

from cabinwatch.models.commands import Telecommand
from cabinwatch.models.line_faults import AnyLinkFault
from cabinwatch.models.node_faults import SlowHost
from cabinwatch.models.raw_telecommands import RawTelecommand
from cabinwatch.models.scenario import Scenario
from cabinwatch.models.sensors import Bias, SensorFault, SensorModel, SilentSensor, Twin
from cabinwatch.world import coolant_channel as coolant
from cabinwatch.world.cabin.station import Station
from cabinwatch.world.coolant_channel import CoolantWatch, LoopGauge
from cabinwatch.world.events import EventReport
from cabinwatch.world.gauges import Gauge
from cabinwatch.world.ground import Ground
from cabinwatch.world.instruments import Instrument
from cabinwatch.world.keying import Keying, guard_of, signer_of
from cabinwatch.world.line import Channel, Delivery
from cabinwatch.world.seeds import stream
from cabinwatch.world.sensors import GasAnalyser, LoggingSensor, PressureSensor
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

FIRST = 1 << 60


class World:
    """Everything but the firmware. ``on_event`` is told of each event that reaches the ground."""

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        on_event: Callable[[EventReport], None] = lambda event: None,
        keying: Keying | None = None,
    ) -> None:
        self.scenario = scenario
        self.seed = seed
        self.now_ms = 0
        self.station = Station(scenario.cabin, seed)
        self.compartment = scenario.sensor.compartment or next(iter(scenario.cabin.compartments))
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._watched_ms: int | None = None
        self._rx = bytearray()
        self._decoder = host.StreamDecoder()
        # An echo of what goes one way arrives where it came from.
        self._up = Channel(scenario.link, "up", seed, partial(self._deliver, self._receive))
        self._down = Channel(scenario.link, "down", seed, partial(self._deliver, self._arrive))
        for fault in scenario.link.faults:
            self.add_link_fault(fault)
        self.sensor = sensor = self._transducer(scenario.sensor, "sensor")
        self.instruments = {int(t.Apid.TRANSDUCER): Instrument("transducer", sensor)}
        self._twins: list[Instrument] = []
        for sensor_fault in scenario.sensor.faults:
            self._add_twin(sensor_fault)
        if scenario.analyser is not None:
            place = scenario.analyser.compartment or self.compartment
            analyser = GasAnalyser(
                scenario.analyser, partial(self.station.at, place), stream(seed, "analyser")
            )
            self.instruments[int(t.Apid.ANALYSER)] = Instrument("analyser", analyser)
        for instrument in (*self.instruments.values(), *self._twins):
            instrument.guard = guard_of(instrument.role, keying)
        self.gauges = [Gauge(gauge, self.station, seed) for gauge in scenario.gauges]
        self.ground = Ground(self._to_monitor, on_event)
        if keying:
            self.ground.signer = signer_of(keying.master)
        for loop in scenario.cabin.loops:
            gauge = LoopGauge(self.station, loop, stream(seed, f"coolant/{loop}"))
            self.at(coolant.PERIOD_MS, partial(self._watch_coolant, CoolantWatch("coolant", gauge)))
        self.ground.parameters = dict(scenario.parameters)
        self.on_reset: Callable[[], None] = lambda: None
        for t_s in scenario.resets:
            self.at(round(t_s * 1000), lambda: self.on_reset())
        for command in scenario.telecommands:
            self.add_telecommand(command)
        for raw in scenario.raw:
            self.add_raw(raw)
        self._slow = [f for f in scenario.device.faults if isinstance(f, SlowHost)]

    def _transducer(self, model: SensorModel, name: str, lead_s: float = 0.0) -> PressureSensor:
        believed = {p.name: p.default for p in t.MONITOR_PARAMETERS} | self.scenario.parameters
        low, high = sorted((believed["pressure_low"], believed["pressure_high"]))
        rng = stream(self.seed, name)
        own = model, self._truth, rng, (low, high), round(lead_s * 1000)
        record = self.station.record
        return LoggingSensor(record, *own) if record else PressureSensor(*own)

    def add_sensor_fault(self, fault: SensorFault) -> None:
        """Have something go wrong with the transducer, beside what does already."""
        self.sensor.faults = [*self.sensor.faults, fault]
        self._add_twin(fault)

    def _add_twin(self, fault: SensorFault) -> None:
        """A second transducer is one that is silent outside its window."""
        if not isinstance(fault, Twin):
            return
        faults: list[SensorFault] = [Bias(kind="bias", size=fault.size)]
        faults.append(SilentSensor(kind="silent", until=fault.at))
        if fault.until is not None:
            faults.append(SilentSensor(kind="silent", at=fault.until))
        model = self.scenario.sensor.model_copy(update={"faults": faults})
        element = self._transducer(model, f"twin/{len(self._twins)}", fault.lead)
        self._twins.append(Instrument("transducer", element, fault.delay_ms))

    def _truth(self, t_s: float) -> tuple[float, float]:
        reading = self.station.at(self.compartment, t_s)
        return reading.pressure_Pa, reading.temperature_K

    # -- the queue

    def at(self, t_ms: int, action: Callable[[], None], first: bool = False) -> None:
        """Do ``action`` at t_ms; on one millisecond in the order of the calls, ``first`` first."""
        self._count += 1
        heapq.heappush(self._events, (t_ms, self._count - FIRST if first else self._count, action))

    def next_ms(self) -> int | None:
        """When something happens next; None = never."""
        return self._events[0][0] if self._events else None

    def advance(self, t_ms: int) -> bytes:
        """Let everything up to t_ms happen; return the octets that have reached the monitor since the last call."""
        events = self._events
        while events and events[0][0] <= t_ms:
            self.now_ms, _, action = heapq.heappop(events)
            action()
        self.now_ms = t_ms
        rx = bytes(self._rx)
        self._rx.clear()
        return rx

    # -- the link

    def from_monitor(self, data: bytes) -> None:
        """The monitor sent ``data`` now."""
        if data:
            for delivery in self._up.carry(data, self.now_ms):
                self._deliver(self._arrive, *delivery)

    def _to_monitor(self, data: bytes) -> None:
        if data:
            for delivery in self._down.carry(data, self.now_ms):
                self._deliver(self._receive, *delivery)

    def _deliver(self, taker: Callable[[bytes], None], data: bytes, arrival_ms: int) -> None:
        self.at(arrival_ms, partial(taker, data))

    def _stray(self, stray: Iterator[Delivery], taker: Callable[[bytes], None]) -> None:
        """Let arrive what nobody sent: one now in the queue, the next when it has arrived."""

        def arrive(data: bytes) -> None:
            taker(data)
            self._stray(stray, taker)

        for data, arrival_ms in stray:
            self.at(arrival_ms, partial(arrive, data))
            break

    def add_link_fault(self, fault: AnyLinkFault) -> None:
        """Put a fault on the line, after those there are."""
        self._stray(self._up.add(fault), self._arrive)
        self._stray(self._down.add(fault), self._receive)

    def _receive(self, data: bytes) -> None:
        self._rx += data

    def link_counts(self) -> dict[str, int]:
        """How often each kind of link fault struck so far, both directions together."""
        up, down = self._up.counts(), self._down.counts()
        return {kind: up.get(kind, 0) + down.get(kind, 0) for kind in {**up, **down}}

    def _arrive(self, data: bytes) -> None:
        for frame in self._decoder.feed(data):
            if frame.verdict is not host.Verdict.OK:
                self.ground.frame(frame)
                continue
            self.ground.counts.frames += 1
            pid = int.from_bytes(frame.packet[:2], "big")
            if not pid & 0x1000:
                self._report(frame.packet)
            elif instrument := self.instruments.get(pid & 0x7FF):
                self._ask(instrument, frame.packet)
                for twin in self._twins if pid & 0x7FF == t.Apid.TRANSDUCER else ():
                    self._ask(twin, frame.packet)

    def _ask(self, instrument: Instrument, packet: bytes) -> None:
        answer = instrument.answer(packet, self.now_ms)
        late_ms = sum(f.by_ms for f in self._slow if f.active(self.now_ms / 1000))
        self.at(self.now_ms + instrument.delay_ms + late_ms, lambda: self._to_monitor(answer))

    def _report(self, packet: bytes) -> None:
        try:
            tm = host.decode(packet)
        except host.Alien:
            self.ground.counts.aliens += 1
            return
        if tm.role != "monitor":
            return  # an instrument's answer, echoed back by the line
        self.ground.telemetry(tm, self.now_ms)
        self._watch()

    def _watch_coolant(self, loop: CoolantWatch) -> None:
        """The loop's reports go to the ground on a line of their own."""
        for tm in host.decode_stream(loop.watch(self.now_ms)):
            self.ground.telemetry(tm, self.now_ms)
        self.at(self.now_ms + coolant.PERIOD_MS, partial(self._watch_coolant, loop))

    # -- the ground

    def add_telecommand(self, command: Telecommand) -> None:
        """Have the ground send it at its time."""
        self.at(command.at_ms, self._commander(command), first=True)

    def add_raw(self, raw: RawTelecommand) -> None:
        """Put its octets on the line at its times."""
        for t_ms in raw.times_ms():
            self.at(t_ms, partial(self._to_monitor, raw.frame()), first=True)

    def _commander(self, command: Telecommand) -> Callable[[], None]:
        def send() -> None:
            self.ground.command(command.packet, command.values, self.now_ms, command.words)
            self._watch()

        return send

    def _watch(self) -> None:
        """See to it that a command that gets no answer is sent again."""
        due = self.ground.due_ms
        if due is not None and due != self._watched_ms:
            self._watched_ms = due
            self.at(due, self._retry)

    def _retry(self) -> None:
        self.ground.retry(self.now_ms)
        self._watch()
