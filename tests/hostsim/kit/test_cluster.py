"""A campaign on a local cluster, one worker of which is killed in mid-run."""

from functools import partial

import pytest
from conftest import missing

from hostsim.dask_run import cluster_map, cluster_outcomes
from hostsim.errors import SetupError
from hostsim.fuzz.run import one

try:
    import distributed
except ImportError:
    distributed = None


def test_every_result_comes_once_though_a_worker_dies() -> None:
    if distributed is None:
        missing("distributed", 'pip install "cabinwatch[cluster]"')
    runs = range(24)
    alone = [one("cluster", run, "cpython") for run in runs]
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        results = []
        for outcome in cluster_outcomes(cluster.scheduler_address, "cluster", runs, "cpython"):
            results.append(outcome)
            if len(results) == 4:
                next(iter(cluster.workers.values())).process.process.kill()
    assert sorted(o.run for o in results) == list(runs)
    assert sorted(results, key=lambda o: o.run) == alone


def test_no_scheduler_is_one_clear_message() -> None:
    with pytest.raises(SetupError, match="no Dask scheduler at"):
        next(cluster_map("tcp://127.0.0.1:9", partial(one, "x"), range(1)))
