"""The driver of a sweep: hands out what the file does not hold yet, writes what comes back, can be stopped anytime.

Only the driver writes.  A finished run is in the file at once and whole, a run that was cut short is not in it at
all; so the same call goes on where the last one ended, however it ended.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from combopt.bench.execute import Task, key_of, lost, unread
from combopt.bench.executor import Broken, Died, Executor, Finished, Outcome
from combopt.bench.runs import Configuration, Failure, InstanceRow, Key, Reference, Run, identity
from combopt.bench.store import Store
from combopt.bench.suite import Suite
from combopt.budget import Budget
from combopt.errors import UsageError
from combopt.result import StoppedBy
from combopt.solvers.interrupts import Interrupts

ATTEMPTS = 2
"""Times that a run is begun before it counts as lost, if its worker dies each time."""
TICK = 0.2
"""Seconds between two looks at signals and hanging workers."""
RETRIED = (Failure.LOST, Failure.ERROR, Failure.CRASH)
"""Failures that may not come again."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Part ``number``, from 1, of ``count``: every ``count``-th task, for job arrays whose jobs know nothing of
    each other."""

    number: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise UsageError("E201", f"shard {self.number}/{self.count}", expected="I/N with 1 <= I <= N")

    def share(self, total: int) -> int:
        """How many of ``total`` tasks are in it."""
        return len(range(self.number - 1, total, self.count))


WHOLE = Shard()


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a sweep is.

    Of ``total`` runs, ``held`` were found in the file so far, ``ran`` came from this sweep, ``failed`` of them
    counting as failed.  ``left`` is an estimate of the seconds left, ``None`` before the first run.
    """

    total: int
    held: int
    ran: int
    failed: int
    running: tuple[Task, ...]
    seconds: float
    left: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepResult:
    """What a sweep did, as in :class:`Progress`; ``interrupted`` is the number of the signal that ended it early."""

    total: int
    held: int
    ran: int
    failed: int
    seconds: float
    interrupted: int | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A task with the best known value of its instance."""

    task: Task
    reference: Reference | None


def jobs(suite: Suite, machine: str, shard: Shard = WHOLE) -> Iterator[Job]:
    """The tasks of a suite, all of an instance before those of the next."""
    every = (Job(task, case.reference) for case in suite.cases() for task in suite.tasks(case, machine))
    return islice(every, shard.number - 1, None, shard.count)


class Held:
    """Which tasks have their run in the file.  Nothing is read or generated to find out: a task whose instance the
    file does not know by its origin has none."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys: dict[str, tuple[tuple[Configuration, Budget, str], Key]] = {}

    def key(self, task: Task) -> Key | None:
        """The key of the task, if its instance is known.  To make one afresh loads the solver; it is kept by label."""
        digest = self._store.digest(task.origin)
        if digest is None:
            return None
        same = task.configuration, task.budget, task.machine
        kept = self._keys.get(task.configuration.label)
        if kept is None or kept[0] != same:
            kept = self._keys[task.configuration.label] = same, key_of(task, digest)
        return replace(kept[1], instance=digest, seed=task.seed)

    def __contains__(self, task: Task) -> bool:
        key = self.key(task)
        return key is not None and self._store.has(key)


def plan(suite: Suite, store: Store | None, machine: str, shard: Shard = WHOLE) -> tuple[int, int]:
    """The number of runs, and how many of them the file holds; nothing is run."""
    total = found = 0
    held = None if store is None else Held(store)
    for job in jobs(suite, machine, shard):
        total += 1
        found += held is not None and job.task in held
    return total, found


def forget_failed(suite: Suite, store: Store, machine: str, shard: Shard = WHOLE) -> int:
    """Delete the runs of the suite whose failure may not come again (:data:`RETRIED`); how many there were."""
    marks = ", ".join("?" * len(RETRIED))
    query = f"SELECT id FROM run WHERE failure IN ({marks}) ORDER BY id"
    numbers = [number for (number,) in store.connection.execute(query, RETRIED)]
    failed = dict(zip((run.key for run in store.runs(f"failure IN ({marks})", RETRIED)), numbers, strict=True))
    if not failed:
        return 0
    held = Held(store)
    keys = {key for job in jobs(suite, machine, shard) if (key := held.key(job.task)) in failed}
    execute = store.connection.execute
    with store.transaction():
        for key in keys:
            execute("DELETE FROM run WHERE id = ?", (failed[key],))
        for table, column in (("origin", "instance"), ("reference", "instance"), ("instance", "id")):
            execute(f"DELETE FROM {table} WHERE {column} NOT IN (SELECT instance FROM run)")
    return len(keys)


def sweep(
    suite: Suite,
    store: Store,
    executor: Executor,
    machine: str,
    *,
    shard: Shard = WHOLE,
    interrupts: Interrupts | None = None,
    report: Callable[[Progress], None] | None = None,
) -> SweepResult:
    """Run what the file does not hold yet, and write each run when it ends.

    Parameters
    ----------
    machine
        The kind of machine, for the keys (see :func:`combopt.bench.execute.machine_name`).
    interrupts
        Signals that the caller is catching.  The first one ends the sweep; the runs that it cuts short are not
        written.
    report
        Called after every run, and at least every :data:`TICK` seconds.

    Raises
    ------
    UsageError
        E205 if the file cannot be written any more.
    """
    return _Sweep(suite, store, executor, machine, shard, interrupts or Interrupts(), report).run()


