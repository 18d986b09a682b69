"""Schedules as tables of whole numbers.  ``#`` begins a comment; ``# makespan 55`` states the objective.

Job shop: ``n`` lines with the start times of a job's operations, or ``m`` lines with the order of the jobs (counted
from 0 or from 1) on a machine, which stands for the schedule that starts everything as early as these orders allow.
Flexible job shop: ``n`` lines with a pair start time, machine (from 1) for each operation of the job.
"""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from combopt.instances.fjsp import Fjsp
from combopt.instances.formats.base import SolutionFormat
from combopt.instances.jobshop import JobShop
from combopt.instances.scheduling import LATEST, Operations
from combopt.instances.solutions import Schedule
from combopt.instances.text import Source
from combopt.model import Instance, Ints, Solution

_CLAIM = re.compile(r"^\s*#\s*makespan\s*[:=]?\s*(\d{1,18})\s*$", re.MULTILINE | re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?\d+(\.0*)?\Z", re.ASCII)

Rows = list[tuple[int, list[int]]]
"""Line number and numbers of each line."""


def read(source: Source, instance: Instance) -> Solution:
    """The schedule of the file; what it is, start times or machine orders, its shape and contents must tell.

    Raises
    ------
    InputError
        E115 if the shape fits neither, E120 if the contents fit both or the machine orders have no schedule.
    """
    assert isinstance(instance, (JobShop, Fjsp))
    rows = _rows(source)
    ops = instance.operations
    if isinstance(instance, Fjsp):
        return _pairs(source, rows, ops)
    starts = [len(row) for _, row in rows] == ops.counts.tolist()
    orders = [len(row) for _, row in rows] == np.bincount(ops.machine, minlength=ops.machines).tolist()
    if not starts and not orders:
        raise _misshapen(source, rows, ops)
    if starts and orders:
        starts = not _mostly_orders(rows, ops)
        if not starts and _keeps_job_order(rows, ops):
            found = "the numbers could be start times or machine orders"
            raise source.error("E120", 0, found, remedy="Give the schedule as JSON.")
    if starts:
        flat = [value for _, row in rows for value in row]
        return ops.schedule(np.array(flat, dtype=np.int64), ops.machine)
    return _from_orders(source, rows, ops)


def _rows(source: Source) -> Rows:
    rows = []
    for number, text in enumerate(source.lines, 1):
        tokens = text.partition("#")[0].split()
        if tokens:
            rows.append((number, [source.whole(t, number, "a number of a schedule", -LATEST, LATEST) for t in tokens]))
    if not rows:
        raise source.error("E118", 0, "the file holds no schedule")
    return rows


def _misshapen(source: Source, rows: Rows, ops: Operations) -> Exception:
    """The error for a table of the wrong shape, at the line where it first differs from start times."""
    counts = ops.counts.tolist()
    width = f" of {counts[0]}" if len(set(counts)) == 1 else ""
    expected = f"{len(counts)} lines{width} start times, or {ops.machines} lines with the jobs on each machine"
    wanted = counts if abs(len(rows) - len(counts)) <= abs(len(rows) - ops.machines) else None
    for (number, row), count in zip(rows, wanted or [], strict=False):
        if len(row) != count:
            return source.error("E115", number, f"{len(row)} numbers in this line", expected)
    last = rows[-1][0]
    return source.error("E115", last, f"{len(rows)} lines of numbers", expected)


def _pairs(source: Source, rows: Rows, ops: Operations) -> Schedule:
    counts = ops.counts.tolist()
    for (number, row), count in zip(rows, counts, strict=False):
        if len(row) != 2 * count:
            expected = f"{count} pairs start time, machine"
            raise source.error("E115", number, f"{len(row)} numbers in this line", expected)
        for machine in row[1::2]:
            if not 1 <= machine <= ops.machines:
                raise source.error("E117", number, f"machine {machine}", f"a machine from 1 to {ops.machines}")
    if len(rows) != len(counts):
        raise source.error(
            "E115", rows[-1][0], f"{len(rows)} lines of numbers", f"{len(counts)} lines, one for each job"
        )
    start = tuple(tuple(row[0::2]) for _, row in rows)
    return Schedule(start, tuple(tuple(machine - 1 for machine in row[1::2]) for _, row in rows))


def _visits(ops: Operations) -> list[Counter[int]]:
    """For each machine how often each job visits it."""
    visits: list[Counter[int]] = [Counter() for _ in range(ops.machines)]
    for job, machine in zip(ops.job.tolist(), ops.machine.tolist(), strict=True):
        visits[machine][job] += 1
    return visits


def _base(rows: Rows) -> int:
    """The number of the first job: 0 if it occurs, else 1."""
    return 0 if any(0 in row for _, row in rows) else 1


def _mostly_orders(rows: Rows, ops: Operations) -> bool:
    """Whether at least half of the lines hold just the jobs of their machine."""
    base = _base(rows)
    fitting = sum(
        Counter(job - base for job in row) == wanted for (_, row), wanted in zip(rows, _visits(ops), strict=True)
    )
    return 2 * fitting >= len(rows)


def _keeps_job_order(rows: Rows, ops: Operations) -> bool:
    """Whether the numbers, read as start times, let each operation end before the next of its job starts."""
    start = np.array([value for _, row in rows for value in row], dtype=np.int64)
    last = np.zeros(len(ops), dtype=bool)
    last[ops.first_operation[1:] - 1] = True
    gaps = start[1:] - (start + ops.duration)[:-1]
    return bool((gaps[~last[:-1]] >= 0).all())


def _from_orders(source: Source, rows: Rows, ops: Operations) -> Schedule:
    base = _base(rows)
    queues: list[list[int]] = []
    for (number, row), wanted in zip(rows, _visits(ops), strict=True):
        found = Counter(job - base for job in row)
        for job in row:
            if not 0 <= job - base < ops.jobs:
                raise source.error("E117", number, f"job {job}", f"a job from {base} to {ops.jobs - 1 + base}")
            if found[job - base] != wanted[job - base]:
                times = f"{found[job - base]} times on this machine"
                raise source.error("E116", number, f"job {job} comes {times}", f"{wanted[job - base]} times")
        queues.append([job - base for job in row])
    start = earliest_starts(ops, queues)
    if start is None:
        raise source.error("E120", 0, "the machine orders wait for each other in a circle; no schedule keeps them")
    return ops.schedule(start, ops.machine)


def earliest_starts(ops: Operations, queues: list[list[int]]) -> Ints | None:
    """Start times ``int64[operations]`` of the semi-active schedule with given orders of jobs on each machine.

    ``None`` if there is none.  Each job waits at most at one machine, so every step is done once: O(operations).
    """
    following, ends = ops.first_operation[:-1].tolist(), ops.first_operation[1:].tolist()
    machine, duration = ops.machine.tolist(), ops.duration.tolist()
    start = np.zeros(len(ops), dtype=np.int64)
    job_free, machine_free, position = [0] * ops.jobs, [0] * ops.machines, [0] * ops.machines
    waiting = [job for job in range(ops.jobs) if following[job] < ends[job]]
    done = 0
    while waiting:
        job = waiting.pop()
        while following[job] < ends[job]:
            operation = following[job]
            on = machine[operation]
            if queues[on][position[on]] != job:
                break
            begin = max(job_free[job], machine_free[on])
            start[operation] = begin
            job_free[job] = machine_free[on] = begin + duration[operation]
            position[on] += 1
            following[job] += 1
            done += 1
            if position[on] < len(queues[on]):
                heir = queues[on][position[on]]
                if heir != job and following[heir] < ends[heir] and machine[following[heir]] == on:
                    waiting.append(heir)
    return start if done == len(ops) else None


def write(solution: Solution, instance: Instance) -> str:
    assert isinstance(solution, Schedule)
    assert isinstance(instance, (JobShop, Fjsp))
    lines = [f"# makespan {instance.evaluate(solution).objective}"]
    if isinstance(instance, JobShop):
        lines.append(f"# start times of {instance.name}, a line for each job")
        lines += [" ".join(map(str, row)) for row in solution.start]
    else:
        lines.append(f"# pairs start time, machine (from 1) of {instance.name}, a line for each job")
        for starts, machines in zip(solution.start, solution.machine, strict=True):
            lines.append(" ".join(f"{start} {machine + 1}" for start, machine in zip(starts, machines, strict=True)))
    return "\n".join(lines) + "\n"


def claim(source: Source) -> float | None:
    match = _CLAIM.search(source.text)
    return float(match[1]) if match else None


def sniff(source: Source) -> bool:
    """Whether all lines, comments aside, begin with a whole number, and there is one."""
    heads = [tokens[0] for tokens in (line.partition("#")[0].split() for line in source.lines) if tokens]
    return bool(heads) and all(_WHOLE.match(head) for head in heads)


SCHEDULE = SolutionFormat(
    name="schedule",
    title="start times or machine orders",
    extensions=(".sol", ".txt"),
    kinds=("jobshop", "fjsp"),
    sniff=sniff,
    read=read,
    write=write,
    claim=claim,
)
