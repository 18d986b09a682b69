"""The loop of :mod:`combopt.solvers.dispatching`, written to be compiled by numba and to run without it."""

from __future__ import annotations

import numpy as np

from combopt.model import Ints

FINISHED = 2**62
SHORTEST, LONGEST, ARRIVAL, FIXED = 0, 1, 2, 3
"""How operations that could start at once are ranked: by duration, by time of arrival, or by fixed priorities."""


def choose(
    operation: int, ready: int, first_alternative: Ints, machine: Ints, duration: Ints, machine_free: Ints
) -> tuple[int, int]:
    """The alternative of an operation that is finished first, ties to the shorter one, and its start time."""
    best, best_start, best_end = -1, 0, 0
    for a in range(first_alternative[operation], first_alternative[operation + 1]):
        start = max(ready, machine_free[machine[a]])
        end = start + duration[a]
        if best < 0 or end < best_end or (end == best_end and duration[a] < duration[best]):
            best, best_start, best_end = a, start, end
    return best, best_start


def dispatch(
    rule: int,
    priority: Ints,
    first_operation: Ints,
    first_alternative: Ints,
    machine: Ints,
    duration: Ints,
    machines: int,
) -> tuple[Ints, Ints]:
    """The non-delay schedule of a rule: start ``int64[operations]`` and alternative ``int64[operations]``.

    In each step, of the operations that can start earliest the one that ranks first by ``rule`` (least
    ``priority[operation]`` for :data:`FIXED`) is scheduled; ties go to the lower job.  O(operations * jobs).
    """
    jobs = len(first_operation) - 1
    start = np.zeros(len(first_alternative) - 1, dtype=np.int64)
    chosen = np.zeros(len(first_alternative) - 1, dtype=np.int64)
    machine_free = np.zeros(machines, dtype=np.int64)
    ready = np.zeros(jobs, dtype=np.int64)
    following = first_operation[:-1].copy()
    # What is known of the next operation of each job; dense, so that the loops over all jobs stay in the cache.
    best = np.zeros(jobs, dtype=np.int64)
    earliest = np.zeros(jobs, dtype=np.int64)
    rank = np.zeros(jobs, dtype=np.int64)
    only = np.full(jobs, -1, dtype=np.int64)
    touched, pick = -1, -1
    for step in range(len(start) + 1):
        for j in range(jobs):
            if step > 0 and j != pick and only[j] != touched and only[j] >= 0:
                continue
            o = following[j]
            if o == first_operation[j + 1]:
                earliest[j], only[j] = FINISHED, machines
                continue
            best[j], earliest[j] = choose(o, ready[j], first_alternative, machine, duration, machine_free)
            only[j] = machine[best[j]] if first_alternative[o + 1] - first_alternative[o] == 1 else -1
            if rule == FIXED:
                rank[j] = priority[o]
            elif rule == ARRIVAL:
                rank[j] = ready[j]
            else:
                rank[j] = duration[best[j]] if rule == SHORTEST else -duration[best[j]]
        if step == len(start):
            break
        pick = 0
        for j in range(1, jobs):
            if earliest[j] < earliest[pick] or (earliest[j] == earliest[pick] and rank[j] < rank[pick]):
                pick = j
        operation, a = following[pick], best[pick]
        touched = machine[a]
        start[operation], chosen[operation] = earliest[pick], a
        ready[pick] = machine_free[touched] = earliest[pick] + duration[a]
        following[pick] += 1
    return start, chosen
