"""Small suites and runs that misbehave, in a module so that workers can import them."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

from combopt.bench import cluster, workers
from combopt.bench import execute as real
from combopt.bench import origin as origins
from combopt.bench.execute import Task
from combopt.bench.executor import Finished, Outcome
from combopt.bench.lock import only_driver
from combopt.bench.origin import generated_origin
from combopt.bench.runner import sweep
from combopt.bench.runs import Configuration, InstanceRow, Reference, Run
from combopt.bench.store import Store
from combopt.bench.suite import Suite
from combopt.bench.workers import LocalWorkers
from combopt.budget import Budget
from combopt.model import Sense
from combopt.result import Status, StoppedBy
from combopt.solvers.interrupts import Interrupts

HERE = "tests.bench.sweeps"
MACHINE = "test"
POISON, ONCE = 3, 5
"""Generator seeds of the instance that kills every worker, and of the one that kills the first."""


@dataclass(frozen=True)
class Knapsacks:
    """Random instances, the first with a reference value."""

    number: int
    kind: str | None = "knapsack"

    def count(self) -> int:
        return self.number

    def names(self) -> Iterator[str]:
        return (origins.name(origin) for origin, _ in self.origins())

    def origins(self) -> Iterator[tuple[str, Reference | None]]:
        for seed in range(self.number):
            yield generated_origin("knapsack", seed, {"n": 10}), Reference(value=10**6) if seed == 0 else None


def suite(
    instances: int, seeds: int = 2, solvers: tuple[str, ...] = ("knapsack", "dantzig"), limit: float = 5.0
) -> Suite:
    return Suite(
        name="small",
        configurations=tuple(Configuration(solver=solver) for solver in solvers),
        seeds=tuple(range(seeds)),
        budget=Budget(time_limit=limit, threads=1),
        sources=(Knapsacks(instances),),
    )


def rows(path: Path) -> list[tuple[Any, ...]]:
    """What must be the same however often a sweep was cut short; duplicates would show."""
    with Store(path, readonly=True) as store:
        return sorted(
            (*astuple(r.key), r.label, r.objective, r.bound, r.status.value, r.failure.value) for r in store.runs()
        )


def number(task: Task) -> int:
    """The generator seed of its instance; -1 for one from a file."""
    seed: int = json.loads(task.origin).get("seed", -1)
    return seed


def instant(task: Task) -> tuple[Run, InstanceRow]:
    """A run without a solver; its objective tells which it was."""
    digest = hashlib.sha256(task.origin.encode()).hexdigest()
    row = InstanceRow(
        digest=digest,
        name=f"i{number(task)}",
        kind="knapsack",
        sense=Sense.MAX,
        size={"items": 10},
        origin=task.origin,
    )
    run = Run(
        key=real.key_of(task, digest),
        label=task.configuration.label,
        suite=task.suite,
        status=Status.FEASIBLE,
        objective=100 * number(task) + task.seed,
    )
    return run, row


def poisoned(task: Task) -> tuple[Run, InstanceRow]:
    """Kills its own process on one instance always, on another the first time."""
    if number(task) == POISON:
        os.kill(os.getpid(), signal.SIGKILL)
    if number(task) == ONCE:
        mark = Path(os.environ["COMBOPT_TEST_FOLDER"]) / f"once-{task.seed}-{task.configuration.solver}"
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return instant(task)


def sleepy(task: Task) -> tuple[Run, InstanceRow]:
    """Never ends on one instance, with a process of its own beside it."""
    if number(task) == POISON:
        time.sleep(600)
    return instant(task)


def impatient(task: Task) -> tuple[Run, InstanceRow]:
    """As ``sleepy``, in a worker that waits for no more than a fraction of a second."""
    workers.hang_seconds = cluster.hang_seconds = lambda limit: 0.3
    return cluster._run(f"{HERE}:sleepy", task)  # type: ignore[no-any-return]


def exploding(task: Task) -> tuple[Run, InstanceRow]:
    if number(task) == POISON:
        raise ZeroDivisionError("a bug of ours")
    return instant(task)


def stopped(task: Task) -> tuple[Run, InstanceRow]:
    """What a solve returns when somebody sends a signal to the worker."""
    run, row = instant(task)
    return (replace(run, stopped_by=StoppedBy.INTERRUPT) if number(task) == POISON else run), row


class Here:
    """An executor in this process, which counts what it is given."""

    def __init__(self, execute: Callable[[Task], tuple[Run, InstanceRow]] = instant, room: int = 4) -> None:
        self.room, self.execute = room, execute
        self.queue: deque[tuple[int, Task]] = deque()
        self.given: list[tuple[int, str, int]] = []
        self.most = 0

    def submit(self, ticket: int, task: Task) -> None:
        self.queue.append((ticket, task))
        self.given.append((number(task), task.configuration.solver, task.seed))
        self.most = max(self.most, len(self.queue))

    def next(self, seconds: float) -> Outcome | None:
        if not self.queue:
            return None
        ticket, task = self.queue.popleft()
        return Finished(ticket, *self.execute(task))

    def running(self) -> tuple[int, ...]:
        return tuple(ticket for ticket, _ in self.queue)

    def close(self) -> None:
        self.queue.clear()


def marked(mark: str) -> set[int]:
    """The processes that were started with this mark in their environment, whoever their parent is by now."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                environment = (folder / "environ").read_bytes()
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if f"COMBOPT_TEST_MARK={mark}".encode() in environment.split(b"\0") and state != "Z":
                found.add(int(folder.name))
    return found


def gone(mark: str, seconds: float = 5.0) -> bool:
    """Whether all marked processes are gone within that time."""
    until = time.monotonic() + seconds
    while marked(mark):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


def main() -> int:
    """A driver: ``python -m tests.bench.sweeps FILE EXECUTE INSTANCES SEEDS JOBS``."""
    path, execute, instances, seeds, jobs = sys.argv[1:]
    with (
        Interrupts() as interrupts,
        only_driver(Path(path)),
        Store(path) as store,
        LocalWorkers(int(jobs), execute=execute) as workers,
    ):
        result = sweep(suite(int(instances), int(seeds)), store, workers, MACHINE, interrupts=interrupts)
    return 0 if result.interrupted is None else 128 + result.interrupted


if __name__ == "__main__":
    sys.exit(main())
