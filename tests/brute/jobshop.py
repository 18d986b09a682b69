"""Tiny job shops, and their optimal makespan by trying all sequences of operations."""

from __future__ import annotations

import numpy as np

from combopt.instances.jobshop import JobShop


def small(rng: np.random.Generator) -> JobShop:
    """2 or 3 jobs of 1 to 3 operations: permutations of machines, repeated visits, idle machines, durations 0."""
    jobs, machines = int(rng.integers(2, 4)), int(rng.integers(1, 4))
    longest = int(rng.choice([1, 3, 20, 1000]))
    low = int(rng.random() < 0.7)
    if rng.random() < 0.5:
        rows = [rng.permutation(machines).tolist() for _ in range(jobs)]
    else:
        rows = [rng.integers(0, machines, size=rng.integers(1, 4)).tolist() for _ in range(jobs)]
    durations = [rng.integers(low, longest + 1, size=len(row)).tolist() for row in rows]
    return JobShop(name="small", machine=rows, duration=durations, machines=machines)  # type: ignore[arg-type]


def best(instance: JobShop) -> int:
    """Every semi-active schedule is that of some sequence of all operations; one of them is optimal."""
    jobs = [
        [(k, d) for k, d in zip(on, times, strict=True) if k >= 0]
        for on, times in zip(instance.machine.tolist(), instance.duration.tolist(), strict=True)
    ]
    found = sum(d for job in jobs for _, d in job)
    machine_free = [0] * instance.machines

    def extend(position: tuple[int, ...], ready: tuple[int, ...]) -> None:
        nonlocal found
        if max(ready) >= found:
            return
        if all(p == len(job) for p, job in zip(position, jobs, strict=True)):
            found = max(ready)
            return
        for j, job in enumerate(jobs):
            if position[j] < len(job):
                machine, duration = job[position[j]]
                before = machine_free[machine]
                end = machine_free[machine] = max(before, ready[j]) + duration
                extend((*position[:j], position[j] + 1, *position[j + 1 :]), (*ready[:j], end, *ready[j + 1 :]))
                machine_free[machine] = before

    extend((0,) * len(jobs), (0,) * len(jobs))
    return found
