"""Flexible job shops as Brandimarte and Hurink wrote them (``.fjs``): ``n m [average number of alternatives]``, then
for each job its number of operations and for each operation ``k`` and ``k`` pairs machine (from 1) and duration."""

from __future__ import annotations

from itertools import chain, pairwise

import numpy as np

from combopt.errors import InputError
from combopt.instances.fjsp import Fjsp
from combopt.instances.formats.base import Format
from combopt.instances.formats.stream import placed
from combopt.instances.jobshop import JobShop
from combopt.instances.scheduling import MOST_MACHINES
from combopt.instances.text import Source
from combopt.model import Instance, Ints

_ROWS_TO_SNIFF = 5


def read(source: Source) -> Instance:
    """An fjsp instance; a jobshop instance if asked for by ``kind`` and no operation has a choice."""
    rows = [n for n, text in enumerate(source.lines, 1) if text.strip()]
    jobs, machines = _header(source, rows[0])
    walk = _Walk(source, rows, jobs, machines)
    walk.run()
    counts, alternatives, pairs = walk.counts, walk.alternatives, walk.pairs()
    try:
        instance = Fjsp(
            name=source.stem,
            counts=np.array(counts, dtype=np.int64),
            alternatives=np.array(alternatives, dtype=np.int64),
            machine=pairs[:, 0] - 1,
            duration=pairs[:, 1],
            machines=machines,
        )
        return _as_jobshop(source, instance) if source.options.kind == "jobshop" else instance
    except InputError as error:
        raise (error if error.place else placed(source, error, rows[0])) from None


def _header(source: Source, line: int) -> tuple[int, int]:
    tokens = source.lines[line - 1].split()
    if len(tokens) not in (2, 3):
        raise source.error("E123", line, f"{len(tokens)} numbers", "jobs machines [average number of alternatives]")
    jobs = source.whole(tokens[0], line, "the number of jobs", 1)
    machines = source.whole(tokens[1], line, "the number of machines", 1, MOST_MACHINES)
    if len(tokens) == 3:
        source.real(tokens[2], line, "the average number of alternatives", 0)
    source.room(4 * jobs, line, "numbers", characters=1)
    return jobs, machines


class _Walk:
    """Goes through the numbers after the header, where each count says how far it is to the next."""

    def __init__(self, source: Source, rows: list[int], jobs: int, machines: int) -> None:
        self.source, self.jobs, self.machines = source, jobs, machines
        self.first, self.last = rows[0] + 1, rows[-1]
        self.values: list[int] = source.wholes(self.first, self.last, "a count, machine or duration").tolist()
        # Files with a line for each job tell the place of a fault better.
        self.ends: list[int] = []
        if len(rows) == jobs + 1:
            sizes = [len(source.lines[n - 1].split()) for n in rows[1:]]
            self.ends = np.cumsum(sizes).tolist()
        self.counts: list[int] = []
        self.alternatives: list[int] = []
        self.begins: list[int] = []
        self.at = 0

    def line(self, index: int) -> int:
        return self.source.line_of_token(index, self.first, self.last)

    def run(self) -> None:
        for job in range(self.jobs):
            count = self._take(job, "the number of operations")
            if count < 1:
                raise self.source.error("E114", self.line(self.at - 1), f"{count} operations", "at least 1")
            for _ in range(count):
                self._operation(job)
            self.counts.append(count)
            if self.ends and self.at != self.ends[job]:
                where = self.line(self.ends[job] - 1)
                extra = self.ends[job] - self.at
                raise self.source.error("E115", where, f"{extra} numbers too many for job {job + 1}")
        if self.at < len(self.values):
            self.source.defect("E122", self.line(self.at), "there is data after the last job")

    def _operation(self, job: int) -> None:
        count = self._take(job, "the number of alternatives")
        if not 1 <= count <= self.machines:
            found = f"{count} alternatives for an operation of job {job + 1}"
            raise self.source.error("E114", self.line(self.at - 1), found, f"1 to {self.machines}")
        self._room(job, 2 * count, "the alternatives")
        pairs = self.values[self.at : self.at + 2 * count]
        if min(pairs[::2]) < 1 or max(pairs[::2]) > self.machines or len(set(pairs[::2])) < count or min(pairs) < 0:
            self._blame(job, pairs)
        self.alternatives.append(count)
        self.begins.append(self.at)
        self.at += 2 * count

    def _blame(self, job: int, pairs: list[int]) -> None:
        seen: set[int] = set()
        for offset in range(0, len(pairs), 2):
            machine, duration = pairs[offset : offset + 2]
            where = self.line(self.at + offset)
            if not 1 <= machine <= self.machines:
                remedy = "Machines count from 1 in this format." if machine == 0 else ""
                found = f"machine {machine} in job {job + 1}"
                raise self.source.error("E117", where, found, f"a machine from 1 to {self.machines}", remedy)
            if duration < 0:
                where = self.line(self.at + offset + 1)
                raise self.source.error("E114", where, f"a duration of {duration}", "0 or more")
            if machine in seen:
                found = f"machine {machine} comes twice for one operation of job {job + 1}"
                raise self.source.error("E116", where, found)
            seen.add(machine)

    def _take(self, job: int, what: str) -> int:
        self._room(job, 1, what)
        self.at += 1
        return self.values[self.at - 1]

    def _room(self, job: int, count: int, what: str) -> None:
        """Raise if the line of the job, or the file, ends within the next ``count`` numbers."""
        if self.ends and self.at + count > self.ends[job]:
            where = self.line(self.ends[job] - 1)
            raise self.source.error("E115", where, f"the line of job {job + 1} ends within {what}")
        if self.at + count > len(self.values):
            raise self.source.error("E111", self.last, f"the file ends within {what} of job {job + 1}")

    def pairs(self) -> Ints:
        """All pairs (machine, duration), ``int64[alternatives, 2]``."""
        values, sizes = self.values, self.alternatives
        flat = chain.from_iterable(values[b : b + 2 * k] for b, k in zip(self.begins, sizes, strict=True))
        return np.fromiter(flat, dtype=np.int64, count=2 * sum(sizes)).reshape(-1, 2)


