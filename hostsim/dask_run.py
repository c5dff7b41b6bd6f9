"""A campaign on a Dask cluster. Needs ``pip install "cabinwatch[cluster]"``.

Every run is a pure function of (seed, number), so one that is lost with its worker is done again, and counted once.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from hostsim.errors import SetupError
from hostsim.fuzz.run import Outcome, one

T = TypeVar("T")
AHEAD = 200
"""Tasks in flight: bounded, so that an endless campaign keeps the scheduler small."""
RETRIES = 10
"""How often a task may lose its worker; Dask itself gives up a task that is on a worker that dies three times."""


def cluster_map(address: str, work: Callable[[Any], T], items: Iterable[Any]) -> Iterator[T]:
    """``work(item)`` of every item once, in whatever order they are done. Raises SetupError without a cluster."""
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise SetupError('Dask is not installed: pip install "cabinwatch[cluster]"') from None
    try:
        client: Any = Client(address, timeout="10s", set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError) as error:
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


def cluster_outcomes(address: str, seed: str, runs: Iterable[int], target: str) -> Iterator[Outcome]:
    """The outcomes of a fuzz campaign's runs, as `fuzz.campaign.outcomes`."""
    return cluster_map(address, partial(one, seed, target=target), runs)
