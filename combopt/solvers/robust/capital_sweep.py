"""Proof by enumeration: no first stage of capital budgeting guarantees more than a value.

In a scenario the budget, and the condition that the first stage is affordable everywhere, get Lagrange multipliers;
what is left decides for each project alone, now, later or never.  So every partial first stage has a bound at the
price of an addition.  Complete first stages are held against the pool of scenarios, with exact knapsacks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from combopt.model import Floats, Ints
from combopt.solvers.robust.capital_recourse import KNAPSACK_NODES, Scenarios

GRID, ZOOMS = 25, 6
"""Multipliers are sought on a grid that is narrowed so many times; any multipliers give a valid bound."""
BOUNDS = 6
"""Scenarios whose bounds are looked at in every node."""


@dataclass(frozen=True)
class Bound:
    """``total + sum of now[i] over projects chosen now + sum of later[i] over the others`` is at least what a first
    stage brings in a scenario; ``value`` is its maximum, the bound of all."""

    value: float
    total: float
    now: Floats
    later: Floats


def bound_of(pool: Scenarios, s: int) -> Bound:
    """The Lagrangian bound in a scenario, with nearly the best multipliers."""
    instance, cost, profit = pool.instance, pool.pool.cost[s], pool.pool.profit[s]
    slope = instance.cost[:, None] * instance.cost_factors / 2
    # A linear function that is at most what a first stage costs where it is dearest.
    dear = instance.cost + slope @ np.where(slope.sum(axis=0) < 0, -1.0, 1.0)

    def parts(a: Floats, b: Floats) -> tuple[Floats, Floats]:
        now = profit - a[..., None] * cost - b[..., None] * dear
        return now, np.maximum(0.0, instance.late * profit - a[..., None] * cost)

    def rate(price: Floats) -> float:
        return float((profit[price > 0] / price[price > 0]).max(initial=0.0))

    low, high = np.zeros(2), np.array([rate(cost), rate(dear)])
    best = np.zeros(2)
    for _ in range(ZOOMS):
        a, b = (axis.ravel() for axis in np.meshgrid(*(np.linspace(low[k], high[k], GRID) for k in range(2))))
        now, later = parts(a, b)
        at = int(((a + b) * instance.limit + np.maximum(now, later).sum(axis=1)).argmin())
        best = np.array([a[at], b[at]])
        step = 2 * (high - low) / (GRID - 1)
        low, high = np.maximum(0.0, best - step), best + step
    now, later = parts(best[:1], best[1:])
    total = float(best.sum() * instance.limit)
    return Bound(total + float(np.maximum(now, later).sum()), total, now[0], later[0])


class Sweep:
    """A walk through all first stages whose worth is above ``least``; it may be raised on the way.

    Once :attr:`done`, no other first stage than those returned guarantees more than ``least``.
    """

    def __init__(self, pool: Scenarios, bounds: list[Bound], least: float) -> None:
        self.pool, self.least, self.done, self.level = pool, least, False, 0
        bounds = sorted(bounds, key=lambda bound: bound.value)[:BOUNDS]
        self.item: Ints = np.argsort(-np.abs(bounds[0].now - bounds[0].later), kind="stable")
        self.first = (bounds[0].now >= bounds[0].later)[self.item].astype(np.int64)
        self.now = np.array([bound.now[self.item] for bound in bounds])
        self.later = np.array([bound.later[self.item] for bound in bounds])
        m, n = self.now.shape
        most = np.maximum(self.now, self.later)
        self.rest = np.zeros((m, n + 1))
        self.rest[:, :n] = np.cumsum(most[:, ::-1], axis=1)[:, ::-1]
        self.rest += np.array([bound.total for bound in bounds])[:, None]
        self.sums = np.zeros((m, n + 1))
        self.tried: Ints = np.zeros(n, dtype=np.int64)
        self.x: Ints = np.zeros(n, dtype=np.int64)
        self.done = bool(self.rest[:, 0].min() <= least)

    def walk(self, nodes: int) -> tuple[Ints | None, int]:
        """The next first stage whose worth is above ``least`` (``None`` if there is none, or not within ``nodes``),
        and the nodes walked."""
        ended, self.level, used = self.pool.kernels.sweep(
            self.pool.pool, self.item, self.first, self.now, self.later, self.rest, self.sums, self.tried, self.x,
            self.level, self.least, KNAPSACK_NODES // 10, nodes,
        )  # fmt: skip
        self.done = ended == 0
        return (self.x.copy() if ended == 1 else None), int(used)
