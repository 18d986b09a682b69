"""Bin packing by column generation: the bound of Gilmore and Gomory, and packings by diving.

Gilmore and Gomory, Operations Research 9 (1961) and 11 (1963).  A column is a pattern, a set of items that fills a
bin; the master is the linear relaxation of choosing patterns, solved by HiGHS, and a new pattern is a knapsack over
the dual values, solved exactly.  Bounds are computed in whole numbers from rounded duals (Farley, Operations Research
38, 1990), so they hold whatever the linear solver's rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from combopt.instances.binpacking import BinPacking
from combopt.instances.binpacking_bounds import fit_decreasing, lower_bound
from combopt.instances.solutions import Assignment
from combopt.model import Floats, Instance, Ints
from combopt.result import StoppedBy
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.knapsack_core import Core
from combopt.solvers.knapsack_step import compiled_within
from combopt.solvers.native import Guard

if TYPE_CHECKING:
    import highspy

SMOOTHING = 0.7
LARGEST = 4000
"""Different sizes up to which a linear program is solved within seconds."""
COMPILED = 40
"""Pricings after which the compiled knapsack step is worth its loading."""
UNIT = 2**30
"""A dual value of 1 in whole numbers."""


@dataclass(frozen=True)
class ColumnGeneration(Solver):
    """The ``iterations`` of the budget count dives."""

    info: ClassVar[SolverInfo] = SolverInfo(
        name="column_generation",
        title="column generation with diving (Gilmore and Gomory), master by HiGHS",
        kinds=("binpacking",),
        capabilities=frozenset(Capability) - {Capability.PROOF, Capability.THREADS},
        package="highspy",
        licence="MIT",
    )

    def refuses(self, instance: Instance) -> str | None:
        sizes = instance.size()["sizes"]
        return f"its linear programs get too large with {sizes} different sizes" if sizes > LARGEST else None

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, BinPacking)
        if instance.oversized().size:
            return Outcome.infeasible()
        search = _Search(instance, session)
        if not search.done:
            search.generate(search.demand, 0)
        dives = 0
        while not search.done:
            if session.budget.iterations is not None and dives >= session.budget.iterations:
                return Outcome(stopped_by=StoppedBy.ITERATIONS, bound=search.lower)
            search.dive(dives)
            dives += 1
        if search.lower >= search.upper:
            return Outcome.optimal(search.upper)
        return Outcome(stopped_by=StoppedBy.TIME, bound=search.lower)


@dataclass
class _Master:
    """The relaxation: a row for every distinct size, a column for every pattern."""

    rows: int
    session: Session
    patterns: list[Ints] = field(default_factory=list)

    def __post_init__(self) -> None:
        import highspy

        self.solver: highspy.Highs = highspy.Highs()
        for name, value in (("output_flag", False), ("threads", 1)):
            self.solver.setOptionValue(name, value)
        self.guard = Guard(lambda: None)
        self.solver.cbSimplexInterrupt.subscribe(lambda event: self.guard(self._interruptible, event))
        for _ in range(self.rows):
            self.solver.addRow(0.0, math.inf, 0, np.zeros(0, np.int32), np.zeros(0))

    def _interruptible(self, event: Any) -> None:
        if self.session.stopping:
            event.interrupt()

    def add(self, pattern: Ints) -> None:
        rows = np.flatnonzero(pattern)
        self.patterns.append(pattern)
        self.solver.addCol(1.0, 0.0, math.inf, len(rows), rows.astype(np.int32), pattern[rows].astype(np.float64))

    def solve(self, demand: Ints) -> tuple[Floats, Floats]:
        """Values of the patterns and dual values of the sizes; worth nothing if the run is to stop."""
        for i, count in enumerate(demand.tolist()):
            self.solver.changeRowBounds(i, float(count), math.inf)
        self.solver.run()
        self.guard.check()
        solution = self.solver.getSolution()
        return np.array(solution.col_value), np.array(solution.row_dual)


@dataclass
class _Search:
    """``size`` are the distinct sizes, largest first, ``demand`` how many items have them."""

    instance: BinPacking
    session: Session

    def __post_init__(self) -> None:
        size, demand = np.unique(self.instance.item_size, return_counts=True)
        self.zero = bool(size[0] == 0)
        self.size, self.demand = size[::-1].copy(), demand[::-1].astype(np.int64)
        if self.zero:  # they go into any bin
            self.size, self.demand = self.size[:-1], self.demand[:-1]
        self.capacity = self.instance.capacity
        self.rng = np.random.default_rng(self.session.budget.seed)
        self.lower = lower_bound(self.instance.item_size, self.capacity)
        self.session.bound(self.lower)
        self.upper = self.instance.items + 1
        start = self.session.start
        if isinstance(start, Assignment) and self.instance.evaluate(start).feasible:
            self._emit(start.groups)
        for best in (False, True):
            groups = fit_decreasing(self.instance.item_size, self.capacity, best=best)
            self._emit(groups)
        if not self.done:
            self.priced = 0
            self.merge: Callable[..., Any] | None = None
            self.master = _Master(len(self.size), self.session)
            self.stable = self.size / self.capacity
            for pattern in self._patterns_of(groups):
                self.master.add(pattern)

    @property
    def done(self) -> bool:
        return self.session.stopping or self.lower >= self.upper

    def _emit(self, groups: Ints) -> None:
        bins = len(np.unique(groups))
        if bins < self.upper:
            self.upper = bins
            self.session.emit(Assignment(groups))

    def _patterns_of(self, groups: Ints) -> list[Ints]:
        index = np.searchsorted(-self.size, -self.instance.item_size)
        table = np.zeros((int(groups.max()) + 1, len(self.size) + 1), dtype=np.int64)
        np.add.at(table, (groups, index), 1)
        return list(np.unique(table[:, : len(self.size)], axis=0))

    def generate(self, demand: Ints, used: int) -> Floats:
        """Add patterns until none improves the relaxation, or it fits into the bins that the bound leaves beside those
        ``used``; its values.  With none used this also tightens ``lower``.

        Patterns are priced at duals drawn towards those of the best bound (Wentges, Operations Research Letters 21,
        1997), and at the duals themselves once that finds nothing new.
        """
        best = 0.0
        while True:
            values, duals = self.master.solve(demand)
            if self.session.stopping or used + math.ceil(values.sum() - 1e-6) <= self.lower:
                return values
            for share in (SMOOTHING, 0.0):
                point = share * self.stable + (1 - share) * duals
                prices = np.maximum(0, np.floor(point * UNIT)).astype(np.int64)
                pattern, worth = self._price(prices, demand)
                if self.session.stopping:
                    return values
                total, worth = int((prices * demand).sum()), max(worth, UNIT)
                if not used:
                    self._raise(-(-total // worth))
                if total / worth > best:
                    self.stable, best = point, total / worth
                if pattern @ duals > 1 + 1e-7:
                    self.master.add(pattern)
                    break
            else:
                return values

    def _raise(self, bound: int) -> None:
        if bound > self.lower:
            self.lower = bound
            self.session.bound(bound)

    def _price(self, prices: Ints, demand: Ints) -> tuple[Ints, int]:
        """The pattern of the highest total price, and an upper bound on that price."""
        self.priced += 1
        if self.priced == COMPILED:
            self.merge = compiled_within(self.session)
        copies = np.where(prices > 0, np.minimum(demand, self.capacity // self.size), 0)
        items = np.repeat(np.arange(len(self.size)), copies)
        core = Core(prices[items], self.size[items], self.capacity, self.merge)
        while core.step() and not self.session.stopping:
            pass
        return np.bincount(items[core.solution()], minlength=len(self.size)), core.upper

    def dive(self, number: int) -> None:
        """Fix the whole parts of the relaxation, then one pattern of the largest fraction (in later dives: of a large
        one, by chance), and solve what is left, until the rest is packed by a plain rule."""
        left = self.demand.copy()
        bins: list[Ints] = []
        while left.any() and not self.session.stopping:
            values = self.generate(left, len(bins))
            if self.session.stopping or len(bins) + math.ceil(values.sum() - 1e-6) >= self.upper:
                return
            self._complete(bins, left)
            if self.lower >= self.upper:
                return
            if not self._fix(values, bins, left, number):
                return
        if not left.any():
            self._offer(bins)

    def _fix(self, values: Floats, bins: list[Ints], left: Ints, number: int) -> bool:
        """Move patterns from ``left`` to ``bins``; whether there was any to move."""
        before = len(bins)
        for k in np.flatnonzero(values >= 1 - 1e-9).tolist():
            for _ in range(math.floor(values[k] + 1e-9)):
                pattern = np.minimum(self.master.patterns[k], left)
                if pattern.any():
                    bins.append(pattern)
                    left -= pattern
        if len(bins) > before:
            return True
        noise = self.rng.uniform(0, 0.5 if number else 0.0, len(values))
        k = int(np.argmax(np.where(values > 1e-6, values + noise, -1.0)))
        pattern = np.minimum(self.master.patterns[k], left)
        bins.append(pattern)
        left -= pattern
        return bool(pattern.any())

    def _complete(self, bins: list[Ints], left: Ints) -> None:
        """Pack the rest by best-fit decreasing."""
        sizes = np.repeat(self.size, left)
        groups = fit_decreasing(sizes, self.capacity, best=True)
        if len(bins) + int(groups.max()) + 1 < self.upper:
            kinds = np.repeat(np.arange(len(self.size)), left)
            rest = np.zeros((int(groups.max()) + 1, len(self.size)), dtype=np.int64)
            np.add.at(rest, (groups, kinds), 1)
            self._offer([*bins, *rest])

    def _offer(self, bins: list[Ints]) -> None:
        """Hand over a packing given by patterns."""
        groups = np.zeros(self.instance.items, dtype=np.int64)  # items of size 0 stay in the first bin
        table = np.array(bins)
        for i, size in enumerate(self.size.tolist()):
            owners = np.repeat(np.arange(len(bins)), table[:, i])
            groups[self.instance.item_size == size] = owners
        self._emit(groups)
