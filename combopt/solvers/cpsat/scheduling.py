"""CP-SAT models of the job shop and the flexible job shop: interval variables, no overlap on each machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from combopt.instances.fjsp import Fjsp
from combopt.instances.jobshop import JobShop
from combopt.instances.scheduling import Operations, as_start, left_shifted
from combopt.instances.solutions import Schedule
from combopt.model import Instance, Ints, Solution
from combopt.solvers.cpsat.view import CpView, Values
from combopt.solvers.dispatching import best_dispatch
from combopt.solvers.scheduling_bounds import lower_bound

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

MOST_ALTERNATIVES = 200_000
"""Size above which building the model alone takes minutes."""


# Single-threaded these prove ft10 and la19 ten times sooner than the defaults (OR-Tools 9.15): the linear relaxation
# of disjunctions is weak, and the stronger filtering pays where nearly all constraints are disjunctive.
PARAMETERS = """
linearization_level: 0
use_dynamic_precedence_in_disjunctive: true
use_strong_propagation_in_disjunctive: true
"""


def refuses(instance: Instance) -> str | None:
    assert isinstance(instance, (JobShop, Fjsp))
    size = len(instance.operations.machine)
    return f"{size} alternatives are too many for its model" if size > MOST_ALTERNATIVES else None


def build(instance: Instance) -> CpView:
    """The model, with the best schedule of the dispatching rules as horizon and as hint."""
    assert isinstance(instance, (JobShop, Fjsp))
    model = _Model(instance.operations)
    return CpView(
        model=model.model, decode=model.decode, hint=model.replace_hint, start=model.dispatched, parameters=PARAMETERS
    )


class _Model:
    def __init__(self, ops: Operations) -> None:
        from ortools.sat.python import cp_model

        self.ops = ops
        self.model = cp_model.CpModel()
        start, alternative = best_dispatch(ops)
        self.dispatched = ops.schedule(start, ops.machine[alternative])
        self.horizon = horizon = int((start + ops.duration[alternative]).max())
        bound = lower_bound(ops)
        self.makespan = self.model.new_int_var(min(bound, horizon), horizon, "makespan")
        self.on_machine: dict[int, list[cp_model.IntervalVar]] = {}
        self.present: list[dict[int, cp_model.IntVar]] = []
        self.duration: list[cp_model.IntVar | int] = []
        latest = (horizon - ops.tails() - ops.shortest).tolist()
        self.start = [
            self.model.new_int_var(low, high, f"start{o}")
            for o, (low, high) in enumerate(zip(ops.heads().tolist(), latest, strict=True))
        ]
        for o in range(len(ops)):
            self._operation(o)
        self._job_order()
        for intervals in self.on_machine.values():
            if len(intervals) > 1:
                self.model.add_no_overlap(intervals)
        self.model.minimize(self.makespan)
        self._add_hint(start, ops.machine[alternative])

    def _operation(self, o: int) -> None:
        """The interval of an operation, or one for each alternative of which one is present."""
        ops, model = self.ops, self.model
        first, last = int(ops.first_alternative[o]), int(ops.first_alternative[o + 1])
        machines, durations = ops.machine[first:last].tolist(), ops.duration[first:last].tolist()
        if last - first == 1:
            self.duration.append(durations[0])
            self.present.append({})
            interval = model.new_fixed_size_interval_var(self.start[o], durations[0], f"run{o}")
            self.on_machine.setdefault(machines[0], []).append(interval)
            return
        from ortools.sat.python import cp_model

        several = len(set(durations)) > 1
        domain = cp_model.Domain.from_values(durations)
        duration = model.new_int_var_from_domain(domain, f"duration{o}") if several else durations[0]
        self.duration.append(duration)
        table = {}
        for machine, time in zip(machines, durations, strict=True):
            literal = model.new_bool_var(f"on{o}_{machine}")
            table[machine] = literal
            if several:
                model.add(duration == time).only_enforce_if(literal)
            interval = model.new_optional_fixed_size_interval_var(self.start[o], time, literal, f"run{o}_{machine}")
            self.on_machine.setdefault(machine, []).append(interval)
        model.add_exactly_one(table.values())
        self.present.append(table)

    def _job_order(self) -> None:
        last = set((self.ops.first_operation[1:] - 1).tolist())
        for o in range(len(self.ops)):
            end = self.start[o] + self.duration[o]
            self.model.add(end <= (self.makespan if o in last else self.start[o + 1]))

    def decode(self, values: Values) -> Schedule:
        start = np.array([values(variable) for variable in self.start], dtype=np.int64)
        machine = self.ops.machine[self.ops.first_alternative[:-1]].copy()
        for o, table in enumerate(self.present):
            for on, literal in table.items():
                if values(literal):
                    machine[o] = on
        return left_shifted(self.ops, start, machine)

    def _add_hint(self, start: Ints, machine: Ints) -> None:
        for variable, value in self._hint(start, machine):
            self.model.add_hint(variable, value)

    def replace_hint(self, solution: Solution) -> Iterable[tuple[cp_model.IntVar, int]]:
        """The hint of a start instead of the dispatched one, and nothing worse than that start any more."""
        found = as_start(self.ops, solution)
        if found is None:
            return ()
        start, machine = found
        end = start + self.ops.duration[self.ops.chosen(machine)]
        if end.max() > self.horizon:
            return ()
        self.model.add(self.makespan <= int(end.max()))
        self.model.clear_hints()
        return self._hint(start, machine)

    def _hint(self, start: Ints, machine: Ints) -> Iterable[tuple[cp_model.IntVar, int]]:
        duration = self.ops.duration[self.ops.chosen(machine)]
        yield self.makespan, int((start + duration).max())
        yield from zip(self.start, start.tolist(), strict=True)
        for table, length, time, on in zip(
            self.present, self.duration, duration.tolist(), machine.tolist(), strict=True
        ):
            if not isinstance(length, int):
                yield length, time
            for candidate, literal in table.items():
                yield literal, int(candidate == on)
