"""Acme's own tests of its transducer: only the public kit is used."""

from acme_transducer import AcmeTransducer
from hypothesis import HealthCheck, given, settings
from hypothesis.stateful import run_state_machine_as_test

from cabinwatch import strategies as st
from cabinwatch.kit.session import Session
from cabinwatch.machine import CabinMachine

SETTINGS = settings(
    max_examples=20,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def fitted(session):
    """Put Acme's transducer where the emulated one was."""
    world = session.world

    def read(t_ms):
        air = world.station.at(world.compartment, t_ms / 1000)
        return air.pressure_Pa, air.temperature_K

    world.instruments[AcmeTransducer.apid] = AcmeTransducer(read)
    return session


def test_the_monitor_reads_it(world, ground):
    fitted(world).play(30)
    assert ground.housekeeping["health"] == 0
    assert ground.housekeeping["pressure_cPa"] == round(world.truth["pressure_Pa"] * 100)


def test_a_rapid_leak_is_called(world, ground):
    fitted(world).play(60)
    world.leak("30 mm")
    world.play(300)
    assert ground.housekeeping["alarm"] >= 3


def test_it_comes_back_after_a_noisy_minute(world, link, ground):
    link.add("flip", rate=0.01, until=60)
    link.add("drop", rate=0.3, of="send", until=60)
    fitted(world).play(90)
    assert link.counts["flip"]
    assert ground.housekeeping["health"] == 0


@SETTINGS
@given(st.scenarios(duration_s=(20, 60), sensor_faults_most=0, device_faults_most=0, quiet_s=15))
def test_any_story(scenario):
    session = fitted(Session(scenario, judge=True))
    try:
        session.play_all()
    finally:
        session.close()


class AcmeMachine(CabinMachine):
    def __init__(self):
        super().__init__()
        fitted(self.session)


def test_any_story_told_step_by_step():
    run_state_machine_as_test(AcmeMachine, settings=SETTINGS)


def test_a_transducer_that_lies_about_its_time_is_found(world):
    class Backwards(AcmeTransducer):
        def answer(self, packet, t_ms):
            return super().answer(packet, 1_000_000 - t_ms)

    session = fitted(world)
    session.world.instruments[AcmeTransducer.apid] = Backwards(lambda t_ms: (101_325.0, 295.0))
    session.play(20)
    assert session.ground.housekeeping["health"] == 7
