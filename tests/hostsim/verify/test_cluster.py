"""Campaign and report card on a local cluster, a worker of which is killed at a known task."""

import contextlib
import json
import os
import signal
import sys
from functools import partial
from pathlib import Path

import pytest

from cabinwatch.cli import main as cli
from cabinwatch.errors import SetupError
from cabinwatch.verify.cluster import on_cluster
from cabinwatch.verify.fuzz.campaign import outcomes
from cabinwatch.verify.fuzz.run import Outcome, one
from cabinwatch.verify.score import card
from cabinwatch.verify.score.sensitivity import Smallest
from conftest import missing

try:
    import distributed
    from distributed.protocol import pickle
except ImportError:
    distributed = None

RUNS = range(24)
FATAL = 7


@pytest.fixture(scope="module")
def scheduler():
    if distributed is None:
        missing("distributed", 'pip install "cabinwatch[cluster]"')
    pickle.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


def dies_once(run: int, mark: Path) -> Outcome:
    """A run, the fatal one of which takes its worker with it the first time."""
    if run == FATAL:
        try:
            mark.touch(exist_ok=False)
        except FileExistsError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGKILL)
    return one("shares", run, "cpython")


def test_every_result_comes_once_though_a_worker_dies(scheduler: str, tmp_path: Path) -> None:
    mark = tmp_path / "dead"
    results = list(on_cluster(scheduler, partial(dies_once, mark=mark), RUNS))
    assert mark.exists(), "a worker died"
    assert sorted(o.run for o in results) == list(RUNS)
    assert sorted(results, key=lambda o: o.run) == list(outcomes("shares", RUNS, "cpython"))


def cut_off_once(run: int, mark: Path) -> int:
    """At the fatal run the scheduler hangs up on the campaign's client, the first time."""
    if run == FATAL:
        with contextlib.suppress(FileExistsError):
            mark.touch(exist_ok=False)
            with distributed.worker_client() as client:
                client.run_on_scheduler(hang_up)
    return run


def hang_up(dask_scheduler: "distributed.Scheduler") -> None:
    for name, stream in dask_scheduler.client_comms.items():
        if name.startswith("Client-") and "worker" not in name:
            stream.abort()


def test_every_result_comes_once_though_the_line_to_the_scheduler_is_cut(
    scheduler: str, tmp_path: Path
) -> None:
    mark = tmp_path / "cut"
    assert sorted(on_cluster(scheduler, partial(cut_off_once, mark=mark), RUNS)) == list(RUNS)
    assert mark.exists(), "the line was cut"


def answer(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> dict:
    monkeypatch.setattr(sys, "argv", ["cabinwatch", *words, "--json"])
    with contextlib.suppress(SystemExit):
        cli.main()
    return json.loads(capsys.readouterr().out)


def test_a_campaign_on_a_cluster_is_the_campaign(
    scheduler: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("fuzz", "--seed", "shares", "--runs", "8")
    there = answer(capsys, monkeypatch, *words, "--scheduler", scheduler)
    here = answer(capsys, monkeypatch, *words)
    speed = ("wall_s", "runs_per_s")
    assert {k: v for k, v in there.items() if k not in speed} == {
        k: v for k, v in here.items() if k not in speed
    }
    assert there["runs"] == 8


def few_delays(ground: str, preset: object, seed: int, trials: int, days: int) -> list[card.DelayFigure]:
    """In place of the costly ones, which are like them to a cluster."""
    return [card.DelayFigure(ground, str(preset), "leak", 1.0, (seed + 0.5,) * trials)]


def one_rate(_: str, spans: list[str], *__: object) -> dict[str, Smallest]:
    return dict.fromkeys(spans, Smallest(1.5, 1.25))


def test_a_report_card_on_a_cluster_is_the_card(
    scheduler: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for costly in ("detector_delays", "rival_delays"):
        monkeypatch.setattr(card, costly, few_delays)
    monkeypatch.setattr(card, "smallest", one_rate)
    words = ("score", "--years", "1", "--days", "1", "--trials", "3", "--seed", "3")
    there = answer(capsys, monkeypatch, *words, "--scheduler", scheduler)
    assert there == card.run(3, jobs=1, years=1, days=1, trials=3).as_json()
    assert len(there["delays"]) == sum(bool(g.leaks) + g.rivals for g in card.GROUNDS.values())


def test_no_scheduler_is_one_clear_message() -> None:
    with pytest.raises(SetupError, match="no Dask scheduler at"):
        next(on_cluster("tcp://127.0.0.1:9", partial(one, "x"), range(1), patience_s=1))
    with pytest.raises(SetupError, match="no Dask scheduler at"):
        next(on_cluster("nonsense://x", partial(one, "x"), range(1), patience_s=1))
