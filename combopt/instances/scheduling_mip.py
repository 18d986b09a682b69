"""Shops as mixed-integer programs: the disjunctive model of Manne (1960) with a tight big-M for each pair.

Manne's model is the strongest of the classical programs for job shops in practice (Ku and Beck 2016).  For the
choice of machines it is extended as by Fattahi, Mehrabad and Jolai (2007).
"""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np

from combopt.errors import UnsupportedError
from combopt.instances.mip import INTEGER, MipBuilder
from combopt.instances.scheduling import Operations, as_start, left_shifted, trivial_bound
from combopt.instances.solutions import Point, Schedule
from combopt.model import Floats, Solution, View

MOST_PAIRS = 500_000
"""Pairs of operations on one machine above which the program is not built."""


def disjunctive_program(operations: Operations, name: str) -> View:
    """The program with the maps between its solutions and schedules.

    Columns: start times, a binary for each pair of operations that may meet on a machine, a binary for each
    alternative where there is a choice, and the makespan.

    Raises
    ------
    UnsupportedError
        If there are more than :data:`MOST_PAIRS` pairs.
    """
    program = _Program(operations, name)
    mip = program.builder.build()
    program.columns = mip.columns
    return View(mip, program.to_schedule, program.to_point)


class _Program:
    columns: tuple[str, ...] = ()

    def __init__(self, operations: Operations, name: str) -> None:
        self.operations = operations
        self.builder = MipBuilder(name)
        self.pairs = _pairs(operations)
        shortest = operations.shortest
        start = left_shifted(operations, operations.heads(), operations.machine[_fastest(operations)])
        flat, machine = operations.flat(start)
        self.horizon = horizon = int((flat + operations.duration[operations.chosen(machine)]).max())
        self.earliest = operations.heads().tolist()
        self.latest = (horizon - operations.tails() - shortest).tolist()
        self.names = _names(operations)
        self.makespan = self.builder.column("makespan", 1.0, trivial_bound(operations), horizon, INTEGER)
        self.start = [
            self.builder.column(f"start_{label}", 0.0, low, high)
            for label, low, high in zip(self.names, self.earliest, self.latest, strict=True)
        ]
        self.choice = self._choices()
        self._job_rows()
        self.order = [self._pair_rows(a, b, machines) for (a, b), machines in self.pairs.items()]

    def _choices(self) -> list[dict[int, tuple[int, int]]]:
        """For each operation its machines with (binary or -1, duration)."""
        ops, found = self.operations, []
        for o, label in enumerate(self.names):
            first, last = int(ops.first_alternative[o]), int(ops.first_alternative[o + 1])
            table = {}
            for a in range(first, last):
                machine = int(ops.machine[a])
                binary = self.builder.binary(f"on_{label}_{machine + 1}") if last - first > 1 else -1
                table[machine] = (binary, int(ops.duration[a]))
            if last - first > 1:
                self.builder.row([(b, 1.0) for b, _ in table.values()], 1.0, 1.0, f"choose_{label}")
            found.append(table)
        return found

    def _job_rows(self) -> None:
        """The next operation, or the end, follows each operation."""
        last = set((self.operations.first_operation[1:] - 1).tolist())
        for o, table in enumerate(self.choice):
            successor = self.makespan if o in last else self.start[o + 1]
            terms = [(successor, 1.0), (self.start[o], -1.0)]
            fixed = 0
            for binary, duration in table.values():
                if binary < 0:
                    fixed = duration
                elif duration:
                    terms.append((binary, -float(duration)))
            self.builder.row(terms, lower=fixed, name=f"after_{self.names[o]}")

    def _pair_rows(self, a: int, b: int, machines: list[int]) -> int:
        """One of the two is first: a, if the binary that is returned is 1."""
        binary = self.builder.binary(f"before_{self.names[a]}_{self.names[b]}")
        for machine in machines:
            for first, second, sign in ((a, b, 1.0), (b, a, -1.0)):
                duration = self.choice[first][machine][1]
                big = float(max(0, self.latest[first] + duration - self.earliest[second]))
                terms = [(self.start[second], 1.0), (self.start[first], -1.0), (binary, -sign * big)]
                lower = duration - (big if sign > 0 else 0.0)
                for o in (first, second):
                    if self.choice[o][machine][0] >= 0:
                        terms.append((self.choice[o][machine][0], -big))
                        lower -= big
                label = f"{self.names[first]}_{self.names[second]}_{machine + 1}"
                self.builder.row(terms, lower=lower, name=f"disjoint_{label}")
        return binary

    def to_schedule(self, point: Point) -> Schedule:
        values = point.values
        # Differences of starts stay whole when all are rounded down; the addend takes up the solver's tolerance.
        start = np.floor(values[self.start] + 1e-3).astype(np.int64)
        machine = np.array([_chosen(table, values) for table in self.choice], dtype=np.int64)
        return left_shifted(self.operations, start, machine)

    def to_point(self, solution: Solution) -> Point | None:
        found = as_start(self.operations, solution)
        if found is None:
            return None
        shifted, machine = found
        end = shifted + self.operations.duration[self.operations.chosen(machine)]
        if end.max() > self.horizon:
            return None
        values = np.zeros(len(self.columns))
        values[self.start] = shifted
        values[self.makespan] = end.max()
        for table, on in zip(self.choice, machine.tolist(), strict=True):
            if table[on][0] >= 0:
                values[table[on][0]] = 1.0
        for binary, (a, b) in zip(self.order, self.pairs, strict=True):
            values[binary] = float((shifted[a], end[a]) <= (shifted[b], end[b]))
        return Point(self.columns, values)


def _chosen(table: dict[int, tuple[int, int]], values: Floats) -> int:
    return max(table, key=lambda machine: 1.0 if table[machine][0] < 0 else float(values[table[machine][0]]))


def _fastest(operations: Operations) -> list[int]:
    first = operations.first_alternative.tolist()
    return [a + int(operations.duration[a:b].argmin()) for a, b in pairwise(first)]


def _pairs(operations: Operations) -> dict[tuple[int, int], list[int]]:
    """Pairs of operations of different jobs with the machines on which they may meet."""
    owner = np.repeat(np.arange(len(operations)), np.diff(operations.first_alternative))
    job = operations.job.tolist()
    groups: dict[int, list[int]] = {}
    for o, machine in zip(owner.tolist(), operations.machine.tolist(), strict=True):
        groups.setdefault(machine, []).append(o)
    count = sum(len(group) * (len(group) - 1) // 2 for group in groups.values())
    if count > MOST_PAIRS:
        raise UnsupportedError("E202", f"{count} pairs of operations are too many for a mixed-integer program")
    pairs: dict[tuple[int, int], list[int]] = {}
    for machine, group in groups.items():
        for a, b in combinations(group, 2):
            if job[a] != job[b]:
                pairs.setdefault((a, b), []).append(machine)
    return pairs


def _names(operations: Operations) -> list[str]:
    ends = operations.first_operation.tolist()
    return [f"{j}_{k + 1}" for j, (a, b) in enumerate(pairwise(ends), 1) for k in range(b - a)]