def _as_jobshop(source: Source, instance: Fjsp) -> JobShop:
    if instance.alternatives.max() > 1:
        raise source.error("E119", 0, "operations with a choice of machines in a job shop", "kind fjsp")
    present = np.arange(instance.counts.max()) < instance.counts[:, None]
    machine, duration = np.full(present.shape, -1), np.zeros(present.shape, dtype=np.int64)
    machine[present], duration[present] = instance.machine, instance.duration
    return JobShop(name=instance.name, machine=machine, duration=duration, machines=instance.machines)


def sniff(source: Source) -> bool:
    """Whether there is a line for each job that the counts in it divide up exactly, machines from 1 to m."""
    head = next((line.split() for line in source.lines if line.strip()), [])
    try:
        if len(head) not in (2, 3) or float(head[-1]) < 0:
            return False
        jobs, machines = int(head[0]), int(head[1])
        rows = [line.split() for line in source.lines if line.strip()]
        if len(rows) < 2 or (source.suffix != ".fjs" and len(rows) != jobs + 1):
            return False
        few = rows[1 : 1 + _ROWS_TO_SNIFF]
        # Of a file that says what it is, one sound line is enough; the reader tells what is wrong with the rest.
        return (any if source.suffix == ".fjs" else all)(_is_job(row, machines) for row in few)
    except ValueError:
        return False


def _is_job(row: list[str], machines: int) -> bool:
    values = [int(token) for token in row]
    at = 1
    for _ in range(min(values[0], len(values))):
        if at >= len(values):
            return False
        count = values[at]
        on = values[at + 1 : at + 1 + 2 * count : 2]
        if count < 1 or len(on) != count or len(set(on)) < count or min(on) < 1 or max(on) > machines:
            return False
        at += 1 + 2 * count
    return at == len(values) and values[0] >= 1


def write(instance: Instance) -> str:
    assert isinstance(instance, (Fjsp, JobShop))
    ops = instance.operations
    average = len(ops.machine) / len(ops)
    lines = [f"{instance.jobs} {instance.machines} {average:.4g}"]
    first, pairs = ops.first_alternative.tolist(), np.stack((ops.machine + 1, ops.duration), axis=1).tolist()
    for begin, end in pairwise(ops.first_operation.tolist()):
        words = [str(end - begin)]
        for o in range(begin, end):
            words.append(str(first[o + 1] - first[o]))
            words += [str(value) for pair in pairs[first[o] : first[o + 1]] for value in pair]
        lines.append(" ".join(words))
    return "\n".join(lines) + "\n"


FJSPLIB = Format(
    name="fjsplib",
    title="flexible job shop (Brandimarte, Hurink, FJSPLIB)",
    extensions=(".fjs",),
    kinds=("fjsp", "jobshop"),
    sniff=sniff,
    read=read,
    write=write,
)
