"""Parts of a schedule: what is left to decide when some operations are free, and its CP-SAT model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from combopt.instances.scheduling import Operations, left_shifted
from combopt.instances.solutions import Schedule
from combopt.model import Ints

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Plan:
    """A semi-active schedule as flat arrays ``int64[operations]``: start times, machines, durations."""

    ops: Operations
    start: Ints
    machine: Ints

    @classmethod
    def of(cls, ops: Operations, start: Ints, machine: Ints) -> Plan:
        """Every operation as early as its order on the machines allows."""
        return cls(ops, *ops.flat(left_shifted(ops, start, machine)))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Plan)
            and np.array_equal(self.start, other.start)
            and np.array_equal(self.machine, other.machine)
        )

    __hash__ = None  # type: ignore[assignment]

    @cached_property
    def duration(self) -> Ints:
        return self.ops.duration[self.ops.chosen(self.machine)]

    @cached_property
    def end(self) -> Ints:
        return self.start + self.duration

    @property
    def makespan(self) -> int:
        return int(self.end.max())

    @cached_property
    def order(self) -> Ints:
        """All operations so that each comes after those before it in its job and on its machine."""
        step = np.arange(len(self.ops)) - self.ops.first_operation[self.ops.job]
        return np.lexsort((step, self.end, self.start))

    @property
    def schedule(self) -> Schedule:
        return self.ops.schedule(self.start, self.machine)


class Part:
    """What is left to decide when all but some operations keep their order on the machines of a schedule.

    A free operation stays, on whatever machine, between the same two fixed ones as now; so only free operations and
    the fixed ones that lie between such can move.  All others are behind a constant head or before a constant tail.

    Parameters
    ----------
    plan
        The schedule.
    free
        ``bool[operations]``.
    """

    def __init__(self, plan: Plan, free: Bools) -> None:
        ops = self.ops = plan.ops
        self.plan, self.free = plan, free
        n = len(ops)
        first, last = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
        first[ops.first_operation[:-1]] = last[ops.first_operation[1:] - 1] = True
        self.first, self.last = first.tolist(), last.tolist()
        alternatives = zip(ops.first_alternative[:-1].tolist(), ops.first_alternative[1:].tolist(), strict=True)
        machine, all_machines = plan.machine.tolist(), ops.machine.tolist()
        self.on = [
            all_machines[a:b] if is_free else [m]
            for (a, b), is_free, m in zip(alternatives, free.tolist(), machine, strict=True)
        ]
        self._forward()
        self._backward()
        self.inner = [bool(a and b) for a, b in zip(self.down, self.up, strict=True)]

    def _forward(self) -> None:
        """``down``: what comes after a free operation; ``before``: the fixed one before each on a machine, or -1."""
        self.down, self.before = [False] * len(self.ops), {}
        free, fixed = self.free.tolist(), _Fixed()
        for o in self.plan.order.tolist():
            down = free[o] or (not self.first[o] and self.down[o - 1])
            for m in self.on[o]:
                p = self.before[o, m] = fixed.latest(m)
                down = down or m in fixed.passed or (p >= 0 and self.down[p])
            self.down[o] = down
            fixed.note(o, self.on[o], free[o])

    def _backward(self) -> None:
        """``up``: what comes before a free operation; ``after``: the fixed one after each on a machine, or -1;
        ``tail``: the longest path after each, a lower bound on it before free operations."""
        n, duration, shortest = len(self.ops), self.plan.duration.tolist(), self.ops.shortest.tolist()
        self.up, self.after, self.tail = [False] * n, {}, [0] * n
        free, fixed = self.free.tolist(), _Fixed()
        for o in self.plan.order[::-1].tolist():
            up = free[o] or (not self.last[o] and self.up[o + 1])
            tail = 0 if self.last[o] else (shortest if free[o + 1] else duration)[o + 1] + self.tail[o + 1]
            for m in self.on[o]:
                s = self.after[o, m] = fixed.latest(m)
                up = up or m in fixed.passed or (s >= 0 and self.up[s])
                if s >= 0 and len(self.on[o]) == 1:
                    tail = max(tail, duration[s] + self.tail[s])
            self.up[o], self.tail[o] = up, tail
            fixed.note(o, self.on[o], free[o])

    @cached_property
    def floor(self) -> int:
        """The longest path on which no free operation lies: no schedule of the neighbourhood is shorter."""
        end = self.plan.end.tolist()
        return max((end[o] + self.tail[o] for o, down in enumerate(self.down) if not down), default=0)

    def joined(self, start: dict[int, int], machine: dict[int, int], makespan: int) -> Plan:
        """The whole schedule for start times of ``inner`` operations and machines of free ones."""
        tail = np.array(self.tail)
        begin, on = self.plan.start.copy(), self.plan.machine.copy()
        late = np.array(self.down) & ~np.array(self.up)
        begin[late] = (makespan - tail - self.plan.duration)[late]
        begin[list(start)] = list(start.values())
        on[list(machine)] = list(machine.values())
        return Plan.of(self.ops, begin, on)


class _Fixed:
    """The fixed operations passed so far on each machine, on the way through a schedule."""

    def __init__(self) -> None:
        self._latest: dict[int, int] = {}
        self.passed: set[int] = set()
        """Machines that may run a free operation since the latest fixed one."""

    def latest(self, machine: int) -> int:
        return self._latest.get(machine, -1)

    def note(self, operation: int, machines: list[int], free: bool) -> None:
        if free:
            self.passed.update(machines)
        else:
            self._latest[machines[0]] = operation
            self.passed.discard(machines[0])


class PartModel:
    """A part as a CP-SAT model that holds only makespans up to ``most``."""

    def __init__(self, part: Part, most: int) -> None:
        from ortools.sat.python import cp_model

        self.part, self.model = part, cp_model.CpModel()
        ops, plan = part.ops, part.plan
        self.most, self.end = most, plan.end.tolist()
        self.duration, self.shortest = plan.duration.tolist(), ops.shortest.tolist()
        self.makespan = self.model.new_int_var(min(part.floor, most), most, "makespan")
        self.start: dict[int, cp_model.IntVar] = {}
        self.present: dict[int, dict[int, cp_model.IntVar]] = {}
        self.length: dict[int, Any] = {}
        self.slots: dict[tuple[int, int], list[cp_model.IntervalVar]] = {}
        self.possible = part.floor <= most
        for o in range(len(ops)):
            if part.inner[o] and self.possible:
                self._variables(o)
        if not self.possible:
            return
        for o in self.start:
            self._order(o)
        for intervals in self.slots.values():
            if len(intervals) > 1:
                self.model.add_no_overlap(intervals)
        self.model.minimize(self.makespan)

    def _variables(self, o: int) -> None:
        part, model = self.part, self.model
        constant = [self.end[p] for p in (-1 if part.first[o] else o - 1,) if p >= 0 and not part.inner[p]]
        if len(part.on[o]) == 1:
            p = part.before[o, part.on[o][0]]
            constant += [self.end[p]] if p >= 0 and not part.inner[p] else []
        shortest = self.shortest[o] if part.free[o] else self.duration[o]
        low, high = max([0, *constant]), self.most - shortest - part.tail[o]
        if low > high:
            self.possible = False
            return
        self.start[o] = start = model.new_int_var(low, high, f"start{o}")
        model.add_hint(start, min(high, int(self.part.plan.start[o])))
        if not part.free[o]:
            self.length[o] = self.duration[o]
        elif len(part.on[o]) == 1:
            self.length[o] = self.duration[o]
            interval = model.new_fixed_size_interval_var(start, self.duration[o], f"run{o}")
            self._slot(o, part.on[o][0]).append(interval)
        else:
            self._alternatives(o)

    def _alternatives(self, o: int) -> None:
        from ortools.sat.python import cp_model

        ops, model, present = self.part.ops, self.model, int(self.part.plan.machine[o])
        first, last = int(ops.first_alternative[o]), int(ops.first_alternative[o + 1])
        times = ops.duration[first:last].tolist()
        domain = cp_model.Domain.from_values(times)
        self.length[o] = length = model.new_int_var_from_domain(domain, f"length{o}")
        model.add_hint(length, self.duration[o])
        table = self.present[o] = {}
        for machine, time_on in zip(ops.machine[first:last].tolist(), times, strict=True):
            literal = table[machine] = model.new_bool_var(f"on{o}_{machine}")
            model.add_hint(literal, int(machine == present))
            model.add(length == time_on).only_enforce_if(literal)
            interval = model.new_optional_fixed_size_interval_var(self.start[o], time_on, literal, "")
            self._slot(o, machine).append(interval)
        model.add_exactly_one(table.values())

    def _slot(self, o: int, machine: int) -> list[cp_model.IntervalVar]:
        """Intervals of the free operations that may lie on a machine after the same fixed one."""
        return self.slots.setdefault((machine, self.part.before[o, machine]), [])

    def _order(self, o: int) -> None:
        """What comes before and after ``o`` in its job and, fixed, on its machine."""
        part, model, start = self.part, self.model, self.start[o]
        if not part.first[o] and part.inner[o - 1]:
            model.add(self.start[o - 1] + self.length[o - 1] <= start)
        model.add(start + self.length[o] + part.tail[o] <= self.makespan)
        for m in part.on[o]:
            literal = self.present.get(o, {}).get(m)
            p, s = part.before[o, m], part.after[o, m]
            bounds = []
            if p >= 0 and (part.inner[p] or literal is not None):
                begin = self.start[p] + self.duration[p] if part.inner[p] else self.end[p]
                bounds.append(begin <= start)
            if s >= 0 and part.inner[s]:
                bounds.append(start + self.length[o] <= self.start[s])
            elif s >= 0 and literal is not None:
                bounds.append(start + self.length[o] + self.duration[s] + part.tail[s] <= self.makespan)
            for bound in bounds:
                constraint = model.add(bound)
                if literal is not None:
                    constraint.only_enforce_if(literal)

    def plan(self, solver: cp_model.CpSolver) -> Plan:
        """The schedule that CP-SAT has found."""
        start = {o: int(solver.value(variable)) for o, variable in self.start.items()}
        on = {o: m for o, table in self.present.items() for m, literal in table.items() if solver.value(literal)}
        return self.part.joined(start, on, int(solver.value(self.makespan)))
