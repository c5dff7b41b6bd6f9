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
from itertools import chain, islice
from typing import Any, TypeVar
from uuid import uuid4

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


class SchedulerGone(ClusterLost):
    """The line to the scheduler is cut, perhaps for a moment only."""


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

    Where the line to it is cut, what is not done is asked for again on a new one.

    Raises SetupError without a cluster that can do it, ClusterLost where it goes away in the middle.
    """
    checked, left = Checked(work, fingerprint()), iter(items)
    gone: SchedulerGone | None = None
    for again in reversed(range(RETRIES)):
        client = _connect(address, patience_s) if gone is None else _connect_again(address, patience_s, gone)
        running: dict[str, tuple[Any, Any]] = {}
        try:
            _check_workers(client, address, patience_s)
            yield from _results(client, address, checked, left, running, patience_s)
            return
        except SchedulerGone as cut:
            if not again:
                raise
            gone, left = cut, chain([item for _, item in running.values()], left)
        finally:
            _leave(client)


def _connect_again(address: str, patience_s: float, gone: SchedulerGone) -> Any:
    try:
        return _connect(address, patience_s)
    except SetupError:
        raise gone from None


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


def _leave(client: Any) -> None:
    """Where the line was cut, Dask's own attempt to connect anew may end here, in its assertions too."""
    try:
        client.close(timeout=LOOK_S)
    except Exception:
        client.status = "closed"  # or it would try once more when it is collected, aloud


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
    client: Any,
    address: str,
    work: Checked,
    items: Iterator[Any],
    running: dict[str, tuple[Any, Any]],
    patience_s: float,
) -> Iterator[Any]:
    """``running``: what is asked for and has not come, by key: the future, which Dask forgets with us, and its item."""
    done: queue.Queue[Any] = queue.Queue()

    def submit(number: int) -> None:
        for item in islice(items, number):
            # A key of its own: a task is itself, not its arguments, so nothing is shared between two campaigns.
            key = uuid4().hex
            running[key] = None, item  # before it is asked for, which may fail
            future = client.submit(work, item, key=key, retries=RETRIES)
            running[key] = future, item
            future.add_done_callback(done.put)

    try:
        submit(AHEAD)
        while running:
            future = _next(client, address, done, patience_s)
            result = _result(future, address)
            del running[future.key]
            yield result
            submit(1)
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


def _has_workers(client: Any, address: str) -> bool:
    try:
        return bool(client.sync(client.scheduler.ncores, callback_timeout=PATIENCE_S))
    except (OSError, TimeoutError):
        raise _gone(address) from None


def _gone(address: str) -> SchedulerGone:
    return SchedulerGone(f"the Dask scheduler at {shown(address)} has gone")


def _result(future: Any, address: str) -> Any:
    if future.status in ("cancelled", "lost"):
        raise _gone(address)
    error = future.exception() if future.status == "error" else None
    if error is None:
        return future.result()
    if isinstance(error, CabinwatchError):
        raise error
    if isinstance(error, (ImportError, AttributeError)):
        raise WrongWorker(f"a worker at {shown(address)} has another cabinwatch, or none: {WRONG_WORKER}")
    raise ClusterLost(f"a task failed at {shown(address)}: {type(error).__name__}: {clipped(shown(error))}")
