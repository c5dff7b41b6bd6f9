"""Whatever octets come over lock-step, the host makes answers of them or says that the target died; it never hangs."""

from hypothesis import given
from hypothesis import strategies as st

from cabinwatch.errors import CabinwatchError
from cabinwatch.targets.lockstep import LockStepStream


class Stream(LockStepStream):
    """Says what it was given, in pieces, and then dies."""

    def __init__(self, pieces):
        super().__init__()
        self._pieces = iter(pieces)

    def send(self, data):
        pass

    def _receive(self):
        for piece in self._pieces:
            if piece:
                return piece
        raise CabinwatchError("gone")

    def _check(self, head, frame):
        pass


frames = st.binary(min_size=1, max_size=60).map(lambda frame: bytes((len(frame),)) + frame)
records = st.binary(max_size=40).map(lambda record: bytes((0x80, len(record))) + record)
wakes = st.integers(0, 0xFFFFFFFF).map(lambda wake: b"\0" + wake.to_bytes(4, "big"))


@given(
    st.lists(frames | records | wakes | st.just(b"\0\xff\xff\xff\xff") | st.binary(max_size=20), max_size=20)
)
def test_any_octets_are_answers_or_a_death(pieces):
    stream = Stream(pieces)
    told = ""
    try:
        while True:
            tx, wake_ms = stream.answer()
            assert 0 <= wake_ms <= 0xFFFFFFFF
            assert len(tx) <= sum(map(len, pieces))
    except CabinwatchError as error:
        told = str(error)
    assert told
