"""Worker processes: what kills them, or hangs them, costs at most the run that did it, and leaves nothing behind."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from combopt import api
from combopt.bench import origin, runner, workers
from combopt.bench.execute import Task
from combopt.bench.executor import Broken, Died, Finished
from combopt.bench.origin import generated_origin
from combopt.bench.runner import Progress, sweep
from combopt.bench.runs import Configuration, Failure
from combopt.bench.store import Store
from combopt.bench.workers import EXECUTE, LocalWorkers
from combopt.budget import Budget
from combopt.errors import SolverError
from tests.bench import sweeps
from tests.bench.sweeps import HERE, MACHINE, POISON, gone, marked, number, wait_for


def busy_task() -> Task:
    """A run that keeps a solver process busy for a minute."""
    return Task(
        origin=generated_origin("tsp", 1, {"n": 300}), configuration=Configuration(solver="fast_tsp"), seed=0,
        budget=Budget(time_limit=60, threads=1), machine=MACHINE,
    )  # fmt: skip


def test_what_workers_find_is_what_a_solve_finds(tmp_path: Path, mark: str) -> None:
    with Store(tmp_path / "runs.db") as store:
        result = sweep(sweeps.suite(4, 1), store, LocalWorkers(2), MACHINE)
        assert (result.ran, result.failed, result.held, result.interrupted) == (8, 0, 0, None)
        values = {(r.key.instance, r.key.solver): r.objective for r in store.runs()}
    for task in {job.task.origin: job.task for job in runner.jobs(sweeps.suite(4, 1), MACHINE)}.values():
        instance = origin.load(task.origin)
        for solver in ("knapsack", "dantzig"):
            found = api.solve(instance, solver, isolate=False, threads=1)
            assert values.pop((instance.digest(), solver)) == found.objective
    assert not values
    assert gone(mark)


def test_a_run_that_kills_its_worker_is_lost_after_two_attempts(tmp_path: Path, mark: str) -> None:
    with Store(tmp_path / "runs.db") as store:
        pool = LocalWorkers(2, execute=f"{HERE}:poisoned")
        result = sweep(sweeps.suite(8, 1), store, pool, MACHINE)
        runs = list(store.runs())
    assert (result.ran, result.failed) == (16, 2)
    lost = [run for run in runs if run.failure is Failure.LOST]
    assert [run.label for run in sorted(lost, key=lambda r: r.label)] == ["dantzig", "knapsack"]
    assert all("SIGKILL" in run.messages[0] for run in lost)
    assert sorted(r.objective for r in runs if r.failure is Failure.NONE) == [
        100 * seed for seed in range(8) if seed != POISON for _ in range(2)
    ]
    assert len(list(tmp_path.glob("once-*"))) == 2
    assert gone(mark)


def test_a_worker_that_does_not_answer_is_killed(mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "hang_seconds", lambda limit: 0.3)
    jobs = runner.jobs(sweeps.suite(5, 1, ("dantzig",)), MACHINE)
    with LocalWorkers(1, execute=f"{HERE}:sleepy") as pool:
        for ticket, job in enumerate(jobs):
            pool.submit(ticket, job.task)
        outcomes = [pool.next(30) for _ in range(5)]
    assert [type(o) for o in outcomes] == [Finished, Finished, Finished, Died, Finished]
    assert [o.ticket for o in outcomes if o is not None] == [0, 1, 2, 3, 4]
    assert outcomes[3] == Died(POISON, "it did not answer in time and was killed")
    assert gone(mark)


def test_the_time_to_answer_is_far_above_the_limit() -> None:
    assert workers.hang_seconds(1.0) == 31.0
    assert workers.hang_seconds(3600.0) == 5400.0
    assert workers.hang_seconds(float("inf")) == float("inf")


def test_a_bug_costs_its_run_alone(mark: str) -> None:
    jobs = runner.jobs(sweeps.suite(5, 1, ("dantzig",)), MACHINE)
    with LocalWorkers(1, execute=f"{HERE}:exploding") as pool:
        for ticket, job in enumerate(jobs):
            pool.submit(ticket, job.task)
        outcomes = [pool.next(30) for _ in range(5)]
        assert len(marked(mark) & {w.process.pid for w in pool._workers}) == 1
    assert [type(o) for o in outcomes] == [Finished, Finished, Finished, Broken, Finished]
    assert isinstance(outcomes[3], Broken)
    assert "ZeroDivisionError: a bug of ours" in outcomes[3].text


def test_workers_that_cannot_start_are_an_error_with_its_reason(mark: str) -> None:
    with LocalWorkers(2, execute="combopt.nothing:execute") as pool:
        pool.submit(1, busy_task())
        with pytest.raises(SolverError, match=r"No module named 'combopt\.nothing'"):
            pool.next(60)
    assert gone(mark)


def test_workers_ignore_ctrl_c(mark: str) -> None:
    jobs = iter(runner.jobs(sweeps.suite(2, 1, ("dantzig",)), MACHINE))
    with LocalWorkers(1, execute=f"{HERE}:instant") as pool:
        pool.submit(1, next(jobs).task)
        assert isinstance(pool.next(30), Finished)
        worker = pool._workers[0].process
        worker.send_signal(signal.SIGINT)
        pool.submit(2, next(jobs).task)
        assert isinstance(pool.next(30), Finished)
        assert pool._workers[0].process is worker


@pytest.mark.parametrize("end", ["close", "kill"])
def test_solver_processes_end_with_their_worker(mark: str, end: str) -> None:
    with LocalWorkers(1, execute=EXECUTE) as pool:
        pool.submit(1, busy_task())
        assert pool.next(0.1) is None
        wait_for(lambda: pool.next(0.05) is None and pool.running() == (1,))
        wait_for(lambda: len(marked(mark)) == 2)  # the worker and its solver
        time.sleep(0.3)
        if end == "kill":
            before = marked(mark)
            pool._workers[0].process.kill()
            wait_for(lambda: not marked(mark) & before)
            assert isinstance(pool.next(30), Died)
    assert gone(mark)


def test_random_kills_of_workers_change_nothing(tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "ATTEMPTS", 100)  # that a run dies twice is another test
    suite, rng, kills = sweeps.suite(15, 1), random.Random(1), []
    with Store(tmp_path / "undisturbed.db") as store:
        sweep(suite, store, LocalWorkers(2), MACHINE)
    pool = LocalWorkers(2)

    def kill(process_id: int) -> None:
        kills.append(process_id)
        os.kill(process_id, signal.SIGKILL)

    def report(progress: Progress) -> None:
        ready = [w.process.pid for w in pool._workers if w.ready]
        if progress.ran >= 5 * len(kills) and ready and len(kills) < 5:
            timer = threading.Timer(rng.uniform(0, 0.05), kill, (rng.choice(ready),))
            timer.start()
            timer.join()

    with Store(tmp_path / "runs.db") as store:
        result = sweep(suite, store, pool, MACHINE, report=report)
    assert len(kills) == 5
    assert (result.ran, result.failed) == (30, 0)
    assert sweeps.rows(tmp_path / "runs.db") == sweeps.rows(tmp_path / "undisturbed.db")
    assert gone(mark)


def test_an_instance_goes_to_the_worker_that_holds_it() -> None:
    jobs = list(runner.jobs(sweeps.suite(2, 2, ("dantzig",)), MACHINE))
    with LocalWorkers(1, execute=f"{HERE}:instant") as pool:
        order = [jobs[0], jobs[2], jobs[1], jobs[3]]  # instances 0, 1, 0, 1
        for ticket, job in enumerate(order):
            pool.submit(ticket, job.task)
        outcomes = [pool.next(30) for _ in range(4)]
    assert [number(order[o.ticket].task) for o in outcomes if o is not None] == [0, 0, 1, 1]
