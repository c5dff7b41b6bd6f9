"""The engine behind a page: one thread that plays a source, takes orders between two slices, and keeps what was seen.

Nothing here knows of a browser. Readers look at `Columns` and at tuples that the thread publishes whole.
"""

import math
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from cabinwatch.errors import CabinwatchError
from cabinwatch.run.result import Newest, newest
from cabinwatch.text import shown
from cabinwatch.view.timeline import event_line
from cabinwatch.web.columns import Columns
from cabinwatch.web.sources import Played, Source
from cabinwatch.world.events import EventReport
from cabinwatch.world.ground import Commanded

SLICE_S = 0.05
"""Wall time that one slice may take: as long as an order waits at most."""
EVENTS_MOST = 2000
"""Events that a page can scroll back to."""
BEHIND_S = 0.5
"""Wall time by which a run may be late before the page says so."""
PACE_S = 2.0
"""Wall time over which the pace of a run is measured."""
FRAMES_S = 0.5
"""Wall time between two looks at the last frames: decoding them costs as much as a hundred steps."""
T = TypeVar("T")


NOTHING = Newest({}, 0.0, None, None)


@dataclass(frozen=True)
class State:
    """What a page shows of one moment; made by the engine's thread, never changed afterwards."""

    now_s: float = 0.0
    end_s: float = math.inf
    speed: float = 0.0
    running: bool = False
    over: bool = False
    pace: float | None = None
    """Seconds of its time that are played in one of ours, where those are fewer than were asked for."""
    known: Newest = NOTHING
    error: str = ""
    frames: int = 0
    damaged: int = 0
    lost: int = 0
    link: tuple[str, ...] = ()
    """The last frames, decoded; renewed every `FRAMES_S`."""


class Engine:
    """Plays ``source`` at ``speed`` seconds of its time in a second of ours, from `start` to `stop`."""

    def __init__(
        self, source: Source, speed: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.source = source
        self.columns = Columns(tuple(source.channels))
        self.events: list[tuple[int, str]] = []
        """(class, line), newest last."""
        self.commands: list[Commanded] = source.ground.commands
        self.state = State(end_s=source.end_s)
        self.speed = speed
        self.running = True
        self.holder: str | None = None
        """The client that holds the controls."""
        self._clock = clock
        self._orders: queue.SimpleQueue[tuple[Callable[[], object], queue.SimpleQueue[object]]] = (
            queue.SimpleQueue()
        )
        self._ending = threading.Event()
        self._error = ""
        self._then = self._clock()
        self._owed_s = 0.0
        self._pace = 0.0
        self._paced = (-math.inf, 0.0)
        """Wall time and the source's when the pace was last measured."""
        self._frames: tuple[str, ...] = ()
        self._frames_at = -math.inf
        self._thread = threading.Thread(target=self._run, name="cabinwatch-engine", daemon=True)
        source.on_row = self.columns.append
        inner = source.ground.on_event

        def heard(event: EventReport) -> None:
            inner(event)
            self.events.append((int(event.severity), event_line(event)))
            del self.events[:-EVENTS_MOST]

        source.ground.on_event = heard

    def start(self) -> None:
        """Begin to play."""
        self._thread.start()

    def stop(self) -> None:
        """Stop playing, and free the source."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        self.source.close()

    def order(self, act: Callable[[], T], timeout_s: float = 10.0) -> T:
        """Have the engine's thread do something between two slices; what it returns, or raises, comes back here."""
        if not self._thread.is_alive():
            return act()
        answer: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._orders.put((act, answer))
        result = answer.get(timeout=timeout_s)
        if isinstance(result, BaseException):
            raise result
        return result  # type: ignore[return-value]

    def story(self) -> tuple[str, str]:
        """The TOML of what has been done and the transcript's hash so far. Raises ValueError where there is none."""
        source = self.source
        if not isinstance(source, Played):
            raise ValueError("only a scenario that is played has a story to take away")
        return self.order(source.story)

    # -- the engine's thread

    def _run(self) -> None:
        self._then = self._clock()
        while not self._ending.is_set():
            self._turn()
            self._ending.wait(0.02)
        self._take_orders()

    def _turn(self) -> None:
        """Do what was ordered, play what has fallen due since the last turn, and publish."""
        self._take_orders()
        now = self._clock()
        wall_s, self._then = now - self._then, now
        plays = self.running and not self._over() and not self._error
        self._owed_s = self._play(self._owed_s + wall_s * self.speed) if plays else 0.0
        self._measure(now)
        self._publish()

    def _measure(self, now: float) -> None:
        """How fast it plays."""
        then, played_s = self._paced
        if now - then >= PACE_S:
            self._pace = (self.source.now_s - played_s) / (now - then)
            self._paced = now, self.source.now_s

    def _play(self, owed_s: float) -> float:
        """Play what is owed for at most `SLICE_S` of wall time; returns what is still owed, never more than is told."""
        end = self._clock() + SLICE_S
        part_s = max(0.05, owed_s / 20)
        try:
            while owed_s > 0 and not self._over() and self._clock() < end:
                step_s = min(part_s, owed_s, max(0.0, self.source.end_s - self.source.now_s))
                self.source.advance(step_s)
                owed_s -= step_s
        except CabinwatchError as error:
            self._error = shown(str(error))
        except Exception as error:
            self._error = shown(f"{type(error).__name__}: {error}")
        # What cannot be caught up is dropped, and told: time goes slower than asked, no event is skipped.
        return min(owed_s, 4 * BEHIND_S * self.speed)

    def _over(self) -> bool:
        return self.source.now_s >= self.source.end_s

    def _take_orders(self) -> None:
        while True:
            try:
                act, answer = self._orders.get_nowait()
            except queue.Empty:
                return
            try:
                answer.put(act())
            except Exception as error:
                answer.put(error)

    def _publish(self) -> None:
        ground = self.source.ground
        del ground.history[:-1]
        del ground.events[:-EVENTS_MOST]
        counts = ground.counts
        now = self._clock()
        if now - self._frames_at > FRAMES_S:
            self._frames, self._frames_at = tuple(self.source.frames()), now
        self.state = State(
            now_s=self.source.now_s,
            end_s=self.source.end_s,
            speed=self.speed,
            running=self.running,
            over=self._over(),
            pace=self._pace if self._owed_s > BEHIND_S * self.speed else None,
            known=newest(ground, self.source.now_s),
            error=self._error,
            frames=counts.frames,
            damaged=counts.crc_errors + counts.resyncs,
            lost=counts.lost,
            link=self._frames,
        )
