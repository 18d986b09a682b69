"""The solver ``capital_budgeting``: column-and-constraint generation with an exact adversary, and local search.

Column-and-constraint generation: Zeng and Zhao, Operations Research Letters 41 (2013); here the recourse in each
scenario is integer.  The parts:

- A pool of scenarios gives every first stage an upper bound of what it guarantees: the least, over the pool, of its
  profit with the best recourse.  A local search climbs on this bound.
- A first stage whose bound passes the incumbent is evaluated exactly
  (:func:`~combopt.solvers.robust.capital_recourse.complete`).  Either it is the new incumbent, or the scenario that
  spoils it enters the pool.  So the search never meets the same first stage twice.
- An enumeration of first stages with Lagrangian bounds (:mod:`~combopt.solvers.robust.capital_sweep`) proves bounds,
  up to optimality on small instances.
- The main problem, a mixed-integer program with a copy of the recourse for some scenarios of the pool, gives the dual
  bound: those scenarios that are needed to keep the bound of every first stage met below the incumbent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from combopt import registry
from combopt.budget import Budget
from combopt.errors import UsageError
from combopt.instances.capital_budgeting import CapitalBudgeting
from combopt.instances.mip import Mip, MipBuilder
from combopt.instances.solutions import Point, RobustPlan
from combopt.model import Floats, Instance, Ints, Sense
from combopt.result import Status, StoppedBy
from combopt.solvers.base import Capability, Event, Outcome, Session, Solver, SolverInfo
from combopt.solvers.robust.capital_recourse import KNAPSACK_NODES, Scenarios, complete
from combopt.solvers.robust.capital_sweep import Sweep, bound_of

CLOSED = 2e-7
"""Relative gap at which bound and objective count as equal."""
MARGIN = 1e-7
"""A first stage is looked at if its bound is above the incumbent by this share."""
SOLVERS = ("highs", "scip")
TOLERANCES = {
    "highs": "mip_feasibility_tolerance=1e-9, primal_feasibility_tolerance=1e-9",
    "scip": "numerics/feastol=1e-9",
}
"""Settings of the solvers: scenarios may lie beyond a budget by 1e-8 of it only."""
SEARCH = 20_000
"""First stages that one call of the local search looks at."""
SHARES = (0.7, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05, 0.02, 0.0)
"""Bounds that are proved in turn, as shares of the first gap."""
CHUNK = 200_000
"""Nodes of the enumeration between two looks at the clock."""
HELD = 40
"""Recourse decisions of the incumbent that the evaluation of another first stage begins with."""


@dataclass(frozen=True)
class CapitalBudgetingSolver(Solver):
    """The ``iterations`` of the budget count main problems.

    Parameters
    ----------
    solver
        What solves the main problem: ``highs`` or ``scip``.
    rounds
        Restarts of the local search without success before the next main problem.
    nodes
        Nodes of the enumeration that comes before the main problem; 0 for none.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="capital_budgeting",
        title="column-and-constraint generation with an exact adversary, and local search",
        kinds=("capital_budgeting",),
        capabilities=frozenset(Capability) - {Capability.THREADS},
    )
    solver: str = "highs"
    rounds: int = 64
    nodes: int = 10_000_000

    def __post_init__(self) -> None:
        if self.solver not in SOLVERS:
            raise UsageError("E201", f"solver = {self.solver!r}", expected=" or ".join(SOLVERS))
        for name in ("rounds", "nodes"):
            if getattr(self, name) < 0:
                raise UsageError("E201", f"{name} = {getattr(self, name)}", expected="0 or more")

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, CapitalBudgeting)
        search = _Search(instance, session, self)
        mains = 0
        search.climb()
        search.prove()
        while not session.stopping:
            if search.closed:
                return Outcome.optimal(search.bound)
            search.climb()
            if session.stopping:
                break
            if session.budget.iterations is not None and mains >= session.budget.iterations:
                return Outcome(stopped_by=StoppedBy.ITERATIONS, bound=search.bound)
            search.main()
            mains += 1
        return Outcome(stopped_by=StoppedBy.TIME, bound=search.bound)


