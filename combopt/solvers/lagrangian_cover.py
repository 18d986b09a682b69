"""Set covering by Lagrangian relaxation: bounds by subgradients, covers by greedy search on reduced costs.

After Caprara, Fischetti and Toth, A heuristic method for the set covering problem, Operations Research 47 (1999):
subgradient ascent, greedy covers from multipliers near the best, columns fixed by reduced cost, and refinement rounds
that keep a part of the best cover and solve the rest anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from combopt.instances.setcover import SetCover
from combopt.instances.solutions import Selection
from combopt.model import Floats, Instance, Ints
from combopt.result import StoppedBy
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo
from combopt.solvers.cover_greedy import Incidence, greedy_cover, without_redundant

STAGES = 6


@dataclass(frozen=True)
class LagrangianCover(Solver):
    """Covers from Lagrangian multipliers; the ``iterations`` of the budget count refinements.

    Parameters
    ----------
    ascent
        Subgradient steps of the first ascent.
    refining
        Subgradient steps of a refinement.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="lagrangian_cover",
        title="Lagrangian heuristic with lower bound (Caprara, Fischetti, Toth)",
        kinds=("setcover",),
        capabilities=frozenset(Capability) - {Capability.THREADS, Capability.PROOF},
    )
    ascent: int = 600
    refining: int = 150

    def run(self, instance: Instance, session: Session) -> Outcome:
        assert isinstance(instance, SetCover)
        if instance.uncoverable().size:
            return Outcome.infeasible()
        search = _Search(instance, session)
        search.ascend(self.ascent)
        rounds = 0
        limit = session.budget.iterations
        while not session.stopping and search.lower < search.upper:
            if limit is not None and rounds >= limit:
                return Outcome(stopped_by=StoppedBy.ITERATIONS, bound=search.lower)
            search.refine(self.refining)
            rounds += 1
        if search.lower >= search.upper:
            return Outcome.optimal(search.upper)
        return Outcome(stopped_by=StoppedBy.TIME, bound=search.lower)


