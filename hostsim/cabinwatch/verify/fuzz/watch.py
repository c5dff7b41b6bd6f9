"""A recorder that watches: it keeps the last steps, and has the reference monitor judge every octet."""

from collections import deque

from cabinwatch.run.transcript import Recorder, Step
from cabinwatch.verify.fuzz.reference import Reference


class WatchingRecorder(Recorder):
    """``keep`` steps are kept for whoever has to be shown what went on; without a ``reference`` nothing is judged."""

    def __init__(self, keep: int, reference: Reference | None = None) -> None:
        super().__init__()
        self.reference = reference
        self.last: deque[Step] = deque(maxlen=keep)

    def add(self, step: Step) -> None:
        """Record one step. Raises `reference.Wrong` at the first octet that no right monitor would have sent."""
        super().add(step)
        self.last.append(step)
        if self.reference is not None:
            self.reference.step(step)
