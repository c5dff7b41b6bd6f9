"""The same work on a Dask cluster; whatever is wrong with the cluster ends in one clear line.

The work is a pure function of its item, so an item that is lost with its worker is done again, and yielded once.
Needs ``pip install "cabinwatch[cluster]"``, and the same cabinwatch where the workers are.
"""

import logging
import queue
import re
import socket
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from cabinwatch.errors import CabinwatchError, ClusterLost, SetupError
from cabinwatch.sources import fingerprint
from cabinwatch.text import clipped, shown

T = TypeVar("T")
AHEAD = 200
"""Tasks in flight: bounded, so that an endless campaign keeps the scheduler small."""
RETRIES = 10
"""How often a task may fail by its worker's fault; Dask gives up one that is on three workers that die."""
PATIENCE_S = 30.0
"""For a scheduler to answer, and for a worker to come."""
LOOK_S = 1.0
"""How often the cluster itself is looked at while nothing comes from it."""
_ADDRESS = re.compile(
    r"(?:(?P<scheme>tcp|tls|ws|wss|ucx)://)?(?P<host>\[[0-9a-fA-F:]+\]|[\w.-]+):(?P<port>\d{1,5})/?"
)
_ASK = "__import__('cabinwatch.sources').sources.fingerprint()"
"""As text, since a worker without this cabinwatch knows none of its functions."""
WRONG_WORKER = "install the same cabinwatch there as here (same version, same sources, same Python)"


_LET_GO = ("cancelled", "lost")
"""A task that nobody does any more: its client has lost the scheduler, perhaps for a moment only."""


class WrongWorker(SetupError):
    """A worker has another cabinwatch: what it found would be another program's."""


@dataclass(frozen=True)
class Checked:
    """The work, done only by a worker that has our sources; a worker may come at any time."""

    work: Callable[[Any], Any]
    expected: str

    def __call__(self, item: Any) -> Any:
        if fingerprint() != self.expected:
            raise WrongWorker(f"a worker on {socket.gethostname()} has another cabinwatch: {WRONG_WORKER}")
        return self.work(item)


def on_cluster(
    address: str, work: Callable[[Any], T], items: Iterable[Any], patience_s: float = PATIENCE_S
) -> Iterator[T]:
    """``work(item)`` of every item, in whatever order they are done.

    Raises SetupError without a cluster that can do it, ClusterLost where it goes away in the middle.
    """
    client = _connect(address, patience_s)
    try:
        _check_workers(client, address, patience_s)
        yield from _results(client, address, Checked(work, fingerprint()), iter(items), patience_s)
    finally:
        client.close(timeout=LOOK_S)


def _connect(address: str, patience_s: float) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise SetupError('Dask is not installed: pip install "cabinwatch[cluster]"') from None
    name = shown(address)
    parts = _ADDRESS.fullmatch(address)
    if parts is None or int(parts["port"]) > 65535:
        raise SetupError(f"no Dask scheduler at {name}: an address is tcp://HOST:PORT")
    _quiet()
    try:
        # Dask itself would try until its time is up, and its threads on after that.
        socket.create_connection((parts["host"].strip("[]"), int(parts["port"])), patience_s).close()
        with warnings.catch_warnings(action="ignore"):
            return Client(address, timeout=patience_s, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError) as error:
        why = clipped(shown(error)) or "no answer"
        raise SetupError(f"no Dask scheduler at {name}: {why}") from None


def _quiet() -> None:
    """What Dask logs of a lost cluster is a hundred lines; ours is one."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _check_workers(client: Any, address: str, patience_s: float) -> None:
    name = shown(address)
    try:
        client.wait_for_workers(1, timeout=patience_s)
        answers = client.run(eval, _ASK, on_error="return")
    except (OSError, TimeoutError, ValueError):
        raise SetupError(
            f"no worker at {name} within {patience_s:g} s: start one with `dask worker {name}`"
        ) from None
    for worker, answer in answers.items():
        if isinstance(answer, ModuleNotFoundError):
            raise WrongWorker(f"the worker {shown(worker)} has no cabinwatch: {WRONG_WORKER}")
        if answer != fingerprint():
            raise WrongWorker(f"the worker {shown(worker)} has another cabinwatch: {WRONG_WORKER}")


def _results(
    client: Any, address: str, work: Checked, items: Iterator[Any], patience_s: float
) -> Iterator[Any]:
    done: queue.Queue[Any] = queue.Queue()
    running: dict[str, tuple[Any, Any, int]] = {}
    """The future, its item, and how often that may be submitted again."""

    def submit(item: Any, again: int = RETRIES) -> None:
        # pure=False: a task is itself, not its arguments, so nothing is shared between two campaigns.
        future = client.submit(work, item, pure=False, retries=RETRIES)
        running[future.key] = future, item, again
        future.add_done_callback(done.put)

    try:
        for item in islice(items, AHEAD):
            submit(item)
        while running:
            future = _next(client, address, done, patience_s)
            _, item, again = running.pop(future.key)
            if future.status in _LET_GO and again and _connected(client, patience_s):
                submit(item, again - 1)
                continue
            yield _result(future, address)
            for item in islice(items, 1):
                submit(item)
    except (OSError, TimeoutError, CancelledError):  # of the client's own: a task's comes as its result
        raise _gone(address) from None


def _next(client: Any, address: str, done: "queue.Queue[Any]", patience_s: float) -> Any:
    """The next future that is done; looks after the cluster while none is."""
    alone_since = None
    while True:
        try:
            return done.get(timeout=LOOK_S)
        except queue.Empty:
            pass
        if client.status != "running":
            raise _gone(address)
        if _has_workers(client, address):
            alone_since = None
        elif alone_since is None:
            alone_since = time.monotonic()
        elif time.monotonic() - alone_since > patience_s:
            raise ClusterLost(f"the cluster at {shown(address)} has had no worker for {patience_s:g} s")


def _connected(client: Any, patience_s: float) -> bool:
    """Whether the scheduler is there, or is again before long: Dask's client connects anew by itself."""
    until = time.monotonic() + patience_s
    while client.status == "connecting" and time.monotonic() < until:
        time.sleep(LOOK_S)
    return bool(client.status == "running")


def _has_workers(client: Any, address: str) -> bool:
    try:
        return bool(client.sync(client.scheduler.ncores, callback_timeout=PATIENCE_S))
    except (OSError, TimeoutError):
        raise _gone(address) from None


def _gone(address: str) -> ClusterLost:
    return ClusterLost(f"the Dask scheduler at {shown(address)} has gone")


def _result(future: Any, address: str) -> Any:
    if future.status in _LET_GO:
        raise _gone(address)
    error = future.exception() if future.status == "error" else None
    if error is None:
        return future.result()
    if isinstance(error, CabinwatchError):
        raise error
    if isinstance(error, (ImportError, AttributeError)):
        raise WrongWorker(f"a worker at {shown(address)} has another cabinwatch, or none: {WRONG_WORKER}")
    raise ClusterLost(f"a task failed at {shown(address)}: {type(error).__name__}: {clipped(shown(error))}")
