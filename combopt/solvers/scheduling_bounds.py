"""Lower bounds on the makespan of job shops."""

from __future__ import annotations

import heapq

import numpy as np

from combopt.instances.scheduling import Operations, trivial_bound

MOST_OPERATIONS = 200_000
"""Above this only the trivial bound is computed, which takes a fraction of a second."""


def lower_bound(ops: Operations) -> int:
    """The best of the trivial bounds and, for each machine, Jackson's preemptive schedule.

    The operations that only this machine can process, with the work of the job before and after them as heads and
    tails, form a one-machine problem whose preemptive optimum is found by always running what has the largest tail
    (Jackson 1955; Carlier 1982).  O(operations log operations).
    """
    bound = trivial_bound(ops)
    if len(ops) > MOST_OPERATIONS:
        return bound
    heads, tails = ops.heads(), ops.tails()
    only = np.flatnonzero(np.diff(ops.first_alternative) == 1)
    machine = ops.machine[ops.first_alternative[only]]
    order = np.lexsort((heads[only], machine))
    only, machine = only[order], machine[order]
    begins = np.flatnonzero(np.diff(machine, prepend=-1))
    for group in np.split(only, begins[1:]):
        if len(group):
            bound = max(bound, preemptive(heads[group].tolist(), ops.shortest[group].tolist(), tails[group].tolist()))
    return bound


def preemptive(heads: list[int], durations: list[int], tails: list[int]) -> int:
    """Optimal value of the preemptive one-machine problem; ``heads`` must be sorted."""
    waiting: list[tuple[int, int]] = []  # (-tail, index)
    left = list(durations)
    time = latest = 0
    k = 0
    while k < len(heads) or waiting:
        if not waiting:
            time = max(time, heads[k])
        while k < len(heads) and heads[k] <= time:
            heapq.heappush(waiting, (-tails[k], k))
            k += 1
        tail, index = waiting[0]
        until = time + left[index]
        if k < len(heads) and heads[k] < until:
            left[index] -= heads[k] - time
            time = heads[k]
            continue
        heapq.heappop(waiting)
        time = until
        latest = max(latest, until - tail)
    return latest
