"""What the suite cannot reach from the link, on our own firmware: XDR-05, a transducer whose sensor changes state."""

from firmware.drivers.steady import Steady
from firmware.transducer import Transducer
from protocol import host
from protocol import table as t


def test_a_transducer_tells_each_change_of_its_status_once_after_the_sample():
    sent, sensor = [], Steady()
    node = Transducer(lambda buf, n: sent.append(bytes(buf[:n])), sensor)
    node.boot(0)
    poll = next(p for p in t.TC_PACKETS if p.name == "report_hk")
    told = []
    for count, status in enumerate((0, 0, 3, 3, 1, 0, 0)):
        sensor.status = status
        sent.clear()
        frame = host.seal(host.encode_tc(poll, t.Apid.TRANSDUCER, count, ack=0))
        node.step(1000, frame, len(frame))
        sample, *events = host.decode_stream(b"".join(sent))
        assert sample.values["status"] == status
        told += [(count, e.packet.title, e.values["event"], e.values["cause"]) for e in events]
    lost, found = t.Event.SENSOR_LOST, t.Event.SENSOR_FOUND
    assert told == [(2, "TM[5,2]", lost, 3), (4, "TM[5,2]", lost, 1), (5, "TM[5,1]", found, 1)]