@dataclass
class _Search:
    """``best`` is the best cover, of cost ``upper``; ``lower`` the best bound, ``dual`` its multipliers; ``columns``
    those that a better cover may still hold."""

    instance: SetCover
    session: Session
    lower: int = 0
    keep: float = field(default=0.3, init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.session.budget.seed)
        self.full = Incidence.of(self.instance)
        self.cost = self.instance.cost.astype(np.float64)
        self.upper = int(self.instance.cost.sum()) + 1
        self.best = np.zeros(0, dtype=np.int64)
        start = self.session.start
        if isinstance(start, Selection) and self.instance.evaluate(start).feasible:
            self.offer(np.unique(start.items))
        self.offer(greedy_cover(self.full, self.cost, np.zeros(self.full.rows)))
        self.columns = np.arange(self.full.columns)
        self.inside = self.full
        self.value = -math.inf
        self.dual = self._first_dual()

    def _first_dual(self) -> Floats:
        """The least share of a column's cost for every row."""
        share = self.cost / np.maximum(1, np.diff(self.full.start))
        by_row = share[self.full.column]
        return np.minimum.reduceat(by_row, self.full.row_start[:-1])

    def offer(self, columns: Ints) -> None:
        columns = without_redundant(self.full, self.cost, columns)
        total = int(self.instance.cost[columns].sum())
        if total < self.upper:
            self.best, self.upper = np.sort(columns), total
            self.keep = 0.3
            self.session.emit(Selection(self.best))

    def ascend(self, steps: int) -> None:
        """Subgradient ascent with covers along the way; tightens ``lower``.

        Runs in stages on the columns of least reduced cost, all others being priced between the stages.
        """
        all_rows = np.ones(self.full.rows, dtype=bool)
        dual = self.dual
        for stage in range(STAGES):
            part, columns, cost = self._core(all_rows, dual)
            watch = _Watch(self, part, columns, np.zeros(0, np.int64), 0 if stage else 50, 10)
            subgradient(part, cost, dual, lambda: float(self.upper), steps // STAGES, watch, self._enough, 0.5**stage)
            dual = watch.dual
            self._evaluate(dual)
            self._price_out()
            if self._enough():
                return

    def _evaluate(self, dual: Floats) -> None:
        """The true value of multipliers, over all columns."""
        reduced = self.cost[self.columns] - self.inside.sums(dual)
        value = float(dual.sum() + np.minimum(reduced, 0).sum())
        if value > self.value:
            self.value, self.dual = value, dual
            self._raise(value)

    def _raise(self, value: float) -> None:
        bound = math.ceil(value - 1e-6 * max(1.0, abs(value) * 1e-3))
        if bound > self.lower:
            self.lower = bound
            self.session.bound(bound)

    def _enough(self) -> bool:
        return self.session.stopping or self.lower >= self.upper

    def _price_out(self) -> None:
        """Drop the columns with which every cover costs as much as the best one."""
        reduced = self.cost[self.columns] - self.inside.sums(self.dual)
        keep = self.value + np.maximum(reduced, 0) <= self.upper - 1 + 1e-6 * max(1.0, abs(self.value))
        keep |= np.isin(self.columns, self.best)
        if keep.sum() < 0.9 * len(keep):
            self.columns = self.columns[keep]
            self.inside = self.full.restricted(self.columns, np.ones(self.full.rows, dtype=bool))

    def refine(self, steps: int) -> None:
        """Keep a part of the best cover, and cover the other rows anew."""
        kept = self._part()
        rows = self.full.covered(kept) == 0
        if rows.any():
            part, columns, cost = self._core(rows, self.dual)
            base = float(self.cost[kept].sum())
            dual = self.dual[rows] * self.rng.uniform(0.9, 1.1, int(rows.sum()))

            watch = _Watch(self, part, columns, kept, 20, 5)
            subgradient(part, cost, dual, lambda: self.upper - base, steps, watch, self._enough, 0.2)
        self.keep = min(0.95, self.keep * 1.1) if self.keep < 0.9 else 0.3
        self._price_out()

    def _core(self, rows: npt.NDArray[np.bool_], dual: Floats) -> tuple[Incidence, Ints, Floats]:
        """The open rows with the columns of least reduced cost and those of the best cover."""
        reduced = self.cost[self.columns] - self.inside.sums(dual)
        size = min(len(self.columns), 10 * int(rows.sum()) + 200)
        cheap = np.argpartition(reduced, size - 1)[:size] if size < len(reduced) else np.arange(len(reduced))
        pick = np.zeros(len(self.columns), dtype=bool)
        pick[cheap] = True
        pick[np.isin(self.columns, self.best)] = True
        columns = self.columns[pick]
        part = self.full.restricted(columns, rows)
        useful = np.diff(part.start) > 0
        return self.full.restricted(columns[useful], rows), columns[useful], self.cost[columns[useful]]

    def _part(self) -> Ints:
        """Columns of the best cover that look right (small share of doubly covered rows, small reduced cost), until
        they cover the share ``keep`` of the rows; CFT's section 4, with some chance."""
        times = self.full.covered(self.best)
        waste = self.dual * (times - 1) / np.maximum(times, 1)
        reduced = self.cost - self.full.sums(self.dual)
        doubt = np.maximum(reduced[self.best], 0) + self.full.sums(waste)[self.best]
        order = self.best[np.argsort((doubt + 1e-9) * self.rng.uniform(0.3, 1.7, len(doubt)), kind="stable")]
        covered = np.zeros(self.full.rows, dtype=bool)
        for k, j in enumerate(order.tolist()):
            if covered.mean() >= self.keep:
                return order[:k]
            covered[self.full.row[self.full.start[j] : self.full.start[j + 1]]] = True
        return order


@dataclass
class _Watch:
    """Sees every step of an ascent on ``columns``: keeps the best multipliers, and from step ``first`` on makes a
    cover of every ``every``-th, together with the columns ``kept``."""

    search: _Search
    part: Incidence
    columns: Ints
    kept: Ints
    first: int
    every: int
    value: float = -math.inf
    dual: Floats = field(default_factory=lambda: np.zeros(0))

    def __call__(self, value: float, dual: Floats, reduced: Floats, step: int) -> None:
        if value > self.value:
            self.value, self.dual = value, dual.copy()
        if step >= self.first and step % self.every == 0:
            self.search.offer(np.union1d(self.kept, self.columns[greedy_cover(self.part, reduced, dual)]))


def subgradient(
    incidence: Incidence,
    cost: Floats,
    dual: Floats,
    upper: Callable[[], float],
    steps: int,
    look: Callable[[float, Floats, Floats, int], None],
    enough: Callable[[], bool],
    length: float,
) -> None:
    """Ascent of ``L(u) = sum u + sum min(0, c - u A)`` after Held, Wolfe and Crowder, Mathematical Programming 6
    (1974): steps of ``length (upper - L) / |s|^2`` along the subgradient ``s``, halved whenever ``L`` has not risen
    for 20 steps.  ``look(L, u, reduced costs, step)`` sees each step."""
    best, quiet = -math.inf, 0
    point = dual = dual.copy()
    for step in range(steps):
        reduced = cost - incidence.sums(dual)
        value = float(dual.sum() + np.minimum(reduced, 0).sum())
        look(value, dual, reduced, step)
        if enough() or length < 1e-3:
            return
        quiet = 0 if value > best + 1e-5 * abs(best) else quiet + 1
        if value > best:
            best, point = value, dual
        if quiet >= 20:
            length, quiet, dual = length / 2, 0, point
            reduced = cost - incidence.sums(dual)
        slack = 1.0 - incidence.covered(np.flatnonzero(reduced < 0))
        slack[(dual <= 0) & (slack < 0)] = 0.0
        norm = float((slack * slack).sum())
        if norm == 0:
            return
        dual = np.maximum(0.0, dual + length * max(upper() - value, 1e-3 * abs(value)) / norm * slack)