@dataclass
class _Search:
    """The incumbent ``plan`` of value ``best``, the pool, and the scenarios ``chosen`` for the main problem."""

    instance: CapitalBudgeting
    session: Session
    options: CapitalBudgetingSolver
    best: float = 0.0
    bound: float = math.inf
    chosen: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        n, q = self.instance.projects, self.instance.factors
        self.first: Ints = np.zeros(n, dtype=np.int64)
        self.plan = RobustPlan(np.zeros(n), np.zeros((1, n)))
        self.session.emit(self.plan)  # doing nothing is a plan, known before anything is compiled
        self.rng = np.random.default_rng(self.session.budget.seed)
        self.pool = Scenarios(self.instance, np.vstack([np.zeros(q), -np.ones(q)]))
        start = self.session.start
        if isinstance(start, RobustPlan) and self.instance.evaluate(start).feasible:
            self.consider(np.round(start.first).astype(np.int64), start.recourse)

    @property
    def closed(self) -> bool:
        return self.bound <= self.best + CLOSED * max(1.0, abs(self.best))

    @property
    def target(self) -> float:
        """A first stage whose upper bound is not above this is of no use."""
        return self.best + MARGIN * max(1.0, abs(self.best))

    def consider(self, first: Ints, held: Floats | None = None) -> None:
        """Evaluate a first stage: it becomes the incumbent, or its worst scenarios enter the pool."""
        if held is None:
            held = self.plan.recourse[-HELD:]
        found = complete(
            self.instance, first, held=held, points=self.pool.points[self.pool.pool.turn[:HELD]], cutoff=self.target,
            stopping=lambda: self.session.stopping,
        )  # fmt: skip
        if found.lower > self.best:
            self.best, self.first, self.plan = found.lower, first.copy(), found.plan
            self.session.emit(found.plan)
        self.pool.add(found.plan.scenario)

    def climb(self) -> None:
        """Local search until no first stage is found whose bound passes the incumbent."""
        x = self.first.copy()
        failures = 0
        while not self.session.stopping:
            seed = int(self.rng.integers(2**31))
            rounds = min(1 << failures, 64)
            value = self.pool.kernels.search(self.pool.pool, x, math.inf, KNAPSACK_NODES // 100, SEARCH, rounds, seed)
            if value > self.target and self.pool.worth(x, self.target)[0] > self.target:
                self.consider(x)
                failures = 0
                continue
            failures += 1
            if 1 << failures > self.options.rounds:
                return
            x = self.first.copy()

    def prove(self) -> None:
        """Prove bounds nearer and nearer to the incumbent by enumeration, as long as it takes few nodes."""
        bounds = [bound_of(self.pool, s) for s in range(len(self.pool))]
        top, nodes = min(bound.value for bound in bounds), self.options.nodes
        self.tighten(top)
        for share in SHARES:
            sweep = Sweep(self.pool, bounds, max(self.target, self.best + share * (top - self.best)))
            while not sweep.done and nodes > 0 and not self.session.stopping:
                found, used = sweep.walk(min(nodes, CHUNK))
                nodes -= used
                if found is not None:
                    self.consider(found)
                    # What could not be refuted counts, and the next ones need only be better than that.
                    sweep.least = max(sweep.least, self.target, self.pool.worth(found, sweep.least)[0])
            if not sweep.done:
                return
            self.tighten(sweep.least)
            if self.closed:
                return

    def main(self) -> None:
        """Choose scenarios, solve the main problem, and take over its bound and its first stage."""
        x = self.first.copy()
        while not self.session.stopping:
            # Scenarios without which the local search would be misled, until they are enough.
            if self.chosen:
                some = self.pool.only(self.chosen)
                seed = int(self.rng.integers(2**31))
                value = some.kernels.search(some.pool, x, self.target, KNAPSACK_NODES // 100, SEARCH, 8, seed)
                if value <= self.target:
                    break
            _, scenario = self.pool.worth(x)
            if scenario in self.chosen:
                break
            self.chosen.append(scenario)
        while not self.session.stopping:
            x = self.solve()
            if self.closed or self.session.stopping:
                return
            value, scenario = self.pool.worth(x)
            if value > self.target:
                self.consider(x)
                if scenario in self.chosen:
                    self.chosen.append(len(self.pool) - 1)
                return
            if scenario in self.chosen:
                return
            self.chosen.append(scenario)

    def solve(self) -> Ints:
        """Solve the main problem; its bound counts, its first stage is returned."""
        mip = self.program()
        found: list[Point] = []

        def sink(event: Event) -> None:
            if event.solution is not None:
                assert isinstance(event.solution, Point)
                found.append(event.solution)
            if event.bound is not None:
                self.tighten(float(event.bound))

        budget = Budget(time_limit=self.session.remaining(), gap=CLOSED / 2, threads=1, seed=self.session.budget.seed)
        inner = Session(budget, self.session.deadline, sink, self.start(mip))
        self.session.on_stop(inner.request_stop)
        solver: Solver = registry.SOLVERS.load(self.options.solver)(settings=TOLERANCES[self.options.solver])
        outcome = solver.run(mip, inner)
        if outcome.status is Status.INFEASIBLE:
            self.tighten(self.best)
        elif outcome.bound is not None:
            self.tighten(float(outcome.bound))
        n = self.instance.projects
        return np.round(found[-1].values[:n]).astype(np.int64) if found else self.first.copy()

    def tighten(self, bound: float) -> None:
        bound = max(bound, self.best) + 0.0
        if bound < self.bound:
            self.bound = bound
            self.session.bound(bound)

    def program(self) -> Mip:
        """The main problem: maximise theta <= r(xi)'(x + k y) over the chosen scenarios, each with its own y."""
        instance, pool = self.instance, self.pool.pool
        n, q = instance.projects, instance.factors
        build = MipBuilder("main problem", Sense.MAX)
        x = [build.binary(f"x{i}") for i in range(n)]
        top = float((instance.profit * (1 + np.abs(instance.profit_factors).sum(axis=1) / 2)).sum())
        theta = build.column("theta", 1.0, max(self.best, 0.0), top + 1.0)
        slope = instance.cost[:, None] * instance.cost_factors / 2
        terms = {i: float(c) for i, c in enumerate(instance.cost)}
        for j in range(q):  # what the projects cost where they are dearest
            if (slope[:, j] >= 0).all():
                for i in range(n):
                    terms[i] += float(slope[i, j])
                continue
            size = build.column(f"size{j}", 0.0, 0.0, math.inf)
            for sign in (1, -1):
                row = {x[i]: sign * float(slope[i, j]) for i in range(n)}
                build.row({**row, size: -1.0}, upper=0.0)
            terms[size] = 1.0
        build.row(terms, upper=instance.limit)
        for s in self.chosen:
            cost, profit = pool.cost[s].tolist(), pool.profit[s].tolist()
            y = [build.binary(f"y{s}_{i}") for i in range(n)]
            worth = {theta: 1.0, **{x[i]: -profit[i] for i in range(n)}}
            build.row({**worth, **{y[i]: -instance.late * profit[i] for i in range(n)}}, upper=0.0)
            build.row({**dict(zip(x, cost, strict=True)), **dict(zip(y, cost, strict=True))}, upper=instance.limit)
            for i in range(n):
                build.row({x[i]: 1.0, y[i]: 1.0}, upper=1.0)
        return build.build()

    def start(self, mip: Mip) -> Point:
        """The incumbent with its best recourse in the scenarios, as a point of the main problem."""
        values = dict.fromkeys(mip.columns, 0.0)
        values.update({f"x{i}": float(v) for i, v in enumerate(self.first)})
        slope = self.instance.cost[:, None] * self.instance.cost_factors / 2
        least = math.inf
        for j in range(self.instance.factors):
            if f"size{j}" in values:
                values[f"size{j}"] = abs(float(self.first @ slope[:, j]))
        for s in self.chosen:
            value, _, y = self.pool.best(s, self.first)
            least = min(least, value)
            values.update({f"y{s}_{i}": float(v) for i, v in enumerate(y)})
        values["theta"] = least
        return Point(mip.columns, np.array([values[name] for name in mip.columns]))
