"""What job shops of all kinds share: their operations as flat arrays, and the check of a schedule.

Operations are numbered job by job; the operations of job ``j`` are ``first_operation[j]`` to
``first_operation[j + 1]``, and each must be finished before the next one of its job starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise
from typing import Any

import numpy as np

from combopt.errors import InputError
from combopt.instances.solutions import Schedule
from combopt.model import Evaluation, Ints, Solution, Violation

MOST_MACHINES = 10_000_000
TOTAL = 2**53
"""Largest sum of all durations; start times up to it are exact in every solver."""
LATEST = 2**61
"""Largest start time, either way, that a schedule may hold to be looked at."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Operations:
    """The operations of a shop with the machines that can process them (one each in a job shop).

    Parameters
    ----------
    first_operation
        ``int64[jobs + 1]``: where the operations of each job begin.
    first_alternative
        ``int64[operations + 1]``: where the alternatives of each operation begin.
    machine, duration
        ``int64[alternatives]``.
    machines
        Number of machines.
    """

    first_operation: Ints
    first_alternative: Ints
    machine: Ints
    duration: Ints
    machines: int

    def __len__(self) -> int:
        return len(self.first_alternative) - 1

    @property
    def jobs(self) -> int:
        return len(self.first_operation) - 1

    @property
    def counts(self) -> Ints:
        """Operations of each job, ``int64[jobs]``."""
        return np.diff(self.first_operation)

    @property
    def job(self) -> Ints:
        """Job of each operation, ``int64[operations]``."""
        return np.repeat(np.arange(self.jobs), self.counts)

    @property
    def shortest(self) -> Ints:
        """Duration of each operation on its fastest machine, ``int64[operations]``."""
        return np.minimum.reduceat(self.duration, self.first_alternative[:-1])

    def __post_init__(self) -> None:
        check_durations(self.duration)
        for name in ("first_operation", "first_alternative", "machine", "duration"):
            getattr(self, name).setflags(write=False)

    def heads(self) -> Ints:
        """Work of the same job before each operation at least, ``int64[operations]``."""
        before = np.cumsum(self.shortest) - self.shortest
        return before - np.repeat(before[self.first_operation[:-1]], self.counts)

    def tails(self) -> Ints:
        """Work of the same job after each operation at least, ``int64[operations]``."""
        after = np.cumsum(self.shortest[::-1])[::-1] - self.shortest
        return after - np.repeat(after[self.first_operation[1:] - 1], self.counts)

    def schedule(self, start: Ints, machine: Ints) -> Schedule:
        """A schedule from flat arrays ``int64[operations]``."""
        ends = self.first_operation.tolist()
        rows = []
        for values in (start.tolist(), machine.tolist()):
            rows.append(tuple(tuple(values[a:b]) for a, b in pairwise(ends)))
        return Schedule(rows[0], rows[1])

    def flat(self, solution: Schedule) -> tuple[Ints, Ints]:
        """Start times and machines of a schedule as flat arrays; E302 if its shape is not that of the jobs."""
        counts = [len(job) for job in solution.start]
        if counts != self.counts.tolist():
            raise InputError("E302", f"a schedule of {_shape(counts)}", expected=_shape(self.counts.tolist()))
        try:
            start = np.fromiter(chain.from_iterable(solution.start), dtype=np.int64, count=len(self))
            machine = np.fromiter(chain.from_iterable(solution.machine), dtype=np.int64, count=len(self))
        except OverflowError:
            raise InputError("E302", "a start time or machine beyond 64 bits") from None
        if start.size and (start.max() > LATEST or start.min() < -LATEST):
            raise InputError("E302", f"a start time beyond {LATEST}")
        return start, machine

    def chosen(self, machine: Ints) -> Ints:
        """Index of the alternative that each operation has on ``machine[operations]``; -1 where it has none."""
        owner = np.repeat(np.arange(len(self)), np.diff(self.first_alternative))
        order = np.lexsort((self.machine, owner))
        inside = (machine >= 0) & (machine < self.machines)
        wanted = np.arange(len(self)) * self.machines + np.where(inside, machine, 0)
        keys = (owner * self.machines + self.machine)[order]
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(inside & (keys[place] == wanted), order[place], -1)


