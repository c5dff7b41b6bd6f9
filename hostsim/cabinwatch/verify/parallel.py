"""The same work on many items: in this process, or on the machine's cores; `cabinwatch.verify.cluster` has a third."""

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
Spread = Callable[[Callable[[Any], T], Iterable[Any]], Iterator[T]]


def on_cores(jobs: int | None, work: Callable[[Any], T], items: Iterable[Any], chunk: int = 1) -> Iterator[T]:
    """``work(item)`` of every item, in whatever order they are done; ``jobs`` None: a process for each core."""
    if jobs == 1:
        yield from map(work, items)
        return
    # spawn: the same on every platform, and no thread's lock is inherited.
    pool = multiprocessing.get_context("spawn").Pool(jobs, initializer=_deaf)
    try:
        yield from pool.imap_unordered(work, items, chunksize=chunk)
    finally:
        pool.terminate()
        pool.join()


def _deaf() -> None:
    """Ctrl-C is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
