"""Greedy insertion for problems with prizes: the plainest construction, as a baseline and as a first incumbent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from combopt.instances.metric import Distances, Metric
from combopt.instances.op import Op
from combopt.instances.pctsp import Pctsp
from combopt.instances.prizes import exact_sum
from combopt.instances.solutions import Tour
from combopt.model import Instance, Ints
from combopt.solvers.base import Capability, Outcome, Session, Solver, SolverInfo

Choice = Callable[[Ints, Distances], Distances]
"""Nodes left out and what visiting each would cost, to how attractive each is; ``-inf`` for not at all."""


@dataclass(frozen=True)
class GreedyPrize(Solver):
    """Visit the node with the most prize per length of its cheapest detour, as long as that pays and is allowed.

    ``pctsp``: first, until the minimum prize is met, the node of the least cost above its penalty per prize; then
    whatever costs less than its penalty.  O(n) memory; O(n) vectorised steps for every node visited.
    """

    info: ClassVar[SolverInfo] = SolverInfo(
        name="greedy_prize",
        title="greedy insertion by prize and detour",
        kinds=("op", "pctsp"),
        capabilities=frozenset({Capability.SEED, Capability.INCUMBENTS, Capability.INTERRUPT}),
    )

    def run(self, instance: Instance, session: Session) -> Outcome:
        tour = greedy(instance, lambda: session.stopping)
        if tour is not None:
            session.emit(tour)
        return Outcome()


def greedy(instance: Instance, stopping: Callable[[], bool] = lambda: False) -> Tour | None:
    """The greedy tour, or as much of it as there was time for; ``None`` if it is not feasible."""
    if isinstance(instance, Op):
        insertion = Insertion(instance.metric, instance.depot, instance.end)
        fill(insertion, instance, stopping)
    else:
        assert isinstance(instance, Pctsp)
        insertion = Insertion(instance.metric, 0, None)
        collect(insertion, instance, stopping)
    tour = Tour(insertion.order())
    return tour if instance.evaluate(tour).feasible else None


def fill(insertion: Insertion, instance: Op, stopping: Callable[[], bool]) -> None:
    prize = instance.prize.astype(np.float64)

    budget = instance.limit * instance.metric.unit * (1 if instance.metric.integral else 1 - 1e-12)

    def choice(left: Ints, cost: Distances) -> Distances:
        room = budget - insertion.length
        ratio: Distances = prize[left] / np.maximum(cost, 1e-9)
        ratio[(cost > room) | (ratio <= 0)] = -np.inf
        return ratio

    while not stopping() and insertion.step(choice):
        pass


def collect(insertion: Insertion, instance: Pctsp, stopping: Callable[[], bool]) -> None:
    prize, penalty = instance.prize, instance.penalty * float(instance.metric.unit)
    collected = int(prize[0])

    def needed(left: Ints, cost: Distances) -> Distances:
        short = instance.min_prize - collected
        gain = (penalty[left] - cost) / np.maximum(np.minimum(prize[left], short).astype(np.float64), 1e-9)
        gain[prize[left] == 0] = -np.inf
        return gain

    def paying(left: Ints, cost: Distances) -> Distances:
        gain = penalty[left] - cost
        gain[gain <= 0] = -np.inf
        return gain

    # The quota is met in any case: without it there is no solution to hand over.
    while collected < instance.min_prize and insertion.step(needed):
        collected = exact_sum(prize[insertion.order()])
    while not stopping() and insertion.step(paying):
        pass


class Insertion:
    """A tour that grows by insertion, with the cheapest detour to every node left out.

    ``length`` is that of the tour in steps of ``metric``.
    """

    def __init__(self, metric: Metric, depot: int, end: int | None) -> None:
        self.metric = metric
        nodes = len(metric)
        self.follower = np.full(nodes, -1, dtype=np.int64)
        self.depot, self.end = depot, end
        self.follower[depot] = depot if end is None else end
        self.length = 0 if end is None else float(metric.between(depot, end))
        self.left = np.setdiff1d(np.arange(nodes), [depot] if end is None else [depot, end])
        self.cost = np.zeros(len(self.left))
        self.after = np.full(len(self.left), depot)
        self.cost = self._detour(depot, self.left)

    def order(self) -> Ints:
        """The nodes in the order of visit."""
        found = [self.depot]
        while (node := int(self.follower[found[-1]])) not in (-1, self.depot):
            found.append(node)
        return np.array(found, dtype=np.int64)

    def step(self, choice: Choice) -> bool:
        """Insert the most attractive node; whether there was one."""
        if not self.left.size:
            return False
        value = choice(self.left, self.cost)
        best = int(np.argmax(value))
        if value[best] == -np.inf:
            return False
        node, before = int(self.left[best]), int(self.after[best])
        behind = int(self.follower[before])
        self.length += float(self.cost[best])
        self.follower[before], self.follower[node] = node, behind
        keep = np.arange(len(self.left)) != best
        self.left, self.cost, self.after = self.left[keep], self.cost[keep], self.after[keep]
        self._renew(before, node)
        return True

    def _renew(self, before: int, node: int) -> None:
        """Costs after ``node`` was inserted behind ``before``: two new edges, and one that is gone."""
        orphans = self.after == before
        gone = self.cost.copy()
        self.cost[orphans] = np.inf
        for tail in (before, node):
            cost = self._detour(tail, self.left)
            better = cost < self.cost
            self.cost[better], self.after[better] = cost[better], tail
        # Every other edge costs at least what the one that is gone did.
        orphans = np.flatnonzero(orphans & (self.cost > gone))
        if orphans.size:
            tails = np.flatnonzero(self.follower >= 0)
            heads = self.follower[tails]
            edges = self.metric.between(tails, heads)
            for some in np.array_split(orphans, 1 + orphans.size * tails.size // 1_000_000):
                nodes = self.left[some][:, None]
                cost = self.metric.between(nodes, tails) + self.metric.between(nodes, heads) - edges
                at = np.argmin(cost, axis=1)
                self.cost[some], self.after[some] = cost[np.arange(len(some)), at], tails[at]

    def _detour(self, tail: int, nodes: Ints) -> Distances:
        head = int(self.follower[tail])
        whole = self.metric.between(nodes, tail) + self.metric.between(nodes, head)
        return (whole - self.metric.between(tail, head)).astype(np.float64)