def count_machines(machine: Ints, declared: int) -> int:
    """The number of machines: ``declared``, or where that is 0 enough for the largest one named.

    Raises
    ------
    InputError
        E114 if it is out of range, E117 if a machine beyond it is named.
    """
    named = int(machine.max()) + 1
    if not 0 <= declared <= MOST_MACHINES or named > MOST_MACHINES:
        raise InputError("E114", f"{max(declared, named)} machines", expected=f"1 to {MOST_MACHINES}")
    if 0 < declared < named:
        raise InputError(
            "E117", f"machine {named - 1}, counted from 0, of {declared}", expected=f"0 to {declared - 1}"
        )
    return declared or named


def check_durations(duration: Ints) -> None:
    """Raise E114 unless all durations are 0 or more and their sum is at most :data:`TOTAL`."""
    if duration.size and duration.min() < 0:
        raise InputError("E114", f"a duration is {int(duration.min())}", expected="0 or more")
    # the sum of floats is exact enough to see that the sum of integers would overflow
    if duration.astype(np.float64).sum() > 2 * TOTAL or duration.sum() > TOTAL:
        raise InputError("E114", "the durations add up to more than 2^53", expected="a coarser unit of time")


def evaluate_schedule(operations: Operations, solution: Schedule) -> Evaluation:
    """Makespan and violations of a schedule; an operation of duration 0 has its place in the order of its machine.

    That is, as in the disjunctive graph (Roy and Sussmann 1964), of two operations on one machine one is finished
    when the other starts, so that none, however short, starts strictly within another.
    """
    start, machine = operations.flat(solution)
    alternative = operations.chosen(machine)
    known = alternative >= 0
    # On a machine that cannot process it an operation counts with its shortest duration.
    duration = np.where(known, operations.duration[alternative], operations.shortest)
    names = _Names(operations)
    violations = [
        Violation(names[i], 1, f"machine {int(machine[i]) + 1} cannot process it")
        for i in np.flatnonzero(~known).tolist()
    ]
    violations += [
        Violation(names[i], -int(start[i]), f"starts at {int(start[i])}, before time 0")
        for i in np.flatnonzero(start < 0).tolist()
    ]
    violations += _precedence(operations, start, start + duration, names)
    violations += _overlaps(start, duration, np.where(known, machine, -1), names)
    makespan = int((start + duration).max(initial=0))
    return Evaluation(makespan, tuple(violations))


def _precedence(operations: Operations, start: Ints, end: Ints, names: _Names) -> list[Violation]:
    first_of_job = np.zeros(len(operations), dtype=bool)
    first_of_job[operations.first_operation[:-1]] = True
    early = np.flatnonzero((start[1:] < end[:-1]) & ~first_of_job[1:]) + 1
    return [
        Violation(
            f"order of job {names.job(i) + 1}",
            int(end[i - 1] - start[i]),
            f"{names[i]} starts at {int(start[i])}, before the one before it ends at {int(end[i - 1])}",
        )
        for i in early.tolist()
    ]


def _overlaps(start: Ints, duration: Ints, machine: Ints, names: _Names) -> list[Violation]:
    """One violation for every operation that starts while an earlier one of its machine still runs."""
    order = np.lexsort((duration, start, machine))
    order = order[machine[order] >= 0]
    bounds = np.flatnonzero(np.diff(machine[order], prepend=-1, append=-1))
    end = (start + duration)[order]
    begin = start[order]
    violations = []
    for a, b in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        latest = np.maximum.accumulate(end[a : b - 1])
        holder = np.maximum.accumulate(np.where(end[a : b - 1] == latest, np.arange(a, b - 1), 0))
        for k in np.flatnonzero(begin[a + 1 : b] < latest).tolist():
            late, blocking, at = int(order[a + 1 + k]), int(order[holder[k]]), int(begin[a + 1 + k])
            until = int(latest[k])
            violations.append(
                Violation(
                    f"machine {int(machine[late]) + 1}",
                    until - at,
                    f"{names[late]} starts at {at}, while {names[blocking]} runs until {until}",
                )
            )
    return violations


