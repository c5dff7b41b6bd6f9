"""The transducer: answers polls with a stamped sample of its sensor. A pure step function like the monitor."""

from cabinwatch_protocol.device.consts import (
    APID_TRANSDUCER,
    EVENT_SENSOR_FOUND,
    EVENT_SENSOR_LOST,
    SAMPLE_PRESSURE_CPA,
    SAMPLE_SID,
    SAMPLE_SIZE,
    SAMPLE_STATUS,
    SAMPLE_TEMPERATURE_CK,
    TC_SOURCE,
    TRANSDUCER_ACCEPTS,
    TRANSDUCER_LIMITS,
    X_OFFSET,
)
from cabinwatch_protocol.device.node import Node

IDLE_MS = 60000


class Transducer(Node):
    """``sensor.read()`` refreshes ``sensor.pressure_cPa``, ``sensor.temperature_cK`` and ``sensor.status`` (0 = ok)."""

    def __init__(self, sink, sensor):
        Node.__init__(self, sink, APID_TRANSDUCER, TRANSDUCER_ACCEPTS, TRANSDUCER_LIMITS, 0)
        self.sensor = sensor
        self.health = 0

    def boot(self, cause):
        self.health = 0
        Node.boot(self, cause)

    def step(self, elapsed_ms, rx, n):
        """As Monitor.step, but for up to ten days; it only answers, so it has no wish to be woken before IDLE_MS."""
        self.tick(elapsed_ms)
        self.receive(rx, n)
        return IDLE_MS

    def perform(self, again):
        """TC[3,27]: read the sensor and report."""
        sensor = self.sensor
        sensor.read()
        pressure = sensor.pressure_cPa
        if not sensor.status:
            pressure += self.p[X_OFFSET]
        self.begin_tm(3, 25, self.field(TC_SOURCE))
        self.set(SAMPLE_SID, 1)
        self.set(SAMPLE_PRESSURE_CPA, pressure)
        self.set(SAMPLE_TEMPERATURE_CK, sensor.temperature_cK)
        self.set(SAMPLE_STATUS, sensor.status)
        self.send(self.end_sample())
        was = self.health
        if sensor.status != was:
            self.health = sensor.status
            if sensor.status:
                self.event(2, EVENT_SENSOR_LOST, sensor.status, pressure)
            else:
                self.event(1, EVENT_SENSOR_FOUND, was, pressure)
        return 0

    def end_sample(self):
        """The size of a sample, once whatever follows its data is in place."""
        return SAMPLE_SIZE
