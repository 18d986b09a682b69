"""The exact worst case of a first stage of capital budgeting, with the recourse decisions that prove it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from combopt.instances.capital_budgeting import CapitalBudgeting, guarantee
from combopt.instances.solutions import RobustPlan
from combopt.model import Floats, Ints
from combopt.solvers.compiled import compiled

BEYOND = 1e-8
"""Relative distance beyond its budget at which a decision is lost in the scenarios that are looked for, so that they
are real ones: at the budget itself the least profit is only approached."""
TIGHT = 1e-8
"""Relative difference at which the profit guaranteed and the profit of the best recourse count as equal."""
ROOMY = 0.6
"""Share of the mean profit per cost at which room in the budget is weighed against profit."""
HALVINGS = 6
"""Knapsacks with reduced budgets solved for a decision that leaves room."""
KNAPSACK_NODES = 200_000
"""Nodes after which a knapsack tells its upper bound; a hundred are needed as a rule."""


def kernels() -> Any:
    """The functions of :mod:`~combopt.solvers.robust.capital_kernels`, compiled."""
    return compiled("combopt.solvers.robust.capital_kernels", entries=("recourse", "worth", "search", "sweep"))


@dataclass
class Scenarios:
    """A pool of scenarios ``points: float64[s, q]`` of one instance, and the recourse in them."""

    instance: CapitalBudgeting
    points: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    def __post_init__(self) -> None:
        self.kernels = kernels()
        self.points = self.points.reshape(-1, self.instance.factors)
        self._fill()

    def __len__(self) -> int:
        return len(self.points)

    def _fill(self) -> None:
        instance = self.instance
        cost, profit = instance.costs(self.points), instance.profits(self.points)
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(cost > 0, profit / cost, np.inf)
        from combopt.solvers.robust.capital_kernels import Pool

        self.pool = Pool(
            np.ascontiguousarray(cost), np.ascontiguousarray(profit),
            np.ascontiguousarray(np.argsort(-rate, axis=1, kind="stable")), np.arange(len(cost)),
            instance.cost.copy(), instance.cost[:, None] * instance.cost_factors / 2, instance.late, instance.limit,
        )  # fmt: skip

    def add(self, points: Floats) -> None:
        """Take further scenarios into the pool; they are looked at first."""
        points = points.reshape(-1, self.instance.factors)
        turn, old = self.pool.turn, len(self.points)
        self.points = np.vstack([self.points, points])
        self._fill()
        self.pool.turn[:] = np.concatenate([np.arange(old, len(self.points)), turn])

    def only(self, chosen: list[int]) -> Scenarios:
        """A pool of some of the scenarios."""
        return Scenarios(self.instance, self.points[chosen])

    def best(self, s: int, first: Ints, less: float = 0.0) -> tuple[float, float, Ints]:
        """Profit of ``first`` with its best recourse in scenario ``s``, an upper bound of it, and the recourse; with
        the budget reduced by ``less``."""
        y = np.zeros(self.instance.projects, dtype=np.int64)
        pool = self.pool._replace(limit=self.pool.limit - less) if less else self.pool
        value, top = self.kernels.recourse(pool, s, first, -1.0, KNAPSACK_NODES, y)
        return value, top, y

    def worth(self, first: Ints, cutoff: float = -1.0) -> tuple[float, int]:
        """An upper bound of what ``first`` guarantees, and its scenario; any below ``cutoff`` will do."""
        y = np.zeros(self.instance.projects, dtype=np.int64)
        value = self.kernels.worth(self.pool, first, cutoff, KNAPSACK_NODES, y)
        return value, int(self.pool.turn[0])


@dataclass(frozen=True)
class Completion:
    """A first stage with recourse decisions: its worst case is at least ``lower`` and at most ``upper``.

    ``lower`` is what the plan guarantees, ``upper`` the profit of the best recourse in its scenario; ``met`` are the
    scenarios that were looked at on the way, ``float64[s, q]``.
    """

    plan: RobustPlan
    lower: float
    upper: float
    met: Floats


def complete(
    instance: CapitalBudgeting,
    first: Floats | Ints,
    *,
    held: Floats | None = None,
    points: Floats | None = None,
    cutoff: float = -np.inf,
    stopping: Callable[[], bool] = lambda: False,
) -> Completion:
    """The exact worst case of ``first``: recourse decisions whose guarantee is the profit of the best recourse in some
    scenario, up to a relative error of about 1e-7.

    Decisions held give a lower bound with the scenario where they are worst
    (:func:`~combopt.instances.capital_budgeting.guarantee`); the best recourse there is an upper bound.  The next
    decision to hold is one that is nearly as good and leaves part of the budget (:func:`_roomy`): the best one would
    often be lost next to the scenario.  There are finitely many decisions, so the bounds meet.

    Parameters
    ----------
    first
        ``[n]``, 0 or 1, affordable in every scenario; else the answer is a plan that is infeasible.
    held
        ``float64[k, n]``: recourse decisions to begin with; those of another first stage will do.
    points
        ``float64[s, q]``: scenarios whose best recourse is held from the beginning.
    cutoff
        End as soon as the upper bound is below this.
    stopping
        Asked between steps; what is known then is returned, bounds that have not met.
    """
    x = np.round(np.asarray(first)).astype(np.int64)
    decisions = [np.zeros(instance.projects, dtype=np.int64)]
    known = {decisions[0].tobytes()}

    def hold(decision: Ints) -> None:
        if decision.tobytes() not in known:
            known.add(decision.tobytes())
            decisions.append(decision.copy())

    for row in [] if held is None else held:
        hold(np.where(x == 1, 0, np.round(row).astype(np.int64)))
    upper, scenario = np.inf, np.ones(instance.factors)
    met: list[Floats] = []
    affordable = instance.worst_cost(x.astype(np.float64))[0] <= instance.limit
    if affordable and points is not None:
        pool = Scenarios(instance, points)
        for s in range(len(pool)):
            _, top, decision = pool.best(s, x)
            hold(decision)
            if top < upper:
                upper, scenario = top, points[s]
    share = ROOMY * instance.late * float(instance.profit.sum()) / max(float(instance.cost.sum()), 1e-300)
    while affordable and upper >= cutoff and not stopping():
        margin = BEYOND * max(1.0, instance.budget)
        found = guarantee(
            instance, x.astype(np.float64), np.array(decisions, float), points=scenario[None, :], margin=margin
        )
        here = Scenarios(instance, found.scenario)
        value, top, decision = here.best(0, x)
        met.append(found.scenario)
        if top < upper:
            upper, scenario = top, found.scenario
        if value <= found.value + TIGHT * max(1.0, abs(found.value)) or decision.tobytes() in known:
            break
        aim = found.value + (min(value, upper) - found.value) / 2
        hold(_roomy(here, x, decision, value, aim, share))
    plan = RobustPlan(x.astype(np.float64), np.array(decisions, float), scenario=scenario)
    lower = guarantee(instance, plan.first, plan.recourse, points=scenario[None, :]).lower if affordable else -np.inf
    return Completion(plan, lower, upper, np.array(met).reshape(-1, instance.factors))


def _roomy(here: Scenarios, x: Ints, decision: Ints, value: float, aim: float, share: float) -> Ints:
    """A decision worth more than ``aim`` in the one scenario of ``here``, with room in the budget: its profit above
    ``aim`` is about ``share`` of what it leaves.  ``decision`` is the best one, of ``value``."""
    low, high = 0.0, (value - aim) / share if share > 0 else 0.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        worth, _, other = here.best(0, x, middle)
        left = here.pool.limit - float(here.pool.cost[0] @ (x + other))
        if worth - aim >= share * left:
            low, decision = middle, other
        else:
            high = middle
    return decision