class _Names:
    """Names of operations for people, counted from 1."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    @cached_property
    def _table(self) -> tuple[list[int], list[int]]:
        job = self._operations.job
        return job.tolist(), (np.arange(len(job)) - self._operations.first_operation[job]).tolist()

    def job(self, operation: int) -> int:
        return self._table[0][operation]

    def __getitem__(self, operation: int) -> str:
        job, step = self._table
        return f"operation {step[operation] + 1} of job {job[operation] + 1}"


def _shape(counts: list[int]) -> str:
    if len(set(counts)) <= 1:
        return f"{len(counts)} jobs of {counts[0] if counts else 0} operations"
    shown = ", ".join(map(str, counts[:10])) + (", ..." if len(counts) > 10 else "")
    return f"{len(counts)} jobs of {shown} operations"


def left_shifted(operations: Operations, start: Ints, machine: Ints) -> Schedule:
    """The semi-active schedule in the order of ``start``: every operation as early as the ones before it allow.

    For the start times of a feasible schedule no operation becomes later.  For any others the result is feasible
    all the same: of the operations of a job in the order of ``start``, the k-th stands for the k-th of the job.
    """
    duration = operations.duration[operations.chosen(machine)]
    step = np.arange(len(operations)) - operations.first_operation[operations.job]
    order = np.lexsort((step, start + duration, start))
    following = operations.first_operation[:-1].tolist()
    job_free = [0] * operations.jobs
    machine_free: dict[int, int] = {}
    found = np.empty(len(operations), dtype=np.int64)
    machines, durations = machine.tolist(), duration.tolist()
    for job in operations.job[order].tolist():
        operation = following[job]
        following[job] += 1
        on = machines[operation]
        begin = max(job_free[job], machine_free.get(on, 0))
        found[operation] = begin
        job_free[job] = machine_free[on] = begin + durations[operation]
    return operations.schedule(found, machine)


def as_start(operations: Operations, solution: Solution | None) -> tuple[Ints, Ints] | None:
    """Start times and machines of a feasible schedule that is no worse than the given one, as flat arrays.

    ``None`` if there is none, or it is of another shape or names a machine that cannot process its operation.
    """
    if not isinstance(solution, Schedule):
        return None
    try:
        start, machine = operations.flat(solution)
    except InputError:
        return None
    if (operations.chosen(machine) < 0).any():
        return None
    return operations.flat(left_shifted(operations, start, machine))


def trivial_bound(operations: Operations) -> int:
    """A lower bound on the makespan: the longest job, the largest load of a machine between the least head and tail
    of what only it can process, and all the work shared out evenly."""
    shortest, heads, tails = operations.shortest, operations.heads(), operations.tails()
    bound = int((heads + shortest).max())
    bound = max(bound, int(-(-shortest.sum() // operations.machines)))
    only = np.flatnonzero(np.diff(operations.first_alternative) == 1)
    machine = operations.machine[operations.first_alternative[only]]
    order = np.argsort(machine, kind="stable")
    only, machine = only[order], machine[order]
    begins = np.flatnonzero(np.diff(machine, prepend=-1))
    if len(only):
        load = np.add.reduceat(shortest[only], begins)
        load += np.minimum.reduceat(heads[only], begins) + np.minimum.reduceat(tails[only], begins)
        bound = max(bound, int(load.max()))
    return bound


def makespan_conventions(operations: Operations) -> tuple[str, ...]:
    """What to say about operations of duration 0, if there are any."""
    if operations.duration.size and operations.duration.min() == 0:
        return ("an operation of duration 0 does not start within another one on its machine",)
    return ()


def padded(rows: Any, fill: int) -> Any:
    """Rows of unequal length filled up at their ends; anything else as it is."""
    if isinstance(rows, np.ndarray) or not isinstance(rows, (list, tuple)):
        return rows
    if not all(isinstance(row, (list, tuple)) for row in rows):
        return rows
    width = max((len(row) for row in rows), default=0)
    return [[*row, *[fill] * (width - len(row))] for row in rows]
