"""The same work on many items: in this process, on the machine's cores, or on a Dask cluster.

The work is a pure function of its item, so an item that is lost with its worker is done again, and yielded once.
A cluster needs ``pip install "cabinwatch[cluster]"``, and cabinwatch where its workers are.
"""

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from cabinwatch.errors import SetupError

T = TypeVar("T")
Spread = Callable[[Callable[[Any], T], Iterable[Any]], Iterator[T]]
AHEAD = 200
"""Tasks in flight on a cluster: bounded, so that an endless campaign keeps the scheduler small."""
RETRIES = 10
"""How often a task may fail by its worker's fault; Dask gives up one that is on three workers that die."""
PATIENCE = "30s"


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


def on_cluster(
    address: str, work: Callable[[Any], T], items: Iterable[Any], patience: str = PATIENCE
) -> Iterator[T]:
    """``work(item)`` of every item, in whatever order they are done. Raises SetupError without a cluster."""
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise SetupError('Dask is not installed: pip install "cabinwatch[cluster]"') from None
    try:
        client: Any = Client(address, timeout=patience, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError) as error:
        raise SetupError(f"no Dask scheduler at {address}: {error}") from None
    with client:
        waiting = iter(items)

        def submit(item: Any) -> Any:
            # pure=False: a task is itself, not its arguments, so nothing is shared between two campaigns.
            return client.submit(work, item, pure=False, retries=RETRIES)

        first = [submit(item) for item in islice(waiting, AHEAD)]
        running: Any = as_completed(first, loop=client.loop)  # type: ignore[no-untyped-call]
        for future in running:
            yield future.result()
            for item in islice(waiting, 1):
                running.add(submit(item))
