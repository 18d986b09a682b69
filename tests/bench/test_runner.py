"""The driver of a sweep: however it is stopped, the same call goes on, and the end is that of an undisturbed sweep."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest

from combopt.bench import execute as real
from combopt.bench.execute import Task
from combopt.bench.executor import Broken, Died, Executor, Finished
from combopt.bench.lock import only_driver
from combopt.bench.runner import Progress, Shard, forget_failed, jobs, plan, record, sweep
from combopt.bench.runs import Failure, Reference, Run
from combopt.bench.store import Store
from combopt.bench.workers import EXECUTE, LocalWorkers
from combopt.errors import CombOptError, UsageError
from combopt.solvers.interrupts import Interrupts
from tests.bench import sweeps
from tests.bench.sweeps import HERE, MACHINE, POISON, Here, gone, instant, number, rows, wait_for


def drive(path: Path, execute: str = EXECUTE, instances: int = 10, seeds: int = 3) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.bench.sweeps", str(path), execute, str(instances), str(seeds), "2"]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def count(path: Path) -> int:
    try:
        with Store(path, readonly=True) as store:
            return store.count()
    except CombOptError:
        return 0  # not made yet, or being made


def only_instance(task: Task) -> tuple[int, str, int]:
    return number(task), task.configuration.solver, task.seed


# --- stopping and going on -----------------------------------------------------------------------------------------


def test_a_killed_driver_goes_on_where_it_was(tmp_path: Path, mark: str) -> None:
    suite, rng = sweeps.suite(10, 3), random.Random(7)
    with Store(tmp_path / "undisturbed.db") as store:
        sweep(suite, store, LocalWorkers(2), MACHINE)
    path, kills = tmp_path / "runs.db", 0
    for goal in (0, 4, 16, 28, 40):
        with drive(path) as driver:
            wait_for(lambda goal=goal, driver=driver: count(path) >= goal or driver.poll() is not None)  # type: ignore[misc]
            time.sleep(rng.uniform(0, 0.02) if goal else 0.3)
            kills += driver.poll() is None
            driver.kill()
        assert gone(mark)
        assert len(set(rows(path)) if count(path) else ()) == count(path)
    assert kills >= 4
    with drive(path) as driver:
        assert driver.wait(30) == 0
    assert rows(path) == rows(tmp_path / "undisturbed.db")
    assert count(path) == 60


@pytest.mark.parametrize("number_", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_what_is_finished_and_nothing_else(
    tmp_path: Path, mark: str, number_: signal.Signals
) -> None:  # fmt: skip
    path = tmp_path / "runs.db"
    with drive(path, f"{HERE}:sleepy", instances=5, seeds=1) as driver:
        wait_for(lambda: count(path) == 6)  # instances 0, 1 and 2; both workers sleep now
        driver.send_signal(number_)
        assert driver.wait(10) == 128 + number_
    assert gone(mark, 0.5)
    with Store(path, readonly=True) as store:
        assert sorted(run.objective for run in store.runs()) == [0, 0, 100, 100, 200, 200]
    assert not (tmp_path / "runs.db.lock").exists()
    with drive(path, f"{HERE}:instant", instances=5, seeds=1) as driver:
        assert driver.wait(30) == 0
    assert count(path) == 10


def test_a_signal_stops_handing_out(tmp_path: Path) -> None:
    interrupts, executor = Interrupts(), Here(room=2)

    def report(progress: Progress) -> None:
        if progress.ran == 3:
            interrupts.received = signal.SIGINT

    with Store(tmp_path / "runs.db") as store:
        result = sweep(sweeps.suite(10), store, executor, MACHINE, interrupts=interrupts, report=report)
        # what was under way when the signal came had come in, so it is kept
        assert (result.ran, result.interrupted, store.count()) == (5, signal.SIGINT, 5)
    assert len(executor.given) == 5


# --- what is run, and what is not ----------------------------------------------------------------------------------


def test_all_runs_of_an_instance_come_before_those_of_the_next(tmp_path: Path) -> None:
    executor = Here()
    with Store(tmp_path / "runs.db") as store:
        result = sweep(sweeps.suite(3), store, executor, MACHINE)
        assert (result.total, result.held, result.ran, result.failed) == (12, 0, 12, 0)
        assert [row.origin for row, _ in store.instances()] == [o for o, _ in sweeps.Knapsacks(3).origins()]
        assert [reference for _, reference in store.instances()] == [Reference(value=10**6), None, None]
        assert {(run.suite, run.key.machine) for run in store.runs()} == {("small", MACHINE)}
    assert executor.given == [(i, s, seed) for i in range(3) for s in ("knapsack", "dantzig") for seed in range(2)]


def test_what_is_held_is_not_run_again(tmp_path: Path) -> None:
    with Store(tmp_path / "runs.db") as store:
        sweep(sweeps.suite(3, 1, ("dantzig",)), store, Here(), MACHINE)
        again = Here()
        result = sweep(sweeps.suite(4, 2), store, again, MACHINE)
        assert (result.total, result.held, result.ran) == (16, 3, 13)
        assert not {(i, "dantzig", 0) for i in range(3)} & set(again.given)
        assert plan(sweeps.suite(5, 2), store, MACHINE) == (20, 16)
        assert plan(sweeps.suite(5, 2), store, "another machine") == (20, 0)
        assert plan(sweeps.suite(5, 2, limit=6.0), store, MACHINE) == (20, 0)
    assert plan(sweeps.suite(5, 2), None, MACHINE) == (20, 0)


def test_the_same_instance_under_two_origins_is_stored_once(tmp_path: Path) -> None:
    def same(task: Task) -> tuple[Run, object]:
        run, row = instant(task)
        key = real.key_of(task, "0" * 64)
        return Run(key=key, label=run.label), sweeps.replace(row, digest="0" * 64)

    with Store(tmp_path / "runs.db") as store:
        result = sweep(sweeps.suite(2, 1), store, Here(same), MACHINE)  # type: ignore[arg-type]
        assert (result.ran, result.held, store.count()) == (2, 2, 2)
        assert plan(sweeps.suite(2, 1), store, MACHINE) == (4, 4)


def test_shards_make_the_whole(tmp_path: Path) -> None:
    suite = sweeps.suite(5)
    with Store(tmp_path / "whole.db") as whole:
        sweep(suite, whole, Here(), MACHINE)
    given: Counter[tuple[int, str, int]] = Counter()
    with Store(tmp_path / "merged.db") as merged:
        for part in range(1, 4):
            executor, shard = Here(), Shard(part, 3)
            with Store(tmp_path / f"{part}.db") as store:
                result = sweep(suite, store, executor, MACHINE, shard=shard)
                assert result.total == result.ran == shard.share(20) == len(executor.given)
                assert merged.merge(store) == result.ran
            given.update(executor.given)
    assert set(given.values()) == {1}
    assert rows(tmp_path / "merged.db") == rows(tmp_path / "whole.db")
    assert len(rows(tmp_path / "whole.db")) == 20


@pytest.mark.parametrize(("part", "of"), [(0, 3), (4, 3), (1, 0)])
def test_shards_that_are_none(part: int, of: int) -> None:
    with pytest.raises(UsageError, match="shard"):
        Shard(part, of)


# --- failures ------------------------------------------------------------------------------------------------------


def failing(kind: type[Died] | type[Broken], times: int) -> Here:
    """An executor with which one instance fails so many times for every task."""
    executor, seen = Here(), Counter[int]()

    def take(seconds: float) -> object:
        if not executor.queue:
            return None
        ticket, task = executor.queue.popleft()
        if number(task) == POISON and seen[ticket] < times:
            seen[ticket] += 1
            return kind(ticket, "how it was")
        return Finished(ticket, *instant(task))

    executor.next = take  # type: ignore[assignment,method-assign]
    return executor


def failures(executor: Executor, path: Path) -> dict[tuple[int, str, int], Failure]:
    suite = sweeps.suite(5, 1)
    with Store(path / "runs.db") as store:
        result = sweep(suite, store, executor, MACHINE)
        assert result.ran == store.count() == 10
        found = {run.key: run for run in store.runs() if run.failure is not Failure.NONE}
        assert result.failed == len(found)
        assert all("how it was" in run.messages[0] for run in found.values())
        assert plan(suite, store, MACHINE) == (10, 10)  # a failure stands
        by_digest = {row.digest: row for row, _ in store.instances()}
        return {
            (number(Task(by_digest[k.instance].origin, None, 0, None, "")), k.solver, k.seed): run.failure  # type: ignore[arg-type]
            for k, run in found.items()
        }


def test_a_worker_that_dies_once_costs_nothing(tmp_path: Path) -> None:
    assert failures(failing(Died, 1), tmp_path) == {}


def test_a_worker_that_dies_twice_loses_the_run(tmp_path: Path) -> None:
    found = failures(failing(Died, 2), tmp_path)
    assert found == {(3, "knapsack", 0): Failure.LOST, (3, "dantzig", 0): Failure.LOST}


def test_a_bug_is_an_error_at_once(tmp_path: Path) -> None:
    found = failures(failing(Broken, 1), tmp_path)
    assert found == {(3, "knapsack", 0): Failure.ERROR, (3, "dantzig", 0): Failure.ERROR}


def test_a_run_that_a_signal_cut_short_is_run_again(tmp_path: Path) -> None:
    with Store(tmp_path / "runs.db") as store:
        executor = Here(sweeps.stopped)
        result = sweep(sweeps.suite(4, 1, ("dantzig",)), store, executor, MACHINE)
        assert executor.given.count((POISON, "dantzig", 0)) == 2
        assert [run.failure for run in store.runs()] == [Failure.NONE] * 3 + [Failure.LOST]
        assert result.failed == 1


def test_failed_runs_are_run_again_on_demand(tmp_path: Path) -> None:
    suite = sweeps.suite(5, 1)
    with Store(tmp_path / "runs.db") as store:
        sweep(suite, store, failing(Died, 2), MACHINE)
        assert forget_failed(sweeps.suite(3, 1), store, MACHINE) == 0  # those of another suite stand
        assert store.count() == 10
        assert forget_failed(suite, store, MACHINE) == 2
        assert store.count() == 8
        assert len(list(store.instances())) == 4
        assert forget_failed(suite, store, MACHINE) == 0
        again = Here()
        assert sweep(suite, store, again, MACHINE).failed == 0
        assert sorted(again.given) == [(3, "dantzig", 0), (3, "knapsack", 0)]
    with Store(tmp_path / "undisturbed.db") as store:
        sweep(suite, store, Here(), MACHINE)
    assert rows(tmp_path / "runs.db") == rows(tmp_path / "undisturbed.db")


def test_unsupported_and_refuted_runs_are_not_retried(tmp_path: Path) -> None:
    def refuted(task: Task) -> tuple[Run, object]:
        run, row = instant(task)
        return sweeps.replace(run, failure=Failure.WRONG if task.seed else Failure.UNSUPPORTED), row

    with Store(tmp_path / "runs.db") as store:
        assert sweep(sweeps.suite(2), store, Here(refuted), MACHINE).failed == 8  # type: ignore[arg-type]
        assert forget_failed(sweeps.suite(2), store, MACHINE) == 0


@pytest.mark.parametrize("order", [(True, False), (False, True)])
def test_an_instance_that_was_lost_unread_is_one_instance(order: tuple[bool, bool], tmp_path: Path) -> None:
    """The first, or second, of two runs dies before anybody knows the digest."""
    suite = sweeps.suite(1, 1)
    with Store(tmp_path / "runs.db") as store:
        for job, read in zip(jobs(suite, MACHINE), order, strict=True):
            run, row = instant(job.task) if read else real.lost(job.task, None)
            assert record(store, job.task, run, row, job.reference)
        ((row, reference),) = store.instances()
        assert row.digest == instant(job.task)[1].digest
        assert row.kind == "knapsack"
        assert reference == Reference(value=10**6)
        assert {run.key.instance for run in store.runs()} == {row.digest}
        assert sorted(run.failure for run in store.runs()) == [Failure.LOST, Failure.NONE]
        assert plan(suite, store, MACHINE) == (2, 2)


def test_a_full_disk_is_an_error_that_says_how_to_go_on(tmp_path: Path) -> None:
    with Store(tmp_path / "runs.db") as store:
        pages = store.connection.execute("PRAGMA page_count").fetchone()[0]
        store.connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(UsageError, match=r"full.*\n.*same command"):
            sweep(sweeps.suite(50), store, Here(), MACHINE)


# --- one driver, little memory, an honest clock --------------------------------------------------------------------


def test_a_second_driver_is_refused_and_a_dead_one_forgotten(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "runs.db"
    with drive(path, f"{HERE}:sleepy", instances=5, seeds=1) as driver:
        wait_for(lambda: count(path) == 6)
        with drive(path, f"{HERE}:sleepy", instances=5, seeds=1) as second:
            assert b"another combopt bench is writing" in second.communicate(timeout=30)[1]
            assert second.returncode != 0
        driver.kill()
    with only_driver(path):
        assert (tmp_path / "runs.db.lock").exists()
        with pytest.raises(UsageError, match="another combopt bench"), only_driver(path):
            pass
    with only_driver(path):
        pass
    assert not (tmp_path / "runs.db.lock").exists()
    assert gone(mark)


def test_a_place_that_cannot_be_locked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"), only_driver(tmp_path / "no" / "runs.db"):
        pass


def test_memory_does_not_grow_with_the_number_of_runs(tmp_path: Path) -> None:
    suite, executor = sweeps.suite(1000, 2), Here(room=8)
    peaks: dict[int, int] = {}

    def report(progress: Progress) -> None:
        executor.given.clear()
        if progress.ran % 1000 == 0 and progress.ran not in peaks:
            peaks[progress.ran] = tracemalloc.get_traced_memory()[1]
            tracemalloc.reset_peak()

    with Store(tmp_path / "runs.db") as store:
        tracemalloc.start()
        try:
            sweep(suite, store, executor, MACHINE, report=report)
        finally:
            tracemalloc.stop()
    assert list(peaks) == [1000, 2000, 3000, 4000]
    assert executor.most == 8
    # 30 bytes a run; a task has thousands. Before that the interpreter fills its lists of free objects.
    assert peaks[4000] < peaks[3000] + 30_000, peaks


def test_the_estimate_counts_what_is_left(tmp_path: Path) -> None:
    seen: list[Progress] = []
    with Store(tmp_path / "runs.db") as store:
        sweep(sweeps.suite(2, 1), store, Here(), MACHINE)
        sweep(sweeps.suite(4, 1), store, Here(), MACHINE, report=seen.append)
    assert [(p.total, p.held, p.ran) for p in seen] == [(8, 4, n) for n in (1, 2, 3, 4, 4)]
    assert seen[1].left == pytest.approx(seen[1].seconds)
    assert seen[2].left == pytest.approx(seen[2].seconds / 3)
    assert seen[3].left == 0
    assert [len(p.running) for p in seen] == [3, 2, 1, 0, 0]
