"""Tiny flexible job shops, and their optimal makespan by trying all sequences and all choices of machines."""

from __future__ import annotations

import numpy as np

from combopt.instances.fjsp import Fjsp


def small(rng: np.random.Generator) -> Fjsp:
    """2 or 3 jobs of 1 to 3 operations with 1 to 3 machines each; equal and different, also zero, durations."""
    jobs, machines = int(rng.integers(2, 4)), int(rng.integers(1, 4))
    longest = int(rng.choice([1, 3, 20, 1000]))
    low = int(rng.random() < 0.7)
    rows = []
    for _ in range(jobs):
        job = []
        for _ in range(rng.integers(1, 4 if jobs == 2 else 3)):
            chosen = rng.permutation(machines)[: rng.integers(1, machines + 1)].tolist()
            times = rng.integers(low, longest + 1, size=len(chosen))
            if rng.random() < 0.3:
                times[:] = times[0]
            job.append(list(zip(chosen, times.tolist(), strict=True)))
        rows.append(job)
    return Fjsp.of_jobs(rows, name="small", machines=machines)


def best(instance: Fjsp) -> int:
    """Operations are appended one by one, each on every machine it can have; what is no better is cut off."""
    jobs: list[list[list[tuple[int, int]]]] = []
    pairs = iter(zip(instance.machine.tolist(), instance.duration.tolist(), strict=True))
    sizes = iter(instance.alternatives.tolist())
    for count in instance.counts.tolist():
        jobs.append([[next(pairs) for _ in range(next(sizes))] for _ in range(count)])
    found = sum(max(d for _, d in operation) for job in jobs for operation in job)
    machine_free = [0] * instance.machines
    position, ready = [0] * len(jobs), [0] * len(jobs)

    def extend(left: int) -> None:
        nonlocal found
        if max(ready) >= found:
            return
        if left == 0:
            found = max(ready)
            return
        for j, job in enumerate(jobs):
            if position[j] == len(job):
                continue
            was_ready = ready[j]
            for machine, duration in job[position[j]]:
                before = machine_free[machine]
                ready[j] = machine_free[machine] = max(before, was_ready) + duration
                position[j] += 1
                extend(left - 1)
                position[j] -= 1
                machine_free[machine], ready[j] = before, was_ready

    extend(sum(map(len, jobs)))
    return found