@dataclass(slots=True)
class _Flight:
    job: Job
    attempts: int = 1


class _Sweep:
    """The state of one sweep; it does not grow with the number of runs."""

    def __init__(
        self,
        suite: Suite,
        store: Store,
        executor: Executor,
        machine: str,
        shard: Shard,
        interrupts: Interrupts,
        report: Callable[[Progress], None] | None,
    ) -> None:
        self._jobs = jobs(suite, machine, shard)
        self._store, self._executor, self._interrupts, self._report = store, executor, interrupts, report
        self._file = Held(store)
        self._flying: dict[int, _Flight] = {}
        self._total = shard.share(suite.runs())
        self._held = self._ran = self._failed = self._submitted = 0
        self._skipped_first = 0
        self._started = time.monotonic()

    def run(self) -> SweepResult:
        try:
            self._fill()
            while self._flying and self._interrupts.received is None:
                outcome = self._executor.next(TICK)
                if outcome is not None:
                    self._take(outcome)
                    self._fill()
                self._tell()
            while self._flying and (outcome := self._executor.next(0.0)) is not None:
                self._take(outcome)  # it came in with the signal
        finally:
            self._executor.close()
        self._tell()
        return SweepResult(
            total=self._total,
            held=self._held,
            ran=self._ran,
            failed=self._failed,
            seconds=time.monotonic() - self._started,
            interrupted=self._interrupts.received,
        )

    def _fill(self) -> None:
        """Hand out tasks while there is room."""
        while len(self._flying) < self._executor.room and self._interrupts.received is None:
            job = next(self._jobs, None)
            if job is None:
                return
            if job.task in self._file:
                self._held += 1
                continue
            if not self._submitted:
                self._skipped_first = self._held
            self._submitted += 1
            self._flying[self._submitted] = _Flight(job)
            self._executor.submit(self._submitted, job.task)

    def _take(self, outcome: Outcome) -> None:
        flight = self._flying[outcome.ticket]
        task = flight.job.task
        if isinstance(outcome, Finished) and outcome.run.stopped_by is StoppedBy.INTERRUPT:
            outcome = Died(outcome.ticket, "a signal ended the run")
        if isinstance(outcome, Finished):
            run, instance = outcome.run, outcome.instance
        elif isinstance(outcome, Broken):
            run, instance = lost(task, self._store.digest(task.origin), outcome.text)
            run = replace(run, failure=Failure.ERROR, stopped_by=StoppedBy.FINISHED)
        elif flight.attempts < ATTEMPTS or self._interrupts.received is not None:
            flight.attempts += 1
            self._executor.submit(outcome.ticket, task)
            return
        else:
            how = f"the worker died, {ATTEMPTS} times: {outcome.how}"
            run, instance = lost(task, self._store.digest(task.origin), how)
        del self._flying[outcome.ticket]
        if record(self._store, task, run, instance, flight.job.reference):
            self._ran += 1
            self._failed += run.failure is not Failure.NONE
        else:
            self._held += 1  # the same instance, under two names

    def _tell(self) -> None:
        if self._report is None:
            return
        seconds = time.monotonic() - self._started
        done = self._held + self._ran
        passed = done - self._skipped_first
        running = (self._flying[t].job.task for t in self._executor.running() if t in self._flying)
        self._report(
            Progress(
                total=self._total,
                held=self._held,
                ran=self._ran,
                failed=self._failed,
                running=tuple(running),
                seconds=seconds,
                left=seconds / passed * (self._total - done) if self._ran else None,
            )
        )


def record(store: Store, task: Task, run: Run, instance: InstanceRow, reference: Reference | None) -> bool:
    """Write a run; ``False`` if its key is there already.

    An instance that could not be read has a digest of its own until it can be.  Runs of one origin are kept under
    one instance, whichever came first.

    Raises
    ------
    UsageError
        E205 if the file cannot be written.
    """
    known, nameless = store.digest(task.origin), unread(task.origin).digest
    if known is not None and known != instance.digest == nameless:
        instance = replace(instance, digest=known)
        run = replace(run, key=replace(run.key, instance=known))
    try:
        new = store.add(run, instance, reference)
        if known == nameless != instance.digest:
            _adopt(store, task.origin, nameless, instance.digest)
    except sqlite3.Error as error:
        raise UsageError(
            "E205", f"cannot write {store.path}: {error}", remedy="Make room, then give the same command again."
        ) from None
    return new


def _adopt(store: Store, origin: str, nameless: str, digest: str) -> None:
    """Move the runs of an instance that could not be read to the instance that it turned out to be."""
    execute = store.connection.execute
    with store.transaction():
        old, new = (
            execute("SELECT id FROM instance WHERE digest = ?", (d,)).fetchone()[0] for d in (nameless, digest)
        )
        execute("UPDATE OR IGNORE run SET instance = ? WHERE instance = ?", (new, old))
        execute("DELETE FROM run WHERE instance = ?", (old,))
        execute("UPDATE origin SET instance = ? WHERE origin = ?", (new, identity(origin)))
        execute("DELETE FROM reference WHERE instance = ?", (old,))
        execute("DELETE FROM instance WHERE id = ?", (old,))
