"""A cluster that cannot do the work, or goes away in the middle of it, ends a campaign in one clear line."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from functools import partial

import pytest

from cabinwatch import sources
from cabinwatch.errors import ClusterLost, SetupError
from cabinwatch.verify.cluster import WrongWorker, on_cluster
from cabinwatch.verify.fuzz.run import one
from conftest import missing

try:
    import distributed
except ImportError:
    distributed = None

CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    options = {"n_workers": int(sys.argv[1]), "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(processes=True, **options) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""
WORK = partial(one, "lost", target="cpython")


@pytest.fixture(autouse=True)
def dask():
    if distributed is None:
        missing("distributed", 'pip install "cabinwatch[cluster]"')


@contextmanager
def cluster(tmp_path, workers, *paths):
    """A cluster in another process, with these folders before all others on its path."""
    script = tmp_path / "cluster.py"
    script.write_text(CLUSTER)
    path = os.pathsep.join([*map(str, paths), *sys.path])
    with subprocess.Popen(
        [sys.executable, str(script), str(workers)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    ) as process:
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()


def refusal(kind, address, patience_s=60.0):
    """What is said, in one line, where the work cannot be done there."""
    with pytest.raises(kind) as error:
        list(on_cluster(address, WORK, range(3), patience_s))
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


@pytest.mark.parametrize(
    "address",
    ["", "rubbish", "tcp://", "tcp://x", "x:99999", "nonsense://x:1", "tcp://127.0.0.1:9", "\x1b:1"],
)
def test_what_is_no_address_or_nobodys(address):
    assert refusal(SetupError, address, 1).startswith("no Dask scheduler at ")


def test_no_worker(tmp_path):
    with cluster(tmp_path, 0) as (address, _):
        assert refusal(SetupError, address, 2) == (
            f"no worker at {address} within 2 s: start one with `dask worker {address}`"
        )


def test_a_worker_without_cabinwatch(tmp_path):
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "cabinwatch.py").touch()
    with cluster(tmp_path, 1, tmp_path / "none") as (address, _):
        assert "has no cabinwatch: install the same" in refusal(WrongWorker, address)


def test_a_worker_with_other_sources(tmp_path):
    for package in ("cabinwatch", *sources.PACKAGES):
        shutil.copytree(sources.folder(package), tmp_path / "other" / package)
    with (tmp_path / "other" / "cabinwatch" / "text.py").open("a") as file:
        file.write("# another\n")
    with cluster(tmp_path, 1, tmp_path / "other") as (address, _):
        assert "has another cabinwatch: install the same" in refusal(WrongWorker, address)


def test_a_scheduler_that_dies(tmp_path):
    with cluster(tmp_path, 1) as (address, process):
        results = on_cluster(address, WORK, range(100_000))
        first = next(results)
        process.kill()
        with pytest.raises(ClusterLost) as error:
            list(results)
    assert first.steps
    assert str(error.value) == f"the Dask scheduler at {address} has gone"


def test_a_campaign_that_lost_its_cluster_prints_what_it_has(tmp_path):
    with cluster(tmp_path, 1) as (address, process):
        words = [sys.executable, "-m", "cabinwatch", "fuzz", "--runs", "100000", "--scheduler", address]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as campaign:
            assert "the cluster at" in campaign.stdout.readline()
            assert "runs" in campaign.stderr.readline(), "how far it is"
            process.kill()
            out, err = campaign.communicate(timeout=120)
    assert campaign.returncode == 3
    assert "simulated years" in out
    assert err.splitlines()[-1] == f"cabinwatch: the Dask scheduler at {address} has gone"
    assert "Traceback" not in err


def test_the_fingerprint_is_of_the_sources(tmp_path):
    assert len(sources.fingerprint()) == 16
    assert sources.fingerprint.__wrapped__() == sources.fingerprint()
