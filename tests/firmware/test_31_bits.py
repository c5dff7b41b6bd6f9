"""Every integer of the firmware stays within 31 bits, whatever comes in and however long it runs."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import narrow
import packets
import worlds
from cabinwatch.run.lockstep import LockStepRun
from cabinwatch.run.transcript import Recorder
from cabinwatch.scenario import load as scenarios
from cabinwatch.targets.cpython import CpythonTarget
from cabinwatch.world.world import World
from cabinwatch_protocol import host
from cabinwatch_protocol import table as t
from keyed_peer import KeyedBench
from peer import PID, Bench, composition, sample, set_parameter

DEVICE = narrow.load()
Monitor = DEVICE["cabinwatch_firmware.monitor"].Monitor


def target():
    return CpythonTarget(Monitor)


def test_the_instrument_sees_what_it_should():
    assert Monitor is not CpythonTarget().node.__class__
    assert sum(module._points for name, module in DEVICE.items() if ".detector." in name) > 200
    assert DEVICE["cabinwatch_protocol.device.node"]._points > 100
    node = Monitor(lambda buf, n: None)
    node.boot(0)
    with pytest.raises(narrow.TooWide):
        node.field.__func__(Wide, 4)
    node.poll_in = (1 << 30) - 1
    with pytest.raises(narrow.TooWide):
        node.next(node.poll_in, 1)


class Wide:
    """A frame whose field does not fit."""

    class frame:
        buf = b"\0\x40\0\0\0"


def test_no_timer_runs_away_in_a_quiet_year():
    b = Bench(target())
    for _ in range(365):
        b.step(t.DAY_MS)
    for _ in range(30):
        b.step(t.DAY_MS, sample(b.t_ms))


@pytest.mark.parametrize("name", scenarios.bundled())
def test_bundled_scenarios(name):
    scenario = scenarios.load(name)[0]
    LockStepRun(World(scenario, 1), target(), Recorder()).run(min(scenario.duration_ms, 7200_000))


@settings(max_examples=25)
@given(worlds.tomls(), st.integers(0, 99))
def test_drawn_worlds(text, seed):
    scenario = scenarios.parse(text, "drawn.toml")
    LockStepRun(World(scenario, seed), target(), Recorder()).run(scenario.duration_ms)


extremes = st.one_of(
    st.integers(0, (1 << 32) - 1), st.sampled_from([0, 100_000, 10_132_500, 12_000_000, 16_000_000])
)
settings_of = st.dictionaries(
    st.sampled_from(t.MONITOR_PARAMETERS), st.sampled_from(["low", "high"]), max_size=21
)


readings_of = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 5000), st.integers(0, t.DAY_MS)),
        st.one_of(st.integers(0, 5000), st.integers(0, 3 * t.DAY_MS)),
        extremes,
        st.one_of(st.integers(27000, 31000), st.integers(0, 0xFFFF)),
        st.booleans(),
    ),
    max_size=60,
)


@settings(max_examples=100)
@given(settings_of, readings_of)
@example({}, [(1000, 1000, 16_000_000, 10_000, True), (1000, 1000, 100_000, 0xFFFF, True)] * 30)
def test_any_readings_under_any_parameters(parameters, readings):
    b = Bench(target())
    b.node.detector = Deaf()
    play_readings(b, parameters, readings)


@settings(max_examples=80)
@given(settings_of, readings_of)
@example(
    {t.MONITOR_PARAMETERS[PID["floor"]]: "high"},
    [(1000, 1000, 16_000_000, 29500, False), (1000, 1000, 100_000, 29500, False)]
    + [(t.DAY_MS, t.DAY_MS, 9_000_000, 29500, False)] * 9,
)
def test_any_readings_reach_the_detector(parameters, readings):
    play_readings(Bench(target()), parameters, readings)


class Deaf:
    """A detector that hears nothing, so that the monitor is judged without it."""

    cls = cause = rate_cPa_h = sigma_cPa_h = tres_s = law = nitrogen_s = 0

    def reset(self, *_):
        pass

    sample = nitrogen = low = below = reset


def play_readings(b, parameters, readings):
    for i, (p, end) in enumerate(parameters.items()):
        b.step(0, set_parameter(p.name, getattr(p, end), i))
    stamp = 0
    for elapsed, gap, pressure, temperature, gas in readings:
        stamp += gap
        b.step(elapsed, (composition if gas else sample)(stamp, pressure, temperature))


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, t.DAY_MS), st.one_of(packets.streams, packets.frames)), max_size=15))
def test_any_octets(inputs):
    b = Bench(target())
    for ms, rx in inputs:
        b.step(ms, rx)


@settings(max_examples=60)
@given(
    st.integers(-(1 << 29), 1 << 29), st.integers(0, 0xFFFF), st.integers(0, 3), st.integers(-(10**6), 10**6)
)
def test_any_sensor_behind_a_transducer(pressure, temperature, status, offset):
    class Sensor:
        pressure_cPa, temperature_cK = pressure, temperature

        def read(self):
            pass

    Sensor.status = status
    sent = []
    node = DEVICE["cabinwatch_firmware.transducer"].Transducer(
        lambda buf, n: sent.append(bytes(buf[:n])), Sensor()
    )
    node.boot(0)
    for i, frame in enumerate(
        (
            host.seal(host.encode_tc(TC_SET, t.Apid.TRANSDUCER, 1, {"parameter": 0, "value": offset})),
            host.seal(host.encode_tc(TC_REPORT, t.Apid.TRANSDUCER, 2)),
        )
    ):
        node.step(i, frame, len(frame))
    assert sent


@settings(max_examples=60)
@given(
    st.integers(0, 0xFFFF_FFFF), st.integers(0, 1 << 64), st.integers(0, 0xFFFF_FFFF), st.binary(max_size=60)
)
def test_any_trailer_of_a_keyed_node(counter, challenge, pressure, octets):
    b = KeyedBench(make=DEVICE["cabinwatch_firmware.keyed_monitor"].KeyedMonitor)
    b.step(0, b.set("poll_period", 500, counter=counter))
    b.step(0, b.set("poll_period", 500, counter=counter, session=challenge.to_bytes(9, "big")[1:]))
    b.step(0, b.answer(b.poll(), pressure_cPa=pressure))
    b.step(0, b.answer(b.poll(), challenge=challenge.to_bytes(9, "big")[1:]))
    b.step(0, octets)


TC_SET = next(p for p in t.TC_PACKETS if p.name == "set_parameter")
TC_REPORT = next(p for p in t.TC_PACKETS if p.name == "report_hk")
