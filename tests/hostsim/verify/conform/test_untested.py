"""What the suite cannot reach from the link, on our own nodes: XDR-05, a transducer whose sensor changes state."""

import pytest

from cabinwatch.verify.conform.targets import READING
from cabinwatch.world.instruments import Instrument
from cabinwatch.world.sensors import Reading
from cabinwatch_firmware.ports.steady import Steady
from cabinwatch_firmware.transducer import Transducer
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t

POLL = next(p for p in t.TC_PACKETS if p.name == "report_hk")


def firmware():
    """The firmware's transducer: its sensor, and what takes a poll and gives the octets of the answer."""
    sent, sensor = bytearray(), Steady()
    node = Transducer(lambda buf, n: sent.extend(buf[:n]), sensor)
    node.boot(0)

    def answer(packet):
        sent.clear()
        frame = host.seal(packet)
        node.step(1000, frame, len(frame))
        return bytes(sent)

    return sensor, answer


def emulated():
    """The same of the transducer that the emulator plays."""
    sensor = Steady()
    sensor.read = lambda t_ms: Reading(t_ms, {name: getattr(sensor, name) for name in (*READING, "status")})
    sensor.silent = lambda t_s: False
    node = Instrument("transducer", sensor)
    node.boot(0)
    return sensor, lambda packet: node.answer(packet + b"\0\0", 1000)


@pytest.mark.parametrize("make", [firmware, emulated])
def test_a_transducer_tells_each_change_of_its_status_once_after_the_sample(make):
    sensor, answer = make()
    told = []
    for count, status in enumerate((0, 0, 3, 3, 1, 0, 0)):
        sensor.status = status
        sample, *events = host.decode_stream(answer(host.encode_tc(POLL, t.Apid.TRANSDUCER, count, ack=0)))
        assert sample.values["status"] == status
        told += [(count, e.packet.title, *e.values.values()) for e in events]
    lost, found, value = t.Event.SENSOR_LOST, t.Event.SENSOR_FOUND, sensor.pressure_cPa
    assert told == [
        (2, "TM[5,2]", lost, 3, value),
        (4, "TM[5,2]", lost, 1, value),
        (5, "TM[5,1]", found, 1, value),
    ]
