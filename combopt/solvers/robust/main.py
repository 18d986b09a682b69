"""The main problem of column-and-constraint generation: the first stage with a copy of the recourse per scenario."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from combopt import registry
from combopt.errors import UnsupportedError
from combopt.instances.mip import CONTINUOUS, Mip
from combopt.instances.robust import TwoStageRobust
from combopt.instances.solutions import Point
from combopt.model import Floats, Ints
from combopt.result import Status, StoppedBy
from combopt.solvers.base import Event, Session
from combopt.solvers.gate import Gate
from combopt.solvers.robust.recourse import sign_of


@dataclass(frozen=True)
class Solved:
    """What came of one solve: the values, how good they are, and what no solution can be below."""

    status: Status
    stopped_by: StoppedBy
    values: Floats | None
    objective: float
    bound: float


@dataclass
class Growing:
    """A program to minimise that grows by columns and rows; names are numbers."""

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    domain: list[int] = field(default_factory=list)
    start: list[int] = field(default_factory=lambda: [0])
    column: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    offset: float = 0.0

    def add_columns(self, cost: Floats, lower: Floats, upper: Floats, domain: Ints) -> Ints:
        """Append columns; returns their places."""
        first = len(self.cost)
        for mine, new in ((self.cost, cost), (self.lower, lower), (self.upper, upper), (self.domain, domain)):
            mine.extend(new.tolist())
        return np.arange(first, first + len(cost))

    def add_row(self, columns: Any, values: Any, low: float, high: float) -> None:
        """Append a row; each column occurs once."""
        self.column.extend(np.asarray(columns).tolist())
        self.value.extend(np.asarray(values, float).tolist())
        self.start.append(len(self.column))
        self.low.append(low)
        self.high.append(high)

    def add_rows(self, start: Ints, columns: Ints, values: Floats, low: Floats, high: Floats) -> None:
        """Append rows given like those of a :class:`Mip`."""
        base = self.start[-1]
        self.column.extend(columns.tolist())
        self.value.extend(values.tolist())
        self.start.extend((start[1:] + base).tolist())
        self.low.extend(low.tolist())
        self.high.extend(high.tolist())

    def build(self) -> Mip:
        """The program as it is now."""
        return Mip(
            name="main", cost=np.array(self.cost), lower=np.array(self.lower), upper=np.array(self.upper),
            domain=np.array(self.domain, dtype=np.int64), row_start=np.array(self.start, dtype=np.int64),
            row_column=np.array(self.column, dtype=np.int64), row_value=np.array(self.value, dtype=np.float64),
            row_lower=np.array(self.low, dtype=np.float64), row_upper=np.array(self.high, dtype=np.float64),
            columns=tuple(f"x{j}" for j in range(len(self.cost))), rows=tuple(f"r{i}" for i in range(len(self.low))),
            offset=self.offset,
        )  # fmt: skip


class Main:
    """Zeng and Zhao (2013), MP2: min c x + theta with theta >= the cost of copy ``y^s`` in scenario ``s``, for all
    ``s`` so far.  A relaxation of the robust program, so its bound is one of the robust program."""

    def __init__(self, instance: TwoStageRobust) -> None:
        self.instance, self.sign = instance, sign_of(instance)
        first = instance.first
        self.n = len(first.columns)
        self.program = Growing(offset=self.sign * first.offset)
        self.program.add_columns(self.sign * first.cost, first.lower, first.upper, first.domain)
        self.program.add_rows(first.row_start, first.row_column, first.row_value, first.row_lower, first.row_upper)
        free = np.full(1, math.inf)
        self.theta = int(self.program.add_columns(np.ones(1), -free, free, np.zeros(1, dtype=np.int64))[0])
        self.scenarios: list[Floats] = []
        self.copies: list[Ints] = []

    def own_columns(self, *, whole: bool) -> Ints:
        """A copy of the recourse columns, continuous unless ``whole``; their places."""
        second, own = self.instance.second, self.instance.layout.own
        domain = second.domain[own] if whole else np.full(len(own), CONTINUOUS, dtype=np.int64)
        return self.program.add_columns(np.zeros(len(own)), second.lower[own], second.upper[own], domain)

    def places(self, copy: Ints) -> Ints:
        """Where the columns of the second stage are in the program, with this copy of the recourse."""
        layout = self.instance.layout
        found = np.empty(len(self.instance.second.columns), dtype=np.int64)
        found[layout.shared], found[layout.own] = layout.first, copy
        return found

    def second_rows(self, places: Ints, xi: Floats) -> None:
        """The rows of the second stage in scenario ``xi``, its columns at ``places``."""
        from scipy.sparse import csr_array

        instance, second = self.instance, self.instance.second
        row = np.repeat(np.arange(len(second.rows)), np.diff(second.row_start))
        inside = np.flatnonzero((instance.term_row >= 0) & (instance.term_column >= 0))
        rows = np.concatenate([row, instance.term_row[inside]])
        columns = np.concatenate([places[second.row_column], places[instance.term_column[inside]]])
        rise = instance.term_value * xi[instance.term_factor]
        values = np.concatenate([second.row_value, rise[inside]])
        table = csr_array((values, (rows, columns)), shape=(len(second.rows), len(self.program.cost)))
        side = instance.layout.side
        move = np.bincount(instance.term_row[side], rise[side], minlength=len(second.rows))
        self.program.add_rows(
            table.indptr, table.indices, table.data, second.row_lower + move, second.row_upper + move
        )  # duplicates are summed by the conversion to rows

    def cost_row(self, places: Ints, xi: Floats) -> None:
        """The row theta >= the cost of the second stage in scenario ``xi``."""
        instance, second = self.instance, self.instance.second
        rise = instance.term_value * xi[instance.term_factor]
        cost = second.cost.copy()
        mine = np.flatnonzero((instance.term_row < 0) & (instance.term_column >= 0))
        np.add.at(cost, instance.term_column[mine], rise[mine])
        offset = second.offset + float(rise[instance.layout.offset].sum())
        used = np.flatnonzero(cost)
        columns = np.append(places[used], self.theta)
        values = np.append(-self.sign * cost[used], 1.0)
        self.program.add_row(columns, values, self.sign * offset, math.inf)

    def knows(self, xi: Floats) -> bool:
        """Whether there is a copy for this scenario."""
        return any(np.abs(xi - old).max() <= 1e-9 for old in self.scenarios)

    def add(self, xi: Floats) -> None:
        """A copy of the recourse for a scenario, with its rows."""
        copy = self.own_columns(whole=True)
        places = self.places(copy)
        self.second_rows(places, xi)
        self.cost_row(places, xi)
        self.scenarios.append(xi)
        self.copies.append(copy)

    def solve(self, session: Session, solver: str, gap: float, start: Floats | None, tell: Any) -> Solved:
        """Solve the program as it is, with ``start`` as values of the first stage; ``tell`` takes its bounds."""
        mip = self.program.build()
        budget = replace(session.budget, gap=gap, target=None, iterations=None, time_limit=session.remaining())
        begin = None if start is None else Point(mip.columns[: self.n], start)
        return solve_mip(mip, session, solver, budget, begin, tell)


def solve_mip(mip: Mip, session: Session, name: str, budget: Any, start: Point | None, tell: Any) -> Solved:
    """Solve a program within ``session`` by one of the toolkit's solvers; what it hands over is checked.

    Raises
    ------
    UnsupportedError
        E202 if the solver does not take the program.
    """
    solver = registry.SOLVERS.load(name)()
    if (reason := solver.why_not(mip)) is not None:
        raise UnsupportedError("E202", f"{name} cannot solve the main problem: {reason}")
    gate = Gate(mip, budget, 0.0)

    def sink(event: Event) -> None:
        gate.take(event)
        if event.bound is not None:
            tell(float(event.bound))

    inner = Session(budget, session.deadline, sink, start)
    session.on_stop(inner.request_stop)
    outcome = solver.run(mip, inner)
    if outcome.bound is not None:
        gate.tighten(outcome.bound, 0.0)
    values = gate.solution.values if isinstance(gate.solution, Point) else None
    objective = math.inf if gate.objective is None else float(gate.objective)
    bound = -math.inf if gate.dual is None else float(gate.dual)
    return Solved(outcome.status, outcome.stopped_by, values, objective, bound)
