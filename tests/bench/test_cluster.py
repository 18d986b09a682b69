"""The same sweep on a Ray cluster: dead workers cost their own run at most, and nothing is left behind."""

from __future__ import annotations

import signal
import socket
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from combopt.bench import cluster, runner
from combopt.bench.cluster import RayCluster
from combopt.bench.executor import Broken, Died, Finished
from combopt.bench.runner import sweep
from combopt.bench.runs import Failure
from combopt.bench.store import Store
from combopt.budget import Budget
from combopt.errors import MissingExtraError, UsageError
from combopt.solvers.isolate import POOL
from tests.bench import sweeps
from tests.bench.sweeps import HERE, MACHINE, POISON, gone

BUDGET = Budget(time_limit=5, threads=1)


@pytest.fixture(scope="module")
def ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A cluster on this machine that the tests share, started as ``--ray local`` does."""
    name = str(tmp_path_factory.mktemp("ray"))
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")  # Ray's own, at its import and start
        ray = pytest.importorskip("ray")
        patch.setenv("COMBOPT_TEST_FOLDER", name)
        patch.setenv("COMBOPT_TEST_MARK", name)
        before = signal.getsignal(signal.SIGTERM)
        with RayCluster("local", BUDGET, cores=2) as own:
            assert ray.is_initialized()
            assert signal.getsignal(signal.SIGTERM) is before
            yield ray
        assert own.running() == ()  # asked once more after the end
        assert not ray.is_initialized()
    POOL.clear()  # that of this process
    assert gone(name, 20.0)


def test_a_sweep_with_a_poisoned_instance(ray: Any, tmp_path: Path) -> None:
    with RayCluster("local", BUDGET, execute=f"{HERE}:poisoned") as able, Store(tmp_path / "runs.db") as store:
        assert able.room == 4
        result = sweep(sweeps.suite(6, 1), store, able, MACHINE)
        assert (result.ran, result.failed) == (12, 2)
        runs = list(store.runs())
    assert ray.is_initialized()  # somebody else started it
    lost = [run for run in runs if run.failure is Failure.LOST]
    assert sorted(run.label for run in lost) == ["dantzig", "knapsack"]
    assert all("WorkerCrashedError" in run.messages[0] for run in lost)
    kept = Counter(run.objective for run in runs if run.failure is Failure.NONE)
    assert kept == {100 * seed: 2 for seed in range(6) if seed != POISON}


def test_what_a_cluster_finds_is_what_workers_find(ray: Any, tmp_path: Path) -> None:
    suite = sweeps.suite(2, 1)
    with RayCluster("local", BUDGET) as able, Store(tmp_path / "cluster.db") as store:
        assert sweep(suite, store, able, MACHINE).failed == 0
    with Store(tmp_path / "here.db") as store:
        sweep(suite, store, sweeps.Here(sweeps.real.execute), MACHINE)
    assert sweeps.rows(tmp_path / "cluster.db") == sweeps.rows(tmp_path / "here.db")


def test_bugs_and_runs_that_hang(ray: Any) -> None:
    tasks = [job.task for job in runner.jobs(sweeps.suite(5, 1, ("dantzig",)), MACHINE)]
    with RayCluster("local", BUDGET, execute=f"{HERE}:exploding") as able:
        able.submit(1, tasks[POISON])
        outcome = able.next(30)
        assert isinstance(outcome, Broken)
        assert "ZeroDivisionError: a bug of ours" in outcome.text
        assert able.next(0) is None
    with RayCluster("local", BUDGET, execute=f"{HERE}:impatient") as able:
        able.submit(7, tasks[POISON])
        assert able.running() == (7,)
        assert isinstance(able.next(30), Died)
        able.submit(8, tasks[0])
        assert isinstance(able.next(30), Finished)


def test_a_run_that_fits_no_node_is_refused(ray: Any) -> None:
    with pytest.raises(UsageError, match="no node of the cluster has 1000 CPU"):
        RayCluster("local", Budget(threads=1000))
    with pytest.raises(UsageError, match="no node of the cluster has 1 CPU, 1 GPU"):
        RayCluster("local", Budget(threads=1, device="cuda"))


def test_an_address_where_nothing_listens() -> None:
    pytest.importorskip("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(UsageError, match="no Ray cluster at '127"):
            cluster._start(None, f"127.0.0.1:{free.getsockname()[1]}", None)


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"combopt\[cluster\]"):
        RayCluster("local", BUDGET)
